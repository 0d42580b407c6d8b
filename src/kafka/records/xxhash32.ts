// xxHash, 32 bits, seed 0: the checksum of LZ4 frames. Only headers of a few bytes pass through
// here.

const PRIME_1 = 0x9e3779b1
const PRIME_2 = 0x85ebca77
const PRIME_3 = 0xc2b2ae3d
const PRIME_4 = 0x27d4eb2f
const PRIME_5 = 0x165667b1

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits))

function round(lane: number, input: number): number {
  return Math.imul(rotate((lane + Math.imul(input, PRIME_2)) | 0, 13), PRIME_1)
}

function finish(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 15), PRIME_2)
  h = Math.imul(h ^ (h >>> 13), PRIME_3)
  return (h ^ (h >>> 16)) >>> 0
}

/** The hash of `bytes[start, end)`, unsigned. */
export function xxhash32(bytes: Buffer, start: number, end: number): number {
  let at = start
  let hash = PRIME_5
  if (end - start >= 16) {
    let one = (PRIME_1 + PRIME_2) | 0
    let two = PRIME_2
    let three = 0
    let four = -PRIME_1 | 0
    for (; end - at >= 16; at += 16) {
      one = round(one, bytes.readInt32LE(at))
      two = round(two, bytes.readInt32LE(at + 4))
      three = round(three, bytes.readInt32LE(at + 8))
      four = round(four, bytes.readInt32LE(at + 12))
    }
    hash = rotate(one, 1) + rotate(two, 7) + rotate(three, 12) + rotate(four, 18)
  }
  hash = (hash + (end - start)) | 0
  for (; end - at >= 4; at += 4) {
    const input = Math.imul(bytes.readInt32LE(at), PRIME_3)
    hash = Math.imul(rotate((hash + input) | 0, 17), PRIME_4)
  }
  for (; at < end; at++) {
    const input = Math.imul(bytes[at]!, PRIME_5)
    hash = Math.imul(rotate((hash + input) | 0, 11), PRIME_1)
  }
  return finish(hash)
}
