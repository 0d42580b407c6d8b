// Pure. simple_query_string: `+` and, `|` or, `-` not, quotes, `*`, parentheses; it never fails.
import type { Clause, QueryTree } from './tree.ts'

export interface SimpleOptions {
  readonly defaultOperator?: 'and' | 'or'
}

const depthMax = 100

export function parseSimple(text: string, options: SimpleOptions = {}): QueryTree {
  const state: State = { text, at: 0, depth: 0, and: options.defaultOperator === 'and' }
  return group(state)
}

interface State {
  readonly text: string
  readonly and: boolean
  at: number
  depth: number
}

function group(state: State): QueryTree {
  const clauses: Clause[] = []
  let negate = false
  let operator: 'and' | 'or' | undefined
  state.depth++
  while (state.at < state.text.length) {
    const character = state.text.charAt(state.at)
    if (character === ')') {
      state.at++
      if (state.depth > 1) break
      continue
    }
    if (/\s/.test(character)) state.at++
    else if (character === '+' || character === '|') {
      operator = character === '+' ? 'and' : 'or'
      state.at++
    } else if (character === '-') {
      negate = !negate
      state.at++
    } else {
      const query = operand(state, character)
      if (query !== undefined) add(clauses, { query, negate, operator, and: state.and })
      negate = false
      operator = undefined
    }
  }
  state.depth--
  const [only] = clauses
  if (only === undefined) return { kind: 'nothing' }
  if (clauses.length === 1 && only.occur !== 'mustNot') return only.query
  return { kind: 'boolean', clauses }
}

interface Added {
  readonly query: QueryTree
  readonly negate: boolean
  readonly operator: 'and' | 'or' | undefined
  readonly and: boolean
}

function add(clauses: Clause[], added: Added): void {
  const together = added.operator === undefined ? added.and : added.operator === 'and'
  const previous = clauses.at(-1)
  if (together && previous?.occur === 'should') {
    clauses[clauses.length - 1] = { ...previous, occur: 'must' }
  }
  if (added.negate) {
    if (added.and || added.operator === 'and') {
      clauses.push({ occur: 'mustNot', query: added.query })
      return
    }
    const excluded: Clause[] = [
      { occur: 'must', query: { kind: 'everything' } },
      { occur: 'mustNot', query: added.query },
    ]
    clauses.push({ occur: 'should', query: { kind: 'boolean', clauses: excluded } })
    return
  }
  const first = clauses.length === 0
  clauses.push({ occur: together && !first ? 'must' : 'should', query: added.query })
}

function operand(state: State, character: string): QueryTree | undefined {
  if (character === '(') {
    state.at++
    if (state.depth >= depthMax) return undefined
    const query = group(state)
    return query.kind === 'nothing' ? undefined : query
  }
  if (character === '"') {
    const end = state.text.indexOf('"', state.at + 1)
    if (end < 0) {
      state.at++
      return undefined
    }
    const text = state.text.slice(state.at + 1, end)
    state.at = end + 1
    const slop = numberAt(state)
    return { kind: 'phrase', field: undefined, text, slop }
  }
  return word(state)
}

function word(state: State): QueryTree | undefined {
  let raw = ''
  while (state.at < state.text.length) {
    const character = state.text.charAt(state.at)
    if (/[\s()"|+~]/.test(character)) break
    state.at++
    raw += character === '\\' ? state.text.charAt(state.at++) : character
  }
  if (state.text.charAt(state.at) === '~') {
    const distance = numberAt(state)
    if (raw !== '') return { kind: 'fuzzy', field: undefined, text: raw, distance }
  }
  if (raw === '') return undefined
  if (raw === '*') return { kind: 'everything' }
  if (raw.endsWith('*') && raw.length > 1) {
    return { kind: 'pattern', field: undefined, pattern: `${escaped(raw.slice(0, -1))}*` }
  }
  return { kind: 'text', field: undefined, text: raw }
}

const escaped = (text: string): string => text.replace(/[*?\\]/g, '\\$&')

function numberAt(state: State): number | undefined {
  const match = /^~(\d*)/.exec(state.text.slice(state.at))
  if (match === null) return undefined
  state.at += match[0].length
  return match[1] === '' ? undefined : Number(match[1])
}
