import { Errors } from '../../kafka/errors.ts'
import { OffsetCommit } from '../../kafka/messages/offset-commit.ts'
import type { RequestOf } from '../../wire/schema.ts'
import { handler, type RequestContext } from '../handler.ts'

type Request = RequestOf<typeof OffsetCommit>
type Wanted = Request['topics'][number]['partitions'][number]

/** OffsetCommit (key 8): into __consumer_offsets, and in version 0 into ZooKeeper (kafka.md F21). */
export const offsetCommit = handler(OffsetCommit, [0, 9], async (request, context) => {
  const asked = request.topics.flatMap(({ name, partitions }) =>
    partitions.map((wanted) => ({ topic: name, wanted })),
  )
  const errors = asked.map(({ topic, wanted }) => problemOf(topic, wanted, context))
  const places = errors.flatMap((error, at) => (error === Errors.NONE ? [at] : []))
  const accepted = places.flatMap((at) => asked[at] ?? [])
  const outcomes =
    context.apiVersion === 0
      ? await commitOld(request, accepted, context)
      : await commit(request, accepted, context)
  for (const [index, at] of places.entries())
    errors[at] = outcomes[index] ?? Errors.UNKNOWN_SERVER_ERROR
  let at = 0
  return {
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => {
        const errorCode = errors[at] ?? Errors.UNKNOWN_SERVER_ERROR
        at += 1
        return { partitionIndex, errorCode }
      }),
    })),
  }
})

/** Times beyond 2^53 milliseconds are for ever, or have always been. */
function narrowed(time: number | bigint): number {
  if (typeof time === 'number') return time
  return time > 0n ? Number.MAX_SAFE_INTEGER : 0
}

interface Asked {
  readonly topic: string
  readonly wanted: Wanted
}

function problemOf(topic: string, wanted: Wanted, context: RequestContext): number {
  if (!context.parts.metadata.hasPartition(topic, wanted.partitionIndex))
    return Errors.UNKNOWN_TOPIC_OR_PARTITION
  // Beyond 2^53, where no offset of a log is.
  return typeof wanted.committedOffset === 'number' ? Errors.NONE : Errors.OFFSET_OUT_OF_RANGE
}

function commit(
  request: Request,
  asked: readonly Asked[],
  context: RequestContext,
): Promise<number[]> {
  return context.parts.groups.commits.commit({
    groupId: request.groupId,
    memberId: request.memberId,
    generation: request.generationIdOrMemberEpoch,
    instanceId: request.groupInstanceId,
    retentionMs: narrowed(request.retentionTimeMs),
    offsets: asked.map(({ topic, wanted }) => ({
      topic,
      partition: wanted.partitionIndex,
      offset: Number(wanted.committedOffset),
      leaderEpoch: wanted.committedLeaderEpoch,
      metadata: wanted.committedMetadata,
      commitTimestampMs: narrowed(wanted.commitTimestamp),
    })),
  })
}

function commitOld(
  { groupId }: Request,
  asked: readonly Asked[],
  context: RequestContext,
): Promise<number[]> {
  const { oldOffsets, settings, logger } = context.parts
  return Promise.all(
    asked.map(async ({ topic, wanted }): Promise<number> => {
      if (!oldOffsets.isPossible(groupId)) return Errors.INVALID_GROUP_ID
      if ((wanted.committedMetadata ?? '').length > settings.groups.metadataBytesMax)
        return Errors.OFFSET_METADATA_TOO_LARGE
      const { partitionIndex, committedOffset } = wanted
      try {
        await oldOffsets.commit(groupId, topic, partitionIndex, Number(committedOffset))
        return Errors.NONE
      } catch (error) {
        logger.warn(`Could not write an offset of group ${groupId} to ZooKeeper`, error)
        return Errors.UNKNOWN_SERVER_ERROR
      }
    }),
  )
}
