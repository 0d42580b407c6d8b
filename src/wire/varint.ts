// Sizes and in-place writing of Kafka's variable-length integers. Signed ones are zig-zag coded.
// 64-bit values are numbers; callers keep them within the safe integers.

/** Bytes that `value`, 0 <= value < 2^32, takes as an unsigned varint. */
export function unsignedVarintSize(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x200000) return 3
  return value < 0x10000000 ? 4 : 5
}

/** Bytes that an int32 takes as a zig-zag varint. */
export function varintSize(value: number): number {
  return unsignedVarintSize(((value << 1) ^ (value >> 31)) >>> 0)
}

/** Bytes that a safe integer takes as a zig-zag varlong. */
export function varlongSize(value: number): number {
  const high = Math.abs(value < 0 ? value + 1 : value)
  if (high < 0x40) return 1
  if (high < 0x2000) return 2
  if (high < 0x100000) return 3
  if (high < 0x8000000) return 4
  if (high < 0x400000000) return 5
  if (high < 0x20000000000) return 6
  return high < 0x1000000000000 ? 7 : 8
}

/** Writes an unsigned varint at `at` and returns the position after it. The room must be there. */
export function writeUnsignedVarint(buffer: Uint8Array, at: number, value: number): number {
  let rest = value >>> 0
  while (rest > 0x7f) {
    buffer[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  buffer[at++] = rest
  return at
}

/** Writes an int32 as a zig-zag varint at `at` and returns the position after it. */
export function writeVarint(buffer: Uint8Array, at: number, value: number): number {
  return writeUnsignedVarint(buffer, at, (value << 1) ^ (value >> 31))
}

/** Writes a safe integer as a zig-zag varlong at `at` and returns the position after it. */
export function writeVarlong(buffer: Uint8Array, at: number, value: number): number {
  if (value >= -0x40000000 && value < 0x40000000) return writeVarint(buffer, at, value)
  // Zig-zag in two halves, since doubling may leave the safe integers: `low` holds 28 bits.
  const magnitude = value < 0 ? -(value + 1) : value
  let high = Math.floor(magnitude / 0x8000000)
  const low = (magnitude - high * 0x8000000) * 2 + (value < 0 ? 1 : 0)
  for (let shift = 0; shift < 28; shift += 7) buffer[at++] = ((low >>> shift) & 0x7f) | 0x80
  while (high > 0x7f) {
    buffer[at++] = (high & 0x7f) | 0x80
    high = Math.floor(high / 0x80)
  }
  buffer[at++] = high
  return at
}
