/** Evaluates a tree of aggregations, one statement per level and bucket aggregation. */
import { ShardError } from '../errors.ts'
import type { Json, JsonObject } from '../json/value.ts'
import type { Scalar } from '../mapping/values.ts'
import type { Condition, Grouping, GroupRow, ShardPlan } from '../storage/plan.ts'
import { TooManyBucketsError } from '../storage/plan.ts'
import type { SearchStorage } from '../storage/storage.ts'
import type { BucketAggregation, BucketRow } from './bucket.ts'
import { makeBuckets } from './buckets.ts'
import { makeMetric, type MetricAggregation, type MetricAnswer } from './metrics.ts'
import { runPipelines } from './pipelines.ts'
import type { AggregationContext } from './sources.ts'
import { type AggregationNode, metricTypes, pipelineTypes } from './tree.ts'

/** The hits of top_hits, rendered, for rows that meet the conditions. */
export type TopHits = (node: AggregationNode, shards: readonly ShardPlan[]) => Promise<JsonObject>

export interface EvaluateParts {
  readonly storage: SearchStorage
  readonly context: AggregationContext
  readonly topHits: TopHits
}

/** Buckets of one answer. */
const bucketsMax = 65_535

export async function evaluateAggregations(
  parts: EvaluateParts,
  nodes: readonly AggregationNode[],
): Promise<JsonObject> {
  const level = prepare(parts.context, nodes)
  const rootShards = parts.context.shards
  const outer: Outer = { groupings: [], shards: rootShards, keys: [[]], aggregations: [] }
  let metricAnswers: readonly MetricAnswer[] = []
  if (level.metrics.length > 0) {
    const plans = level.metrics.flatMap((metric) => metric.plans)
    const rows = await parts.storage.groups({
      shards: rootShards,
      outer: [],
      grouping: undefined,
      metrics: plans,
      top: undefined,
      minCount: 0,
      bucketsMax,
    })
    metricAnswers = rows[0]?.metrics ?? []
  }
  const rendered = await renderLevel(parts, level, outer, () => metricAnswers)
  return rendered(pathOf([])) ?? {}
}

interface Level {
  readonly nodes: readonly AggregationNode[]
  readonly metrics: readonly MetricAggregation[]
  readonly buckets: readonly PreparedBucket[]
  readonly topHits: readonly AggregationNode[]
}

interface PreparedBucket {
  readonly aggregation: BucketAggregation
  readonly inner: Level
}

/** Resolves every field of the tree first, so that mistakes show before anything runs. */
function prepare(context: AggregationContext, nodes: readonly AggregationNode[]): Level {
  const metrics = nodes
    .filter((node) => metricTypes.has(node.type))
    .map((node) => makeMetric(context, node))
  const buckets = nodes
    .filter((node) => !metricTypes.has(node.type) && !pipelineTypes.has(node.type))
    .filter((node) => node.type !== 'top_hits')
    .map((node): PreparedBucket => {
      const inner = prepare(context, node.children)
      return { aggregation: makeBuckets(context, node, inner.metrics), inner }
    })
  const topHits = nodes.filter((node) => node.type === 'top_hits')
  return { nodes, metrics, buckets, topHits }
}

interface Outer {
  readonly groupings: readonly { readonly grouping: Grouping; readonly within: readonly Scalar[] }[]
  readonly aggregations: readonly BucketAggregation[]
  readonly shards: readonly ShardPlan[]
  /** The outer buckets: their keys, outermost first. */
  readonly keys: readonly (readonly Scalar[])[]
}

type Rendered = (path: string) => JsonObject | undefined

const pathOf = (keys: readonly Scalar[]): string => JSON.stringify(keys.map(String))

/** All aggregations of one level for all outer buckets. */
async function renderLevel(
  parts: EvaluateParts,
  level: Level,
  outer: Outer,
  metricAnswers: (path: string) => readonly MetricAnswer[],
): Promise<Rendered> {
  const results = new Map<string, JsonObject>()
  const bucketResults = new Map<AggregationNode, Rendered>()
  for (const bucket of level.buckets) {
    bucketResults.set(bucket.aggregation.node, await renderBucket(parts, bucket, outer))
  }
  for (const keys of outer.keys) {
    const path = pathOf(keys)
    const json = renderMetrics(level, metricAnswers(path))
    for (const node of level.nodes) {
      const rendered = bucketResults.get(node)
      if (rendered !== undefined) json[node.name] = rendered(path) ?? {}
      if (node.type === 'top_hits') {
        json[node.name] = await parts.topHits(node, narrow(outer, keys))
      }
      const own = json[node.name]
      if (node.meta !== undefined && own !== undefined) {
        json[node.name] = { meta: node.meta, ...(own as JsonObject) }
      }
    }
    results.set(path, inOrder(level, json))
  }
  return (path) => results.get(path)
}

