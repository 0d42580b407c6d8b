// Pure.
// The sticky assignors where members want different topics. What members hold stays, what is free
// goes to whoever holds least, and then partitions move, one by one, from members that hold more to
// members that hold at least two fewer, until nothing can be gained.
import { compareText } from './assignor.ts'
import { StickyMoves } from './sticky-moves.ts'
import {
  byMemberId,
  isFar,
  type StickyGroup,
  type StickyMember,
  type StickyPartition,
  type StickyTopic,
} from './sticky-state.ts'

/** Leaves the assignment in the members' `held`. */
export function assignMixed(group: StickyGroup): void {
  const balancer = new Balancer(group)
  balancer.dropUnfit()
  balancer.placeFree()
  balancer.balance()
}

class Balancer {
  readonly #group: StickyGroup
  readonly #partitions: StickyPartition[]
  readonly #ranking: Ranking
  readonly #moves = new StickyMoves()
  #free: StickyPartition[] = []
  /** Something was taken from a member already, so stability is not the first aim. */
  #revoked = false
  #fromNothing = false
  #balancedKnown: boolean | undefined

  constructor(group: StickyGroup) {
    this.#group = group
    const topics = [...group.topics].sort(byInterest)
    this.#partitions = topics.flatMap(({ partitions }) => partitions)
    this.#ranking = new Ranking()
  }

  /** What a member does not want any more, or is far from, is free. */
  dropUnfit(): void {
    for (const member of this.#group.members) {
      for (const spot of member.held) {
        if (member.topics.has(spot.topic) && !isFar(member, spot)) continue
        member.held.delete(spot)
        this.#revoked = true
      }
    }
    this.#free = this.#partitions.filter((spot) => spot.owner?.held.has(spot) !== true)
    for (const member of this.#group.members) this.#ranking.add(member)
  }

  placeFree(): void {
    this.#fromNothing = this.#ranking.last()?.held.size === 0
    let rest: readonly StickyPartition[] = this.#free
    if (this.#group.racksMatter) rest = rest.filter((spot) => !this.#place(spot, true))
    for (const spot of rest) this.#place(spot, false)
  }

  balance(): void {
    const movable = (spot: StickyPartition): boolean => spot.topic.subscribers.length >= 2
    for (const member of this.#group.members) {
      if (!canTakePart(member)) this.#ranking.delete(member)
    }
    const before = this.#snapshot()
    const scoreBefore = this.#score()
    if (!this.#revoked) this.#reassign(this.#free.filter(movable))
    const changed = this.#reassign(this.#partitions.filter(movable))
    if (!this.#fromNothing && changed && this.#score() >= scoreBefore) restore(before)
  }

  #place(spot: StickyPartition, nearOnly: boolean): boolean {
    if (spot.topic.subscribers.length === 0) return false
    for (const member of this.#ranking.ascending) {
      if (!member.topics.has(spot.topic) || (nearOnly && isFar(member, spot))) continue
      this.#ranking.change([member], () => {
        member.held.add(spot)
        spot.owner = member
      })
      return true
    }
    return false
  }

  #reassign(partitions: readonly StickyPartition[]): boolean {
    let changed = false
    for (;;) {
      let moved = false
      for (const spot of partitions) {
        if (this.#isBalanced()) break
        if (this.#improve(spot)) moved = true
      }
      if (!moved) return changed
      changed = true
    }
  }

  /** Moves one partition where its owner holds at least two more than another that wants it. */
  #improve(spot: StickyPartition): boolean {
    const { owner, before, topic } = spot
    if (owner === undefined) return false
    const isFuller = (other: StickyMember): boolean => owner.held.size > other.held.size + 1
    if (before !== undefined && this.#ranking.has(before.member) && isFuller(before.member)) {
      this.#move(spot, owner, before.member)
      return true
    }
    if (!topic.subscribers.some(isFuller)) return false
    const least = this.#ranking.ascending.find((member) => member.topics.has(topic))
    if (least !== undefined) this.#move(spot, owner, least)
    return true
  }

  #move(wanted: StickyPartition, from: StickyMember, to: StickyMember): void {
    const spot = this.#moves.instead(wanted, from, to)
    const owner = spot.owner ?? from
    this.#balancedKnown = undefined
    this.#ranking.change([owner, to], () => {
      this.#moves.note(spot, owner, to)
      owner.held.delete(spot)
      to.held.add(spot)
      spot.owner = to
    })
  }

  /** Nobody could get a partition from a member that holds at least two more. */
  #isBalanced(): boolean {
    this.#balancedKnown ??= this.#judge()
    return this.#balancedKnown
  }

  #judge(): boolean {
    const least = this.#ranking.ascending[0]?.held.size ?? 0
    const most = this.#ranking.last()?.held.size ?? 0
    if (least >= most - 1) return true
    const fullestOwner = new Map<StickyTopic, number>()
    for (const topic of this.#group.topics) {
      let size = 0
      for (const { owner } of topic.partitions) size = Math.max(size, owner?.held.size ?? 0)
      fullestOwner.set(topic, size)
    }
    return this.#ranking.ascending.every((member) => {
      for (const topic of member.topics) {
        if (member.held.size + 1 < (fullestOwner.get(topic) ?? 0)) return false
      }
      return true
    })
  }

  /** Sum of the differences of all pairs: lower is better. */
  #score(): number {
    const sizes = this.#ranking.ascending.map(({ held }) => held.size)
    sizes.sort((one, other) => one - other)
    let sum = 0
    let score = 0
    for (const [index, size] of sizes.entries()) {
      score += size * index - sum
      sum += size
    }
    return score
  }

  #snapshot(): Map<StickyMember, StickyPartition[]> {
    return new Map(this.#ranking.ascending.map((member) => [member, [...member.held]]))
  }
}

function restore(before: ReadonlyMap<StickyMember, readonly StickyPartition[]>): void {
  for (const [member, partitions] of before) {
    member.held.clear()
    for (const spot of partitions) {
      member.held.add(spot)
      spot.owner = member
    }
  }
}

/** Topics that fewer members want come first. */
function byInterest(one: StickyTopic, other: StickyTopic): number {
  return one.subscribers.length - other.subscribers.length || compareText(one.name, other.name)
}

/** It has not all it could have, or something that another could have. */
function canTakePart(member: StickyMember): boolean {
  let most = 0
  for (const { partitions } of member.topics) most += partitions.length
  if (member.held.size < most) return true
  for (const { topic } of member.held) if (topic.subscribers.length >= 2) return true
  return false
}

/** Members by how much they hold, then by id. */
class Ranking {
  readonly ascending: StickyMember[] = []
  readonly #in = new Set<StickyMember>()

  last(): StickyMember | undefined {
    return this.ascending[this.ascending.length - 1]
  }

  has(member: StickyMember): boolean {
    return this.#in.has(member)
  }

  add(member: StickyMember): void {
    this.#in.add(member)
    this.ascending.splice(this.#placeOf(member), 0, member)
  }

  delete(member: StickyMember): void {
    this.#in.delete(member)
    this.ascending.splice(this.#placeOf(member), 1)
  }

  /** Takes the members out while what they hold changes. */
  change(members: readonly StickyMember[], action: () => void): void {
    for (const member of members) this.delete(member)
    action()
    for (const member of members) this.add(member)
  }

  /** Index of the first that does not come before it. */
  #placeOf(member: StickyMember): number {
    let low = 0
    let high = this.ascending.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = this.ascending[middle]
      if (other !== undefined && byRank(other, member) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

function byRank(one: StickyMember, other: StickyMember): number {
  return one.held.size - other.held.size || byMemberId(one, other)
}
