// Pure. Metric aggregations: what each asks of the storage, and how its answer looks.
import type { Json, JsonObject } from '../json/value.ts'
import type { Scalar } from '../mapping/values.ts'
import type { Metric, MetricPlan } from '../storage/plan.ts'
import { RequestParseError } from '../errors.ts'
import { type AggregationContext, type NamedSource, sourceOf } from './sources.ts'
import type { AggregationNode } from './tree.ts'

export type MetricAnswer = Scalar | readonly number[] | null

export interface MetricAggregation {
  readonly node: AggregationNode
  readonly plans: readonly MetricPlan[]
  render(answers: readonly MetricAnswer[]): JsonObject
  /** The value that buckets are ordered by: `stats.max` asks for `max`. */
  orderPlan(member: string): number | undefined
}

const parts: Readonly<Record<string, readonly Metric[]>> = {
  min: ['min'],
  max: ['max'],
  sum: ['sum'],
  avg: ['sum', 'count', 'avg'],
  value_count: ['count'],
  stats: ['count', 'min', 'max', 'sum', 'avg'],
  extended_stats: ['count', 'min', 'max', 'sum', 'avg', 'squares'],
  cardinality: ['distinct'],
  percentiles: ['values'],
}

/** @throws ShardError, RequestParseError */
export function makeMetric(context: AggregationContext, node: AggregationNode): MetricAggregation {
  const { type } = node
  const loose = type === 'value_count' || type === 'cardinality'
  const source = sourceOf(context, node, loose ? 'any' : 'numeric')
  const plans = (parts[type] ?? []).map((metric): MetricPlan => ({ metric, source }))
  const percents = type === 'percentiles' ? percentsOf(node) : []
  // Only buckets are ordered by these; the answer shows what it computes from the values.
  for (const percent of percents) plans.push({ metric: 'quantile', at: percent / 100, source })
  return {
    node,
    plans,
    render: (answers) => renderMetric(context, node, source, answers),
    orderPlan: (member) => {
      if (type === 'percentiles') {
        const at = percents.indexOf(Number(member))
        return at < 0 ? undefined : at + 1
      }
      const wanted = member === 'value' || member === '' ? type : member
      const metric = wanted === 'avg' ? 'avg' : (parts[wanted]?.[0] ?? wanted)
      const at = (parts[type] ?? []).findIndex((part) => part === metric)
      return at < 0 ? undefined : at
    },
  }
}

function renderMetric(
  context: AggregationContext,
  node: AggregationNode,
  source: NamedSource,
  answers: readonly MetricAnswer[],
): JsonObject {
  const number = (at: number): number | null => {
    const answer = answers[at]
    return answer === null || answer === undefined || typeof answer === 'object'
      ? null
      : Number(answer)
  }
  switch (node.type) {
    case 'min':
    case 'max':
      return valued(source, number(0))
    case 'sum':
      return valued(source, number(0) ?? 0)
    case 'avg': {
      const count = number(1) ?? 0
      return valued(source, count === 0 ? null : (number(0) ?? 0) / count)
    }
    case 'value_count':
    case 'cardinality':
      return { value: number(0) ?? 0 }
    case 'stats':
    case 'extended_stats':
      return renderStats(
        context,
        node,
        source,
        answers.map((_, at) => number(at)),
      )
    default:
      return renderPercentiles(node, answers[0])
  }
}

function valued(source: NamedSource, value: number | null): JsonObject {
  const json: JsonObject = { value }
  const text = value === null ? undefined : textOf(source, value)
  if (text !== undefined) json['value_as_string'] = text
  return json
}

function textOf(source: NamedSource, value: number): string | undefined {
  if (source.field?.type === 'date') return source.field.dateFormat.format(value)
  return source.field?.type === 'boolean' ? String(value !== 0) : undefined
}

function renderStats(
  context: AggregationContext,
  node: AggregationNode,
  source: NamedSource,
  values: readonly (number | null)[],
): JsonObject {
  const [count = 0, min = null, max = null, sum = null, , squares = null] = values
  const n = count ?? 0
  const emptySum = context.major >= 7 ? 0 : null
  const json: JsonObject = {
    count: n,
    min,
    max,
    avg: n === 0 ? null : (sum ?? 0) / n,
    sum: n === 0 ? emptySum : sum,
  }
  if (source.field?.type === 'date' && n > 0) {
    for (const key of ['min', 'max', 'avg', 'sum']) {
      json[`${key}_as_string`] = source.field.dateFormat.format(Number(json[key]))
    }
  }
  if (node.type === 'stats') return json
  const mean = n === 0 ? 0 : (sum ?? 0) / n
  const variance = n === 0 ? null : Math.max((squares ?? 0) / n - mean * mean, 0)
  const deviation = variance === null ? null : Math.sqrt(variance)
  const sigma = Number(node.body['sigma'] ?? 2)
  return {
    ...json,
    sum_of_squares: n === 0 ? emptySum : squares,
    variance,
    std_deviation: deviation,
    std_deviation_bounds: {
      upper: deviation === null ? null : mean + sigma * deviation,
      lower: deviation === null ? null : mean - sigma * deviation,
    },
  }
}

const defaultPercents = [1, 5, 25, 50, 75, 95, 99]

function percentsOf(node: AggregationNode): number[] {
  const listed = node.body['percents']
  const percents = Array.isArray(listed) ? listed.map(Number) : defaultPercents
  if (percents.length > 100 || percents.some((percent) => !(percent >= 0 && percent <= 100))) {
    throw new RequestParseError('percent must be in [0,100]', { path: node.path })
  }
  return percents
}

function renderPercentiles(node: AggregationNode, answer: MetricAnswer | undefined): JsonObject {
  const values = typeof answer === 'object' && answer !== null ? answer : []
  const percents = percentsOf(node)
  const show = (percent: number): Json => {
    const value = quantile(values, percent / 100)
    return Number.isNaN(value) ? 'NaN' : value
  }
  const sorted = [...percents].sort((a, b) => a - b)
  if (node.body['keyed'] === false) {
    return { values: sorted.map((percent) => ({ key: percent, value: show(percent) })) }
  }
  const named = sorted.map((percent) => [percentName(percent), show(percent)] as const)
  return { values: Object.fromEntries(named) }
}

export function percentName(percent: number): string {
  return Number.isInteger(percent) ? `${percent}.0` : String(percent)
}

/** Each value stands in the middle of its share, as single-valued centroids of a t-digest do. */
export function quantile(sorted: readonly number[], q: number): number {
  const last = sorted.length - 1
  const index = Math.min(Math.max(q * sorted.length - 0.5, 0), last)
  const before = Math.floor(index)
  const low = sorted[before]
  if (low === undefined) return Number.NaN
  const high = sorted[before + 1] ?? low
  return low * (before + 1 - index) + high * (index - before)
}
