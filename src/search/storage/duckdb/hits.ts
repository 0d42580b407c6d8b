/** Finds, orders and fetches the rows of a hits plan. */
import type { DuckDBValue } from '@duckdb/node-api'
import type { Field } from '../../mapping/field.ts'
import type { Scalar } from '../../mapping/values.ts'
import type { Condition, FieldSortKey, HitsPlan, ShardPlan, SortKey, StoredHit } from '../plan.ts'
import { anyValueSql, conditionSql, needsPosting } from './conditions.ts'
import type { Engine, Rows } from './engine.ts'
import { IndexFile } from './index-file.ts'
import { floatSql, scoreSql } from './scores.ts'
import { hasColumn, type Segment } from './segment.ts'
import { fromSql, type Slice, sliceSql, slicesOf } from './slice.ts'
import { SliceRows } from './slice-rows.ts'
import { listColumn, Parameters, singleColumn, type SqlScalarType, sqlTypes } from './sql.ts'
import { type Weights, weigh } from './weigh.ts'

export async function countRows(
  engine: Engine,
  shards: readonly ShardPlan[],
  atMost = Number.POSITIVE_INFINITY,
): Promise<number> {
  let total = 0
  const parameters = new Parameters()
  const parts: string[] = []
  for (const [at, shard] of shards.entries()) {
    const file = fileOf(shard)
    if (shard.condition.kind === 'all') {
      total += file.count
      continue
    }
    for (const slice of slicesOf(file, shard.condition, { shard: at })) {
      const rows = new SliceRows(slice, parameters, false)
      const where = whereSql(rows, shard.condition)
      const from = rows.from(needsPosting(shard.condition))
      parts.push(`SELECT 1 FROM ${from} WHERE ${where}`)
    }
  }
  if (parts.length === 0) return total
  const limit = Number.isFinite(atMost) ? ` LIMIT ${Math.trunc(atMost) + 1}` : ''
  const sql = `SELECT count(*) FROM (${parts.join(' UNION ALL ')}${limit})`
  return total + (await engine.read(sql, parameters.values)).number(0, 0)
}

export async function greatestScore(
  engine: Engine,
  shards: readonly ShardPlan[],
): Promise<number | undefined> {
  const plan: HitsPlan = {
    shards,
    sort: [{ kind: 'score', descending: true }],
    from: 0,
    size: 1,
    scores: true,
    after: undefined,
    minScore: undefined,
    withSource: false,
    fields: [],
  }
  return (await findHits(engine, plan))[0]?.score
}

export function fileOf(shard: ShardPlan): IndexFile {
  if (shard.storage instanceof IndexFile) return shard.storage
  throw new Error('an index of another storage')
}

export function whereSql(rows: SliceRows, condition: Condition): string {
  return [...sliceSql(rows.slice), conditionSql(condition, rows)].join(' AND ')
}

interface Found {
  readonly slice: Slice
  readonly seq: number
  readonly score: number | undefined
  readonly sort: readonly (Scalar | null)[]
}

export async function findHits(engine: Engine, plan: HitsPlan): Promise<StoredHit[]> {
  if (plan.size === 0) return []
  const found = await findRows(engine, plan)
  return await fetchRows(engine, plan, found)
}

async function findRows(engine: Engine, plan: HitsPlan): Promise<Found[]> {
  const parameters = new Parameters()
  const slices: Slice[] = []
  const selects: string[] = []
  for (const [at, shard] of plan.shards.entries()) {
    const file = fileOf(shard)
    const weighed = plan.scores ? await weigh(engine, file, shard.condition) : undefined
    const condition = weighed?.condition ?? shard.condition
    for (const slice of slicesOf(file, condition, { shard: at })) {
      const isScored = plan.scores && !scoresAlike(condition)
      const rows = new SliceRows(slice, parameters, isScored)
      const number = slices.length
      selects.push(selectSql({ plan, condition, rows, weights: weighed?.weights, number }))
      slices.push(slice)
    }
  }
  if (slices.length === 0) return []
  const keys = plan.sort.map((key, at) => orderSql(key, at))
  const where: string[] = []
  if (plan.minScore !== undefined) where.push(`score >= ${plan.minScore}`)
  if (plan.after !== undefined) where.push(afterSql(plan, plan.after, parameters))
  const sql =
    `SELECT * FROM (${selects.join(' UNION ALL ')}) ` +
    (where.length > 0 ? `WHERE ${where.join(' AND ')} ` : '') +
    `ORDER BY ${[...keys, 'shard', 'seq'].join(', ')} LIMIT ${plan.size} OFFSET ${plan.from}`
  const rows = await engine.read(sql, parameters.values)
  return readFound(rows, plan, slices)
}

