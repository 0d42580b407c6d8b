/**
 * One directory of log.dirs: its lock, meta.properties, clean marker and checkpoint files, and the logs
 * in it. A disk error anywhere in it takes the whole directory offline.
 */
import { DiskError } from '../runtime/disk.ts'
import type { DiskLock } from '../runtime/disk.ts'
import { UserError } from '../runtime/service.ts'
import {
  highWatermarkFile,
  logStartFile,
  recoveryPointFile,
  writeCheckpoint,
} from './checkpoints.ts'
import { createLog } from './create-log.ts'
import { cleanMarkerFile, deletedDirectory, futureDirectory, lockFile } from './file-names.ts'
import { GatherPool } from './gather.ts'
import { Housekeeping } from './housekeeping.ts'
import type { Gathering, LogContext, StoragePorts } from './log-context.ts'
import { type LogFile, OpenFiles } from './log-file.ts'
import { metaPropertiesFile } from './file-names.ts'
import { claimDirectory } from './meta-properties.ts'
import { openLogs } from './open-logs.ts'
import { writeTopicId } from './partition-metadata.ts'
import type { PartitionLog } from './partition-log.ts'
import type { LogDirectorySettings, LogSettings } from './settings.ts'

const closingAtOnce = 16

export interface CreateOptions {
  /** Base64url; written to partition.metadata. */
  readonly topicId?: string
  /** Default: what settingsOf says of the topic. */
  readonly settings?: LogSettings
}

export class LogDirectory {
  readonly path: string
  private readonly ports: StoragePorts
  private readonly settings: LogDirectorySettings
  private readonly lock: DiskLock
  private readonly context: LogContext
  private readonly byName = new Map<string, PartitionLog>()
  private readonly futureByName = new Map<string, PartitionLog>()
  /** What was on its way here when the last process ended; its files are gone. */
  interruptedMoves: readonly { readonly topic: string; readonly partition: number }[] = []
  private readonly housekeeping: Housekeeping
  private readonly offlineActions: ((error: Error) => void)[] = []
  private failure: Error | undefined
  private gathering: Gathering[] = []
  private flushScheduled = false

  private constructor(
    ports: StoragePorts,
    path: string,
    settings: LogDirectorySettings,
    lock: DiskLock,
  ) {
    this.ports = { ...ports, logger: ports.logger.named('kafka.log.LogManager') }
    this.path = path
    this.settings = settings
    this.lock = lock
    this.context = this.makeContext()
    this.housekeeping = new Housekeeping(this.ports, this, settings)
  }

  /**
   * Locks the directory, opens every log in it and begins its housekeeping. A missing directory is made.
   * @throws UserError where it is locked, belongs to another broker or holds what is no log; DiskError
   */
  static async open(
    ports: StoragePorts,
    path: string,
    settings: LogDirectorySettings,
  ): Promise<LogDirectory> {
    makeDurableDirectory(ports, path)
    const lock = lockDirectory(ports, path)
    try {
      claimDirectory(ports.disk, `${path}/${metaPropertiesFile}`, settings)
      const directory = new LogDirectory(ports, path, settings, lock)
      await directory.load()
      directory.housekeeping.start()
      return directory
    } catch (error) {
      lock.release()
      throw error
    }
  }

  /** By `topic-partition`. */
  get logs(): ReadonlyMap<string, PartitionLog> {
    return this.byName
  }

  /** Replicas that are on their way here from other directories. */
  get futures(): ReadonlyMap<string, PartitionLog> {
    return this.futureByName
  }

  /** Undefined while the directory works. */
  get offlineBecause(): Error | undefined {
    return this.failure
  }

  get(topic: string, partition: number): PartitionLog | undefined {
    return this.byName.get(`${topic}-${partition}`)
  }

  /** Makes an empty log, or gives the one that is there. @throws DiskError, and goes offline */
  create(topic: string, partition: number, options: CreateOptions = {}): PartitionLog {
    const name = `${topic}-${partition}`
    const known = this.byName.get(name)
    if (known !== undefined) return known
    if (this.failure !== undefined) throw this.failure
    const directory = `${this.path}/${name}`
    const settings = options.settings ?? this.settings.settingsOf(topic)
    try {
      const { topicId } = options
      const log = createLog(this.context, { topic, partition, directory, topicId, settings })
      this.ports.disk.syncDirectory(this.path)
      this.byName.set(name, log)
      this.ports.logger.info(`Created log for partition ${name} in ${directory}`)
      return log
    } catch (error) {
      this.fail(error)
      throw error
    }
  }

