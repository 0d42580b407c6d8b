/**
 * Writes the posting tables of an index in the background, 131,072 rows at a time, since postings
 * written per bulk would spread every token over all row groups and lose the pruning.
 */
import type { DuckDBConnection } from '@duckdb/node-api'
import type { Clock, Timer } from '../../../runtime/clock.ts'
import type { Logger } from '../../../runtime/logger.ts'
import { type Engine, run } from './engine.ts'
import type { IndexIdentity } from '../index-storage.ts'
import {
  eventTable,
  hasColumn,
  lengthTable,
  postingRows,
  postingTable,
  type Segment,
} from './segment.ts'
import { listColumn, singleColumn, tokensSql } from './sql.ts'
import type { Field } from '../../mapping/field.ts'

/**
 * The engine's hash is not promised to stay the same between its versions: what it makes of a fixed
 * value is stored with the postings, and postings with another value are not used.
 */
export const hashProbe = "hash('millrace', 1)"

/** Where nothing is written for this long, a smaller rest is posted too. */
const quietMs = 2000
const quietRows = 1024

/** Above this many rows without postings, writers wait. */
const unpostedRowsMax = 8 * postingRows

export interface PostingPorts {
  readonly engine: Engine
  readonly clock: Clock
  readonly logger: Logger
}

/** The file whose rows are posted. */
export interface PostingTarget {
  readonly identity: IndexIdentity
  readonly segments: readonly Segment[]
  textFields(): readonly Field[]
  table(name: string): string
}

export class Postings {
  readonly #ports: PostingPorts
  readonly #file: PostingTarget
  #connection: DuckDBConnection | undefined
  #running: Promise<void> | undefined
  #stopped = false
  #quiet: Timer | undefined
  #isQuiet = false

  constructor(ports: PostingPorts, file: PostingTarget) {
    this.#ports = ports
    this.#file = file
  }

  /** Looks whether there is enough to do, and does it. */
  wake(): void {
    if (this.#stopped) return
    this.#quiet?.cancel()
    this.#isQuiet = false
    this.#quiet = this.#ports.clock.schedule(quietMs, () => {
      this.#isQuiet = true
      this.#begin()
    })
    this.#begin()
  }

  #begin(): void {
    if (this.#running !== undefined || this.#stopped) return
    if (this.#next() === undefined) return
    this.#running = this.#work().finally(() => {
      this.#running = undefined
    })
  }

  /** Resolves when writers may go on. */
  async room(): Promise<void> {
    while (this.#running !== undefined && this.#unposted() > unpostedRowsMax) await this.#running
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#quiet?.cancel()
    await this.#running
    this.#connection?.closeSync()
    this.#connection = undefined
  }

  #unposted(): number {
    return this.#file.segments.reduce((sum, one) => sum + one.lastSeq + 1 - one.postedBelow, 0)
  }

  #next(): Segment | undefined {
    return this.#file.segments.find((segment) => {
      const unposted = segment.lastSeq + 1 - segment.postedBelow
      if (this.#isQuiet && unposted >= quietRows) return true
      return unposted >= postingRows || (segment.sealed && unposted > 0)
    })
  }

  async #work(): Promise<void> {
    for (let segment = this.#next(); segment !== undefined; segment = this.#next()) {
      if (this.#stopped) return
      try {
        await this.#post(segment)
      } catch (error) {
        this.#ports.logger.error(`postings of index [${this.#file.identity.name}] failed`, error)
        return
      }
    }
  }

  async #post(segment: Segment): Promise<void> {
    this.#connection ??= await this.#ports.engine.connect()
    const connection = this.#connection
    const below = Math.min(segment.postedBelow + postingRows, segment.lastSeq + 1)
    const span = { from: segment.postedBelow, below }
    await connection.run('BEGIN')
    try {
      for (const field of this.#file.textFields()) {
        if (this.#text(segment, field) === undefined) continue
        await connection.run(this.#lengthsSql(segment, field, span))
      }
      const postings = this.#postingsSql(segment, span)
      if (postings !== undefined) await connection.run(postings)
      const insert = `INSERT INTO ${this.#file.table('posted')} SELECT $1, $2, ${hashProbe}`
      const { library } = this.#ports.engine
      await run(library, connection, insert, [segment.number, BigInt(below)])
      await connection.run('COMMIT')
    } catch (error) {
      await connection.run('ROLLBACK')
      throw error
    }
    segment.postedBelow = below
  }

  #text(segment: Segment, field: Field): string | undefined {
    return textSql(segment, field)
  }

  #lengthsSql(segment: Segment, field: Field, span: Span): string {
    const tokens = tokensSql(field.analyzer, this.#text(segment, field) ?? "''")
    return (
      `INSERT INTO ${this.#file.table(lengthTable(segment))} ` +
      `SELECT ${field.number}, doc, n FROM (SELECT (seq - ${segment.base})::UINTEGER AS doc, ` +
      `len(${tokens})::UINTEGER AS n FROM ${this.#file.table(eventTable(segment))} ` +
      `WHERE seq >= ${span.from} AND seq < ${span.below}) WHERE n > 0`
    )
  }

  #postingsSql(segment: Segment, span: Span): string | undefined {
    const parts: string[] = []
    for (const field of this.#file.textFields()) {
      const text = this.#text(segment, field)
      if (text === undefined) continue
      parts.push(
        `SELECT (seq - ${segment.base})::UINTEGER AS doc, ` +
          `hash(unnest(${tokensSql(field.analyzer, text)}), ${field.number}) AS h ` +
          `FROM ${this.#file.table(eventTable(segment))} ` +
          `WHERE seq >= ${span.from} AND seq < ${span.below}`,
      )
    }
    if (parts.length === 0) return undefined
    return (
      `INSERT INTO ${this.#file.table(postingTable(segment))} ` +
      `SELECT h, doc, least(count(*), 65535)::USMALLINT FROM (${parts.join(' UNION ALL ')}) ` +
      'GROUP BY h, doc ORDER BY h, doc'
    )
  }
}

interface Span {
  readonly from: number
  readonly below: number
}

/** A row's text of a field, several values as lines; undefined where the segment has none. */
export function textSql(segment: Segment, field: Field): string | undefined {
  const single = hasColumn(segment, field.column, false) ? singleColumn(field.column) : undefined
  const list = hasColumn(segment, field.column, true)
    ? `array_to_string(${listColumn(field.column)}, chr(10))`
    : undefined
  if (single !== undefined && list !== undefined) return `coalesce(${single}, ${list})`
  return single ?? list
}
