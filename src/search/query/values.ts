// Pure. Conditions on single fields from values as queries give them.
import { parseDateMath } from '../dates/math.ts'
import { findDateFormat, type DateFormat } from '../dates/format.ts'
import { findZone, utc, type Zone } from '../dates/zone.ts'
import { illegalArgument, SearchError, ShardError } from '../errors.ts'
import { type Json, textOf } from '../json/value.ts'
import { parseAddress, parseBlock } from '../mapping/address.ts'
import { type Field, isNumeric, isWhole } from '../mapping/field.ts'
import type { Scalar } from '../mapping/values.ts'
import { type Condition, matchNone, type RangeCondition } from '../storage/plan.ts'
import { numberFormat } from './context.ts'

/** A value that cannot be one of the field's. The caller words it. */
export class UnfitValueError extends Error {
  override readonly name = 'UnfitValueError'
  readonly value: string
  readonly type: string
  constructor(value: string, type = 'number_format_exception', reason?: string) {
    super(reason ?? numberFormat(value).reason)
    this.value = value
    this.type = type
  }
}

/** The field has exactly this value (a text: this very token). @throws UnfitValueError */
export function termCondition(field: Field, value: Json, now: number, boost: number): Condition {
  const text = textOf(value)
  switch (field.type) {
    case 'unindexed':
      return matchNone
    case 'text':
      return { kind: 'token', field, tokens: [text], boost }
    case 'keyword':
      return { kind: 'equals', field, values: [text], boost, scoring: 'keyword' }
    case 'ip': {
      const block = parseBlock(text)
      if (block !== undefined) {
        const lower = { value: block.first, inclusive: true }
        const upper = { value: block.last, inclusive: true }
        return { kind: 'range', field, lower, upper, boost }
      }
      return equals(field, addressOf(text), boost)
    }
    case 'boolean':
      return equals(field, booleanOf(value), boost)
    case 'date':
      return rangeCondition(field, { gte: value, lte: value }, { now, boost })
    case 'byte':
    case 'double':
    case 'float':
    case 'half_float':
    case 'integer':
    case 'long':
    case 'scaled_float':
    case 'short':
    default: {
      const number = numberOf(value)
      if (isWhole(field.type) && !Number.isInteger(number)) return matchNone
      return equals(field, field.columnKind === 'float' ? Math.fround(number) : number, boost)
    }
  }
}

function equals(field: Field, value: Scalar, boost: number): Condition {
  return { kind: 'equals', field, values: [value], boost, scoring: 'constant' }
}

function addressOf(text: string): string {
  const address = parseAddress(text)
  if (address !== undefined) return address
  throw new UnfitValueError(
    text,
    'illegal_argument_exception',
    `'${text}' is not an IP string literal.`,
  )
}

function booleanOf(value: Json): boolean {
  if (value === true || value === 'true') return true
  if (value === false || value === 'false' || value === '') return false
  throw new UnfitValueError(
    textOf(value),
    'illegal_argument_exception',
    `Can't parse boolean value [${textOf(value)}], expected [true] or [false]`,
  )
}

function numberOf(value: Json): number {
  const number = typeof value === 'number' ? value : Number(textOf(value).trim() || Number.NaN)
  if (!Number.isNaN(number)) return number
  throw new UnfitValueError(textOf(value))
}

export interface RangeBounds {
  readonly gte?: Json
  readonly gt?: Json
  readonly lte?: Json
  readonly lt?: Json
}

export interface RangeOptions {
  readonly now: number
  readonly boost: number
  readonly format?: string | undefined
  readonly timeZone?: string | undefined
}

