// Pure.
// The checksum (RFC 1950) of ZooKeeper's log entries and snapshots.

const BASE = 65521
/** So many bytes can be summed before the sums leave 32 bits. */
const CHUNK = 5552

/** The checksum of buffer[start, end), continued from `seed`. */
export function adler32(buffer: Uint8Array, start = 0, end = buffer.length, seed = 1): number {
  let low = seed & 0xffff
  let high = seed >>> 16
  for (let at = start; at < end; ) {
    const stop = Math.min(at + CHUNK, end)
    for (; at < stop; at++) {
      low += buffer[at] ?? 0
      high += low
    }
    low %= BASE
    high %= BASE
  }
  return ((high << 16) | low) >>> 0
}
