/**
 * One index's file. Tables: `meta` (definition), `segment` and `posted` (what segments there are and how
 * far they are posted), `gone` (deleted rows), and for every segment its rows, ids, postings and lengths.
 */
import type { DuckDBConnection } from '@duckdb/node-api'
import type { Clock } from '../../../runtime/clock.ts'
import type { Disk } from '../../../runtime/disk.ts'
import type { Logger } from '../../../runtime/logger.ts'
import type { Field } from '../../mapping/field.ts'
import type { RowBuffer } from '../rows.ts'
import type {
  AppendBatch,
  FieldSource,
  IndexIdentity,
  IndexStorage,
  StoredVersion,
} from '../index-storage.ts'
import { addColumnSql, appendRows, idHash, missingColumns } from './append.ts'
import { AutoIds } from './auto-id.ts'
import { type Engine, inTransaction, Rows, run } from './engine.ts'
import { Postings, type PostingSettings } from './postings.ts'
import {
  eventTable,
  freshLengthTable,
  freshPostingTable,
  idTable,
  isFull,
  lengthTable,
  newSegment,
  postingTable,
  type Segment,
} from './segment.ts'
import { type Describe, loadSegments } from './load.ts'
import { createTables } from './tables.ts'
import { quoteName, type SqlValue } from './sql.ts'

export interface IndexFilePorts {
  readonly engine: Engine
  readonly clock: Clock
  readonly disk: Disk
  readonly logger: Logger
  readonly postings: PostingSettings
}

export class IndexFile implements IndexStorage {
  readonly identity: IndexIdentity
  readonly catalog: string
  readonly autoIds: AutoIds
  readonly segments: Segment[]
  readonly #ports: IndexFilePorts
  readonly #path: string
  readonly #connection: DuckDBConnection
  readonly #postings: Postings
  #definition: string
  #nextSeq: number
  #goneCount: number
  #fields: FieldSource = noFields

  constructor(ports: IndexFilePorts, parts: IndexFileParts) {
    this.#ports = ports
    this.identity = parts.identity
    this.catalog = parts.catalog
    this.#path = parts.path
    this.#connection = parts.connection
    this.#definition = parts.definition
    this.segments = parts.segments
    this.#nextSeq = parts.nextSeq
    this.#goneCount = parts.segments.reduce((sum, segment) => sum + segment.gone, 0)
    this.autoIds = new AutoIds(parts.identity.uuid)
    this.#postings = new Postings(ports, this)
  }

  /** Makes the tables of a new file, durably. */
  static async create(
    ports: IndexFilePorts,
    place: { readonly path: string; readonly identity: IndexIdentity },
    definition: string,
  ): Promise<IndexFile> {
    const { path, identity } = place
    const catalog = catalogOf(identity)
    const connection = await ports.engine.connect()
    await ports.engine.attach(connection, path, catalog)
    const name = quoteName(catalog)
    await connection.run('BEGIN')
    await connection.run(`CREATE TABLE ${name}.meta (key VARCHAR, value VARCHAR)`)
    await connection.run(`CREATE TABLE ${name}.segment (k INTEGER, base BIGINT, opened_ms BIGINT)`)
    await connection.run(`CREATE TABLE ${name}.posted (k INTEGER, below BIGINT, probe UBIGINT)`)
    await connection.run(`CREATE TABLE ${name}.gone (seq BIGINT, next_seq BIGINT)`)
    await run(ports.engine.library, connection, `INSERT INTO ${name}.meta VALUES ($1, $2)`, [
      'definition',
      definition,
    ])
    await connection.run('COMMIT')
    const parts = { path, identity, catalog, connection, definition, segments: [], nextSeq: 0 }
    return new IndexFile(ports, parts)
  }

  /** Undefined where the file holds no index: its creation did not come to its end. */
  static async open(
    ports: IndexFilePorts,
    place: { readonly path: string; readonly uuid: string },
    describe: Describe,
  ): Promise<IndexFile | undefined> {
    const catalog = catalogOf({ uuid: place.uuid, name: '' })
    const connection = await ports.engine.connect()
    await ports.engine.attach(connection, place.path, catalog)
    const loaded = await loadSegments(ports.engine, connection, catalog, describe)
    if (loaded === undefined) {
      await connection.run(`DETACH ${quoteName(catalog)}`)
      connection.closeSync()
      return undefined
    }
    const identity = { uuid: place.uuid, name: loaded.name }
    return new IndexFile(ports, { ...loaded, identity, catalog, connection, path: place.path })
  }

  autoId(seq: number): string {
    return this.autoIds.encode(seq)
  }

  bind(fields: FieldSource): void {
    this.#fields = fields
    this.#postings.wake()
  }

  textFields(): readonly Field[] {
    return this.#fields.textFields()
  }

