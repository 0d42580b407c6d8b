// Pure.
/**
 * Where SPEC.md section 1 allows records to be lost: a partition whose every in-sync replica lost data
 * with its machine, or that came to be led by a replica which was not in sync, or by one that had lost
 * data when no other was there of which more could be known (KIP-966 tells of Kafka's same limits).
 */
import {
  type AllowedLoss,
  type Observation,
  type Place,
  placeKey,
  type WrittenState,
} from './observation.ts'

interface Known {
  readonly place: Place
  state: WrittenState
  /** In-sync replicas that lost data and have not left the in-sync set since. */
  readonly tainted: Set<number>
}

export class Promises {
  readonly #partitions = new Map<string, Known>()
  readonly #flushed = new Set<string>()
  /** By broker: the czxid of its registration, where it has one. */
  readonly #registered = new Map<number, bigint>()
  readonly #aliases = new Map<string, Set<string>>()

  /** Takes in what was seen; returns the partitions that may have lost records by it. */
  observe(seen: Observation): AllowedLoss[] {
    if (seen.kind === 'topicCreated') {
      if (seen.flushed) this.#flushed.add(seen.on)
      this.#aliasesOf(seen.on).add(seen.topic)
    }
    if (seen.kind === 'stateRemoved') this.#partitions.delete(placeKey(seen))
    if (seen.kind === 'registered') {
      if (seen.czxid === undefined) this.#registered.delete(seen.broker)
      else this.#registered.set(seen.broker, seen.czxid)
    }
    if (seen.kind === 'powerLost') return this.#lose(seen.host, (on) => !this.#flushed.has(on))
    if (seen.kind === 'diskLost') return this.#lose(seen.host, () => true)
    return seen.kind === 'stateWritten' ? this.#written(seen) : []
  }

  #aliasesOf(topic: string): Set<string> {
    const aliases = this.#aliases.get(topic) ?? new Set()
    this.#aliases.set(topic, aliases)
    return aliases
  }

  #named({ topic, partition }: Place, isSplit: boolean): AllowedLoss[] {
    const names = this.#aliases.get(topic) ?? [topic]
    return [...names].map((name) => ({ topic: name, partition, isSplit }))
  }

  #lose(host: string, isConcerned: (topic: string) => boolean): AllowedLoss[] {
    const id = brokerIn(host)
    const allowed: AllowedLoss[] = []
    if (id === undefined) return allowed
    for (const { place, state, tainted } of this.#partitions.values()) {
      if (!state.isr.includes(id) || !isConcerned(place.topic)) continue
      tainted.add(id)
      if (isLost(state, tainted)) allowed.push(...this.#named(place, false))
    }
    return allowed
  }

  /** Away, or back since: coordination does not tell what it has still got. */
  #isNewSince(broker: number, { mzxid }: WrittenState): boolean {
    return (this.#registered.get(broker) ?? mzxid + 1n) > mzxid
  }

  #written(seen: Extract<Observation, { kind: 'stateWritten' }>): AllowedLoss[] {
    const key = placeKey(seen)
    const known = this.#partitions.get(key)
    if (known === undefined || known.state.czxid !== seen.czxid) {
      this.#partitions.set(key, { place: seen, state: seen, tainted: new Set() })
      return []
    }
    const { state: before, tainted } = known
    known.state = seen
    for (const id of tainted) if (!seen.isr.includes(id)) tainted.delete(id)
    const isElected = seen.leaderEpoch !== before.leaderEpoch && seen.leader >= 0
    const isUnclean = isElected && !before.isr.includes(seen.leader)
    const isBlind =
      isElected &&
      tainted.has(seen.leader) &&
      before.isr.every((id) => this.#isNewSince(id, before))
    const isAllowed = isUnclean || isBlind || isLost(seen, tainted)
    // What it has is what there is from now on.
    if (isElected) tainted.delete(seen.leader)
    return isAllowed ? this.#named(seen, seen.leader !== before.leader) : []
  }
}

function isLost({ isr }: WrittenState, tainted: ReadonlySet<number>): boolean {
  return tainted.size > 0 && isr.every((id) => tainted.has(id))
}

function brokerIn(host: string): number | undefined {
  const match = /^broker-(\d+)$/.exec(host)
  return match === null ? undefined : Number(match[1])
}
