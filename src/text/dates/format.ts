// Formatting of instants by Joda patterns (`YYYY.MM.dd`), compiled once per pattern.

import { DAY_MS, dateOfDays, dayOfWeek, daysOfDate, weekOfDays } from './calendar.ts'
import { type DateNames, dateNames } from './names.ts'
import { type DateToken, datePatternTokens } from './pattern.ts'
import { type Zone, utc } from './zones.ts'

export type DateFormatter = (epochMs: number) => string

interface Moment {
  readonly days: number
  readonly msOfDay: number
  readonly offsetMs: number
  readonly zone: Zone
  readonly year: number
  readonly month: number
  readonly day: number
}

type Part = (moment: Moment) => string

/** English names, as in the original's index names. @throws DatePatternError */
export function compileDateFormat(pattern: string, zone: Zone = utc): DateFormatter {
  const names = dateNames('en-US')
  const parts = datePatternTokens(pattern).map((token) => partOf(token, names))
  const finest = /[sSmHhkKa]/.test(pattern.replace(/'[^']*'/g, '')) ? 1 : 0
  let lastDay = Number.NaN
  let lastText = ''
  return (epochMs) => {
    const offsetMs = zone.offsetAtUtc(epochMs)
    const local = epochMs + offsetMs
    const days = Math.floor(local / DAY_MS)
    // Patterns of whole days, such as index names, give one text a day in UTC.
    if (finest === 0 && zone === utc && days === lastDay) return lastText
    const moment = { days, msOfDay: local - days * DAY_MS, offsetMs, zone, ...dateOfDays(days) }
    let text = ''
    for (const part of parts) text += part(moment)
    lastDay = days
    lastText = text
    return text
  }
}

function padded(value: number, count: number): string {
  return value < 0 ? `-${padded(-value, count)}` : String(value).padStart(count, '0')
}

function twoDigits(year: number): string {
  return padded(((year % 100) + 100) % 100, 2)
}

const number =
  (read: (moment: Moment) => number, count: number): Part =>
  (moment) =>
    padded(read(moment), count)

const hourOf = (moment: Moment): number => Math.floor(moment.msOfDay / 3_600_000)

function partOf(token: DateToken, names: DateNames): Part {
  const { letter, count } = token
  switch (letter) {
    case '':
      return () => token.text
    case 'y':
    case 'Y':
      return count === 2 ? (moment) => twoDigits(moment.year) : number((m) => m.year, count)
    case 'x':
      return count === 2
        ? (moment) => twoDigits(weekOfDays(moment.days).weekyear)
        : number((m) => weekOfDays(m.days).weekyear, count)
    case 'M':
      if (count >= 4) return (moment) => names.monthsLong[moment.month - 1] ?? ''
      if (count === 3) return (moment) => names.monthsShort[moment.month - 1] ?? ''
      return number((m) => m.month, count)
    case 'E':
      return (moment) =>
        (count >= 4 ? names.daysLong : names.daysShort)[dayOfWeek(moment.days) - 1] ?? ''
    default:
      return clockPart(token)
  }
}

function clockPart({ letter, count }: DateToken): Part {
  switch (letter) {
    case 'd':
      return number((m) => m.day, count)
    case 'D':
      return number((m) => m.days - daysOfDate(m.year, 1, 1) + 1, count)
    case 'w':
      return number((m) => weekOfDays(m.days).week, count)
    case 'e':
      return number((m) => dayOfWeek(m.days), count)
    case 'C':
      return number((m) => Math.floor(Math.abs(m.year) / 100), count)
    case 'H':
      return number(hourOf, count)
    case 'k':
      return number((m) => hourOf(m) || 24, count)
    case 'h':
      return number((m) => hourOf(m) % 12 || 12, count)
    case 'K':
      return number((m) => hourOf(m) % 12, count)
    case 'm':
      return number((m) => Math.floor(m.msOfDay / 60_000) % 60, count)
    case 's':
      return number((m) => Math.floor(m.msOfDay / 1000) % 60, count)
    case 'S':
      return (moment) =>
        padded(moment.msOfDay % 1000, 3)
          .padEnd(count, '0')
          .slice(0, count)
    case 'a':
      return (moment) => (hourOf(moment) < 12 ? 'AM' : 'PM')
    case 'G':
      return (moment) => (moment.year > 0 ? 'AD' : 'BC')
    case 'Z':
      if (count >= 3) return (moment) => moment.zone.name
      return (moment) => offsetText(moment.offsetMs, count === 2 ? ':' : '')
    default:
      return (moment) => (moment.offsetMs === 0 ? 'UTC' : offsetText(moment.offsetMs, ':'))
  }
}

function offsetText(offsetMs: number, separator: string): string {
  const minutes = Math.abs(Math.round(offsetMs / 60_000))
  const sign = offsetMs < 0 ? '-' : '+'
  return sign + padded(Math.floor(minutes / 60), 2) + separator + padded(minutes % 60, 2)
}
