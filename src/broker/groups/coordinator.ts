import { Errors } from '../../kafka/errors.ts'
import type { Clock, Timer } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import { uuidText, type Random } from '../../runtime/random.ts'
import type { GroupSettings } from '../config/broker.ts'
import type { MetadataCache } from '../metadata-cache.ts'
import type { Partition } from '../replication/partition.ts'
import type { TopicAdmin } from '../topic-admin.ts'
import { offsetsTopic } from '../topic-names.ts'
import {
  refusedJoin,
  refusedSync,
  type Effect,
  type GroupWrite,
  type JoinAnswer,
  type SyncAnswer,
} from './answers.ts'
import { Commits } from './commits.ts'
import type { Group } from './group.ts'
import { generationProblem, type MemberIdentity } from './identity.ts'
import { groupError } from './log-errors.ts'
import type { JoinRequest } from './member.ts'
import { groupRecord } from './offsets.ts'
import { Removals } from './removals.ts'
import type { Shard } from './shard.ts'
import { Shards, type Found } from './shards.ts'

export interface CoordinatorParts {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metadata: MetadataCache
  readonly topics: TopicAdmin
}

/** A member id with a UUID after it must still be a string of the protocol. */
const prefixBytesMax = 0x7fff - 37

/**
 * The groups that this broker coordinates. Decisions are those of `Group`; here they are carried out:
 * requests wait for their answers, timers run, groups are written before members are told.
 */
export class GroupCoordinator {
  readonly commits: Commits
  readonly removals: Removals
  readonly #parts: CoordinatorParts
  readonly #settings: GroupSettings
  readonly #shards: Shards
  /** Waiting requests, by group and member. */
  readonly #joins = new Map<string, (answer: JoinAnswer) => void>()
  readonly #syncs = new Map<string, (answer: SyncAnswer) => void>()
  readonly #timers = new Map<Group, { timer: Timer; atMs: number }>()
  #expiryTimer: Timer | undefined
  #isCreating = false
  #isStopped = false

  constructor(parts: CoordinatorParts, settings: GroupSettings) {
    this.#parts = parts
    this.#settings = settings
    this.#shards = new Shards(parts, settings)
    this.removals = new Removals(this.#shards)
    this.commits = new Commits(parts.clock, this.#shards, settings)
    this.#scheduleExpiry()
  }

  /** Of __consumer_offsets; undefined until it is known. */
  get partitionCount(): number | undefined {
    return this.#shards.partitionCount
  }

  set partitionCount(count: number | undefined) {
    this.#shards.partitionCount = count
  }

  /** This broker leads a partition of __consumer_offsets now. */
  lead(partition: Partition): void {
    void this.#shards.load(partition).then((shard) => {
      for (const { group } of shard?.groups.values() ?? []) this.#arm(group)
    })
  }

  /** Another broker leads it, or it is gone. */
  resign(partitionIndex: number): void {
    const shard = this.#shards.take(partitionIndex)
    if (shard === undefined) return
    for (const { group } of shard.groups.values()) this.#carryOut(shard, group, group.unload())
  }

  forgetTopic(topic: string): void {
    for (const shard of this.#shards.values()) shard.forgetTopic(topic)
  }

  stop(): void {
    this.#isStopped = true
    this.#expiryTimer?.cancel()
    this.resignAll()
  }

  resignAll(): void {
    for (const shard of [...this.#shards.values()]) this.resign(shard.partition.index)
  }

  #scheduleExpiry(): void {
    const { offsetsRetentionMs, offsetsRetentionCheckMs } = this.#settings
    this.#expiryTimer = this.#parts.clock.schedule(offsetsRetentionCheckMs, () => {
      for (const shard of this.#shards.values()) shard.expireOffsets(offsetsRetentionMs)
      this.#scheduleExpiry()
    })
  }

  /** Makes the topic where it is missing; several calls make it once. */
  createOffsetsTopic(): void {
    if (this.#isCreating || this.#parts.metadata.topic(offsetsTopic) !== undefined) return
    this.#isCreating = true
    const live = this.#parts.metadata.brokers.size
    const { offsetsPartitionCount, offsetsReplicationFactor, offsetsSegmentBytes } = this.#settings
    const creation = {
      name: offsetsTopic,
      partitionCount: offsetsPartitionCount,
      replicationFactor: offsetsReplicationFactor ?? Math.min(3, live),
      assignment: new Map(),
      configs: {
        'compression.type': 'producer',
        'cleanup.policy': 'compact',
        'segment.bytes': String(offsetsSegmentBytes),
      },
      validateOnly: false,
    }
    void this.#parts.topics.create(creation).then(({ error, message }) => {
      this.#isCreating = false
      if (error !== Errors.NONE && error !== Errors.TOPIC_ALREADY_EXISTS)
        this.#parts.logger.error(`Could not create ${offsetsTopic}: ${message ?? error}`)
    })
  }

