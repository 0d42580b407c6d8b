// Pure.
// What was fetched and waits for poll(), in the order of arrival. Chunks of paused partitions are set
// aside, so that others need not be looked for behind them.
import type { FetchedChunk } from './chunk.ts'
import type { ConsumedPartition, PartitionTable } from './partitions.ts'

interface Entry {
  readonly state: ConsumedPartition
  /** The partition's count of jumps when it was asked for: another since, and this is void. */
  readonly jumps: number
  readonly chunk: FetchedChunk
}

export class FetchBuffer {
  readonly #table: PartitionTable
  /** What was set aside and goes on comes before what arrived later. */
  readonly #resumed = new Line()
  readonly #arrived = new Line()
  readonly #held = new Map<ConsumedPartition, Entry[]>()
  #bytes = 0

  constructor(table: PartitionTable) {
    this.#table = table
  }

  get bytes(): number {
    return this.#bytes
  }

  push(state: ConsumedPartition, jumps: number, chunk: FetchedChunk): void {
    this.#bytes += chunk.heldBytes
    state.buffered += 1
    this.#arrived.push({ state, jumps, chunk })
  }

  /** The chunk to read on with; void ones are dropped on the way. */
  next(): { readonly state: ConsumedPartition; readonly chunk: FetchedChunk } | undefined {
    return this.#nextIn(this.#resumed) ?? this.#nextIn(this.#arrived)
  }

  /** The chunk that next() gave is used up. */
  drop(): void {
    const line = this.#resumed.first === undefined ? this.#arrived : this.#resumed
    const entry = line.first
    if (entry === undefined) return
    this.#discard(entry)
    line.shift()
  }

  #nextIn(line: Line): Entry | undefined {
    for (let entry = line.first; entry !== undefined; entry = line.first) {
      if (this.#isVoid(entry)) this.#discard(entry)
      else if (!entry.state.paused) return entry
      else this.#hold(entry)
      line.shift()
    }
    return undefined
  }

  /** Chunks of a partition that goes on again. */
  resume(state: ConsumedPartition): void {
    for (const entry of this.#held.get(state) ?? []) this.#resumed.push(entry)
    this.#held.delete(state)
  }

  /** Drops what was set aside for a partition that jumped or went away. */
  sweep(state: ConsumedPartition): void {
    const held = this.#held.get(state)
    if (held === undefined) return
    const kept = held.filter((entry) => !this.#isVoid(entry))
    for (const entry of held) if (this.#isVoid(entry)) this.#discard(entry)
    if (kept.length === 0) this.#held.delete(state)
    else this.#held.set(state, kept)
  }

  clear(): void {
    this.#resumed.clear()
    this.#arrived.clear()
    this.#held.clear()
    this.#bytes = 0
  }

  #hold(entry: Entry): void {
    const held = this.#held.get(entry.state)
    if (held === undefined) this.#held.set(entry.state, [entry])
    else held.push(entry)
  }

  #discard({ state, chunk }: Entry): void {
    this.#bytes -= chunk.heldBytes
    state.buffered -= 1
    this.#table.touch(state)
  }

  #isVoid({ state, jumps }: Entry): boolean {
    return state.jumps !== jumps || !this.#table.has(state)
  }
}

/** First in, first out, without moving all for each that leaves. */
class Line {
  #entries: Entry[] = []
  #head = 0

  get first(): Entry | undefined {
    return this.#entries[this.#head]
  }

  push(entry: Entry): void {
    this.#entries.push(entry)
  }

  shift(): void {
    this.#head += 1
    if (this.#head * 2 < this.#entries.length) return
    this.#entries = this.#entries.slice(this.#head)
    this.#head = 0
  }

  clear(): void {
    this.#entries = []
    this.#head = 0
  }
}