/** @throws UnfitValueError, SearchError for dates that cannot be read */
export function rangeCondition(
  field: Field,
  bounds: RangeBounds,
  options: RangeOptions,
): Condition {
  const { boost } = options
  const lowerValue = bounds.gte ?? bounds.gt ?? null
  const upperValue = bounds.lte ?? bounds.lt ?? null
  const lowerInclusive = bounds.gt === undefined || bounds.gt === null
  const upperInclusive = bounds.lt === undefined || bounds.lt === null
  const make = (
    lower: Scalar | undefined,
    upper: Scalar | undefined,
    always = false,
  ): RangeCondition => ({
    kind: 'range',
    field,
    lower: lower === undefined ? undefined : { value: lower, inclusive: always || lowerInclusive },
    upper: upper === undefined ? undefined : { value: upper, inclusive: always || upperInclusive },
    boost,
  })
  const each = (read: (value: Json) => Scalar): RangeCondition =>
    make(
      lowerValue === null ? undefined : read(lowerValue),
      upperValue === null ? undefined : read(upperValue),
    )
  switch (field.type) {
    case 'unindexed':
      return matchNone
    case 'text':
    case 'keyword':
      return each(String)
    case 'boolean':
      return each(booleanOf)
    case 'ip':
      return each((value) => addressOf(textOf(value)))
    case 'date': {
      const { lower, upper } = dateBounds(field, bounds, options)
      return make(lower, upper, true)
    }
    case 'byte':
    case 'double':
    case 'float':
    case 'half_float':
    case 'integer':
    case 'long':
    case 'scaled_float':
    case 'short':
    default:
      return isWhole(field.type)
        ? wholeRange(make, lowerValue, upperValue, { lowerInclusive, upperInclusive })
        : each(numberOf)
  }
}

/** Bounds between whole numbers are moved to the whole number inside. */
function wholeRange(
  make: (lower: Scalar | undefined, upper: Scalar | undefined, always: boolean) => RangeCondition,
  lowerValue: Json,
  upperValue: Json,
  inclusive: { readonly lowerInclusive: boolean; readonly upperInclusive: boolean },
): Condition {
  let lower: number | undefined
  let upper: number | undefined
  if (lowerValue !== null) {
    const number = numberOf(lowerValue)
    lower = Math.ceil(number)
    if (!inclusive.lowerInclusive && lower === number) lower++
  }
  if (upperValue !== null) {
    const number = numberOf(upperValue)
    upper = Math.floor(number)
    if (!inclusive.upperInclusive && upper === number) upper--
  }
  const limit = 2 ** 63
  if (lower !== undefined && lower >= limit) return matchNone
  if (upper !== undefined && upper < -limit) return matchNone
  if (lower !== undefined && lower < -limit) lower = undefined
  if (upper !== undefined && upper >= limit) upper = undefined
  return make(lower, upper, true)
}

function dateBounds(
  field: Field,
  bounds: RangeBounds,
  options: RangeOptions,
): { lower: number | undefined; upper: number | undefined } {
  const format = options.format === undefined ? field.dateFormat : formatOf(options.format)
  const zone = options.timeZone === undefined ? utc : zoneOf(options.timeZone)
  const read = (value: Json, roundUp: boolean): number =>
    parseDateMath(textOf(value), { now: options.now, format, zone, roundUp })
  const present = (value: Json | undefined): value is Exclude<Json, null> =>
    value !== undefined && value !== null
  let lower: number | undefined
  let upper: number | undefined
  if (present(bounds.gt)) lower = shardDate(() => read(bounds.gt ?? null, true)) + 1
  else if (present(bounds.gte)) lower = shardDate(() => read(bounds.gte ?? null, false))
  if (present(bounds.lt)) upper = shardDate(() => read(bounds.lt ?? null, false)) - 1
  else if (present(bounds.lte)) upper = shardDate(() => read(bounds.lte ?? null, true))
  return { lower, upper }
}

/** A date that cannot be read is each shard's own failure. */
function shardDate(read: () => number): number {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof SearchError)) throw error
    const { status, type, reason, causedBy } = error
    throw new ShardError(status, type, reason, causedBy === undefined ? {} : { causedBy })
  }
}

export function formatOf(pattern: string): DateFormat {
  const format = findDateFormat(pattern)
  if (format !== undefined) return format
  throw illegalArgument(`Invalid format: [${pattern}]: Illegal pattern component`)
}

export function zoneOf(id: string): Zone {
  const zone = findZone(id)
  if (zone !== undefined) return zone
  throw illegalArgument(`The datetime zone id '${id}' is not recognised`)
}

/** Whether a query text can be looked for in the field at all, when many fields are asked. */
export function takesText(field: Field, text: string, now: number): boolean {
  if (field.type === 'text' || field.type === 'keyword') return true
  if (isNumeric(field.type) && Number.isNaN(Number(text.trim() || 'x'))) return false
  try {
    termCondition(field, text, now, 1)
    return true
  } catch {
    return false // It only asks whether: the text is no value of this field.
  }
}
