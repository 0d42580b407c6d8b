// Pure. Bucket aggregations: how each parts the rows, which buckets it keeps, and how they look.
import { RequestParseError, ShardError } from '../errors.ts'
import { asArray, isObject, type Json, type JsonObject, textOf } from '../json/value.ts'
import type { BucketOrder, Condition } from '../storage/plan.ts'
import { type BucketAggregation, bucketDefaults, type BucketRow } from './bucket.ts'
import { makeDateHistogram } from './date-histogram.ts'
import type { MetricAggregation } from './metrics.ts'
import { makeRanges } from './ranges.ts'
import { type AggregationContext, showKey, sourceOf } from './sources.ts'
import type { AggregationNode } from './tree.ts'

export function makeBuckets(
  context: AggregationContext,
  node: AggregationNode,
  metrics: readonly MetricAggregation[],
): BucketAggregation {
  switch (node.type) {
    case 'terms':
      return makeTerms(context, node, metrics)
    case 'date_histogram':
      return makeDates(context, node, metrics)
    case 'histogram':
      return makeHistogram(context, node, metrics)
    case 'global':
    case 'filter':
    case 'missing':
      return makeSingle(context, node)
    case 'filters':
      return makeFilters(context, node)
    default:
      return makeRanges(context, node)
  }
}

function makeTerms(
  context: AggregationContext,
  node: AggregationNode,
  metrics: readonly MetricAggregation[],
): BucketAggregation {
  const { body } = node
  const source = sourceOf(context, node, 'any')
  const size = Number(body['size'] ?? 10)
  if (!(size > 0)) {
    throw new RequestParseError(`[terms] failed to parse field [size]`, {
      path: [...node.path, 'size'],
      type: 'x_content_parse_exception',
      form: 'prefix',
      causedBy: {
        type: 'illegal_argument_exception',
        reason: `[size] must be greater than 0. Found [${size}] in [${node.name}]`,
      },
    })
  }
  const type = source.field?.type
  return {
    ...bucketDefaults,
    node,
    grouping: { kind: 'values', source },
    top: { size, orders: ordersOf(node, metrics, [{ by: 'count', descending: true }]) },
    minCount: Math.max(Number(body['min_doc_count'] ?? 1), 1),
    render: (rows, total) => ({
      doc_count_error_upper_bound: 0,
      sum_other_doc_count: total - rows.reduce((sum, row) => sum + row.count, 0),
      buckets: rows.map(({ key, count, inner }) => {
        const shown = showKey(type, source.field, key)
        const text = shown.text === undefined ? {} : { key_as_string: shown.text }
        return { key: shown.key, ...text, doc_count: count, ...inner }
      }),
    }),
    condition: (key) =>
      source.fields.map((field) =>
        field === undefined
          ? undefined
          : { kind: 'equals', field, values: [key], boost: 1, scoring: 'constant' },
      ),
  }
}

/** `order` of terms and histograms. @throws ShardError for an aggregation that is not there */
function ordersOf(
  node: AggregationNode,
  metrics: readonly MetricAggregation[],
  usual: readonly BucketOrder[],
): BucketOrder[] {
  const listed = asArray(node.body['order'])
  if (listed.length === 0) return [...usual]
  return listed.flatMap((one): BucketOrder[] => {
    const [name, direction] = isObject(one) ? (Object.entries(one)[0] ?? []) : []
    const descending = textOf(direction).toLowerCase() === 'desc'
    if (name === undefined) return []
    if (name === '_count') return [{ by: 'count', descending }]
    if (name === '_key' || name === '_term' || name === '_time') return [{ by: 'key', descending }]
    return [metricOrder(name, metrics, descending)]
  })
}

function metricOrder(
  path: string,
  metrics: readonly MetricAggregation[],
  descending: boolean,
): BucketOrder {
  const name = path.split('.')[0] ?? path
  let at = 0
  for (const metric of metrics) {
    if (metric.node.name === name) {
      const plan = metric.orderPlan(path.slice(name.length + 1))
      if (plan !== undefined) return { by: 'metric', metric: at + plan, descending }
    }
    at += metric.plans.length
  }
  throw new ShardError(
    500,
    'aggregation_execution_exception',
    `Invalid aggregator order path [${path}]. Unknown aggregation [${name}]`,
  )
}

