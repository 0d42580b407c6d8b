import { Errors } from '../../kafka/errors.ts'
import { OffsetDelete } from '../../kafka/messages/offset-delete.ts'
import { handler } from '../handler.ts'

/** OffsetDelete (key 47, KIP-496): committed offsets of topics that the group does not read any more. */
export const offsetDelete = handler(OffsetDelete, [0, 0], async (request, context) => {
  const { metadata, groups } = context.parts
  const wanted = request.topics.flatMap(({ name: topic, partitions }) =>
    partitions.map(({ partitionIndex: partition }) => ({ topic, partition })),
  )
  const there = wanted.filter(({ topic, partition }) => metadata.hasPartition(topic, partition))
  const result = await groups.removals.deleteOffsets(request.groupId, there)
  if ('error' in result) return { errorCode: result.error, topics: [] }
  const errorOf = new Map(there.map((one, index) => [keyOf(one), result.errors[index]]))
  const topics = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => {
      const error = errorOf.get(keyOf({ topic: name, partition: partitionIndex }))
      return { partitionIndex, errorCode: error ?? Errors.UNKNOWN_TOPIC_OR_PARTITION }
    }),
  }))
  return { errorCode: Errors.NONE, topics }
})

function keyOf({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic} ${partition}`
}
