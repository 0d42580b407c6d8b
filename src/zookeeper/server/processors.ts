/**
 * The way of a request: it is prepared when it comes, its transaction is written and synced with all
 * others of the moment, then it is carried out and answered, in the order of arrival. One sync is in
 * flight at a time; what comes meanwhile rides on the next. Reads pass unless the same client still has
 * a write before them.
 */
import type { Clock } from '../../runtime/clock.ts'
import type { Disk } from '../../runtime/disk.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { Random } from '../../runtime/random.ts'
import { Durations } from './durations.ts'
import type { TransactionLog } from './log.ts'
import { type Asker, Preparer, type PreparerSettings, type Refusal } from './prepare.ts'
import type { SessionTable } from './sessions.ts'
import { writeSnapshot } from './snapshot.ts'
import type { Change, Transaction } from './transactions.ts'
import type { StatBytes } from './node.ts'
import type { DataTree, TreeEvent } from './tree.ts'
import type { WatchTable } from './watches.ts'

export interface ProcessorPorts {
  readonly clock: Clock
  readonly disk: Disk
  readonly random: Random
  readonly logger: Logger
}

export interface ProcessorState<Watcher> {
  readonly tree: DataTree
  readonly sessions: SessionTable
  readonly watches: WatchTable<Watcher>
  readonly log: TransactionLog
  readonly lastZxid: bigint
  /** How many transactions the log has since the last snapshot. */
  readonly sinceSnapshot: number
}

export interface ProcessorSettings {
  /** Where snapshots go. */
  readonly directory: string
  /** Transactions between snapshots, at most; half to all of it, by chance. */
  readonly snapCount: number
  readonly preparer: PreparerSettings
}

export interface ProcessorEvents<Watcher> {
  /** A watch has something to tell. */
  onNotice(watcher: Watcher, event: TreeEvent): void
  /** The disk failed: nothing more can be acknowledged. */
  onFailure(error: unknown): void
}

/** What became of a request: answered once it is durable, never before. */
export interface Outcome<Refused extends Refusal = Refusal> {
  /** The last transaction carried out, its own where it was a write. */
  readonly zxid: bigint
  readonly refusal: Refused | undefined
  /** What was carried out; undefined for refusals. */
  readonly change: Change | undefined
  /** Of the nodes that were created or set, in the order of the changes, where they were asked for. */
  readonly stats: readonly StatBytes[]
}

interface Entry {
  readonly transaction: Transaction | undefined
  readonly needsStats: boolean
  complete(stats: readonly StatBytes[]): void
}

/**
 * A refusal takes a zxid and stands in the log, as in the original. So does a check outside a multi,
 * under another type than there: Apache ZooKeeper could not read its own.
 */
function logged(change: Change | undefined, refusal: Refusal | undefined): Change {
  if (change !== undefined && change.type !== 'check') return change
  return { type: 'nothing', err: refusal?.code ?? 0 }
}

const NO_STATS: readonly StatBytes[] = []

export interface Origin extends Asker {
  readonly cxid: number
}

export class RequestProcessor<Watcher> {
  readonly tree: DataTree
  readonly sessions: SessionTable
  readonly watches: WatchTable<Watcher>
  /** Of the last transaction carried out. */
  lastZxid: bigint
  private readonly ports: ProcessorPorts
  private readonly settings: ProcessorSettings
  private readonly events: ProcessorEvents<Watcher>
  private readonly log: TransactionLog
  private readonly preparer: Preparer
  private nextZxid: bigint
  private waiting: Entry[] = []
  private inFlight = 0
  private isFlushing = false
  private isScheduled = false
  /** Takes nothing more. */
  private isStopping = false
  /** The disk failed: carries nothing more out. */
  private hasFailed = false
  private snapshotting: Promise<boolean> | undefined
  private untilSnapshot: number
  private idle: (() => void)[] = []
  readonly syncTimes = new Durations()
  readonly snapshotTimes = new Durations()
  /** Of this life. */
  lastSnapshot: { readonly zxid: bigint; readonly takenAt: number } | undefined

  constructor(
    ports: ProcessorPorts,
    state: ProcessorState<Watcher>,
    settings: ProcessorSettings,
    events: ProcessorEvents<Watcher>,
  ) {
    this.ports = ports
    this.settings = settings
    this.events = events
    this.tree = state.tree
    this.sessions = state.sessions
    this.watches = state.watches
    this.log = state.log
    this.lastZxid = state.lastZxid
    this.nextZxid = state.lastZxid + 1n
    const { logger } = ports
    const tellExcess = (message: string): void => logger.warn(message)
    this.preparer = new Preparer(state.tree, settings.preparer, tellExcess)
    this.untilSnapshot = this.drawSnapshotCount() - state.sinceSnapshot
  }

  /** Requests that wait for the disk or for those before them. */
  get outstanding(): number {
    return this.waiting.length + this.inFlight
  }

