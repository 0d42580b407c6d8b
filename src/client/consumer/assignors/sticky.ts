// Pure.
// The two sticky assignors: balanced, and moving as little as possible. The cooperative one takes
// partitions away from their owners first and gives them to others in the rebalance that follows
// (KIP-429), since owners go on reading while they join.
import type { TopicPartition } from '../../types.ts'
import type { AssignorMember, AssignorTopics } from './assignor.ts'
import { type Claim, cooperativeClaim, stickyClaim } from './sticky-data.ts'
import { assignMixed } from './sticky-mixed.ts'
import { assignSame } from './sticky-same.ts'
import { stickyGroup, type StickyMember, type StickyPartition } from './sticky-state.ts'

export function assignSticky(
  members: readonly AssignorMember[],
  topics: AssignorTopics,
): Map<string, TopicPartition[]> {
  return assign(members, topics, { claimOf: stickyClaim, cooperative: false })
}

export function assignCooperativeSticky(
  members: readonly AssignorMember[],
  topics: AssignorTopics,
): Map<string, TopicPartition[]> {
  return assign(members, topics, { claimOf: cooperativeClaim, cooperative: true })
}

interface Variant {
  readonly claimOf: (member: AssignorMember) => Claim
  readonly cooperative: boolean
}

function assign(
  members: readonly AssignorMember[],
  topics: AssignorTopics,
  { claimOf, cooperative }: Variant,
): Map<string, TopicPartition[]> {
  if (members.length === 0) return new Map()
  const group = stickyGroup(members, topics, claimOf)
  const result = new Map<StickyMember, Iterable<StickyPartition>>()
  let held: ReadonlySet<StickyPartition> = new Set()
  if (group.alike) {
    const { assignment, moved } = assignSame(group)
    for (const [member, partitions] of assignment) result.set(member, partitions)
    held = new Set(moved.keys())
  } else {
    assignMixed(group)
    for (const member of group.members) result.set(member, member.held)
    if (cooperative) held = takenFromOthers(members, group.members)
  }
  const answer = new Map<string, TopicPartition[]>()
  for (const [member, partitions] of result) {
    const mine: TopicPartition[] = []
    for (const spot of partitions) {
      if (cooperative && held.has(spot)) continue
      mine.push({ topic: spot.topic.name, partition: spot.partition })
    }
    answer.set(member.memberId, mine)
  }
  return answer
}

/** Given to a member that did not own it, while another that did gets it no more. */
function takenFromOthers(
  members: readonly AssignorMember[],
  ours: readonly StickyMember[],
): Set<StickyPartition> {
  const owners = new Map<string, Set<string>>()
  for (const { memberId, ownedPartitions = [] } of members) {
    for (const { topic, partition } of ownedPartitions) {
      const key = `${partition} ${topic}`
      const known = owners.get(key)
      if (known === undefined) owners.set(key, new Set([memberId]))
      else known.add(memberId)
    }
  }
  const taken = new Set<StickyPartition>()
  for (const { memberId, held } of ours) {
    for (const spot of held) {
      const before = owners.get(`${spot.partition} ${spot.topic.name}`)
      if (before !== undefined && !before.has(memberId)) taken.add(spot)
    }
  }
  return taken
}
