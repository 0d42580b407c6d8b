// Offsets of partitions, their producers, and deletion of records, for the admin client.
import { DeleteRecords } from '../../kafka/messages/delete-records.ts'
import { DescribeProducers } from '../../kafka/messages/describe-producers.ts'
import type { Cluster } from '../cluster.ts'
import type { BrokerConnection } from '../connection.ts'
import { type EpochEnd, type EpochQuery, lookUpEpochEnds } from '../epochs.ts'
import { earliestTime, latestTime, lookUpOffsets, maxTimestampTime } from '../offsets.ts'
import type { FoundOffset, IsolationLevel, TopicPartition, TopicPartitionOffset } from '../types.ts'
import { exact } from '../versions.ts'
import { adminPurpose, atLeaders, errorFrom, groupByTopic } from './calls.ts'
import type { ListedOffset, PartitionProducers, PartitionTimeQuery } from './types.ts'

const deleteTimeoutMs = 30_000
const answerSlackMs = 5000

const namedTimes = {
  earliest: earliestTime,
  latest: latestTime,
  maxTimestamp: maxTimestampTime,
} as const

export function listOffsets(
  cluster: Cluster,
  queries: readonly PartitionTimeQuery[],
  options: { readonly isolationLevel?: IsolationLevel } = {},
): Promise<ListedOffset[]> {
  const asked = queries.map(({ topic, partition, at }) => {
    return { topic, partition, timestamp: typeof at === 'number' ? at : namedTimes[at] }
  })
  return lookUpOffsets(cluster, asked, { ...options, purpose: adminPurpose })
}

/** `offset` of the answer is the new start of the log. */
export function deleteRecords(
  cluster: Cluster,
  before: readonly TopicPartitionOffset[],
): Promise<ListedOffset[]> {
  return atLeaders(cluster, before, askDelete, (query, error) => ({ ...nothingOf(query), error }))
}

async function askDelete(
  connection: BrokerConnection,
  queries: readonly TopicPartitionOffset[],
): Promise<ListedOffset[]> {
  const version = connection.version(DeleteRecords)
  const topics = groupByTopic(queries).map(({ name, queries: mine }) => ({
    name,
    partitions: mine.map(({ partition, offset }) => ({ partitionIndex: partition, offset })),
  }))
  const body = { topics, timeoutMs: deleteTimeoutMs }
  const timeoutMs = deleteTimeoutMs + answerSlackMs
  const answer = await connection.request(DeleteRecords, version, body, { timeoutMs })
  return answer.topics.flatMap(({ name, partitions }) =>
    partitions.map((found) => {
      const at = { topic: name, partition: found.partitionIndex }
      const error = errorFrom(found, `${name}-${at.partition}`)
      return { ...nothingOf(at), offset: exact(found.lowWatermark), error }
    }),
  )
}

function nothingOf({ topic, partition }: TopicPartition): FoundOffset {
  return { topic, partition, offset: -1, timestamp: -1, leaderEpoch: -1 }
}

export function describeProducers(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
): Promise<PartitionProducers[]> {
  return atLeaders(cluster, partitions, askProducers, ({ topic, partition }, error) => {
    return { topic, partition, error, producers: [] }
  })
}

async function askProducers(
  connection: BrokerConnection,
  queries: readonly TopicPartition[],
): Promise<PartitionProducers[]> {
  const version = connection.version(DescribeProducers)
  const topics = groupByTopic(queries).map(({ name, queries: mine }) => {
    return { name, partitionIndexes: mine.map(({ partition }) => partition) }
  })
  const answer = await connection.request(DescribeProducers, version, { topics })
  return answer.topics.flatMap(({ name, partitions }) =>
    partitions.map((found) => ({
      topic: name,
      partition: found.partitionIndex,
      error: errorFrom(found, `${name}-${found.partitionIndex}`),
      producers: found.activeProducers.map((producer) => ({
        producerId: exact(producer.producerId),
        producerEpoch: producer.producerEpoch,
        lastSequence: producer.lastSequence,
        lastTimestamp: exact(producer.lastTimestamp),
        coordinatorEpoch: producer.coordinatorEpoch,
        currentTransactionStartOffset: exact(producer.currentTxnStartOffset),
      })),
    })),
  )
}

export function offsetsForLeaderEpochs(
  cluster: Cluster,
  queries: readonly EpochQuery[],
): Promise<EpochEnd[]> {
  const ask = (_: BrokerConnection, mine: readonly EpochQuery[]): Promise<EpochEnd[]> => {
    return lookUpEpochEnds(cluster, mine, { purpose: adminPurpose })
  }
  return atLeaders(cluster, queries, ask, ({ topic, partition }, error) => {
    return { topic, partition, leaderEpoch: -1, endOffset: -1, error }
  })
}
