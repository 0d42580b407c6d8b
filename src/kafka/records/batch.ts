// The header of a record batch, by byte index. Bytes 0 to 16 have the same places in all formats:
// offset, length, and magic at 16; the rest is format 2 (KIP-98). Base offset and leader epoch
// stand outside the checksum, so that a broker can set them in place.
import { crc32c } from '../../wire/crc32c.ts'
import { WireError } from '../../wire/errors.ts'
import {
  readInt16,
  readInt32,
  readInt64,
  isInt64,
  writeInt16,
  writeInt32,
  writeInt64,
} from '../../wire/integers.ts'

/** Offset and length, which the length does not count. */
export const LOG_OVERHEAD = 12
/** Bytes before the records of a batch in format 2. */
export const HEADER_BYTES = 61
/** Bytes that must be there to tell the format. */
export const BYTES_TO_MAGIC = 17
/** The least length that any format states: a format 0 message without key and value. */
export const LENGTH_MIN = 14

const AT = {
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
} as const

/** Bits of the attributes; the lowest three are the codec. */
export const CODEC_MASK = 7
export const LOG_APPEND_TIME_BIT = 8
export const TRANSACTIONAL_BIT = 16
export const CONTROL_BIT = 32
export const DELETE_HORIZON_BIT = 64

/** No producer, epoch, sequence or timestamp. */
export const NONE = -1

export const baseOffset = (bytes: Buffer, at: number): number => readInt64(bytes, at)
/** The whole batch, the first twelve bytes included. */
export const batchSize = (bytes: Buffer, at: number): number =>
  LOG_OVERHEAD + readInt32(bytes, at + AT.length)
export const magic = (bytes: Buffer, at: number): number => (bytes[at + AT.magic]! << 24) >> 24
export const partitionLeaderEpoch = (bytes: Buffer, at: number): number =>
  readInt32(bytes, at + AT.leaderEpoch)
/** The stored checksum, unsigned. */
export const crcOf = (bytes: Buffer, at: number): number => readInt32(bytes, at + AT.crc) >>> 0
export const attributes = (bytes: Buffer, at: number): number =>
  readInt16(bytes, at + AT.attributes)
export const lastOffsetDelta = (bytes: Buffer, at: number): number =>
  readInt32(bytes, at + AT.lastOffsetDelta)
/** Of the first record; with DELETE_HORIZON_BIT the delete horizon instead. */
export const baseTimestamp = (bytes: Buffer, at: number): number =>
  readInt64(bytes, at + AT.baseTimestamp)
export const maxTimestamp = (bytes: Buffer, at: number): number =>
  readInt64(bytes, at + AT.maxTimestamp)
export const producerId = (bytes: Buffer, at: number): number =>
  readInt64(bytes, at + AT.producerId)
export const producerEpoch = (bytes: Buffer, at: number): number =>
  readInt16(bytes, at + AT.producerEpoch)
export const baseSequence = (bytes: Buffer, at: number): number =>
  readInt32(bytes, at + AT.baseSequence)
export const recordCount = (bytes: Buffer, at: number): number => readInt32(bytes, at + AT.count)

export const hasProducerId = (bytes: Buffer, at: number): boolean =>
  readInt32(bytes, at + AT.producerId) >= 0

export const lastOffset = (bytes: Buffer, at: number): number =>
  baseOffset(bytes, at) + lastOffsetDelta(bytes, at)

/** Sequences wrap from 2^31-1 to 0. */
export function lastSequence(bytes: Buffer, at: number): number {
  const first = baseSequence(bytes, at)
  if (first === NONE) return NONE
  const last = first + lastOffsetDelta(bytes, at)
  return last > 0x7fffffff ? last - 0x80000000 : last
}

export const codecId = (bytes: Buffer, at: number): number => attributes(bytes, at) & CODEC_MASK
export const isLogAppendTime = (bytes: Buffer, at: number): boolean =>
  (attributes(bytes, at) & LOG_APPEND_TIME_BIT) !== 0
export const isTransactional = (bytes: Buffer, at: number): boolean =>
  (attributes(bytes, at) & TRANSACTIONAL_BIT) !== 0
