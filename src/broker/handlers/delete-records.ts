import { Errors } from '../../kafka/errors.ts'
import { DeleteRecords } from '../../kafka/messages/delete-records.ts'
import { findLeader } from '../find-leader.ts'
import { handler, type RequestContext } from '../handler.ts'
import type { Partition } from '../replication/partition.ts'
import { isInternalTopic } from '../topic-names.ts'
import type { Waiter } from '../turn.ts'

/** What became of one partition: an error, or the offset that every replica's start has to reach. */
type Deletion =
  | { readonly partition: undefined; readonly error: number }
  | { readonly partition: Partition; readonly offset: number }

const toHighWatermark = -1

/**
 * DeleteRecords (key 21, KIP-107): raises the start of the leader's log (kafka.md F45), and answers when
 * the followers' logs start there too, or the time is up.
 */
export const deleteRecords = handler(DeleteRecords, [0, 2], async (request, context) => {
  const topics = []
  for (const { name, partitions } of request.topics) {
    const rows = partitions.map(async ({ partitionIndex, offset }) => {
      const deletion = begin(name, partitionIndex, Number(offset), context)
      const failed = (errorCode: number) => ({ partitionIndex, lowWatermark: -1, errorCode })
      if (deletion.partition === undefined) return failed(deletion.error)
      const error = await reached(deletion.partition, deletion.offset, request.timeoutMs, context)
      if (error !== Errors.NONE) return failed(error)
      const lowWatermark = deletion.partition.lowWatermark
      return { partitionIndex, lowWatermark, errorCode: Errors.NONE }
    })
    topics.push({ name, partitions: await Promise.all(rows) })
  }
  return { topics }
})

function begin(topic: string, index: number, wanted: number, { parts }: RequestContext): Deletion {
  const failed = (error: number) => ({ partition: undefined, error })
  if (!parts.metadata.hasPartition(topic, index)) return failed(Errors.UNKNOWN_TOPIC_OR_PARTITION)
  if (isInternalTopic(topic)) return failed(Errors.INVALID_TOPIC_EXCEPTION)
  const { partition, error } = findLeader(parts, { topic, index, leaderEpoch: -1 })
  if (partition === undefined) return failed(error)
  const { log } = partition
  if (log.settings.compacts && !log.settings.deletes) return failed(Errors.POLICY_VIOLATION)
  const offset = wanted === toHighWatermark ? log.highWatermark : wanted
  if (offset < 0) return failed(Errors.OFFSET_OUT_OF_RANGE)
  const problem = log.deleteRecordsBefore(offset)
  if (problem !== Errors.NONE) return failed(problem)
  partition.moved()
  return log.offline ? failed(Errors.KAFKA_STORAGE_ERROR) : { partition, offset }
}

/** Waits for the followers. Resolves to an error code. */
function reached(
  partition: Partition,
  offset: number,
  timeoutMs: number,
  { parts }: RequestContext,
): Promise<number> {
  if (partition.lowWatermark >= offset) return Promise.resolve(Errors.NONE)
  return new Promise((resolve) => {
    const finish = (error: number): void => {
      timer.cancel()
      partition.forget(waiter)
      resolve(error)
    }
    const giveUp = (): void => finish(Errors.REQUEST_TIMED_OUT)
    const timer = parts.clock.schedule(Math.max(timeoutMs, 0), giveUp)
    const waiter: Waiter = {
      look() {
        if (!partition.isLeader) finish(Errors.NOT_LEADER_OR_FOLLOWER)
        else if (partition.log.offline) finish(Errors.KAFKA_STORAGE_ERROR)
        else if (partition.lowWatermark >= offset) finish(Errors.NONE)
      },
    }
    partition.wait(waiter)
  })
}
