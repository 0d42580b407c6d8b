// Pure.
// What a leader does with produced records before they go to its log: checks them, gives them
// offsets, leader epoch and time, and rewrites them only where the topic asks for another format or
// codec, or where offsets inside a compressed set are wrong. The verdicts are Kafka's.
import { WireError } from '../../wire/errors.ts'
import { readInt32 } from '../../wire/integers.ts'
import type { ErrorCode } from '../errors.ts'
import { Errors } from '../errors.ts'
import * as batch from './batch.ts'
import type { CodecName } from './compression.ts'
import { CODEC_NAMES, codecName } from './compression.ts'
import { RecordsError } from './failure.ts'
import type { SourceRecord } from './legacy.ts'
import * as legacy from './legacy.ts'
import { plainRecords, sourceRecords } from './read.ts'
import type { RecordCheck } from './record.ts'
import { rebuild } from './rebuild.ts'
import type { Accepted, RecordRefusal, Refused, Rules, ValidationOptions } from './rules.ts'
import { rulesOf } from './rules.ts'

export type { Accepted, RecordRefusal, Refused, ValidationOptions } from './rules.ts'

function refuse(error: ErrorCode, message: string): never {
  throw new RecordsError(error, message)
}

/**
 * What Produce demands of a partition's records before any log sees them: from version 3 exactly
 * one batch of format 2, zstd only from version 7. Returns an error code.
 */
export function checkProduceRecords(
  bytes: Buffer,
  start: number,
  end: number,
  apiVersion: number,
): ErrorCode {
  if (apiVersion < 3) return Errors.NONE
  try {
    const size = batch.wholeBatchSize(bytes, start, end)
    if (size === 0 || batch.magic(bytes, start) !== 2) return Errors.INVALID_RECORD
    if (apiVersion < 7) {
      const codec = codecName(batch.codecId(bytes, start))
      if (codec === undefined) return Errors.UNKNOWN_SERVER_ERROR
      if (codec === 'zstd') return Errors.UNSUPPORTED_COMPRESSION_TYPE
    }
    const more = batch.wholeBatchSize(bytes, start + size, end)
    return more === 0 ? Errors.NONE : Errors.INVALID_RECORD
  } catch (error) {
    if (error instanceof WireError) return Errors.CORRUPT_MESSAGE
    throw error
  }
}

/** What was found before looking into the batches. `end` is where the last whole one ends. */
interface Survey {
  readonly start: number
  readonly end: number
  readonly batchCount: number
  readonly codec: CodecName
  readonly firstMagic: number
  readonly sameMagic: boolean
}

function survey(bytes: Buffer, start: number, limit: number, rules: Rules): Survey {
  let at = start
  let batchCount = 0
  let codec: CodecName = 'none'
  let firstMagic = -1
  let sameMagic = true
  for (;;) {
    const size = wholeBatchSize(bytes, at, limit)
    if (size === 0) return { start, end: at, batchCount, codec, firstMagic, sameMagic }
    const magic = batch.magic(bytes, at)
    if (batchCount === 0) firstMagic = magic
    sameMagic &&= magic === firstMagic
    if (magic === 2 && rules.origin === 'client' && !startsAtZero(bytes, at)) {
      refuse(Errors.INVALID_RECORD, 'a batch from a client must have base offset 0')
    }
    if (size > rules.maxMessageBytes) {
      refuse(Errors.MESSAGE_TOO_LARGE, `a batch of ${size} bytes, ${rules.maxMessageBytes} allowed`)
    }
    const sound = magic === 2 ? batch.verifyCrc(bytes, at) : legacy.verifyLegacyCrc(bytes, at)
    if (!sound) refuse(Errors.CORRUPT_MESSAGE, 'a batch fails its checksum')
    const id = magic === 2 ? batch.codecId(bytes, at) : legacy.legacyCodecId(bytes, at)
    const name = codecName(id) ?? refuse(Errors.UNKNOWN_SERVER_ERROR, `no codec ${id}`)
    if (name !== 'none') codec = name
    batchCount += 1
    at += size
  }
}

function wholeBatchSize(bytes: Buffer, at: number, end: number): number {
  try {
    return batch.wholeBatchSize(bytes, at, end)
  } catch (error) {
    if (error instanceof WireError) return refuse(Errors.CORRUPT_MESSAGE, error.message)
    throw error
  }
}

function startsAtZero(bytes: Buffer, at: number): boolean {
  return readInt32(bytes, at) === 0 && readInt32(bytes, at + 4) === 0
}

