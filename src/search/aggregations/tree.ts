// Pure. The `aggs` of a request as a tree, checked as far as that goes without an index.
import { RequestParseError } from '../errors.ts'
import { isObject, type Json, type JsonObject } from '../json/value.ts'
import type { Path } from '../query/context.ts'

export interface AggregationNode {
  readonly name: string
  readonly type: string
  readonly body: JsonObject
  readonly path: Path
  readonly children: readonly AggregationNode[]
  readonly meta: Json | undefined
}

export const metricTypes: ReadonlySet<string> = new Set([
  'min',
  'max',
  'sum',
  'avg',
  'value_count',
  'stats',
  'extended_stats',
  'cardinality',
  'percentiles',
])

export const bucketTypes: ReadonlySet<string> = new Set([
  'terms',
  'date_histogram',
  'histogram',
  'filter',
  'filters',
  'range',
  'date_range',
  'ip_range',
  'missing',
  'global',
])

export const pipelineTypes: ReadonlySet<string> = new Set([
  'derivative',
  'cumulative_sum',
  'max_bucket',
  'min_bucket',
  'avg_bucket',
  'sum_bucket',
])

/** Deeper trees are refused: one statement runs per level. */
const depthMax = 10

/** @throws RequestParseError */
export function parseAggregations(aggs: Json, path: Path, depth = 0): AggregationNode[] {
  if (!isObject(aggs)) {
    throw new RequestParseError('Expected [START_OBJECT] in [aggs]', { path })
  }
  if (depth > depthMax) {
    throw new RequestParseError(`aggregations are nested deeper than ${depthMax}`, { path })
  }
  return Object.entries(aggs).map(([name, definition]) => {
    const own = [...path, name]
    if (!/^[^[\]>]+$/.test(name)) {
      throw new RequestParseError(
        `Invalid aggregation name [${name}]. Aggregation names must be alpha-numeric and can only ` +
          "contain '_' and '-'",
        { path: own, place: 'name' },
      )
    }
    return parseOne(name, definition, own, depth)
  })
}

function parseOne(name: string, definition: Json, path: Path, depth: number): AggregationNode {
  if (!isObject(definition)) {
    throw new RequestParseError(
      `Aggregation definition for [${name} starts with a [VALUE], expected a [START_OBJECT].`,
      { path },
    )
  }
  const { aggs, aggregations, meta, ...types } = definition
  const names = Object.keys(types)
  const [type, second] = names
  if (type === undefined) {
    throw new RequestParseError(`Missing definition for aggregation [${name}]`, {
      path,
      place: 'end',
    })
  }
  if (second !== undefined) {
    throw new RequestParseError(
      `Found two aggregation type definitions in [${name}]: [${type}] and [${second}]`,
      { path: [...path, second] },
    )
  }
  if (
    !metricTypes.has(type) &&
    !bucketTypes.has(type) &&
    !pipelineTypes.has(type) &&
    type !== 'top_hits'
  ) {
    throw new RequestParseError(
      `unable to parse BaseAggregationBuilder with name [${type}]: parser not found`,
      { path: [...path, type], form: 'prefix', type: 'named_object_not_found_exception' },
    )
  }
  const body = types[type]
  const inner = aggs ?? aggregations
  const innerPath = [...path, aggs === undefined ? 'aggregations' : 'aggs']
  const children = inner === undefined ? [] : parseAggregations(inner, innerPath, depth + 1)
  if (children.length > 0 && !bucketTypes.has(type)) {
    throw new RequestParseError(
      `Aggregator [${name}] of type [${type}] cannot accept sub-aggregations`,
      { path: [...path, type], type: 'aggregation_initialization_exception' },
    )
  }
  return {
    name,
    type,
    body: isObject(body) ? body : {},
    path: [...path, type],
    children,
    meta,
  }
}