  /** A topic that was made without an id has one now. A failing disk takes the directory offline. */
  adoptTopicId(log: PartitionLog, topicId: string): void {
    if (log.topicId !== undefined || log.offline) return
    try {
      writeTopicId(this.ports.disk, log.directory, topicId)
      log.topicId = topicId
    } catch (error) {
      this.fail(error)
    }
  }

  /**
   * Takes a log away at once; its files go after file.delete.delay.ms. Its checkpoint lines go with the
   * next checkpoint. @throws DiskError, and goes offline
   */
  remove(topic: string, partition: number): void {
    const log = this.byName.get(`${topic}-${partition}`)
    if (log === undefined) return
    this.byName.delete(log.name)
    log.forget()
    if (this.failure !== undefined) return
    const renamed = `${this.path}/${deletedDirectory(topic, partition, this.newId())}`
    try {
      this.ports.disk.rename(log.directory, renamed)
      this.ports.disk.syncDirectory(this.path)
    } catch (error) {
      this.fail(error)
      throw error
    }
    this.housekeeping.removeTreeLater(renamed, log.settings.fileDeleteDelayMs)
    this.ports.logger.info(`Log for partition ${log.name} is renamed to ${renamed} to be deleted`)
  }

  /**
   * Makes an empty log beside those that count: a replica that is being moved here from another directory,
   * until `promote`. @throws DiskError, and goes offline
   */
  createFuture(source: PartitionLog): PartitionLog {
    if (this.failure !== undefined) throw this.failure
    const { topic, partition, topicId, settings } = source
    const directory = `${this.path}/${futureDirectory(topic, partition, this.newId())}`
    try {
      const log = createLog(this.context, { topic, partition, directory, topicId, settings })
      this.futureByName.set(log.name, log)
      return log
    } catch (error) {
      this.fail(error)
      throw error
    }
  }

  /** A log that was made by `createFuture` is the partition's from now on. @throws DiskError */
  promote(log: PartitionLog): void {
    const directory = `${this.path}/${log.name}`
    try {
      this.ports.disk.rename(log.directory, directory)
      this.ports.disk.syncDirectory(this.path)
      log.moved(directory)
      this.futureByName.delete(log.name)
      this.byName.set(log.name, log)
      this.checkpointRecoveryPoints()
      this.checkpointHighWatermarks()
    } catch (error) {
      this.fail(error)
      throw error
    }
  }

  /** A log that was to be moved here is not. */
  dropFuture(log: PartitionLog): void {
    if (this.futureByName.get(log.name) !== log) return
    this.futureByName.delete(log.name)
    log.forget()
    this.housekeeping.removeTreeLater(log.directory, 0)
  }

  /** Writes what this turn gathered, over all logs: call before the turn's acknowledgements leave. */
  flushGathered(): void {
    const { gathering } = this
    if (gathering.length === 0) return
    this.gathering = []
    for (const log of gathering) log.flushGathered()
  }

  /** `action` runs once, when the directory goes offline; at once where it already is. */
  onOffline(action: (error: Error) => void): void {
    if (this.failure !== undefined) action(this.failure)
    else this.offlineActions.push(action)
  }

  /** Makes all logs durable as far as they are written, and writes the three offset files. */
  async checkpoint(): Promise<void> {
    if (this.failure !== undefined) return
    try {
      this.checkpointRecoveryPoints()
      this.checkpointHighWatermarks()
    } catch (error) {
      this.fail(error)
    }
    return Promise.resolve()
  }

  /** recovery-point-offset-checkpoint and log-start-offset-checkpoint. @throws DiskError */
  checkpointRecoveryPoints(): void {
    const recovery = new Map<string, number>()
    const starts = new Map<string, number>()
    for (const log of this.byName.values()) {
      recovery.set(log.name, log.recoveryPoint)
      if (log.logStartOffset > log.segments.first.baseOffset)
        starts.set(log.name, log.logStartOffset)
    }
    writeCheckpoint(this.ports.disk, `${this.path}/${recoveryPointFile}`, recovery)
    writeCheckpoint(this.ports.disk, `${this.path}/${logStartFile}`, starts)
  }

  /** replication-offset-checkpoint. @throws DiskError */
  checkpointHighWatermarks(): void {
    const offsets = new Map<string, number>()
    for (const log of this.byName.values()) offsets.set(log.name, log.highWatermark)
    writeCheckpoint(this.ports.disk, `${this.path}/${highWatermarkFile}`, offsets)
  }

