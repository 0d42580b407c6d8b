/** Cuts of the network, counted: what two faults cut stays cut until both have ended. */
import type { MemoryNetwork } from '../../memory/network.ts'

export class Links {
  readonly #network: MemoryNetwork
  readonly #counts = new Map<string, number>()

  constructor(network: MemoryNetwork) {
    this.#network = network
  }

  /** Nothing passes from one host to the other; returns what ends that, once. */
  cut(from: string, to: string): () => void {
    const key = `${from}>${to}`
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
    this.#network.cut(from, to)
    let ended = false
    return () => {
      if (ended) return
      ended = true
      const left = (this.#counts.get(key) ?? 1) - 1
      this.#counts.set(key, left)
      if (left === 0) this.#network.heal(from, to)
    }
  }
}
