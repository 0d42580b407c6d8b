// Offsets of partitions and deletion of records, for the admin client.
import { Errors } from '../../kafka/errors.ts'
import { DeleteRecords } from '../../kafka/messages/delete-records.ts'
import type { Cluster, Interest } from '../cluster.ts'
import { brokerError, KafkaError } from '../errors.ts'
import { leaderOf } from '../metadata.ts'
import { earliestTime, latestTime, lookUpOffsets, maxTimestampTime } from '../offsets.ts'
import type { TopicPartitionOffset } from '../types.ts'
import { exact } from '../versions.ts'
import { adminPurpose, errorFrom } from './calls.ts'
import type { ListedOffset, PartitionTimeQuery } from './types.ts'

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
): Promise<ListedOffset[]> {
  const asked = queries.map(({ topic, partition, at }) => {
    return { topic, partition, timestamp: typeof at === 'number' ? at : namedTimes[at] }
  })
  return lookUpOffsets(cluster, asked, { purpose: adminPurpose })
}

/** `offset` of the answer is the new start of the log. */
export async function deleteRecords(
  cluster: Cluster,
  before: readonly TopicPartitionOffset[],
): Promise<ListedOffset[]> {
  const topics = new Set(before.map(({ topic }) => topic))
  const interest: Interest = { topics, allowAutoTopicCreation: false, onMetadata: () => undefined }
  cluster.addInterest(interest)
  try {
    await cluster.retrying(() => cluster.refresh())
    return await Promise.all(before.map((one) => deleteBefore(cluster, one)))
  } finally {
    cluster.removeInterest(interest)
  }
}

async function deleteBefore(cluster: Cluster, one: TopicPartitionOffset): Promise<ListedOffset> {
  const { topic, partition, offset } = one
  const name = `${topic}-${partition}`
  const nothing = { topic, partition, offset: -1, timestamp: -1, leaderEpoch: -1 }
  try {
    return await cluster.retrying(async () => {
      const leader = leaderOf(cluster.metadata, topic, partition)
      if (leader === undefined) throw brokerError(Errors.LEADER_NOT_AVAILABLE, name)
      const connection = await cluster.connections.to(leader, adminPurpose)
      const version = connection.version(DeleteRecords)
      const partitions = [{ partitionIndex: partition, offset }]
      const body = { topics: [{ name: topic, partitions }], timeoutMs: deleteTimeoutMs }
      const timeoutMs = deleteTimeoutMs + answerSlackMs
      const answer = await connection.request(DeleteRecords, version, body, { timeoutMs })
      const found = answer.topics[0]?.partitions[0]
      if (found === undefined) throw brokerError(Errors.UNKNOWN_SERVER_ERROR, name)
      const error = errorFrom(found, name)
      if (error?.retriable === true) throw error
      return { ...nothing, offset: exact(found.lowWatermark), error }
    })
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return { ...nothing, error }
  }
}
