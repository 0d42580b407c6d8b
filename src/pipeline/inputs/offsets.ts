// Pure. Which offsets of a partition may be committed: everything in front of the oldest record that
// the outputs have not acknowledged.

export interface PartitionOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

interface Piece {
  /** Offset behind the last record of the piece. */
  readonly next: number
  done: boolean
}

interface Progress {
  readonly topic: string
  readonly partition: number
  pieces: Piece[]
  /** What may be committed; undefined while nothing may be. */
  ready: number | undefined
  committed: number | undefined
}

export class OffsetTracker {
  readonly #partitions = new Map<string, Progress>()

  /** Records up to, not including, `next` were handed on. The returned function says that they are safe. */
  begin(topic: string, partition: number, next: number): () => void {
    const progress = this.#progress(topic, partition)
    const piece: Piece = { next, done: false }
    progress.pieces.push(piece)
    return () => {
      piece.done = true
      let safe = 0
      while (progress.pieces[safe]?.done) {
        progress.ready = progress.pieces[safe]?.next
        safe += 1
      }
      if (safe > 0) progress.pieces.splice(0, safe)
    }
  }

  /** Offsets that are safe and not committed yet. */
  ready(): PartitionOffset[] {
    const offsets: PartitionOffset[] = []
    for (const { topic, partition, ready, committed } of this.#partitions.values()) {
      if (ready !== undefined && ready !== committed)
        offsets.push({ topic, partition, offset: ready })
    }
    return offsets
  }

  committed(offsets: readonly PartitionOffset[]): void {
    for (const { topic, partition, offset } of offsets) {
      const progress = this.#partitions.get(`${topic}/${partition}`)
      if (progress !== undefined) progress.committed = offset
    }
  }

  /** Whether records of any of these partitions are on their way. */
  busy(partitions: readonly { readonly topic: string; readonly partition: number }[]): boolean {
    return partitions.some(
      ({ topic, partition }) =>
        (this.#partitions.get(`${topic}/${partition}`)?.pieces.length ?? 0) > 0,
    )
  }

  /** Partitions that now belong to others: what is still on its way is theirs to commit. */
  forget(partitions: readonly { readonly topic: string; readonly partition: number }[]): void {
    for (const { topic, partition } of partitions) this.#partitions.delete(`${topic}/${partition}`)
  }

  #progress(topic: string, partition: number): Progress {
    const key = `${topic}/${partition}`
    const known = this.#partitions.get(key)
    if (known !== undefined) return known
    const progress: Progress = {
      topic,
      partition,
      pieces: [],
      ready: undefined,
      committed: undefined,
    }
    this.#partitions.set(key, progress)
    return progress
  }
}
