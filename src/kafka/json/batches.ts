// Record batches as JSON, in the form of the reference vectors.
import { Errors } from '../errors.ts'
import * as batch from '../records/batch.ts'
import { CODEC_NAMES } from '../records/compression.ts'
import { RecordsError } from '../records/failure.ts'
import * as legacy from '../records/legacy.ts'
import { sourceRecords } from '../records/read.ts'
import type { LogRecord } from '../records/record.ts'
import type { Json, JsonObject } from './values.ts'
import { bigintJson } from './values.ts'

const base64 = (bytes: Buffer | null): string | null => bytes?.toString('base64') ?? null

const CONTROL_TYPES = ['ABORT', 'COMMIT'] as const

function controlJson(record: LogRecord): JsonObject {
  const { key, value } = record
  if (key === null || key.length < 4) return {}
  const type = CONTROL_TYPES[key.readInt16BE(2)] ?? 'UNKNOWN'
  return value === null || value.length < 6
    ? { controlType: type }
    : { controlType: type, coordinatorEpoch: value.readInt32BE(2) }
}

function sequenceOf(first: number, delta: number): number {
  const sequence = first + delta
  return first < 0 ? -1 : sequence > 0x7fffffff ? sequence - 0x80000000 : sequence
}

interface RecordJson extends JsonObject {
  readonly offset: Json
}

function recordsJson(bytes: Buffer, at: number): RecordJson[] {
  const format2 = batch.magic(bytes, at) === 2
  // Offsets may be beyond 2^53: records are read relative to 0 and moved with bigints.
  const copy = Buffer.from(bytes.subarray(at, at + batch.batchSize(bytes, at)))
  const base = copy.readBigInt64BE(0)
  if (format2) batch.setBaseOffset(copy, 0, 0)
  const producer = format2 && batch.hasProducerId(copy, 0)
  const control = format2 && batch.isControl(copy, 0)
  return sourceRecords(copy, 0).map((record) => ({
    offset: format2 ? bigintJson(base + BigInt(record.offset)) : record.offset,
    timestamp: record.timestamp,
    key: base64(record.key),
    value: base64(record.value),
    ...(format2
      ? { headers: record.headers.map(({ key, value }) => ({ key, value: base64(value) })) }
      : {}),
    ...(producer ? { sequence: sequenceOf(batch.baseSequence(copy, 0), record.offset) } : {}),
    ...(control ? controlJson(record) : {}),
  }))
}

function format2Json(bytes: Buffer, at: number): JsonObject {
  const base = bytes.readBigInt64BE(at)
  const attributes = batch.attributes(bytes, at)
  const horizon = (attributes & batch.DELETE_HORIZON_BIT) !== 0
  const baseTimestamp = bigintJson(bytes.readBigInt64BE(at + 27))
  return {
    baseOffset: bigintJson(base),
    lastOffset: bigintJson(base + BigInt(batch.lastOffsetDelta(bytes, at))),
    attributes,
    timestampType: batch.isLogAppendTime(bytes, at) ? 'LogAppendTime' : 'CreateTime',
    maxTimestamp: bigintJson(bytes.readBigInt64BE(at + 35)),
    crc: batch.crcOf(bytes, at),
    crcValid: batch.verifyCrc(bytes, at),
    lastOffsetDelta: batch.lastOffsetDelta(bytes, at),
    baseTimestamp,
    producerId: bigintJson(bytes.readBigInt64BE(at + 43)),
    producerEpoch: batch.producerEpoch(bytes, at),
    baseSequence: batch.baseSequence(bytes, at),
    lastSequence: batch.lastSequence(bytes, at),
    transactional: batch.isTransactional(bytes, at),
    control: batch.isControl(bytes, at),
    partitionLeaderEpoch: batch.partitionLeaderEpoch(bytes, at),
    ...(horizon ? { deleteHorizonMs: baseTimestamp } : {}),
    count: batch.recordCount(bytes, at),
  }
}

function legacyJson(bytes: Buffer, at: number, firstOffset: Json): JsonObject {
  const magic = batch.magic(bytes, at)
  const stamped = legacy.legacyIsLogAppendTime(bytes, at) ? 'LogAppendTime' : 'CreateTime'
  return {
    baseOffset: firstOffset,
    lastOffset: batch.baseOffset(bytes, at),
    attributes: bytes.readInt8(at + 17),
    timestampType: magic === 0 ? 'NoTimestampType' : stamped,
    maxTimestamp: legacy.legacyTimestamp(bytes, at),
    crc: bytes.readUInt32BE(at + 12),
    crcValid: legacy.verifyLegacyCrc(bytes, at),
  }
}

function batchJson(bytes: Buffer, at: number, position: number): JsonObject {
  const magic = batch.magic(bytes, at)
  const size = batch.batchSize(bytes, at)
  if (magic === 2 && size < batch.HEADER_BYTES) {
    throw new RecordsError(Errors.CORRUPT_MESSAGE, `a batch of ${size} bytes`, at)
  }
  const records = recordsJson(bytes, at)
  const codec = magic === 2 ? batch.codecId(bytes, at) : legacy.legacyCodecId(bytes, at)
  return {
    magic,
    position,
    sizeInBytes: size,
    codec,
    codecName: CODEC_NAMES[codec] ?? 'unknown',
    ...(magic === 2 ? format2Json(bytes, at) : legacyJson(bytes, at, records[0]?.offset ?? -1)),
    records,
  }
}

/** Every whole batch in `bytes`, with its records. Throws WireError. */
export function batchesJson(bytes: Buffer): Json[] {
  const listing: Json[] = []
  for (const at of batch.batches(bytes, 0, bytes.length)) listing.push(batchJson(bytes, at, at))
  return listing
}
