// The two checksums of the record formats: CRC-32C (magic 2) and CRC-32 (magic 0 and 1).
import { createRequire } from 'node:module'
import { crc32 as zlibCrc32 } from 'node:zlib'

type Checksum = (bytes: Buffer, seed: number) => number

/** Reflected polynomial of CRC-32C (Castagnoli), RFC 3720 appendix B.4. */
const POLYNOMIAL = 0x82f63b78

/** Eight tables of 256 entries, so that a step takes eight bytes at once. */
function sliceTables(): Uint32Array {
  const tables = new Uint32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    tables[byte] = crc
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256]!
    tables[at] = (before >>> 8) ^ tables[before & 0xff]!
  }
  return tables
}

let tables: Uint32Array | undefined

/** CRC-32C without a native library: about a tenth of its speed. Exported for its test. */
export function portableCrc32c(bytes: Buffer, seed: number): number {
  tables ??= sliceTables()
  const t = tables
  let crc = ~seed
  let at = 0
  for (const stop = bytes.length - 7; at < stop; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    crc =
      t[0x700 + (crc & 0xff)]! ^
      t[0x600 + ((crc >>> 8) & 0xff)]! ^
      t[0x500 + ((crc >>> 16) & 0xff)]! ^
      t[0x400 + (crc >>> 24)]! ^
      t[0x300 + bytes[at + 4]!]! ^
      t[0x200 + bytes[at + 5]!]! ^
      t[0x100 + bytes[at + 6]!]! ^
      t[bytes[at + 7]!]!
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ t[(crc ^ bytes[at]!) & 0xff]!
  return ~crc >>> 0
}

/** The native library has no binary for every platform; without one we are slower, not broken. */
function nativeOrPortable(): Checksum {
  try {
    const library = createRequire(import.meta.url)('@node-rs/crc32') as {
      crc32c(this: void, bytes: Buffer, seed?: number): number
    }
    if (library.crc32c(Buffer.from('123456789')) === 0xe3069283) return library.crc32c
  } catch {
    return portableCrc32c
  }
  return portableCrc32c
}

const native = nativeOrPortable()

/** CRC-32C of `bytes[start, end)`, unsigned. `seed` continues an earlier checksum. */
export function crc32c(bytes: Buffer, start = 0, end = bytes.length, seed = 0): number {
  return native(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), seed)
}

/** CRC-32 (IEEE) of `bytes[start, end)`, unsigned. */
export function crc32(bytes: Buffer, start = 0, end = bytes.length, seed = 0): number {
  return zlibCrc32(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), seed)
}
