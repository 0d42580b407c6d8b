import { Errors } from '../../kafka/errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { MemberIdentity } from './identity.ts'
import { generationProblem } from './identity.ts'
import type { Group } from './group.ts'
import { commitError } from './log-errors.ts'
import { offsetRecord, type CommittedOffset, type InternalRecord, type Offsets } from './offsets.ts'
import type { Shards } from './shards.ts'
import type { GroupSettings } from '../config/broker.ts'

type CommitSettings = Pick<GroupSettings, 'metadataBytesMax' | 'level'>

export interface OffsetToCommit {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string | null
  /** -1: now. Clients of version 1 may give one. */
  readonly commitTimestampMs: number
}

export interface CommitRequest extends MemberIdentity {
  readonly groupId: string
  /** -1: as long as the broker keeps offsets. Clients of versions 2 to 4 may give one. */
  readonly retentionMs: number
  readonly offsets: readonly OffsetToCommit[]
}

function expiryAt(now: number, retentionMs: number): number {
  return Math.min(Math.max(now + retentionMs, 0), Number.MAX_SAFE_INTEGER)
}

/** What groups have committed: written to the log before it is acknowledged, and before it is told. */
export class Commits {
  readonly #clock: Clock
  readonly #shards: Shards
  readonly #settings: CommitSettings

  constructor(clock: Clock, shards: Shards, settings: CommitSettings) {
    this.#clock = clock
    this.#shards = shards
    this.#settings = settings
  }

  /** Resolves to an error code per offset. */
  async commit(request: CommitRequest): Promise<number[]> {
    const { groupId, offsets } = request
    const { metadataBytesMax, level } = this.#settings
    const all = (error: number): number[] => offsets.map(() => error)
    const found = this.#shards.find(groupId)
    if ('error' in found) return all(found.error)
    const { shard } = found
    const problem = this.#problemOf(shard.groups.get(groupId)?.group, request)
    if (problem !== Errors.NONE) return all(problem)
    const accepted: { one: OffsetToCommit; committed: CommittedOffset }[] = []
    const errors: number[] = offsets.map((one) => {
      if ((one.metadata ?? '').length > metadataBytesMax) return Errors.OFFSET_METADATA_TOO_LARGE
      accepted.push({ one, committed: this.#committed(one, request.retentionMs) })
      return Errors.NONE
    })
    if (accepted.length === 0) return errors
    const records: InternalRecord[] = accepted.map(({ one, committed }) =>
      offsetRecord(groupId, one.topic, one.partition, { version: level.offsetRecord, committed }),
    )
    const written = commitError(await shard.append(records))
    if (written !== Errors.NONE)
      return errors.map((error) => (error === Errors.NONE ? written : error))
    for (const { one, committed } of accepted)
      shard.applyOffset(groupId, one.topic, one.partition, committed)
    return errors
  }

  #committed(one: OffsetToCommit, retentionMs: number): CommittedOffset {
    const now = this.#clock.now()
    const { offset, leaderEpoch, metadata, commitTimestampMs } = one
    return {
      ...{ offset, leaderEpoch, metadata: metadata ?? '' },
      commitTimestampMs: commitTimestampMs === -1 ? now : commitTimestampMs,
      expireTimestampMs: retentionMs === -1 ? -1 : expiryAt(now, retentionMs),
    }
  }

  #problemOf(group: Group | undefined, identity: MemberIdentity): number {
    const { memberId, generation, instanceId } = identity
    if (group === undefined) return generation < 0 ? Errors.NONE : Errors.ILLEGAL_GENERATION
    if (group.state === 'Dead') return Errors.COORDINATOR_NOT_AVAILABLE
    // A consumer without a group, or an administrator.
    if (generation < 0 && group.state === 'Empty') return Errors.NONE
    if (generation < 0 && memberId === '' && instanceId === null) return Errors.UNKNOWN_MEMBER_ID
    const problem = generationProblem(group, identity)
    if (problem !== Errors.NONE) return problem
    if (group.state === 'CompletingRebalance') return Errors.REBALANCE_IN_PROGRESS
    group.heartbeat(memberId, this.#clock.monotonicMs())
    return Errors.NONE
  }

  /** What the group has committed; an error code where this broker cannot tell. */
  committed(groupId: string): { readonly error: number } | { readonly offsets: Offsets } {
    const found = this.#shards.find(groupId)
    if ('error' in found) return found
    return { offsets: found.shard.groups.get(groupId)?.offsets ?? new Map() }
  }
}
