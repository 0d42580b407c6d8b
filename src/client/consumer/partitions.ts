// Pure.
// The partitions a consumer reads: where it stands in each, what it may commit, what must be found
// out.
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
  /** Monotonic milliseconds before which it is not fetched again. */
  notBeforeMs: number
  /** The broker was asked and has not answered yet. */
  asked: boolean
}

export type PositionNeed = 'nothing' | 'committed' | 'earliest' | 'latest' | 'policy'

export class PartitionTable {
  readonly #partitions = new Map<string, ConsumedPartition>()

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
      this.#partitions.set(
        key,
        before.get(key) ?? newPartition({ topic, partition }, need, fetchBytes),
      )
    }
  }

  clear(): void {
    this.#partitions.clear()
  }
}

/** Reading goes on at `offset`. What is buffered or under way is void. */
export function jumpTo(state: ConsumedPartition, offset: number, epoch = -1): void {
  state.position = offset
  state.positionEpoch = epoch
  state.fetchOffset = offset
  state.need = 'nothing'
  state.jumps += 1
}

/** Reading goes on where `need` says, once that is found out. */
export function jumpToUnknown(state: ConsumedPartition, need: PositionNeed): void {
  state.position = undefined
  state.need = need
  state.jumps += 1
}

/** What earlier polls returned may be committed now that the application polls again. */
export function confirm(table: PartitionTable): void {
  for (const state of table.values()) state.confirmed = state.position
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
    fetchOffset: 0,
    jumps: 0,
    paused: false,
    confirmed: undefined,
    committed: undefined,
    endOffset: undefined,
    fetchBytes,
    notBeforeMs: 0,
    asked: false,
  }
}

function keyOf(topic: string, partition: number): string {
  return `${partition} ${topic}`
}
