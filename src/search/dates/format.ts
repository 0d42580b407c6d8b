// Pure. Date formats: `strict_date_optional_time||epoch_millis`, `yyyy/MM/dd HH:mm:ss` and their like.
import { toUtc, utc, type Zone } from './zone.ts'

/** One or several formats, tried in order when reading; the first one writes. */
export interface DateFormat {
  readonly pattern: string
  /**
   * Epoch milliseconds, or undefined for what is no date of this format. `roundUp` fills the parts that
   * are missing with their greatest value: 2026-11-01 becomes the last millisecond of that day.
   */
  parse(text: string, options?: ParseOptions): number | undefined
  format(epochMs: number, zone?: Zone): string
}

export interface ParseOptions {
  readonly zone?: Zone
  readonly roundUp?: boolean
}

type Alternative = Omit<DateFormat, 'pattern'>

const formats = new Map<string, DateFormat | undefined>()

export const defaultDatePattern = 'strict_date_optional_time||epoch_millis'

/** Undefined for a pattern that holds letters we give no meaning to. */
export function findDateFormat(pattern: string): DateFormat | undefined {
  if (formats.has(pattern)) return formats.get(pattern)
  const alternatives = pattern.split('||').map(findAlternative)
  const whole = alternatives.every((one) => one !== undefined)
    ? combine(pattern, alternatives)
    : undefined
  if (formats.size < 1000) formats.set(pattern, whole)
  return whole
}

function combine(pattern: string, alternatives: readonly Alternative[]): DateFormat {
  return {
    pattern,
    parse(text, options) {
      for (const one of alternatives) {
        const value = one.parse(text, options)
        if (value !== undefined) return value
      }
      return undefined
    },
    format: (epochMs, zone = utc) => alternatives[0]?.format(epochMs, zone) ?? String(epochMs),
  }
}

function findAlternative(name: string): Alternative | undefined {
  switch (name) {
    case 'epoch_millis':
      return { parse: (text) => wholeNumber(text), format: (epochMs) => String(epochMs) }
    case 'epoch_second':
      return {
        parse: (text) => scaled(wholeNumber(text), 1000),
        format: (epochMs) => String(Math.floor(epochMs / 1000)),
      }
    case 'strict_date_optional_time':
    case 'date_optional_time':
    case 'dateOptionalTime':
    case 'strict_date_optional_time_nanos':
    case 'date_time':
    case 'dateTime':
    case 'strict_date_time':
      return { parse: parseIso, format: formatIso }
    default:
      return patternFormat(named[name] ?? name)
  }
}

const named: Readonly<Record<string, string>> = {
  basic_date: 'yyyyMMdd',
  basic_date_time: "yyyyMMdd'T'HHmmss.SSSZ",
  basic_date_time_no_millis: "yyyyMMdd'T'HHmmssZ",
  date: 'yyyy-MM-dd',
  strict_date: 'yyyy-MM-dd',
  date_hour_minute_second: "yyyy-MM-dd'T'HH:mm:ss",
  strict_date_hour_minute_second: "yyyy-MM-dd'T'HH:mm:ss",
  date_time_no_millis: "yyyy-MM-dd'T'HH:mm:ssZZ",
  strict_date_time_no_millis: "yyyy-MM-dd'T'HH:mm:ssZZ",
  year: 'yyyy',
  strict_year: 'yyyy',
  year_month: 'yyyy-MM',
  strict_year_month: 'yyyy-MM',
  hour_minute_second: 'HH:mm:ss',
  date_hour_minute_second_millis: "yyyy-MM-dd'T'HH:mm:ss.SSS",
}

function wholeNumber(text: string): number | undefined {
  return /^-?\d{1,16}(?:\.\d+)?$/.test(text) ? Math.trunc(Number(text)) : undefined
}

function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor
}

const iso =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:T(?:(\d{2})(?::(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?)?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/

/** ISO 8601 with everything after the year optional. */
function parseIso(text: string, options: ParseOptions = {}): number | undefined {
  const match = iso.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second, fraction, offset] = match
  return assemble({ year, month, day, hour, minute, second, fraction, offset }, options)
}

interface Parts {
  year?: string | undefined
  month?: string | undefined
  day?: string | undefined
  hour?: string | undefined
  minute?: string | undefined
  second?: string | undefined
  fraction?: string | undefined
  offset?: string | undefined
}

function assemble(parts: Parts, options: ParseOptions): number | undefined {
  const up = options.roundUp === true
  const year = Number(parts.year ?? 1970)
  const month = Number(parts.month ?? (up ? 12 : 1))
  const days = month >= 1 && month <= 12 ? new Date(Date.UTC(year, month, 0)).getUTCDate() : 0
  const day = Number(parts.day ?? (up ? days : 1))
  const hour = Number(parts.hour ?? (up ? 23 : 0))
  const minute = Number(parts.minute ?? (up ? 59 : 0))
  const second = Number(parts.second ?? (up ? 59 : 0))
  const milliseconds =
    parts.fraction === undefined ? (up ? 999 : 0) : Number(`${parts.fraction}00`.slice(0, 3))
  if (day < 1 || day > days || hour > 23 || minute > 59 || second > 59) return undefined
  const local = Date.UTC(year, month - 1, day, hour, minute, second, milliseconds)
  if (Number.isNaN(local)) return undefined
  if (parts.offset === undefined) return toUtc(options.zone ?? utc, local)
  return local - offsetMs(parts.offset)
}

function offsetMs(offset: string): number {
  if (offset === 'Z') return 0
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3).replace(':', '') || 0)
  return (offset.startsWith('-') ? -minutes : minutes) * 60_000
}

