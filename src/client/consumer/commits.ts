// Committed offsets of a group: writes and reads them at the coordinator.
import { Errors } from '../../kafka/errors.ts'
import { OffsetCommit } from '../../kafka/messages/offset-commit.ts'
import { OffsetFetch } from '../../kafka/messages/offset-fetch.ts'
import type { Cluster } from '../cluster.ts'
import type { BrokerConnection } from '../connection.ts'
import { brokerError, type KafkaError } from '../errors.ts'
import type { TopicPartition } from '../types.ts'
import { exact } from '../versions.ts'
import { type Membership, outsider } from './group.ts'
import type { CommittedOffset, OffsetToCommit } from './types.ts'

/** Who asks: a member names its generation, others commit to a group without members. */
export interface CommitContext {
  readonly cluster: Cluster
  readonly groupId: string
  readonly groupInstanceId: string | null
  readonly membership: () => Membership
  readonly connection: () => Promise<BrokerConnection>
  readonly forgetCoordinator: () => void
  /** Tells the membership what the answer to this commit means. */
  readonly onAnswer: (sent: Membership, errorCode: number) => void
}

/** Codes after which the coordinator is looked up again. */
const movedCodes: ReadonlySet<number> = new Set([
  Errors.COORDINATOR_NOT_AVAILABLE,
  Errors.NOT_COORDINATOR,
  Errors.REQUEST_TIMED_OUT,
])

/** Retries what may be retried. @throws KafkaError */
export async function commitOffsets(
  context: CommitContext,
  offsets: readonly OffsetToCommit[],
): Promise<void> {
  if (offsets.length === 0) return
  await context.cluster.retrying(() => commitOnce(context, offsets))
}

async function commitOnce(
  context: CommitContext,
  offsets: readonly OffsetToCommit[],
): Promise<void> {
  const connection = await context.connection()
  const sent = context.membership()
  // Versions 0 and 1 keep offsets in ZooKeeper or need a timestamp; 9 is for the new group
  // protocol.
  const version = connection.version(OffsetCommit, { min: 2, max: 8 })
  const answer = await guarded(context, () =>
    connection.request(OffsetCommit, version, {
      groupId: context.groupId,
      generationIdOrMemberEpoch: sent.generationId,
      memberId: sent.memberId,
      groupInstanceId: version >= 7 && sent !== outsider ? context.groupInstanceId : null,
      topics: commitTopics(offsets),
    }),
  )
  let worst: KafkaError | undefined
  for (const { name, partitions } of answer.topics) {
    for (const { partitionIndex, errorCode } of partitions) {
      if (errorCode === Errors.NONE) continue
      if (movedCodes.has(errorCode)) context.forgetCoordinator()
      context.onAnswer(sent, groupCode(errorCode))
      const error = brokerError(errorCode, `commit of ${name}-${partitionIndex}`)
      if (worst === undefined || worst.retriable) worst = error
    }
  }
  if (worst !== undefined) throw worst
}

export interface FetchCommittedOptions {
  /** Offsets that an open transaction may change are waited for (KIP-447). */
  readonly requireStable?: boolean
  readonly timeoutMs?: number
}

/** The offsets of these partitions, or all of the group's. @throws KafkaError */
export function fetchCommitted(
  context: Omit<CommitContext, 'membership' | 'onAnswer' | 'groupInstanceId'>,
  partitions: readonly TopicPartition[] | undefined,
  options: FetchCommittedOptions = {},
): Promise<CommittedOffset[]> {
  return context.cluster.retrying(async () => {
    const connection = await context.connection()
    const min = partitions === undefined ? 2 : 1
    const version = connection.version(OffsetFetch, { min, max: 7 })
    const topics = partitions === undefined ? null : fetchTopics(partitions)
    const requireStable = version >= 7 && options.requireStable === true
    const body = { groupId: context.groupId, topics, requireStable }
    const answer = await guarded(context, () => connection.request(OffsetFetch, version, body))
    const found: CommittedOffset[] = []
    throwFetchError(context, answer.errorCode)
    for (const topic of answer.topics) {
      for (const partition of topic.partitions) {
        throwFetchError(context, partition.errorCode)
        found.push({
          topic: topic.name,
          partition: partition.partitionIndex,
          offset: exact(partition.committedOffset),
          metadata: partition.metadata,
          leaderEpoch: partition.committedLeaderEpoch,
        })
      }
    }
    return found
  }, options)
}

function throwFetchError(
  context: Pick<CommitContext, 'groupId' | 'forgetCoordinator'>,
  errorCode: number,
): void {
  if (errorCode === Errors.NONE) return
  if (movedCodes.has(errorCode)) context.forgetCoordinator()
  throw brokerError(errorCode, `offsets of group ${context.groupId}`)
}

/** A connection that failed may have been to a broker that coordinates no more. */
async function guarded<T>(
  context: Pick<CommitContext, 'forgetCoordinator'>,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action()
  } catch (error) {
    context.forgetCoordinator()
    throw error
  }
}

/** Only what concerns the membership; other codes are of the commit alone. */
function groupCode(errorCode: number): number {
  const concerns: readonly number[] = [
    Errors.ILLEGAL_GENERATION,
    Errors.UNKNOWN_MEMBER_ID,
    Errors.REBALANCE_IN_PROGRESS,
    Errors.FENCED_INSTANCE_ID,
  ]
  return concerns.includes(errorCode) ? errorCode : Errors.NONE
}

interface PartitionCommit {
  readonly partitionIndex: number
  readonly committedOffset: number
  readonly committedLeaderEpoch: number
  readonly committedMetadata: string | null
}

function commitTopics(
  offsets: readonly OffsetToCommit[],
): { name: string; partitions: PartitionCommit[] }[] {
  const byTopic = new Map<string, PartitionCommit[]>()
  for (const { topic, partition, offset, metadata, leaderEpoch } of offsets) {
    const commit: PartitionCommit = {
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch ?? -1,
      committedMetadata: metadata ?? '',
    }
    const known = byTopic.get(topic)
    if (known === undefined) byTopic.set(topic, [commit])
    else known.push(commit)
  }
  return [...byTopic].map(([name, partitions]) => ({ name, partitions }))
}

function fetchTopics(
  partitions: readonly TopicPartition[],
): { name: string; partitionIndexes: number[] }[] {
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of partitions) {
    const known = byTopic.get(topic)
    if (known === undefined) byTopic.set(topic, [partition])
    else known.push(partition)
  }
  return [...byTopic].map(([name, partitionIndexes]) => ({ name, partitionIndexes }))
}
