// Pure.
// The range assignor: of each topic, members in order get consecutive partitions; the first ones
// get one more where it does not divide evenly. Where racks matter (KIP-881), partitions go to
// members near to their replicas first, as far as the even shares allow, and topics with the same
// partition count and members stay partitioned alike.
import type { TopicPartition } from '../../types.ts'
import {
  type AssignorMember,
  type AssignorTopics,
  compareMembers,
  comparePartitions,
  emptyAssignment,
  wantedTopics,
} from './assignor.ts'
import { memberRacks, partitionRacks, racksMatter } from './racks.ts'

/** One topic while its partitions are given out. */
interface Share {
  readonly topic: string
  /** In order. */
  readonly memberIds: readonly string[]
  readonly free: Set<number>
  /** By partition; empty where none of the members has a rack. */
  readonly racks: readonly ReadonlySet<string>[]
  readonly racksMatter: boolean
  readonly evenCount: number
  /** Members that may still get one more than evenCount. */
  larger: number
  readonly given: Map<string, number>
}

export function assignRange(
  members: readonly AssignorMember[],
  topics: AssignorTopics,
): Map<string, TopicPartition[]> {
  const assignment = emptyAssignment(members)
  const racks = memberRacks(members)
  const subscribers = subscribersOf(members)
  const shares = wantedTopics(members, topics).map((topic) => {
    return shareOf(topic, subscribers.get(topic) ?? [], topics, racks)
  })
  const give = (share: Share, memberId: string, partition: number): void => {
    const given = (share.given.get(memberId) ?? 0) + 1
    share.given.set(memberId, given)
    if (given > share.evenCount) share.larger -= 1
    share.free.delete(partition)
    assignment.get(memberId)?.push({ topic: share.topic, partition })
  }
  const byRack = shares.some((share) => share.racksMatter)
  if (byRack) {
    const isNear = (share: Share, memberId: string, partition: number): boolean => {
      const rack = racks.get(memberId)
      return rack === undefined || share.racks[partition]?.has(rack) === true
    }
    for (const alike of partitionedAlike(shares, racks)) {
      const [only] = alike
      if (alike.length > 1) giveTogether(alike, isNear, give)
      else if (only?.racksMatter === true) giveRanges(only, isNear, give)
    }
  }
  for (const share of shares) giveRanges(share, () => true, give)
  if (byRack) for (const partitions of assignment.values()) partitions.sort(comparePartitions)
  return assignment
}

type IsNear = (share: Share, memberId: string, partition: number) => boolean
type Give = (share: Share, memberId: string, partition: number) => void

function subscribersOf(members: readonly AssignorMember[]): Map<string, AssignorMember[]> {
  const byTopic = new Map<string, AssignorMember[]>()
  for (const member of [...members].sort(compareMembers)) {
    for (const topic of new Set(member.topics)) {
      const subscribers = byTopic.get(topic)
      if (subscribers === undefined) byTopic.set(topic, [member])
      else subscribers.push(member)
    }
  }
  return byTopic
}

function shareOf(
  topic: string,
  members: readonly AssignorMember[],
  topics: AssignorTopics,
  racksByMember: ReadonlyMap<string, string>,
): Share {
  const memberIds = members.map(({ memberId }) => memberId)
  const count = topics.get(topic)?.partitionCount ?? 0
  const near = memberIds.flatMap((memberId) => racksByMember.get(memberId) ?? [])
  const racks = near.length === 0 ? [] : partitionRacks(topics, topic)
  return {
    topic,
    memberIds,
    free: new Set(Array.from({ length: count }, (_, partition) => partition)),
    racks,
    racksMatter: racksMatter(near, racks),
    evenCount: Math.floor(count / memberIds.length),
    larger: count % memberIds.length,
    given: new Map(),
  }
}

function room(share: Share, memberId: string): number {
  const most = share.evenCount + (share.larger > 0 ? 1 : 0)
  return Math.max(0, most - (share.given.get(memberId) ?? 0))
}

/** Each member in order: as many of the free partitions as it has room for. */
function giveRanges(share: Share, mayGive: IsNear, give: Give): void {
  for (const memberId of share.memberIds) {
    let left = room(share, memberId)
    for (const partition of share.free) {
      if (left === 0) break
      if (!mayGive(share, memberId, partition)) continue
      give(share, memberId, partition)
      left -= 1
    }
  }
}

/** One number of all topics to the first member that is near to every one of them. */
function giveTogether(shares: readonly Share[], isNear: IsNear, give: Give): void {
  const [first] = shares
  if (first === undefined) return
  const open = new Set(first.memberIds)
  for (let partition = 0; partition < first.racks.length && open.size > 0; partition++) {
    for (const memberId of open) {
      const fits = shares.every((share) => {
        return isNear(share, memberId, partition) && room(share, memberId) > 0
      })
      if (!fits) continue
      for (const share of shares) give(share, memberId, partition)
      if (shares.every((share) => room(share, memberId) === 0)) open.delete(memberId)
      break
    }
  }
}

/** Topics with the same members and partition count, together. */
function partitionedAlike(
  shares: readonly Share[],
  racks: ReadonlyMap<string, string>,
): Iterable<Share[]> {
  const groups = new Map<string, Share[]>()
  for (const share of shares) {
    const members = share.memberIds.map((memberId) => [memberId, racks.get(memberId) ?? null])
    const key = JSON.stringify([share.racks.length, members])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [share])
    else group.push(share)
  }
  return groups.values()
}
