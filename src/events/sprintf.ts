// Templates with parts of the event: `%{field}`, `%{+YYYY.MM.dd}`, `%{+%s}`, `%{{yyyy-MM-dd}}`.

import { type DateFormatter, compileDateFormat } from '../text/dates/format.ts'
import type { PipelineEvent } from './event.ts'
import { javaNumberText } from './numbers.ts'
import { type Reference, getField, reference } from './references.ts'
import { ExactNumber, Timestamp, type Value } from './values.ts'

export interface Template {
  readonly text: string
  /** Whether the result depends on the event. */
  readonly dynamic: boolean
  /** A missing field stays as it is written in the template. */
  render(event: PipelineEvent): string
}

type Part = (event: PipelineEvent) => string

/**
 * `now` gives the time for `%{{TIME_NOW}}` in epoch milliseconds.
 * @throws DatePatternError, FieldReferenceError
 */
export function compileTemplate(text: string, now: () => number): Template {
  const parts = partsOf(text, now)
  const [first, second] = parts
  if (parts.every((part) => typeof part === 'string')) {
    return { text, dynamic: false, render: () => text }
  }
  if (typeof first === 'function' && second === undefined) {
    return { text, dynamic: true, render: first }
  }
  return {
    text,
    dynamic: true,
    render(event) {
      let result = ''
      for (const part of parts) result += typeof part === 'string' ? part : part(event)
      return result
    },
  }
}

function partsOf(text: string, now: () => number): (string | Part)[] {
  const parts: (string | Part)[] = []
  let done = 0
  let open = text.indexOf('%{')
  let close = text.indexOf('}', open)
  while (open >= 0 && close >= 0) {
    if (open > done) parts.push(text.slice(done, open))
    if (text[open + 2] === '{' && text[close + 1] === '}') {
      parts.push(javaTimePart(text.slice(open + 3, close), now))
      close += 1
    } else parts.push(partOf(text.slice(open + 2, close)))
    done = close + 1
    open = text.indexOf('%{', done)
    close = text.indexOf('}', open)
  }
  if (done < text.length) parts.push(text.slice(done))
  return parts
}

function partOf(inner: string): Part {
  if (inner === '+%s') {
    return ({ timestamp }) =>
      timestamp === undefined ? '' : String(Math.floor(timestamp.epochMs / 1000))
  }
  if (inner.startsWith('+')) return timestampPart(compileDateFormat(inner.slice(1)))
  const field: Reference = reference(inner)
  const missing = `%{${inner}}`
  return (event) => {
    const value = getField(event, field)
    return value === undefined || value === null ? missing : valueText(value)
  }
}

function timestampPart(format: DateFormatter): Part {
  return ({ timestamp }) => (timestamp === undefined ? '' : format(timestamp.epochMs))
}

function javaTimePart(pattern: string, now: () => number): Part {
  if (pattern === 'TIME_NOW') return () => new Timestamp(now()).toString()
  return timestampPart(compileDateFormat(jodaPattern(pattern)))
}

/** java.time's letters where they differ: u is the year, Y the week's year, X an offset. */
function jodaPattern(javaPattern: string): string {
  return javaPattern.replaceAll(/'[^']*'|[uYXx]+/g, (run) => {
    if (run.startsWith("'")) return run
    if (run.startsWith('u')) return run.replaceAll('u', 'y')
    if (run.startsWith('Y')) return run.replaceAll('Y', 'x')
    return run.length >= 3 ? 'ZZ' : 'Z'
  })
}

/** A value within text: lists are joined with commas, objects become JSON. */
export function valueText(value: Value): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return javaNumberText(value)
  if (value === null) return ''
  if (typeof value === 'boolean') return String(value)
  if (value instanceof Timestamp) return value.toString()
  if (value instanceof ExactNumber) return javaNumberText(value)
  if (Array.isArray(value)) return value.map(valueText).join(',')
  return JSON.stringify(value)
}
