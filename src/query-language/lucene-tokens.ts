// Pure. Splits Lucene query text (the classic query parser's syntax) into tokens.
import { QuerySyntaxError } from './tree.ts'

export type Token =
  | { readonly kind: 'word'; readonly raw: string; readonly start: number }
  | { readonly kind: 'quoted'; readonly raw: string; readonly start: number }
  | { readonly kind: 'regex'; readonly raw: string; readonly start: number }
  | ({ readonly kind: 'range'; readonly start: number } & RangeParts)
  | { readonly kind: 'tilde' | 'caret'; readonly raw: string; readonly start: number }
  | { readonly kind: Symbol | 'end'; readonly start: number }

export type Symbol = 'and' | 'or' | 'not' | 'plus' | 'minus' | 'open' | 'close' | 'colon'

interface RangeParts {
  readonly lower: string
  readonly upper: string
  readonly includeLower: boolean
  readonly includeUpper: boolean
}

const blank = /[ \t\n\r\u3000]/
const notInWord = /[ \t\n\r\u3000!():^[\]"{}~/]/
const symbols: Readonly<Record<string, Symbol>> = {
  '+': 'plus',
  '-': 'minus',
  '!': 'not',
  '(': 'open',
  ')': 'close',
  ':': 'colon',
}

/** All tokens, ended by one of kind `end`. @throws QuerySyntaxError */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    const character = text.charAt(at)
    if (blank.test(character)) {
      at++
      continue
    }
    const [token, next] = tokenAt(text, at, tokens.at(-1))
    tokens.push(token)
    at = next
  }
  tokens.push({ kind: 'end', start: text.length })
  return tokens
}

function tokenAt(text: string, start: number, previous: Token | undefined): [Token, number] {
  const character = text.charAt(start)
  if (text.startsWith('&&', start)) return [{ kind: 'and', start }, start + 2]
  if (text.startsWith('||', start)) return [{ kind: 'or', start }, start + 2]
  const symbol = symbols[character]
  if (symbol !== undefined) return [{ kind: symbol, start }, start + 1]
  switch (character) {
    case '"':
      return delimited(text, start, '"', 'quoted')
    case '/':
      return delimited(text, start, '/', 'regex')
    case '[':
    case '{':
      return range(text, start)
    case '~':
    case '^': {
      const raw = /^\d*(?:\.\d+)?/.exec(text.slice(start + 1))?.[0] ?? ''
      if (previous === undefined) throw unexpected(text, start)
      return [{ kind: character === '~' ? 'tilde' : 'caret', raw, start }, start + 1 + raw.length]
    }
    case ']':
    case '}':
      throw unexpected(text, start)
    default:
      return word(text, start)
  }
}

function word(text: string, start: number): [Token, number] {
  let at = start
  while (at < text.length && !notInWord.test(text.charAt(at))) {
    if (text.charAt(at) === '\\') {
      if (at + 1 >= text.length) throw unexpected(text, at)
      at++
    }
    at++
  }
  const raw = text.slice(start, at)
  if (raw === 'AND') return [{ kind: 'and', start }, at]
  if (raw === 'OR') return [{ kind: 'or', start }, at]
  if (raw === 'NOT') return [{ kind: 'not', start }, at]
  return [{ kind: 'word', raw, start }, at]
}

function delimited(
  text: string,
  start: number,
  end: string,
  kind: 'quoted' | 'regex',
): [Token, number] {
  for (let at = start + 1; at < text.length; at++) {
    if (text.charAt(at) === '\\') at++
    else if (text.charAt(at) === end) {
      return [{ kind, raw: text.slice(start + 1, at), start }, at + 1]
    }
  }
  const seen = JSON.stringify(text.slice(start))
  const where = `line 1, column ${text.length + 1}`
  throw new QuerySyntaxError(
    `Lexical error at ${where}.  Encountered: <EOF> after : ${seen}`,
    start,
    'lexical',
  )
}

/** `[a TO b]`, `{a TO b}` and mixtures; the bounds are words or quoted. */
function range(text: string, start: number): [Token, number] {
  const bound = String.raw`("(?:[^"\\]|\\.)*"|(?:[^ \t\n\r\]}\\]|\\.)+)`
  const syntax = new RegExp(String.raw`^[[{]\s*${bound}\s+(?:TO\s+)?${bound}\s*([\]}])`, 's')
  const match = syntax.exec(text.slice(start))
  if (match === null) throw unexpected(text, start)
  const token: Token = {
    kind: 'range',
    start,
    lower: match[1] ?? '',
    upper: match[2] ?? '',
    includeLower: text.charAt(start) === '[',
    includeUpper: match[3] === ']',
  }
  return [token, start + match[0].length]
}

function unexpected(text: string, position: number): QuerySyntaxError {
  const seen = JSON.stringify(text.charAt(position))
  return new QuerySyntaxError(`Encountered ${seen} at line 1, column ${position}.`, position)
}

/** Takes the backslashes away: `\:` becomes `:`, `\u0041` becomes `A`. */
export function unescape(raw: string): string {
  if (!raw.includes('\\')) return raw
  return raw.replace(/\\(?:u([0-9a-fA-F]{4})|(.)|$)/gs, (_, hex?: string, character?: string) =>
    hex === undefined ? (character ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
  )
}

/** Whether an unescaped `*` or `?` is in it. */
export function isPattern(raw: string): boolean {
  return /(?:^|[^\\])(?:\\\\)*[*?]/.test(raw)
}
