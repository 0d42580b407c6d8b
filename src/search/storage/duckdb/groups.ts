/** Groups rows into buckets and computes metrics, one statement per level of an aggregation. */
import type { DuckDBValue } from '@duckdb/node-api'
import type { Field } from '../../mapping/field.ts'
import type { Scalar } from '../../mapping/values.ts'
import {
  type BucketOrder,
  type DateGrouping,
  type GroupPlan,
  type Grouping,
  type GroupRow,
  type MetricPlan,
  TooManyBucketsError,
  type ValueSource,
} from '../plan.ts'
import { conditionSql, needsPosting } from './conditions.ts'
import type { Engine } from './engine.ts'
import { commonType, fileOf, toScalar, whereSql } from './hits.ts'
import { hasColumn } from './segment.ts'
import { asksForTokens, type Slice, slicesOf } from './slice.ts'
import { SliceRows } from './slice-rows.ts'
import { listColumn, Parameters, singleColumn, type SqlScalarType } from './sql.ts'

export async function findGroups(engine: Engine, plan: GroupPlan): Promise<GroupRow[]> {
  const parameters = new Parameters()
  const groupings = [...plan.outer.map((one) => one.grouping)]
  if (plan.grouping !== undefined) groupings.push(plan.grouping)
  const text = groupings.some(
    (one) => one.kind === 'conditions' && one.conditions.flat().some(asksForTokens),
  )
  const slices = plan.shards.flatMap((shard, at) =>
    slicesOf(fileOf(shard), shard.condition, {
      shard: at,
      text: text || asksForTokens(shard.condition),
    }),
  )
  if (slices.length === 0 && plan.grouping !== undefined) return []
  const sql = statement(plan, groupings, slices, parameters)
  const rows = await engine.read(sql, parameters.values)
  if (rows.length > plan.bucketsMax) throw new TooManyBucketsError('too many buckets')
  const result: GroupRow[] = []
  const keys = groupings.length
  for (let row = 0; row < rows.length; row++) {
    result.push({
      keys: groupings.map((_, at) => toScalar(rows.value(at, row)) ?? ''),
      count: rows.number(keys, row),
      total: rows.number(keys + 1, row),
      metrics: plan.metrics.map((_, at) => metricValue(rows.value(keys + 2 + at, row))),
    })
  }
  return result
}

function statement(
  plan: GroupPlan,
  groupings: readonly Grouping[],
  slices: readonly Slice[],
  parameters: Parameters,
): string {
  const inputs = inputColumns(groupings, plan.metrics, slices)
  const selects = slices.map((slice) => {
    const shard = plan.shards[slice.shard]
    if (shard === undefined) throw new Error('a slice without a shard')
    const { condition } = shard
    const read = new SliceRows(slice, parameters, false)
    const columns = inputs.map((input) => `${inputSql(input, read)} AS ${input.name}`)
    const where = whereSql(read, condition)
    const from = read.from(needsPosting(condition))
    return `SELECT ${['1 AS one', ...columns].join(', ')} FROM ${from} WHERE ${where}`
  })
  const none = ['1 AS one', ...inputs.map((input) => `NULL::${input.type} AS ${input.name}`)]
  let rows = selects.join(' UNION ALL ') || `SELECT ${none.join(', ')} WHERE false`
  groupings.forEach((grouping, at) => {
    rows = `SELECT *, ${keySql(grouping, inputs[at], parameters)} AS k${at} FROM (${rows})`
    const within = plan.outer[at]?.within
    const limits = [`k${at} IS NOT NULL`]
    if (within !== undefined) {
      const list = parameters.add(within.map(plain), `${keyType(grouping, inputs[at])}[]`)
      limits.push(`k${at} IN (SELECT unnest(${list}))`)
    }
    rows = `SELECT * FROM (${rows}) WHERE ${limits.join(' AND ')}`
  })
  const metrics = plan.metrics.map((metric, at) => {
    const input = inputs[groupings.length + at]
    return `${metricSql(metric, input)} AS m${at}`
  })
  return grouped(plan, groupings.length, metrics, rows)
}

