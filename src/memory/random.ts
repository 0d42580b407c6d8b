/** Chance from a seed: sfc32, a small fast generator with a period of at least 2^32. */
import type { Random } from '../runtime/random.ts'

export class SeededRandom implements Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number) {
    this.#a = seed | 0
    this.#b = Math.floor(seed / 2 ** 32) | 0
    this.#c = 0x9e3779b9 | 0
    // Similar seeds must not begin with similar numbers.
    for (let round = 0; round < 15; round += 1) this.#next()
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count)
    for (let at = 0; at < count; at += 1) bytes[at] = this.#next() >>> 24
    return bytes
  }

  below(bound: number): number {
    // 53 bits, scaled: the bias is below 2^-5 of one part in 2^48.
    const high = this.#next() >>> 5
    const low = this.#next() >>> 6
    return Math.floor(((high * 2 ** 26 + low) / 2 ** 53) * bound)
  }

  #next(): number {
    const result = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0
    return result
  }
}
