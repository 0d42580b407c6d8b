import { Errors } from '../../kafka/errors.ts'
import { OffsetFetch } from '../../kafka/messages/offset-fetch.ts'
import type { CommittedOffset } from '../groups/offsets.ts'
import { handler, type RequestContext } from '../handler.ts'

type Wanted = readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[]

/**
 * OffsetFetch (key 9): from __consumer_offsets, and in version 0 from ZooKeeper (kafka.md F21). Null for
 * the topics asks for all that was committed (version 2 and above).
 */
export const offsetFetch = handler(OffsetFetch, [0, 9], (request, context) => {
  if (context.apiVersion === 0) return fetchOld(request.groupId, request.topics ?? [], context)
  if (context.apiVersion >= 8) {
    const groups = request.groups.map(({ groupId, topics }) => ({
      groupId,
      ...fetchOne(groupId, topics, context),
    }))
    return { groups }
  }
  return fetchOne(request.groupId, request.topics, context)
})

function fetchOne(groupId: string, wanted: Wanted | null, context: RequestContext) {
  const found = context.parts.groups.commits.committed(groupId)
  if ('error' in found) {
    // Up to version 1 there is no other place for it than each partition.
    const topics = context.apiVersion < 2 ? rowsOf(wanted ?? [], () => row(-1, found.error)) : []
    return { errorCode: found.error, topics }
  }
  const asked =
    wanted ??
    [...found.offsets].map(([name, partitions]) => ({
      name,
      partitionIndexes: [...partitions.keys()],
    }))
  const topics = rowsOf(asked, (topic, partition) =>
    committedRow(found.offsets.get(topic)?.get(partition)),
  )
  return { errorCode: Errors.NONE, topics }
}

async function fetchOld(groupId: string, wanted: Wanted, context: RequestContext) {
  const topics = await Promise.all(
    wanted.map(async ({ name, partitionIndexes }) => ({
      name,
      partitions: await Promise.all(
        partitionIndexes.map(async (partitionIndex) => ({
          partitionIndex,
          ...(await oldRow(groupId, name, partitionIndex, context)),
        })),
      ),
    })),
  )
  return { errorCode: Errors.NONE, topics }
}

async function oldRow(groupId: string, topic: string, partition: number, context: RequestContext) {
  const { metadata, oldOffsets, logger } = context.parts
  if (!metadata.hasPartition(topic, partition) || !oldOffsets.isPossible(groupId))
    return row(-1, Errors.UNKNOWN_TOPIC_OR_PARTITION)
  try {
    const offset = await oldOffsets.committed(groupId, topic, partition)
    if (offset === undefined) return row(-1, Errors.UNKNOWN_TOPIC_OR_PARTITION)
    return row(offset, Errors.NONE)
  } catch (error) {
    logger.warn(`Could not read an offset of group ${groupId} from ZooKeeper`, error)
    return row(-1, Errors.UNKNOWN_SERVER_ERROR)
  }
}

type Row = ReturnType<typeof row>

function rowsOf(wanted: Wanted, rowOf: (topic: string, partition: number) => Row) {
  return wanted.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => ({
      partitionIndex,
      ...rowOf(name, partitionIndex),
    })),
  }))
}

function committedRow(committed: CommittedOffset | undefined): Row {
  if (committed === undefined) return row(-1, Errors.NONE)
  const { offset, leaderEpoch, metadata } = committed
  return row(offset, Errors.NONE, { leaderEpoch, metadata })
}

function row(
  committedOffset: number,
  errorCode: number,
  { leaderEpoch, metadata } = { leaderEpoch: -1, metadata: '' },
) {
  return { committedOffset, committedLeaderEpoch: leaderEpoch, metadata, errorCode }
}
