// Pure. Reads Lucene query text, as the classic query parser does, into a query tree.
import { isPattern, type Token, tokenize, unescape } from './lucene-tokens.ts'
import { type Clause, type Occur, QuerySyntaxError, type QueryTree } from './tree.ts'

export interface LuceneOptions {
  /** What two clauses without an operator between them mean. Default: or. */
  readonly defaultOperator?: 'and' | 'or'
}

/** Deeper nesting than this is refused: it would only serve to exhaust the stack. */
const depthMax = 200

/**
 * Reads one query. An empty text is the kind `nothing`. @throws QuerySyntaxError
 *
 * AND and OR have no precedence, as in the original: `a OR b AND c` demands b and c, a is optional.
 */
export function parseLucene(text: string, options: LuceneOptions = {}): QueryTree {
  const state: State = {
    text,
    tokens: tokenize(text),
    at: 0,
    depth: 0,
    defaultAnd: options.defaultOperator === 'and',
  }
  if (current(state).kind === 'end') return { kind: 'nothing' }
  const query = clauses(state, undefined)
  if (current(state).kind !== 'end') throw unexpected(state)
  return query
}

interface State {
  readonly text: string
  readonly tokens: readonly Token[]
  readonly defaultAnd: boolean
  at: number
  depth: number
}

function clauses(state: State, field: string | undefined): QueryTree {
  const list: Clause[] = []
  if (++state.depth > depthMax) throw unexpected(state)
  for (let first = true; ; first = false) {
    const kind = current(state).kind
    if (kind === 'end' || kind === 'close') {
      if (first) throw unexpected(state)
      break
    }
    const words = bareWords(state)
    if (words !== undefined) {
      const occur = state.defaultAnd ? 'must' : 'should'
      list.push({ occur, query: { kind: 'text', field, text: words } })
      continue
    }
    const conjunction = first ? undefined : conjunctionAt(state)
    const modifier = modifierAt(state)
    const query = clause(state, field)
    addClause(list, { conjunction, modifier, query, defaultAnd: state.defaultAnd })
  }
  state.depth--
  const only = list[0]
  if (list.length === 1 && only !== undefined && only.occur !== 'mustNot') return only.query
  return { kind: 'boolean', clauses: list }
}

interface NewClause {
  readonly conjunction: 'and' | 'or' | undefined
  readonly modifier: 'plus' | 'not' | undefined
  readonly query: QueryTree
  readonly defaultAnd: boolean
}

/** An AND also binds the clause before it; where AND is the default, an OR sets it free. */
function addClause(list: Clause[], added: NewClause): void {
  const { conjunction, modifier, query, defaultAnd } = added
  const previous = list.at(-1)
  if (previous !== undefined && previous.occur !== 'mustNot') {
    if (conjunction === 'and') list[list.length - 1] = { ...previous, occur: 'must' }
    if (conjunction === 'or' && defaultAnd) {
      list[list.length - 1] = { ...previous, occur: 'should' }
    }
  }
  let occur: Occur = 'should'
  if (modifier === 'not') occur = 'mustNot'
  else if (modifier === 'plus' || conjunction === 'and') occur = 'must'
  else if (defaultAnd && conjunction !== 'or') occur = 'must'
  list.push({ occur, query })
}

/** Two or more plain words in a row are one text; a word that an operator follows is not part of it. */
function bareWords(state: State): string | undefined {
  const words: string[] = []
  let at = state.at
  for (; ; at++) {
    const token = state.tokens[at]
    const next = state.tokens[at + 1]?.kind
    if (token?.kind !== 'word' || isPattern(token.raw) || isComparison(token.raw)) break
    if (next === 'colon' || next === 'caret' || next === 'tilde') break
    if (next === 'and' || next === 'or') break
    words.push(unescape(token.raw))
  }
  if (words.length < 2) return undefined
  state.at = at
  return words.join(' ')
}

function conjunctionAt(state: State): 'and' | 'or' | undefined {
  const kind = current(state).kind
  if (kind !== 'and' && kind !== 'or') return undefined
  state.at++
  return kind
}

function modifierAt(state: State): 'plus' | 'not' | undefined {
  const kind = current(state).kind
  if (kind !== 'plus' && kind !== 'minus' && kind !== 'not') return undefined
  state.at++
  return kind === 'plus' ? 'plus' : 'not'
}

function clause(state: State, outerField: string | undefined): QueryTree {
  let field = outerField
  const token = current(state)
  if (token.kind === 'word' && state.tokens[state.at + 1]?.kind === 'colon') {
    field = unescape(token.raw)
    state.at += 2
  }
  const inner = current(state)
  if (inner.kind === 'open') {
    state.at++
    const group = clauses(state, field)
    if (current(state).kind !== 'close') throw unexpected(state)
    state.at++
    return boosted(state, group)
  }
  return term(state, field)
}

