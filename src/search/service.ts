/** The search server: its storage, its indices, and the API on a web server that it is handed. */
import type { FastifyInstance } from 'fastify'
import { DiskError, type DiskLock } from '../runtime/disk.ts'
import type { Logger } from '../runtime/logger.ts'
import { type Ports, type Service, UserError } from '../runtime/service.ts'
import type { Timer } from '../runtime/clock.ts'
import type { Compatibility } from './compatibility.ts'
import { loadDefinition } from './indices/definition.ts'
import { Indices } from './indices/indices.ts'
import { ClusterState } from './indices/templates.ts'
import { RestServer } from './rest/http.ts'
import { DuckStorage } from './storage/duckdb/storage.ts'

export interface SearchServiceSettings {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly dataDirectory: string
  readonly compatibility: Compatibility
  readonly clusterName: string
  readonly nodeName: string
  readonly memoryBytesMax: number
  readonly threads: number
  readonly statementMsMax: number
  readonly bodyBytesMax: number
  readonly shardsMax: number
}

export type SearchServicePorts = Pick<Ports, 'clock' | 'disk' | 'random' | 'logger'> & {
  readonly webServer: FastifyInstance
}

/** How often the log says how far things are. */
const progressMs = 60_000

export class SearchService implements Service {
  readonly #ports: SearchServicePorts
  readonly #settings: SearchServiceSettings
  readonly #logger: Logger
  #lock: DiskLock | undefined
  #storage: DuckStorage | undefined
  #indices: Indices | undefined
  #rest: RestServer | undefined
  #address = ''
  #progress: Timer | undefined
  #stopped = false

  constructor(ports: SearchServicePorts, settings: SearchServiceSettings) {
    this.#ports = ports
    this.#settings = settings
    this.#logger = ports.logger.named('search')
  }

  /** `host:port` once started. */
  get address(): string {
    return this.#address
  }

  async start(): Promise<void> {
    const { disk, clock, random, webServer } = this.#ports
    const { dataDirectory, compatibility } = this.#settings
    this.#lock = this.#inDirectory(() => {
      disk.makeDirectory(dataDirectory)
      return disk.lock(`${dataDirectory}/node.lock`)
    })
    const storage = this.#makeStorage()
    const newUuid = (): string => Buffer.from(random.bytes(17)).toString('base64url').slice(0, 22)
    const statePath = `${dataDirectory}/cluster-state.json`
    const state = this.#inDirectory(() => new ClusterState(disk, statePath, newUuid))
    const { shardsMax } = this.#settings
    const indices = new Indices({ clock, random, storage, state, shardsMax }, compatibility)
    indices.load(await storage.open())
    this.#storage = storage
    this.#indices = indices
    const context = {
      clock,
      indices,
      state,
      storage,
      compatibility,
      nodeName: this.#settings.nodeName,
      clusterName: this.#settings.clusterName,
      httpAddress: () => this.#address,
    }
    const { bodyBytesMax } = this.#settings
    const limits = { bodyBytesMax, bodiesBytesMax: 4 * bodyBytesMax }
    this.#rest = new RestServer(context, this.#logger, limits)
    this.#rest.register(webServer)
    await this.#listen()
    const count = indices.all.length
    this.#logger.info(
      `started on ${this.#address}, as version ${compatibility.number}, ${count} indices`,
    )
    this.#scheduleProgress(0, 0)
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.#progress?.cancel()
    // Whoever waits for a long search is told that it was stopped; what commits, commits.
    this.#storage?.stopReading()
    await this.#ports.webServer.close()
    for (const index of this.#indices?.all ?? []) await index.idle()
    await this.#storage?.close()
    this.#lock?.release()
    this.#logger.info('stopped')
  }

  #inDirectory<T>(work: () => T): T {
    const { dataDirectory } = this.#settings
    try {
      return work()
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      const why =
        error.code === 'ELOCKED'
          ? `data directory ${dataDirectory} is in use by another process`
          : `cannot use data directory ${dataDirectory}: ${error.message}`
      throw new UserError(why, { cause: error })
    }
  }

  #makeStorage(): DuckStorage {
    const { disk, clock } = this.#ports
    const { dataDirectory, memoryBytesMax, threads, statementMsMax } = this.#settings
    return new DuckStorage(
      { disk, clock, logger: this.#logger },
      {
        directory: `${dataDirectory}/indices`,
        memoryBytesMax,
        threads,
        statementMsMax,
        readersMax: 4,
        postings: { unpostedRows: 1024, mergedRows: 131_072 },
        describe: (text) => {
          const { name, mapping } = loadDefinition(text)
          return { name, timeColumn: mapping.numbers['@timestamp'] }
        },
      },
    )
  }

  async #listen(): Promise<void> {
    const { host, port } = this.#settings
    try {
      const url = await this.#ports.webServer.listen({ host, port })
      this.#address = url.replace(/^https?:\/\//, '')
    } catch (error) {
      await this.#storage?.close()
      this.#lock?.release()
      if (error instanceof Error && 'code' in error) {
        const taken = error.code === 'EADDRINUSE'
        const why = taken ? 'the port is in use' : error.message
        throw new UserError(`cannot listen on ${host}:${port}: ${why}`, { cause: error })
      }
      throw error
    }
  }

  #scheduleProgress(requestsBefore: number, documentsBefore: number): void {
    this.#progress = this.#ports.clock.schedule(progressMs, () => {
      const all = this.#indices?.all ?? []
      const documents = all.reduce((sum, index) => sum + index.storage.nextSeq, 0)
      const requests = this.#rest?.requests ?? 0
      const rate = Math.round(((documents - documentsBefore) * 1000) / progressMs)
      this.#logger.info(
        `${requests - requestsBefore} requests, ${documents - documentsBefore} documents written ` +
          `(${rate}/s), ${all.length} indices`,
      )
      this.#scheduleProgress(requests, documents)
    })
  }
}
