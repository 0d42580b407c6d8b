// Pure.
// The sticky assignors' view of a group: members with what they want and hold, partitions with who
// may have them. Built from the members' claims, of which the newest generation is believed.
import {
  type AssignorMember,
  type AssignorTopics,
  compareText,
  inJavaOrder,
  wantedTopics,
} from './assignor.ts'
import { memberRacks, partitionRacks, racksMatter } from './racks.ts'
import type { Claim } from './sticky-data.ts'

export interface StickyTopic {
  readonly name: string
  readonly partitions: StickyPartition[]
  readonly subscribers: StickyMember[]
}

export interface StickyPartition {
  readonly topic: StickyTopic
  readonly partition: number
  readonly racks: ReadonlySet<string>
  owner: StickyMember | undefined
  /** Two members of one generation claim it: neither keeps it. */
  disputed: boolean
  /** Who had it by an older generation than the newest, and by which. */
  before: { readonly member: StickyMember; readonly generation: number } | undefined
}

export interface StickyMember {
  readonly memberId: string
  readonly topics: ReadonlySet<StickyTopic>
  /** Undefined where racks do not matter. */
  readonly rack: string | undefined
  /** In the order it got them. */
  readonly held: Set<StickyPartition>
}

export interface StickyGroup {
  /** In the order of Java's map of them. */
  readonly members: readonly StickyMember[]
  readonly topics: readonly StickyTopic[]
  /** All members want the same topics. */
  readonly alike: boolean
  readonly racksMatter: boolean
  /** How many members are in a rack of the partition's replicas. */
  readonly neighbours: (partition: StickyPartition) => number
}

const noGeneration = -1

export function stickyGroup(
  members: readonly AssignorMember[],
  topics: AssignorTopics,
  claimOf: (member: AssignorMember) => Claim,
): StickyGroup {
  const allTopics = new Map<string, StickyTopic>()
  for (const name of wantedTopics(members, topics)) {
    const topic: StickyTopic = { name, partitions: [], subscribers: [] }
    for (const [partition, racks] of partitionRacks(topics, name).entries()) {
      const fresh = { owner: undefined, disputed: false, before: undefined }
      topic.partitions.push({ topic, partition, racks, ...fresh })
    }
    allTopics.set(name, topic)
  }
  const partitions = [...allTopics.values()].flatMap((topic) => topic.partitions)
  const racks = memberRacks(members)
  const byRack = racksMatter(
    racks.values(),
    partitions.map((partition) => partition.racks),
  )
  const inOrder = inJavaOrder(members)
  const ours = inOrder.map((member): StickyMember => {
    const wanted = new Set(member.topics.flatMap((name) => allTopics.get(name) ?? []))
    const rack = byRack ? racks.get(member.memberId) : undefined
    const mine = {
      memberId: member.memberId,
      topics: wanted,
      rack,
      held: new Set<StickyPartition>(),
    }
    for (const topic of wanted) topic.subscribers.push(mine)
    return mine
  })
  believeClaims(inOrder, ours, allTopics, claimOf)
  return {
    members: ours,
    topics: [...allTopics.values()],
    alike: wantTheSame(inOrder),
    racksMatter: byRack,
    neighbours: neighboursBy(racks),
  }
}

/** Topics that do not exist count too. */
function wantTheSame(members: readonly AssignorMember[]): boolean {
  let first = new Set<string>()
  for (const { topics } of members) {
    if (first.size === 0) first = new Set(topics)
    else if (topics.length !== first.size || !topics.every((name) => first.has(name))) return false
  }
  return true
}

function neighboursBy(racks: ReadonlyMap<string, string>): (partition: StickyPartition) => number {
  const byRack = new Map<string, number>()
  for (const rack of racks.values()) byRack.set(rack, (byRack.get(rack) ?? 0) + 1)
  return (partition) => {
    let count = 0
    for (const rack of partition.racks) count += byRack.get(rack) ?? 0
    return count
  }
}

function believeClaims(
  members: readonly AssignorMember[],
  ours: readonly StickyMember[],
  topics: ReadonlyMap<string, StickyTopic>,
  claimOf: (member: AssignorMember) => Claim,
): void {
  const claims = members.map((member) => claimOf(member))
  const stated = new Map<StickyMember, number>()
  const claimed = new Map<StickyPartition, StickyMember>()
  let newest = noGeneration
  for (const [index, mine] of ours.entries()) {
    const claim = claims[index]
    // The generation of a rival is the one in its subscription, not that of its user data.
    stated.set(mine, members[index]?.generationId ?? noGeneration)
    if (claim === undefined) continue
    const generation = claim.generation ?? noGeneration
    newest = Math.max(newest, generation)
    for (const { topic, partition } of claim.partitions) {
      const spot = topics.get(topic)?.partitions[partition]
      if (spot === undefined) continue
      const rival = claimed.get(spot)
      const theirs = rival === undefined ? -Infinity : (stated.get(rival) ?? noGeneration)
      if (rival !== undefined && generation < theirs) continue
      rival?.held.delete(spot)
      claimed.set(spot, mine)
      if (rival !== undefined && generation === theirs) spot.disputed = true
      else mine.held.add(spot)
    }
  }
  for (const member of ours) for (const spot of member.held) spot.owner = member
  rememberOlder(claims, ours, topics, newest)
}

/** Claims of older generations say where a partition could go back to. */
function rememberOlder(
  claims: readonly Claim[],
  ours: readonly StickyMember[],
  topics: ReadonlyMap<string, StickyTopic>,
  newest: number,
): void {
  for (const [index, member] of ours.entries()) {
    const claim = claims[index]
    const generation = claim?.generation ?? noGeneration
    if (claim === undefined || generation >= newest) continue
    for (const { topic, partition } of claim.partitions) {
      const spot = topics.get(topic)?.partitions[partition]
      if (spot === undefined) continue
      if (spot.before === undefined || generation > spot.before.generation) {
        spot.before = { member, generation }
      }
    }
  }
}

/** Whether the partition's replicas are elsewhere than the member; never where racks are nothing. */
export function isFar(member: StickyMember, partition: StickyPartition): boolean {
  return member.rack !== undefined && !partition.racks.has(member.rack)
}

export function byMemberId(one: StickyMember, other: StickyMember): number {
  return compareText(one.memberId, other.memberId)
}