/** The rules for a header, whatever its records are. */
function checkHeader(bytes: Buffer, at: number, found: Survey, rules: Rules): void {
  const magic = batch.magic(bytes, at)
  if (magic !== found.firstMagic) refuse(Errors.INVALID_RECORD, 'batches of several formats')
  if (magic < 2) return
  const producer = batch.hasProducerId(bytes, at)
  if (rules.origin === 'client') {
    const count = batch.recordCount(bytes, at)
    if (count <= 0 || count !== batch.lastOffsetDelta(bytes, at) + 1) {
      refuse(Errors.INVALID_RECORD, 'the number of records does not fit the offsets')
    }
    if (batch.isControl(bytes, at)) refuse(Errors.INVALID_RECORD, 'a control batch from a client')
    if (producer && batch.baseSequence(bytes, at) < 0) {
      refuse(Errors.INVALID_RECORD, 'a producer id without a sequence')
    }
  }
  if (rules.magic < 2 && (producer || batch.isTransactional(bytes, at))) {
    refuse(Errors.UNSUPPORTED_FOR_MESSAGE_FORMAT, 'the format of the topic has no producer ids')
  }
}

function outsideLimits(timestamp: number, rules: Rules): boolean {
  const age = rules.now - timestamp
  return age > rules.beforeMaxMs || -age > rules.afterMaxMs
}

/** What is wrong with one record by itself, or undefined. */
function recordRefusal(
  record: SourceRecord,
  index: number,
  magic: number,
  rules: Rules,
): RecordRefusal | undefined {
  const invalid = Errors.INVALID_RECORD
  if (record.magic !== magic) {
    return { index, error: invalid, message: 'the format is not that of the batch' }
  }
  if (!record.sound) refuse(Errors.CORRUPT_MESSAGE, 'a message fails its checksum')
  if (rules.compacted && record.key === null) {
    return { index, error: invalid, message: 'a compacted topic accepts no record without a key' }
  }
  const { timestamp } = record
  const error = Errors.INVALID_TIMESTAMP
  if (rules.timestampType === 'CreateTime' && timestamp !== batch.NONE) {
    if (!outsideLimits(timestamp, rules)) return undefined
    return { index, error, message: `timestamp ${timestamp} is out of the allowed range` }
  }
  if (!record.logAppendTime) return undefined
  return { index, error, message: 'a producer must not set LogAppendTime' }
}

class RecordsRefused extends RecordsError {
  readonly records: readonly RecordRefusal[]

  constructor(records: readonly RecordRefusal[]) {
    const byTime = records.some((record) => record.error === Errors.INVALID_TIMESTAMP)
    const code = byTime ? Errors.INVALID_TIMESTAMP : Errors.INVALID_RECORD
    super(code, `${records.length} records were refused, the first: ${records[0]?.message ?? ''}`)
    this.records = records
  }
}

/** The records of one batch, each of them within the rules. */
function checkedRecords(bytes: Buffer, at: number, rules: Rules): SourceRecord[] {
  const magic = batch.magic(bytes, at)
  const records = sourceRecords(bytes, at, rules.decompressedBytesMax)
  const refusals = records
    .map((record, index) => recordRefusal(record, index, magic, rules))
    .filter((refusal) => refusal !== undefined)
  if (refusals.length > 0) throw new RecordsRefused(refusals)
  return records
}

function accepted(
  bytes: Buffer,
  found: Survey,
  rules: Rules,
  rest: Pick<Accepted, 'recordCount' | 'maxTimestamp' | 'offsetOfMaxTimestamp'>,
): Accepted {
  const { start, end } = found
  const { firstOffset } = rules
  const lastOffset = firstOffset + rest.recordCount - 1
  const recordsConverted = 0
  return {
    error: Errors.NONE,
    bytes,
    start,
    end,
    firstOffset,
    lastOffset,
    recordsConverted,
    ...rest,
  }
}

/** One batch of format 2 that keeps its codec: checked by a walk, changed in its header only. */
function assignInPlace(bytes: Buffer, found: Survey, rules: Rules): Accepted | undefined {
  const at = found.start
  checkHeader(bytes, at, found, rules)
  const { check } = plainRecords(bytes, at, rules.decompressedBytesMax)
  if (check.error !== Errors.NONE) refuse(check.error, 'malformed records')
  const stampedBySender = batch.isLogAppendTime(bytes, at)
  if (suspicious(bytes, at, check, rules)) checkedRecords(bytes, at, rules)
  if (found.codec !== 'none' && !check.offsetsInOrder) return undefined
  const byBroker = rules.timestampType === 'LogAppendTime'
  const created = stampedBySender ? batch.maxTimestamp(bytes, at) : check.maxTimestamp
  const maxTimestamp = byBroker ? rules.now : created
  const recordCount = batch.recordCount(bytes, at)
  const lastOffset = rules.firstOffset + recordCount - 1
  batch.setBaseOffset(bytes, at, lastOffset - batch.lastOffsetDelta(bytes, at))
  batch.setPartitionLeaderEpoch(bytes, at, rules.leaderEpoch)
  batch.setMaxTimestamp(bytes, at, maxTimestamp, byBroker)
  return accepted(bytes, found, rules, {
    recordCount,
    maxTimestamp,
    offsetOfMaxTimestamp: maxTimestamp === batch.NONE ? batch.NONE : lastOffset,
  })
}

