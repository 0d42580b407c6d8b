// Pure.
// What every assignor takes and gives. The leader of a group runs one of them for all members.
import type { TopicPartition } from '../../types.ts'

export interface AssignorMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly topics: readonly string[]
}

/** Topics that do not exist are missing in `partitionCounts` and are left out. */
export type Assign = (
  members: readonly AssignorMember[],
  partitionCounts: ReadonlyMap<string, number>,
) => Map<string, TopicPartition[]>

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

/** Every member with an empty list, in the members' order. */
export function emptyAssignment(members: readonly AssignorMember[]): Map<string, TopicPartition[]> {
  return new Map(members.map((member) => [member.memberId, []]))
}
