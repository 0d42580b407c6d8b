// Pure.
// Which partition a record goes to: Java's murmur2 of the key, and a sticky choice without a key.
import type { ProducerRecord } from './types.ts'

const seed = 0x9747b28c
const multiplier = 0x5bd1e995

/** MurmurHash2 (32 bits) as Kafka's Java clients compute it; a signed 32-bit number. */
export function murmur2(data: Uint8Array): number {
  const length = data.length
  let hash = seed ^ length
  const words = length & ~3
  for (let at = 0; at < words; at += 4) {
    let word =
      (data[at] ?? 0) |
      ((data[at + 1] ?? 0) << 8) |
      ((data[at + 2] ?? 0) << 16) |
      ((data[at + 3] ?? 0) << 24)
    word = Math.imul(word, multiplier)
    word ^= word >>> 24
    word = Math.imul(word, multiplier)
    hash = Math.imul(hash, multiplier) ^ word
  }
  const rest = length & 3
  if (rest === 3) hash ^= (data[words + 2] ?? 0) << 16
  if (rest >= 2) hash ^= (data[words + 1] ?? 0) << 8
  if (rest >= 1) hash = Math.imul(hash ^ (data[words] ?? 0), multiplier)
  hash ^= hash >>> 13
  hash = Math.imul(hash, multiplier)
  hash ^= hash >>> 15
  return hash | 0
}

/** The partition of a key: the hash without its sign bit, modulo the topic's partitions. */
export function partitionForKey(key: Uint8Array, partitionCount: number): number {
  return (murmur2(key) & 0x7fffffff) % partitionCount
}

/** The default partitioner: keyed records by hash, others by the sticky choice. */
export function murmur2Partitioner(
  record: ProducerRecord,
  partitionCount: number,
): number | undefined {
  const key = record.key ?? null
  return key === null ? undefined : partitionForKey(key, partitionCount)
}

/**
 * Keeps to one partition until about a batch's bytes went there, then takes another: batches fill
 * better than with a choice for each record (KIP-794). Partitions without a leader are avoided
 * while there are others.
 */
export class StickyChoice {
  readonly #batchBytes: number
  #partition = -1
  #bytes = 0

  constructor(batchBytes: number) {
    this.#batchBytes = batchBytes
  }

  /** `below(n)` draws a whole number under n. `available` lists partitions that have a leader. */
  choose(
    recordBytes: number,
    partitionCount: number,
    available: readonly number[],
    below: (bound: number) => number,
  ): number {
    if (this.#partition >= partitionCount || this.#bytes >= this.#batchBytes) this.#partition = -1
    if (this.#partition < 0) {
      this.#bytes = 0
      const drawn =
        available.length > 0 ? available[below(available.length)] : below(partitionCount)
      this.#partition = drawn ?? 0
    }
    this.#bytes += recordBytes
    return this.#partition
  }

  /** The chosen partition lost its leader: take another next time. */
  leave(partition: number): void {
    if (this.#partition === partition) this.#partition = -1
  }
}