/** Whether some record may break a rule, so that each has to be looked at. */
function suspicious(bytes: Buffer, at: number, check: RecordCheck, rules: Rules): boolean {
  if (rules.compacted && check.firstNullKey >= 0) return true
  if (batch.isLogAppendTime(bytes, at)) return true
  if (rules.timestampType === 'LogAppendTime') return false
  return outsideLimits(check.minTimestamp, rules) || outsideLimits(check.maxTimestamp, rules)
}

/** Uncompressed messages that keep their format 0 or 1: offset and time are set in each. */
function assignMessages(bytes: Buffer, found: Survey, rules: Rules): Accepted {
  const byBroker = rules.timestampType === 'LogAppendTime'
  let offset = rules.firstOffset
  let maxTimestamp: number = batch.NONE
  let offsetOfMaxTimestamp: number = batch.NONE
  for (const at of batch.batches(bytes, found.start, found.end)) {
    checkHeader(bytes, at, found, rules)
    const [record] = checkedRecords(bytes, at, rules)
    batch.setBaseOffset(bytes, at, offset)
    if (found.firstMagic === 1 && record !== undefined) {
      const timestamp = byBroker ? rules.now : record.timestamp
      legacy.setLegacyTimestamp(bytes, at, timestamp, byBroker)
      if (timestamp > maxTimestamp) {
        maxTimestamp = timestamp
        offsetOfMaxTimestamp = offset
      }
    }
    offset += 1
  }
  const recordCount = offset - rules.firstOffset
  return accepted(bytes, found, rules, { recordCount, maxTimestamp, offsetOfMaxTimestamp })
}

/** A wrapper of format 1 whose inner offsets are right and whose codec stays. */
function assignWrapper(
  bytes: Buffer,
  found: Survey,
  rules: Rules,
  records: readonly SourceRecord[],
): Accepted {
  const at = found.start
  const byBroker = rules.timestampType === 'LogAppendTime'
  const maxTimestamp = byBroker ? rules.now : maxTimestampOf(records)
  const lastOffset = rules.firstOffset + records.length - 1
  batch.setBaseOffset(bytes, at, lastOffset)
  legacy.setLegacyTimestamp(bytes, at, maxTimestamp, byBroker)
  return accepted(bytes, found, rules, {
    recordCount: records.length,
    maxTimestamp,
    offsetOfMaxTimestamp: lastOffset,
  })
}

function maxTimestampOf(records: readonly SourceRecord[]): number {
  let max: number = batch.NONE
  for (const record of records) max = Math.max(max, record.timestamp)
  return max
}

function targetCodec(found: Survey, rules: Rules): CodecName {
  if (rules.compressionType === 'producer') return found.codec
  if (rules.compressionType === 'uncompressed') return 'none'
  return CODEC_NAMES.find((name) => name === rules.compressionType) ?? 'none'
}

function validate(bytes: Buffer, found: Survey, rules: Rules): Accepted {
  const codec = targetCodec(found, rules)
  if (found.batchCount > 1 && (found.firstMagic === 2 || found.codec !== 'none')) {
    refuse(Errors.INVALID_RECORD, 'more than one batch')
  }
  const keepsFormat = found.firstMagic === rules.magic && found.sameMagic
  const keepsCodec = found.codec === codec
  const control = found.firstMagic === 2 && batch.isControl(bytes, found.start)
  if (keepsFormat && rules.magic === 2 && (keepsCodec || control)) {
    const inPlace = assignInPlace(bytes, found, rules)
    if (inPlace !== undefined) return inPlace
  } else if (keepsFormat && keepsCodec && codec === 'none') {
    return assignMessages(bytes, found, rules)
  }
  const records: SourceRecord[] = []
  for (const at of batch.batches(bytes, found.start, found.end)) {
    checkHeader(bytes, at, found, rules)
    for (const record of checkedRecords(bytes, at, rules)) records.push(record)
  }
  if (keepsFormat && keepsCodec && rules.magic === 1) {
    const inOrder = records.every((record, index) => record.offset === index)
    if (inOrder) return assignWrapper(bytes, found, rules, records)
  }
  return rebuild(bytes, found.start, records, codec, rules)
}

/**
 * Checks `bytes[start, end)` and prepares it for the log. What is cut off at the end is left out;
 * with no whole batch at all the answer is empty and accepted. Changes the buffer only when it
 * accepts.
 */
export function validateBatches(
  bytes: Buffer,
  start: number,
  end: number,
  options: ValidationOptions,
): Accepted | Refused {
  const rules = rulesOf(options)
  try {
    const found = survey(bytes, start, end, rules)
    if (found.batchCount > 0) return validate(bytes, found, rules)
    const nothing = { recordCount: 0, maxTimestamp: -1, offsetOfMaxTimestamp: -1 }
    return accepted(bytes, found, rules, nothing)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    const records = error instanceof RecordsRefused ? error.records : []
    const code = error instanceof RecordsError ? error.code : Errors.INVALID_RECORD
    return {
      error: code === Errors.NONE ? Errors.INVALID_RECORD : code,
      message: error.message,
      records,
    }
  }
}