export function formatIso(epochMs: number, zone: Zone = utc): string {
  const offset = zone.offsetAt(epochMs)
  const local = new Date(epochMs + offset)
  if (Number.isNaN(local.getTime())) return String(epochMs)
  return local.toISOString().slice(0, -1) + offsetText(offset, true, zone === utc)
}

function offsetText(offset: number, colon: boolean, zulu: boolean): string {
  if (offset === 0 && zulu) return 'Z'
  const minutes = Math.abs(Math.round(offset / 60_000))
  const hours = pad(Math.floor(minutes / 60), 2)
  return `${offset < 0 ? '-' : '+'}${hours}${colon ? ':' : ''}${pad(minutes % 60, 2)}`
}

const monthNames = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
const dayNames = 'Sun Mon Tue Wed Thu Fri Sat'.split(' ')

interface PatternPart {
  readonly regex: string
  readonly name: keyof Parts | undefined
  readonly write: (local: Date, offset: number) => string
}

/** A pattern in the letters of Joda and java.time: yyyy MM dd HH mm ss SSS Z, quotes for literals. */
function patternFormat(pattern: string): Alternative | undefined {
  const parts: PatternPart[] = []
  for (const match of pattern.matchAll(/'((?:[^']|'')*)'|([a-zA-Z])\2*|[^a-zA-Z']+/g)) {
    const letter = match[2]
    const text = match[0]
    const part = letter === undefined ? literal(match[1] ?? text) : patternPart(letter, text.length)
    if (part === undefined) return undefined
    parts.push(part)
  }
  const names = parts.map((part) => part.name).filter((name) => name !== undefined)
  const syntax = new RegExp(`^${parts.map((part) => part.regex).join('')}$`)
  return {
    parse(text, options = {}) {
      const match = syntax.exec(text)
      if (match === null) return undefined
      const found: Parts = {}
      names.forEach((name, at) => {
        found[name] = name === 'month' ? monthNumber(match[at + 1]) : match[at + 1]
      })
      return assemble(found, options)
    },
    format(epochMs, zone = utc) {
      const offset = zone.offsetAt(epochMs)
      const local = new Date(epochMs + offset)
      return parts.map((part) => part.write(local, offset)).join('')
    },
  }
}

function monthNumber(text: string | undefined): string | undefined {
  const at = monthNames.indexOf(text ?? '')
  return at < 0 ? text : String(at + 1)
}

function literal(text: string): PatternPart {
  const plain = text.replaceAll("''", "'")
  const regex = plain.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
  return { regex, name: undefined, write: () => plain }
}

function digits(name: keyof Parts, width: number, read: (local: Date) => number): PatternPart {
  const regex = width === 1 ? '(\\d{1,9})' : `(\\d{${width}})`
  return { regex, name, write: (local) => pad(read(local), width) }
}

function patternPart(letter: string, width: number): PatternPart | undefined {
  switch (letter) {
    case 'y':
    case 'Y':
    case 'x':
    case 'u':
      return digits('year', Math.max(width, 4), (local) => local.getUTCFullYear())
    case 'M':
      if (width >= 3) {
        const write = (local: Date): string => monthNames[local.getUTCMonth()] ?? ''
        return { regex: '([A-Z][a-z]{2})', name: 'month', write }
      }
      return digits('month', width, (local) => local.getUTCMonth() + 1)
    case 'd':
      return digits('day', width, (local) => local.getUTCDate())
    case 'H':
      return digits('hour', width, (local) => local.getUTCHours())
    case 'm':
      return digits('minute', width, (local) => local.getUTCMinutes())
    case 's':
      return digits('second', width, (local) => local.getUTCSeconds())
    case 'S':
      return {
        regex: `(\\d{${width}})`,
        name: 'fraction',
        write: (local) => pad(local.getUTCMilliseconds(), 3).padEnd(width, '0').slice(0, width),
      }
    case 'E':
      return {
        regex: '[A-Z][a-z]+',
        name: undefined,
        write: (local) => dayNames[local.getUTCDay()] ?? '',
      }
    case 'Z':
    case 'X':
      return {
        regex: '(Z|[+-]\\d{2}:?\\d{2})',
        name: 'offset',
        write: (_, offset) => offsetText(offset, width > 1, letter === 'X'),
      }
    default:
      return undefined
  }
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0')
}
