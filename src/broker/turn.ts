import type { Clock } from '../runtime/clock.ts'

/** Something that gathered bytes in this turn and must write them before the turn's answers leave. */
export interface Gathering {
  /** Writes what was gathered, then lets waiting requests look again. Must not throw. */
  endTurn(): void
}

/** Something that owes answers: a connection. */
export interface Answering {
  /** Sends every answer that is complete and in order. Must not throw. */
  sendAnswers(): void
}

/**
 * What one turn of the event loop still owes when its input has been handled: first the gathered appends
 * are written, which lets waiting fetches and produces complete, then every connection sends the answers
 * of the turn in one write. So no acknowledgement leaves before its bytes are in the page cache.
 */
export class Turn {
  readonly #clock: Clock
  #gatherings = new Set<Gathering>()
  #answerings = new Set<Answering>()
  #armed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  gathered(by: Gathering): void {
    this.#gatherings.add(by)
    this.#arm()
  }

  owes(by: Answering): void {
    this.#answerings.add(by)
    this.#arm()
  }

  #arm(): void {
    if (this.#armed) return
    this.#armed = true
    this.#clock.atEndOfTurn(this.#end)
  }

  readonly #end = (): void => {
    // Completing a waiting request may append again (a group's record): go on until nothing is left.
    while (this.#gatherings.size > 0) {
      const gatherings = this.#gatherings
      this.#gatherings = new Set()
      for (const one of gatherings) one.endTurn()
    }
    this.#armed = false
    const answerings = this.#answerings
    this.#answerings = new Set()
    for (const one of answerings) one.sendAnswers()
  }
}
