// Parsing of dates by Joda patterns, compiled once per pattern to a list of character-code readers.

import { DAY_MS, dayOfWeek, daysInMonth, daysOfDate, daysOfWeek, isLeapYear } from './calendar.ts'
import { dateOfDays } from './calendar.ts'
import { type DateNames, dateNames } from './names.ts'
import { type DateToken, DatePatternError, datePatternTokens, isNumericToken } from './pattern.ts'
import { type Zone, localToUtc, zoneOf } from './zones.ts'

/** Epoch milliseconds, or undefined where the text does not fit. `now` supplies a missing year. */
export type DateParser = (text: string, nowMs: number, zone: Zone) => number | undefined

/** What the readers found; unset fields are -1 (or NaN where -1 is a value). */
interface Found {
  year: number
  month: number
  day: number
  dayOfYear: number
  weekyear: number
  week: number
  weekday: number
  hour: number
  minute: number
  second: number
  ms: number
  /** 0 for AM, 1 for PM. */
  half: number
  offsetMs: number
  zone: Zone | undefined
}

/** Reads at a position; gives the position after it, or -1. */
type Read = (text: string, at: number, found: Found, nowMs: number) => number

/** @throws DatePatternError for a bad pattern, RangeError for a bad locale */
export function compileDateParser(pattern: string, locale = 'en-US'): DateParser {
  const tokens = datePatternTokens(pattern)
  const names = dateNames(locale)
  const readers = tokens.map((token, index) => readerOf(token, tokens[index + 1], names))
  const hasYear = tokens.some(({ letter }) => 'yYx'.includes(letter) && letter !== '')
  const unset = empty()
  const found = empty()
  return (text, nowMs, zone) => {
    Object.assign(found, unset)
    let at = 0
    for (const read of readers) {
      at = read(text, at, found, nowMs)
      if (at < 0) return undefined
    }
    if (at !== text.length) return undefined
    return hasYear ? instantOf(found, zone) : guessYear(found, zone, nowMs)
  }
}

function empty(): Found {
  return {
    year: Number.NaN,
    month: -1,
    day: -1,
    dayOfYear: -1,
    weekyear: Number.NaN,
    week: -1,
    weekday: -1,
    hour: -1,
    minute: 0,
    second: 0,
    ms: 0,
    half: -1,
    offsetMs: Number.NaN,
    zone: undefined,
  }
}

/** A date without a year is of this year; around the turn of the year of the neighbouring one. */
function guessYear(found: Found, zone: Zone, nowMs: number): number | undefined {
  const now = dateOfDays(Math.floor((nowMs + zone.offsetAtUtc(nowMs)) / DAY_MS))
  const month = found.month < 0 ? 1 : found.month
  found.year = now.year
  if (month === 12 && now.month === 1) found.year -= 1
  if (month === 1 && now.month === 12) found.year += 1
  return instantOf(found, zone)
}

function instantOf(found: Found, zone: Zone): number | undefined {
  const days = daysOf(found)
  if (days === undefined) return undefined
  if (found.half >= 0) {
    const hour = found.hour < 0 ? 0 : found.hour
    found.hour = (hour % 12) + found.half * 12
  }
  const hour = found.hour < 0 ? 0 : found.hour
  if (hour > 23 || found.minute > 59 || found.second > 59) return undefined
  const local = days * DAY_MS + ((hour * 60 + found.minute) * 60 + found.second) * 1000 + found.ms
  if (!Number.isNaN(found.offsetMs)) return local - found.offsetMs
  return localToUtc(found.zone ?? zone, local)
}

/** Joda sets larger fields first, so a weekday that does not fit moves the date within its week. */
function daysOf(found: Found): number | undefined {
  if (found.week >= 0 || !Number.isNaN(found.weekyear)) return daysByWeek(found)
  const year = Number.isNaN(found.year) ? 1970 : found.year
  if (found.dayOfYear >= 0) {
    if (found.dayOfYear < 1 || found.dayOfYear > (isLeapYear(year) ? 366 : 365)) return undefined
    return daysOfDate(year, 1, 1) + found.dayOfYear - 1
  }
  const month = found.month < 0 ? 1 : found.month
  const day = found.day < 0 ? 1 : found.day
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined
  const days = daysOfDate(year, month, day)
  return found.weekday < 0 ? days : days + found.weekday - dayOfWeek(days)
}

function daysByWeek(found: Found): number | undefined {
  const weekyear = Number.isNaN(found.weekyear) ? found.year : found.weekyear
  if (Number.isNaN(weekyear)) return undefined
  const week = found.week < 0 ? 1 : found.week
  const weekday = found.weekday < 0 ? 1 : found.weekday
  if (week < 1 || week > 53 || weekday < 1 || weekday > 7) return undefined
  return daysOfWeek(weekyear, week) + weekday - 1
}

