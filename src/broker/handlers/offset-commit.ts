import { OffsetCommit } from '../../kafka/messages/offset-commit.ts'
import { Errors } from '../../kafka/errors.ts'
import { handler } from '../handler.ts'

/** OffsetCommit (key 8) into __consumer_offsets; version 0, which goes to ZooKeeper, is not built. */
export const offsetCommit = handler(OffsetCommit, [1, 9], async (request, context) => {
  const { memberId, generationIdOrMemberEpoch: generation, groupInstanceId } = request
  const identity = { memberId, generation, instanceId: groupInstanceId }
  const offsets = request.topics.flatMap(({ name, partitions }) =>
    partitions.map((one) => ({
      topic: name,
      partition: one.partitionIndex,
      offset: Number(one.committedOffset),
      leaderEpoch: one.committedLeaderEpoch,
      metadata: one.committedMetadata,
    })),
  )
  const isKnown = offsets.map(
    ({ topic, partition }) =>
      context.parts.metadata.topic(topic)?.partitions[partition] !== undefined,
  )
  const known = offsets.filter((_, at) => isKnown[at])
  const errors = await context.parts.groups.commit(request.groupId, identity, known)
  let at = 0
  let knownAt = 0
  const next = (): number => {
    const isThere = isKnown[at++] === true
    if (!isThere) return Errors.UNKNOWN_TOPIC_OR_PARTITION
    return errors[knownAt++] ?? Errors.UNKNOWN_SERVER_ERROR
  }
  return {
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: next() })),
    })),
  }
})
