/** The timers of one log directory: a handful for all its logs, never one per log. */
import type { Clock, Timer } from '../runtime/clock.ts'
import type { Disk } from '../runtime/disk.ts'
import type { StoragePorts } from './log-context.ts'
import type { PartitionLog } from './partition-log.ts'
import type { LogDirectorySettings } from './settings.ts'

/** The directory, as far as its timers go. */
export interface Housekept {
  readonly logs: ReadonlyMap<string, PartitionLog>
  checkpointRecoveryPoints(): void
  checkpointHighWatermarks(): void
  fail(error: unknown): void
}

/** How long one task may hold the loop before it goes on in another turn. */
const sliceMs = 5
/** The original's "never" is larger; timers cannot count that far. */
const delayMsMax = 2147483647

export class Housekeeping {
  private readonly clock: Clock
  private readonly disk: Disk
  private readonly directory: Housekept
  private readonly settings: LogDirectorySettings
  private readonly timers = new Set<Timer>()
  private readonly flushedMs = new WeakMap<PartitionLog, number>()
  private stopped = false

  constructor(ports: StoragePorts, directory: Housekept, settings: LogDirectorySettings) {
    this.clock = ports.clock
    this.disk = ports.disk
    this.directory = directory
    this.settings = settings
  }

  start(): void {
    const { settings } = this
    this.repeat(settings.initialTaskDelayMs, settings.retentionCheckIntervalMs, () =>
      this.eachLog((log) => this.checkRetention(log)),
    )
    this.repeat(settings.initialTaskDelayMs, settings.checkpointIntervalMs, () => {
      this.directory.checkpointRecoveryPoints()
    })
    const flushMs = settings.flushSchedulerIntervalMs ?? 0
    this.repeat(flushMs, flushMs, () => this.eachLog((log) => this.checkFlush(log)))
    const interval = settings.highWatermarkCheckpointIntervalMs
    this.repeat(interval, interval, () => this.directory.checkpointHighWatermarks())
  }

  /** What was to be removed later stays; the next opening finds it by its name. */
  stop(): void {
    this.stopped = true
    for (const timer of this.timers) timer.cancel()
    this.timers.clear()
  }

  removeLater(delayMs: number, remove: () => void): void {
    this.after(delayMs, remove)
  }

  removeTreeLater(path: string, delayMs: number): void {
    this.after(delayMs, () => {
      this.disk.removeTree(path).catch((error: unknown) => this.directory.fail(error))
    })
  }

  private checkRetention(log: PartitionLog): void {
    const nowMs = this.clock.now()
    log.applyRetention(nowMs)
    log.expireProducers(nowMs, this.settings.producerIdExpirationMs)
  }

  /** flush.ms: makes durable what has not been flushed for so long. */
  private checkFlush(log: PartitionLog): void {
    const nowMs = this.clock.now()
    if (log.recoveryPoint >= log.logEndOffset) return
    if (nowMs - (this.flushedMs.get(log) ?? 0) < log.settings.flushMs) return
    this.flushedMs.set(log, nowMs)
    // A failure takes the directory offline by itself.
    log.sync().catch(() => undefined)
  }

  private repeat(firstMs: number, everyMs: number, task: () => void): void {
    if (everyMs <= 0 || everyMs > delayMsMax) return
    const again = () => {
      task()
      this.after(everyMs, again)
    }
    this.after(firstMs, again)
  }

  /** Over all logs, with pauses. */
  private eachLog(visit: (log: PartitionLog) => void): void {
    const logs = [...this.directory.logs.values()]
    const go = (from: number) => {
      const until = this.clock.monotonicMs() + sliceMs
      for (let index = from; index < logs.length; index++) {
        if (this.clock.monotonicMs() > until) {
          this.after(0, () => go(index))
          return
        }
        const log = logs[index]
        if (log !== undefined) visit(log)
      }
    }
    go(0)
  }

  private after(delayMs: number, action: () => void): void {
    if (this.stopped) return
    const timer = this.clock.schedule(delayMs, () => {
      this.timers.delete(timer)
      if (this.stopped) return
      try {
        action()
      } catch (error) {
        this.directory.fail(error)
      }
    })
    this.timers.add(timer)
  }
}
