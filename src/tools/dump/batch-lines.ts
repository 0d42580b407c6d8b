// Pure.
// A batch and its records as lines of kafka-dump-log.
import * as batch from '../../kafka/records/batch.ts'
import { CODEC_NAMES } from '../../kafka/records/compression.ts'
import {
  legacyCodecId,
  legacyIsLogAppendTime,
  legacyTimestamp,
  type SourceRecord,
  verifyLegacyCrc,
} from '../../kafka/records/legacy.ts'
import type { RecordDecoder } from './decoders.ts'

/** @param bytes the whole batch. @param position where it stands in its file */
export function batchLine(bytes: Buffer, position: number): string {
  const magic = batch.magic(bytes, 0)
  const isNew = magic >= 2
  const time = isNew ? batch.maxTimestamp(bytes, 0) : legacyTimestamp(bytes, 0)
  const codec = isNew ? batch.codecId(bytes, 0) : legacyCodecId(bytes, 0)
  const crc = isNew ? batch.crcOf(bytes, 0) : bytes.readUInt32BE(12)
  const isValid = isNew ? batch.verifyCrc(bytes, 0) : verifyLegacyCrc(bytes, 0)
  const head = isNew ? headText(bytes) : `offset: ${batch.baseOffset(bytes, 0)}`
  return (
    `${head} position: ${position} ${timestampType(bytes)}: ${time} size: ${bytes.length}` +
    ` magic: ${magic} compresscodec: ${CODEC_NAMES[codec] ?? 'unknown'} crc: ${crc} isvalid: ${isValid}`
  )
}

function headText(bytes: Buffer): string {
  const horizon =
    (batch.attributes(bytes, 0) & batch.DELETE_HORIZON_BIT) === 0
      ? 'OptionalLong.empty'
      : `OptionalLong[${batch.baseTimestamp(bytes, 0)}]`
  return (
    `baseOffset: ${batch.baseOffset(bytes, 0)} lastOffset: ${batch.lastOffset(bytes, 0)}` +
    ` count: ${batch.recordCount(bytes, 0)} baseSequence: ${batch.baseSequence(bytes, 0)}` +
    ` lastSequence: ${batch.lastSequence(bytes, 0)} producerId: ${batch.producerId(bytes, 0)}` +
    ` producerEpoch: ${batch.producerEpoch(bytes, 0)}` +
    ` partitionLeaderEpoch: ${batch.partitionLeaderEpoch(bytes, 0)}` +
    ` isTransactional: ${batch.isTransactional(bytes, 0)} isControl: ${batch.isControl(bytes, 0)}` +
    ` deleteHorizonMs: ${horizon}`
  )
}

function timestampType(bytes: Buffer): string {
  const magic = batch.magic(bytes, 0)
  if (magic === 0) return 'NoTimestampType'
  const isAppendTime =
    magic >= 2 ? batch.isLogAppendTime(bytes, 0) : legacyIsLogAppendTime(bytes, 0)
  return isAppendTime ? 'LogAppendTime' : 'CreateTime'
}

export interface RecordLineOptions {
  /** undefined: keys and values are not shown. */
  readonly decoder: RecordDecoder | undefined
  readonly skipsMetadata: boolean
}

/** @param bytes the batch the record is of. May throw where the decoder does. */
export function recordLine(
  bytes: Buffer,
  record: SourceRecord,
  { decoder, skipsMetadata }: RecordLineOptions,
): string {
  const isNew = batch.magic(bytes, 0) >= 2
  const isControl = isNew && batch.isControl(bytes, 0)
  const parts = skipsMetadata ? [] : metadataParts(bytes, record, isNew)
  if (isControl && !skipsMetadata) parts.push(controlText(record))
  if (decoder !== undefined && !isControl) {
    const { key, payload } = decoder(record)
    if (key !== undefined) parts.push(`key: ${key}`)
    if (payload !== undefined) parts.push(`payload: ${payload}`)
  }
  return `| ${parts.join(' ')}`
}

function metadataParts(bytes: Buffer, record: SourceRecord, isNew: boolean): string[] {
  const { offset, timestamp, key, value, headers } = record
  const parts = [
    `offset: ${offset} ${timestampType(bytes)}: ${timestamp}`,
    `keySize: ${key?.length ?? -1} valueSize: ${value?.length ?? -1}`,
  ]
  if (isNew) {
    const keys = headers.map((header) => header.key)
    parts.push(`sequence: ${sequenceOf(bytes, offset)} headerKeys: [${keys.join(',')}]`)
    // The brace is the original's.
  } else parts.push(`isValid: ${record.sound} crc: ${record.checksum}}`)
  return parts
}

function sequenceOf(bytes: Buffer, offset: number): number {
  const first = batch.baseSequence(bytes, 0)
  if (first < 0) return batch.NONE
  const sequence = first + offset - batch.baseOffset(bytes, 0)
  return sequence > 0x7fffffff ? sequence - 0x80000000 : sequence
}

const controlTypes = ['ABORT', 'COMMIT']

function controlText({ key, value }: SourceRecord): string {
  const type = key !== null && key.length >= 4 ? key.readInt16BE(2) : -1
  const name = controlTypes[type]
  if (name === undefined) return `controlType: UNKNOWN(${type})`
  const epoch = value !== null && value.length >= 6 ? value.readInt32BE(2) : -1
  return `endTxnMarker: ${name} coordinatorEpoch: ${epoch}`
}
