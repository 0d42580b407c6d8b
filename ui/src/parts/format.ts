// Pure. Numbers for people.

const whole = new Intl.NumberFormat('en-US')

export function formatCount(value: number): string {
  return whole.format(value)
}

const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const

/** `1.4 MB`; a kilobyte is 1024 bytes, as in Kafka's and Elasticsearch's own figures. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1
  return `${value.toFixed(digits)} ${units[unit]}`
}

export function plural(count: number, word: string): string {
  return `${formatCount(count)} ${word}${count === 1 ? '' : 's'}`
}
