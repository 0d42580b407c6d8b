/** The storage on DuckDB: a directory with one file per index, and the engine that has them attached. */
import type { Clock } from '../../../runtime/clock.ts'
import type { Disk } from '../../../runtime/disk.ts'
import type { Logger } from '../../../runtime/logger.ts'
import { UserError } from '../../../runtime/service.ts'
import type { GroupPlan, GroupRow, HitsPlan, ShardPlan, StoredHit } from '../plan.ts'
import type { IndexIdentity, IndexStorage } from '../index-storage.ts'
import type { SearchStorage } from '../storage.ts'
import { Engine, type EngineSettings } from './engine.ts'
import { findGroups } from './groups.ts'
import { countRows, findHits, greatestScore } from './hits.ts'
import { IndexFile, type IndexFilePorts } from './index-file.ts'
import type { Describe } from './load.ts'
import type { PostingSettings } from './postings.ts'

export interface DuckStoragePorts {
  readonly clock: Clock
  readonly disk: Disk
  readonly logger: Logger
}

export interface DuckStorageSettings extends Omit<EngineSettings, 'temporaryDirectory'> {
  /** Holds the files; made where missing. */
  readonly directory: string
  readonly describe: Describe
  readonly postings: PostingSettings
}

export class DuckStorage implements SearchStorage {
  readonly #ports: DuckStoragePorts
  readonly #settings: DuckStorageSettings
  readonly #files = new Set<IndexFile>()
  #engine: Engine | undefined

  constructor(ports: DuckStoragePorts, settings: DuckStorageSettings) {
    this.#ports = ports
    this.#settings = settings
  }

  async open(): Promise<IndexStorage[]> {
    const { disk, clock } = this.#ports
    const { directory } = this.#settings
    disk.makeDirectory(directory)
    const temporaryDirectory = `${directory}/tmp`
    this.#engine = await Engine.start(clock, { ...this.#settings, temporaryDirectory })
    for (const entry of disk.list(directory)) {
      const uuid = /^([A-Za-z0-9_-]{22})\.duckdb$/.exec(entry.name)?.[1]
      if (uuid === undefined) continue
      const path = `${directory}/${entry.name}`
      const file = await this.#openFile(path, uuid)
      if (file === undefined) {
        this.#ports.logger.warn(`removed ${path}: the creation of that index was not finished`)
        disk.remove(path)
        disk.remove(`${path}.wal`)
      } else this.#files.add(file)
    }
    return [...this.#files]
  }

  /** Undefined where its creation was not finished. @throws UserError that names a damaged file */
  async #openFile(path: string, uuid: string): Promise<IndexFile | undefined> {
    try {
      return await IndexFile.open(this.#filePorts(), { path, uuid }, this.#settings.describe)
    } catch (error) {
      const why = error instanceof Error ? error.message.split('\n')[0] : String(error)
      throw new UserError(`cannot open ${path}: ${why}`, { cause: error })
    }
  }

  async create(identity: IndexIdentity, definition: string): Promise<IndexStorage> {
    const path = `${this.#settings.directory}/${identity.uuid}.duckdb`
    const file = await IndexFile.create(this.#filePorts(), { path, identity }, definition)
    this.#ports.disk.syncDirectory(this.#settings.directory)
    this.#files.add(file)
    return file
  }

  async drop(index: IndexStorage): Promise<void> {
    if (!(index instanceof IndexFile) || !this.#files.delete(index)) return
    await index.drop()
  }

  async close(): Promise<void> {
    for (const file of this.#files) await file.close()
    this.#files.clear()
    this.#engine?.close()
    this.#engine = undefined
  }

  /** Ends statements that read, and refuses further ones, so that nothing holds up the stop. */
  stopReading(): void {
    this.#engine?.stopReading()
  }

  count(shards: readonly ShardPlan[], atMost?: number): Promise<number> {
    return countRows(this.#running(), shards, atMost)
  }

  hits(plan: HitsPlan): Promise<StoredHit[]> {
    return findHits(this.#running(), plan)
  }

  maxScore(shards: readonly ShardPlan[]): Promise<number | undefined> {
    return greatestScore(this.#running(), shards)
  }

  groups(plan: GroupPlan): Promise<GroupRow[]> {
    return findGroups(this.#running(), plan)
  }

  #running(): Engine {
    if (this.#engine === undefined) throw new Error('the storage is not open')
    return this.#engine
  }

  #filePorts(): IndexFilePorts {
    return { engine: this.#running(), ...this.#ports, postings: this.#settings.postings }
  }
}
