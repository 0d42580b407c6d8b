// Pure. Pipeline aggregations: computed from the answers of others.
import { illegalArgument } from '../errors.ts'
import { isObject, type Json, type JsonObject, textOf } from '../json/value.ts'
import { type AggregationNode, pipelineTypes } from './tree.ts'

/** Adds the pipelines beside and within the aggregations of one level. */
export function runPipelines(nodes: readonly AggregationNode[], json: JsonObject): JsonObject {
  const result = { ...json }
  for (const node of nodes) {
    const own = result[node.name]
    const inside = node.children.filter((child) => isParentPipeline(child.type))
    if (inside.length > 0 && isObject(own)) withinBuckets(inside, own)
    if (pipelineTypes.has(node.type) && !isParentPipeline(node.type)) {
      result[node.name] = overBuckets(node, result)
    }
  }
  return result
}

function isParentPipeline(type: string): boolean {
  return type === 'derivative' || type === 'cumulative_sum'
}

function withinBuckets(pipelines: readonly AggregationNode[], parent: JsonObject): void {
  const buckets = Array.isArray(parent['buckets']) ? parent['buckets'].filter(isObject) : []
  for (const pipeline of pipelines) {
    const path = pathOf(pipeline)
    let sum = 0
    let previous: number | undefined
    for (const bucket of buckets) {
      const value = valueAt(bucket, path)
      if (pipeline.type === 'cumulative_sum') {
        sum += value ?? 0
        bucket[pipeline.name] = { value: sum }
      } else {
        if (value !== undefined && previous !== undefined) {
          bucket[pipeline.name] = { value: value - previous }
        }
        previous = value ?? previous
      }
    }
  }
}

function overBuckets(node: AggregationNode, siblings: JsonObject): JsonObject {
  const [name = '', ...rest] = pathOf(node).split('>')
  const sibling = siblings[name]
  if (!isObject(sibling)) {
    throw illegalArgument(`No aggregation found for path [${pathOf(node)}]`)
  }
  const buckets = Array.isArray(sibling['buckets']) ? sibling['buckets'].filter(isObject) : []
  const values = buckets.map((bucket) => ({ bucket, value: valueAt(bucket, rest.join('>')) }))
  const present = values.filter(
    (one): one is { bucket: JsonObject; value: number } => one.value !== undefined,
  )
  const numbers = present.map((one) => one.value)
  const sum = numbers.reduce((a, b) => a + b, 0)
  if (node.type === 'sum_bucket') return { value: sum }
  if (node.type === 'avg_bucket')
    return { value: numbers.length === 0 ? null : sum / numbers.length }
  const pick = node.type === 'max_bucket' ? Math.max : Math.min
  const best = numbers.length === 0 ? undefined : numbers.reduce((a, b) => pick(a, b))
  const keys = present
    .filter((one) => one.value === best)
    .map(({ bucket }) => textOf(bucket['key_as_string'] ?? bucket['key']))
  return { value: best ?? null, keys }
}

function pathOf(node: AggregationNode): string {
  return textOf(node.body['buckets_path'] ?? '')
}

/** `name`, `name.member`, `_count`, `a>b`. */
function valueAt(bucket: JsonObject, path: string): number | undefined {
  if (path === '_count') return Number(bucket['doc_count'])
  let at: Json | undefined = bucket
  for (const step of path.split('>')) {
    const [name = '', member = 'value'] = step.split('.')
    if (!isObject(at)) return undefined
    const own: Json | undefined = at[name]
    if (!isObject(own)) return undefined
    at = step === path.split('>').at(-1) ? (own[member] ?? null) : own
  }
  return typeof at === 'number' ? at : undefined
}
