/** The one DuckDB instance: its connections, statements with a time limit, attached index files. */
import type {
  DuckDBConnection,
  DuckDBInstance,
  DuckDBResultReader,
  DuckDBValue,
} from '@duckdb/node-api'
import type { Clock } from '../../../runtime/clock.ts'
import { UserError } from '../../../runtime/service.ts'
import { illegalArgument, type SearchError } from '../../errors.ts'
import { DiskFullError, SearchTimeoutError } from '../storage.ts'
import { quoteName, quoteText, type SqlValue } from './sql.ts'

type Library = typeof import('@duckdb/node-api')

export interface EngineSettings {
  readonly memoryBytesMax: number
  readonly threads: number
  /** A reading statement that takes longer is stopped. */
  readonly statementMsMax: number
  /** Reading statements at the same time; more wait. */
  readonly readersMax: number
  readonly temporaryDirectory: string
}

export class Engine {
  readonly library: Library
  readonly #instance: DuckDBInstance
  readonly #clock: Clock
  readonly #settings: EngineSettings
  readonly #idleReaders: DuckDBConnection[] = []
  readonly #waiting: ((connection: DuckDBConnection) => void)[] = []
  readonly #reading = new Set<DuckDBConnection>()
  #readers = 0
  #isStopping = false

  private constructor(library: Library, instance: DuckDBInstance, parts: EngineParts) {
    this.library = library
    this.#instance = instance
    this.#clock = parts.clock
    this.#settings = parts.settings
  }

  /** @throws UserError where the engine is not installed */
  static async start(clock: Clock, settings: EngineSettings): Promise<Engine> {
    const library = await loadLibrary()
    const instance = await library.DuckDBInstance.create(':memory:', {
      memory_limit: `${Math.round(settings.memoryBytesMax / 1e6)}MB`,
      threads: String(settings.threads),
      temp_directory: settings.temporaryDirectory,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      checkpoint_threshold: '256MB',
      preserve_insertion_order: 'true',
    })
    return new Engine(library, instance, { clock, settings })
  }

  connect(): Promise<DuckDBConnection> {
    return this.#instance.connect()
  }

  /** Makes a file (created where missing) available under a name. @throws Error from the engine */
  async attach(connection: DuckDBConnection, path: string, name: string): Promise<void> {
    await connection.run(
      `ATTACH ${quoteText(path)} AS ${quoteName(name)} (STORAGE_VERSION 'latest')`,
    )
  }

  /** Runs one reading statement on a connection of the pool. @throws SearchTimeoutError */
  async read(sql: string, values: readonly SqlValue[] = []): Promise<Rows> {
    const connection = await this.#takeReader()
    if (this.#isStopping) {
      this.#giveReader(connection)
      throw new SearchTimeoutError('stopped: the server is stopping')
    }
    let stopped = false
    this.#reading.add(connection)
    const timer = this.#clock.schedule(this.#settings.statementMsMax, () => {
      stopped = true
      connection.interrupt()
    })
    try {
      return new Rows(await run(this.library, connection, sql, values))
    } catch (error) {
      if (this.#isStopping) {
        throw new SearchTimeoutError('stopped: the server is stopping', { cause: error })
      }
      if (!stopped) throw patternError(error) ?? error
      throw new SearchTimeoutError(`stopped after ${this.#settings.statementMsMax} ms`, {
        cause: error,
      })
    } finally {
      timer.cancel()
      this.#reading.delete(connection)
      this.#giveReader(connection)
    }
  }

  /** Ends the reading statements under way; those that come later are refused. */
  stopReading(): void {
    this.#isStopping = true
    for (const connection of this.#reading) connection.interrupt()
  }

  close(): void {
    for (const connection of this.#idleReaders) connection.closeSync()
    this.#idleReaders.length = 0
    this.#instance.closeSync()
  }

  async #takeReader(): Promise<DuckDBConnection> {
    const idle = this.#idleReaders.pop()
    if (idle !== undefined) return idle
    if (this.#readers < this.#settings.readersMax) {
      this.#readers++
      return await this.connect()
    }
    return await new Promise((resolve) => this.#waiting.push(resolve))
  }

  #giveReader(connection: DuckDBConnection): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#idleReaders.push(connection)
    else next(connection)
  }
}

interface EngineParts {
  readonly clock: Clock
  readonly settings: EngineSettings
}

/** The engine's own regular expressions refuse some that are well formed: those of huge repetitions. */
function patternError(error: unknown): SearchError | undefined {
  const message = error instanceof Error ? error.message : ''
  const found = /^Invalid Input Error: ((?:invalid|missing|bad|unexpected|pattern too) .*)$/.exec(
    message,
  )
  return found?.[1] === undefined ? undefined : illegalArgument(found[1])
}

async function loadLibrary(): Promise<Library> {
  try {
    return await import('@duckdb/node-api')
  } catch (error) {
    throw new UserError('search needs the package @duckdb/node-api: npm install @duckdb/node-api', {
      cause: error,
    })
  }
}

/** All that the work does, or nothing of it. @throws DiskFullError where there is no room for it */
export async function inTransaction(
  connection: { run(sql: string): Promise<unknown> },
  work: () => Promise<void>,
): Promise<void> {
  try {
    await connection.run('BEGIN')
    try {
      await work()
    } catch (error) {
      await connection.run('ROLLBACK')
      throw error
    }
    // A commit that fails rolls back by itself.
    await connection.run('COMMIT')
  } catch (error) {
    const isFull = error instanceof Error && error.message.includes('No space left on device')
    throw isFull ? new DiskFullError('no space left on device', { cause: error }) : error
  }
}

/** Runs a statement with bound values and reads the whole answer. */
export async function run(
  library: Library,
  connection: DuckDBConnection,
  sql: string,
  values: readonly SqlValue[],
): Promise<DuckDBResultReader> {
  if (values.length === 0) return await connection.runAndReadAll(sql)
  return await connection.runAndReadAll(sql, values.map(bindable(library)))
}

function bindable(library: Library): (value: SqlValue) => DuckDBValue {
  return (value) => {
    if (Array.isArray(value)) return library.listValue([...value])
    return value as Exclude<SqlValue, readonly unknown[]>
  }
}

/** An answer, column by column; whole numbers come as numbers where they are safe. */
export class Rows {
  readonly #columns: DuckDBValue[][]
  readonly length: number

  constructor(reader: DuckDBResultReader) {
    this.#columns = reader.getColumns()
    this.length = reader.currentRowCount
  }

  value(column: number, row: number): DuckDBValue {
    return this.#columns[column]?.[row] ?? null
  }

  number(column: number, row: number): number {
    return Number(this.value(column, row) ?? 0)
  }

  text(column: number, row: number): string | undefined {
    const value = this.value(column, row)
    return typeof value === 'string' ? value : undefined
  }
}
