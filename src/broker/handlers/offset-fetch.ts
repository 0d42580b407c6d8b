import { Errors } from '../../kafka/errors.ts'
import { OffsetFetch } from '../../kafka/messages/offset-fetch.ts'
import { handler, type RequestContext } from '../handler.ts'
import type { CommittedOffset } from '../groups/offsets.ts'

type Wanted = readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[]

/**
 * OffsetFetch (key 9) from __consumer_offsets; version 0, which reads ZooKeeper, is not built. Null for
 * the topics asks for all that was committed (version 2 and above).
 */
export const offsetFetch = handler(OffsetFetch, [1, 9], (request, context) => {
  if (context.apiVersion >= 8) {
    const groups = request.groups.map(({ groupId, topics }) => {
      const { errorCode, topics: rows } = fetchOne(groupId, topics, context)
      return { groupId, errorCode, topics: rows }
    })
    return { groups }
  }
  return fetchOne(request.groupId, request.topics, context)
})

function fetchOne(groupId: string, wanted: Wanted | null, context: RequestContext) {
  const found = context.parts.groups.committed(groupId)
  if ('error' in found) {
    const topics = (wanted ?? []).map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((index) => row(index, undefined, found.error)),
    }))
    return { errorCode: found.error, topics }
  }
  const asked =
    wanted ??
    [...found.offsets].map(([name, partitions]) => ({
      name,
      partitionIndexes: [...partitions.keys()],
    }))
  const topics = asked.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((index) =>
      row(index, found.offsets.get(name)?.get(index), Errors.NONE),
    ),
  }))
  return { errorCode: Errors.NONE, topics }
}

function row(partitionIndex: number, committed: CommittedOffset | undefined, errorCode: number) {
  return {
    partitionIndex,
    committedOffset: committed?.offset ?? -1,
    committedLeaderEpoch: committed?.leaderEpoch ?? -1,
    metadata: committed?.metadata ?? '',
    errorCode,
  }
}
