// Pure.
// 64-bit integers of a log's files as numbers, by two halves and without allocation. Unlike those of
// wire/integers.ts these never throw: what is read here may be damaged, and is judged afterwards.

const high = 2 ** 32

/** Exact within 2^53, beyond that the nearest number. */
export function readInt64(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * high + buffer.readUInt32BE(at + 4)
}

export function writeInt64(buffer: Buffer, at: number, value: number): void {
  const upper = Math.floor(value / high)
  buffer.writeInt32BE(upper, at)
  buffer.writeUInt32BE(value - upper * high, at + 4)
}
