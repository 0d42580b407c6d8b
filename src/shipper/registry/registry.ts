// The registry: how far each file is acknowledged, in Filebeat's own files. Changes gather while a
// write is under way and go to disk together; they count as saved once they are synced.

import type { Timer } from '../../runtime/clock.ts'
import {
  type Disk,
  type DiskFile,
  readFile,
  readFileIfThere,
  replaceFile,
} from '../../runtime/disk.ts'
import type { Ports } from '../../runtime/service.ts'
import { UserError } from '../../runtime/service.ts'
import {
  ACTIVE_FILE,
  CHECKPOINT_NEW,
  LOG_FILE,
  META_CONTENT,
  META_FILE,
  type State,
  applyLog,
  checkpointId,
  decodeCheckpoint,
  encodeChange,
  encodeCheckpoint,
} from './format.ts'

export interface RegistrySettings {
  /** path.data/registry; the files are in its directory `filebeat`. */
  readonly directory: string
  /** The least time between two writes. */
  readonly flushMs: number
  /** A longer log is replaced by a checkpoint. Default 10 MiB. */
  readonly logBytesMax?: number
}

export interface RegistryCounts {
  writes: number
  failedWrites: number
  updates: number
  removals: number
}

type RegistryPorts = Pick<Ports, 'clock' | 'disk' | 'logger'>

const DEFAULT_LOG_BYTES_MAX = 10 * 1024 * 1024
/** After a failed write. */
const RETRY_MS = 1000

export class Registry {
  readonly counts: RegistryCounts = { writes: 0, failedWrites: 0, updates: 0, removals: 0 }
  readonly #ports: RegistryPorts
  readonly #home: string
  readonly #flushMs: number
  readonly #logBytesMax: number
  readonly #states: Map<string, State>
  readonly #dirty = new Set<string>()
  #log: DiskFile
  /** Where the next operation goes; anything behind it is the rest of a failed write. */
  #logEnd: number
  #nextId: number
  #checkpoint: string | undefined
  #timer: Timer | undefined
  #writing: Promise<void> | undefined
  #isFailing = false
  /** A write failed; part of it may stand behind the log's end. */
  #isTorn = false
  #closed = false

