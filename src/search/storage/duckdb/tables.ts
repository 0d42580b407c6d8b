/** The tables of a new segment. */
import type { DuckDBConnection } from '@duckdb/node-api'
import { type Engine, run } from './engine.ts'
import {
  eventTable,
  fixedColumns,
  freshLengthTable,
  freshPostingTable,
  idTable,
  lengthTable,
  postingTable,
  type Segment,
} from './segment.ts'
import { quoteName } from './sql.ts'

const postingColumns = 'field INTEGER, token VARCHAR, docs UINTEGER[]'
const lengthColumns = 'field INTEGER, doc UINTEGER, len UINTEGER'

/** Within the transaction that writes the segment's first rows. */
export async function createTables(
  library: Engine['library'],
  connection: DuckDBConnection,
  catalog: string,
  segment: Segment,
): Promise<void> {
  const tables: readonly (readonly [string, string])[] = [
    [eventTable(segment), fixedColumns],
    [idTable(segment), 'h BIGINT, seq BIGINT'],
  ]
  const place = quoteName(catalog)
  for (const [name, columns] of tables) {
    await connection.run(`CREATE TABLE ${place}.${name} (${columns})`)
  }
  await createPostingTables(connection, catalog, segment)
  await run(library, connection, `INSERT INTO ${place}.segment VALUES ($1, $2, $3)`, [
    segment.number,
    BigInt(segment.base),
    BigInt(segment.openedMs),
  ])
}

/** Also in the place of those that another layout left. */
export async function createPostingTables(
  connection: DuckDBConnection,
  catalog: string,
  segment: Segment,
): Promise<void> {
  const tables: readonly (readonly [string, string])[] = [
    [postingTable(segment), postingColumns],
    [freshPostingTable(segment), postingColumns],
    [lengthTable(segment), lengthColumns],
    [freshLengthTable(segment), lengthColumns],
  ]
  for (const [name, columns] of tables) {
    await connection.run(`CREATE OR REPLACE TABLE ${quoteName(catalog)}.${name} (${columns})`)
  }
}