export const isControl = (bytes: Buffer, at: number): boolean =>
  (attributes(bytes, at) & CONTROL_BIT) !== 0

export function setBaseOffset(bytes: Buffer, at: number, offset: number): void {
  writeInt64(bytes, at, offset)
}

export function setPartitionLeaderEpoch(bytes: Buffer, at: number, epoch: number): void {
  writeInt32(bytes, at + AT.leaderEpoch, epoch)
}

/** Also sets or clears LOG_APPEND_TIME_BIT. The checksum is renewed if anything changed. */
export function setMaxTimestamp(
  bytes: Buffer,
  at: number,
  timestamp: number,
  logAppendTime: boolean,
): void {
  const before = attributes(bytes, at)
  const after = logAppendTime ? before | LOG_APPEND_TIME_BIT : before & ~LOG_APPEND_TIME_BIT
  if (before === after && isInt64(bytes, at + AT.maxTimestamp, timestamp)) return
  writeInt16(bytes, at + AT.attributes, after)
  writeInt64(bytes, at + AT.maxTimestamp, timestamp)
  renewCrc(bytes, at)
}

function computeCrc(bytes: Buffer, at: number): number {
  return crc32c(bytes, at + AT.attributes, at + batchSize(bytes, at))
}

export function renewCrc(bytes: Buffer, at: number): void {
  writeInt32(bytes, at + AT.crc, computeCrc(bytes, at))
}

/** Whether a whole batch of format 2 has the checksum it states. */
export function verifyCrc(bytes: Buffer, at: number): boolean {
  return batchSize(bytes, at) >= HEADER_BYTES && computeCrc(bytes, at) === crcOf(bytes, at)
}

/**
 * Size of the batch at `at`, or 0 if it is cut off by `end`, as the last one of a fetch may be.
 * Throws WireError when the bytes cannot be a batch of any format.
 */
export function wholeBatchSize(bytes: Buffer, at: number, end: number): number {
  if (end - at < LOG_OVERHEAD) return 0
  const length = readInt32(bytes, at + AT.length)
  if (length < LENGTH_MIN) throw new WireError(`a batch states ${length} bytes`, at)
  if (end - at < BYTES_TO_MAGIC) return 0
  const format = magic(bytes, at)
  if (format < 0 || format > 2) throw new WireError(`no record format ${format}`, at)
  const size = LOG_OVERHEAD + length
  return size > end - at ? 0 : size
}

/** Positions of the whole batches in `bytes[start, end)`. Throws as `wholeBatchSize`. */
export function* batches(bytes: Buffer, start: number, end: number): Generator<number, void> {
  let at = start
  for (let size = 1; size > 0; at += size) {
    size = wholeBatchSize(bytes, at, end)
    if (size > 0) yield at
  }
}

/** Everything of a header but its records, which follow it in the buffer already. */
export interface BatchHeader {
  readonly size: number
  readonly baseOffset: number
  readonly leaderEpoch: number
  readonly attributes: number
  readonly lastOffsetDelta: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

/** Writes the 61 bytes at `at`, the checksum last. */
export function writeHeader(bytes: Buffer, at: number, header: BatchHeader): void {
  writeInt64(bytes, at, header.baseOffset)
  writeInt32(bytes, at + AT.length, header.size - LOG_OVERHEAD)
  writeInt32(bytes, at + AT.leaderEpoch, header.leaderEpoch)
  bytes[at + AT.magic] = 2
  writeInt16(bytes, at + AT.attributes, header.attributes)
  writeInt32(bytes, at + AT.lastOffsetDelta, header.lastOffsetDelta)
  writeInt64(bytes, at + AT.baseTimestamp, header.baseTimestamp)
  writeInt64(bytes, at + AT.maxTimestamp, header.maxTimestamp)
  writeInt64(bytes, at + AT.producerId, header.producerId)
  writeInt16(bytes, at + AT.producerEpoch, header.producerEpoch)
  writeInt32(bytes, at + AT.baseSequence, header.baseSequence)
  writeInt32(bytes, at + AT.count, header.recordCount)
  renewCrc(bytes, at)
}