  timeField(): Field | undefined {
    return this.#fields.timeField()
  }

  get definition(): string {
    return this.#definition
  }

  get nextSeq(): number {
    return this.#nextSeq
  }

  get count(): number {
    return this.segments.reduce((sum, segment) => sum + segment.rows, 0) - this.#goneCount
  }

  get deletedCount(): number {
    return this.#goneCount
  }

  get bytes(): number {
    const size = (path: string): number => this.#ports.disk.stat(path)?.size ?? 0
    return size(this.#path) + size(`${this.#path}.wal`)
  }

  timeRange(): { first: number; last: number } | undefined {
    let first = Number.POSITIVE_INFINITY
    let last = Number.NEGATIVE_INFINITY
    for (const segment of this.segments) {
      first = Math.min(first, segment.firstTime)
      last = Math.max(last, segment.lastTime)
    }
    return first <= last ? { first, last } : undefined
  }

  async lookup(ids: readonly string[]): Promise<Map<string, StoredVersion>> {
    const found = new Map<string, StoredVersion>()
    if (ids.length === 0) return found
    const hashes = ids.map((id) => BigInt(idHash(id)))
    const wanted = new Set(ids)
    for (const segment of this.segments) {
      if (segment.rows === 0) continue
      await this.#lookupIn(segment, hashes, wanted, found)
    }
    const auto = ids.filter((id) => !found.has(id) && this.autoIds.decode(id) !== undefined)
    if (auto.length > 0) await this.#lookupAuto(auto, found)
    return found
  }

  async sources(seqs: readonly number[]): Promise<Map<number, string>> {
    const result = new Map<number, string>()
    for (const segment of this.segments) {
      const inside = seqs.filter((seq) => seq >= segment.base && seq <= segment.lastSeq)
      if (inside.length === 0) continue
      const rows = await this.#read(
        `SELECT seq, src FROM ${this.table(eventTable(segment))} WHERE seq BETWEEN $2 AND $3 ` +
          'AND seq IN (SELECT unnest($1::BIGINT[]))',
        [inside.map(BigInt), BigInt(Math.min(...inside)), BigInt(Math.max(...inside))],
      )
      for (let row = 0; row < rows.length; row++) {
        result.set(rows.number(0, row), rows.text(1, row) ?? '{}')
      }
    }
    return result
  }

  async append(batch: AppendBatch): Promise<void> {
    const { rows, gone, definition } = batch
    const connection = this.#connection
    if (rows.length === 0 && gone.length === 0 && definition === undefined) return
    const segment = rows.length === 0 ? undefined : this.#openSegment(rows)
    const added = segment === undefined ? [] : missingColumns(segment, rows)
    const isNew = segment !== undefined && !this.segments.includes(segment)
    await inTransaction(connection, async () => {
      if (isNew) await createTables(this.#ports.engine.library, connection, this.catalog, segment)
      if (segment !== undefined) {
        for (const column of added) {
          await connection.run(addColumnSql(this.catalog, segment, column))
        }
        const columns = [...segment.columns, ...added]
        const target = { catalog: this.catalog, segment, columns }
        await appendRows(this.#ports.engine, connection, target, rows)
      }
      if (gone.length > 0) await this.#appendGone(gone, batch.nextSeq)
      if (definition !== undefined) await this.#writeDefinition(definition)
    })
    this.#nextSeq = batch.nextSeq
    if (definition !== undefined) this.#definition = definition
    if (segment !== undefined) {
      // Only now: a reader must not name a column that is not committed.
      segment.columns.push(...added)
      this.#accept(segment, rows, isNew)
    }
    for (const seq of gone) this.#countGone(seq)
    this.#postings.wake()
    await this.#postings.room()
  }

  async close(): Promise<void> {
    await this.#postings.stop()
    try {
      await this.#connection.run(`CHECKPOINT ${quoteName(this.catalog)}`)
      await this.#connection.run(`DETACH ${quoteName(this.catalog)}`)
    } catch (error) {
      // What is in the log is durable and is replayed at the next start.
      this.#ports.logger.warn(`index [${this.identity.name}] closed without checkpoint`, error)
    }
    this.#connection.closeSync()
  }

  async drop(): Promise<void> {
    await this.#postings.stop()
    await this.#connection.run(`DETACH ${quoteName(this.catalog)}`)
    this.#connection.closeSync()
    this.#ports.disk.remove(this.#path)
    this.#ports.disk.remove(`${this.#path}.wal`)
    this.#ports.disk.syncDirectory(this.#path.slice(0, this.#path.lastIndexOf('/')))
  }

  /** Resolves when all postings that are due are written. */
  posted(): Promise<void> {
    return this.#postings.idle()
  }

  /** All posting rows of a segment. */
  postings(segment: Segment): string {
    return this.#both(postingTable(segment), freshPostingTable(segment))
  }

  /** The lengths of all its posted texts. */
  lengths(segment: Segment): string {
    return this.#both(lengthTable(segment), freshLengthTable(segment))
  }

  #both(large: string, fresh: string): string {
    return `(SELECT * FROM ${this.table(large)} UNION ALL SELECT * FROM ${this.table(fresh)})`
  }

  table(name: string): string {
    return `${quoteName(this.catalog)}.${name}`
  }

  /** The segment for new rows: the last one, or a new one where that is full. */
  #openSegment(rows: RowBuffer): Segment {
    const last = this.segments.at(-1)
    const now = this.#ports.clock.now()
    if (last !== undefined && !isFull(last, now)) return last
    return newSegment((last?.number ?? -1) + 1, rows.heads[0]?.seq ?? 0, now)
  }

