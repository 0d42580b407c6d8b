/**
 * Writes the posting tables of an index in the background. Rows that trickle in are posted soon, into
 * tables of their own, since scanning many fields is slow; many rows at a time are merged into the
 * large tables, in the order of fields and tokens, so that a lookup touches few of their row groups.
 */
import type { DuckDBConnection } from '@duckdb/node-api'
import type { Clock, Timer } from '../../../runtime/clock.ts'
import type { Logger } from '../../../runtime/logger.ts'
import { type Engine, inTransaction, Rows, run } from './engine.ts'
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

/** Stored with how far rows are posted: postings of another layout are not used, but made anew. */
export const postingsLayout = 2

export interface PostingSettings {
  /** Rows without postings that searches of a small index may have to scan. */
  readonly unpostedRows: number
  /** Rows whose postings are merged at once; and at most so many are posted at once. */
  readonly mergedRows: number
}

/** Of the posted rows this part, but at most so many times the setting, may be without postings. */
const postedShare = 8
const unpostedFactor = 16

/** Text that is cut at once: some 200 MB of memory. */
const postedBytesMax = 32_000_000
/** Postings whose lists are joined at once. */
const mergedPostingsMax = 16_000_000

/** So long after the last change those too are posted that are more than the setting. */
const quietMs = 1000

/** Above this many times the rows that are posted at once, writers wait. */
const waitingFactor = 8

export interface PostingPorts {
  readonly clock: Clock
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
  #quiet: Timer | undefined
  #stopped = false

  constructor(ports: PostingPorts, file: PostingTarget) {
    this.#ports = ports
    this.#file = file
  }

  /** To be called after each change: looks whether there is enough to do, and does it. */
  wake(): void {
    this.#quiet?.cancel()
    if (this.#running !== undefined || this.#stopped) return
    if (this.#next(false) === undefined) this.#awaitQuiet()
    else this.#start(false)
  }

  /** What is too little while more is coming is posted once nothing comes. */
  #awaitQuiet(): void {
    if (this.#stopped || this.#next(true) === undefined) return
    this.#quiet = this.#ports.clock.schedule(quietMs, () => this.#start(true))
  }

  #start(isQuiet: boolean): void {
    if (this.#running !== undefined || this.#stopped) return
    this.#running = this.#work(isQuiet).then((isDone) => {
      this.#running = undefined
      if (isDone) this.#awaitQuiet()
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
    this.#quiet?.cancel()
    // What is under way is rolled back, and begun anew at the next start.
    this.#connection?.interrupt()
    await this.#running
    this.#connection?.closeSync()
    this.#connection = undefined
  }

  #unposted(): number {
    return this.#file.segments.reduce((sum, one) => sum + one.lastSeq + 1 - one.postedBelow, 0)
  }

  #next(isQuiet: boolean): Work | undefined {
    const { unpostedRows, mergedRows } = this.#ports.postings
    for (const segment of this.#file.segments) {
      const unposted = segment.lastSeq + 1 - segment.postedBelow
      const fresh = segment.postedBelow - segment.mergedBelow
      if (fresh >= mergedRows || (segment.sealed && unposted === 0 && fresh > 0)) {
        return { kind: 'merge', segment }
      }
      // The more there is to search anyway, the more may be scanned: large batches cost half.
      const share = Math.floor((segment.postedBelow - segment.base) / postedShare)
      const most = isQuiet ? unpostedRows : unpostedFactor * unpostedRows
      const least = Math.max(unpostedRows, Math.min(share, most))
      if (unposted >= least || (segment.sealed && unposted > 0)) {
        return { kind: 'post', segment }
      }
    }
    return undefined
  }

