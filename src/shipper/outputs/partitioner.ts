// Pure. How Filebeat chooses partitions: a hash of the key (FNV-1a, not Kafka's murmur2), at
// random, or in turn.

import type { PartitionSettings } from '../settings.ts'

/** Draws a whole number below the bound. */
export type Draw = (bound: number) => number

export type ChoosePartition = (hashed: Uint8Array | undefined, partitionCount: number) => number

export function createPartitioner(settings: PartitionSettings, draw: Draw): ChoosePartition {
  switch (settings.kind) {
    case 'hash':
      return (hashed, count) => (hashed === undefined ? draw(count) : partitionOf(hashed, count))
    case 'random':
      return grouped(settings.groupEvents, (_last, count) => draw(count))
    case 'round_robin':
      return grouped(settings.groupEvents, (last, count) =>
        last === undefined ? draw(count) : (last + 1) % count,
      )
  }
}

function grouped(
  groupEvents: number,
  next: (last: number | undefined, count: number) => number,
): ChoosePartition {
  let partition: number | undefined
  let left = 0
  return (_hashed, count) => {
    if (left === 0 || partition === undefined || partition >= count) {
      partition = next(partition, count)
      left = groupEvents
    }
    left -= 1
    return partition
  }
}

/** The 32-bit FNV-1a hash. */
export function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

function partitionOf(bytes: Uint8Array, count: number): number {
  return Math.abs(fnv1a(bytes) | 0) % count
}

/** A quick generator for choices that need no secrecy (xorshift32). */
export function quickDraw(seed: number): Draw {
  let state = seed | 0 || 1
  return (bound) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % bound
  }
}
