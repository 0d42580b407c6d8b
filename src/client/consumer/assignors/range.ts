// Pure.
// The range assignor: of each topic, members in order get consecutive partitions; the first ones
// get one more where it does not divide evenly. Racks are not looked at (KIP-881 comes later).
import type { TopicPartition } from '../../types.ts'
import { type AssignorMember, compareMembers, compareText, emptyAssignment } from './assignor.ts'

export function assignRange(
  members: readonly AssignorMember[],
  partitionCounts: ReadonlyMap<string, number>,
): Map<string, TopicPartition[]> {
  const assignment = emptyAssignment(members)
  const byTopic = new Map<string, AssignorMember[]>()
  for (const member of [...members].sort(compareMembers)) {
    for (const topic of new Set(member.topics)) {
      const subscribers = byTopic.get(topic)
      if (subscribers === undefined) byTopic.set(topic, [member])
      else subscribers.push(member)
    }
  }
  for (const topic of [...byTopic.keys()].sort(compareText)) {
    const count = partitionCounts.get(topic) ?? 0
    const subscribers = byTopic.get(topic) ?? []
    const share = Math.floor(count / subscribers.length)
    const larger = count % subscribers.length
    let next = 0
    for (const [index, member] of subscribers.entries()) {
      const end = next + share + (index < larger ? 1 : 0)
      for (; next < end; next++) assignment.get(member.memberId)?.push({ topic, partition: next })
    }
  }
  return assignment
}