  /** Which broker coordinates the group: an id, or an error. */
  coordinatorOf(groupId: string): { error: number; nodeId: number } {
    const topic = this.#parts.metadata.topic(offsetsTopic)
    if (topic === undefined) {
      this.createOffsetsTopic()
      return { error: Errors.COORDINATOR_NOT_AVAILABLE, nodeId: -1 }
    }
    const index = this.#shards.indexOf(groupId)
    const leader = index === undefined ? -1 : (topic.partitions[index]?.leader ?? -1)
    if (leader < 0) return { error: Errors.COORDINATOR_NOT_AVAILABLE, nodeId: -1 }
    return { error: Errors.NONE, nodeId: leader }
  }

  #find(groupId: string): Found {
    return groupId === '' ? { error: Errors.INVALID_GROUP_ID } : this.#shards.find(groupId)
  }

  join(groupId: string, request: Omit<JoinRequest, 'newMemberId'>): Promise<JoinAnswer> {
    const found = this.#find(groupId)
    const { memberId, sessionTimeoutMs, instanceId } = request
    const refuse = (error: number, id = memberId) => Promise.resolve(refusedJoin(error, id))
    if ('error' in found) return refuse(found.error)
    const { sessionTimeoutMinMs, sessionTimeoutMaxMs } = this.#settings
    if (sessionTimeoutMs < sessionTimeoutMinMs || sessionTimeoutMs > sessionTimeoutMaxMs)
      return refuse(Errors.INVALID_SESSION_TIMEOUT)
    const { shard } = found
    if (memberId !== '' && !shard.groups.has(groupId)) return refuse(Errors.UNKNOWN_MEMBER_ID)
    const { group } = shard.entry(groupId)
    const prefix = instanceId ?? request.clientId
    if (Buffer.byteLength(prefix) > prefixBytesMax) return refuse(Errors.INVALID_REQUEST)
    const newMemberId = `${prefix}-${uuidText(this.#parts.random)}`
    const outcome = group.join({ ...request, newMemberId }, this.#now())
    if (outcome.error !== Errors.NONE) {
      this.#carryOut(shard, group, outcome.effects)
      shard.forgetIfUnused(groupId)
      return refuse(outcome.error, outcome.memberId)
    }
    return new Promise((resolve) => {
      const key = memberKey(groupId, outcome.memberId)
      // The member asks anew, having given up on its first request.
      take(this.#joins, key)?.(refusedJoin(Errors.REBALANCE_IN_PROGRESS, outcome.memberId))
      this.#joins.set(key, resolve)
      this.#carryOut(shard, group, outcome.effects)
    })
  }

  sync(
    groupId: string,
    identity: MemberIdentity,
    protocol: { readonly type: string | null; readonly name: string | null },
    assignments: ReadonlyMap<string, Buffer>,
  ): Promise<SyncAnswer> {
    const found = this.#find(groupId)
    const refuse = (error: number) => Promise.resolve(refusedSync(error))
    if ('error' in found) return refuse(syncError(found.error))
    const { shard } = found
    const group = shard.groups.get(groupId)?.group
    if (group === undefined) return refuse(Errors.UNKNOWN_MEMBER_ID)
    const problem = generationProblem(group, identity)
    if (problem !== Errors.NONE) return refuse(problem)
    const differs = (one: string | null, other: string | null): boolean =>
      one !== null && one !== other
    if (differs(protocol.type, group.protocolType) || differs(protocol.name, group.protocolName))
      return refuse(Errors.INCONSISTENT_GROUP_PROTOCOL)
    const outcome = group.sync(identity.memberId, assignments, this.#now())
    if (outcome.error !== Errors.NONE) return refuse(outcome.error)
    return new Promise((resolve) => {
      const key = memberKey(groupId, identity.memberId)
      take(this.#syncs, key)?.(refusedSync(Errors.REBALANCE_IN_PROGRESS))
      this.#syncs.set(key, resolve)
      this.#carryOut(shard, group, outcome.effects)
    })
  }

  heartbeat(groupId: string, identity: MemberIdentity): number {
    const found = this.#find(groupId)
    // While the group is being read nobody knows better than the member.
    if ('error' in found)
      return found.error === Errors.COORDINATOR_LOAD_IN_PROGRESS ? Errors.NONE : found.error
    const group = found.shard.groups.get(groupId)?.group
    if (group === undefined) return Errors.UNKNOWN_MEMBER_ID
    const problem = generationProblem(group, identity)
    return problem === Errors.NONE ? group.heartbeat(identity.memberId, this.#now()) : problem
  }

  /** One error code per member, or one for the whole request. */
  leave(
    groupId: string,
    members: readonly { readonly memberId: string; readonly instanceId: string | null }[],
  ): { readonly error: number } | { readonly errors: readonly number[] } {
    const found = this.#find(groupId)
    if ('error' in found) return found
    const { shard } = found
    const group = shard.groups.get(groupId)?.group
    const errors = members.map(({ memberId, instanceId }): number => {
      if (group === undefined) return Errors.UNKNOWN_MEMBER_ID
      const { error, effects } = group.leave(memberId, instanceId, this.#now())
      this.#carryOut(shard, group, effects)
      return error
    })
    shard.forgetIfUnused(groupId)
    return { errors }
  }

  /** True while not all groups of this broker are known yet. */
  get isLoading(): boolean {
    return this.#shards.isLoading
  }

  /** Every group of this broker. */
  *groups(): Generator<Group> {
    for (const shard of this.#shards.values())
      for (const { group } of shard.groups.values()) yield group
  }

  /** Committed offsets of all of them. */
  get offsetCount(): number {
    let count = 0
    for (const shard of this.#shards.values())
      for (const { offsets } of shard.groups.values())
        for (const partitions of offsets.values()) count += partitions.size
    return count
  }

  describe(groupId: string): { error: number; group: Group | undefined } {
    const found = this.#find(groupId)
    if ('error' in found) return { error: found.error, group: undefined }
    return { error: Errors.NONE, group: found.shard.groups.get(groupId)?.group }
  }

  /** Of the clock that sessions are measured by. */
  #now(): number {
    return this.#parts.clock.monotonicMs()
  }

  #carryOut(shard: Shard, group: Group, effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'persist') {
        void this.#persist(shard, group, effect.write)
        continue
      }
      const key = memberKey(group.id, effect.memberId)
      if (effect.type === 'joined') take(this.#joins, key)?.(effect.answer)
      else take(this.#syncs, key)?.(effect.answer)
    }
    this.#arm(group)
  }

  async #persist(shard: Shard, group: Group, write: GroupWrite): Promise<void> {
    const now = this.#parts.clock.now()
    const entry = shard.groups.get(group.id)
    if (entry !== undefined) entry.emptySinceMs = write.reason === 'empty' ? now : undefined
    const record = groupRecord(group, now, this.#settings.level.groupRecord)
    const error = groupError(await shard.append([record]))
    if (error !== Errors.NONE)
      this.#parts.logger.warn(`Could not write group ${group.id}: error ${error}`)
    this.#carryOut(shard, group, group.persisted(write, error, this.#now()))
  }

  /** One timer per group, for its next deadline; a heartbeat only moves the deadline. */
  #arm(group: Group): void {
    const atMs = group.nextDeadlineMs
    const armed = this.#timers.get(group)
    if (armed !== undefined && armed.atMs <= atMs && atMs !== Infinity) return
    armed?.timer.cancel()
    this.#timers.delete(group)
    if (atMs === Infinity || this.#isStopped) return
    const timer = this.#parts.clock.schedule(Math.max(0, atMs - this.#now()), () => {
      this.#timers.delete(group)
      const found = this.#shards.find(group.id)
      if ('error' in found || found.shard.groups.get(group.id)?.group !== group) return
      this.#carryOut(found.shard, group, group.expire(this.#now()))
    })
    this.#timers.set(group, { timer, atMs })
  }
}

function memberKey(groupId: string, memberId: string): string {
  return `${groupId}\0${memberId}`
}

function take<T>(map: Map<string, T>, key: string): T | undefined {
  const value = map.get(key)
  map.delete(key)
  return value
}

/** While groups are being loaded, members are told to join again. */
function syncError(error: number): number {
  return error === Errors.COORDINATOR_LOAD_IN_PROGRESS ? Errors.REBALANCE_IN_PROGRESS : error
}
