// Pure.
// Where the last few batches of the active segment lie, so that consumers at the tail need no look-up.

const capacity = 32

export class RecentBatches {
  private readonly lastOffsets = new Float64Array(capacity)
  private readonly positions = new Float64Array(capacity)
  private next = 0
  private count = 0

  add(lastOffset: number, position: number): void {
    this.lastOffsets[this.next] = lastOffset
    this.positions[this.next] = position
    this.next = (this.next + 1) % capacity
    if (this.count < capacity) this.count += 1
  }

  clear(): void {
    this.count = 0
  }

  /** Position of the first batch that ends at or above `offset`; -1 where that is not known. */
  positionOf(offset: number): number {
    let found = -1
    for (let back = 1; back <= this.count; back++) {
      const at = (this.next - back + capacity) % capacity
      // The oldest known batch is an answer only if the one before it is known to end below.
      if ((this.lastOffsets[at] ?? 0) < offset) return found
      found = this.positions[at] ?? -1
    }
    return -1
  }
}
