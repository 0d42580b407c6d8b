/**
 * Writes the posting tables of an index in the background. Rows that trickle in are posted soon, into
 * tables of their own, since scanning many fields is slow; many rows at a time are merged into the
 * large tables, in the order of tokens, so that a lookup touches few of their row groups.
 */
import type { DuckDBConnection } from '@duckdb/node-api'
import type { Logger } from '../../../runtime/logger.ts'
import { type Engine, run } from './engine.ts'
import type { IndexIdentity } from '../index-storage.ts'
import {
  eventTable,
  freshLengthTable,
  freshPostingTable,
  hasColumn,
  lengthTable,
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

export interface PostingSettings {
  /** Rows without postings that searches may have to scan. */
  readonly unpostedRows: number
  /** Rows whose postings are merged at once; and at most so many are posted at once. */
  readonly mergedRows: number
}

/** Above this many times the rows that are posted at once, writers wait. */
const waitingFactor = 8

export interface PostingPorts {
  readonly engine: Engine
  readonly logger: Logger
  readonly postings: PostingSettings
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

  constructor(ports: PostingPorts, file: PostingTarget) {
    this.#ports = ports
    this.#file = file
  }

  /** Looks whether there is enough to do, and does it. */
  wake(): void {
    if (this.#running !== undefined || this.#stopped) return
    if (this.#next() === undefined) return
    this.#running = this.#work().finally(() => {
      this.#running = undefined
    })
  }

  /** Resolves when writers may go on. */
  async room(): Promise<void> {
    const most = waitingFactor * this.#ports.postings.mergedRows
    while (this.#running !== undefined && this.#unposted() > most) await this.#running
  }

  async idle(): Promise<void> {
    await this.#running
  }

  async stop(): Promise<void> {
    this.#stopped = true
    // What is under way is rolled back, and begun anew at the next start.
    this.#connection?.interrupt()
    await this.#running
    this.#connection?.closeSync()
    this.#connection = undefined
  }

  #unposted(): number {
    return this.#file.segments.reduce((sum, one) => sum + one.lastSeq + 1 - one.postedBelow, 0)
  }

  #next(): Work | undefined {
    const { unpostedRows, mergedRows } = this.#ports.postings
    for (const segment of this.#file.segments) {
      const unposted = segment.lastSeq + 1 - segment.postedBelow
      const fresh = segment.postedBelow - segment.mergedBelow
      if (fresh >= mergedRows || (segment.sealed && unposted === 0 && fresh > 0)) {
        return { kind: 'merge', segment }
      }
      if (unposted >= unpostedRows || (segment.sealed && unposted > 0)) {
        return { kind: 'post', segment }
      }
    }
    return undefined
  }

  async #work(): Promise<void> {
    for (let work = this.#next(); work !== undefined; work = this.#next()) {
      if (this.#stopped) return
      try {
        this.#connection ??= await this.#ports.engine.connect()
        if (work.kind === 'post') await this.#post(this.#connection, work.segment)
        else await this.#merge(this.#connection, work.segment)
      } catch (error) {
        if (this.#stopped) return
        this.#ports.logger.error(`postings of index [${this.#file.identity.name}] failed`, error)
        return
      }
    }
  }

  async #transaction(connection: DuckDBConnection, work: () => Promise<void>): Promise<void> {
    await connection.run('BEGIN')
    try {
      await work()
      await connection.run('COMMIT')
    } catch (error) {
      await connection.run('ROLLBACK')
      throw error
    }
  }

  async #post(connection: DuckDBConnection, segment: Segment): Promise<void> {
    const { mergedRows } = this.#ports.postings
    const below = Math.min(segment.postedBelow + mergedRows, segment.lastSeq + 1)
    const span = { from: segment.postedBelow, below }
    // As many as a merge would take go where that would put them.
    const isLarge = segment.mergedBelow === span.from && below - span.from >= mergedRows
    const lengths = isLarge ? lengthTable(segment) : freshLengthTable(segment)
    const postings = isLarge ? postingTable(segment) : freshPostingTable(segment)
    await this.#transaction(connection, async () => {
      for (const tokens of tokenRows(this.#file, segment, span)) {
        await connection.run(
          `INSERT INTO ${this.#file.table(lengths)} ` +
            `SELECT f, doc, len(tokens)::UINTEGER FROM (${tokens}) ORDER BY f, doc`,
        )
        await connection.run(
          `INSERT INTO ${this.#file.table(postings)} ` +
            `SELECT h, doc, least(count(*), 65535)::USMALLINT FROM ` +
            `(SELECT doc, hash(unnest(tokens), f) AS h FROM (${tokens})) ` +
            'GROUP BY h, doc ORDER BY h, doc',
        )
      }
      const insert = `INSERT INTO ${this.#file.table('posted')} SELECT $1, $2, ${hashProbe}`
      const { library } = this.#ports.engine
      await run(library, connection, insert, [segment.number, BigInt(below)])
    })
    segment.postedBelow = below
    if (isLarge) segment.mergedBelow = below
  }

  async #merge(connection: DuckDBConnection, segment: Segment): Promise<void> {
    const moves = [
      { from: freshLengthTable(segment), to: lengthTable(segment), order: 'field, doc' },
      { from: freshPostingTable(segment), to: postingTable(segment), order: 'h, doc' },
    ]
    await this.#transaction(connection, async () => {
      for (const { from, to, order } of moves) {
        const fresh = this.#file.table(from)
        await connection.run(
          `INSERT INTO ${this.#file.table(to)} SELECT * FROM ${fresh} ORDER BY ${order}`,
        )
        await connection.run(`DELETE FROM ${fresh}`)
      }
    })
    segment.mergedBelow = segment.postedBelow
  }
}

interface Work {
  readonly kind: 'post' | 'merge'
  readonly segment: Segment
}

interface Span {
  readonly from: number
  readonly below: number
}

/** One statement per way to cut texts: rows (doc, f, tokens) of all its fields that have any. */
function tokenRows(file: PostingTarget, segment: Segment, span: Span): string[] {
  const byCut = new Map<string, string[]>()
  for (const field of file.textFields()) {
    const text = textSql(segment, field)
    if (text === undefined) continue
    const cut = tokensSql(field.analyzer, 's.x')
    const texts = byCut.get(cut) ?? []
    byCut.set(cut, texts)
    texts.push(`{'f': ${field.number}, 'x': ${text}}`)
  }
  return [...byCut].map(
    ([cut, texts]) =>
      `SELECT * FROM (SELECT doc, s.f::INTEGER AS f, ${cut} AS tokens FROM ` +
      `(SELECT (seq - ${segment.base})::UINTEGER AS doc, unnest([${texts.join(', ')}]) AS s ` +
      `FROM ${file.table(eventTable(segment))} WHERE seq >= ${span.from} AND seq < ${span.below}) ` +
      'WHERE s.x IS NOT NULL) WHERE len(tokens) > 0',
  )
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
