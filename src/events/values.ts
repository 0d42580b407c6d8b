// Pure. What an event is made of: plain nested data, times, and numbers that a JavaScript number
// would not keep as they were written (3.0, 2^53 + 1).

export type Value = string | number | boolean | null | Timestamp | ExactNumber | Value[] | ValueMap

export interface ValueMap {
  [key: string]: Value
}

/** What references are resolved against. */
export interface EventFields {
  readonly data: ValueMap
  readonly metadata: ValueMap
}

/** A point in time with nanoseconds; prints as `2026-11-01T10:00:00.123Z`, with more digits if it has them. */
export class Timestamp {
  readonly epochMs: number
  /** Nanoseconds beyond the millisecond, 0 to 999,999. */
  readonly nanos: number
  #text: string | undefined

  constructor(epochMs: number, nanos = 0) {
    this.epochMs = epochMs
    this.nanos = nanos
  }

  toString(): string {
    this.#text ??= timestampText(this.epochMs, this.nanos)
    return this.#text
  }

  toJSON(): string {
    return this.toString()
  }
}

function timestampText(epochMs: number, nanos: number): string {
  const text = isoText(epochMs)
  if (nanos === 0) return text
  const digits = String(nanos).padStart(6, '0')
  return `${text.slice(0, -1)}${nanos % 1000 === 0 ? digits.slice(0, 3) : digits}Z`
}

let lastSecond = Number.NaN
let lastSecondText = ''

/** Events of one second share the text up to the dot. */
function isoText(epochMs: number): string {
  const second = Math.floor(epochMs / 1000)
  if (second !== lastSecond) {
    lastSecondText = new Date(second * 1000).toISOString().slice(0, -4)
    lastSecond = second
  }
  const ms = epochMs - second * 1000
  return `${lastSecondText}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`
}

const TIMESTAMP =
  /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d{1,9})\d*)?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/

/** Reads the ISO 8601 forms that `@timestamp` may have; undefined for anything else. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const match = TIMESTAMP.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] =
    match
  const whole = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  )
  const check = new Date(whole)
  const valid =
    // Date.UTC takes the years up to 99 for those of the twentieth century.
    Number(year) > 99 &&
    check.getUTCMonth() === Number(month) - 1 &&
    check.getUTCDate() === Number(day) &&
    Number(hour) < 24 &&
    Number(minute) < 60 &&
    Number(second) < 60
  if (!valid) return undefined
  const nanos = Number(fraction.padEnd(9, '0'))
  const ms = Math.floor(nanos / 1e6)
  return new Timestamp(whole + ms - zoneOffsetMs(zone), nanos - ms * 1e6)
}

function zoneOffsetMs(zone: string): number {
  if (zone === 'Z') return 0
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0')
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000
}

/**
 * A number whose kind or digits a JavaScript number would lose: a float with a whole value, or an
 * integer beyond 2^53. Mappings in search depend on the difference between 3 and 3.0.
 */
export class ExactNumber {
  readonly kind: 'float' | 'integer'
  /** JSON text. */
  readonly text: string
  readonly value: number

  constructor(kind: 'float' | 'integer', text: string, value: number) {
    this.kind = kind
    this.text = text
    this.value = value
  }

  toJSON(): unknown {
    return rawJson(this.text)
  }
}

const rawJson: (text: string) => unknown = findRawJson()

function findRawJson(): (text: string) => unknown {
  const found: unknown = Reflect.get(JSON, 'rawJSON')
  if (typeof found !== 'function') return Number
  return (text) => Reflect.apply(found, JSON, [text])
}

/** A float as event data: bare unless its value is whole. */
export function floatValue(value: number): number | ExactNumber | null {
  if (!Number.isFinite(value)) return null
  if (!Number.isInteger(value)) return value
  return new ExactNumber('float', wholeFloatText(value), value)
}

function wholeFloatText(value: number): string {
  if (Object.is(value, -0)) return '-0.0'
  const text = String(value)
  return text.includes('e') ? text : `${text}.0`
}

/** An integer as event data. */
export function integerValue(value: bigint): number | ExactNumber {
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  return new ExactNumber('integer', String(value), number)
}

export function isMap(value: Value | undefined): value is ValueMap {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Timestamp) &&
    !(value instanceof ExactNumber)
  )
}

/** A deep copy: filters that copy a field must not share its arrays. */
export function copyValue(value: Value): Value {
  if (Array.isArray(value)) return value.map(copyValue)
  if (!isMap(value)) return value
  const copy: ValueMap = {}
  for (const key of Object.keys(value)) assignKey(copy, key, copyValue(value[key] ?? null))
  return copy
}

/** Sets a key that comes from data: `__proto__` is a name like any other. */
export function assignKey(map: ValueMap, key: string, value: Value): void {
  if (key === '__proto__') {
    Object.defineProperty(map, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    })
  } else map[key] = value
}
