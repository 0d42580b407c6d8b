// Pure. The conversions of the filter mutate.

import { rubyNumberText } from '../../events/numbers.ts'
import { valueText } from '../../events/sprintf.ts'
import { ExactNumber, type Value, floatValue, integerValue } from '../../events/values.ts'

/** Throws an Error for a value that cannot be converted. */
type Converter = (value: Value) => Value

export const converters = {
  string: toText,
  integer: toInteger,
  float: toFloat,
  boolean: toBoolean,
  integer_eu: (value: Value) => toInteger(swapSeparators(value)),
  float_eu: (value: Value) => toFloat(swapSeparators(value)),
} as const satisfies Readonly<Record<string, Converter>>

export function isConversion(type: string): type is keyof typeof converters {
  return Object.hasOwn(converters, type)
}

function toText(value: Value): string {
  if (typeof value === 'number' || value instanceof ExactNumber) return rubyNumberText(value)
  return valueText(value)
}

/** Commas separate groups of digits and are left out. */
function toInteger(value: Value): Value {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number') return Math.trunc(value)
  if (value instanceof ExactNumber) {
    return value.kind === 'integer' ? value : integerValue(BigInt(value.value))
  }
  if (typeof value !== 'string') throw notConvertible(value, 'Integer')
  const text = value.trim().replaceAll(',', '')
  const hex = /^([+-]?)0x([0-9a-f]+)$/i.exec(text)
  if (hex !== null) {
    const size = BigInt(`0x${hex[2]}`)
    return integerValue(hex[1] === '-' ? -size : size)
  }
  if (/^[+-]?\d+(?:\.\d*)?[eE][+-]?\d{1,3}$/.test(text))
    return integerValue(BigInt(Math.trunc(Number(text))))
  const decimal = /^([+-]?\d+)(?:\.\d+)?$/.exec(text)
  if (decimal === null) throw notConvertible(value, 'Integer')
  return integerValue(BigInt((decimal[1] ?? '0').replace('+', '')))
}

function toFloat(value: Value): Value {
  if (typeof value === 'boolean') return floatValue(value ? 1 : 0)
  if (typeof value === 'number') return floatValue(value)
  if (value instanceof ExactNumber) return floatValue(value.value)
  if (typeof value !== 'string') throw notConvertible(value, 'Float')
  const text = value.trim().replaceAll(',', '')
  const hex = /^([+-]?)0x([0-9a-f]+)$/i.exec(text)
  if (hex !== null) {
    const size = Number.parseInt(hex[2] ?? '', 16)
    return floatValue(hex[1] === '-' ? -size : size)
  }
  if (!/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) {
    throw notConvertible(value, 'Float')
  }
  return floatValue(Number(text))
}

/** What is neither yes nor no stays as it is; nothing is no. */
function toBoolean(value: Value): Value {
  const text = toText(value)
  if (/^(?:true|t|yes|y|1|1\.0)$/i.test(text)) return true
  if (text === '' || /^(?:false|f|no|n|0|0\.0)$/i.test(text)) return false
  return value
}

/** `1.234,56` to `1,234.56`. */
function swapSeparators(value: Value): Value {
  if (typeof value !== 'string') return value
  return value.replaceAll(/[.,]/g, (separator) => (separator === '.' ? ',' : '.'))
}

function notConvertible(value: Value, type: string): Error {
  return new Error(`invalid value for ${type}(): ${JSON.stringify(value)}`)
}
