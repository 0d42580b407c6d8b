// Pure. Durations and sizes as Filebeat's configuration writes them.

const durationUnitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/**
 * `1h30m`, `250ms`, or a plain number of seconds; undefined where it is neither. In milliseconds.
 */
export function parseDurationMs(text: string): number | undefined {
  const trimmed = text.trim()
  if (/^-?\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed) * 1000
  const match = /^(-?)((?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+)$/.exec(trimmed)
  if (match === null) return undefined
  let totalMs = 0
  for (const [, amount, unit] of (match[2] ?? '').matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) {
    totalMs += Number(amount) * (durationUnitsMs[unit ?? ''] ?? Number.NaN)
  }
  return match[1] === '-' ? -totalMs : totalMs
}

const sizeUnits: Readonly<Record<string, number>> = {
  b: 1,
  k: 1000,
  kb: 1000,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  ki: 1024,
  kib: 1024,
  mi: 1024 ** 2,
  mib: 1024 ** 2,
  gi: 1024 ** 3,
  gib: 1024 ** 3,
}

/** `10MiB`, `1 MB`, or a plain number of bytes; undefined where it is neither. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim())
  if (match === null) return undefined
  const factor = match[2] === '' ? 1 : sizeUnits[(match[2] ?? '').toLowerCase()]
  return factor === undefined ? undefined : Math.floor(Number(match[1]) * factor)
}
