import type { Random } from '../runtime/random.ts'

/** Draws in words. */
export class Draw {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** A whole number, both ends included. */
  between(least: number, most: number): number {
    return least + this.#random.below(most - least + 1)
  }

  /** Small numbers more often than large ones. */
  skewed(least: number, most: number): number {
    return this.between(least, this.between(least, most))
  }

  chance(percent: number): boolean {
    return this.#random.below(100) < percent
  }

  of<const T>(choices: readonly [T, ...T[]]): T {
    return choices[this.#random.below(choices.length)] ?? choices[0]
  }

  /** At least one of them. */
  some<T>(choices: readonly T[]): T[] {
    const kept = choices.filter(() => this.chance(60))
    const one = choices[this.#random.below(choices.length)]
    return kept.length > 0 || one === undefined ? kept : [one]
  }
}