function renderMetrics(level: Level, answers: readonly MetricAnswer[]): JsonObject {
  const json: JsonObject = {}
  let at = 0
  for (const metric of level.metrics) {
    json[metric.node.name] = metric.render(answers.slice(at, at + metric.plans.length))
    at += metric.plans.length
  }
  return json
}

/** Siblings of the request's order, with the pipelines that read other aggregations. */
function inOrder(level: Level, json: JsonObject): JsonObject {
  const ordered: JsonObject = {}
  for (const node of level.nodes) {
    const value: Json | undefined = json[node.name]
    if (value !== undefined) ordered[node.name] = value
  }
  return runPipelines(level.nodes, ordered)
}

async function renderBucket(
  parts: EvaluateParts,
  bucket: PreparedBucket,
  outer: Outer,
): Promise<Rendered> {
  const { aggregation, inner } = bucket
  const shards = aggregation.isGlobal
    ? outer.shards.map((shard): ShardPlan => ({ ...shard, condition: { kind: 'all', boost: 1 } }))
    : outer.shards
  const rows = await groupRows(parts, bucket, outer, shards)
  const answers = new Map(rows.map((row) => [pathOf(row.keys), row.metrics]))
  const within = [
    ...new Map(rows.map((row) => [String(row.keys.at(-1)), row.keys.at(-1)])).values(),
  ]
  const own = {
    grouping: aggregation.grouping,
    within: within.flatMap((key) => key ?? []),
  }
  const deeper: Outer = {
    groupings: [...outer.groupings, own],
    aggregations: [...outer.aggregations, aggregation],
    shards,
    keys: rows.map((row) => row.keys),
  }
  const none = inner.metrics.map(() => null)
  const innerRendered = await renderLevel(parts, inner, deeper, (path) => answers.get(path) ?? none)
  const emptyInner = emptyLevel(parts, inner)
  const byOuter = new Map<string, GroupRow[]>()
  for (const row of rows) {
    const path = pathOf(row.keys.slice(0, -1))
    const list = byOuter.get(path)
    if (list === undefined) byOuter.set(path, [row])
    else list.push(row)
  }
  return (path) => {
    const own = byOuter.get(path) ?? []
    const bucketRows = own.map(
      (row): BucketRow => ({
        key: row.keys.at(-1) ?? '',
        count: row.count,
        inner: innerRendered(pathOf(row.keys)) ?? {},
      }),
    )
    const total = own[0]?.total ?? 0
    return aggregation.render(bucketRows, total, () => emptyInner)
  }
}

async function groupRows(
  parts: EvaluateParts,
  bucket: PreparedBucket,
  outer: Outer,
  shards: readonly ShardPlan[],
): Promise<GroupRow[]> {
  if (outer.keys.length === 0) return []
  const { aggregation, inner } = bucket
  try {
    const rows = await parts.storage.groups({
      shards,
      outer: outer.groupings,
      grouping: aggregation.grouping,
      metrics: inner.metrics.flatMap((metric) => metric.plans),
      top: aggregation.top,
      minCount: aggregation.minCount,
      bucketsMax,
    })
    const wanted = new Set(outer.keys.map(pathOf))
    return rows.filter((row) => wanted.has(pathOf(row.keys.slice(0, -1))))
  } catch (error) {
    if (!(error instanceof TooManyBucketsError)) throw error
    throw new ShardError(
      503,
      'too_many_buckets_exception',
      `Trying to create too many buckets. Must be less than or equal to: [${bucketsMax}] but was ` +
        `[${bucketsMax + 1}]. This limit can be set by changing the [search.max_buckets] cluster ` +
        'level setting.',
    )
  }
}

/** What sub-aggregations answer for a bucket without rows. */
function emptyLevel(parts: EvaluateParts, level: Level): JsonObject {
  const json = renderMetrics(
    level,
    level.metrics.flatMap((metric) =>
      metric.plans.map((plan) =>
        plan.metric === 'count' || plan.metric === 'distinct' ? 0 : null,
      ),
    ),
  )
  for (const { aggregation, inner } of level.buckets) {
    const empty = emptyLevel(parts, inner)
    json[aggregation.node.name] = aggregation.render([], 0, () => empty)
  }
  return inOrder(level, json)
}

/** The rows of one outer bucket. */
function narrow(outer: Outer, keys: readonly Scalar[]): ShardPlan[] {
  return outer.shards.map((shard, at) => {
    const filter: Condition[] = keys.map(
      (key, level) => outer.aggregations[level]?.condition(key)[at] ?? { kind: 'none' },
    )
    const rest = { should: [], mustNot: [], minimumShouldMatch: 0, boost: 1 }
    const condition: Condition = { kind: 'bool', must: [shard.condition], filter, ...rest }
    return { ...shard, condition }
  })
}
