import { Errors } from '../../kafka/errors.ts'
import type { Clock, Timer } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import { uuidText, type Random } from '../../runtime/random.ts'
import type { GroupSettings } from '../config/broker.ts'
import type { MetadataCache } from '../metadata-cache.ts'
import type { Partition } from '../replication/partition.ts'
import type { TopicAdmin } from '../topic-admin.ts'
import { internalPartitionFor, offsetsTopic } from '../topic-names.ts'
import { refusedJoin, refusedSync, type JoinAnswer, type SyncAnswer } from './answers.ts'
import type { Effect, Group } from './group.ts'
import type { JoinRequest } from './member.ts'
import { groupRecord, offsetRecord, type CommittedOffset, type InternalRecord } from './offsets.ts'
import { Shard, type GroupEntry } from './shard.ts'

export interface CoordinatorParts {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metadata: MetadataCache
  readonly topics: TopicAdmin
}

/** Who speaks for a group: checked before anything is done for it. */
export interface MemberIdentity {
  readonly memberId: string
  readonly generation: number
  readonly instanceId: string | null
}

export interface OffsetToCommit {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string | null
}

type Found = { readonly error: number } | { readonly shard: Shard }

/**
 * The groups that this broker coordinates. Decisions are those of `Group`; here they are carried out:
 * requests wait for their answers, timers run, groups and commits are written before they are answered.
 */
export class GroupCoordinator {
  readonly #parts: CoordinatorParts
  readonly #settings: GroupSettings
  readonly #shards = new Map<number, Shard>()
  readonly #joins = new Map<string, (answer: JoinAnswer) => void>()
  readonly #syncs = new Map<string, (answer: SyncAnswer) => void>()
  readonly #timers = new Map<string, { timer: Timer; atMs: number }>()
  #isCreating = false

  constructor(parts: CoordinatorParts, settings: GroupSettings) {
    this.#parts = parts
    this.#settings = settings
  }

  /** This broker leads a partition of __consumer_offsets now. */
  lead(partition: Partition): void {
    if (this.#shards.get(partition.index)?.partition === partition) return
    const { clock, logger } = this.#parts
    const { initialRebalanceDelayMs, sizeMax } = this.#settings
    const shard = new Shard(partition, { clock, logger }, { initialRebalanceDelayMs, sizeMax })
    this.#shards.set(partition.index, shard)
    shard.load().then(
      () => {
        for (const { group } of shard.groups.values()) this.#arm(group)
      },
      (error: unknown) => logger.error(`Could not load ${offsetsTopic}-${partition.index}`, error),
    )
  }

  /** Another broker leads it, or it is gone. */
  resign(partitionIndex: number): void {
    const shard = this.#shards.get(partitionIndex)
    this.#shards.delete(partitionIndex)
    for (const { group } of shard?.groups.values() ?? []) {
      this.#timers.get(group.id)?.timer.cancel()
      this.#timers.delete(group.id)
    }
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
    this.#parts.topics
      .create(creation)
      .then(({ error, message }) => {
        if (error !== Errors.NONE && error !== Errors.TOPIC_ALREADY_EXISTS)
          this.#parts.logger.error(`Could not create ${offsetsTopic}: ${message ?? error}`)
      })
      .catch((error: unknown) => {
        this.#parts.logger.error(`Could not create ${offsetsTopic}`, error)
      })
      .finally(() => {
        this.#isCreating = false
      })
  }

  /** Which broker coordinates the group: an id, or an error. */
  coordinatorOf(groupId: string): { error: number; nodeId: number } {
    const topic = this.#parts.metadata.topic(offsetsTopic)
    if (topic === undefined) {
      this.createOffsetsTopic()
      return { error: Errors.COORDINATOR_NOT_AVAILABLE, nodeId: -1 }
    }
    const index = internalPartitionFor(groupId, topic.partitions.length)
    const leader = topic.partitions[index]?.leader ?? -1
    if (leader < 0) return { error: Errors.COORDINATOR_NOT_AVAILABLE, nodeId: -1 }
    return { error: Errors.NONE, nodeId: leader }
  }

  #find(groupId: string): Found {
    if (groupId === '') return { error: Errors.INVALID_GROUP_ID }
    return this.#shardOf(groupId)
  }

