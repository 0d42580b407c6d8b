// Pure.
// The partitions a consumer reads: where it stands in each, what it may commit, what must be found
// out. Remembers which of them changed, so that what a poll costs grows with what happened and not
// with how many partitions there are.
import type { TopicPartition } from '../types.ts'

export interface ConsumedPartition {
  readonly topic: string
  readonly partition: number
  /** Offset of the record poll() gives next; undefined until known. */
  position: number | undefined
  /** Leader epoch of the last record given, -1 where unknown. */
  positionEpoch: number
  /** What must be found out before reading can begin. */
  need: PositionNeed
  /** It is being found out. */
  finding: boolean
  /** Offset of the next fetch: position plus what is buffered. */
  fetchOffset: number
  /** Goes up with every jump, so that answers to fetches from before are dropped. */
  jumps: number
  paused: boolean
  /** Position when the present poll() began: all before was returned by earlier polls. */
  confirmed: number | undefined
  /** Last committed by us, so that nothing is committed twice. */
  committed: number | undefined
  /** End of what may be read, as last seen. */
  endOffset: number | undefined
  /** Fetch size; grows where a broker before 0.10.1 has a record that does not fit. */
  fetchBytes: number
  /** Monotonic milliseconds before which nothing is asked about it again. */
  notBeforeMs: number
  /** Chunks that wait for poll(). */
  buffered: number
  /** Of the leader it was last placed with; -1 where unknown. */
  leaderEpoch: number
  /** The leader sent us to this follower (KIP-392), for so long. */
  follower: { readonly nodeId: number; readonly untilMs: number } | undefined
}

/** validate: the leader changed; it may have less than we have read (KIP-320). */
export type PositionNeed = 'nothing' | 'committed' | 'earliest' | 'latest' | 'policy' | 'validate'

export class PartitionTable {
  readonly #partitions = new Map<string, ConsumedPartition>()
  /** Something about them changed that fetching must know. */
  readonly #changed = new Set<ConsumedPartition>()
  readonly #needy = new Set<ConsumedPartition>()
  /** Given records since the last poll() began. */
  readonly #moved = new Set<ConsumedPartition>()
  /** Confirmed and not committed. */
  readonly #uncommitted = new Set<ConsumedPartition>()

  get size(): number {
    return this.#partitions.size
  }

  values(): IterableIterator<ConsumedPartition> {
    return this.#partitions.values()
  }

  get({ topic, partition }: TopicPartition): ConsumedPartition | undefined {
    return this.#partitions.get(keyOf(topic, partition))
  }

  has(state: ConsumedPartition): boolean {
    return this.#partitions.get(keyOf(state.topic, state.partition)) === state
  }

  list(): TopicPartition[] {
    return [...this.#partitions.values()].map(({ topic, partition }) => ({ topic, partition }))
  }

  /** Partitions that stay keep their state; the others are forgotten. */
  assign(partitions: readonly TopicPartition[], need: PositionNeed, fetchBytes: number): void {
    const before = new Map(this.#partitions)
    this.#partitions.clear()
    for (const { topic, partition } of partitions) {
      const key = keyOf(topic, partition)
      const known = before.get(key)
      const state = known ?? newPartition({ topic, partition }, need, fetchBytes)
      this.#partitions.set(key, state)
      if (known === undefined) this.#note(state)
      before.delete(key)
    }
    for (const gone of before.values()) this.#forget(gone)
  }

  clear(): void {
    this.assign([], 'nothing', 0)
  }

  /** Reading goes on at `offset`. What is buffered or under way is void. */
  jumpTo(state: ConsumedPartition, offset: number, epoch = -1): void {
    state.position = offset
    state.positionEpoch = epoch
    state.fetchOffset = offset
    state.need = 'nothing'
    state.notBeforeMs = 0
    state.jumps += 1
    this.#moved.add(state)
    this.#note(state)
  }

  /** The same, but only after the leader said that it has what came before. */
  jumpToUnchecked(state: ConsumedPartition, offset: number, epoch: number): void {
    this.jumpTo(state, offset, epoch)
    if (epoch >= 0) this.check(state)
  }

  /** Reading goes on where `need` says, once that is found out. */
  jumpToUnknown(state: ConsumedPartition, need: PositionNeed): void {
    state.position = undefined
    state.need = need
    state.jumps += 1
    this.#note(state)
  }

  /** The leader must say that it still has what was read before its time. */
  check(state: ConsumedPartition): void {
    state.need = 'validate'
    state.fetchOffset = state.position ?? state.fetchOffset
    state.jumps += 1
    this.#note(state)
  }

  /** The position stands. */
  settle(state: ConsumedPartition): void {
    state.need = 'nothing'
    this.#note(state)
  }

  /** Nothing more is known than before: what there is to find out is another thing. */
  needInstead(state: ConsumedPartition, need: PositionNeed): void {
    state.need = need
    this.#note(state)
  }

  /** poll() gave records up to here. */
  advance(state: ConsumedPartition, position: number, epoch: number): void {
    state.position = position
    state.positionEpoch = epoch
    this.#moved.add(state)
  }

  setPaused(state: ConsumedPartition, paused: boolean): void {
    state.paused = paused
    this.touch(state)
  }

  /** Fetching must look at it. */
  touch(state: ConsumedPartition): void {
    this.#changed.add(state)
  }

  takeChanged(): ConsumedPartition[] {
    const changed = [...this.#changed]
    this.#changed.clear()
    return changed
  }

  needy(): ReadonlySet<ConsumedPartition> {
    return this.#needy
  }

  /** What earlier polls returned may be committed now that the application polls again. */
  confirm(): void {
    for (const state of this.#moved) {
      state.confirmed = state.position
      this.#uncommitted.add(state)
    }
    this.#moved.clear()
  }

  uncommitted(): ReadonlySet<ConsumedPartition> {
    return this.#uncommitted
  }

  noteCommitted(state: ConsumedPartition, offset: number): void {
    state.committed = offset
    if (state.confirmed === offset) this.#uncommitted.delete(state)
  }

  #note(state: ConsumedPartition): void {
    this.#changed.add(state)
    if (state.need === 'nothing' || !this.has(state)) this.#needy.delete(state)
    else this.#needy.add(state)
  }

  #forget(state: ConsumedPartition): void {
    state.jumps += 1
    this.#needy.delete(state)
    this.#moved.delete(state)
    this.#uncommitted.delete(state)
    this.#changed.add(state)
  }
}

function newPartition(
  { topic, partition }: TopicPartition,
  need: PositionNeed,
  fetchBytes: number,
): ConsumedPartition {
  return {
    topic,
    partition,
    position: undefined,
    positionEpoch: -1,
    need,
    finding: false,
    fetchOffset: 0,
    jumps: 0,
    paused: false,
    confirmed: undefined,
    committed: undefined,
    endOffset: undefined,
    fetchBytes,
    notBeforeMs: 0,
    buffered: 0,
    leaderEpoch: -1,
    follower: undefined,
  }
}

function keyOf(topic: string, partition: number): string {
  return `${partition} ${topic}`
}
