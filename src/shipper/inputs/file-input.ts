// One input: finds its files, notices when they grow, are renamed, cut or removed, and opens and
// closes them. Reading is the harvester's.

import { delay } from '../../runtime/clock.ts'
import { type DiskError, type FileStatus, DiskError as DiskFailure } from '../../runtime/disk.ts'
import { EventSource } from '../event.ts'
import { nativeIdentity, offsetOf, registryKeyPrefix, sourceOf } from '../registry/states.ts'
import type { InputSettings } from '../settings.ts'
import {
  type FoundFile,
  type PathPattern,
  findFiles,
  matchesPath,
  parsePathPattern,
} from './globs.ts'
import { MultilineJoiner } from './multiline.ts'
import type { InputContext } from './shared.ts'
import { type OpenFile, TrackedFile } from './tracked-file.ts'

export const POLL_MS = 250
/** An idle file is looked at less and less often, down to this. */
const POLL_MS_MAX = 500
/** A file without a name may still be written to by a process that has it open. */
const NAMELESS_MS = 60_000
/** Files between two turns of the loop while scanning. */
const FILES_PER_TURN = 256
/** A file has to be missing from so many scans: one may look while it is being renamed. */
const MISSED_SCANS = 2

export class FileInput {
  readonly settings: InputSettings
  readonly #context: InputContext
  readonly #patterns: readonly PathPattern[]
  readonly #keyPrefix: string
  readonly #files = new Map<string, TrackedFile>()
  readonly #open = new Set<TrackedFile>()
  /** Directories of the last scan, with their times: a change asks for the next scan. */
  #directories = new Map<string, number>()
  readonly #reported = new Set<string>()
  /** Registry keys of this input without a file, after the first scan. */
  #orphans: Set<string> | undefined
  #scans = 0
  #isStopped = false

  constructor(context: InputContext, settings: InputSettings) {
    this.#context = context
    this.settings = settings
    this.#patterns = settings.paths.map((path) => parsePathPattern(path, settings.recursive))
    this.#keyPrefix = registryKeyPrefix(settings.kind, settings.id)
  }

  get openFiles(): ReadonlySet<TrackedFile> {
    return this.#open
  }

  get fileCount(): number {
    return this.#files.size
  }

