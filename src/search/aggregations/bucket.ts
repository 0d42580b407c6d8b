// Pure. What every bucket aggregation is made of.
import type { JsonObject } from '../json/value.ts'
import type { Scalar } from '../mapping/values.ts'
import type { BucketOrder, Condition, Grouping } from '../storage/plan.ts'
import type { AggregationNode } from './tree.ts'

export interface BucketRow {
  readonly key: Scalar
  readonly count: number
  /** Sub-aggregations, rendered. */
  readonly inner: JsonObject
}

export interface BucketAggregation {
  readonly node: AggregationNode
  readonly grouping: Grouping
  readonly top: { readonly size: number; readonly orders: readonly BucketOrder[] } | undefined
  readonly minCount: number
  /** All rows of every index, whatever the query. */
  readonly isGlobal: boolean
  /** `total`: rows over all buckets, also those not kept. `empty`: sub-aggregations of no rows. */
  render(rows: readonly BucketRow[], total: number, empty: () => JsonObject): JsonObject
  /** The rows of one bucket as a condition by shard: for top_hits. */
  condition(key: Scalar): (Condition | undefined)[]
}

/** What most of them have in common. */
export const bucketDefaults = { top: undefined, minCount: 0, isGlobal: false } as const