function readFound(rows: Rows, plan: HitsPlan, slices: readonly Slice[]): Found[] {
  const found: Found[] = []
  for (let row = 0; row < rows.length; row++) {
    const slice = slices[rows.number(0, row)]
    if (slice === undefined) continue
    found.push({
      slice,
      seq: rows.number(2, row),
      score: plan.scores ? rows.number(3, row) : undefined,
      sort: plan.sort.map((_, at) => toScalar(rows.value(4 + at, row))),
    })
  }
  return found
}

interface SelectParts {
  readonly plan: HitsPlan
  readonly condition: Condition
  readonly rows: SliceRows
  readonly weights: Weights | undefined
  readonly number: number
}

function selectSql({ plan, condition, rows, weights, number }: SelectParts): string {
  const { slice, parameters } = rows
  const where = whereSql(rows, condition)
  const score = foundScoreSql(condition, rows, weights)
  const keys = plan.sort.map((key, at) => `${keySql(key, slice, parameters)} AS k${at}`)
  const scored = `SELECT *, ${score} AS score FROM ${rows.from(needsPosting(condition))}`
  const columns = [`${number} AS slice, ${slice.shard} AS shard, seq, score`, ...keys]
  return `SELECT ${columns.join(', ')} FROM (${scored} WHERE ${where})`
}

/** All rows that are found score the same, so that no test is needed to tell. */
function scoresAlike(condition: Condition): boolean {
  return condition.kind === 'constant' || condition.kind === 'pattern'
}

function foundScoreSql(
  condition: Condition,
  rows: SliceRows,
  weights: Weights | undefined,
): string {
  if (weights === undefined) return 'NULL::FLOAT'
  if (scoresAlike(condition) && 'boost' in condition) return floatSql(condition.boost)
  return scoreSql(condition, rows, weights)
}

function keySql(key: SortKey, slice: Slice, parameters: Parameters): string {
  switch (key.kind) {
    case 'score':
      return 'score'
    case 'doc':
      return 'seq'
    case 'id':
      return "coalesce(id, '')"
    case 'field': {
      const type = commonType(key.fields)
      const value = sortValueSql(key, key.fields[slice.shard], slice)
      const cast = value === undefined ? `NULL::${type}` : `(${value})::${type}`
      if (key.missing === 'first' || key.missing === 'last') return cast
      return `coalesce(${cast}, ${parameters.add(plainScalar(key.missing.value), type)})`
    }
  }
}

function plainScalar(value: Scalar): Scalar {
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value
}

/** The type that values of all the fields fit in. */
export function commonType(fields: readonly (Field | undefined)[]): SqlScalarType {
  const kinds = new Set(fields.flatMap((field) => field?.columnKind ?? []))
  const [first] = kinds
  if (first === undefined) return 'BIGINT'
  if (kinds.size === 1) return sqlTypes[first]
  return kinds.has('string') ? 'VARCHAR' : 'DOUBLE'
}

const listModes = {
  min: 'list_min',
  max: 'list_max',
  sum: 'list_sum',
  avg: 'list_avg',
  median: 'list_median',
} as const

function sortValueSql(
  key: FieldSortKey,
  field: Field | undefined,
  slice: Slice,
): string | undefined {
  if (field === undefined) return undefined
  const parts: string[] = []
  if (hasColumn(slice.segment, field.column, false)) {
    const value = singleColumn(field.column)
    const limit = field.ignoreAbove
    const kept =
      limit === undefined ? value : `CASE WHEN length(${value}) <= ${limit} THEN ${value} END`
    parts.push(kept)
  }
  if (hasColumn(slice.segment, field.column, true)) {
    parts.push(`${listModes[key.mode]}(${listColumn(field.column)})`)
  }
  if (parts.length === 0) return undefined
  return parts.length === 1 ? parts[0] : `coalesce(${parts.join(', ')})`
}

function orderSql(key: SortKey, at: number): string {
  const direction = key.descending ? 'DESC' : 'ASC'
  const nulls = key.kind === 'field' && key.missing === 'first' ? 'NULLS FIRST' : 'NULLS LAST'
  return `k${at} ${direction} ${nulls}`
}

