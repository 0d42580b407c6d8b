// Pure.
// One entry of a log file by its header: a batch of format 2, or a message of format 0 or 1 (a
// wrapper's offset is that of its last message). All three have offset, size and magic in one place.
import { crc32, crc32c } from '../wire/crc32c.ts'
import { readInt64 } from './int64.ts'

/** Offset and size: what stands before the bytes that the size counts. */
export const entryOverhead = 12
/** Enough to ask anything below of an entry that is not shorter itself. */
export const headerBytes = 61
/** Header and the one record of a transaction marker, with room to spare. */
export const markerBytesMax = 160

const minimalSize = [26, 34, 61]

export function entryBaseOffset(buffer: Buffer, at: number): number {
  return readInt64(buffer, at)
}

/** Whole length in bytes, with the overhead. */
export function entrySize(buffer: Buffer, at: number): number {
  return entryOverhead + buffer.readInt32BE(at + 8)
}

export function entryMagic(buffer: Buffer, at: number): number {
  return buffer.readInt8(at + 16)
}

export function entryLastOffset(buffer: Buffer, at: number): number {
  const base = readInt64(buffer, at)
  return entryMagic(buffer, at) >= 2 ? base + buffer.readInt32BE(at + 23) : base
}

/** -1 where the format has no timestamps. */
export function entryMaxTimestamp(buffer: Buffer, at: number): number {
  const magic = entryMagic(buffer, at)
  if (magic >= 2) return readInt64(buffer, at + 35)
  return magic === 1 ? readInt64(buffer, at + 18) : -1
}

/** -1 where the format has none. */
export function entryLeaderEpoch(buffer: Buffer, at: number): number {
  return entryMagic(buffer, at) >= 2 ? buffer.readInt32BE(at + 12) : -1
}

/** -1 where it is not a producer's of known identity. */
export function entryProducerId(buffer: Buffer, at: number): number {
  return entryMagic(buffer, at) >= 2 ? readInt64(buffer, at + 43) : -1
}

export function isControl(buffer: Buffer, at: number): boolean {
  return entryMagic(buffer, at) >= 2 && (buffer.readInt16BE(at + 21) & 0x20) !== 0
}

export function isTransactional(buffer: Buffer, at: number): boolean {
  return entryMagic(buffer, at) >= 2 && (buffer.readInt16BE(at + 21) & 0x10) !== 0
}

/** Whether 17 bytes at `at` begin an entry that could be: a known format and a size it allows. */
export function isPlausible(buffer: Buffer, at: number): boolean {
  const least = minimalSize[entryMagic(buffer, at)]
  return least !== undefined && entrySize(buffer, at) >= least && entryBaseOffset(buffer, at) >= 0
}

/** Where the bytes begin that the checksum covers. */
export function checksumStart(magic: number): number {
  return magic >= 2 ? 21 : 16
}

export function storedChecksum(buffer: Buffer, at: number): number {
  return buffer.readUInt32BE(entryMagic(buffer, at) >= 2 ? at + 17 : at + 12)
}

/** The checksum of an entry's bytes, continued piece by piece. */
export function checksum(magic: number, buffer: Buffer, start: number, end: number, seed: number) {
  return magic >= 2 ? crc32c(buffer, start, end, seed) : crc32(buffer, start, end, seed)
}

/** Some whole entries. */
export interface Entries {
  readonly buffer: Buffer
  readonly start: number
  readonly end: number
}

/** What indexes need to know of some whole entries. */
export interface EntriesSummary {
  readonly lastOffset: number
  /** -1 where none has a timestamp. */
  readonly maxTimestamp: number
  /** Last offset of the entry that has it, -1 for none. */
  readonly offsetOfMaxTimestamp: number
}

export function summarize(buffer: Buffer, start: number, end: number): EntriesSummary {
  let lastOffset = -1
  let maxTimestamp = -1
  let offsetOfMaxTimestamp = -1
  for (let at = start; at < end; at += entrySize(buffer, at)) {
    lastOffset = entryLastOffset(buffer, at)
    const timestamp = entryMaxTimestamp(buffer, at)
    if (timestamp > maxTimestamp) {
      maxTimestamp = timestamp
      offsetOfMaxTimestamp = lastOffset
    }
  }
  return { lastOffset, maxTimestamp, offsetOfMaxTimestamp }
}
