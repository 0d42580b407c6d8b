// Something to wait for that may happen many times.
import type { Clock } from '../runtime/clock.ts'

export class Signal {
  readonly #clock: Clock
  #waiters: (() => void)[] = []
  #raised = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Wakes who waits; where nobody does, the next wait() returns at once. */
  raise(): void {
    if (this.#waiters.length === 0) this.#raised = true
    for (const waiter of this.#waiters.splice(0)) waiter()
  }

  /** Until raised, or `timeoutMs` passed. */
  wait(timeoutMs: number): Promise<void> {
    if (this.#raised) {
      this.#raised = false
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      const timer = timeoutMs === Infinity ? undefined : this.#clock.schedule(timeoutMs, resolve)
      this.#waiters.push(() => {
        timer?.cancel()
        resolve()
      })
    })
  }
}
