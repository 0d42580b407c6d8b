// Who leads partitions and where their replicas are, for the admin client. All of it is the
// controller's.
import { Errors } from '../../kafka/errors.ts'
import { AlterPartitionReassignments } from '../../kafka/messages/alter-partition-reassignments.ts'
import { ElectLeaders } from '../../kafka/messages/elect-leaders.ts'
import { ListPartitionReassignments } from '../../kafka/messages/list-partition-reassignments.ts'
import type { Cluster } from '../cluster.ts'
import { brokerError } from '../errors.ts'
import type { TopicPartition } from '../types.ts'
import { atController, checkController, type Coded, errorFrom, groupByTopic } from './calls.ts'
import type {
  ElectionType,
  OngoingReassignment,
  PartitionOutcome,
  Reassignment,
  TimeLimit,
} from './types.ts'

const changeTimeoutMs = 30_000
const answerSlackMs = 5000

/** By their numbers in ElectLeaders v1 (KIP-460); version 0 knows the preferred one only. */
const electionTypes: Readonly<Record<ElectionType, number>> = { preferred: 0, unclean: 1 }
const firstVersionWithTypes = 1

/** Version 1 of AlterPartitionReassignments adds a flag that no call here has a use for. */
const alterLimits = { max: 0 }

/** All partitions where none is named. @throws KafkaError where the controller refuses as a whole */
export function electLeaders(
  cluster: Cluster,
  type: ElectionType,
  partitions: readonly TopicPartition[] | undefined,
  { timeoutMs = changeTimeoutMs }: TimeLimit,
): Promise<PartitionOutcome[]> {
  return atController(cluster, async (connection) => {
    const min = type === 'preferred' ? 0 : firstVersionWithTypes
    const version = connection.version(ElectLeaders, { min })
    const body = {
      ...(version >= firstVersionWithTypes ? { electionType: electionTypes[type] } : {}),
      topicPartitions: partitions === undefined ? null : topicsOf(partitions),
      timeoutMs,
    }
    const limits = { timeoutMs: timeoutMs + answerSlackMs }
    const answer = await connection.request(ElectLeaders, version, body, limits)
    throwIfRefused(answer, 'ElectLeaders')
    const found = answer.replicaElectionResults.flatMap(({ topic, partitionResult }) =>
      partitionResult.map((one) => ({ ...one, topic, partition: one.partitionId })),
    )
    checkController(found)
    return outcomesOf(found, partitions)
  })
}

/** @throws KafkaError where the controller refuses as a whole */
export function alterPartitionReassignments(
  cluster: Cluster,
  wanted: readonly Reassignment[],
  { timeoutMs = changeTimeoutMs }: TimeLimit,
): Promise<PartitionOutcome[]> {
  return atController(cluster, async (connection) => {
    const version = connection.version(AlterPartitionReassignments, alterLimits)
    const topics = groupByTopic(wanted).map(({ name, queries }) => ({
      name,
      partitions: queries.map(({ partition, replicas }) => {
        return { partitionIndex: partition, replicas }
      }),
    }))
    const limits = { timeoutMs: timeoutMs + answerSlackMs }
    const body = { timeoutMs, topics }
    const answer = await connection.request(AlterPartitionReassignments, version, body, limits)
    throwIfRefused(answer, 'AlterPartitionReassignments')
    const found = answer.responses.flatMap(({ name, partitions }) =>
      partitions.map((one) => ({ ...one, topic: name, partition: one.partitionIndex })),
    )
    return outcomesOf(found, wanted)
  })
}

/** All that is under way where none is named. @throws KafkaError */
export function listPartitionReassignments(
  cluster: Cluster,
  partitions: readonly TopicPartition[] | undefined,
  { timeoutMs = changeTimeoutMs }: TimeLimit,
): Promise<OngoingReassignment[]> {
  return atController(cluster, async (connection) => {
    const version = connection.version(ListPartitionReassignments)
    const topics = partitions === undefined ? null : indexesOf(partitions)
    const limits = { timeoutMs: timeoutMs + answerSlackMs }
    const body = { timeoutMs, topics }
    const answer = await connection.request(ListPartitionReassignments, version, body, limits)
    throwIfRefused(answer, 'ListPartitionReassignments')
    return answer.topics.flatMap(({ name, partitions: ongoing }) =>
      ongoing.map(({ partitionIndex, replicas, addingReplicas, removingReplicas }) => ({
        topic: name,
        partition: partitionIndex,
        replicas,
        adding: addingReplicas,
        removing: removingReplicas,
      })),
    )
  })
}

/** A controller that moved is looked for anew; anything else ends the call. */
function throwIfRefused(answer: Coded, what: string): void {
  const error = errorFrom(answer, what)
  if (error !== undefined) throw error
}

type Answered = TopicPartition & Coded

/** In the order asked; all that were answered where nothing was named. */
function outcomesOf(
  found: readonly Answered[],
  asked: readonly TopicPartition[] | undefined,
): PartitionOutcome[] {
  const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`
  const answers = new Map(found.map((one) => [keyOf(one), one]))
  return (asked ?? found).map((one) => {
    const { topic, partition } = one
    const key = keyOf(one)
    const answer = answers.get(key)
    const missing = brokerError(Errors.UNKNOWN_SERVER_ERROR, `no answer about ${key}`)
    return { topic, partition, error: answer === undefined ? missing : errorFrom(answer, key) }
  })
}

function topicsOf(
  partitions: readonly TopicPartition[],
): { topic: string; partitions: number[] }[] {
  return groupByTopic(partitions).map(({ name, queries }) => {
    return { topic: name, partitions: queries.map(({ partition }) => partition) }
  })
}

function indexesOf(
  partitions: readonly TopicPartition[],
): { name: string; partitionIndexes: number[] }[] {
  return groupByTopic(partitions).map(({ name, queries }) => {
    return { name, partitionIndexes: queries.map(({ partition }) => partition) }
  })
}
