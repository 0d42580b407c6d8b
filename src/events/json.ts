// Pure. JSON text to event data and back, keeping numbers that a JavaScript number would change.

import { ExactNumber, type Value } from './values.ts'

/**
 * Outside of strings such a number token decides for the slow path; inside a string it costs time only.
 * Whole floats (3.0, 1e3) and integers of 16 digits and more.
 */
const UNUSUAL_NUMBER = /[:[,\s]-?(?:\d+\.0+(?!\d)|\d+(?:\.\d+)?[eE]|\d{16})/

/** @throws SyntaxError */
export function parseJson(text: string): Value {
  if (!UNUSUAL_NUMBER.test(text) && !/^-?\d/.test(text)) return JSON.parse(text)
  return JSON.parse(text, keepNumber)
}

function keepNumber(_key: string, value: Value, context?: { source?: string }): Value {
  if (typeof value !== 'number' || context?.source === undefined) return value
  const source = context.source
  if (/[.eE]/.test(source)) {
    if (!Number.isFinite(value)) return null
    return Number.isInteger(value) ? new ExactNumber('float', source, value) : value
  }
  return Number.isSafeInteger(value) ? value : new ExactNumber('integer', source, value)
}

export function stringifyJson(value: Value): string {
  return JSON.stringify(value)
}
