// Pure. JSON text to event data and back, keeping numbers that a JavaScript number would change.

import { ExactNumber, type Value } from './values.ts'

/**
 * Outside of strings such a number token decides for the slow path; inside a string it costs time only.
 * Whole floats (3.0, 1e3) and integers of 16 digits and more.
 */
const UNUSUAL_NUMBER = /[:[,\s]-?(?:\d+\.0+(?!\d)|\d+(?:\.\d+)?[eE]|\d{16})/

/**
 * Deeper nesting is no JSON to us, as to Jackson, the original's parser: whoever walks such a value
 * recurses, and one hostile line must not exhaust the stack of the whole pipeline.
 */
const DEPTH_MAX = 1000

/** @throws SyntaxError */
export function parseJson(text: string): Value {
  // What is shorter cannot be that deep.
  if (text.length > DEPTH_MAX && isDeeper(text, DEPTH_MAX)) {
    throw new SyntaxError(`JSON is nested deeper than ${DEPTH_MAX}`)
  }
  if (!UNUSUAL_NUMBER.test(text) && !/^-?\d/.test(text)) return JSON.parse(text)
  return JSON.parse(text, keepNumber)
}

function isDeeper(text: string, limit: number): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    if (unit === 0x22) at = endOfText(text, at)
    else if (unit === 0x7b || unit === 0x5b) {
      depth += 1
      if (depth > limit) return true
    } else if (unit === 0x7d || unit === 0x5d) depth -= 1
  }
  return false
}

/** The position of the quote that closes the text at `start`. */
function endOfText(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let first = end
    while (text.charCodeAt(first - 1) === 0x5c) first -= 1
    if ((end - first) % 2 === 0) return end
  }
  return text.length
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
