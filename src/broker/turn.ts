import type { Clock } from '../runtime/clock.ts'

/** Something that gathered bytes in this turn and must write them before the turn's answers leave. */
export interface Gathering {
  /** Writes what was gathered and wakes the requests that wait for it. */
  endTurn(): void
}

/** A request that waits for a partition to move: a parked fetch, a produce with acks=all. */
export interface Waiter {
  /** Looks whether it can be answered now; a waiter that is done removes itself. */
  look(): void
}

/** Something that owes answers: a connection. */
export interface Answering {
  /** Sends every answer that is complete and in order. */
  sendAnswers(): void
}

/**
 * What one turn of the event loop still owes when its input has been handled: first the gathered appends
 * are written, then waiting requests look, each once however many partitions moved, then every
 * connection sends the answers of the turn in one write. So no acknowledgement leaves before its bytes
 * are in the page cache.
 */
export class Turn {
  readonly #clock: Clock
  #gatherings = new Set<Gathering>()
  #woken = new Set<Waiter>()
  #answerings = new Set<Answering>()
  #isArmed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  gathered(by: Gathering): void {
    this.#gatherings.add(by)
    this.#arm()
  }

  wake(waiter: Waiter): void {
    this.#woken.add(waiter)
    this.#arm()
  }

  owes(by: Answering): void {
    this.#answerings.add(by)
    this.#arm()
  }

  #arm(): void {
    if (this.#isArmed) return
    this.#isArmed = true
    this.#clock.atEndOfTurn(this.#end)
  }

  readonly #end = (): void => {
    try {
      // Completing a waiting request may append again: go on until nothing is left.
      while (this.#gatherings.size > 0 || this.#woken.size > 0) {
        for (const one of this.#takeGatherings()) one.endTurn()
        for (const one of this.#takeWoken()) one.look()
      }
      for (const one of this.#takeAnswerings()) one.sendAnswers()
    } finally {
      // Where one of them threw, which is a bug, the others are not forgotten.
      this.#isArmed = false
      if (this.#gatherings.size + this.#woken.size + this.#answerings.size > 0) this.#arm()
    }
  }

  #takeGatherings(): Set<Gathering> {
    const taken = this.#gatherings
    if (taken.size > 0) this.#gatherings = new Set()
    return taken
  }

  #takeWoken(): Set<Waiter> {
    const taken = this.#woken
    if (taken.size > 0) this.#woken = new Set()
    return taken
  }

  #takeAnswerings(): Set<Answering> {
    const taken = this.#answerings
    if (taken.size > 0) this.#answerings = new Set()
    return taken
  }
}
