import type { Clock, Timer } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import { isZooKeeperError } from '../../zookeeper/client/client.ts'
import { readIfThere } from '../controller/cluster-state.ts'
import type { Coordination } from '../coordination.ts'
import {
  decodePartitionState,
  encodePartitionList,
  encodePartitionState,
  paths,
  type TopicPartition,
} from '../znodes.ts'
import { noticeDelayMs, type Notice } from './in-sync-notice.ts'
import type { InSyncProposal, Partition } from './partition.ts'

export interface InSyncUpdatesParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly coordination: Coordination
  /** replica.lag.time.max.ms */
  readonly lagTimeMaxMs: number
  readonly partitions: () => Iterable<Partition>
}

interface Change {
  readonly partition: Partition
  readonly proposal: InSyncProposal
}

const retryDelayMs = 1000
const writesAtOnceMax = 64

/**
 * Changes of in-sync sets, as leaders make them at levels below 2.7: each is written into the state's
 * znode on condition that nobody else wrote there, and the controller is told by a notice of many
 * (kafka.md D). What this broker does not know to be written does not count; what may be written does.
 */
export class InSyncUpdates {
  readonly #parts: InSyncUpdatesParts
  readonly #queue: Change[] = []
  #writes = 0
  #shrinkTimer: Timer | undefined
  #noticeTimer: Timer | undefined
  readonly #retryTimers = new Set<Timer>()
  #isStopped = false
  /** Changed, and the controller has not been told. */
  readonly #untold = new Map<string, TopicPartition>()
  #notice: Notice

  constructor(parts: InSyncUpdatesParts) {
    this.#parts = parts
    this.#notice = { firstMs: 0, lastMs: 0, toldMs: parts.clock.monotonicMs() }
    this.#shrinkLater()
  }

  /** The partition has one change at a time; it hears of the end of each. */
  propose(partition: Partition, proposal: InSyncProposal): void {
    const { isr, leadership } = proposal
    const name = `${partition.topic}-${partition.index}`
    const from = leadership.isr.join(',')
    this.#parts.logger.info(`Changing the ISR of ${name} from ${from} to ${isr.join(',')}`)
    this.#queue.push({ partition, proposal })
    this.#work()
  }

  stop(): void {
    this.#isStopped = true
    this.#shrinkTimer?.cancel()
    this.#noticeTimer?.cancel()
    for (const timer of this.#retryTimers) timer.cancel()
    this.#queue.length = 0
  }

  #shrinkLater(): void {
    const { clock, lagTimeMaxMs, partitions } = this.#parts
    this.#shrinkTimer = clock.schedule(lagTimeMaxMs / 2, () => {
      for (const partition of partitions()) partition.shrinkInSync()
      this.#shrinkLater()
    })
  }

  #work(): void {
    while (this.#writes < writesAtOnceMax && !this.#isStopped) {
      const change = this.#queue.shift()
      if (change === undefined) return
      this.#writes += 1
      void this.#write(change).finally(() => {
        this.#writes -= 1
        this.#work()
      })
    }
  }

  async #write(change: Change): Promise<void> {
    const { partition, proposal } = change
    if (this.#isStopped || !partition.isPending(proposal)) return
    const { leader, leaderEpoch, controllerEpoch, partitionEpoch } = proposal.leadership
    const { isr } = proposal
    const path = paths.partitionState(partition.topic, partition.index)
    const data = encodePartitionState({ leader, leaderEpoch, controllerEpoch, isr })
    try {
      const stat = await this.#parts.coordination.insist((zookeeper) =>
        zookeeper.setData(path, data, partitionEpoch),
      )
      this.#written(change, isr, stat.version)
    } catch (error) {
      if (!isZooKeeperError(error)) throw error
      if (isZooKeeperError(error, 'BADVERSION')) await this.#reread(change, path)
      else if (!isZooKeeperError(error, 'NONODE')) this.#retryLater(change)
    }
  }

  /** Somebody wrote there: perhaps we did, and the connection was lost before the answer. */
  async #reread(change: Change, path: string): Promise<void> {
    const { leader, leaderEpoch } = change.proposal.leadership
    try {
      const node = await this.#parts.coordination.insist((zookeeper) =>
        readIfThere(zookeeper, path),
      )
      const state = node && decodePartitionState(node.data)
      if (node !== undefined && state === undefined)
        this.#parts.logger.warn(`${path} cannot be read: its in-sync set cannot be changed`)
      // Without a leadership of ours in it, the controller's order for us is on its way.
      if (node === undefined || state === undefined) return
      if (state.leader === leader && state.leaderEpoch === leaderEpoch)
        this.#written(change, state.isr, node.version)
    } catch (error) {
      if (!isZooKeeperError(error)) throw error
      this.#retryLater(change)
    }
  }

  #written({ partition, proposal }: Change, isr: readonly number[], version: number): void {
    if (this.#isStopped) return
    partition.inSyncWritten(proposal, isr, version)
    const { topic, index } = partition
    const nowMs = this.#parts.clock.monotonicMs()
    if (this.#untold.size === 0) this.#notice = { ...this.#notice, firstMs: nowMs }
    this.#notice = { ...this.#notice, lastMs: nowMs }
    this.#untold.set(`${topic}-${index}`, { topic, partition: index })
    this.#noticeLater()
  }

  /** The session is over: with the next one it may go through. */
  #retryLater(change: Change): void {
    if (this.#isStopped) return
    const timer = this.#parts.clock.schedule(retryDelayMs, () => {
      this.#retryTimers.delete(timer)
      this.#queue.push(change)
      this.#work()
    })
    this.#retryTimers.add(timer)
  }

  #noticeLater(): void {
    if (this.#isStopped || this.#noticeTimer !== undefined) return
    const { clock } = this.#parts
    const delayMs = noticeDelayMs(this.#notice, clock.monotonicMs())
    this.#noticeTimer = clock.schedule(delayMs, () => {
      this.#noticeTimer = undefined
      // Another change may have come meanwhile, and moved the moment.
      if (noticeDelayMs(this.#notice, clock.monotonicMs()) > 0) this.#noticeLater()
      else void this.#tell()
    })
  }

  async #tell(): Promise<void> {
    const told = [...this.#untold.values()]
    this.#untold.clear()
    try {
      await this.#parts.coordination.insist((zookeeper) =>
        zookeeper.create(paths.isrChangePrefix, encodePartitionList(told), {
          sequential: true,
          stat: false,
        }),
      )
      this.#notice = { ...this.#notice, toldMs: this.#parts.clock.monotonicMs() }
    } catch (error) {
      if (!isZooKeeperError(error)) throw error
      for (const one of told) this.#untold.set(`${one.topic}-${one.partition}`, one)
      const nowMs = this.#parts.clock.monotonicMs()
      this.#notice = { ...this.#notice, firstMs: nowMs, lastMs: nowMs }
      this.#noticeLater()
    }
  }
}