function makeDates(
  context: AggregationContext,
  node: AggregationNode,
  metrics: readonly MetricAggregation[],
): BucketAggregation {
  const dates = makeDateHistogram(context, node)
  const minCount = Number(node.body['min_doc_count'] ?? 0)
  const orders = ordersOf(node, metrics, [{ by: 'key', descending: false }])
  return {
    ...bucketDefaults,
    node,
    grouping: dates.grouping,
    minCount: Math.max(minCount, 1),
    render: (rows, _, empty) => {
      const filled =
        minCount > 0 ? [...rows] : fillGaps(rows, (key) => dates.next(key), dates.bounds, empty)
      const shown = sortRows(filled, orders).map(({ key, count, inner }) => {
        const keyMs = dates.keyOf(Number(key))
        return { key_as_string: dates.show(keyMs), key: keyMs, doc_count: count, ...inner }
      })
      return { buckets: keyed(node, shown, (bucket) => bucket.key_as_string) }
    },
    condition: (key) =>
      dates.source.fields.map((field) => {
        if (field === undefined) return undefined
        const lower = { value: dates.keyOf(Number(key)), inclusive: true }
        const upper = { value: dates.keyOf(dates.next(Number(key))), inclusive: false }
        return { kind: 'range', field, lower, upper, boost: 1 }
      }),
  }
}

/** Gaps are filled up to this many buckets. */
const gapBucketsMax = 65_535

function fillGaps(
  rows: readonly BucketRow[],
  next: (key: number) => number,
  bounds: { readonly first: number; readonly last: number } | undefined,
  empty: () => JsonObject,
): BucketRow[] {
  const byKey = new Map(rows.map((row) => [Number(row.key), row]))
  const keys = [...byKey.keys()]
  if (bounds !== undefined) keys.push(bounds.first, bounds.last)
  if (keys.length === 0) return []
  const last = keys.reduce((a, b) => Math.max(a, b))
  const filled: BucketRow[] = []
  for (let key = keys.reduce((a, b) => Math.min(a, b)); key <= last; key = next(key)) {
    filled.push(byKey.get(key) ?? { key, count: 0, inner: empty() })
    if (filled.length > gapBucketsMax) {
      throw new ShardError(
        503,
        'too_many_buckets_exception',
        `Trying to create too many buckets. Must be less than or equal to: [${gapBucketsMax}] but was [${gapBucketsMax + 1}]. This limit can be set by changing the [search.max_buckets] cluster level setting.`,
      )
    }
  }
  return filled
}

function sortRows(rows: readonly BucketRow[], orders: readonly BucketOrder[]): BucketRow[] {
  const sorted = [...rows].sort((a, b) => Number(a.key) - Number(b.key))
  for (const order of [...orders].reverse()) {
    const sign = order.descending ? -1 : 1
    if (order.by === 'count') sorted.sort((a, b) => sign * (a.count - b.count))
    if (order.by === 'key') sorted.sort((a, b) => sign * (Number(a.key) - Number(b.key)))
  }
  return sorted
}

function keyed<T extends JsonObject>(
  node: AggregationNode,
  buckets: readonly T[],
  nameOf: (bucket: T) => string,
): Json {
  if (node.body['keyed'] !== true) return [...buckets]
  return Object.fromEntries(buckets.map((bucket) => [nameOf(bucket), bucket]))
}

