// Pure. The rows of a slice as one statement reads them, with what its postings say of each.
import type { Analyzer } from '../../analysis/analyzer.ts'
import type { Field } from '../../mapping/field.ts'
import type { Condition } from '../plan.ts'
import { fromSql, type Slice } from './slice.ts'
import { or, type Parameters, tokensSql } from './sql.ts'

/** One token in one field's text. */
export interface Posting {
  readonly field: Field
  readonly token: string
}

interface Lookup {
  readonly postings: readonly Posting[]
  readonly name: string
  /** Name of the column with the text's length, where that is asked for. */
  length: string | undefined
}

/**
 * However many tokens and fields a statement asks for, its rows are joined with the postings once, and
 * what is asked of every row is computed once: a lookup of its own for each token, and again for each
 * place where it counts, makes statements that the engine does not finish.
 */
export class SliceRows {
  readonly slice: Slice
  readonly parameters: Parameters
  /** Rows are scored: each test is wanted for itself, and more than once. */
  readonly isScored: boolean
  readonly #lookups = new Map<string, Lookup>()
  readonly #hashes = new Map<string, string>()
  readonly #columns = new Map<Condition, { readonly name: string; sql: string }>()
  /** By how texts are cut: the texts. */
  readonly #cuts = new Map<string, string[]>()

  constructor(slice: Slice, parameters: Parameters, isScored: boolean) {
    this.slice = slice
    this.parameters = parameters
    this.isScored = isScored
  }

  /** Column: how often the token stands in the text (of several, the greatest); null where none does. */
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
    if (!this.isScored) return make()
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
   * All texts are cut in one place, since the engine compiles the expression anew for each.
   */
  tokens(analyzer: Analyzer, text: string): string {
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
    const key = JSON.stringify(postings.map(({ field, token }) => [field.number, token]))
    let lookup = this.#lookups.get(key)
    if (lookup === undefined) {
      lookup = { postings, name: `t${this.#lookups.size}`, length: undefined }
      this.#lookups.set(key, lookup)
    }
    return lookup
  }

  #hash({ field, token }: Posting): string {
    const key = `${field.number} ${token}`
    let hash = this.#hashes.get(key)
    if (hash === undefined) {
      hash = hashSql({ field, token }, this.parameters)
      this.#hashes.set(key, hash)
    }
    return hash
  }

  #postingsSql(): string {
    const lookups = [...this.#lookups.values()]
    const postings = new Map<string, number>()
    for (const lookup of lookups) {
      for (const one of lookup.postings) postings.set(this.#hash(one), one.field.number)
    }
    const hashes = [...postings.keys()]
    const withLengths = lookups.some((lookup) => lookup.length !== undefined)
    const from = withLengths ? this.#lengthsSql(postings) : this.#rowsSql(hashes)
    const columns = lookups.flatMap((lookup) => {
      const own = or(lookup.postings.map((one) => `h = ${this.#hash(one)}`))
      const value = (column: string): string =>
        hashes.length === 1 ? column : `max(${column}) FILTER (WHERE ${own})`
      const frequency = `${value('tf')} AS ${lookup.name}`
      if (lookup.length === undefined) return [frequency]
      return [frequency, `${value('len')} AS ${lookup.length}`]
    })
    const group = hashes.length === 1 ? '' : ' GROUP BY doc'
    const seq = `${this.slice.segment.base} + doc AS pseq`
    return `SELECT ${[seq, ...columns].join(', ')} FROM (${from})${group}`
  }

  #rowsSql(hashes: readonly string[]): string {
    const { file, segment } = this.slice
    return `SELECT doc, h, tf FROM ${file.postings(segment)} WHERE h IN (${hashes.join(', ')})`
  }

  /** The posting rows with the lengths of their texts. */
  #lengthsSql(postings: ReadonlyMap<string, number>): string {
    const { file, segment } = this.slice
    const fields = [...new Set(postings.values())]
    const cases = [...postings].map(([hash, field]) => `WHEN h = ${hash} THEN ${field}`)
    const rows = this.#rowsSql([...postings.keys()])
    const [only] = fields
    const field = fields.length === 1 ? `${only}` : `CASE ${cases.join(' ')} END`
    return (
      `SELECT p.doc, h, tf, len FROM (SELECT *, ${field} AS field FROM (${rows})) p ` +
      `LEFT JOIN (SELECT * FROM ${file.lengths(segment)} ` +
      `WHERE field IN (${fields.join(', ')})) l ON l.doc = p.doc AND l.field = p.field`
    )
  }
}

/** A volatile expression keeps the engine from putting it in every place where its value is used. */
function cutSql(cut: string, texts: readonly string[]): string {
  const each = `lambda x: CASE WHEN x IS NOT NULL THEN ${cut} ELSE [] END`
  return `CASE WHEN random() >= 0 THEN list_transform([${texts.join(', ')}], ${each}) END`
}

/** What posting rows of the token carry. */
export function hashSql({ field, token }: Posting, parameters: Parameters): string {
  return `hash(${parameters.shared(token)}, ${field.number})`
}
