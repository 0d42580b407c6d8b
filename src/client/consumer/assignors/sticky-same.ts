// Pure.
// The sticky assignors where all members want the same topics: shares differ by one at most, and
// members keep of what they have as much as their share allows.
import { compareText } from './assignor.ts'
import {
  byMemberId,
  isFar,
  type StickyGroup,
  type StickyMember,
  type StickyPartition,
} from './sticky-state.ts'

export interface SameResult {
  readonly assignment: Map<StickyMember, StickyPartition[]>
  /** Partitions that another member may still hold, and who shall get them. */
  readonly moved: Map<StickyPartition, StickyMember>
}

export function assignSame(group: StickyGroup): SameResult {
  const dealer = new Dealer(group)
  dealer.keepHeld()
  const free = dealer.free()
  const rest = group.racksMatter ? dealer.dealNear(free) : free
  dealer.deal(rest)
  return { assignment: dealer.assignment, moved: dealer.moved }
}

class Dealer {
  readonly assignment = new Map<StickyMember, StickyPartition[]>()
  readonly moved = new Map<StickyPartition, StickyMember>()
  readonly #group: StickyGroup
  /** The even share; so many members get one more. */
  readonly #least: number
  readonly #most: number
  #largerLeft: number
  /** Members below the even share, and those at it that may still get one more. */
  #below: StickyMember[] = []
  #atLeast: StickyMember[] = []
  readonly #kept = new Set<StickyPartition>()
  /** Held before by these, but not kept. */
  readonly #given = new Map<StickyPartition, StickyMember>()

  constructor(group: StickyGroup) {
    this.#group = group
    const total = group.topics.reduce((sum, { partitions }) => sum + partitions.length, 0)
    this.#least = Math.floor(total / group.members.length)
    this.#most = Math.ceil(total / group.members.length)
    this.#largerLeft = total % group.members.length
    for (const member of group.members) this.assignment.set(member, [])
  }

  keepHeld(): void {
    for (const member of this.#group.members) {
      const near: StickyPartition[] = []
      for (const spot of member.held) {
        if (isFar(member, spot)) this.#given.set(spot, member)
        else if (!spot.disputed) near.push(spot)
      }
      near.sort(byNumber)
      const larger = near.length >= this.#most && this.#largerLeft > 0
      const count = Math.min(near.length, larger ? this.#most : this.#least)
      for (const spot of near.splice(0, count)) {
        this.assignment.get(member)?.push(spot)
        this.#kept.add(spot)
      }
      for (const spot of near) this.#given.set(spot, member)
      if (larger) this.#useLarger()
      else if (count < this.#least) this.#below.push(member)
      else if (this.#largerLeft > 0) this.#atLeast.push(member)
    }
    this.#below.sort(byMemberId)
    this.#atLeast.sort(byMemberId)
  }

  /** What nobody keeps, by topic and number; where members have racks, the hardest to place first. */
  free(): StickyPartition[] {
    const topics = [...this.#group.topics].sort((one, other) => compareText(one.name, other.name))
    const free = topics.flatMap(({ partitions }) =>
      partitions.filter((spot) => !this.#kept.has(spot)),
    )
    if (!this.#group.racksMatter) return free
    const ranked = free.map((spot) => ({ spot, rank: this.#group.neighbours(spot) }))
    return ranked.sort((one, other) => one.rank - other.rank).map(({ spot }) => spot)
  }

  /** Deals to members near the replicas, in turn, within the shares; returns what is left. */
  dealNear(free: readonly StickyPartition[]): StickyPartition[] {
    let turn = 0
    return free.filter((spot) => {
      const next = nextNear(this.#below, spot, turn)
      const member = this.#below[next]
      if (member !== undefined) {
        const count = this.#give(spot, member)
        if (count >= this.#least) {
          this.#below.splice(next, 1)
          turn = next
          if (count < this.#most && this.#largerLeft > 0) this.#atLeast.push(member)
        } else turn = next + 1
        turn = this.#below.length === 0 ? 0 : turn % this.#below.length
        return false
      }
      const at = nextNear(this.#atLeast, spot, 0)
      const larger = this.#atLeast[at]
      if (larger === undefined) return true
      if (this.#give(spot, larger) === this.#most) {
        this.#atLeast.splice(at, 1)
        this.#useLarger()
      }
      return false
    })
  }

  /** Deals in turn to members below the even share, then one more to those that may have it. */
  deal(free: readonly StickyPartition[]): void {
    let turn = 0
    let extra = 0
    for (const spot of free) {
      if (turn >= this.#below.length) turn = 0
      const member = this.#below[turn]
      if (member !== undefined) {
        const count = this.#give(spot, member)
        if (count === this.#least) {
          this.#below.splice(turn, 1)
          this.#atLeast.push(member)
        } else turn += 1
        continue
      }
      const larger = this.#atLeast[extra++]
      if (larger !== undefined) this.#give(spot, larger)
    }
  }

  #give(spot: StickyPartition, member: StickyMember): number {
    const had = this.#given.get(spot)
    if (spot.disputed || (had !== undefined && had !== member)) this.moved.set(spot, member)
    return this.assignment.get(member)?.push(spot) ?? 0
  }

  /** The last member to get one more: those at the even share are complete then. */
  #useLarger(): void {
    this.#largerLeft -= 1
    if (this.#largerLeft === 0) this.#atLeast = []
  }
}

function byNumber(one: StickyPartition, other: StickyPartition): number {
  return one.partition - other.partition || compareText(one.topic.name, other.topic.name)
}

/** The first member from `start` on, round the list, in a rack of the partition; -1 for none. */
function nextNear(
  members: readonly StickyMember[],
  { racks }: StickyPartition,
  start: number,
): number {
  for (let step = 0; step < members.length && racks.size > 0; step++) {
    const at = (start + step) % members.length
    const rack = members[at]?.rack
    if (rack !== undefined && racks.has(rack)) return at
  }
  return -1
}