  /**
   * clean: everything made durable, snapshots taken, the clean marker written. Otherwise as if killed,
   * but for gathered bytes. Never rejects; what failed is logged and leaves no marker.
   */
  async close(clean: boolean): Promise<void> {
    this.housekeeping.stop()
    this.flushGathered()
    try {
      const logs = this.byName.values()
      const closeSome = async () => {
        for (const log of logs) await log.close(clean && this.failure === undefined)
      }
      // Flushes wait for the disk, not for each other.
      await Promise.all(Array.from({ length: closingAtOnce }, closeSome))
      if (clean && this.failure === undefined) {
        this.checkpointRecoveryPoints()
        this.checkpointHighWatermarks()
        this.writeCleanMarker()
      }
    } catch (error) {
      this.fail(error)
    } finally {
      for (const log of [...this.byName.values(), ...this.futureByName.values()]) log.forget()
      this.lock.release()
    }
  }

  /** Takes the directory offline. Harmless when it already is. */
  fail(error: unknown): void {
    if (this.failure !== undefined) return
    this.failure = error instanceof Error ? error : new Error(String(error))
    this.ports.logger.error(`Stopping serving logs in dir ${this.path}`, error)
    this.housekeeping.stop()
    for (const action of this.offlineActions.splice(0)) action(this.failure)
  }

  private newId(): string {
    return Buffer.from(this.ports.random.bytes(16)).toString('hex')
  }

  private async load(): Promise<void> {
    const { disk } = this.ports
    const marker = `${this.path}/${cleanMarkerFile}`
    const clean = disk.stat(marker) !== undefined
    const found = await openLogs(this.ports, this.context, this.path, clean, this.settings)
    if (this.failure !== undefined) throw this.failure
    for (const log of found.logs) this.byName.set(log.name, log)
    this.interruptedMoves = found.futures
    for (const directory of found.deleted) {
      this.housekeeping.removeTreeLater(directory, this.settings.settingsOf('').fileDeleteDelayMs)
    }
    if (disk.stat(`${this.path}/${recoveryPointFile}`) === undefined) {
      this.checkpointRecoveryPoints()
    }
    // From here on the files change: without a clean shutdown they have to be checked.
    disk.remove(marker)
    disk.syncDirectory(this.path)
  }

  /** Kafka 3.7 and above read a broker epoch from it; -1 says that none is known. */
  private writeCleanMarker(): void {
    const { disk } = this.ports
    const file = disk.open(`${this.path}/${cleanMarkerFile}`, 'replace')
    try {
      const content = Buffer.from('{"version":0,"brokerEpoch":-1}')
      file.write(content, 0, content.length, 0)
      file.syncNow()
    } finally {
      file.close()
    }
    disk.syncDirectory(this.path)
  }

  private makeContext(): LogContext {
    return {
      ...this.ports,
      files: new OpenFiles(this.ports.disk, this.settings.openFilesMax),
      gather: new GatherPool(),
      isOffline: () => this.failure !== undefined,
      gathered: (log) => this.noteGathering(log),
      fail: (error) => this.fail(error),
      removeLater: (files, delayMs) => this.removeFilesLater(files, delayMs),
    }
  }

  private noteGathering(log: Gathering): void {
    this.gathering.push(log)
    if (this.flushScheduled) return
    this.flushScheduled = true
    this.ports.clock.atEndOfTurn(() => {
      this.flushScheduled = false
      this.flushGathered()
    })
  }

  private removeFilesLater(files: readonly LogFile[], delayMs: number): void {
    this.housekeeping.removeLater(delayMs, () => {
      for (const file of files) file.remove()
    })
  }
}

function makeDurableDirectory(ports: StoragePorts, path: string): void {
  if (ports.disk.stat(path) !== undefined) return
  ports.disk.makeDirectory(path)
  ports.disk.syncDirectory(path.slice(0, Math.max(path.lastIndexOf('/'), 1)))
}

function lockDirectory(ports: StoragePorts, path: string): DiskLock {
  try {
    return ports.disk.lock(`${path}/${lockFile}`)
  } catch (error) {
    if (!(error instanceof DiskError) || error.code !== 'ELOCKED') throw error
    throw new UserError(
      `Failed to acquire lock on file .lock in ${path}. A Kafka instance in another process or ` +
        'thread is using this directory.',
      { cause: error },
    )
  }
}
