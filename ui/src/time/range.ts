// Pure. Time ranges as people give them: relative (`now-15m`, `now/d`) or absolute, in local time.

export interface TimeRange {
  readonly from: string
  readonly to: string
}

export interface ResolvedRange {
  readonly fromMs: number
  readonly toMs: number
}

export const quickRanges: readonly (TimeRange & { readonly label: string })[] = [
  { label: 'Last 15 minutes', from: 'now-15m', to: 'now' },
  { label: 'Last 30 minutes', from: 'now-30m', to: 'now' },
  { label: 'Last 1 hour', from: 'now-1h', to: 'now' },
  { label: 'Last 4 hours', from: 'now-4h', to: 'now' },
  { label: 'Last 24 hours', from: 'now-24h', to: 'now' },
  { label: 'Today', from: 'now/d', to: 'now' },
  { label: 'Last 7 days', from: 'now-7d', to: 'now' },
  { label: 'Last 30 days', from: 'now-30d', to: 'now' },
  { label: 'Last 90 days', from: 'now-90d', to: 'now' },
  { label: 'Last 1 year', from: 'now-1y', to: 'now' },
]

const unitMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** Milliseconds since 1970, or undefined for what cannot be read as a time. */
export function resolveTime(text: string, nowMs: number): number | undefined {
  const trimmed = text.trim()
  const relative = /^now((?:[+-]\d{1,6}[smhdwMy])*)(?:\/([smhdwMy]))?$/.exec(trimmed)
  if (relative === null) return absoluteTime(trimmed)
  const date = new Date(nowMs)
  for (const [, sign, amount, unit] of (relative[1] ?? '').matchAll(/([+-])(\d+)([smhdwMy])/g)) {
    shift(date, (sign === '-' ? -1 : 1) * Number(amount), unit ?? 's')
  }
  if (relative[2] !== undefined) roundDown(date, relative[2])
  return checked(date.getTime())
}

/** Undefined where an end cannot be read or nothing lies between them. */
export function resolveRange(range: TimeRange, nowMs: number): ResolvedRange | undefined {
  const fromMs = resolveTime(range.from, nowMs)
  const toMs = resolveTime(range.to, nowMs)
  if (fromMs === undefined || toMs === undefined || fromMs >= toMs) return undefined
  return { fromMs, toMs }
}

export function describeRange(range: TimeRange): string {
  const quick = quickRanges.find(({ from, to }) => from === range.from && to === range.to)
  if (quick !== undefined) return quick.label
  return `${describeEnd(range.from)} → ${describeEnd(range.to)}`
}

/** `2026-11-23 10:00:00.123` in local time. */
export function formatTime(ms: number): string {
  const date = new Date(ms)
  if (Number.isNaN(date.getTime())) return String(ms)
  const day = `${pad(date.getFullYear(), 4)}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`
  return `${day} ${time}.${pad(date.getMilliseconds(), 3)}`
}

function describeEnd(text: string): string {
  if (text.startsWith('now')) return text
  const ms = absoluteTime(text)
  return ms === undefined ? text : formatTime(ms).replace(/\.000$/, '')
}

/** ISO 8601 (a zone is honoured), `YYYY-MM-DD[ HH:mm[:ss[.SSS]]]` in local time, or milliseconds. */
function absoluteTime(text: string): number | undefined {
  if (/^\d{11,16}$/.test(text)) return checked(Number(text))
  const local = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,3}))?)?)?$/.exec(
    text,
  )
  if (local === null) {
    return /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:?\d\d)$/.test(text)
      ? checked(Date.parse(text))
      : undefined
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = local
    .slice(1, 7)
    .map((part) => Number(part ?? 0))
  const milliseconds = Number((local[7] ?? '').padEnd(3, '0'))
  const date = new Date(year, month - 1, day, hour, minute, second, milliseconds)
  // The 31st of November is a mistake and not the 1st of December.
  const exists =
    date.getMonth() === month - 1 &&
    date.getDate() === day &&
    hour < 24 &&
    minute < 60 &&
    second < 60
  return exists ? checked(date.getTime()) : undefined
}

function checked(ms: number): number | undefined {
  return Number.isNaN(ms) ? undefined : ms
}

function shift(date: Date, amount: number, unit: string): void {
  if (unit === 'M') date.setMonth(date.getMonth() + amount)
  else if (unit === 'y') date.setFullYear(date.getFullYear() + amount)
  else if (unit === 'd' || unit === 'w')
    date.setDate(date.getDate() + amount * (unit === 'w' ? 7 : 1))
  else date.setTime(date.getTime() + amount * (unitMs[unit] ?? 0))
}

function roundDown(date: Date, unit: string): void {
  if (unit === 's') date.setMilliseconds(0)
  else if (unit === 'm') date.setSeconds(0, 0)
  else if (unit === 'h') date.setMinutes(0, 0, 0)
  else date.setHours(0, 0, 0, 0)
  if (unit === 'w') date.setDate(date.getDate() - ((date.getDay() + 6) % 7))
  if (unit === 'M') date.setDate(1)
  if (unit === 'y') date.setMonth(0, 1)
}

function pad(value: number, length = 2): string {
  return String(value).padStart(length, '0')
}
