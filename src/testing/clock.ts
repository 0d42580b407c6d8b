/**
 * A clock that runs with another one and can be set forward: what `advance` moves. Timers that a jump
 * made due wait for `release`, so that what has to be heard first (heartbeats) is heard first.
 */
import type { Clock, Timer } from '../runtime/clock.ts'

interface Pending {
  readonly dueMs: number
  readonly number: number
  readonly action: () => void
  timer: Timer | undefined
}

export class JumpClock implements Clock {
  readonly #base: Clock
  #wallShiftMs = 0
  #elapsedShiftMs = 0
  #number = 0
  readonly #pending = new Set<Pending>()
  #isHeld = false
  #jumpedFromMs = 0

  constructor(base: Clock) {
    this.#base = base
  }

  /** How far the wall clock is ahead of the base clock's. */
  get wallShiftMs(): number {
    return this.#wallShiftMs
  }

  now(): number {
    return this.#base.now() + this.#wallShiftMs
  }

  monotonicMs(): number {
    return this.#base.monotonicMs() + this.#elapsedShiftMs
  }

  schedule(delayMs: number, action: () => void): Timer {
    const dueMs = this.monotonicMs() + Math.max(delayMs, 0)
    const pending: Pending = { dueMs, number: this.#number, action, timer: undefined }
    this.#number += 1
    this.#pending.add(pending)
    this.#arm(pending, delayMs)
    return {
      cancel: () => {
        this.#pending.delete(pending)
        pending.timer?.cancel()
      },
    }
  }

  atEndOfTurn(action: () => void): void {
    this.#base.atEndOfTurn(action)
  }

  /** Moves both readings. No timer fires until `release`. */
  jump(byMs: number): void {
    this.#isHeld = true
    this.#jumpedFromMs = this.monotonicMs()
    this.#wallShiftMs += byMs
    this.#elapsedShiftMs += byMs
  }

  /**
   * Runs the timers that are due, each once, in the order in which they fell due, and lets promises and
   * the end of a turn go before each. A timer set meanwhile counts from now.
   */
  async release(): Promise<void> {
    if (!this.#isHeld) return
    const nowMs = this.monotonicMs()
    for (const pending of this.#pending) {
      pending.timer?.cancel()
      if (pending.dueMs > nowMs) this.#arm(pending, pending.dueMs - nowMs)
    }
    const due = this.#due(nowMs)
    this.#isHeld = false
    await this.#run(due)
  }

  /** Runs only those that fell due so soon after the beginning of the jump; the others go on waiting. */
  async releaseFirst(withinMs: number): Promise<void> {
    if (this.#isHeld) await this.#run(this.#due(this.#jumpedFromMs + withinMs))
  }

  #due(untilMs: number): Pending[] {
    return [...this.#pending]
      .filter(({ dueMs }) => dueMs <= untilMs)
      .sort((one, other) => one.dueMs - other.dueMs || one.number - other.number)
  }

  async #run(due: readonly Pending[]): Promise<void> {
    for (const pending of due) {
      await turnEnd(this.#base)
      if (!this.#pending.delete(pending)) continue
      pending.timer?.cancel()
      pending.action()
    }
    await turnEnd(this.#base)
  }

  /** Forgets every timer and shows this much more than the base clock: between two lives of a cluster. */
  reset(wallShiftMs: number): void {
    for (const pending of this.#pending) pending.timer?.cancel()
    this.#pending.clear()
    this.#isHeld = false
    this.#wallShiftMs = wallShiftMs
  }

  #arm(pending: Pending, delayMs: number): void {
    pending.timer = this.#base.schedule(delayMs, () => {
      if (this.#isHeld) return
      if (this.#pending.delete(pending)) pending.action()
    })
  }
}

/**
 * The wall time of a cluster, with timers that never jump: for clients, whose records are stamped with
 * the cluster's time.
 */
export class SteadyClock implements Clock {
  readonly #base: Clock
  readonly #cluster: JumpClock

  constructor(base: Clock, cluster: JumpClock) {
    this.#base = base
    this.#cluster = cluster
  }

  now(): number {
    return this.#cluster.now()
  }

  monotonicMs(): number {
    return this.#base.monotonicMs()
  }

  schedule(delayMs: number, action: () => void): Timer {
    return this.#base.schedule(delayMs, action)
  }

  atEndOfTurn(action: () => void): void {
    this.#base.atEndOfTurn(action)
  }
}

/** Resolves when what this turn owes (gathered writes, answers) has been done. */
export function turnEnd(clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.atEndOfTurn(resolve)
  })
}

/**
 * For disks in memory: a call off the loop ends at the end of the turn, not after the millisecond that
 * the shortest system timer takes.
 */
export function withoutDelay(clock: Clock): Clock {
  const uncancelled: Timer = { cancel() {} }
  return {
    now: () => clock.now(),
    monotonicMs: () => clock.monotonicMs(),
    schedule(delayMs, action) {
      if (delayMs > 0) return clock.schedule(delayMs, action)
      clock.atEndOfTurn(action)
      return uncancelled
    },
    atEndOfTurn: (action) => clock.atEndOfTurn(action),
  }
}
