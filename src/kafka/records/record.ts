// Records inside a batch of format 2: length, attributes, timestamp delta, offset delta, key,
// value, headers, all lengths and deltas zig-zag varints. Checked by plain byte indexing, since a
// broker walks every record that it accepts.
import { WireError } from '../../wire/errors.ts'
import { Reader } from '../../wire/reader.ts'
import { Errors } from '../errors.ts'
import * as batch from './batch.ts'
import { decompress } from './compression.ts'

export interface RecordHeader {
  readonly key: string
  readonly value: Buffer | null
}

/** Key, value and header values are views. */
export interface LogRecord {
  readonly offset: number
  /** Milliseconds, -1 for none. */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

/** What a walk found. Timestamps are absolute; -1 counts as "none" for `minTimestamp`. */
export interface RecordCheck {
  /**
   * NONE; INVALID_RECORD when the records do not follow their format; UNKNOWN_SERVER_ERROR, as
   * Kafka has it, when that is by a varint that does not end.
   */
  readonly error:
    | typeof Errors.NONE
    | typeof Errors.INVALID_RECORD
    | typeof Errors.UNKNOWN_SERVER_ERROR
  readonly maxTimestamp: number
  /** Index of the first record that has `maxTimestamp`. */
  readonly indexOfMaxTimestamp: number
  readonly minTimestamp: number
  /** Index of the first record without a key, -1 if all have one. */
  readonly firstNullKey: number
  /** Whether the offset deltas are 0, 1, 2 … */
  readonly offsetsInOrder: boolean
}

const MALFORMED: RecordCheck = {
  error: Errors.INVALID_RECORD,
  maxTimestamp: -1,
  indexOfMaxTimestamp: -1,
  minTimestamp: -1,
  firstNullKey: -1,
  offsetsInOrder: false,
}

const ENDLESS: RecordCheck = { ...MALFORMED, error: Errors.UNKNOWN_SERVER_ERROR }
const PAST_EVERY_END = Number.MAX_SAFE_INTEGER

function malformed(at: number): RecordCheck {
  return at >= PAST_EVERY_END ? ENDLESS : MALFORMED
}

/** Where the walk stands. Walks never overlap, and this spares an object per varint. */
let cursor = 0

/**
 * The varint at the cursor, still in zig-zag form: odd means negative. One of more than `bytesMax`
 * bytes puts the cursor past every end, and bytes beyond the buffer read as zero, so that the
 * caller's next look at the end finds both.
 */
function longVarint(bytes: Uint8Array, bytesMax: number): number {
  let at = cursor
  let value = 0
  let scale = 1
  for (let count = 0; count < bytesMax; count++) {
    const byte = bytes[at++] ?? 0
    value += (byte & 0x7f) * scale
    if (byte < 0x80) {
      cursor = at
      return value
    }
    scale *= 0x80
  }
  cursor = PAST_EVERY_END
  return 0
}

const INT32_BYTES = 5
const INT64_BYTES = 10

/** `longVarint` for what is mostly one byte or two. */
function varint(bytes: Uint8Array, bytesMax: number): number {
  const first = bytes[cursor]!
  if (first < 0x80) {
    cursor += 1
    return first
  }
  const second = bytes[cursor + 1]!
  if (second < 0x80) {
    cursor += 2
    return (first & 0x7f) | (second << 7)
  }
  return longVarint(bytes, bytesMax)
}

const unzigzag = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2)

/** Moves past a length and the bytes it announces; false for null. */
function skipBytes(bytes: Uint8Array): boolean {
  const length = varint(bytes, INT32_BYTES)
  if ((length & 1) === 1) return false
  cursor += length / 2
  return true
}

/** Moves past the headers of a record; false when they break the format. */
function skipHeaders(bytes: Uint8Array, end: number): boolean {
  const count = varint(bytes, INT32_BYTES)
  if (count === 0) return true
  if ((count & 1) === 1 || count / 2 > end - cursor) return false
  for (let index = count / 2; index > 0; index--) {
    if (!skipBytes(bytes) || cursor > end) return false
    skipBytes(bytes)
    if (cursor > end) return false
  }
  return true
}

export interface RecordRange {
  readonly start: number
  readonly end: number
  readonly count: number
  readonly baseTimestamp: number
}

