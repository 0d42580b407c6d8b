/**
 * Time that moves only when told to. What falls due at one moment runs as one loop turn: the actions in
 * the order of their numbers, promises drained after each, then the end-of-turn actions.
 */
import { AssertionError } from '../runtime/assert.ts'
import type { Clock, Timer } from '../runtime/clock.ts'

interface Due {
  readonly at: number
  readonly number: number
  readonly action: () => void
  cancelled: boolean
}

export interface VirtualClockOptions {
  /** The wall clock's first reading. Default 2026-01-01 UTC. */
  readonly startMs?: number
}

/** As many turns without time moving, and something is asking for the next one for ever. */
const turnsPerMomentMax = 100_000

export class VirtualClock implements Clock {
  readonly #startMs: number
  #elapsedMs = 0
  #number = 0
  #wallShiftMs = 0
  readonly #queue: Due[] = []
  #endOfTurn: (() => void)[] = []
  #running = false

  constructor(options: VirtualClockOptions = {}) {
    this.#startMs = options.startMs ?? Date.UTC(2026, 0, 1)
  }

  now(): number {
    return Math.floor(this.#startMs + this.#wallShiftMs + this.#elapsedMs)
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  schedule(delayMs: number, action: () => void): Timer {
    const at = this.#elapsedMs + Math.max(delayMs, 0)
    const due: Due = { at, number: this.#number, action, cancelled: false }
    this.#number += 1
    push(this.#queue, due)
    return {
      cancel() {
        due.cancelled = true
      },
    }
  }

  atEndOfTurn(action: () => void): void {
    this.#endOfTurn.push(action)
  }

  /** Moves the wall clock alone, as an administrator or NTP does. */
  shiftWallClock(byMs: number): void {
    this.#wallShiftMs += byMs
  }

  /** Runs all that falls due within the next `ms`, and ends exactly there. */
  async advance(ms: number): Promise<void> {
    await this.#run(this.#elapsedMs + ms, () => false)
  }

  /** Runs what is due now: promises, end-of-turn actions, timers without delay. Time stands still. */
  async settle(): Promise<void> {
    await this.advance(0)
  }

  /** Runs until nothing is scheduled, at most `limitMs` (default one hour) of the clock's time. */
  async runUntilIdle(limitMs = 3_600_000): Promise<void> {
    await this.#run(this.#elapsedMs + limitMs, () => this.#isIdle())
  }

  /**
   * Runs until the promise has settled, and gives its outcome.
   * @throws AssertionError when nothing is scheduled any more, or after `limitMs` (default one hour).
   */
  async until<T>(promise: Promise<T>, limitMs = 3_600_000): Promise<T> {
    let settled = false
    const note = (): void => {
      settled = true
    }
    promise.then(note, note)
    await this.#run(this.#elapsedMs + limitMs, () => settled || this.#isIdle())
    if (!settled) throw new AssertionError('the promise is pending and nothing is left to happen')
    return promise
  }

  #isIdle(): boolean {
    return this.#nextDue() === undefined && this.#endOfTurn.length === 0
  }

  #nextDue(): Due | undefined {
    while (this.#queue[0]?.cancelled === true) pop(this.#queue)
    return this.#queue[0]
  }

  async #run(untilMs: number, enough: () => boolean): Promise<void> {
    if (this.#running) throw new AssertionError('the clock is being advanced already')
    this.#running = true
    let turns = 0
    try {
      for (;;) {
        await this.#runTurn()
        if (enough()) return
        const next = this.#nextDue()
        if (next === undefined && this.#endOfTurn.length > 0) continue
        if (next === undefined || next.at > untilMs) break
        turns = next.at > this.#elapsedMs ? 0 : turns + 1
        if (turns > turnsPerMomentMax) throw new AssertionError('time does not get to move on')
        this.#elapsedMs = Math.max(next.at, this.#elapsedMs)
      }
      this.#elapsedMs = untilMs
    } finally {
      this.#running = false
    }
  }

  async #runTurn(): Promise<void> {
    await drainPromises()
    const numberAtStart = this.#number
    for (;;) {
      const due = this.#nextDue()
      if (due === undefined || due.at > this.#elapsedMs || due.number >= numberAtStart) break
      pop(this.#queue)
      due.cancelled = true
      due.action()
      await drainPromises()
    }
    while (this.#endOfTurn.length > 0) {
      const actions = this.#endOfTurn
      this.#endOfTurn = []
      for (const action of actions) action()
      await drainPromises()
    }
  }
}

/** Until every promise that can go on without an event has done so. */
function drainPromises(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

function isBefore(left: Due, right: Due): boolean {
  return left.at < right.at || (left.at === right.at && left.number < right.number)
}

/** The queue is a binary heap, the next due on top. */
function push(heap: Due[], due: Due): void {
  let at = heap.length
  heap.push(due)
  while (at > 0) {
    const parentAt = (at - 1) >> 1
    const parent = heap[parentAt]
    if (parent === undefined || !isBefore(due, parent)) break
    heap[at] = parent
    at = parentAt
  }
  heap[at] = due
}

function pop(heap: Due[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let at = 0
  for (;;) {
    const leftAt = 2 * at + 1
    const left = heap[leftAt]
    const right = heap[leftAt + 1]
    if (left === undefined) break
    const childAt = right !== undefined && isBefore(right, left) ? leftAt + 1 : leftAt
    const child = childAt === leftAt ? left : right
    if (child === undefined || !isBefore(child, last)) break
    heap[at] = child
    at = childAt
  }
  heap[at] = last
}