function readerOf(token: DateToken, next: DateToken | undefined, names: DateNames): Read {
  const { letter, count } = token
  const bounded = (most: number): number => (isNumericToken(next) ? count : Math.max(most, count))
  switch (letter) {
    case '':
      return literal(token.text)
    case 'y':
    case 'Y':
      return yearReader(token, next, (found, value) => (found.year = value))
    case 'x':
      return yearReader(token, next, (found, value) => (found.weekyear = value))
    case 'M':
      if (count >= 3) return named(names.months, (found, value) => (found.month = value))
      return digits(2, (found, value) => (found.month = value))
    case 'E':
      return named(names.days, (found, value) => (found.weekday = value))
    case 'a':
      return halfOfDay
    case 'Z':
      return count >= 3 ? zoneReader : offsetReader
    case 'd':
      return digits(2, (found, value) => (found.day = value))
    case 'D':
      return digits(bounded(3), (found, value) => (found.dayOfYear = value))
    case 'w':
      return digits(2, (found, value) => (found.week = value))
    case 'e':
      return digits(1, (found, value) => (found.weekday = value))
    default:
      return clockReader(token)
  }
}

function clockReader({ letter, count }: DateToken): Read {
  switch (letter) {
    case 'H':
      return digits(2, (found, value) => (found.hour = value))
    case 'k':
      return digits(2, (found, value) => (found.hour = value === 24 ? 0 : value))
    case 'h':
      return digits(2, (found, value) => (found.hour = value === 12 ? 0 : value || 99))
    case 'K':
      return digits(2, (found, value) => (found.hour = value < 12 ? value : 99))
    case 'm':
      return digits(2, (found, value) => (found.minute = value))
    case 's':
      return digits(2, (found, value) => (found.second = value))
    case 'S':
      return fraction(count)
    default:
      throw new DatePatternError(`Parsing not supported: ${letter.repeat(count)}`)
  }
}

function literal(expected: string): Read {
  const lower = expected.toLowerCase()
  return (text, at) => {
    const end = at + expected.length
    if (text.startsWith(expected, at)) return end
    return text.slice(at, end).toLowerCase() === lower ? end : -1
  }
}

function digits(most: number, set: (found: Found, value: number) => void): Read {
  return (text, at, found) => {
    let value = 0
    let end = at
    for (; end < at + most; end += 1) {
      const digit = text.charCodeAt(end) - 48
      if (!(digit >= 0 && digit <= 9)) break
      value = value * 10 + digit
    }
    if (end === at) return -1
    set(found, value)
    return end
  }
}

/** `yy` read as two digits lies within 50 years around thirty years ago, as in Joda. */
function yearReader(
  { count }: DateToken,
  next: DateToken | undefined,
  set: (found: Found, value: number) => void,
): Read {
  const most = isNumericToken(next) ? count : 9
  return (text, at, found, nowMs) => {
    const sign = text[at] === '-' ? -1 : 1
    const start = sign < 0 || text[at] === '+' ? at + 1 : at
    let value = 0
    const end = digits(most, (_, read) => (value = read))(text, start, found, nowMs)
    if (end < 0) return -1
    if (count === 2 && start === at && end - start === 2) value = nearYear(value, nowMs)
    set(found, value * sign)
    return end
  }
}

function nearYear(twoDigits: number, nowMs: number): number {
  const low = dateOfDays(Math.floor(nowMs / DAY_MS)).year - 30 - 50
  return low + ((((twoDigits - low) % 100) + 100) % 100)
}

function fraction(most: number): Read {
  return (text, at, found) => {
    let ms = 0
    let weight = 100
    let end = at
    for (; end < at + most; end += 1) {
      const digit = text.charCodeAt(end) - 48
      if (!(digit >= 0 && digit <= 9)) break
      ms += digit * weight
      weight /= 10
    }
    if (end === at) return -1
    found.ms = Math.floor(ms)
    return end
  }
}

function named(
  numbers: ReadonlyMap<string, number>,
  set: (found: Found, value: number) => void,
): Read {
  const lengths = [...new Set([...numbers.keys()].map((name) => name.length))].sort((a, b) => b - a)
  return (text, at, found) => {
    for (const length of lengths) {
      const value = numbers.get(text.slice(at, at + length).toLowerCase())
      if (value !== undefined && at + length <= text.length) {
        set(found, value)
        return at + length
      }
    }
    return -1
  }
}

function halfOfDay(text: string, at: number, found: Found): number {
  const half = text.slice(at, at + 2).toUpperCase()
  if (half !== 'AM' && half !== 'PM') return -1
  found.half = half === 'PM' ? 1 : 0
  return at + 2
}

/** `Z`, `+0100`, `+01:00`, `+01`; a pattern of Z or ZZ reads all of them, as Joda does. */
function offsetReader(text: string, at: number, found: Found): number {
  if (text[at] === 'Z' || text[at] === 'z') {
    found.offsetMs = 0
    return at + 1
  }
  const match = /^([+-])(\d\d)(?::?(\d\d)(?::?(\d\d))?)?/.exec(text.slice(at, at + 9))
  if (match === null) return -1
  const [whole, sign, hours, minutes = '0', seconds = '0'] = match
  const size = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)
  found.offsetMs = (sign === '-' ? -size : size) * 1000
  return at + whole.length
}

function zoneReader(text: string, at: number, found: Found): number {
  const match = /^[A-Za-z][A-Za-z0-9_+/-]*/.exec(text.slice(at, at + 64))
  if (match === null) return offsetReader(text, at, found)
  const zone = zoneOf(match[0])
  if (zone === undefined) return -1
  found.zone = zone
  return at + match[0].length
}
