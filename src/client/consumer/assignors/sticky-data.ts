// Pure.
// What members of sticky groups tell the leader's assignor in their user data: the assignment they
// had and its generation (sticky), the generation alone (cooperative-sticky).
import { WireError } from '../../../wire/errors.ts'
import { Reader } from '../../../wire/reader.ts'
import { Writer } from '../../../wire/writer.ts'
import type { TopicPartition } from '../../types.ts'
import { type AssignorMember, javaHashOrder, type LastAssignment } from './assignor.ts'

/** What a member says it had; generation undefined where it says nothing of it. */
export interface Claim {
  readonly partitions: readonly TopicPartition[]
  readonly generation: number | undefined
}

const noGeneration = -1

/** array of { string topic, array of int32 }, int32 generation: Java's version 1. */
export function encodeStickyData(last: LastAssignment | undefined): Buffer | null {
  if (last === undefined) return null
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of last.partitions) {
    const known = byTopic.get(topic)
    if (known === undefined) byTopic.set(topic, [partition])
    else known.push(partition)
  }
  const writer = new Writer()
  writer.int32(byTopic.size)
  for (const topic of javaHashOrder([...byTopic.keys()])) {
    const partitions = byTopic.get(topic) ?? []
    writer.shortString(topic)
    writer.int32(partitions.length)
    for (const partition of partitions) writer.int32(partition)
  }
  writer.int32(last.generationId)
  return writer.bytes()
}

/** Sticky members join without partitions, so only the user data tells what they had. */
export function stickyClaim({ userData }: AssignorMember): Claim {
  if (userData === undefined || userData === null || userData.length === 0) {
    return { partitions: [], generation: undefined }
  }
  try {
    const reader = new Reader(userData)
    const partitions = readPartitions(reader)
    // Version 0 ends here.
    const generation = reader.remaining >= 4 ? reader.int32() : undefined
    return { partitions, generation }
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    return { partitions: [], generation: noGeneration }
  }
}

function readPartitions(reader: Reader): TopicPartition[] {
  const partitions: TopicPartition[] = []
  for (let topics = reader.int32(); topics > 0; topics--) {
    const topic = reader.shortString()
    if (topic === null) throw new WireError('a topic without a name', reader.position)
    for (let count = reader.int32(); count > 0; count--) {
      partitions.push({ topic, partition: reader.int32() })
    }
  }
  return partitions
}

export function encodeCooperativeData(last: LastAssignment | undefined): Buffer {
  const data = Buffer.alloc(4)
  data.writeInt32BE(last?.generationId ?? noGeneration)
  return data
}

/** Newer members say both in the subscription itself. */
export function cooperativeClaim(member: AssignorMember): Claim {
  const partitions = member.ownedPartitions ?? []
  const { generationId = noGeneration, userData = null } = member
  if (generationId >= 0) return { partitions, generation: generationId }
  if (userData === null) return { partitions, generation: undefined }
  const generation = userData.length >= 4 ? userData.readInt32BE(0) : noGeneration
  return { partitions, generation }
}
