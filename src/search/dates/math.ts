// Pure. Date math: `now-1d/d`, `2026-11-01||+1M/M`; and rounding to calendar units.
import { SearchError } from '../errors.ts'
import type { DateFormat } from './format.ts'
import { toUtc, utc, type Zone } from './zone.ts'

export interface DateMathOptions {
  readonly now: number
  readonly format: DateFormat
  readonly zone?: Zone
  /** Fills missing parts, and rounds, upwards: for the upper end of a range that includes it. */
  readonly roundUp?: boolean
}

/** Epoch milliseconds. @throws SearchError parse_exception */
export function parseDateMath(text: string, options: DateMathOptions): number {
  const { now, format, zone = utc, roundUp = false } = options
  if (text.startsWith('now')) return applyMath(now, text.slice(3), zone, roundUp)
  const bar = text.indexOf('||')
  const date = bar < 0 ? text : text.slice(0, bar)
  const start = format.parse(date, { zone, roundUp: roundUp && bar < 0 })
  if (start === undefined) {
    throw new SearchError(
      400,
      'parse_exception',
      `failed to parse date field [${date}] with format [${format.pattern}]`,
      {
        causedBy: {
          type: 'illegal_argument_exception',
          reason: `Parse failure at index [0] of [${date}]`,
        },
      },
    )
  }
  return bar < 0 ? start : applyMath(start, text.slice(bar + 2), zone, roundUp)
}

/** The most milliseconds before or after 1970 that a date can stand for. */
const momentMax = 8.64e15

function applyMath(start: number, math: string, zone: Zone, roundUp: boolean): number {
  let value = start
  let rest = math
  while (rest !== '') {
    const step = /^(?:\/|([+-])(\d*))(.)?/s.exec(rest)
    if (step === null) {
      throw parseError(`operator not supported for date math [${rest}]`)
    }
    const unit = dateUnits[step[3] ?? '']
    if (unit === undefined) {
      throw parseError(
        step[3] === undefined
          ? `truncated date math [${math}]`
          : `unit [${step[3]}] not supported for date math [${rest}]`,
      )
    }
    if (step[1] === undefined) {
      value = roundDown(value, unit, zone)
      if (roundUp) value = addUnits(value, unit, 1, zone) - 1
    } else {
      const amount = step[2] === '' ? 1 : Number(step[2])
      value = addUnits(value, unit, step[1] === '-' ? -amount : amount, zone)
    }
    rest = rest.slice(step[0].length)
    if (!(Math.abs(value) <= momentMax)) {
      throw parseError(`the date math [${math}] leaves the range of dates`)
    }
  }
  return value
}

function parseError(reason: string): SearchError {
  return new SearchError(400, 'parse_exception', reason)
}

export type DateUnit = 'second' | 'minute' | 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'year'

const dateUnits: Readonly<Record<string, DateUnit>> = {
  s: 'second',
  m: 'minute',
  h: 'hour',
  H: 'hour',
  d: 'day',
  w: 'week',
  M: 'month',
  y: 'year',
}

export const unitMs: Readonly<Record<'second' | 'minute' | 'hour' | 'day' | 'week', number>> = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
}

/** The start of the unit (in the zone's local time) that a moment lies in. */
export function roundDown(epochMs: number, unit: DateUnit, zone: Zone = utc): number {
  const local = epochMs + zone.offsetAt(epochMs)
  return toUtc(zone, roundLocal(local, unit))
}

/** The same on local wall-clock milliseconds. Weeks begin on Monday. */
export function roundLocal(localMs: number, unit: DateUnit): number {
  const date = new Date(localMs)
  const year = date.getUTCFullYear()
  switch (unit) {
    case 'second':
    case 'minute':
    case 'hour':
    case 'day':
      return Math.floor(localMs / unitMs[unit]) * unitMs[unit]
    case 'week': {
      const mondayMs = 4 * unitMs.day
      return Math.floor((localMs - mondayMs) / unitMs.week) * unitMs.week + mondayMs
    }
    case 'month':
      return Date.UTC(year, date.getUTCMonth(), 1)
    case 'quarter':
      return Date.UTC(year, Math.floor(date.getUTCMonth() / 3) * 3, 1)
    case 'year':
      return Date.UTC(year, 0, 1)
  }
}

export function addUnits(epochMs: number, unit: DateUnit, count: number, zone: Zone = utc): number {
  switch (unit) {
    case 'second':
    case 'minute':
    case 'hour':
      return epochMs + count * unitMs[unit]
    case 'day':
    case 'month':
    case 'quarter':
    case 'week':
    case 'year':
    default: {
      const local = epochMs + zone.offsetAt(epochMs)
      return toUtc(zone, addLocal(local, unit, count))
    }
  }
}

/** Adds to local wall-clock milliseconds; the 31st becomes the last day of a shorter month. */
export function addLocal(localMs: number, unit: DateUnit, count: number): number {
  switch (unit) {
    case 'second':
    case 'minute':
    case 'hour':
    case 'day':
    case 'week':
      return localMs + count * unitMs[unit]
    case 'month':
    case 'quarter':
    case 'year': {
      const months = count * (unit === 'month' ? 1 : unit === 'quarter' ? 3 : 12)
      const date = new Date(localMs)
      const first = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1)
      const target = new Date(first)
      const days = new Date(Date.UTC(target.getUTCFullYear(), target.getUTCMonth() + 1, 0))
      const day = Math.min(date.getUTCDate(), days.getUTCDate())
      return first + (day - 1) * unitMs.day + (localMs - roundLocal(localMs, 'day'))
    }
  }
}
