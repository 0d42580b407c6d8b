// Pure. Wildcards, Lucene's regular expressions and edit distances as patterns of the storage.
import { type Json, textOf } from '../json/value.ts'
import { illegalArgument } from '../errors.ts'
import type { TextPattern } from '../storage/plan.ts'

const special = /[.*+?^${}()|[\]\\/]/g

/** `*` and `?`, a backslash before what is meant literally. */
export function wildcardPattern(glob: string): TextPattern {
  const start = /^[^*?\\]+(?=\*+$)/.exec(glob)
  if (start !== null) return prefixPattern(start[0])
  let re2 = ''
  let literal = ''
  const literals: string[] = []
  const cut = (): void => {
    if (literal !== '') literals.push(literal)
    literal = ''
  }
  for (let at = 0; at < glob.length; at++) {
    let character = glob.charAt(at)
    if (character === '*' || character === '?') {
      cut()
      re2 += character === '*' ? '.*' : '.'
      continue
    }
    if (character === '\\' && at + 1 < glob.length) character = glob.charAt(++at)
    literal += character
    re2 += character.replace(special, '\\$&')
  }
  cut()
  return { kind: 'regex', re2, literals }
}

export function prefixPattern(prefix: string): TextPattern {
  return { kind: 'prefix', text: prefix }
}

/** Only literals are known to be contained when nothing in the expression is optional. */
export function regexPattern(expression: string): TextPattern {
  let re2 = ''
  let inClass = false
  for (let at = 0; at < expression.length; at++) {
    const character = expression.charAt(at)
    if (character === '\\') {
      if (at + 1 === expression.length) throw illegalArgument('unexpected end-of-string')
      re2 += escaped(expression.charAt(++at))
    } else if (character === '(' && !inClass && expression.charAt(at + 1) === '?') {
      // No groups with options here: the question mark stands for itself.
      re2 += '(\\?'
      at++
    } else if (inClass) {
      if (character === ']') inClass = false
      re2 += character
    } else if (character === '[') {
      inClass = true
      re2 += character
    } else if (character === '^' || character === '$') re2 += `\\${character}`
    else if (character === '@') re2 += '.*'
    else if (character === '"') {
      const end = expression.indexOf('"', at + 1)
      if (end < 0) throw illegalArgument(`expected '"' at position ${expression.length}`)
      re2 += expression.slice(at + 1, end).replace(special, '\\$&')
      at = end
    } else if ('~&<#'.includes(character)) {
      throw illegalArgument(`the operator ${character} of regular expressions is not supported`)
    } else re2 += character
  }
  try {
    new RegExp(re2, 's')
  } catch (error) {
    throw illegalArgument(error instanceof Error ? error.message : 'bad regular expression')
  }
  return { kind: 'regex', re2, literals: [] }
}

/** Only the classes of digits, words and blanks mean more than the character itself. */
function escaped(character: string): string {
  return 'dDsSwW'.includes(character) && character !== ''
    ? `\\${character}`
    : character.replace(special, '\\$&')
}

export interface FuzzyOptions {
  /** Undefined or AUTO: none up to two characters, one up to five, else two. */
  readonly distance: number | undefined
  readonly prefix: number
}

export function fuzzyPattern(text: string, options: FuzzyOptions): TextPattern {
  const automatic = text.length < 3 ? 0 : text.length < 6 ? 1 : 2
  const distance = Math.min(Math.max(Math.trunc(options.distance ?? automatic), 0), 2)
  return { kind: 'fuzzy', text, distance, prefix: Math.max(Math.trunc(options.prefix), 0) }
}

/** `fuzziness`: AUTO, AUTO:3,6 or a number. */
export function fuzziness(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  const number = Number(value)
  return Number.isFinite(number) ? number : undefined
}

/** `minimum_should_match` as a number of clauses: 2, -1, 75%, -25%, 3<90%. */
export function minimumOf(value: Json | undefined, clauses: number): number | undefined {
  if (value === undefined || value === null) return undefined
  let text = textOf(value).trim()
  if (text.includes('<')) {
    let chosen: string | undefined
    for (const part of text.split(/\s+/)) {
      const [above, then] = part.split('<')
      if (clauses > Number(above)) chosen = then
    }
    if (chosen === undefined) return clauses
    text = chosen
  }
  const percent = text.endsWith('%')
  const number = Number.parseFloat(text)
  if (!Number.isFinite(number)) {
    throw illegalArgument(`For input string: "${text}"`)
  }
  const share = percent ? Math.trunc((clauses * number) / 100) : Math.trunc(number)
  return Math.max(share < 0 ? clauses + share : share, 0)
}