function grouped(plan: GroupPlan, keyCount: number, metrics: string[], rows: string): string {
  const keys = Array.from({ length: keyCount }, (_, at) => `k${at}`)
  const outer = keys.slice(0, -1)
  const partition = outer.length === 0 ? '' : `PARTITION BY ${outer.join(', ')}`
  const by = keys.length === 0 ? '' : ` GROUP BY ${keys.join(', ')}`
  const having = plan.minCount > 1 ? ` HAVING count(*) >= ${plan.minCount}` : ''
  const shown = metrics.map((_, at) => `m${at}`)
  const columns = [...keys, 'n', `sum(n) OVER (${partition}) AS total`, ...shown].join(', ')
  const inner =
    `SELECT ${[...keys, 'count(*) AS n', ...metrics].join(', ')} FROM (${rows})` + by + having
  const own = keys.at(-1)
  const order = own === undefined ? '' : orderSql(plan.top?.orders ?? [], own)
  const top =
    plan.top === undefined || own === undefined
      ? ''
      : ` QUALIFY row_number() OVER (${partition} ORDER BY ${order}) <= ${plan.top.size}`
  const sorted = own === undefined ? '' : ` ORDER BY ${[...outer, order].join(', ')}`
  return `SELECT ${columns} FROM (${inner})${top}${sorted} LIMIT ${plan.bucketsMax + 1}`
}

function orderSql(orders: readonly BucketOrder[], key: string): string {
  const parts = orders.map((order) => {
    const direction = order.descending ? 'DESC' : 'ASC'
    switch (order.by) {
      case 'count':
        return `n ${direction}`
      case 'key':
        return `${key} ${direction}`
      case 'metric':
        return `m${order.metric} ${direction} NULLS LAST`
    }
  })
  if (!orders.some((order) => order.by === 'key')) parts.push(`${key} ASC`)
  return parts.join(', ')
}

/** A column of the inner statement: the values of one source, or the positions of met conditions. */
interface Input {
  readonly name: string
  readonly source: ValueSource | undefined
  readonly conditions: Extract<Grouping, { kind: 'conditions' }> | undefined
  /** With `[]` where rows can have several values. */
  readonly type: string
  readonly element: SqlScalarType
  readonly isList: boolean
}

function inputColumns(
  groupings: readonly Grouping[],
  metrics: readonly MetricPlan[],
  slices: readonly Slice[],
): Input[] {
  const inputs: Input[] = []
  const add = (source: ValueSource | undefined, conditions: Input['conditions']): void => {
    const name = `v${inputs.length}`
    const element = source === undefined ? 'BIGINT' : elementType(source)
    const isList =
      source === undefined ||
      slices.some((slice) => {
        const field = source.fields[slice.shard]
        return field !== undefined && hasColumn(slice.segment, field.column, true)
      })
    const type = isList ? `${element}[]` : element
    inputs.push({ name, source, conditions, type, element, isList })
  }
  for (const grouping of groupings) {
    if (grouping.kind === 'conditions') add(undefined, grouping)
    else add(grouping.source, undefined)
  }
  for (const metric of metrics) add(metric.source, undefined)
  return inputs
}

function elementType(source: ValueSource): SqlScalarType {
  if (source.fields.every((field) => field === undefined)) {
    return typeof source.missing === 'string' ? 'VARCHAR' : 'DOUBLE'
  }
  return commonType(source.fields)
}

function inputSql(input: Input, rows: SliceRows): string {
  const { slice, parameters } = rows
  if (input.conditions !== undefined) {
    const parts = input.conditions.conditions.map((byShard, at) => {
      const condition = byShard[slice.shard] ?? { kind: 'none' }
      return `CASE WHEN ${conditionSql(condition, rows)} THEN ${at}::BIGINT END`
    })
    return `[${parts.join(', ')}]`
  }
  const field = input.source?.fields[slice.shard]
  const missing = input.source?.missing
  const value = valueSql(input, field, slice)
  if (missing === undefined) return value
  const bound = parameters.add(plain(missing), input.element)
  return `coalesce(${value}, ${input.isList ? `[${bound}]` : bound})`
}

function valueSql(input: Input, field: Field | undefined, slice: Slice): string {
  const none = `NULL::${input.type}`
  if (field === undefined) return none
  const limit = field.ignoreAbove
  const parts: string[] = []
  if (hasColumn(slice.segment, field.column, true)) {
    const list = listColumn(field.column)
    const kept =
      limit === undefined ? list : `list_filter(${list}, lambda v: length(v) <= ${limit})`
    parts.push(`(${kept})::${input.type}`)
  }
  if (hasColumn(slice.segment, field.column, false)) {
    const name = singleColumn(field.column)
    const kept =
      limit === undefined ? name : `CASE WHEN length(${name}) <= ${limit} THEN ${name} END`
    const value = `(${kept})::${input.element}`
    parts.push(input.isList ? `CASE WHEN ${name} IS NOT NULL THEN [${value}] END` : value)
  }
  if (parts.length === 0) return none
  return parts.length === 1 ? (parts[0] ?? none) : `coalesce(${parts.join(', ')})`
}

