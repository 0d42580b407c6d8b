// Pure. JSON for reading: numbers beyond 2^53 keep all their digits, and text is indented without
// being reinterpreted.

/** Like JSON.parse, but whole numbers that a double cannot hold become bigints. @throws SyntaxError */
export function parseExact(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text)
  return JSON.parse(text, keepDigits)
}

function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const source = context?.source
  return source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value
}

/** Indented JSON of a parsed value; bigints as the numbers they are. */
export function prettyValue(value: unknown): string {
  return write(value, '')
}

function write(value: unknown, indent: string): string {
  const inner = `${indent}  `
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]'
    return `[\n${value.map((item) => inner + write(item, inner)).join(',\n')}\n${indent}]`
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
    if (entries.length === 0) return '{}'
    const lines = entries.map(
      ([key, item]) => `${inner}${JSON.stringify(key)}: ${write(item, inner)}`,
    )
    return `{\n${lines.join(',\n')}\n${indent}}`
  }
  return typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? 'null')
}

export interface JsonToken {
  readonly kind: 'key' | 'string' | 'number' | 'keyword' | 'other'
  readonly text: string
}

const tokenPattern =
  /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g

/** For colouring. Whatever is no token of JSON comes out as `other`, so nothing gets lost. */
export function jsonTokens(text: string): JsonToken[] {
  const tokens: JsonToken[] = []
  let end = 0
  for (const match of text.matchAll(tokenPattern)) {
    if (match.index > end) tokens.push({ kind: 'other', text: text.slice(end, match.index) })
    const [whole, string, colon, number] = match
    if (string !== undefined) {
      tokens.push({ kind: colon === undefined ? 'string' : 'key', text: string })
      if (colon !== undefined) tokens.push({ kind: 'other', text: colon })
    } else {
      tokens.push({ kind: number === undefined ? 'keyword' : 'number', text: whole })
    }
    end = match.index + whole.length
  }
  if (end < text.length) tokens.push({ kind: 'other', text: text.slice(end) })
  return tokens
}
