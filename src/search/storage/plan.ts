/**
 * What the storage is asked to do: conditions, orders and aggregations whose fields are resolved
 * against each index's mapping and whose texts are analysed. Nothing here knows SQL.
 */
import type { Field } from '../mapping/field.ts'
import type { Scalar } from '../mapping/values.ts'
import type { IndexStorage } from './index-storage.ts'

export type Condition =
  | { readonly kind: 'all'; readonly boost: number }
  | { readonly kind: 'none' }
  | EqualsCondition
  | RangeCondition
  | { readonly kind: 'present'; readonly field: Field; readonly boost: number }
  | PatternCondition
  | TokenCondition
  | PhraseCondition
  | { readonly kind: 'ids'; readonly ids: readonly string[]; readonly boost: number }
  | BoolCondition
  | { readonly kind: 'constant'; readonly inner: Condition; readonly boost: number }
  | {
      readonly kind: 'dismax'
      readonly inner: readonly Condition[]
      readonly tieBreaker: number
      readonly boost: number
    }

/** The column holds one of the values. */
export interface EqualsCondition {
  readonly kind: 'equals'
  readonly field: Field
  readonly values: readonly Scalar[]
  readonly boost: number
  /** keyword: scored by how rare the value is, as a term; constant: the boost. */
  readonly scoring: 'keyword' | 'constant'
}

export interface RangeCondition {
  readonly kind: 'range'
  readonly field: Field
  readonly lower: { readonly value: Scalar; readonly inclusive: boolean } | undefined
  readonly upper: { readonly value: Scalar; readonly inclusive: boolean } | undefined
  readonly boost: number
}

/** How a value or token may look. */
export type TextPattern =
  | { readonly kind: 'prefix'; readonly text: string }
  /** Regular expression for the whole text, in RE2's syntax; `literals` are pieces it must contain. */
  | { readonly kind: 'regex'; readonly re2: string; readonly literals: readonly string[] }
  | {
      readonly kind: 'fuzzy'
      readonly text: string
      readonly distance: number
      readonly prefix: number
    }

/** A keyword's value, or one of a text's tokens, fits the pattern. */
export interface PatternCondition {
  readonly kind: 'pattern'
  readonly field: Field
  readonly pattern: TextPattern
  readonly boost: number
}

/** A text holds one of the tokens; scored where it is a single one. */
export interface TokenCondition {
  readonly kind: 'token'
  readonly field: Field
  readonly tokens: readonly string[]
  readonly boost: number
}

/** Tokens in order, next to each other or at most `slop` moves apart. */
export interface PhraseCondition {
  readonly kind: 'phrase'
  readonly field: Field
  readonly tokens: readonly string[]
  readonly slop: number
  /** The last token is only the beginning of one. */
  readonly prefix: boolean
  readonly boost: number
}

export interface BoolCondition {
  readonly kind: 'bool'
  readonly must: readonly Condition[]
  readonly filter: readonly Condition[]
  readonly should: readonly Condition[]
  readonly mustNot: readonly Condition[]
  readonly minimumShouldMatch: number
  readonly boost: number
}

export const matchNone: Condition = { kind: 'none' }

/** One index's part in a search. */
export interface ShardPlan {
  readonly storage: IndexStorage
  readonly condition: Condition
}

export type SortKey =
  | { readonly kind: 'score'; readonly descending: boolean }
  /** The order of writing. */
  | { readonly kind: 'doc'; readonly descending: boolean }
  | { readonly kind: 'id'; readonly descending: boolean }
  | FieldSortKey

export interface FieldSortKey {
  readonly kind: 'field'
  readonly descending: boolean
  /** By shard; undefined where the index does not have the field. */
  readonly fields: readonly (Field | undefined)[]
  readonly missing: 'first' | 'last' | { readonly value: Scalar }
  /** Of several values: the one to sort by. */
  readonly mode: 'min' | 'max' | 'sum' | 'avg' | 'median'
}

export interface HitsPlan {
  readonly shards: readonly ShardPlan[]
  readonly sort: readonly SortKey[]
  readonly from: number
  readonly size: number
  readonly scores: boolean
  readonly after: readonly (Scalar | null)[] | undefined
  readonly minScore: number | undefined
  readonly withSource: boolean
  /** Values to fetch beside the source, each by shard. */
  readonly fields: readonly (readonly (Field | undefined)[])[]
}

export interface StoredHit {
  readonly shard: number
  readonly seq: number
  readonly id: string
  readonly version: number
  readonly score: number | undefined
  readonly sort: readonly (Scalar | null)[]
  readonly source: string | undefined
  readonly ignored: readonly string[]
  readonly fields: readonly (readonly Scalar[])[]
}

export interface ValueSource {
  /** By shard. */
  readonly fields: readonly (Field | undefined)[]
  readonly missing: Scalar | undefined
}

export type Metric =
  | 'count'
  | 'min'
  | 'max'
  | 'sum'
  | 'avg'
  | 'squares'
  /** Each value stands in the middle of its share; between two, in proportion. */
  | 'quantile'
  | 'distinct'
  /** All values, in ascending order, thinned out where there are very many. */
  | 'values'

export interface MetricPlan {
  readonly metric: Metric
  /** Of a quantile: 0 to 1. */
  readonly at?: number
  readonly source: ValueSource
}

/** How rows are parted into buckets. Keys come back as the scalar named. */
export type Grouping =
  | { readonly kind: 'values'; readonly source: ValueSource }
  | DateGrouping
  | {
      readonly kind: 'steps'
      readonly source: ValueSource
      readonly interval: number
      readonly offset: number
    }
  /** Key: the position of each condition the row meets. Conditions by shard. */
  | { readonly kind: 'conditions'; readonly conditions: readonly (readonly Condition[])[] }

/** Key: the start of the bucket in local wall-clock milliseconds. */
export interface DateGrouping {
  readonly kind: 'dates'
  readonly source: ValueSource
  readonly interval:
    | { readonly kind: 'fixed'; readonly ms: number }
    | { readonly kind: 'calendar'; readonly unit: 'week' | 'month' | 'quarter' | 'year' }
  readonly offsetMs: number
  /** Zone offsets to add, by the moment they begin; the first counts from the beginning of time. */
  readonly zone: readonly { readonly fromMs: number; readonly offsetMs: number }[]
}

export type BucketOrder =
  | { readonly by: 'count'; readonly descending: boolean }
  | { readonly by: 'key'; readonly descending: boolean }
  | { readonly by: 'metric'; readonly metric: number; readonly descending: boolean }

export interface GroupPlan {
  readonly shards: readonly ShardPlan[]
  /** Outermost first. All but the last were answered before; `within` are the keys of interest. */
  readonly outer: readonly { readonly grouping: Grouping; readonly within: readonly Scalar[] }[]
  readonly grouping: Grouping | undefined
  readonly metrics: readonly MetricPlan[]
  /** Keeps this many buckets per outer bucket, by the orders. */
  readonly top: { readonly size: number; readonly orders: readonly BucketOrder[] } | undefined
  readonly minCount: number
  readonly bucketsMax: number
}

export interface GroupRow {
  /** Outer keys and, last, the own key. */
  readonly keys: readonly Scalar[]
  readonly count: number
  readonly metrics: readonly (Scalar | readonly number[] | null)[]
  /** Rows in all buckets of the same outer bucket, also those not kept. */
  readonly total: number
}

/** The plan asks for more buckets than allowed. */
export class TooManyBucketsError extends Error {
  override readonly name = 'TooManyBucketsError'
}