/** Walks the uncompressed records `bytes[start, end)`. Allocates only the answer. */
export function checkRecordBytes(bytes: Uint8Array, range: RecordRange): RecordCheck {
  const { start, end, count } = range
  let maxDelta = Number.NEGATIVE_INFINITY
  let minDelta = Number.POSITIVE_INFINITY
  let indexOfMaxTimestamp = -1
  let firstNullKey = -1
  let offsetsInOrder = true
  const noTimestamp = -1 - range.baseTimestamp
  cursor = start
  for (let index = 0; index < count; index++) {
    if (cursor >= end) return malformed(cursor)
    const length = varint(bytes, INT32_BYTES)
    const recordEnd = cursor + length / 2
    if ((length & 1) === 1 || recordEnd > end || recordEnd <= cursor) return malformed(cursor)
    // The attributes of a record, which nothing uses.
    cursor += 1

    const zigzag = varint(bytes, INT64_BYTES)
    const delta = zigzag < 0x4000 ? (zigzag >>> 1) ^ -(zigzag & 1) : unzigzag(zigzag)
    if (delta > maxDelta) {
      maxDelta = delta
      indexOfMaxTimestamp = index
    }
    if (delta < minDelta && delta !== noTimestamp) minDelta = delta

    if (varint(bytes, INT32_BYTES) !== index * 2) offsetsInOrder = false
    if (!skipBytes(bytes) && firstNullKey < 0) firstNullKey = index
    if (cursor >= recordEnd) return malformed(cursor)
    skipBytes(bytes)
    if (cursor >= recordEnd) return malformed(cursor)
    if (!skipHeaders(bytes, recordEnd) || cursor !== recordEnd) return malformed(cursor)
  }
  if (cursor !== end) return malformed(cursor)
  return {
    error: Errors.NONE,
    maxTimestamp: count > 0 ? range.baseTimestamp + maxDelta : -1,
    indexOfMaxTimestamp,
    minTimestamp: Number.isFinite(minDelta) ? range.baseTimestamp + minDelta : -1,
    firstNullKey,
    offsetsInOrder,
  }
}

/** Walks the records of an uncompressed batch of format 2 that is there as a whole. */
export function checkRecords(bytes: Buffer, at: number): RecordCheck {
  return checkRecordBytes(bytes, {
    start: at + batch.HEADER_BYTES,
    end: at + batch.batchSize(bytes, at),
    count: batch.recordCount(bytes, at),
    baseTimestamp: batch.baseTimestamp(bytes, at),
  })
}

function readHeaders(reader: Reader): RecordHeader[] {
  const count = reader.varint()
  if (count < 0 || count > reader.remaining) {
    throw new WireError(`${count} record headers`, reader.position)
  }
  const headers: RecordHeader[] = []
  for (let index = 0; index < count; index++) {
    const key = reader.string(reader.varint())
    const length = reader.varint()
    headers.push({ key, value: length < 0 ? null : reader.bytes(length) })
  }
  return headers
}

const NO_HEADERS: readonly RecordHeader[] = []

/** How the records of a batch get their offsets and timestamps. */
export interface RecordOrigin {
  readonly baseOffset: number
  readonly baseTimestamp: number
  /** Set when the broker stamped the batch: then all its records have this time. */
  readonly logAppendTime: number | undefined
}

/** The next record of uncompressed records. Throws WireError. */
export function readRecord(reader: Reader, origin: RecordOrigin): LogRecord {
  const length = reader.varint()
  const start = reader.position
  if (length < 1 || length > reader.remaining) {
    throw new WireError(`a record of ${length} bytes`, start)
  }
  reader.int8()
  const timestampDelta = Number(reader.varlong())
  const offsetDelta = reader.varint()
  const keyLength = reader.varint()
  const key = keyLength < 0 ? null : reader.bytes(keyLength)
  const valueLength = reader.varint()
  const value = valueLength < 0 ? null : reader.bytes(valueLength)
  const noHeaders = reader.buffer[reader.position] === 0
  const headers = noHeaders ? NO_HEADERS : readHeaders(reader)
  if (noHeaders) reader.int8()
  if (reader.position !== start + length) {
    throw new WireError('a record does not have the length it states', start)
  }
  return {
    offset: origin.baseOffset + offsetDelta,
    timestamp: origin.logAppendTime ?? origin.baseTimestamp + timestampDelta,
    key,
    value,
    headers,
  }
}

/** Records of a batch stay below this after decompression, unless the caller says otherwise. */
export const DECOMPRESSED_BYTES_MAX = 128 * 1024 * 1024

/** The records of a whole batch of format 2, decompressed. Throws WireError. */
export function readRecords(
  bytes: Buffer,
  at = 0,
  decompressedBytesMax = DECOMPRESSED_BYTES_MAX,
): LogRecord[] {
  const end = at + batch.batchSize(bytes, at)
  if (end < at + batch.HEADER_BYTES || end > bytes.length) {
    throw new WireError('a batch is cut off', at)
  }
  const plain = bytes.subarray(at + batch.HEADER_BYTES, end)
  const codec = batch.codecId(bytes, at)
  const reader = new Reader(codec === 0 ? plain : decompress(codec, plain, decompressedBytesMax))
  const origin: RecordOrigin = {
    baseOffset: batch.baseOffset(bytes, at),
    baseTimestamp: batch.baseTimestamp(bytes, at),
    logAppendTime: batch.isLogAppendTime(bytes, at) ? batch.maxTimestamp(bytes, at) : undefined,
  }
  const count = batch.recordCount(bytes, at)
  const records: LogRecord[] = []
  for (let index = 0; index < count; index++) records.push(readRecord(reader, origin))
  if (reader.remaining > 0) {
    throw new WireError(`${reader.remaining} bytes after the last record`, reader.position)
  }
  return records
}