  async #appendGone(gone: readonly number[], by: number): Promise<void> {
    await run(
      this.#ports.engine.library,
      this.#connection,
      `INSERT INTO ${this.table('gone')} SELECT unnest($1::BIGINT[]), $2::BIGINT`,
      [gone.map(BigInt), BigInt(by)],
    )
  }

  async #writeDefinition(definition: string): Promise<void> {
    await run(
      this.#ports.engine.library,
      this.#connection,
      `UPDATE ${this.table('meta')} SET value = $1 WHERE key = 'definition'`,
      [definition],
    )
  }

  #accept(segment: Segment, rows: RowBuffer, isNew: boolean): void {
    if (isNew) {
      const previous = this.segments.at(-1)
      if (previous !== undefined) previous.sealed = true
      this.segments.push(segment)
    }
    segment.rows += rows.length
    for (const { source } of rows.heads) segment.unpostedChars += source.length
    segment.lastSeq = rows.heads.at(-1)?.seq ?? segment.lastSeq
    const time = this.timeField()
    const times = time === undefined ? undefined : rows.columns.get(time.column)
    if (times === undefined) return
    const note = (value: unknown): void => {
      if (typeof value !== 'number') return
      segment.firstTime = Math.min(segment.firstTime, value)
      segment.lastTime = Math.max(segment.lastTime, value)
    }
    times.singles.forEach(note)
    for (const list of times.lists.values()) list.forEach(note)
  }

  #countGone(seq: number): void {
    const segment = this.segments.find((one) => seq >= one.base && seq <= one.lastSeq)
    if (segment === undefined) return
    segment.gone++
    this.#goneCount++
  }

  async #lookupIn(
    segment: Segment,
    hashes: readonly bigint[],
    wanted: ReadonlySet<string>,
    found: Map<string, StoredVersion>,
  ): Promise<void> {
    const rows = await this.#read(
      `SELECT e.id, e.seq, coalesce(e.version, 1) FROM ${this.table(eventTable(segment))} e ` +
        `JOIN (SELECT seq FROM ${this.table(idTable(segment))} ` +
        'WHERE h IN (SELECT unnest($1::BIGINT[]))) i ON e.seq = i.seq' +
        this.#withoutGone(segment, 'e.seq', ' WHERE '),
      [hashes],
    )
    for (let row = 0; row < rows.length; row++) {
      const id = rows.text(0, row)
      if (id === undefined || !wanted.has(id)) continue
      found.set(id, { seq: rows.number(1, row), version: rows.number(2, row) })
    }
  }

  async #lookupAuto(ids: readonly string[], found: Map<string, StoredVersion>): Promise<void> {
    for (const id of ids) {
      const seq = this.autoIds.decode(id)
      const segment = this.segments.find(
        (one) => seq !== undefined && seq >= one.base && seq <= one.lastSeq,
      )
      if (seq === undefined || segment === undefined) continue
      const rows = await this.#read(
        `SELECT seq FROM ${this.table(eventTable(segment))} WHERE seq = $1 AND id IS NULL` +
          this.#withoutGone(segment, 'seq', ' AND '),
        [BigInt(seq)],
      )
      if (rows.length > 0) found.set(id, { seq, version: 1 })
    }
  }

  #withoutGone(segment: Segment, column: string, before: string): string {
    if (segment.gone === 0) return ''
    return `${before}${column} NOT IN (SELECT seq FROM ${this.table('gone')})`
  }

  #read(sql: string, values: readonly SqlValue[]): Promise<Rows> {
    return this.#ports.engine.read(sql, values)
  }
}

interface IndexFileParts {
  readonly path: string
  readonly identity: IndexIdentity
  readonly catalog: string
  readonly connection: DuckDBConnection
  readonly definition: string
  readonly segments: Segment[]
  readonly nextSeq: number
}

const noFields: FieldSource = { textFields: () => [], timeField: () => undefined }

function catalogOf(identity: IndexIdentity): string {
  return `ix_${identity.uuid}`
}
