// Records of a set of batches in any format, as consumers and conversions need them.
import { Reader } from '../../wire/reader.ts'
import { Errors } from '../errors.ts'
import * as batch from './batch.ts'
import { codecName, decompress } from './compression.ts'
import { RecordsError } from './failure.ts'
import type { SourceRecord } from './legacy.ts'
import { readLegacy } from './legacy.ts'
import type { LogRecord, RecordCheck } from './record.ts'
import { checkRecordBytes, DECOMPRESSED_BYTES_MAX, readRecord, readRecords } from './record.ts'

/** The records of a batch of format 2 after decompression, and what a walk over them found. */
export interface PlainRecords {
  readonly bytes: Buffer
  readonly check: RecordCheck
}

/** Throws RecordsError: UNKNOWN_SERVER_ERROR, as Kafka has it, if they cannot be decompressed. */
export function plainRecords(
  bytes: Buffer,
  at: number,
  decompressedBytesMax = DECOMPRESSED_BYTES_MAX,
): PlainRecords {
  const packed = bytes.subarray(at + batch.HEADER_BYTES, at + batch.batchSize(bytes, at))
  const plain = unpack(batch.codecId(bytes, at), packed, decompressedBytesMax)
  const check = checkRecordBytes(plain, {
    start: 0,
    end: plain.length,
    count: batch.recordCount(bytes, at),
    baseTimestamp: batch.baseTimestamp(bytes, at),
  })
  return { bytes: plain, check }
}

function unpack(codec: number, packed: Buffer, decompressedBytesMax: number): Buffer {
  if (codec === 0) return packed
  try {
    return decompress(codec, packed, decompressedBytesMax)
  } catch (error) {
    if (error instanceof RecordsError) throw error
    // The one codec whose Java reader takes emptiness for an end, not for damage.
    if (packed.length === 0 && codecName(codec) === 'zstd') return packed
    const reason = error instanceof Error ? error.message : String(error)
    throw new RecordsError(Errors.UNKNOWN_SERVER_ERROR, reason)
  }
}

/** The records of the whole batch at `at`, of any format. Throws RecordsError. */
export function sourceRecords(
  bytes: Buffer,
  at: number,
  decompressedBytesMax = DECOMPRESSED_BYTES_MAX,
): SourceRecord[] {
  if (batch.magic(bytes, at) < 2) return legacyRecords(bytes, at, decompressedBytesMax)
  const plain = plainRecords(bytes, at, decompressedBytesMax)
  if (plain.check.error !== Errors.NONE) {
    throw new RecordsError(plain.check.error, 'malformed records', at)
  }
  const logAppendTime = batch.isLogAppendTime(bytes, at)
  const origin = {
    baseOffset: batch.baseOffset(bytes, at),
    baseTimestamp: batch.baseTimestamp(bytes, at),
    logAppendTime: logAppendTime ? batch.maxTimestamp(bytes, at) : undefined,
  }
  const reader = new Reader(plain.bytes)
  const records: SourceRecord[] = []
  for (let count = batch.recordCount(bytes, at); count > 0; count--) {
    records.push({ ...readRecord(reader, origin), magic: 2, logAppendTime, sound: true })
  }
  return records
}

function legacyRecords(bytes: Buffer, at: number, decompressedBytesMax: number): SourceRecord[] {
  try {
    return readLegacy(bytes, at, decompressedBytesMax)
  } catch (error) {
    if (error instanceof RecordsError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new RecordsError(Errors.UNKNOWN_SERVER_ERROR, reason, at)
  }
}

/**
 * All records of the whole batches in `bytes[start, end)`, control batches left out, in any format.
 * A batch that is cut off at the end is passed over, as fetches may end in one. Throws WireError.
 */
export function readAllRecords(bytes: Buffer, start = 0, end = bytes.length): LogRecord[] {
  const all: LogRecord[] = []
  for (const at of batch.batches(bytes, start, end)) {
    if (batch.magic(bytes, at) < 2) {
      for (const record of readLegacy(bytes, at, DECOMPRESSED_BYTES_MAX)) all.push(record)
    } else if (!batch.isControl(bytes, at)) {
      for (const record of readRecords(bytes, at)) all.push(record)
    }
  }
  return all
}
