// Pure.
// What every assignor takes and gives. The leader of a group runs one of them for all members.
import type { TopicPartition } from '../../types.ts'

export interface AssignorMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly topics: readonly string[]
  /** Where the member runs; null where it did not say (KIP-881). */
  readonly rackId?: string | null
  /** What it holds on to while it joins: cooperative members only (KIP-429). */
  readonly ownedPartitions?: readonly TopicPartition[]
  /** Of the assignment it had last; -1 where it had none or did not say. */
  readonly generationId?: number
  /** Bytes that the assignor's own members exchange. */
  readonly userData?: Buffer | null
}

export interface AssignorTopic {
  readonly partitionCount: number
  /** By partition: racks of its replicas. Undefined where brokers have none. */
  readonly racks?: readonly (readonly string[])[] | undefined
}

/** Topics that do not exist are missing here and are left out. */
export type AssignorTopics = ReadonlyMap<string, AssignorTopic>

export type Assign = (
  members: readonly AssignorMember[],
  topics: AssignorTopics,
) => Map<string, TopicPartition[]>

/** What a member remembers of the last assignment it got. */
export interface LastAssignment {
  readonly partitions: readonly TopicPartition[]
  readonly generationId: number
}

export interface Assignor {
  readonly assign: Assign
  /** cooperative: members keep what they own while they join (KIP-429). */
  readonly cooperative: boolean
  /** What a member tells the leader's assignor; null: nothing. */
  readonly userData: (last: LastAssignment | undefined) => Buffer | null
}

/** Static members first, by instance id; then the others by member id: Java's MemberInfo order. */
export function compareMembers(one: AssignorMember, other: AssignorMember): number {
  if (one.groupInstanceId !== null && other.groupInstanceId !== null) {
    return compareText(one.groupInstanceId, other.groupInstanceId)
  }
  if (one.groupInstanceId !== null) return -1
  if (other.groupInstanceId !== null) return 1
  return compareText(one.memberId, other.memberId)
}

/** By UTF-16 code units, as Java compares strings. */
export function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

/** By topic, then partition. */
export function comparePartitions(one: TopicPartition, other: TopicPartition): number {
  return compareText(one.topic, other.topic) || one.partition - other.partition
}

/** Every member with an empty list, in the members' order. */
export function emptyAssignment(members: readonly AssignorMember[]): Map<string, TopicPartition[]> {
  return new Map(members.map((member) => [member.memberId, []]))
}

/** The topics that members want and that exist, in the order Java's assignors see them. */
export function wantedTopics(members: readonly AssignorMember[], topics: AssignorTopics): string[] {
  const wanted = new Set(inJavaOrder(members).flatMap((member) => member.topics))
  const existing = javaHashOrder([...wanted]).filter((name) => {
    return (topics.get(name)?.partitionCount ?? 0) > 0
  })
  return javaHashOrder(existing)
}

/** Members as Java's map of them lists them. */
export function inJavaOrder(members: readonly AssignorMember[]): AssignorMember[] {
  const byId = new Map(members.map((member) => [member.memberId, member]))
  return javaHashOrder([...byId.keys()]).flatMap((memberId) => byId.get(memberId) ?? [])
}

/** Java's String.hashCode: a signed 32-bit number. */
export function javaHash(text: string): number {
  let hash = 0
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0
  return hash
}

const smallestTable = 16

/**
 * Texts in the order in which a Java HashMap lists keys put into it in the given order. Java's
 * assignors go by that order here and there, so a group whose leader changes from one
 * implementation to the other keeps its assignment only where both do.
 */
export function javaHashOrder(texts: readonly string[]): string[] {
  const mask = tableSize(texts.length) - 1
  const buckets = texts.map((text) => ({ text, bucket: spread(javaHash(text)) & mask }))
  return buckets.sort((one, other) => one.bucket - other.bucket).map(({ text }) => text)
}

/** Slots of a HashMap that has held so many keys: at most three quarters are taken. */
export function tableSize(keys: number): number {
  let size = smallestTable
  while (keys > size * 0.75) size *= 2
  return size
}

/** What a HashMap makes of a hash code before it cuts off the upper bits. */
export function spread(hash: number): number {
  return hash ^ (hash >>> 16)
}