function keySql(grouping: Grouping, input: Input | undefined, parameters: Parameters): string {
  if (input === undefined) throw new Error('a grouping without an input')
  const { name } = input
  const each = (make: (value: string) => string): string => {
    if (!input.isList) return make(name)
    return `unnest(list_distinct(list_transform(${name}, lambda v: ${make('v')})))`
  }
  switch (grouping.kind) {
    case 'values':
      return each((value) => value)
    case 'conditions':
      return `unnest(${name})`
    case 'steps': {
      const { interval, offset } = grouping
      const step = parameters.add(interval, 'DOUBLE')
      const start = parameters.add(offset, 'DOUBLE')
      return each((value) => `floor((${value}::DOUBLE - ${start}) / ${step}) * ${step} + ${start}`)
    }
    case 'dates':
      return each((value) => dateSql(grouping, value))
  }
}

function dateSql(grouping: DateGrouping, value: string): string {
  const { zone, interval, offsetMs } = grouping
  let shift = `${zone[0]?.offsetMs ?? 0}`
  if (zone.length > 1) {
    const cases = zone
      .slice(1)
      .reverse()
      .map((span) => `WHEN ${value} >= ${span.fromMs} THEN ${span.offsetMs}`)
    shift = `(CASE ${cases.join(' ')} ELSE ${shift} END)`
  }
  const local = `(${value} + ${shift} - ${offsetMs})`
  if (interval.kind === 'fixed') {
    return `(${floorSql(local, interval.ms)} * ${interval.ms} + ${offsetMs})`
  }
  if (interval.unit === 'week') {
    const weekMs = 604_800_000
    const mondayMs = 345_600_000
    const week = floorSql(`(${local} - ${mondayMs})`, weekMs)
    return `(${week} * ${weekMs} + ${mondayMs} + ${offsetMs})`
  }
  const start = `date_trunc('${interval.unit}', make_timestamp(${local} * 1000))`
  return `(epoch_ms(${start}) + ${offsetMs})`
}

/** Integer division that rounds towards minus infinity; the engine's rounds towards zero. */
function floorSql(value: string, divisor: number): string {
  return `((${value} - ((${value} % ${divisor}) + ${divisor}) % ${divisor}) // ${divisor})`
}

function keyType(grouping: Grouping, input: Input | undefined): SqlScalarType {
  if (grouping.kind === 'dates' || grouping.kind === 'conditions') return 'BIGINT'
  return grouping.kind === 'steps' ? 'DOUBLE' : (input?.element ?? 'VARCHAR')
}

/** At most this many values come back for percentiles. */
const valuesMax = 100_000

function metricSql(plan: MetricPlan, input: Input | undefined): string {
  if (input === undefined) throw new Error('a metric without an input')
  const { name, isList } = input
  const numeric = input.element === 'VARCHAR' ? name : `${name}::${isList ? 'DOUBLE[]' : 'DOUBLE'}`
  switch (plan.metric) {
    case 'count':
      return isList ? `coalesce(sum(len(${name})), 0)` : `count(${name})`
    case 'min':
      return isList ? `min(list_min(${numeric}))` : `min(${numeric})`
    case 'max':
      return isList ? `max(list_max(${numeric}))` : `max(${numeric})`
    case 'sum':
      return isList ? `sum(list_sum(${numeric}))` : `sum(${numeric})`
    case 'avg':
      return isList ? `sum(list_sum(${numeric})) / sum(len(${name}))` : `avg(${numeric})`
    case 'quantile': {
      const all = isList
        ? `flatten(list(${numeric}))`
        : `list(${numeric}) FILTER (${name} IS NOT NULL)`
      return quantileSql(`list_sort(${all})`, plan.at ?? 0.5)
    }
    case 'squares':
      return isList
        ? `sum(list_sum(list_transform(${numeric}, lambda v: v * v)))`
        : `sum(${numeric} * ${numeric})`
    case 'distinct':
      return isList ? `len(list_distinct(flatten(list(${name}))))` : `count(DISTINCT ${name})`
    case 'values':
      return isList
        ? `list_sort(flatten(list(${numeric})))[:${valuesMax}]`
        : `list_sort(list(${numeric}) FILTER (${name} IS NOT NULL))[:${valuesMax}]`
  }
}

function quantileSql(sorted: string, at: number): string {
  const place = `least(greatest(${at} * len(${sorted}) + 0.5, 1), len(${sorted}))`
  const low = `${sorted}[floor(${place})::BIGINT]`
  const high = `${sorted}[ceil(${place})::BIGINT]`
  return `(${low} + (${high} - ${low}) * (${place} - floor(${place})))`
}

function plain(value: Scalar): Scalar {
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value
}

function metricValue(value: DuckDBValue): Scalar | readonly number[] | null {
  if (typeof value === 'object' && value !== null && 'items' in value) {
    return Array.isArray(value.items) ? value.items.map(Number) : []
  }
  return toScalar(value)
}
