// Pure. From a JSON value to what a field's column holds, in the original's way and with its words.
import { type Json, textOf } from '../json/value.ts'
import type { Field, FieldType } from './field.ts'
import { isWhole } from './field.ts'
import { parseAddress } from './address.ts'

/** What a column can hold. Whole numbers beyond 2^53 stay bigint. */
export type Scalar = string | number | bigint | boolean

/** A value that does not fit its field. */
export class ValueError extends Error {
  override readonly name = 'ValueError'
  readonly type: string
  constructor(type: string, reason: string) {
    super(reason)
    this.type = type
  }
}

const bounds: Readonly<Partial<Record<FieldType, number>>> = {
  integer: 2 ** 31,
  short: 2 ** 15,
  byte: 2 ** 7,
  long: 2 ** 63,
}

/** Undefined where the value counts as missing. @throws ValueError */
export function toScalar(field: Field, value: string | number | boolean): Scalar | undefined {
  switch (field.type) {
    case 'text':
    case 'keyword':
      return typeof value === 'string' ? value : String(value)
    case 'boolean':
      return toBoolean(value)
    case 'date':
      return toDate(field, value)
    case 'ip': {
      const address = parseAddress(String(value))
      if (address !== undefined) return address
      throw new ValueError('illegal_argument_exception', `'${value}' is not an IP string literal.`)
    }
    case 'unindexed':
      return undefined
    case 'byte':
    case 'double':
    case 'float':
    case 'half_float':
    case 'integer':
    case 'long':
    case 'scaled_float':
    case 'short':
    default:
      return toNumber(field, value)
  }
}

function toBoolean(value: string | number | boolean): boolean | undefined {
  if (typeof value === 'boolean') return value
  if (value === 'true') return true
  if (value === 'false') return false
  if (value === '') return undefined
  throw new ValueError(
    'illegal_argument_exception',
    `Failed to parse value [${value}] as only [true] or [false] are allowed.`,
  )
}

function toDate(field: Field, value: string | number | boolean): number | undefined {
  const text = String(value)
  if (text === '') return undefined
  const parsed = field.dateFormat.parse(text)
  if (parsed !== undefined) return parsed
  throw new ValueError('illegal_argument_exception', `Invalid format: "${text}"`)
}

function toNumber(field: Field, value: string | number | boolean): number | bigint | undefined {
  if (value === '') return undefined
  const parsed = typeof value === 'number' ? value : parseNumber(value, field)
  if (isWhole(field.type)) return toWhole(field, parsed, value)
  if (!Number.isFinite(parsed)) {
    const shown = `[${field.declaredType}] supports only finite values, but got [${value}]`
    throw new ValueError('illegal_argument_exception', shown)
  }
  if (field.type === 'scaled_float') {
    return Math.round(parsed * field.scalingFactor) / field.scalingFactor
  }
  if (field.columnKind === 'float' && Math.abs(parsed) > 3.4028235e38) {
    const shown = `[${field.declaredType}] supports only finite values, but got [Infinity]`
    throw new ValueError('illegal_argument_exception', shown)
  }
  return parsed
}

function toWhole(field: Field, parsed: number, value: Json): number | bigint {
  const whole = Math.trunc(parsed)
  const bound = bounds[field.type] ?? 2 ** 63
  if (whole >= bound || whole < -bound) {
    const type = field.type
    throw new ValueError(
      'illegal_argument_exception',
      type === 'long'
        ? `Value [${textOf(value)}] is out of range for a long`
        : `Value [${textOf(value)}] is out of range for ${type === 'integer' ? 'an' : 'a'} ${type}`,
    )
  }
  return whole
}

function parseNumber(value: string | boolean, field: Field): number {
  const text = String(value)
  const usable = typeof value === 'string' && field.coerce && text.trim() !== ''
  const parsed = usable ? Number(text) : Number.NaN
  if (!Number.isNaN(parsed) && !/^\s*[+-]?0[xob]/i.test(text)) return parsed
  throw new ValueError('number_format_exception', `For input string: "${text}"`)
}
