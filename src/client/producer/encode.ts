// Pure.
// A batch of the producer as bytes: format v2, or message sets of format v1 for brokers before
// 0.11.
import { Errors } from '../../kafka/errors.ts'
import * as header from '../../kafka/records/batch.ts'
import { RecordBatchBuilder } from '../../kafka/records/builder.ts'
import { buildMessageSet } from '../../kafka/records/legacy.ts'
import { readAllRecords } from '../../kafka/records/read.ts'
import type { LogRecord } from '../../kafka/records/record.ts'
import { brokerError, clientError } from '../errors.ts'
import type { CompressionName } from '../types.ts'
import { addRecord, type Batch, countOf, newBatch, type ProducerIdentity } from './batch.ts'

/** Produce requests from this version on carry format v2. */
const firstVersionWithBatches = 3
/** zstd (KIP-110). */
const firstVersionWithZstd = 7

export interface Encoding {
  readonly compression: CompressionName
  readonly produceVersion: number
  /** Whose sequence numbers the partition's batches carry. */
  readonly identity: ProducerIdentity | undefined
}

/**
 * The same bytes again for a retry; where the batch has another sequence number by now, with that.
 * @throws KafkaError where the version cannot carry the records.
 */
export function encodeBatch(batch: Batch, encoding: Encoding): Buffer {
  const { compression, produceVersion } = encoding
  const magic = produceVersion < firstVersionWithBatches ? 1 : 2
  if (compression === 'zstd' && produceVersion < firstVersionWithZstd) {
    throw brokerError(Errors.UNSUPPORTED_COMPRESSION_TYPE, `Produce v${produceVersion}`)
  }
  const identity = batch.baseSequence < 0 ? undefined : encoding.identity
  const known = batch.encoded
  if (known?.magic === magic) {
    const same = known.identity === identity && known.baseSequence === batch.baseSequence
    if (magic === 2 && !same) renumber(known.bytes, identity, batch.baseSequence)
    known.identity = identity
    known.baseSequence = batch.baseSequence
    return known.bytes
  }
  const bytes = magic === 1 ? encodeV1(batch, compression) : encodeV2(batch, compression, identity)
  batch.encoded = { magic, bytes, identity, baseSequence: batch.baseSequence }
  batch.builder = undefined
  return bytes
}

function encodeV2(
  batch: Batch,
  codec: CompressionName,
  identity: ProducerIdentity | undefined,
): Buffer {
  const builder = batch.builder ?? builderOf(recordsOf(batch))
  return builder.build({
    codec,
    producerId: identity?.producerId ?? header.NONE,
    producerEpoch: identity?.producerEpoch ?? header.NONE,
    baseSequence: batch.baseSequence,
  })
}

/** Format v1 has no headers: rather than lose them, refuse. */
function encodeV1(batch: Batch, codec: CompressionName): Buffer {
  const records = recordsOf(batch)
  if (records.some(({ headers }) => headers.length > 0)) {
    throw clientError('INVALID_ARGUMENT', 'the broker (before 0.11) cannot keep record headers')
  }
  const messages = records.map(({ timestamp, key, value }, offset) => {
    return { offset, timestamp, key, value }
  })
  return buildMessageSet(messages, { magic: 1, codec })
}

/** Reads back what the batch holds; a builder is used up by that, its bytes stay. */
function recordsOf(batch: Batch): LogRecord[] {
  if (batch.encoded === undefined) {
    const bytes = (batch.builder ?? new RecordBatchBuilder()).build()
    batch.builder = undefined
    batch.encoded = { magic: 2, bytes, identity: undefined, baseSequence: header.NONE }
  }
  return readAllRecords(batch.encoded.bytes)
}

function builderOf(records: readonly LogRecord[]): RecordBatchBuilder {
  const builder = new RecordBatchBuilder()
  for (const { timestamp, key, value, headers } of records) {
    builder.add(timestamp, key, value, headers)
  }
  return builder
}

function renumber(
  bytes: Buffer,
  identity: ProducerIdentity | undefined,
  baseSequence: number,
): void {
  header.writeHeader(bytes, 0, {
    size: bytes.length,
    baseOffset: 0,
    leaderEpoch: header.NONE,
    attributes: header.attributes(bytes, 0),
    lastOffsetDelta: header.lastOffsetDelta(bytes, 0),
    baseTimestamp: header.baseTimestamp(bytes, 0),
    maxTimestamp: header.maxTimestamp(bytes, 0),
    producerId: identity?.producerId ?? header.NONE,
    producerEpoch: identity?.producerEpoch ?? header.NONE,
    baseSequence,
    recordCount: header.recordCount(bytes, 0),
  })
}

/** The records of a batch as two batches, each with its share. It must hold two or more. */
export function halve(batch: Batch): [Batch, Batch] {
  const records = recordsOf(batch)
  const middle = countOf(batch) >> 1
  const halves: [Batch, Batch] = [
    newBatch(batch.createdMs, batch.order),
    newBatch(batch.createdMs, batch.order + middle),
  ]
  const share = Math.floor(batch.bufferedBytes / records.length)
  let rest = batch.bufferedBytes - share * records.length
  for (const [index, { timestamp, key, value, headers }] of records.entries()) {
    const waiter = batch.waiters[index]
    if (waiter === undefined) throw new RangeError('a record nobody waits for')
    const half = index < middle ? halves[0] : halves[1]
    addRecord(half, { key, value, headers, timestamp, bytes: share + rest, waiter })
    rest = 0
  }
  return halves
}