function makeHistogram(
  context: AggregationContext,
  node: AggregationNode,
  metrics: readonly MetricAggregation[],
): BucketAggregation {
  const source = sourceOf(context, node, 'numeric')
  const interval = Number(node.body['interval'])
  if (!(interval > 0)) {
    throw new RequestParseError('[histogram] failed to parse field [interval]', {
      path: [...node.path, 'interval'],
      type: 'x_content_parse_exception',
      form: 'prefix',
    })
  }
  const offset = Number(node.body['offset'] ?? 0)
  const minCount = Number(node.body['min_doc_count'] ?? 0)
  const orders = ordersOf(node, metrics, [{ by: 'key', descending: false }])
  const boundsBody = node.body['extended_bounds']
  const start = (value: Json | undefined): number =>
    Math.floor((Number(value) - offset) / interval) * interval + offset
  const bounds = isObject(boundsBody)
    ? { first: start(boundsBody['min']), last: start(boundsBody['max']) }
    : undefined
  return {
    ...bucketDefaults,
    node,
    grouping: { kind: 'steps', source, interval, offset },
    minCount: Math.max(minCount, 1),
    render: (rows, _, empty) => {
      const next = (key: number): number => key + interval
      const filled = minCount > 0 ? [...rows] : fillGaps(rows, next, bounds, empty)
      const shown = sortRows(filled, orders).map(({ key, count, inner }) => ({
        key: Number(key),
        doc_count: count,
        ...inner,
      }))
      return { buckets: keyed(node, shown, (bucket) => String(bucket.key)) }
    },
    condition: (key) =>
      source.fields.map((field) => {
        if (field === undefined) return undefined
        const lower = { value: Number(key), inclusive: true }
        const upper = { value: Number(key) + interval, inclusive: false }
        return { kind: 'range', field, lower, upper, boost: 1 }
      }),
  }
}

function makeSingle(context: AggregationContext, node: AggregationNode): BucketAggregation {
  let conditions: Condition[]
  if (node.type === 'filter') conditions = context.resolve(node.body, node.path)
  else if (node.type === 'global')
    conditions = context.indices.map(() => ({ kind: 'all', boost: 1 }))
  else {
    conditions = sourceOf(context, node, 'any').fields.map((field): Condition => {
      if (field === undefined) return { kind: 'all', boost: 1 }
      const mustNot: Condition[] = [{ kind: 'present', field, boost: 1 }]
      const none = { must: [], filter: [], should: [], minimumShouldMatch: 0, boost: 1 }
      return { kind: 'bool', mustNot, ...none }
    })
  }
  return {
    ...bucketDefaults,
    node,
    isGlobal: node.type === 'global',
    grouping: { kind: 'conditions', conditions: [conditions] },
    render: (rows, _, empty) => ({
      doc_count: rows[0]?.count ?? 0,
      ...(rows[0]?.inner ?? empty()),
    }),
    condition: () => conditions,
  }
}

function makeFilters(context: AggregationContext, node: AggregationNode): BucketAggregation {
  const listed = node.body['filters']
  const entries: [string, Json][] = Array.isArray(listed)
    ? listed.map((one, at) => [String(at), one])
    : Object.entries(isObject(listed) ? listed : {})
  const conditions = entries.map(([name, query]) =>
    context.resolve(query, [...node.path, 'filters', Array.isArray(listed) ? Number(name) : name]),
  )
  const names = entries.map(([name]) => name)
  const other = node.body['other_bucket_key']
  if (other !== undefined || node.body['other_bucket'] === true) {
    names.push(typeof other === 'string' ? other : '_other_')
    conditions.push(context.indices.map((_, at) => noneOf(conditions.map((one) => one[at]))))
  }
  return {
    ...bucketDefaults,
    node,
    grouping: { kind: 'conditions', conditions },
    render: (rows, _, empty) => {
      const byKey = new Map(rows.map((row) => [Number(row.key), row]))
      const buckets = names.map((_name, at) => {
        const row = byKey.get(at)
        return { doc_count: row?.count ?? 0, ...(row?.inner ?? empty()) }
      })
      if (Array.isArray(listed)) return { buckets }
      return { buckets: Object.fromEntries(names.map((name, at) => [name, buckets[at] ?? {}])) }
    },
    condition: (key) => conditions[Number(key)] ?? [],
  }
}

function noneOf(conditions: readonly (Condition | undefined)[]): Condition {
  const mustNot = conditions.flatMap((one) => one ?? [])
  const none = { must: [], filter: [], should: [], minimumShouldMatch: 0, boost: 1 }
  return { kind: 'bool', mustNot, ...none }
}
