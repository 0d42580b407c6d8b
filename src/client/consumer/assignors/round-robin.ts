// Pure.
// The round-robin assignor: all partitions of all topics in order, dealt to members in order; a
// member that has not subscribed to the topic is passed over.
import type { TopicPartition } from '../../types.ts'
import {
  type AssignorMember,
  type AssignorTopics,
  compareMembers,
  compareText,
  emptyAssignment,
} from './assignor.ts'

export function assignRoundRobin(
  members: readonly AssignorMember[],
  topics: AssignorTopics,
): Map<string, TopicPartition[]> {
  const assignment = emptyAssignment(members)
  const circle = [...members]
    .sort(compareMembers)
    .map((member) => ({ member, topics: new Set(member.topics) }))
  const wanted = new Set(members.flatMap((member) => member.topics))
  let turn = 0
  for (const topic of [...wanted].sort(compareText)) {
    const count = topics.get(topic)?.partitionCount ?? 0
    for (let partition = 0; partition < count; partition++) {
      while (circle[turn]?.topics.has(topic) !== true) turn = (turn + 1) % circle.length
      const memberId = circle[turn]?.member.memberId ?? ''
      assignment.get(memberId)?.push({ topic, partition })
      turn = (turn + 1) % circle.length
    }
  }
  return assignment
}
