/** Puts rows into a segment's tables within a transaction. */
import type { DuckDBConnection, DuckDBDataChunk, DuckDBType, DuckDBValue } from '@duckdb/node-api'
import type { ColumnBuffer, RowBuffer } from '../rows.ts'
import type { ColumnKind } from '../../mapping/field.ts'
import type { Engine } from './engine.ts'
import {
  eventTable,
  fixedColumnCount,
  hasColumn,
  idTable,
  type Segment,
  type SegmentColumn,
} from './segment.ts'
import { listColumn, quoteName, singleColumn, sqlTypes } from './sql.ts'

/** Rows of a data chunk; the engine's vector size. */
const chunkRows = 2048

/** Columns that the rows need and the segment does not have yet. */
export function missingColumns(segment: Segment, rows: RowBuffer): SegmentColumn[] {
  const missing: SegmentColumn[] = []
  for (const { column, kind, singles, lists } of rows.columns.values()) {
    if (singles.length > 0 && !hasColumn(segment, column, false)) {
      missing.push({ column, kind, isList: false })
    }
    if (lists.size > 0 && !hasColumn(segment, column, true)) {
      missing.push({ column, kind, isList: true })
    }
  }
  return missing
}

export function addColumnSql(catalog: string, segment: Segment, added: SegmentColumn): string {
  const table = `${quoteName(catalog)}.${eventTable(segment)}`
  const name = added.isList ? listColumn(added.column) : singleColumn(added.column)
  return `ALTER TABLE ${table} ADD COLUMN ${name} ${sqlTypes[added.kind]}${added.isList ? '[]' : ''}`
}

export interface AppendTarget {
  readonly catalog: string
  readonly segment: Segment
  /** All columns of the table, also those that this transaction added. */
  readonly columns: readonly SegmentColumn[]
}

/** Appends all rows, and the ids that were supplied to the id table. */
export async function appendRows(
  engine: Engine,
  connection: DuckDBConnection,
  target: AppendTarget,
  rows: RowBuffer,
): Promise<void> {
  const { catalog, segment, columns } = target
  const { library } = engine
  const appender = await connection.createAppender(eventTable(segment), 'main', catalog)
  try {
    const types = [...fixedTypes(engine), ...columns.map((one) => columnType(engine, one))]
    for (let start = 0; start < rows.length; start += chunkRows) {
      const end = Math.min(start + chunkRows, rows.length)
      const chunk = library.DuckDBDataChunk.create(types, end - start)
      fillFixed(chunk, rows, start, end)
      columns.forEach((column, at) => {
        const values = columnValues(engine, rows.columns.get(column.column), column, start, end)
        chunk.setColumnValues(fixedColumnCount + at, values)
      })
      appender.appendDataChunk(chunk)
    }
    appender.flushSync()
  } finally {
    appender.closeSync()
  }
  await appendIds(engine, connection, target, rows)
}

function fixedTypes(engine: Engine): DuckDBType[] {
  const { BIGINT, VARCHAR, INTEGER } = engine.library
  return [BIGINT, VARCHAR, INTEGER, VARCHAR, VARCHAR]
}

function columnType(engine: Engine, column: SegmentColumn): DuckDBType {
  const { library } = engine
  const type = scalarType(engine, column.kind)
  return column.isList ? library.LIST(type) : type
}

function scalarType(engine: Engine, kind: ColumnKind): DuckDBType {
  const { library } = engine
  switch (kind) {
    case 'string':
      return library.VARCHAR
    case 'whole':
      return library.BIGINT
    case 'double':
      return library.DOUBLE
    case 'float':
      return library.FLOAT
    case 'boolean':
      return library.BOOLEAN
  }
}

function fillFixed(chunk: DuckDBDataChunk, rows: RowBuffer, start: number, end: number): void {
  const heads = rows.heads.slice(start, end)
  chunk.setColumnValues(
    0,
    heads.map((head) => BigInt(head.seq)),
  )
  chunk.setColumnValues(
    1,
    heads.map((head) => head.id),
  )
  chunk.setColumnValues(
    2,
    heads.map((head) => (head.version === 1 ? null : head.version)),
  )
  chunk.setColumnValues(
    3,
    heads.map((_, at) => {
      const ignored = rows.ignored.get(start + at)
      return ignored === undefined ? null : JSON.stringify(ignored)
    }),
  )
  chunk.setColumnValues(
    4,
    heads.map((head) => head.source),
  )
}

function columnValues(
  engine: Engine,
  buffer: ColumnBuffer | undefined,
  column: SegmentColumn,
  start: number,
  end: number,
): DuckDBValue[] {
  const values: DuckDBValue[] = new Array<DuckDBValue>(end - start).fill(null)
  if (buffer === undefined) return values
  const whole = column.kind === 'whole'
  if (column.isList) {
    for (const [row, list] of buffer.lists) {
      if (row < start || row >= end) continue
      const items = whole ? list.map((value) => BigInt(value)) : list
      values[row - start] = engine.library.listValue([...items])
    }
    return values
  }
  const last = Math.min(end, buffer.singles.length)
  for (let row = start; row < last; row++) {
    const value = buffer.singles[row] ?? null
    values[row - start] = whole && value !== null ? BigInt(value) : value
  }
  return values
}

async function appendIds(
  engine: Engine,
  connection: DuckDBConnection,
  target: AppendTarget,
  rows: RowBuffer,
): Promise<void> {
  const supplied = rows.heads.filter((head) => head.id !== null)
  if (supplied.length === 0) return
  const { library } = engine
  const appender = await connection.createAppender(idTable(target.segment), 'main', target.catalog)
  try {
    for (let start = 0; start < supplied.length; start += chunkRows) {
      const part = supplied.slice(start, start + chunkRows)
      const chunk = library.DuckDBDataChunk.create([library.BIGINT, library.BIGINT], part.length)
      chunk.setColumnValues(
        0,
        part.map((head) => BigInt(idHash(head.id ?? ''))),
      )
      chunk.setColumnValues(
        1,
        part.map((head) => BigInt(head.seq)),
      )
      appender.appendDataChunk(chunk)
    }
    appender.flushSync()
  } finally {
    appender.closeSync()
  }
}

/**
 * 52 bits of a hash of an id. Stored in files: must never change. Two multiplying lanes over the
 * UTF-16 units; a collision costs one comparison, since the id itself is compared afterwards.
 */
export function idHash(id: string): number {
  let high = 0x9e3779b1
  let low = 0x85ebca77
  for (let at = 0; at < id.length; at++) {
    const unit = id.charCodeAt(at)
    high = Math.imul(high ^ unit, 0x27d4eb2f)
    low = Math.imul(low ^ unit, 0x165667b1)
    high ^= high >>> 15
    low ^= low >>> 13
  }
  high = Math.imul(high ^ (low >>> 16), 0x85ebca6b)
  low = Math.imul(low ^ (high >>> 13), 0xc2b2ae35)
  return (high >>> 12) * 0x1_0000_0000 + (low >>> 0)
}