  /** Whether all was done; else the next change brings another try. */
  async #work(isQuiet: boolean): Promise<boolean> {
    for (let work = this.#next(isQuiet); work !== undefined; work = this.#next(isQuiet)) {
      if (this.#stopped) return false
      try {
        this.#connection ??= await this.#ports.engine.connect()
        if (work.kind === 'post') await this.#post(this.#connection, work.segment)
        else await this.#merge(this.#connection, work.segment)
      } catch (error) {
        work.segment.unpostedChars = Number.POSITIVE_INFINITY
        if (this.#stopped) return false
        this.#ports.logger.error(`postings of index [${this.#file.identity.name}] failed`, error)
        return false
      }
    }
    return true
  }

  async #post(connection: DuckDBConnection, segment: Segment): Promise<void> {
    const { mergedRows } = this.#ports.postings
    const span = await this.#span(connection, segment)
    const { below } = span
    // As many as a merge would take go where that would put them; the others need no order yet.
    const isLarge = segment.mergedBelow === span.from && below - span.from >= mergedRows
    const lengths = isLarge ? lengthTable(segment) : freshLengthTable(segment)
    const postings = isLarge ? postingTable(segment) : freshPostingTable(segment)
    await inTransaction(connection, async () => {
      for (const cut of cutStatements(this.#file, segment, span)) {
        await connection.run(`CREATE OR REPLACE TEMP TABLE cut AS ${cut}`)
        await connection.run(
          `INSERT INTO ${this.#file.table(lengths)} SELECT f, unnest(docs) AS doc, n ` +
            'FROM (SELECT f, docs, len(tokens)::UINTEGER AS n FROM cut) WHERE n > 0' +
            (isLarge ? ' ORDER BY f, doc' : ''),
        )
        await connection.run(
          `INSERT INTO ${this.#file.table(postings)} SELECT f, t, list(doc) FROM ` +
            '(SELECT f, t, unnest(docs) AS doc FROM ' +
            '(SELECT f, unnest(tokens) AS t, docs FROM cut)) GROUP BY f, t' +
            (isLarge ? ' ORDER BY f, t' : ''),
        )
        await connection.run('DROP TABLE cut')
      }
      const insert = `INSERT INTO ${this.#file.table('posted')} SELECT $1, $2, ${postingsLayout}`
      const { library } = this.#ports.engine
      await run(library, connection, insert, [segment.number, BigInt(below)])
    })
    segment.postedBelow = below
    if (isLarge) segment.mergedBelow = below
  }

  /** The rows to post next: no more than memory holds the tokens of. Texts are shorter than sources. */
  async #span(connection: DuckDBConnection, segment: Segment): Promise<Span> {
    const from = segment.postedBelow
    const rows = Math.min(this.#ports.postings.mergedRows, segment.lastSeq + 1 - from)
    const span = { from, below: from + rows }
    const chars = segment.unpostedChars
    const isAll = span.below > segment.lastSeq
    // Counted anew from here on, if all there is gets posted; else no longer known.
    segment.unpostedChars = isAll ? 0 : Number.POSITIVE_INFINITY
    if (isAll && chars <= postedBytesMax) return span
    const texts = this.#file.textFields().flatMap((field) => textSql(segment, field) ?? [])
    if (texts.length === 0) return span
    const lengths = texts.map((text) => `coalesce(strlen(${text}), 0)`)
    const { library } = this.#ports.engine
    const sum = `SELECT sum(${lengths.join(' + ')}) ${rowsSql(this.#file, segment, span)}`
    const bytes = new Rows(await run(library, connection, sum, [])).number(0, 0)
    if (bytes <= postedBytesMax) return span
    segment.unpostedChars = Number.POSITIVE_INFINITY
    return { from, below: from + Math.max(1, Math.floor((rows * postedBytesMax) / bytes)) }
  }

  async #merge(connection: DuckDBConnection, segment: Segment): Promise<void> {
    const table = (name: string): string => this.#file.table(name)
    const freshLengths = table(freshLengthTable(segment))
    const freshPostings = table(freshPostingTable(segment))
    await inTransaction(connection, async () => {
      await connection.run(
        `INSERT INTO ${table(lengthTable(segment))} ` +
          `SELECT * FROM ${freshLengths} ORDER BY field, doc`,
      )
      const count = `SELECT sum(len(docs)) FROM ${freshPostings}`
      const { library } = this.#ports.engine
      const postings = new Rows(await run(library, connection, count, [])).number(0, 0)
      const parts = Math.ceil(postings / mergedPostingsMax)
      for (let part = 0; part < parts; part++) {
        await connection.run(
          `INSERT INTO ${table(postingTable(segment))} SELECT field, token, flatten(list(docs)) ` +
            `FROM ${freshPostings} WHERE hash(token) % ${parts} = ${part} ` +
            'GROUP BY field, token ORDER BY field, token',
        )
      }
      for (const fresh of [freshLengths, freshPostings]) {
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

/**
 * One statement per way to cut texts: rows (f, docs, tokens), one for each text that a field has, since
 * in most fields of a log a few texts come again and again. The tokens may be none: a test of that here
 * would make the engine cut every text twice.
 */
function cutStatements(file: PostingTarget, segment: Segment, span: Span): string[] {
  const byCut = new Map<string, string[]>()
  for (const field of file.textFields()) {
    const text = textSql(segment, field)
    if (text === undefined) continue
    const cut = tokensSql(field.analyzer, 'x')
    const texts = byCut.get(cut) ?? []
    byCut.set(cut, texts)
    texts.push(`{'f': ${field.number}, 'x': ${text}}`)
  }
  return [...byCut].map(
    ([cut, texts]) =>
      `SELECT f, docs, ${cut} AS tokens FROM ` +
      '(SELECT s.f::INTEGER AS f, s.x AS x, list(doc) AS docs FROM ' +
      `(SELECT (seq - ${segment.base})::UINTEGER AS doc, unnest([${texts.join(', ')}]) AS s ` +
      `${rowsSql(file, segment, span)}) ` +
      'WHERE s.x IS NOT NULL GROUP BY s.f, s.x)',
  )
}

function rowsSql(file: PostingTarget, segment: Segment, { from, below }: Span): string {
  return `FROM ${file.table(eventTable(segment))} WHERE seq >= ${from} AND seq < ${below}`
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
