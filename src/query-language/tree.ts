/**
 * The tree both query languages are read into. Fields are as written; undefined stands for the default
 * fields. What a word means (analysed text, a number, a date) is the index's business, not the parser's.
 */
export type QueryTree =
  | { readonly kind: 'everything' }
  | { readonly kind: 'nothing' }
  | TextNode
  | PhraseNode
  | PatternNode
  | FuzzyNode
  | RegexNode
  | RangeNode
  | ExistsNode
  | BooleanNode
  | BoostNode

/** One word, or several bare words in a row, which the index analyses together. */
export interface TextNode {
  readonly kind: 'text'
  readonly field: string | undefined
  readonly text: string
}

export interface PhraseNode {
  readonly kind: 'phrase'
  readonly field: string | undefined
  readonly text: string
  /** How far the words may stand apart; undefined where the query does not say. */
  readonly slop: number | undefined
}

/** A word with `*` or `?`; both are escaped with a backslash where they are meant literally. */
export interface PatternNode {
  readonly kind: 'pattern'
  readonly field: string | undefined
  readonly pattern: string
}

export interface FuzzyNode {
  readonly kind: 'fuzzy'
  readonly field: string | undefined
  readonly text: string
  /** Edit distance; undefined for the distance that suits the word's length. */
  readonly distance: number | undefined
}

export interface RegexNode {
  readonly kind: 'regex'
  readonly field: string | undefined
  readonly pattern: string
}

export interface RangeNode {
  readonly kind: 'range'
  readonly field: string | undefined
  /** Undefined for an open end. */
  readonly lower: string | undefined
  readonly upper: string | undefined
  readonly includeLower: boolean
  readonly includeUpper: boolean
}

export interface ExistsNode {
  readonly kind: 'exists'
  readonly field: string
}

export type Occur = 'must' | 'should' | 'mustNot'

export interface Clause {
  readonly occur: Occur
  readonly query: QueryTree
}

export interface BooleanNode {
  readonly kind: 'boolean'
  readonly clauses: readonly Clause[]
}

export interface BoostNode {
  readonly kind: 'boost'
  readonly boost: number
  readonly query: QueryTree
}

/** The text is not a query. `position` counts UTF-16 units from 0. */
export class QuerySyntaxError extends Error {
  override readonly name = 'QuerySyntaxError'
  readonly position: number
  /** lexical: not even words, as a quote that is not closed. */
  readonly kind: 'lexical' | 'grammar'
  constructor(message: string, position: number, kind: 'lexical' | 'grammar' = 'grammar') {
    super(message)
    this.position = position
    this.kind = kind
  }
}
