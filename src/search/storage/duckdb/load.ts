/** Reads an index's file at start: its definition, its segments, how far they are posted. */
import type { DuckDBConnection } from '@duckdb/node-api'
import type { ColumnKind } from '../../mapping/field.ts'
import { type Engine, Rows, run } from './engine.ts'
import {
  eventTable,
  fixedColumnCount,
  freshLengthTable,
  newSegment,
  postingTable,
  type Segment,
  type SegmentColumn,
} from './segment.ts'
import { postingsLayout } from './postings.ts'
import { createPostingTables } from './tables.ts'
import { quoteName, singleColumn, type SqlValue } from './sql.ts'

export interface LoadedIndex {
  readonly name: string
  readonly definition: string
  readonly segments: Segment[]
  readonly nextSeq: number
}

/** Reads what loading needs out of a stored definition. */
export type Describe = (definition: string) => { name: string; timeColumn: number | undefined }
type Read = (sql: string, values?: readonly SqlValue[]) => Promise<Rows>

/** Undefined where the file holds no index. */
export async function loadSegments(
  engine: Engine,
  connection: DuckDBConnection,
  catalog: string,
  describe: Describe,
): Promise<LoadedIndex | undefined> {
  const read: Read = async (sql, values = []) =>
    new Rows(await run(engine.library, connection, sql, values))
  const name = quoteName(catalog)
  if (!(await tableNames(read, catalog)).has('meta')) return undefined
  const meta = await read(`SELECT value FROM ${name}.meta WHERE key = 'definition'`)
  const definition = meta.text(0, 0)
  if (definition === undefined) return undefined
  const described = describe(definition)
  const segments = await readSegments({ connection, read, catalog }, described.timeColumn)
  const gone = await read(`SELECT coalesce(max(next_seq), 0) FROM ${name}.gone`)
  const last = segments.at(-1)?.lastSeq ?? -1
  const nextSeq = Math.max(last + 1, gone.number(0, 0))
  return { name: described.name, definition, segments, nextSeq }
}

interface Opening {
  readonly connection: DuckDBConnection
  readonly read: Read
  readonly catalog: string
}

async function readSegments(
  { connection, read, catalog }: Opening,
  timeColumn: number | undefined,
): Promise<Segment[]> {
  const name = quoteName(catalog)
  const rows = await read(
    `SELECT s.k, s.base, s.opened_ms, p.below FROM ${name}.segment s LEFT JOIN ` +
      `(SELECT k, max(below) AS below FROM ${name}.posted WHERE probe = ${postingsLayout} GROUP BY k) p ` +
      'ON p.k = s.k ORDER BY s.k',
  )
  const tables = await tableNames(read, catalog)
  const segments: Segment[] = []
  for (let row = 0; row < rows.length; row++) {
    const segment = newSegment(rows.number(0, row), rows.number(1, row), rows.number(2, row))
    segment.postedBelow = Math.max(rows.number(3, row), segment.base)
    // Made by an earlier version: its postings have another layout.
    const isOld = !tables.has(postingTable(segment))
    if (isOld) await createPostingTables(connection, catalog, segment)
    segment.mergedBelow = await mergedBelow(read, catalog, segment)
    segment.sealed = row < rows.length - 1
    await readSegment(read, catalog, segment, timeColumn)
    if (segment.lastSeq >= segment.postedBelow) segment.unpostedChars = Number.POSITIVE_INFINITY
    segments.push(segment)
  }
  return segments
}

async function tableNames(read: Read, catalog: string): Promise<Set<string>> {
  const rows = await read('SELECT table_name FROM duckdb_tables() WHERE database_name = $1', [
    catalog,
  ])
  return new Set(Array.from({ length: rows.length }, (_, row) => rows.text(0, row) ?? ''))
}

/** Fresh postings begin where the large tables end. */
async function mergedBelow(read: Read, catalog: string, segment: Segment): Promise<number> {
  const fresh = `${quoteName(catalog)}.${freshLengthTable(segment)}`
  const first = (await read(`SELECT min(doc) FROM ${fresh}`)).value(0, 0)
  return first === null ? segment.postedBelow : segment.base + Number(first)
}

async function readSegment(
  read: Read,
  catalog: string,
  segment: Segment,
  timeColumn: number | undefined,
): Promise<void> {
  const columns = await read(
    'SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = $1 ' +
      'AND table_name = $2 ORDER BY column_index',
    [catalog, eventTable(segment)],
  )
  for (let row = fixedColumnCount; row < columns.length; row++) {
    segment.columns.push(columnOf(columns.text(0, row) ?? '', columns.text(1, row) ?? ''))
  }
  const timed = segment.columns.some((one) => one.column === timeColumn && !one.isList)
  const time = timed && timeColumn !== undefined ? singleColumn(timeColumn) : 'NULL::BIGINT'
  const facts = await read(
    `SELECT count(*), max(seq), min(${time}), max(${time}) ` +
      `FROM ${quoteName(catalog)}.${eventTable(segment)}`,
  )
  segment.rows = facts.number(0, 0)
  if (segment.rows > 0) segment.lastSeq = facts.number(1, 0)
  const first = facts.value(2, 0)
  const last = facts.value(3, 0)
  if (first !== null) segment.firstTime = Number(first)
  if (last !== null) segment.lastTime = Number(last)
  const gone = await read(
    `SELECT count(*) FROM ${quoteName(catalog)}.gone WHERE seq BETWEEN $1 AND $2`,
    [BigInt(segment.base), BigInt(segment.lastSeq)],
  )
  segment.gone = gone.number(0, 0)
}

const kindsByType: Readonly<Record<string, ColumnKind>> = {
  VARCHAR: 'string',
  BIGINT: 'whole',
  DOUBLE: 'double',
  FLOAT: 'float',
  BOOLEAN: 'boolean',
}

function columnOf(name: string, type: string): SegmentColumn {
  const isList = name.startsWith('m')
  const kind = kindsByType[isList ? type.replace(/\[\]$/, '') : type]
  if (kind === undefined) throw new Error(`column ${name} has unexpected type ${type}`)
  return { column: Number(name.slice(1)), kind, isList }
}
