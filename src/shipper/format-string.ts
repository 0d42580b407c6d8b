// Pure. Filebeat's format strings: `%{[fields.log_topic]}`, `%{[a][b]:default}`, `%{+yyyy.MM.dd}`.

import { ExactNumber, type Value, type ValueMap } from '../events/values.ts'
import { compileDateFormat } from '../text/dates/format.ts'

export interface FormatString {
  readonly text: string
  /** Paths of the fields it takes, such as `fields.log_topic`. */
  readonly fields: readonly string[]
  readonly hasTime: boolean
  /** undefined where a field is missing that has no default. */
  render(lookup: (path: string) => Value | undefined, timestampMs: number): string | undefined
}

type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'field'; readonly path: string; readonly fallback: string | undefined }
  | { readonly kind: 'time'; readonly format: (timestampMs: number) => string }

/** @throws SyntaxError for a template that cannot be read */
export function compileFormatString(text: string): FormatString {
  const parts: Part[] = []
  let done = 0
  for (const match of text.matchAll(/%\{([^}]*)\}/g)) {
    if (match.index > done) parts.push({ kind: 'text', text: text.slice(done, match.index) })
    parts.push(partOf(match[1] ?? ''))
    done = match.index + match[0].length
  }
  if (text.includes('%{', done)) throw new SyntaxError(`missing closing '}' in '${text}'`)
  if (done < text.length || parts.length === 0) parts.push({ kind: 'text', text: text.slice(done) })
  return {
    text,
    fields: parts.flatMap((part) => (part.kind === 'field' ? [part.path] : [])),
    hasTime: parts.some((part) => part.kind === 'time'),
    render(lookup, timestampMs) {
      let result = ''
      for (const part of parts) {
        if (part.kind === 'text') result += part.text
        else if (part.kind === 'time') result += part.format(timestampMs)
        else {
          const found = fieldText(lookup(part.path)) ?? part.fallback
          if (found === undefined) return undefined
          result += found
        }
      }
      return result
    },
  }
}

function partOf(content: string): Part {
  if (content.startsWith('+')) {
    return { kind: 'time', format: compileDateFormat(content.slice(1)) }
  }
  const match = /^((?:\[[^\]]+\])+)(?::(.*))?$/s.exec(content)
  if (match === null) throw new SyntaxError(`'%{${content}}' is neither a field nor a time`)
  const path = (match[1] ?? '').slice(1, -1).replaceAll('][', '.')
  return { kind: 'field', path, fallback: match[2] }
}

function fieldText(value: Value | undefined): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return value instanceof ExactNumber ? value.text : undefined
}

/** The value at a dotted path. */
export function lookupIn(data: ValueMap, path: string): Value | undefined {
  let value: Value | undefined = data
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    if (!Object.hasOwn(value, name)) return undefined
    value = (value as ValueMap)[name]
  }
  return value
}
