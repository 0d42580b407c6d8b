/** A host's own clocks: they drift and jump, and stop for good with the process. */
import type { Clock, Timer } from '../../runtime/clock.ts'
import type { Life } from '../../memory/life.ts'

/** What is wrong with a host's clocks. */
export interface ClockErrors {
  /** How far the wall clock is off. */
  wallShiftMs: number
  /** Milliseconds it counts in one of the world's. */
  readonly rate: number
}

/** More than the rounding of a drifting clock, so that no timer fires too early by its own clock. */
const roundingMs = 1e-6

export class HostClock implements Clock {
  readonly #world: Clock
  readonly #errors: ClockErrors
  readonly #life: Life

  constructor(world: Clock, errors: ClockErrors, life: Life) {
    this.#world = world
    this.#errors = errors
    this.#life = life
  }

  now(): number {
    const { wallShiftMs, rate } = this.#errors
    return Math.floor(this.#world.now() + wallShiftMs + this.#world.monotonicMs() * (rate - 1))
  }

  monotonicMs(): number {
    return this.#world.monotonicMs() * this.#errors.rate
  }

  schedule(delayMs: number, action: () => void): Timer {
    const { rate } = this.#errors
    const realMs = rate === 1 || delayMs <= 0 ? delayMs : delayMs / rate + roundingMs
    return this.#world.schedule(realMs, () => this.#life.run(action))
  }

  atEndOfTurn(action: () => void): void {
    this.#world.atEndOfTurn(() => this.#life.run(action))
  }
}
