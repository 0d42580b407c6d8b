import { Errors } from '../../kafka/errors.ts'
import { ListOffsets } from '../../kafka/messages/list-offsets.ts'
import { DiskError } from '../../runtime/disk.ts'
import { searchMaxTimestamp } from '../../storage/time-search.ts'
import type { RequestOf } from '../../wire/schema.ts'
import { handler, type RequestContext } from '../handler.ts'
import type { Partition } from '../replication/partition.ts'

type Request = RequestOf<typeof ListOffsets>
type Wanted = Request['topics'][number]['partitions'][number]

const latest = -1
const earliest = -2
const maxTimestamp = -3
const earliestLocal = -4
const readCommitted = 1

/** ListOffsets (key 2): the special timestamps of kafka.md F20, and look-up by time. */
export const listOffsets = handler(ListOffsets, [0, 9], async (request, context) => {
  const topics = []
  for (const { name, partitions } of request.topics) {
    const rows = await Promise.all(
      partitions.map((wanted) => partitionRow(name, wanted, request, context)),
    )
    topics.push({ name, partitions: rows })
  }
  return { topics }
})

async function partitionRow(
  topic: string,
  wanted: Wanted,
  request: Request,
  context: RequestContext,
) {
  const { partitionIndex } = wanted
  const { replicas, metadata } = context.parts
  const partition = replicas.get(topic, partitionIndex)
  const failed = (errorCode: number) => ({ partitionIndex, errorCode, oldStyleOffsets: [] })
  const problem =
    partition?.leaderProblem(wanted.currentLeaderEpoch) ?? Errors.NOT_LEADER_OR_FOLLOWER
  if (problem === Errors.NOT_LEADER_OR_FOLLOWER && !metadata.hasPartition(topic, partitionIndex))
    return failed(Errors.UNKNOWN_TOPIC_OR_PARTITION)
  if (partition === undefined || problem !== Errors.NONE) return failed(problem)
  const timestamp = Number(wanted.timestamp)
  if (context.apiVersion === 0) {
    const oldStyleOffsets = oldOffsets(partition, timestamp, wanted.maxNumOffsets)
    return { partitionIndex, errorCode: Errors.NONE, oldStyleOffsets }
  }
  if (!isSupported(timestamp, context.apiVersion)) return failed(Errors.UNSUPPORTED_VERSION)
  // A new leader does not know yet how far the old one's records are committed (KIP-207).
  const isBehind = request.replicaId < 0 && boundOf(partition, request) < partition.epochStartOffset
  const unknown =
    context.apiVersion >= 5 ? Errors.OFFSET_NOT_AVAILABLE : Errors.LEADER_NOT_AVAILABLE
  if (isBehind && timestamp === latest) return failed(unknown)
  try {
    const { offset, timestamp: foundMs, leaderEpoch } = await find(partition, timestamp, request)
    if (isBehind && offset < 0) return failed(unknown)
    const row = { partitionIndex, errorCode: Errors.NONE, offset, timestamp: foundMs }
    return context.apiVersion >= 4 ? { ...row, leaderEpoch } : row
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    return failed(Errors.KAFKA_STORAGE_ERROR)
  }
}

function isSupported(timestamp: number, apiVersion: number): boolean {
  if (timestamp >= earliest) return true
  if (timestamp === maxTimestamp) return apiVersion >= 7
  return timestamp === earliestLocal && apiVersion >= 8
}

/** Up to where the asker sees the log. */
function boundOf({ log }: Partition, { replicaId, isolationLevel }: Request): number {
  if (replicaId >= 0) return log.logEndOffset
  return isolationLevel === readCommitted ? log.lastStableOffset : log.highWatermark
}

async function find(partition: Partition, timestamp: number, request: Request) {
  const { log, leaderEpoch } = partition
  const bound = boundOf(partition, request)
  if (timestamp === latest) return { offset: bound, timestamp: -1, leaderEpoch }
  if (timestamp === earliest || timestamp === earliestLocal) {
    const epoch = log.leaderEpochs.epochOf(log.logStartOffset)
    return { offset: log.logStartOffset, timestamp: -1, leaderEpoch: epoch }
  }
  const found =
    timestamp === maxTimestamp
      ? await searchMaxTimestamp([...log.segments.all], {
          from: log.logStartOffset,
          upTo: log.logEndOffset,
        })
      : await log.offsetForTimestamp(timestamp, bound)
  // What is above the bound is not there yet for this reader.
  const isVisible = found !== undefined && found.offset < bound
  return isVisible ? found : { offset: -1, timestamp: -1, leaderEpoch: -1 }
}

/** Version 0: starts of segments that are old enough, newest first, the end of the log before all. */
function oldOffsets(partition: Partition, timestamp: number, most: number): number[] {
  const { log } = partition
  if (timestamp === earliest) return [log.logStartOffset].slice(0, most)
  const starts = log.segmentBaseOffsets().filter((offset) => offset < log.highWatermark)
  const offsets = [...starts, log.highWatermark].reverse()
  return timestamp === latest ? offsets.slice(0, most) : offsets.slice(1, most + 1)
}
