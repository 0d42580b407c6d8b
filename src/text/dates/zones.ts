// Time zones: offsets of named zones through Intl, cached by quarter of an hour.

import { DAY_MS, daysOfDate } from './calendar.ts'

export interface Zone {
  readonly name: string
  /** What local time is ahead of UTC at an instant, in milliseconds. */
  offsetAtUtc(epochMs: number): number
}

const SLOT_MS = 900_000
const CACHED_SLOTS_MAX = 8192

export const utc: Zone = fixedZone('UTC', 0)

export function fixedZone(name: string, offsetMs: number): Zone {
  return { name, offsetAtUtc: () => offsetMs }
}

const zones = new Map<string, Zone | undefined>()
const CACHED_ZONES_MAX = 1000

/** A zone by its tz database name, or as `+02:00`, `UTC`, `Z`; undefined where there is no such zone. */
export function zoneOf(name: string): Zone | undefined {
  if (zones.has(name)) return zones.get(name)
  const zone = findZone(name)
  if (zones.size < CACHED_ZONES_MAX) zones.set(name, zone)
  return zone
}

function findZone(name: string): Zone | undefined {
  if (name === 'UTC' || name === 'Z' || name === 'GMT') return utc
  const fixed = /^([+-])(\d\d):?(\d\d)$/.exec(name)
  if (fixed !== null) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3])
    return fixedZone(name, (fixed[1] === '-' ? -minutes : minutes) * 60_000)
  }
  if (!/^[A-Za-z]/.test(name)) return undefined
  try {
    return namedZone(name)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** @throws RangeError where Intl does not know the name */
function namedZone(name: string): Zone {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const offsets = new Map<number, number>()
  let lastSlot = Number.NaN
  let lastOffset = 0
  return {
    name,
    offsetAtUtc(epochMs) {
      const slot = Math.floor(epochMs / SLOT_MS)
      if (slot === lastSlot) return lastOffset
      let offset = offsets.get(slot)
      if (offset === undefined) {
        offset = offsetByIntl(format, slot * SLOT_MS)
        if (offsets.size >= CACHED_SLOTS_MAX) offsets.clear()
        offsets.set(slot, offset)
      }
      lastSlot = slot
      lastOffset = offset
      return offset
    },
  }
}

function offsetByIntl(format: Intl.DateTimeFormat, epochMs: number): number {
  const parts: Record<string, number> = {}
  let beforeChrist = false
  for (const { type, value } of format.formatToParts(epochMs)) {
    if (type === 'era') beforeChrist = value.startsWith('B')
    else parts[type] = Number(value)
  }
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
  const days = daysOfDate(beforeChrist ? 1 - year : year, month, day)
  return days * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 - epochMs
}

/**
 * The instant of a local time. Where clocks go back, the earlier one; undefined for a time that
 * clocks skip.
 */
export function localToUtc(zone: Zone, localMs: number): number | undefined {
  const before = zone.offsetAtUtc(localMs - DAY_MS)
  const early = localMs - before
  if (zone.offsetAtUtc(early) === before) return early
  const after = zone.offsetAtUtc(localMs + DAY_MS)
  const late = localMs - after
  return zone.offsetAtUtc(late) === after ? late : undefined
}
