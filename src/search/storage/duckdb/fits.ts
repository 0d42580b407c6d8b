// Pure. Patterns of tokens and values as SQL.
import type { Field } from '../../mapping/field.ts'
import type { TextPattern } from '../plan.ts'
import { inTurn, type Parameters, quoteText } from './sql.ts'

/** What a text must contain where one of its tokens fits. */
export function piecesOf(pattern: TextPattern): readonly string[] {
  if (pattern.kind === 'prefix') return [pattern.text]
  return pattern.kind === 'regex' ? pattern.literals : []
}

/** Every token fits: to look up all of them would be to read all postings. */
export function isAnything(pattern: TextPattern): boolean {
  if (pattern.kind === 'prefix') return pattern.text === ''
  return pattern.kind === 'regex' && /^(?:\.\*)*$/.test(pattern.re2)
}

/** Whether a text holds any token. */
export function hasTokenSql(field: Field, text: string): string {
  const { tokenPattern } = field.analyzer
  if (tokenPattern === undefined) return `${text} IS NOT NULL`
  return `regexp_matches(${text}, ${quoteText(tokenPattern.re2)})`
}

/** In this form the engine passes over what is stored of other beginnings. */
export function startsSql(value: string, start: string, parameters: Parameters): string {
  const bound = parameters.shared(start)
  return `(${value} >= ${bound} AND starts_with(${value}, ${bound}))`
}

export function fitsSql(pattern: TextPattern, value: string, parameters: Parameters): string {
  switch (pattern.kind) {
    case 'prefix':
      return startsSql(value, pattern.text, parameters)
    case 'regex': {
      // The pieces it must contain are looked for first: that costs a tenth.
      const pieces = pattern.literals.map((one) => `contains(${value}, ${parameters.shared(one)})`)
      const expression = parameters.shared(pattern.re2)
      return inTurn([...pieces, `regexp_full_match(${value}, ${expression}, 's')`])
    }
    case 'fuzzy':
      return nearSql(pattern, value, parameters)
  }
}

function nearSql(
  { text, distance, prefix }: Extract<TextPattern, { kind: 'fuzzy' }>,
  value: string,
  parameters: Parameters,
): string {
  const bound = parameters.shared(text)
  const length = text.length
  const tests = [`length(${value}) BETWEEN ${length - distance} AND ${length + distance}`]
  if (prefix > 0) tests.push(startsSql(value, text.slice(0, prefix), parameters))
  // Each letter that the text does not have costs a change of its own: cheaper than the distance.
  tests.push(`length(translate(${value}, ${bound}, '')) <= ${distance}`)
  tests.push(`damerau_levenshtein(${value}, ${bound}) <= ${distance}`)
  return inTurn(tests)
}
