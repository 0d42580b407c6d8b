// Pure.
// Times in patterns of Java's SimpleDateFormat, as far as tools need them, and as Date.toString has
// them. Local time, as in Java.

const pad = (value: number, width: number): string => String(value).padStart(width, '0')

const letters: Readonly<Record<string, (date: Date, width: number) => string>> = {
  y: (date, width) =>
    width === 2 ? pad(date.getFullYear() % 100, 2) : pad(date.getFullYear(), width),
  M: (date, width) => pad(date.getMonth() + 1, width),
  d: (date, width) => pad(date.getDate(), width),
  H: (date, width) => pad(date.getHours(), width),
  m: (date, width) => pad(date.getMinutes(), width),
  s: (date, width) => pad(date.getSeconds(), width),
  S: (date, width) => pad(date.getMilliseconds(), width),
}

/** @throws RangeError for letters that are not known */
export function formatDate(pattern: string, timeMs: number): string {
  const date = new Date(timeMs)
  return pattern.replace(/'([^']*)'|([A-Za-z])\2*/g, (part, quoted: string | undefined) => {
    if (quoted !== undefined) return quoted === '' ? "'" : quoted
    const format = letters[part.charAt(0)]
    if (format === undefined) throw new RangeError(`date format: ${part} is not known`)
    return format(date, part.length)
  })
}

/** `Mon Nov 23 05:32:14 UTC 2026` */
export function javaDate(timeMs: number): string {
  const date = new Date(timeMs)
  const [weekday = '', month = '', day = ''] = date.toDateString().split(' ')
  const zone = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' })
    .formatToParts(date)
    .find(({ type }) => type === 'timeZoneName')?.value
  return `${weekday} ${month} ${day} ${formatDate('HH:mm:ss', timeMs)} ${zone} ${date.getFullYear()}`
}
