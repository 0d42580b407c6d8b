// Whether what a leader has is its in-sync set's, too: only then may it be told as acknowledged by all.
import { Errors } from '../../kafka/errors.ts'
import { ListOffsets } from '../../kafka/messages/list-offsets.ts'
import { OffsetForLeaderEpoch } from '../../kafka/messages/offset-for-leader-epoch.ts'
import type { BrokerConnection } from '../connection.ts'
import { brokerError } from '../errors.ts'
import { exact } from '../versions.ts'

export interface LedPartition {
  readonly topic: string
  readonly partition: number
  /** As the client knows it; the leader of another epoch answers with an error. */
  readonly leaderEpoch: number
}

const latest = -1

/**
 * True: all that the leader had when it was asked is below its high watermark. The log's end is asked
 * for first (OffsetForLeaderEpoch tells consumers, too, KIP-320), then the watermark, both in one leader
 * epoch, in which nothing is cut off. @throws KafkaError
 */
export async function isAllCommitted(
  connection: BrokerConnection,
  { topic, partition, leaderEpoch }: LedPartition,
): Promise<boolean> {
  const currentLeaderEpoch = leaderEpoch
  const ends = await connection.request(
    OffsetForLeaderEpoch,
    connection.version(OffsetForLeaderEpoch, { min: 2 }),
    { topics: [{ topic, partitions: [{ partition, currentLeaderEpoch, leaderEpoch }] }] },
  )
  const end = ends.topics[0]?.partitions[0]
  if (end === undefined) return false
  if (end.errorCode !== Errors.NONE) throw brokerError(end.errorCode, topic)
  const marks = await connection.request(
    ListOffsets,
    connection.version(ListOffsets, { min: 4, max: 9 }),
    {
      replicaId: -1,
      isolationLevel: 0,
      topics: [
        {
          name: topic,
          partitions: [{ partitionIndex: partition, currentLeaderEpoch, timestamp: latest }],
        },
      ],
    },
  )
  const mark = marks.topics[0]?.partitions[0]
  if (mark === undefined) return false
  if (mark.errorCode !== Errors.NONE) throw brokerError(mark.errorCode, topic)
  const endOffset = exact(end.endOffset)
  return endOffset >= 0 && exact(mark.offset) >= endOffset
}