  private constructor(ports: RegistryPorts, settings: RegistrySettings, home: string) {
    this.#ports = ports
    this.#home = home
    this.#flushMs = settings.flushMs
    this.#logBytesMax = settings.logBytesMax ?? DEFAULT_LOG_BYTES_MAX
    const { disk, logger } = ports
    const checkpoint = newestCheckpoint(ports, home)
    this.#states = checkpoint.states
    this.#checkpoint = checkpoint.name
    const logPath = `${home}/${LOG_FILE}`
    const isNew = disk.stat(logPath) === undefined
    const bytes = isNew ? Buffer.alloc(0) : readFile(disk, logPath)
    const { lastId, validBytes } = applyLog(bytes, checkpoint.id, this.#states)
    this.#nextId = lastId + 1
    this.#log = disk.open(logPath, 'readWrite')
    this.#logEnd = validBytes
    if (validBytes < bytes.length) {
      logger.warn(
        `The registry's log ends in ${bytes.length - validBytes} bytes of an unfinished write; ` +
          'going on with the last whole state',
      )
      this.#log.truncate(validBytes)
    }
    if (isNew) disk.syncDirectory(home)
  }

  /** @throws UserError for a registry of another format, DiskError */
  static open(ports: RegistryPorts, settings: RegistrySettings): Registry {
    const { disk } = ports
    const { directory } = settings
    if (disk.stat(directory)?.kind === 'file') {
      throw new UserError(`${directory}: a registry of Filebeat 6 or older is not read`)
    }
    const home = `${directory}/filebeat`
    makeDurableDirectory(disk, home)
    const meta = readFileIfThere(disk, `${home}/${META_FILE}`)?.toString('utf8')
    if (meta === undefined) replaceFile(disk, `${home}/${META_FILE}`, META_CONTENT)
    else if (!/"version"\s*:\s*"1"/.test(meta)) {
      throw new UserError(`${home}/${META_FILE}: a registry of this version is not read: ${meta}`)
    }
    return new Registry(ports, settings, home)
  }

  get(key: string): State | undefined {
    return this.#states.get(key)
  }

  get size(): number {
    return this.#states.size
  }

  keys(): string[] {
    return [...this.#states.keys()]
  }

  set(key: string, state: State): void {
    this.#states.set(key, state)
    this.counts.updates += 1
    this.#change(key)
  }

  remove(key: string): void {
    if (!this.#states.delete(key)) return
    this.counts.removals += 1
    this.#change(key)
  }

  /** Resolves when what changed before the call is on disk. @throws DiskError */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#dirty.size === 0) return
    const writing = this.#write()
    this.#writing = writing.catch(() => {})
    try {
      await writing
    } finally {
      this.#writing = undefined
      if (this.#dirty.size > 0 && !this.#closed) this.#writeIn(this.#flushMs)
    }
  }

  /** Saves, then lets go of the files. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    try {
      await this.flush()
    } catch (error) {
      this.#ports.logger.error('The registry could not be written', error)
    }
    this.#log.close()
  }

  #change(key: string): void {
    this.#dirty.add(key)
    if (this.#timer !== undefined || this.#writing !== undefined || this.#closed) return
    this.#writeIn(this.#flushMs)
  }

  #writeIn(delayMs: number): void {
    this.#timer = this.#ports.clock.schedule(delayMs, () => {
      this.#timer = undefined
      this.#writing = this.#writeAndGoOn()
    })
  }

  async #writeAndGoOn(): Promise<void> {
    let delayMs = this.#flushMs
    try {
      await this.#write()
      this.#isFailing = false
    } catch (error) {
      this.counts.failedWrites += 1
      delayMs = Math.max(RETRY_MS, delayMs)
      if (!this.#isFailing) {
        this.#ports.logger.error('The registry cannot be written; trying again', error)
      }
      this.#isFailing = true
    }
    this.#writing = undefined
    if (this.#dirty.size > 0 && !this.#closed) this.#writeIn(delayMs)
  }

  async #write(): Promise<void> {
    const keys = [...this.#dirty]
    this.#dirty.clear()
    try {
      if (this.#isTorn) this.#log.truncate(this.#logEnd)
      this.#isTorn = false
      if (this.#logEnd > this.#logBytesMax) this.#writeCheckpoint()
      else {
        const text = keys.map((key, index) =>
          encodeChange(this.#nextId + index, { key, state: this.#states.get(key) }),
        )
        const bytes = Buffer.from(text.join(''))
        this.#log.write(bytes, 0, bytes.length, this.#logEnd)
        await this.#log.sync()
        this.#logEnd += bytes.length
        this.#nextId += keys.length
      }
      this.counts.writes += 1
    } catch (error) {
      this.#isTorn = true
      for (const key of keys) this.#dirty.add(key)
      throw error
    }
  }

  /**
   * All states in one file, named after the transaction they are the state of; then an empty log.
   */
  #writeCheckpoint(): void {
    const { disk } = this.#ports
    const id = this.#nextId
    const name = `${id}.json`
    const bytes = Buffer.from(encodeCheckpoint(this.#states))
    const temporary = `${this.#home}/${CHECKPOINT_NEW}`
    const file = disk.open(temporary, 'replace')
    try {
      file.write(bytes, 0, bytes.length, 0)
      file.syncNow()
    } finally {
      file.close()
    }
    disk.rename(temporary, `${this.#home}/${name}`)
    disk.syncDirectory(this.#home)
    this.#nextId = id + 1
    const old = this.#checkpoint
    this.#checkpoint = name
    this.#log.truncate(0)
    this.#logEnd = 0
    this.#log.syncNow()
    replaceFile(disk, `${this.#home}/${ACTIVE_FILE}`, `${this.#home}/${name}`)
    if (old !== undefined) disk.remove(`${this.#home}/${old}`)
  }
}

/** A directory whose name, and those of the parents made with it, outlive a power loss. */
function makeDurableDirectory(disk: Disk, path: string): void {
  const parents: string[] = []
  for (let at = path; at !== '' && disk.stat(at) === undefined; ) {
    at = at.slice(0, at.lastIndexOf('/'))
    parents.push(at === '' ? '/' : at)
  }
  disk.makeDirectory(path)
  for (const parent of parents) disk.syncDirectory(parent)
}

function newestCheckpoint(
  { disk, logger }: RegistryPorts,
  home: string,
): { id: number; name: string | undefined; states: Map<string, State> } {
  const found = disk
    .list(home)
    .map(({ name }) => ({ name, id: checkpointId(name) }))
    .filter((entry): entry is { name: string; id: number } => entry.id !== undefined)
    .toSorted((left, right) => right.id - left.id)
  const [newest] = found
  if (newest === undefined) return { id: 0, name: undefined, states: new Map() }
  const path = `${home}/${newest.name}`
  const states = decodeCheckpoint(readFile(disk, path).toString('utf8'))
  if (states !== undefined) return { ...newest, states }
  // As the original does: what the log has is better than nothing.
  logger.warn(`${path} cannot be read and is renamed to ${newest.name}.corrupted`)
  disk.rename(path, `${path}.corrupted`)
  return { id: newest.id, name: undefined, states: new Map() }
}
