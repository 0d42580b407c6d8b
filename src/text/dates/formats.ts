// Pure. The date filter's named formats: ISO8601, UNIX, UNIX_MS, TAI64N.

import { DAY_MS, daysInMonth, daysOfDate, daysOfWeek, isLeapYear } from './calendar.ts'
import { type Zone, localToUtc } from './zones.ts'

const ISO8601 =
  /^(\d{4,9})(?:-W(\d\d)(?:-([1-7]))?|-(\d{3})|-(\d\d?)(?:-(\d\d?))?)?(?:T(?:(\d\d?)(?:[.,](\d+)|:(\d\d?)(?:[.,](\d+)|:(\d\d?)(?:[.,](\d+))?)?)?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/

const ALMOST_ISO8601 =
  /^(\d{1,9})-(\d\d?)-(\d\d?) (\d\d?):(\d\d?):(\d\d?)[.,](\d{1,3})([+-]\d\d(?::?\d\d)?|Z)?$/

/** The forms of ISO 8601 that Joda's dateTimeParser reads, and `2026-11-01 10:00:00,123`. */
export function parseIso8601(text: string, zone: Zone): number | undefined {
  const match = ISO8601.exec(text)
  if (match === null) return parseAlmostIso8601(text, zone)
  const [, year, week, weekday = '1', ordinal, month = '1', day = '1', ...clock] = match
  const days = isoDays({
    year: Number(year),
    week: week === undefined ? undefined : Number(week),
    weekday: Number(weekday),
    ordinal: ordinal === undefined ? undefined : Number(ordinal),
    month: Number(month),
    day: Number(day),
  })
  const [hour = '0', hourPart, minute = '0', minutePart, second = '0', secondPart, offset] = clock
  const [hours, minutes, seconds] = [Number(hour), Number(minute), Number(second)]
  if (days === undefined || hours > 23 || minutes > 59 || seconds > 59) return undefined
  const ms = partOf(hourPart, 3_600_000) + partOf(minutePart, 60_000) + partOf(secondPart, 1000)
  const local = days * DAY_MS + ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms
  return applyOffset(local, offset, zone)
}

/** A decimal fraction of a unit of time, cut to whole milliseconds. */
function partOf(digits: string | undefined, unitMs: number): number {
  return digits === undefined ? 0 : Math.floor(Number(`0.${digits}`) * unitMs + 1e-9)
}

interface IsoDate {
  readonly year: number
  readonly week: number | undefined
  readonly weekday: number
  readonly ordinal: number | undefined
  readonly month: number
  readonly day: number
}

function isoDays(date: IsoDate): number | undefined {
  const { year, week, ordinal, month, day } = date
  if (week !== undefined) {
    return week >= 1 && week <= 53 ? daysOfWeek(year, week) + date.weekday - 1 : undefined
  }
  if (ordinal !== undefined) {
    const valid = ordinal >= 1 && ordinal <= (isLeapYear(year) ? 366 : 365)
    return valid ? daysOfDate(year, 1, 1) + ordinal - 1 : undefined
  }
  const valid = month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month)
  return valid ? daysOfDate(year, month, day) : undefined
}

function parseAlmostIso8601(text: string, zone: Zone): number | undefined {
  const match = ALMOST_ISO8601.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second, fraction, offset] = match
  const days = isoDays({
    year: Number(year),
    week: undefined,
    weekday: 1,
    ordinal: undefined,
    month: Number(month),
    day: Number(day),
  })
  const [hours, minutes, seconds] = [Number(hour), Number(minute), Number(second)]
  if (days === undefined || hours > 23 || minutes > 59 || seconds > 59) return undefined
  const local =
    days * DAY_MS + ((hours * 60 + minutes) * 60 + seconds) * 1000 + partOf(fraction, 1000)
  return applyOffset(local, offset, zone)
}

function applyOffset(local: number, offset: string | undefined, zone: Zone): number | undefined {
  if (offset === undefined) return localToUtc(zone, local)
  if (offset === 'Z') return local
  const digits = offset.slice(1).replace(':', '').padEnd(4, '0')
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))
  return local - (offset.startsWith('-') ? -minutes : minutes) * 60_000
}

/** Seconds since 1970, up to 2^31, with fractions. */
export function parseUnix(text: string): number | undefined {
  if (!/^-?\d+(?:\.\d+)?$/.test(text)) return undefined
  const seconds = Number(text)
  return seconds > 2 ** 31 ? undefined : Math.floor(Math.round(seconds * 1e6) / 1e3)
}

/** Milliseconds since 1970. */
export function parseUnixMs(text: string): number | undefined {
  if (!/^-?\d+$/.test(text)) return undefined
  const ms = Number(text)
  return Math.abs(ms) <= 8.64e15 ? ms : undefined
}

/** `@4000000050d506482dbdf024`: 64-bit seconds with a bias of 2^62, nanoseconds; ten leap seconds off. */
export function parseTai64n(text: string): number | undefined {
  const match = /^@?([0-9a-fA-F])([0-9a-fA-F]{15})([0-9a-fA-F]{8})$/.exec(text)
  if (match === null) return undefined
  const seconds = Number.parseInt(match[2] ?? '', 16)
  const nanos = Number.parseInt(match[3] ?? '', 16)
  return seconds * 1000 - 10_000 + Math.floor(nanos / 1_000_000)
}
