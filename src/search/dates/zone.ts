// Pure. Time zones: offsets of fixed and named zones, and their changes within a span of time.

export interface Zone {
  readonly id: string
  /** Milliseconds to add to UTC to get local time at that moment. */
  offsetAt(epochMs: number): number
  readonly isFixed: boolean
}

export const utc: Zone = { id: 'UTC', offsetAt: () => 0, isFixed: true }

const known = new Map<string, Zone | undefined>()
const knownMax = 1000

/** `UTC`, `Z`, `+08:00`, `-5`, `Europe/Berlin`; undefined where there is no such zone. */
export function findZone(id: string): Zone | undefined {
  if (known.has(id)) return known.get(id)
  const zone = makeZone(id)
  if (known.size < knownMax) known.set(id, zone)
  return zone
}

function makeZone(id: string): Zone | undefined {
  if (id === 'UTC' || id === 'Z' || id === 'GMT' || id === 'Etc/UTC') return utc
  const fixed = /^([+-])(\d{1,2})(?::?(\d{2}))?$/.exec(id)
  if (fixed !== null) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3] ?? 0)
    const offset = (fixed[1] === '-' ? -minutes : minutes) * 60_000
    return { id, offsetAt: () => offset, isFixed: true }
  }
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(id)) return undefined
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: id,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
      era: 'short',
    })
    return { id, offsetAt: (epochMs) => namedOffset(format, epochMs), isFixed: false }
  } catch {
    return undefined // RangeError: the platform knows no such zone.
  }
}

function namedOffset(format: Intl.DateTimeFormat, epochMs: number): number {
  const part: Record<string, number> = {}
  for (const { type, value } of format.formatToParts(epochMs)) part[type] = Number(value)
  const local = Date.UTC(
    part['year'] ?? 1970,
    (part['month'] ?? 1) - 1,
    part['day'] ?? 1,
    part['hour'] ?? 0,
    part['minute'] ?? 0,
    part['second'] ?? 0,
  )
  return local - Math.floor(epochMs / 1000) * 1000
}

/** Local wall-clock milliseconds to UTC. In a gap the later moment, in an overlap the earlier. */
export function toUtc(zone: Zone, localMs: number): number {
  if (zone.isFixed) return localMs - zone.offsetAt(localMs)
  const before = zone.offsetAt(localMs - 86_400_000)
  const after = zone.offsetAt(localMs + 86_400_000)
  const early = localMs - Math.max(before, after)
  if (early + zone.offsetAt(early) === localMs) return early
  const late = localMs - Math.min(before, after)
  if (late + zone.offsetAt(late) === localMs) return late
  return localMs - before
}

export interface OffsetSpan {
  /** From here on, up to the next span. The first one starts at minus infinity. */
  readonly fromMs: number
  readonly offsetMs: number
}

/** The zone's offsets between two moments, found by halving steps of about a month. */
export function offsetSpans(zone: Zone, firstMs: number, lastMs: number): OffsetSpan[] {
  let offset = zone.offsetAt(firstMs)
  const spans: OffsetSpan[] = [{ fromMs: Number.NEGATIVE_INFINITY, offsetMs: offset }]
  if (zone.isFixed) return spans
  const step = 30 * 86_400_000
  for (let at = firstMs; at < lastMs && spans.length < 1000; at += step) {
    const next = Math.min(at + step, lastMs)
    const nextOffset = zone.offsetAt(next)
    if (nextOffset === offset) continue
    spans.push({ fromMs: changeBetween(zone, at, next, offset), offsetMs: nextOffset })
    offset = nextOffset
  }
  return spans
}

function changeBetween(zone: Zone, first: number, last: number, offset: number): number {
  let low = first
  let high = last
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (zone.offsetAt(middle) === offset) low = middle
    else high = middle
  }
  return high
}