function term(state: State, field: string | undefined): QueryTree {
  const token = current(state)
  state.at++
  switch (token.kind) {
    case 'quoted': {
      const slop = numberAfter(state, 'tilde')
      const text = unescape(token.raw)
      if (field === '_exists_') return { kind: 'exists', field: text }
      return boosted(state, { kind: 'phrase', field, text, slop })
    }
    case 'regex':
      return boosted(state, { kind: 'regex', field, pattern: token.raw.replaceAll('\\/', '/') })
    case 'range': {
      const { includeLower, includeUpper } = token
      const lower = bound(token.lower)
      const upper = bound(token.upper)
      return boosted(state, { kind: 'range', field, lower, upper, includeLower, includeUpper })
    }
    case 'word':
      return word(state, field, token.raw)
    case 'and':
    case 'caret':
    case 'close':
    case 'colon':
    case 'end':
    case 'minus':
    case 'not':
    case 'open':
    case 'or':
    case 'plus':
    case 'tilde':
    default:
      state.at--
      throw unexpected(state)
  }
}

function word(state: State, field: string | undefined, raw: string): QueryTree {
  if (raw === '*' && field === '*') return boosted(state, { kind: 'everything' })
  if (field === '_exists_') return { kind: 'exists', field: unescape(raw) }
  if (raw === '*' && field !== undefined) return boosted(state, { kind: 'exists', field })
  if (raw === '*') return boosted(state, { kind: 'everything' })
  if (current(state).kind === 'tilde') {
    const distance = numberAfter(state, 'tilde')
    return boosted(state, { kind: 'fuzzy', field, text: unescape(raw), distance })
  }
  const comparison = /^(<=|>=|<|>)(.+)$/s.exec(raw)
  if (comparison !== null) {
    return boosted(state, comparisonRange(field, comparison[1] ?? '', comparison[2] ?? ''))
  }
  if (isPattern(raw)) return boosted(state, { kind: 'pattern', field, pattern: raw })
  return boosted(state, { kind: 'text', field, text: unescape(raw) })
}

function isComparison(raw: string): boolean {
  return /^[<>]=?./s.test(raw)
}

function comparisonRange(field: string | undefined, operator: string, value: string): QueryTree {
  const below = operator.startsWith('<')
  const inclusive = operator.endsWith('=')
  return {
    kind: 'range',
    field,
    lower: below ? undefined : unescape(value),
    upper: below ? unescape(value) : undefined,
    includeLower: below || inclusive,
    includeUpper: !below || inclusive,
  }
}

function bound(raw: string): string | undefined {
  if (raw === '*') return undefined
  return raw.startsWith('"') ? unescape(raw.slice(1, -1)) : unescape(raw)
}

/** The number behind `~` or `^`, where one stands; the sign alone counts as undefined. */
function numberAfter(state: State, kind: 'tilde' | 'caret'): number | undefined {
  const token = current(state)
  if (token.kind !== kind) return undefined
  state.at++
  return token.raw === '' ? undefined : Number(token.raw)
}

function boosted(state: State, query: QueryTree): QueryTree {
  if (current(state).kind !== 'caret') return query
  const boost = numberAfter(state, 'caret')
  if (boost === undefined) throw unexpected(state)
  return { kind: 'boost', boost, query }
}

function current(state: State): Token {
  return state.tokens[state.at] ?? { kind: 'end', start: state.text.length }
}

/** What may start a clause, and what may follow one: in the order in which the original lists them. */
const openings = ['<NOT>', '"+"', '"-"']
const operands =
  '<BAREOPER> "(" "*" <QUOTED> <TERM> <PREFIXTERM> <WILDTERM> <REGEXPTERM> "[" "{" <NUMBER>'.split(
    ' ',
  )
const afterClause = (
  '<AND> <OR> <NOT> "+" "-" <BAREOPER> "(" ")" "*" "^" <QUOTED> <TERM> <FUZZY_SLOP> <PREFIXTERM> ' +
  '<WILDTERM> <REGEXPTERM> "[" "{" <NUMBER>'
).split(' ')

function unexpected(state: State): QuerySyntaxError {
  const token = current(state)
  const seen = token.kind === 'end' ? '<EOF>' : state.text.slice(token.start, token.start + 20)
  const previous = state.tokens[state.at - 1]?.kind
  let expected: readonly string[] = afterClause
  if (previous === 'colon') expected = operands
  else if (previous === undefined || previous === 'open') expected = [...openings, ...operands]
  const list = expected.map((one) => `    ${one} ...\n`).join('')
  const where = `line 1, column ${token.start}`
  return new QuerySyntaxError(
    `Encountered "${seen}" at ${where}.\nWas expecting one of:\n${list}    `,
    token.start,
  )
}
