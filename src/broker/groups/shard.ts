/** The groups of one partition of __consumer_offsets, and the way to its log. */
import { Errors } from '../../kafka/errors.ts'
import { RecordBatchBuilder } from '../../kafka/records/builder.ts'
import type { Clock } from '../../runtime/clock.ts'
import { DiskError } from '../../runtime/disk.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { Partition } from '../replication/partition.ts'
import type { Waiter } from '../turn.ts'
import { expiredOffsets } from './expiry.ts'
import { Group } from './group.ts'
import type { GroupLimits } from './member.ts'
import {
  groupTombstone,
  offsetTombstone,
  type CommittedOffset,
  type InternalRecord,
  type Offsets,
  type StoredGroup,
} from './offsets.ts'
import { applyOffset, Replay } from './replay.ts'

/** A group and what it has committed. */
export interface GroupEntry {
  readonly group: Group
  readonly offsets: Offsets
  /** Wall-clock time; undefined where the group never had members, or its record does not tell. */
  emptySinceMs: number | undefined
}

const readBytesMax = 256 * 1024
const appendTimeoutMs = 5000
const tombstonesPerBatchMax = 1000

/**
 * The groups of one partition of __consumer_offsets that this broker leads: read from the log when it
 * takes over, written to it before anything is acknowledged.
 */
export class Shard {
  readonly partition: Partition
  readonly groups = new Map<string, GroupEntry>()
  /** True until everything was read; for ever where that failed, since half the truth would be none. */
  isLoading = true
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #limits: GroupLimits

  constructor(
    partition: Partition,
    ports: { readonly clock: Clock; readonly logger: Logger },
    limits: GroupLimits,
  ) {
    this.partition = partition
    this.#clock = ports.clock
    this.#logger = ports.logger
    this.#limits = limits
  }

  get name(): string {
    return `${this.partition.topic}-${this.partition.index}`
  }

  entry(groupId: string): GroupEntry {
    let entry = this.groups.get(groupId)
    if (entry === undefined) {
      const group = new Group(groupId, this.#limits)
      entry = { group, offsets: new Map(), emptySinceMs: undefined }
      this.groups.set(groupId, entry)
    }
    return entry
  }

  /** A group that nobody joined and that has nothing needs no memory. */
  forgetIfUnused(groupId: string): void {
    const entry = this.groups.get(groupId)
    if (entry?.group.isVacant === true && entry.group.generation === 0 && entry.offsets.size === 0)
      this.groups.delete(groupId)
  }

  /** Reads the log, a piece at a time, so that the loop goes on meanwhile. @throws DiskError WireError */
  async load(): Promise<void> {
    const { log } = this.partition
    const replay = new Replay()
    for (let offset = log.logStartOffset; offset < log.logEndOffset; ) {
      const limits = { maxBytes: readBytesMax, upTo: log.logEndOffset, minOneBatch: true }
      const { slice, error } = log.read(offset, limits)
      if (error !== Errors.NONE) throw new DiskError('EIO', `read (error ${error})`, log.directory)
      if (slice === undefined) break
      const buffer = Buffer.allocUnsafe(slice.length)
      const length = await log.readIntoAsync(slice, buffer, 0)
      const next = replay.add(buffer.subarray(0, length))
      if (next <= offset) throw new DiskError('EIO', `read at offset ${offset}`, log.directory)
      offset = next
    }
    await this.#committed(log.logEndOffset)
    for (const problem of replay.problems)
      this.#logger.warn(`Skipped an unreadable record of ${this.name}: ${problem}`)
    for (const [groupId, stored] of replay.groups) this.#restore(groupId, stored)
    for (const [groupId, offsets] of replay.offsets) {
      const entry = this.entry(groupId)
      this.groups.set(groupId, { ...entry, offsets })
    }
    this.isLoading = false
    this.#logger.info(`Finished loading offsets and group metadata from ${this.name}`)
  }

  /** What other leaders wrote may still be cut off: it is nobody's state before it is committed. */
  #committed(offset: number): Promise<void> {
    const { partition } = this
    const isOver = (): boolean =>
      partition.log.highWatermark >= offset || partition.log.offline || !partition.isLeader
    if (isOver()) return Promise.resolve()
    return new Promise((resolve) => {
      const waiter: Waiter = {
        look() {
          if (!isOver()) return
          partition.forget(waiter)
          resolve()
        },
      }
      partition.wait(waiter)
    })
  }

  #restore(groupId: string, stored: StoredGroup): void {
    const { generation, protocolType, protocol: protocolName, leader: leaderId } = stored
    const members = stored.members.map((member) => ({
      memberId: member.memberId,
      instanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      sessionTimeoutMs: member.sessionTimeout,
      rebalanceTimeoutMs:
        member.rebalanceTimeout === -1 ? member.sessionTimeout : member.rebalanceTimeout,
      // Copied, since the piece of the log that they lie in is much larger.
      protocols: [{ name: protocolName ?? '', metadata: Buffer.from(member.subscription) }],
      assignment: Buffer.from(member.assignment),
    }))
    const entry = this.entry(groupId)
    const details = { generation, protocolType, protocolName, leaderId, members }
    entry.group.restore(details, this.#clock.monotonicMs())
    const sinceMs = Number(stored.currentStateTimestamp)
    if (entry.group.state === 'Empty' && sinceMs >= 0) entry.emptySinceMs = sinceMs
  }

