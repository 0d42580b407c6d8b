// Pure. range, date_range and ip_range.
import { parseDateMath } from '../dates/math.ts'
import { asArray, isObject, type JsonObject, textOf } from '../json/value.ts'
import { formatAddress, nextAddress, parseAddress, parseBlock } from '../mapping/address.ts'
import type { Scalar } from '../mapping/values.ts'
import { formatOf, rangeCondition } from '../query/values.ts'
import type { Condition } from '../storage/plan.ts'
import { type BucketAggregation, bucketDefaults } from './bucket.ts'
import { type AggregationContext, sourceOf } from './sources.ts'
import type { AggregationNode } from './tree.ts'

interface RangeShape {
  readonly key: string
  readonly from: Scalar | undefined
  readonly to: Scalar | undefined
}

export function makeRanges(context: AggregationContext, node: AggregationNode): BucketAggregation {
  const { type, body } = node
  const source = sourceOf(context, node, type === 'ip_range' ? 'any' : 'numeric')
  const ranges = asArray(body['ranges']).map((one) =>
    rangeShape(context, node, isObject(one) ? one : {}),
  )
  const order = (value: Scalar | undefined, open: number): number | string =>
    value === undefined ? open : typeof value === 'string' ? value : Number(value)
  const compare = (a: number | string, b: number | string): number => {
    if (a === b) return 0
    if (a === Number.NEGATIVE_INFINITY || b === Number.POSITIVE_INFINITY) return -1
    if (b === Number.NEGATIVE_INFINITY || a === Number.POSITIVE_INFINITY) return 1
    return a < b ? -1 : 1
  }
  ranges.sort(
    (a, b) =>
      compare(order(a.from, Number.NEGATIVE_INFINITY), order(b.from, Number.NEGATIVE_INFINITY)) ||
      compare(order(a.to, Number.POSITIVE_INFINITY), order(b.to, Number.POSITIVE_INFINITY)),
  )
  const conditions = ranges.map((range) =>
    source.fields.map((field): Condition => {
      if (field === undefined) return { kind: 'none' }
      if (type !== 'ip_range') {
        const { from, to } = range
        const bounds = {
          ...(from === undefined ? {} : { gte: Number(from) }),
          ...(to === undefined ? {} : { lt: Number(to) }),
        }
        if (field.type !== 'date') return rangeCondition(field, bounds, { now: 0, boost: 1 })
      }
      const lower = range.from === undefined ? undefined : { value: range.from, inclusive: true }
      const upper = range.to === undefined ? undefined : { value: range.to, inclusive: false }
      return { kind: 'range', field, lower, upper, boost: 1 }
    }),
  )
  return {
    ...bucketDefaults,
    node,
    grouping: { kind: 'conditions', conditions },
    render: (rows, _, empty) => {
      const byKey = new Map(rows.map((row) => [Number(row.key), row]))
      const buckets = ranges.map((range, at) => {
        const row = byKey.get(at)
        const inner = row?.inner ?? empty()
        return { ...showRange(node, range), doc_count: row?.count ?? 0, ...inner }
      })
      if (body['keyed'] !== true) return { buckets }
      const named = buckets.map(({ key, ...bucket }) => [String(key), bucket] as const)
      return { buckets: Object.fromEntries(named) }
    },
    condition: (key) => conditions[Number(key)] ?? [],
  }
}

function rangeShape(
  context: AggregationContext,
  node: AggregationNode,
  range: JsonObject,
): RangeShape {
  const name = typeof range['key'] === 'string' ? range['key'] : undefined
  if (node.type === 'ip_range') {
    const block = parseBlock(textOf(range['mask'] ?? ''))
    if (block !== undefined) {
      return { key: name ?? textOf(range['mask']), from: block.first, to: nextAddress(block.last) }
    }
    const read = (key: string): string | undefined =>
      range[key] === undefined ? undefined : parseAddress(textOf(range[key]))
    const from = read('from')
    const to = read('to')
    const text = (value: string | undefined): string =>
      value === undefined ? '*' : formatAddress(value)
    return { key: name ?? `${text(from)}-${text(to)}`, from, to }
  }
  const format = dateFormatOf(node)
  const read = (key: string): number | undefined => {
    const value = range[key]
    if (value === undefined || value === null) return undefined
    if (node.type !== 'date_range') return Number(value)
    return parseDateMath(textOf(value), { now: context.now, format })
  }
  const from = read('from')
  const to = read('to')
  const text = (value: number | undefined): string => {
    if (value === undefined) return '*'
    if (node.type === 'date_range') return format.format(value)
    return Number.isInteger(value) ? `${value}.0` : String(value)
  }
  return { key: name ?? `${text(from)}-${text(to)}`, from, to }
}

function dateFormatOf(node: AggregationNode): ReturnType<typeof formatOf> {
  return formatOf(textOf(node.body['format'] ?? 'strict_date_optional_time||epoch_millis'))
}

function showRange(node: AggregationNode, range: RangeShape): JsonObject & { key: string } {
  const json: JsonObject & { key: string } = { key: range.key }
  const put = (name: 'from' | 'to', value: Scalar | undefined): void => {
    if (value === undefined) return
    if (node.type === 'ip_range') json[name] = formatAddress(String(value))
    else json[name] = Number(value)
    if (node.type === 'date_range')
      json[`${name}_as_string`] = dateFormatOf(node).format(Number(value))
  }
  put('from', range.from)
  put('to', range.to)
  return json
}
