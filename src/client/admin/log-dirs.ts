// Log directories of brokers and the replicas in them, for the admin client.
import { Errors } from '../../kafka/errors.ts'
import { AlterReplicaLogDirs } from '../../kafka/messages/alter-replica-log-dirs.ts'
import { DescribeLogDirs } from '../../kafka/messages/describe-log-dirs.ts'
import type { ResponseOf } from '../../wire/schema.ts'
import type { Cluster } from '../cluster.ts'
import { brokerError, KafkaError } from '../errors.ts'
import type { TopicPartition } from '../types.ts'
import { exact } from '../versions.ts'
import { adminPurpose, errorFrom, groupByTopic } from './calls.ts'
import type { BrokerLogDirs, LogDirDescription, ReplicaMove, ReplicaMoveOutcome } from './types.ts'

/** Every broker is asked; one that fails says so in its place. */
export async function describeLogDirs(
  cluster: Cluster,
  brokerIds: readonly number[] | undefined,
  partitions: readonly TopicPartition[] | undefined,
): Promise<BrokerLogDirs[]> {
  await cluster.retrying(() => cluster.refresh())
  const nodeIds = brokerIds ?? [...cluster.metadata.brokers.keys()].sort((one, two) => one - two)
  return Promise.all(nodeIds.map((nodeId) => describeOne(cluster, nodeId, partitions)))
}

async function describeOne(
  cluster: Cluster,
  nodeId: number,
  partitions: readonly TopicPartition[] | undefined,
): Promise<BrokerLogDirs> {
  try {
    return await cluster.retrying(async () => {
      const connection = await cluster.connectionTo(nodeId, adminPurpose)
      const version = connection.version(DescribeLogDirs)
      const answer = await connection.request(DescribeLogDirs, version, {
        topics: partitions === undefined ? null : topicsOf(partitions),
      })
      const error = errorFrom(answer, `broker ${nodeId}`)
      return { nodeId, error, logDirs: answer.results.map(logDirOf) }
    })
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return { nodeId, error, logDirs: [] }
  }
}

function logDirOf(found: ResponseOf<typeof DescribeLogDirs>['results'][number]): LogDirDescription {
  return {
    path: found.logDir,
    error: errorFrom(found, found.logDir),
    totalBytes: exact(found.totalBytes),
    usableBytes: exact(found.usableBytes),
    replicas: found.topics.flatMap(({ name, partitions }) =>
      partitions.map((replica) => ({
        topic: name,
        partition: replica.partitionIndex,
        sizeBytes: exact(replica.partitionSize),
        offsetLag: exact(replica.offsetLag),
        isFuture: replica.isFutureKey,
      })),
    ),
  }
}

/** Moves replicas within their brokers; where there is none yet, says where it shall be made. */
export async function alterReplicaLogDirs(
  cluster: Cluster,
  moves: readonly ReplicaMove[],
): Promise<ReplicaMoveOutcome[]> {
  await cluster.retrying(() => cluster.refresh())
  const outcomes = new Map<string, KafkaError | undefined>()
  const byBroker = new Map<number, ReplicaMove[]>()
  for (const move of moves) {
    const known = byBroker.get(move.brokerId)
    if (known === undefined) byBroker.set(move.brokerId, [move])
    else known.push(move)
  }
  await Promise.all(
    [...byBroker].map(async ([brokerId, mine]) => {
      try {
        for (const outcome of await moveAt(cluster, brokerId, mine)) {
          outcomes.set(keyOf({ ...outcome, brokerId }), outcome.error)
        }
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        for (const move of mine) outcomes.set(keyOf(move), error)
      }
    }),
  )
  return moves.map((move) => {
    const { brokerId, topic, partition } = move
    const key = keyOf(move)
    const missing = brokerError(Errors.UNKNOWN_SERVER_ERROR, `no answer about ${key}`)
    return { brokerId, topic, partition, error: outcomes.has(key) ? outcomes.get(key) : missing }
  })
}

async function moveAt(
  cluster: Cluster,
  brokerId: number,
  moves: readonly ReplicaMove[],
): Promise<(TopicPartition & { readonly error: KafkaError | undefined })[]> {
  const byPath = new Map<string, ReplicaMove[]>()
  for (const move of moves) {
    const known = byPath.get(move.path)
    if (known === undefined) byPath.set(move.path, [move])
    else known.push(move)
  }
  const connection = await cluster.retrying(() => cluster.connectionTo(brokerId, adminPurpose))
  const version = connection.version(AlterReplicaLogDirs)
  const answer = await connection.request(AlterReplicaLogDirs, version, {
    dirs: [...byPath].map(([path, mine]) => ({
      path,
      topics: topicsOf(mine).map(({ topic, partitions }) => ({ name: topic, partitions })),
    })),
  })
  return answer.results.flatMap(({ topicName, partitions }) =>
    partitions.map((found) => ({
      topic: topicName,
      partition: found.partitionIndex,
      error: errorFrom(found, `${topicName}-${found.partitionIndex}`),
    })),
  )
}

function topicsOf(
  partitions: readonly TopicPartition[],
): { topic: string; partitions: number[] }[] {
  return groupByTopic(partitions).map(({ name, queries }) => {
    return { topic: name, partitions: queries.map(({ partition }) => partition) }
  })
}

function keyOf({ brokerId, topic, partition }: TopicPartition & { brokerId: number }): string {
  return `${topic}-${partition} of broker ${brokerId}`
}