  /** Null: the offset is gone. */
  applyOffset(
    groupId: string,
    topic: string,
    partition: number,
    committed: CommittedOffset | null,
  ): void {
    applyOffset(this.entry(groupId).offsets, topic, partition, committed)
  }

  /** Takes away what `retentionMs` has passed over, and groups that have nothing left. */
  expireOffsets(retentionMs: number): void {
    const now = this.#clock.now()
    this.#bury((entry) => expiredOffsets(entry, now, retentionMs))
  }

  /** What was committed for these goes. Resolves, when that is written, to an error code of the log. */
  deleteOffsets(
    groupId: string,
    chosen: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<number> {
    const entry = this.groups.get(groupId)
    if (entry === undefined) return Promise.resolve(Errors.NONE)
    const there = chosen.filter(({ topic, partition }) => entry.offsets.get(topic)?.has(partition))
    return this.#appendAll(this.#takeAway(groupId, entry, there))
  }

  /** A group without members goes with all that it committed. The same. */
  deleteGroup(groupId: string): Promise<number> {
    const entry = this.groups.get(groupId)
    if (entry === undefined) return Promise.resolve(Errors.NONE)
    const all = [...entry.offsets].flatMap(([topic, partitions]) =>
      [...partitions.keys()].map((partition) => ({ topic, partition })),
    )
    const tombstones = this.#takeAway(groupId, entry, all)
    if (this.groups.delete(groupId)) tombstones.push(groupTombstone(groupId))
    return this.#appendAll(tombstones)
  }

  /** What was committed for a topic goes with it. */
  forgetTopic(topic: string): void {
    this.#bury(({ offsets }) =>
      [...(offsets.get(topic)?.keys() ?? [])].map((partition) => ({ topic, partition })),
    )
  }

  /** Nobody waits for tombstones: where one gets lost, the next round writes it again. */
  #bury(
    chosen: (
      entry: GroupEntry,
    ) => readonly { readonly topic: string; readonly partition: number }[],
  ): void {
    if (this.isLoading) return
    const tombstones: InternalRecord[] = []
    for (const [groupId, entry] of this.groups)
      tombstones.push(...this.#takeAway(groupId, entry, chosen(entry)))
    void this.#appendAll(tombstones).then((error) => {
      if (error !== Errors.NONE)
        this.#logger.warn(`Could not write tombstones to ${this.name}: error ${error}`)
    })
  }

  /** From memory, and a group with it that has nothing left; what is to be written of it. */
  #takeAway(
    groupId: string,
    entry: GroupEntry,
    chosen: readonly { readonly topic: string; readonly partition: number }[],
  ): InternalRecord[] {
    const tombstones = chosen.map(({ topic, partition }) => {
      applyOffset(entry.offsets, topic, partition, null)
      return offsetTombstone(groupId, topic, partition)
    })
    if (!entry.group.isVacant || entry.offsets.size > 0) return tombstones
    this.groups.delete(groupId)
    return entry.group.generation > 0 ? [...tombstones, groupTombstone(groupId)] : tombstones
  }

  async #appendAll(tombstones: readonly InternalRecord[]): Promise<number> {
    const errors: Promise<number>[] = []
    for (let at = 0; at < tombstones.length; at += tombstonesPerBatchMax)
      errors.push(this.append(tombstones.slice(at, at + tombstonesPerBatchMax)))
    return (await Promise.all(errors)).find((error) => error !== Errors.NONE) ?? Errors.NONE
  }

  /**
   * Appends the records as one batch; resolves to an error code of the log when the in-sync set has
   * them, and the disk where every append is flushed.
   */
  async append(records: readonly InternalRecord[]): Promise<number> {
    const { partition } = this
    const now = this.#clock.now()
    const problem = partition.leaderProblem(-1)
    if (problem !== Errors.NONE) return problem
    if (partition.isUnderMinimum) return Errors.NOT_ENOUGH_REPLICAS
    const builder = new RecordBatchBuilder()
    for (const { key, value } of records) builder.add(now, key, value, [])
    const batch = builder.build({})
    const options = { leaderEpoch: partition.leaderEpoch, nowMs: now, produceVersion: 11 }
    const result = partition.append(batch, 0, batch.length, { ...options, origin: 'coordinator' })
    if (result.error !== Errors.NONE) return result.error
    const flushed = partition.flushIfDue()
    const error = await this.#replicated(result.lastOffset + 1)
    return error === Errors.NONE ? flushed : error
  }

  #replicated(offset: number): Promise<number> {
    const { partition } = this
    return new Promise((resolve) => {
      const finish = (error: number): void => {
        timer.cancel()
        partition.forget(waiter)
        resolve(error)
      }
      const timer = this.#clock.schedule(appendTimeoutMs, () => finish(Errors.REQUEST_TIMED_OUT))
      const waiter: Waiter = {
        look() {
          if (partition.log.offline || !partition.isLeader) finish(Errors.NOT_LEADER_OR_FOLLOWER)
          else if (partition.log.highWatermark >= offset) finish(Errors.NONE)
        },
      }
      partition.wait(waiter)
    })
  }
}
