// Pure. `typed_keys`: names of aggregations with the type of their answer in front.
import type { AggregationContext } from '../aggregations/sources.ts'
import type { AggregationNode } from '../aggregations/tree.ts'
import { isObject, type Json, type JsonObject, textOf } from '../json/value.ts'

export function typedNames(
  context: AggregationContext,
  nodes: readonly AggregationNode[],
  json: JsonObject,
): JsonObject {
  const result: JsonObject = {}
  for (const [name, value] of Object.entries(json)) {
    const node = nodes.find((one) => one.name === name)
    if (node === undefined) result[name] = value
    else result[`${typeOf(context, node)}#${name}`] = inner(context, node, value)
  }
  return result
}

function inner(context: AggregationContext, node: AggregationNode, value: Json): Json {
  if (node.children.length === 0 || !isObject(value)) return value
  const { buckets } = value
  const typed = (one: Json): Json => (isObject(one) ? typedNames(context, node.children, one) : one)
  if (Array.isArray(buckets)) return { ...value, buckets: buckets.map(typed) }
  if (!isObject(buckets)) return typed(value)
  const named = Object.entries(buckets).map(([key, one]) => [key, typed(one)] as const)
  return { ...value, buckets: Object.fromEntries(named) }
}

function typeOf(context: AggregationContext, node: AggregationNode): string {
  switch (node.type) {
    case 'terms': {
      const name = textOf(node.body['field'])
      const field = context.indices.map((one) => one.mapping.fields.get(name)).find((one) => one)
      if (field === undefined) return 'umterms'
      if (field.columnKind === 'string') return 'sterms'
      return field.columnKind === 'whole' || field.columnKind === 'boolean' ? 'lterms' : 'dterms'
    }
    case 'percentiles':
      return 'tdigest_percentiles'
    case 'cumulative_sum':
      return 'simple_value'
    case 'max_bucket':
    case 'min_bucket':
      return 'bucket_metric_value'
    case 'avg_bucket':
    case 'sum_bucket':
      return 'simple_value'
    default:
      return node.type
  }
}
