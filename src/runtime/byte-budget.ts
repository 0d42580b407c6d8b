/**
 * A number of bytes shared by many connections: what half-received requests may hold in memory. As in
 * Kafka's memory pool (queued.max.request.bytes), whoever asks while anything is left gets all it asks
 * for, so that one request larger than the whole budget still passes; the others wait their turn.
 */
export class ByteBudget {
  readonly limitBytes: number
  #usedBytes = 0
  readonly #waiting = new Set<() => void>()

  /** @param limitBytes Infinity for no limit. */
  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  tryTake(bytes: number): boolean {
    if (this.#usedBytes >= this.limitBytes) return false
    this.#usedBytes += bytes
    return true
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes
    for (const waiter of this.#waiting) {
      if (this.#usedBytes >= this.limitBytes) return
      this.#waiting.delete(waiter)
      waiter()
    }
  }

  /** Runs `waiter` once, in the order of asking, when there is something left to take. */
  wait(waiter: () => void): void {
    this.#waiting.add(waiter)
  }

  stopWaiting(waiter: () => void): void {
    this.#waiting.delete(waiter)
  }
}