/** Rows that come strictly behind the given sort values. */
function afterSql(
  plan: HitsPlan,
  after: readonly (Scalar | null)[],
  parameters: Parameters,
): string {
  const alternatives: string[] = []
  let same = ''
  plan.sort.forEach((key, at) => {
    const value = after[at] ?? null
    const name = `k${at}`
    const nullsFirst = key.kind === 'field' && key.missing === 'first'
    if (value === null) {
      if (nullsFirst) alternatives.push(`${same}${name} IS NOT NULL`)
      same += `${name} IS NULL AND `
      return
    }
    const bound = parameters.add(plainScalar(value), keyType(key))
    const behind = `${name} ${key.descending ? '<' : '>'} ${bound}`
    alternatives.push(`${same}${nullsFirst ? behind : `(${behind} OR ${name} IS NULL)`}`)
    same += `${name} = ${bound} AND `
  })
  return alternatives.length === 0
    ? 'false'
    : `(${alternatives.map((one) => `(${one})`).join(' OR ')})`
}

function keyType(key: SortKey): SqlScalarType {
  switch (key.kind) {
    case 'score':
      return 'FLOAT'
    case 'doc':
      return 'BIGINT'
    case 'id':
      return 'VARCHAR'
    case 'field':
      return commonType(key.fields)
  }
}

/** Reads what the answer shows of the rows found, one statement per segment. */
async function fetchRows(
  engine: Engine,
  plan: HitsPlan,
  found: readonly Found[],
): Promise<StoredHit[]> {
  const bySegment = new Map<Segment, Found[]>()
  for (const one of found) {
    const members = bySegment.get(one.slice.segment)
    if (members === undefined) bySegment.set(one.slice.segment, [one])
    else members.push(one)
  }
  const hits = new Map<Found, StoredHit>()
  for (const members of bySegment.values()) {
    const slice = members[0]?.slice
    if (slice === undefined) continue
    const seqs = members.map((one) => one.seq)
    const shown = plan.fields.map((fields) => valuesSql(fields[slice.shard], slice))
    const source = plan.withSource ? 'src' : 'NULL'
    const columns = ['seq, id, coalesce(version, 1), ignored', source, ...shown].join(', ')
    const rows = await engine.read(
      `SELECT ${columns} FROM ${fromSql(slice)} WHERE seq BETWEEN $2 AND $3 ` +
        'AND seq IN (SELECT unnest($1::BIGINT[]))',
      [seqs.map(BigInt), BigInt(Math.min(...seqs)), BigInt(Math.max(...seqs))],
    )
    const rowOf = new Map<number, number>()
    for (let row = 0; row < rows.length; row++) rowOf.set(rows.number(0, row), row)
    for (const one of members) {
      const row = rowOf.get(one.seq)
      if (row !== undefined) hits.set(one, makeHit(one, rows, row, plan.fields.length))
    }
  }
  return found.flatMap((one) => hits.get(one) ?? [])
}

function makeHit(found: Found, rows: Rows, row: number, fieldCount: number): StoredHit {
  const { slice, seq, score, sort } = found
  const ignored: unknown = JSON.parse(rows.text(3, row) ?? '[]')
  return {
    shard: slice.shard,
    seq,
    id: rows.text(1, row) ?? slice.file.autoIds.encode(seq),
    version: rows.number(2, row),
    score,
    sort,
    source: rows.text(4, row),
    ignored: Array.isArray(ignored) ? ignored.map(String) : [],
    fields: Array.from({ length: fieldCount }, (_, at) => listOf(rows.value(5 + at, row))),
  }
}

/** All values of a field as a list. */
function valuesSql(field: Field | undefined, slice: Slice): string {
  if (field === undefined) return 'NULL'
  const parts: string[] = []
  if (hasColumn(slice.segment, field.column, true)) parts.push(listColumn(field.column))
  if (hasColumn(slice.segment, field.column, false)) {
    const value = singleColumn(field.column)
    const limited = anyValueSql({ ...slice }, field, (one) => `${one} IS NOT NULL`)
    parts.push(`CASE WHEN ${value} IS NOT NULL AND (${limited}) THEN [${value}] END`)
  }
  return parts.length === 0 ? 'NULL' : `coalesce(${parts.join(', ')})`
}

function listOf(value: DuckDBValue): Scalar[] {
  if (typeof value !== 'object' || value === null || !('items' in value)) return []
  const { items } = value
  if (!Array.isArray(items)) return []
  return items.flatMap((item) => toScalar(item) ?? [])
}

/** Whole numbers come as bigint; those that are safe become numbers. */
export function toScalar(value: DuckDBValue): Scalar | null {
  switch (typeof value) {
    case 'bigint': {
      const number = Number(value)
      return Number.isSafeInteger(number) ? number : value
    }
    case 'number':
    case 'string':
    case 'boolean':
      return value
    case 'function':
    case 'object':
    case 'symbol':
    case 'undefined':
    default:
      return null
  }
}