  stop(): void {
    this.#isStopped = true
    for (const file of [...this.#open]) this.close(file)
  }

  /** Whether a directory changed since the last scan. */
  hasChangedDirectory(): boolean {
    for (const [path, modifiedMs] of this.#directories) {
      if (this.#modifiedMs(path) !== modifiedMs) return true
    }
    return false
  }

  /** -1 for a directory that is missing or cannot be looked at. */
  #modifiedMs(path: string): number {
    try {
      return this.#context.ports.disk.stat(path)?.modifiedMs ?? -1
    } catch (error) {
      if (!(error instanceof DiskFailure)) throw error
      this.#reportOnce(error)
      return -1
    }
  }

  /** Looks for files, in slices that leave the loop to others. */
  async scan(): Promise<void> {
    const found = new Map<string, { status: FileStatus; paths: string[] }>()
    const directories = new Map<string, number>()
    const { clock, disk } = this.#context.ports
    const search = {
      onError: (error: DiskError) => this.#reportOnce(error),
      onDirectory: (path: string) => {
        if (!directories.has(path)) directories.set(path, this.#modifiedMs(path))
      },
    }
    let sinceTurn = 0
    for (const pattern of this.#patterns) {
      for (const file of findFiles(disk, pattern, search)) {
        sinceTurn += 1
        if (sinceTurn % FILES_PER_TURN === 0) await delay(clock, 0)
        if (this.#isStopped) return
        if (this.#isExcluded(file.path)) continue
        const identity = identityOf(file.status)
        const known = found.get(identity)
        if (known === undefined) found.set(identity, { status: file.status, paths: [file.path] })
        else if (!known.paths.includes(file.path)) known.paths.push(file.path)
      }
    }
    this.#directories = directories
    for (const [identity, { status, paths }] of found) {
      sinceTurn += 1
      if (sinceTurn % FILES_PER_TURN === 0) await delay(clock, 0)
      if (this.#isStopped) return
      this.#meet(identity, status, paths)
    }
    for (const [identity, file] of this.#files) {
      if (!found.has(identity)) this.#miss(identity, file)
    }
    this.#removeOrphans()
    this.#scans += 1
  }

  /** Looks whether open files have grown; closes those that are idle for long. */
  poll(): void {
    const nowMs = this.#context.ports.clock.monotonicMs()
    for (const file of this.#open) {
      const { open } = file
      if (open !== undefined && !open.isQueued && open.nextPollMs <= nowMs) {
        this.#pollFile(file, open, nowMs)
      }
    }
  }

  #pollFile(file: TrackedFile, open: OpenFile, nowMs: number): void {
    let status: FileStatus
    try {
      status = open.file.status()
    } catch (error) {
      if (!(error instanceof DiskFailure)) throw error
      this.giveUp(file, error)
      return
    }
    file.modifiedMs = status.modifiedMs
    if (status.size !== file.cursor.scanned) {
      open.lastGrowthMs = nowMs
      open.pollDelayMs = POLL_MS
      this.#context.enqueue(file, this.settings)
      return
    }
    const idleMs = nowMs - open.lastGrowthMs
    if (endsMessage(open, this.settings, nowMs)) {
      this.#context.enqueue(file, this.settings)
      return
    }
    const isNameless = file.missedScans >= MISSED_SCANS && this.settings.closeRemoved
    const limitMs = isNameless
      ? Math.min(NAMELESS_MS, this.settings.closeInactiveMs)
      : this.settings.closeInactiveMs
    if (idleMs >= limitMs || open.closeAtEnd || this.settings.closeEof) {
      open.closeAtEnd = true
      if (open.joiner?.pendingStart === undefined) this.close(file)
      else this.#context.enqueue(file, this.settings)
      return
    }
    open.pollDelayMs = Math.min(open.pollDelayMs * 2, POLL_MS_MAX)
    open.nextPollMs = nowMs + open.pollDelayMs
  }

  /** An error while reading: the next scan tries again. */
  giveUp(file: TrackedFile, error: DiskError): void {
    this.#context.ports.logger.error(`${file.path} cannot be read; trying again: ${error.message}`)
    this.close(file)
    file.knownSize = -1
  }

  close(file: TrackedFile): void {
    if (file.open === undefined) return
    file.knownSize = file.cursor.scanned
    file.close()
    this.#open.delete(file)
    this.#context.counts.closed += 1
    this.#context.ports.logger.debug(`Closed ${file.path} at offset ${file.cursor.position}`)
  }

  #isExcluded(path: string): boolean {
    const { excludeFiles, includeFiles } = this.settings
    if (excludeFiles.some((pattern) => pattern.test(path))) return true
    return includeFiles.length > 0 && !includeFiles.some((pattern) => pattern.test(path))
  }

  #meet(identity: string, status: FileStatus, paths: readonly string[]): void {
    const [path = ''] = paths
    const known = this.#files.get(identity)
    if (known === undefined) {
      const file = this.#begin({ path, status })
      if (file === undefined) return
      this.#files.set(identity, file)
      this.#openIfDue(file, status)
      return
    }
    known.missedScans = 0
    if (!paths.includes(known.path)) this.#rename(known, path)
    if (known.open === undefined) {
      known.modifiedMs = status.modifiedMs
      this.#openIfDue(known, status)
    }
  }

  #rename(file: TrackedFile, path: string): void {
    const { counts, ports, record } = this.#context
    ports.logger.info(`File was renamed: ${file.path} -> ${path}`)
    file.path = path
    counts.renamed += 1
    if (file.open !== undefined && this.settings.closeRenamed) file.open.closeAtEnd = true
    record(file, this.settings)
  }

  /** Where to begin with a file that is new to this process; undefined: not at all. */
  #begin(found: FoundFile): TrackedFile | undefined {
    const { ports, registry, owners, record } = this.#context
    const { path, status } = found
    const key = `${this.#keyPrefix}${nativeIdentity(status.inode, status.device)}`
    const owner = owners.get(key) ?? this
    if (owner !== this) {
      const report = `shared ${path}`
      if (!this.#reported.has(report)) {
        this.#reported.add(report)
        ports.logger.warn(`${path} belongs to two inputs; the first of them reads it`)
      }
      return undefined
    }
    const nowMs = ports.clock.now()
    const state = registry.get(key)
    const isOld = this.#isOld(status)
    if (state === undefined && isOld && this.#isCleanable(status.modifiedMs)) return undefined
    owners.set(key, this)
    if (state !== undefined) {
      const offset = offsetOf(state)
      const file = new TrackedFile(key, found, { position: offset, nowMs })
      file.knownSize = offset
      if (sourceOf(state) !== path) record(file, this.settings)
      return file
    }
    const skips = isOld || (this.settings.tailFiles && this.#scans === 0)
    const position = skips ? status.size : 0
    const file = new TrackedFile(key, found, { position, nowMs })
    if (!skips) file.knownSize = 0
    record(file, this.settings)
    return file
  }

  #openIfDue(file: TrackedFile, status: FileStatus): void {
    if (this.#isOld(status)) return
    const hasNews = status.size !== file.knownSize || file.cursor.scanned > status.size
    const idleMs = this.#context.ports.clock.now() - status.modifiedMs
    if (!hasNews && (this.settings.closeEof || idleMs >= this.settings.closeInactiveMs)) return
    const { harvesterLimit } = this.settings
    if (harvesterLimit > 0 && this.#open.size >= harvesterLimit) return
    this.#openFile(file)
  }

  #openFile(file: TrackedFile): void {
    const { agent, ports, prettyJson, counts, enqueue } = this.#context
    const { settings } = this
    try {
      const opened = ports.disk.open(file.path, 'read')
      if (!file.is(opened.status())) {
        // Renamed since the scan looked: the next one finds it.
        opened.close()
        file.knownSize = -1
        return
      }
      const nowMs = ports.clock.monotonicMs()
      const { multiline, json, maxBytes } = settings
      file.open = {
        file: opened,
        source: new EventSource(agent, settings.event, {
          path: file.path,
          decodes: json !== undefined,
          pretty: prettyJson,
        }),
        joiner: multiline === undefined ? undefined : new MultilineJoiner(multiline, maxBytes),
        lastGrowthMs: nowMs,
        nextPollMs: nowMs,
        pollDelayMs: POLL_MS,
        isQueued: false,
        closeAtEnd: false,
      }
    } catch (error) {
      if (!(error instanceof DiskFailure)) throw error
      file.knownSize = -1
      if (!file.isUnreadable) {
        ports.logger.error(`${file.path} cannot be opened; trying again: ${error.message}`)
      }
      file.isUnreadable = true
      return
    }
    file.isUnreadable = false
    this.#open.add(file)
    counts.opened += 1
    const from = file.cursor.position
    ports.logger.debug(`Harvester started for ${file.path} at offset ${from}`)
    enqueue(file, settings)
  }

  #miss(identity: string, file: TrackedFile): void {
    file.missedScans += 1
    if (file.open !== undefined || file.missedScans < MISSED_SCANS) return
    if (!file.acknowledged.isSettled) return
    if (!this.settings.cleanRemoved && !this.#isCleanable(file.modifiedMs)) return
    this.#forget(identity, file)
  }

  #forget(identity: string, file: TrackedFile): void {
    const { ports, registry, owners } = this.#context
    file.isForgotten = true
    this.#files.delete(identity)
    owners.delete(file.key)
    registry.remove(file.key)
    ports.logger.debug(`Forgot ${file.path}: it is gone`)
  }

  /** States of files that vanished while nobody looked. Only those of paths this input reads. */
  #removeOrphans(): void {
    const { owners, registry } = this.#context
    if (!this.settings.cleanRemoved) return
    if (this.#scans === 0) {
      const orphans = registry.keys().filter((key) => {
        const source = sourceOf(registry.get(key) ?? {})
        if (!key.startsWith(`${this.#keyPrefix}native::`) || source === undefined) return false
        return !owners.has(key) && this.#patterns.some((pattern) => matchesPath(pattern, source))
      })
      this.#orphans = new Set(orphans)
      return
    }
    for (const key of this.#orphans ?? []) if (!owners.has(key)) registry.remove(key)
    this.#orphans = undefined
  }

  #isOld(status: FileStatus): boolean {
    const { ignoreOlderMs } = this.settings
    if (ignoreOlderMs <= 0) return false
    return this.#context.ports.clock.now() - status.modifiedMs > ignoreOlderMs
  }

  #isCleanable(modifiedMs: number): boolean {
    const { cleanInactiveMs } = this.settings
    return cleanInactiveMs > 0 && this.#context.ports.clock.now() - modifiedMs > cleanInactiveMs
  }

  #reportOnce(error: DiskError): void {
    if (this.#reported.has(error.message)) return
    this.#reported.add(error.message)
    this.#context.ports.logger.error(`${error.message}; trying again`)
  }
}

/** Whether a message that waits for more lines has waited long enough. */
export function endsMessage(open: OpenFile, settings: InputSettings, nowMs: number): boolean {
  if (open.joiner?.pendingStart === undefined) return false
  if (open.closeAtEnd || settings.closeEof) return true
  return nowMs - open.lastGrowthMs >= (settings.multiline?.timeoutMs ?? 0)
}

function identityOf({ inode, device }: FileStatus): string {
  return `${inode}-${device}`
}