  #shardOf(groupId: string): Found {
    const topic = this.#parts.metadata.topic(offsetsTopic)
    if (topic === undefined) return { error: Errors.NOT_COORDINATOR }
    const shard = this.#shards.get(internalPartitionFor(groupId, topic.partitions.length))
    if (shard === undefined) return { error: Errors.NOT_COORDINATOR }
    return shard.isLoading ? { error: Errors.COORDINATOR_LOAD_IN_PROGRESS } : { shard }
  }

  join(groupId: string, request: Omit<JoinRequest, 'newMemberId'>): Promise<JoinAnswer> {
    const found = this.#find(groupId)
    const { memberId, sessionTimeoutMs, instanceId } = request
    if ('error' in found) return Promise.resolve(refusedJoin(found.error, memberId))
    const { sessionTimeoutMinMs, sessionTimeoutMaxMs } = this.#settings
    if (sessionTimeoutMs < sessionTimeoutMinMs || sessionTimeoutMs > sessionTimeoutMaxMs)
      return Promise.resolve(refusedJoin(Errors.INVALID_SESSION_TIMEOUT, memberId))
    if (!found.shard.groups.has(groupId) && memberId !== '')
      return Promise.resolve(refusedJoin(Errors.UNKNOWN_MEMBER_ID, memberId))
    const entry = found.shard.entry(groupId)
    const prefix = instanceId ?? request.clientId
    const newMemberId = `${prefix}-${uuidText(this.#parts.random)}`
    const now = this.#parts.clock.now()
    const outcome = entry.group.join({ ...request, newMemberId }, now)
    if (!Array.isArray(outcome)) {
      this.#arm(entry.group)
      return Promise.resolve(refusedJoin(outcome.error, outcome.memberId))
    }
    const effectiveId = memberId === '' ? newMemberId : memberId
    return new Promise((resolve) => {
      const key = memberKey(groupId, effectiveId)
      this.#joins.get(key)?.(refusedJoin(Errors.REBALANCE_IN_PROGRESS, effectiveId))
      this.#joins.set(key, resolve)
      this.#carryOut(found.shard, entry.group, outcome)
    })
  }

  sync(
    groupId: string,
    identity: MemberIdentity,
    protocol: { readonly type: string | null; readonly name: string | null },
    assignments: ReadonlyMap<string, Buffer>,
  ): Promise<SyncAnswer> {
    const found = this.#find(groupId)
    if ('error' in found) return Promise.resolve(refusedSync(syncError(found.error)))
    const entry = found.shard.groups.get(groupId)
    const problem = this.#memberProblem(entry, identity)
    if (entry === undefined || problem !== Errors.NONE) return Promise.resolve(refusedSync(problem))
    const { group } = entry
    const differs = (one: string | null, other: string | null): boolean =>
      one !== null && other !== null && one !== other
    if (differs(protocol.type, group.protocolType) || differs(protocol.name, group.protocolName))
      return Promise.resolve(refusedSync(Errors.INCONSISTENT_GROUP_PROTOCOL))
    const outcome = group.sync(identity.memberId, assignments, this.#parts.clock.now())
    if (!Array.isArray(outcome)) return Promise.resolve(refusedSync(outcome.error))
    return new Promise((resolve) => {
      const key = memberKey(groupId, identity.memberId)
      this.#syncs.get(key)?.(refusedSync(Errors.REBALANCE_IN_PROGRESS))
      this.#syncs.set(key, resolve)
      this.#carryOut(found.shard, group, outcome)
    })
  }

  heartbeat(groupId: string, identity: MemberIdentity): number {
    const found = this.#find(groupId)
    if ('error' in found)
      return found.error === Errors.COORDINATOR_LOAD_IN_PROGRESS ? Errors.NONE : found.error
    const entry = found.shard.groups.get(groupId)
    const problem = this.#memberProblem(entry, identity)
    if (entry === undefined || problem !== Errors.NONE) return problem
    return entry.group.heartbeat(identity.memberId, this.#parts.clock.now())
  }

  /** A static member may be named by its instance id alone. */
  leave(groupId: string, memberId: string, instanceId: string | null): number {
    const found = this.#find(groupId)
    if ('error' in found) return found.error
    const entry = found.shard.groups.get(groupId)
    if (entry === undefined) return Errors.UNKNOWN_MEMBER_ID
    const ofInstance = instanceId === null ? undefined : entry.group.memberOfInstance(instanceId)
    if (instanceId !== null && ofInstance === undefined) return Errors.UNKNOWN_MEMBER_ID
    if (instanceId !== null && memberId !== '' && ofInstance !== memberId)
      return Errors.FENCED_INSTANCE_ID
    const { error, effects } = entry.group.leave(ofInstance ?? memberId, this.#parts.clock.now())
    this.#carryOut(found.shard, entry.group, effects)
    return error
  }

  /** Resolves to an error code per offset, or one for all. */
  async commit(
    groupId: string,
    identity: MemberIdentity,
    offsets: readonly OffsetToCommit[],
  ): Promise<number[]> {
    const all = (error: number): number[] => offsets.map(() => error)
    const found = this.#shardOf(groupId)
    if ('error' in found) return all(found.error)
    const entry = found.shard.groups.get(groupId)
    const problem = this.#commitProblem(entry, identity)
    if (problem !== Errors.NONE) return all(problem)
    const now = this.#parts.clock.now()
    const accepted: { offset: OffsetToCommit; committed: CommittedOffset }[] = []
    const records: InternalRecord[] = []
    const errors = offsets.map((one) => {
      const metadata = one.metadata ?? ''
      if (metadata.length > this.#settings.metadataBytesMax)
        return Errors.OFFSET_METADATA_TOO_LARGE as number
      const { offset, leaderEpoch } = one
      const committed = { offset, leaderEpoch, metadata, commitTimestampMs: now }
      accepted.push({ offset: one, committed })
      records.push(offsetRecord(groupId, one.topic, one.partition, committed))
      return Errors.NONE
    })
    if (records.length === 0) return errors
    const written = await found.shard.append(records)
    if (written !== Errors.NONE) return errors.map((error) => (error === 0 ? written : error))
    for (const { offset, committed } of accepted)
      found.shard.applyOffset(groupId, offset.topic, offset.partition, committed)
    return errors
  }

  #commitProblem(entry: GroupEntry | undefined, identity: MemberIdentity): number {
    const group = entry?.group
    if (identity.generation < 0) {
      const isFree = group === undefined || group.members.size === 0
      return isFree ? Errors.NONE : Errors.UNKNOWN_MEMBER_ID
    }
    if (group === undefined) return Errors.ILLEGAL_GENERATION
    const problem = this.#memberProblem(entry, identity)
    if (problem !== Errors.NONE) return problem
    if (group.state === 'CompletingRebalance') return Errors.REBALANCE_IN_PROGRESS
    group.heartbeat(identity.memberId, this.#parts.clock.now())
    return Errors.NONE
  }

  /** What the group has committed; an error code where this broker cannot tell. */
  committed(groupId: string): { error: number } | { offsets: GroupEntry['offsets'] } {
    const found = this.#shardOf(groupId)
    if ('error' in found) return { error: found.error }
    return { offsets: found.shard.groups.get(groupId)?.offsets ?? new Map() }
  }

  /** Every group of this broker. */
  *groups(): Generator<Group> {
    for (const shard of this.#shards.values())
      for (const { group } of shard.groups.values()) yield group
  }

  describe(groupId: string): { error: number; group: Group | undefined } {
    const found = this.#find(groupId)
    if ('error' in found) return { error: found.error, group: undefined }
    return { error: Errors.NONE, group: found.shard.groups.get(groupId)?.group }
  }

  #memberProblem(entry: GroupEntry | undefined, identity: MemberIdentity): number {
    const { memberId, generation, instanceId } = identity
    if (entry === undefined) return Errors.UNKNOWN_MEMBER_ID
    if (instanceId !== null) {
      const known = entry.group.memberOfInstance(instanceId)
      if (known === undefined) return Errors.UNKNOWN_MEMBER_ID
      if (known !== memberId) return Errors.FENCED_INSTANCE_ID
    }
    if (!entry.group.isKnown(memberId)) return Errors.UNKNOWN_MEMBER_ID
    return entry.group.generation === generation ? Errors.NONE : Errors.ILLEGAL_GENERATION
  }

  #carryOut(shard: Shard, group: Group, effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'persist') this.#persist(shard, group, effect.generation)
      else {
        const key = memberKey(group.id, effect.memberId)
        if (effect.type === 'joined') take(this.#joins, key)?.(effect.answer)
        else take(this.#syncs, key)?.(effect.answer)
      }
    }
    this.#arm(group)
  }

  #persist(shard: Shard, group: Group, generation: number): void {
    const { clock, logger } = this.#parts
    shard.append([groupRecord(group, clock.now())]).then(
      (error) => this.#carryOut(shard, group, group.persisted(generation, error, clock.now())),
      (error: unknown) => logger.error(`Could not write group ${group.id}`, error),
    )
  }

  /** One timer per group, set for its next deadline; a heartbeat only moves the deadline. */
  #arm(group: Group): void {
    const atMs = group.nextDeadlineMs()
    const armed = this.#timers.get(group.id)
    if (armed !== undefined && armed.atMs <= atMs) return
    armed?.timer.cancel()
    this.#timers.delete(group.id)
    if (atMs === Infinity) return
    const { clock } = this.#parts
    const timer = clock.schedule(Math.max(0, atMs - clock.now()), () => {
      this.#timers.delete(group.id)
      const found = this.#shardOf(group.id)
      if ('error' in found || found.shard.groups.get(group.id)?.group !== group) return
      this.#carryOut(found.shard, group, group.expire(clock.now()))
    })
    this.#timers.set(group.id, { timer, atMs })
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
