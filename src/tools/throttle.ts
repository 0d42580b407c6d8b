// Keeps senders at a rate.
import { type Clock, delay } from '../runtime/clock.ts'

/** So many sends between two looks at other work, where nothing else makes a sender wait. */
const sendsPerTurn = 200

export class Throttle {
  readonly #clock: Clock
  readonly #perSecond: number
  readonly #startMs: number

  /** @param perSecond 0 and less: no limit */
  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock
    this.#perSecond = perSecond
    this.#startMs = clock.monotonicMs()
  }

  /** Resolves when record `number` (from 0) is due. undefined where nothing has to be awaited. */
  due(number: number): Promise<void> | undefined {
    if (this.#perSecond > 0) {
      const aheadMs =
        (number / this.#perSecond) * 1000 - (this.#clock.monotonicMs() - this.#startMs)
      // Timers are not exact below this.
      if (aheadMs > 1) return delay(this.#clock, aheadMs)
    }
    if (number % sendsPerTurn !== sendsPerTurn - 1) return undefined
    return new Promise((resolve) => this.#clock.atEndOfTurn(resolve))
  }
}
