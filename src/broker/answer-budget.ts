/**
 * Bytes of answers that are in memory because their readers have not taken them yet. Fetches look here
 * before they promise more: while the budget is used up, each gets little, so that slow readers cannot
 * make the broker hold all they asked for.
 */
export class AnswerBudget {
  readonly #limitBytes: number
  #usedBytes = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** How large one more answer may be; never less than what keeps a reader going. */
  get leftBytes(): number {
    return Math.max(this.#limitBytes - this.#usedBytes, answerBytesMin)
  }

  take(bytes: number): void {
    this.#usedBytes += bytes
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes
  }
}

const answerBytesMin = 64 * 1024
