import { Errors } from '../../kafka/errors.ts'
import { RecordBatchBuilder } from '../../kafka/records/builder.ts'
import { batchSize } from '../../kafka/records/batch.ts'
import { readRecords } from '../../kafka/records/record.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import { WireError } from '../../wire/errors.ts'
import type { Partition, Waiter } from '../replication/partition.ts'
import { Group } from './group.ts'
import type { GroupLimits } from './member.ts'
import {
  readInternalRecord,
  type CommittedOffset,
  type InternalRecord,
  type StoredGroup,
} from './offsets.ts'

/** A group and what it has committed, by topic and partition. */
export interface GroupEntry {
  readonly group: Group
  readonly offsets: Map<string, Map<number, CommittedOffset>>
}

const readBytesMax = 1024 * 1024
const appendTimeoutMs = 5000

/**
 * The groups of one partition of __consumer_offsets that this broker leads: read from the log when it
 * takes over, written to it before anything is acknowledged.
 */
export class Shard {
  readonly partition: Partition
  readonly groups = new Map<string, GroupEntry>()
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

  entry(groupId: string): GroupEntry {
    let entry = this.groups.get(groupId)
    if (entry === undefined) {
      const group = new Group(groupId, this.#limits, this.#clock.now())
      entry = { group, offsets: new Map() }
      this.groups.set(groupId, entry)
    }
    return entry
  }

  /** Replays the log, a piece at a time, so that the loop goes on meanwhile. */
  async load(): Promise<void> {
    const { log } = this.partition
    const stored = new Map<string, StoredGroup | null>()
    let offset = log.logStartOffset
    while (offset < log.logEndOffset) {
      const limits = { maxBytes: readBytesMax, upTo: log.logEndOffset, minOneBatch: true }
      const { slice, error } = log.read(offset, limits)
      if (error !== Errors.NONE || slice === undefined) break
      const buffer = Buffer.allocUnsafe(slice.length)
      const length = await log.readIntoAsync(slice, buffer, 0)
      const next = this.#replay(buffer.subarray(0, length), stored)
      if (next <= offset) break
      offset = next
    }
    for (const [id, value] of stored) this.#restore(id, value)
    this.isLoading = false
    const { topic, index } = this.partition
    this.#logger.info(`Finished loading offsets and group metadata from ${topic}-${index}`)
  }

  /** Returns the offset after the last whole batch. */
  #replay(buffer: Buffer, stored: Map<string, StoredGroup | null>): number {
    let next = -1
    let at = 0
    while (at + 61 <= buffer.length && at + batchSize(buffer, at) <= buffer.length) {
      for (const { offset, key, value } of readRecords(buffer, at)) {
        next = offset + 1
        if (key !== null) this.#replayOne(key, value, stored)
      }
      at += batchSize(buffer, at)
    }
    return next
  }

  #replayOne(key: Buffer, value: Buffer | null, stored: Map<string, StoredGroup | null>): void {
    try {
      const record = readInternalRecord(key, value)
      if (record?.type === 'group') stored.set(record.group, record.value)
      else if (record?.type === 'offset') {
        const { group, topic, partition } = record
        this.applyOffset(group, topic, partition, record.value)
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      const { topic, index } = this.partition
      this.#logger.warn(`Skipping an unreadable record of ${topic}-${index}`, error)
    }
  }

  #restore(id: string, stored: StoredGroup | null): void {
    if (stored === null) {
      if (this.groups.get(id)?.offsets.size === 0) this.groups.delete(id)
      return
    }
    const members = stored.members.map((member) => ({
      memberId: member.memberId,
      instanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      sessionTimeoutMs: member.sessionTimeout,
      rebalanceTimeoutMs:
        member.rebalanceTimeout === -1 ? member.sessionTimeout : member.rebalanceTimeout,
      protocols: [{ name: stored.protocol ?? '', metadata: Buffer.from(member.subscription) }],
      supportsSkipAssignment: false,
      assignment: Buffer.from(member.assignment),
    }))
    const { generation, protocolType, protocol, leader } = stored
    const details = { generation, protocolType, protocolName: protocol, leaderId: leader, members }
    this.entry(id).group.restore(details, this.#clock.now())
  }

  applyOffset(
    groupId: string,
    topic: string,
    partition: number,
    committed: CommittedOffset | null,
  ): void {
    const { offsets } = this.entry(groupId)
    let ofTopic = offsets.get(topic)
    if (committed === null) {
      ofTopic?.delete(partition)
      if (ofTopic?.size === 0) offsets.delete(topic)
      return
    }
    if (ofTopic === undefined) offsets.set(topic, (ofTopic = new Map()))
    ofTopic.set(partition, committed)
  }

  /** Appends the records as one batch; resolves to an error code when the in-sync set has them. */
  append(records: readonly InternalRecord[]): Promise<number> {
    const { partition } = this
    const now = this.#clock.now()
    const problem = partition.leaderProblem(-1)
    if (problem !== Errors.NONE) return Promise.resolve(Errors.NOT_COORDINATOR)
    const builder = new RecordBatchBuilder()
    for (const { key, value } of records) builder.add(now, key, value, [])
    const batch = builder.build({})
    const options = { leaderEpoch: partition.leaderEpoch, nowMs: now, produceVersion: 11 }
    const result = partition.append(batch, 0, batch.length, { ...options, origin: 'coordinator' })
    if (result.error !== Errors.NONE) return Promise.resolve(forClients(result.error))
    return this.#replicated(result.lastOffset + 1)
  }

  #replicated(offset: number): Promise<number> {
    const { partition } = this
    return new Promise((resolve) => {
      const finish = (error: number): void => {
        timer.cancel()
        partition.forget(waiter)
        resolve(error)
      }
      const timer = this.#clock.schedule(appendTimeoutMs, () =>
        finish(Errors.COORDINATOR_NOT_AVAILABLE),
      )
      const waiter: Waiter = {
        look() {
          if (partition.log.offline || !partition.isLeader) finish(Errors.NOT_COORDINATOR)
          else if (partition.log.highWatermark >= offset) finish(Errors.NONE)
        },
      }
      partition.wait(waiter)
    })
  }
}

/** What a group member can make of an append's error. */
function forClients(error: number): number {
  switch (error) {
    case Errors.MESSAGE_TOO_LARGE:
    case Errors.RECORD_LIST_TOO_LARGE:
      return Errors.INVALID_COMMIT_OFFSET_SIZE
    case Errors.KAFKA_STORAGE_ERROR:
    case Errors.NOT_LEADER_OR_FOLLOWER:
      return Errors.NOT_COORDINATOR
    default:
      return Errors.COORDINATOR_NOT_AVAILABLE
  }
}