  /** Servers of one ensemble, or many of one machine, should not all snapshot at once. */
  private drawSnapshotCount(): number {
    const half = Math.max(1, Math.floor(this.settings.snapCount / 2))
    return half + this.ports.random.below(half)
  }

  /** Prepares a write and puts it on its way; `done` is told when it is durable and carried out. */
  write<Refused extends Refusal>(
    origin: Origin,
    prepare: (preparer: Preparer, zxid: bigint) => Change | Refused,
    done: (outcome: Outcome<Refused>) => void,
    needsStats = false,
  ): void {
    const zxid = this.nextZxid
    const prepared = prepare(this.preparer, zxid)
    const [refusal, change] = 'code' in prepared ? [prepared] : [undefined, prepared]
    this.nextZxid += 1n
    const time = BigInt(this.ports.clock.now())
    const header = { clientId: origin.session, cxid: origin.cxid, zxid, time }
    this.submit({
      transaction: { header, change: logged(change, refusal) },
      needsStats,
      complete: (stats) => done({ zxid, refusal, change, stats }),
    })
  }

  /** Runs the action after all that was submitted before, at once when nothing waits. */
  inOrder(action: () => void): void {
    if (this.waiting.length === 0 && !this.isFlushing) action()
    else this.submit({ transaction: undefined, needsStats: false, complete: action })
  }

  private submit(entry: Entry): void {
    if (this.isStopping) return
    this.waiting.push(entry)
    if (this.isScheduled || this.isFlushing) return
    this.isScheduled = true
    this.ports.clock.atEndOfTurn(() => {
      this.isScheduled = false
      void this.flush()
    })
  }

  private async flush(): Promise<void> {
    this.isFlushing = true
    try {
      while (this.waiting.length > 0 && !this.hasFailed) await this.flushOnce()
    } catch (error) {
      this.hasFailed = true
      this.isStopping = true
      this.events.onFailure(error)
    }
    this.isFlushing = false
    for (const resolve of this.idle.splice(0)) resolve()
  }

  private async flushOnce(): Promise<void> {
    const batch = this.waiting
    this.waiting = []
    this.inFlight = batch.length
    const transactions: Transaction[] = []
    for (const { transaction } of batch)
      if (transaction !== undefined) transactions.push(transaction)
    if (transactions.length > 0) {
      this.log.append(transactions)
      const began = this.ports.clock.monotonicMs()
      await this.log.sync()
      this.syncTimes.add(this.ports.clock.monotonicMs() - began)
    }
    for (const entry of batch) {
      const stats: StatBytes[] | undefined = entry.needsStats ? [] : undefined
      if (entry.transaction !== undefined) this.carryOut(entry.transaction, stats)
      this.inFlight -= 1
      entry.complete(stats ?? NO_STATS)
    }
    this.untilSnapshot -= transactions.length
    if (this.untilSnapshot <= 0 && this.snapshotting === undefined) {
      this.log.roll()
      this.untilSnapshot = this.drawSnapshotCount()
      void this.snapshot()
    }
  }

  private carryOut({ header, change }: Transaction, stats: StatBytes[] | undefined): void {
    const { clientId, zxid } = header
    const events = this.tree.apply(header, change, stats)
    this.lastZxid = zxid
    this.preparer.applied(zxid)
    if (change.type === 'createSession') {
      this.sessions.add(clientId, change.timeoutMs, this.ports.clock.monotonicMs())
    }
    for (const event of events) {
      for (const watcher of this.watches.trigger(event)) this.events.onNotice(watcher, event)
    }
    if (change.type === 'closeSession') this.sessions.remove(clientId)
  }

  /**
   * Writes a snapshot of now, unless one is being written, and tells whether it could. Never rejects: the
   * log has it all.
   */
  snapshot(): Promise<boolean> {
    this.snapshotting ??= this.writeSnapshot().finally(() => {
      this.snapshotting = undefined
    })
    return this.snapshotting
  }

  private async writeSnapshot(): Promise<boolean> {
    const { logger, clock } = this.ports
    const began = clock.monotonicMs()
    const zxid = this.lastZxid
    const sessions = Array.from(this.sessions.values(), ({ id, timeoutMs }) => ({ id, timeoutMs }))
    try {
      await writeSnapshot(this.ports, this.settings.directory, zxid, { tree: this.tree, sessions })
      this.snapshotTimes.add(clock.monotonicMs() - began)
      this.lastSnapshot = { zxid, takenAt: clock.now() }
      logger.info(`Snapshot taken of zxid 0x${zxid.toString(16)}`)
      return true
    } catch (error) {
      logger.error(`Could not write the snapshot of zxid 0x${zxid.toString(16)}`, error)
      return false
    }
  }

  /** Lets what was submitted end, takes no more, and closes the log. */
  async stop(): Promise<void> {
    this.isStopping = true
    if (this.isFlushing || this.isScheduled) {
      await new Promise<void>((resolve) => this.idle.push(resolve))
    }
    await this.snapshotting
    this.log.roll()
  }
}
