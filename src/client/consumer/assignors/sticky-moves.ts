// Pure.
// Which partitions went from whom to whom while a sticky assignment is balanced. Where one shall go
// one way and another of the same topic came the other way, that other goes back instead: nothing
// moves in a circle.
import { javaHash, spread, tableSize } from './assignor.ts'
import type { StickyMember, StickyPartition, StickyTopic } from './sticky-state.ts'

interface Move {
  readonly from: StickyMember
  readonly to: StickyMember
}

/** Partitions of one topic that went one way, in the order of Java's set of them. */
interface Flow {
  readonly partitions: Set<StickyPartition>
  largest: number
}

export class StickyMoves {
  readonly #moves = new Map<StickyPartition, Move>()
  readonly #flows = new Map<StickyTopic, Map<StickyMember, Map<StickyMember, Flow>>>()

  /** What is to be moved in the place of `partition`: itself, or one that came the other way. */
  instead(partition: StickyPartition, from: StickyMember, to: StickyMember): StickyPartition {
    const origin = this.#moves.get(partition)?.from ?? from
    const back = this.#flows.get(partition.topic)?.get(to)?.get(origin)
    return back === undefined || back.partitions.size === 0 ? partition : firstOf(back)
  }

  note(partition: StickyPartition, from: StickyMember, to: StickyMember): void {
    const before = this.#moves.get(partition)
    if (before === undefined) {
      this.#add(partition, { from, to })
      return
    }
    this.#moves.delete(partition)
    this.#flowOf(partition, before).partitions.delete(partition)
    if (before.from !== to) this.#add(partition, { from: before.from, to })
  }

  #add(partition: StickyPartition, move: Move): void {
    this.#moves.set(partition, move)
    const flow = this.#flowOf(partition, move)
    // A flow that ran dry is a new one.
    if (flow.partitions.size === 0) flow.largest = 0
    flow.partitions.add(partition)
    flow.largest = Math.max(flow.largest, flow.partitions.size)
  }

  #flowOf({ topic }: StickyPartition, { from, to }: Move): Flow {
    const ofTopic = child(
      this.#flows,
      topic,
      () => new Map<StickyMember, Map<StickyMember, Flow>>(),
    )
    const ofSource = child(ofTopic, from, () => new Map<StickyMember, Flow>())
    return child(ofSource, to, () => ({ partitions: new Set<StickyPartition>(), largest: 0 }))
  }
}

/** The one that Java's HashSet would list first: a table never shrinks. */
function firstOf({ partitions, largest }: Flow): StickyPartition {
  const mask = tableSize(largest) - 1
  let first: StickyPartition | undefined
  let firstBucket = Infinity
  for (const spot of partitions) {
    const bucket = spread(hashOf(spot)) & mask
    if (bucket < firstBucket) {
      first = spot
      firstBucket = bucket
    }
  }
  if (first === undefined) throw new RangeError('nothing went this way')
  return first
}

/** TopicPartition.hashCode. */
function hashOf({ topic, partition }: StickyPartition): number {
  return (Math.imul(31, 31 + partition) + javaHash(topic.name)) | 0
}

function child<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
