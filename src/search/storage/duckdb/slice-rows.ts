// Pure. The rows of a slice as one statement reads them, with what its postings say of each.
import type { Analyzer } from '../../analysis/analyzer.ts'
import type { Field } from '../../mapping/field.ts'
import type { Condition } from '../plan.ts'
import { fromSql, type Slice } from './slice.ts'
import { or, type Parameters, tokensSql } from './sql.ts'

/** Tokens of one field's texts. */
export interface Posting {
  readonly field: Field
  /** SQL: whether a posting row's `token` is meant. */
  readonly test: string
}

interface Lookup {
  readonly postings: readonly Posting[]
  readonly name: string
  /** Name of the column with the text's length, where that is asked for. */
  length: string | undefined
}

/** Above this many rows, lists of all texts cost more than compiling one expression for each. */
const cutTogetherMax = 16_384

/**
 * However many tokens and fields a statement asks for, its rows are joined with the postings once, and
 * what is asked of every row is computed once: a lookup of its own for each token, and again for each
 * place where it counts, makes statements that the engine does not finish.
 */
export class SliceRows {
  readonly slice: Slice
  readonly parameters: Parameters
  #isScored: boolean
  readonly #lookups = new Map<string, Lookup>()
  readonly #columns = new Map<Condition, { readonly name: string; sql: string }>()
  /** By how texts are cut: the texts. */
  readonly #cuts = new Map<string, string[]>()

  constructor(slice: Slice, parameters: Parameters, isScored: boolean) {
    this.slice = slice
    this.parameters = parameters
    this.#isScored = isScored
  }

  /** Rows are scored: each test is wanted for itself, and more than once. */
  get isScored(): boolean {
    return this.#isScored
  }

  /** Makes the test of a condition whose parts do not count in the score. */
  unscored(make: () => string): string {
    const before = this.#isScored
    this.#isScored = false
    try {
      return make()
    } finally {
      this.#isScored = before
    }
  }

  /** Column: how often the tokens stand in the text; null where none does. */
  frequency(postings: readonly Posting[]): string {
    return this.#lookup(postings).name
  }

  /** Column: the length, in tokens, of the text that the token stands in. */
  length(posting: Posting): string {
    const lookup = this.#lookup([posting])
    lookup.length ??= `n${lookup.name}`
    return lookup.length
  }

  /** A test or count of a condition: in a scored statement a column, else written out. */
  once(condition: Condition, make: () => string): string {
    if (!this.#isScored) return make()
    let column = this.#columns.get(condition)
    if (column === undefined) {
      column = { name: `b${this.#columns.size}`, sql: '' }
      this.#columns.set(condition, column)
      column.sql = make()
    }
    return column.name
  }

  /**
   * The list of a text's tokens; empty where the text is null, so guard it by what must be true of it.
   * Of few rows all texts are cut in one place, since the engine compiles the expression anew for each.
   */
  tokens(analyzer: Analyzer, text: string): string {
    const { part, segment } = this.slice
    if (part !== 'tail' && segment.rows > cutTogetherMax) return tokensSql(analyzer, text)
    const cut = tokensSql(analyzer, 'x')
    let texts = this.#cuts.get(cut)
    if (texts === undefined) {
      texts = []
      this.#cuts.set(cut, texts)
    }
    let at = texts.indexOf(text)
    if (at < 0) at = texts.push(text) - 1
    return `cut${[...this.#cuts.keys()].indexOf(cut)}[${at + 1}]`
  }

  /** To be asked for last. `needsPosting`: rows that have none of the tokens do not matter. */
  from(needsPosting: boolean): string {
    let from = fromSql(this.slice)
    if (this.#lookups.size > 0) {
      const join = needsPosting ? 'JOIN' : 'LEFT JOIN'
      from = `(SELECT * FROM ${from} ${join} (${this.#postingsSql()}) ON pseq = seq)`
    }
    if (this.#cuts.size > 0) {
      const cuts = [...this.#cuts].map(([cut, texts], at) => `${cutSql(cut, texts)} AS cut${at}`)
      from = `(SELECT *, ${cuts.join(', ')} FROM ${from})`
    }
    if (this.#columns.size === 0) return from
    const columns = [...this.#columns.values()].map(({ sql, name }) => `${sql} AS ${name}`)
    return `(SELECT *, ${columns.join(', ')} FROM ${from})`
  }

  #lookup(postings: readonly Posting[]): Lookup {
    const key = JSON.stringify(postings.map(({ field, test }) => [field.number, test]))
    let lookup = this.#lookups.get(key)
    if (lookup === undefined) {
      lookup = { postings, name: `t${this.#lookups.size}`, length: undefined }
      this.#lookups.set(key, lookup)
    }
    return lookup
  }

  #postingsSql(): string {
    const lookups = [...this.#lookups.values()]
    const withLengths = lookups.some((lookup) => lookup.length !== undefined)
    const flags = lookups.map(({ postings, name }) => `${postingTest(postings)} AS f${name}`)
    const all = lookups.flatMap(({ postings }) => postings)
    const { file, segment } = this.slice
    const rows =
      `SELECT ${['field', ...flags].join(', ')}, unnest(docs) AS doc ` +
      `FROM ${file.postings(segment)} WHERE ${postingTest(all)}`
    const columns = lookups.flatMap(({ name, length }) => {
      const frequency = `nullif(count(*) FILTER (WHERE f${name}), 0) AS ${name}`
      if (length === undefined) return [frequency]
      return [frequency, `max(len) FILTER (WHERE f${name}) AS ${length}`]
    })
    const from = withLengths ? this.#withLengths(rows, all) : rows
    const seq = `${segment.base} + doc AS pseq`
    return `SELECT ${[seq, ...columns].join(', ')} FROM (${from}) GROUP BY doc`
  }

  /** The posting rows with the lengths of their texts. */
  #withLengths(rows: string, postings: readonly Posting[]): string {
    const { file, segment } = this.slice
    return (
      `SELECT p.*, len FROM (${rows}) p LEFT JOIN (SELECT * FROM ${file.lengths(segment)} ` +
      `WHERE ${fieldTest(postings)}) l ON l.doc = p.doc AND l.field = p.field`
    )
  }
}

/** Whether a posting row is one of these. Fields that are asked for the same are tested together. */
export function postingTest(postings: readonly Posting[]): string {
  const byTest = new Map<string, Posting[]>()
  for (const one of postings) {
    const same = byTest.get(one.test)
    if (same === undefined) byTest.set(one.test, [one])
    else same.push(one)
  }
  return or([...byTest].map(([test, same]) => `(${fieldTest(same)} AND ${test})`))
}

function fieldTest(postings: readonly Posting[]): string {
  const fields = new Set(postings.map(({ field }) => field.number))
  return fields.size === 1 ? `field = ${[...fields][0]}` : `field IN (${[...fields].join(', ')})`
}

/** A volatile expression keeps the engine from putting it in every place where its value is used. */
function cutSql(cut: string, texts: readonly string[]): string {
  const each = `lambda x: CASE WHEN x IS NOT NULL THEN ${cut} ELSE [] END`
  return `CASE WHEN random() >= 0 THEN list_transform([${texts.join(', ')}], ${each}) END`
}

/** The posting of one token. */
export function tokenPosting(field: Field, token: string, parameters: Parameters): Posting {
  return { field, test: `token = ${parameters.shared(token)}` }
}
