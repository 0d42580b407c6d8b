// Pure.
// A batch of the producer as bytes: format v2, or message sets of format v1 for brokers before
// 0.11.
import { Errors } from '../../kafka/errors.ts'
import { RecordBatchBuilder } from '../../kafka/records/builder.ts'
import { buildMessageSet } from '../../kafka/records/legacy.ts'
import { brokerError, clientError } from '../errors.ts'
import type { CompressionName } from '../types.ts'
import type { Batch, PartitionQueue } from './batch.ts'

/** Produce requests from this version on carry format v2. */
const firstVersionWithBatches = 3
/** zstd (KIP-110). */
const firstVersionWithZstd = 7

/**
 * The same bytes again for a retry. @throws KafkaError where the version cannot carry the records.
 */
export function encodeBatch(
  queue: PartitionQueue,
  batch: Batch,
  compression: CompressionName,
  produceVersion: number,
): Buffer {
  const magic = produceVersion < firstVersionWithBatches ? 1 : 2
  if (batch.encoded?.magic === magic) return batch.encoded.bytes
  if (compression === 'zstd' && produceVersion < firstVersionWithZstd) {
    throw brokerError(Errors.UNSUPPORTED_COMPRESSION_TYPE, `Produce v${produceVersion}`)
  }
  const bytes = magic === 2 ? encodeV2(queue, batch, compression) : encodeV1(batch, compression)
  batch.encoded = { magic, bytes }
  return bytes
}

function encodeV2(queue: PartitionQueue, batch: Batch, compression: CompressionName): Buffer {
  const builder = new RecordBatchBuilder()
  for (const { timestamp, key, value, headers } of batch.records) {
    builder.add(timestamp, key, value, headers)
  }
  const identity = batch.baseSequence < 0 ? undefined : queue.identity
  return builder.build({
    codec: compression,
    producerId: identity?.producerId ?? -1,
    producerEpoch: identity?.producerEpoch ?? -1,
    baseSequence: batch.baseSequence,
  })
}

/** Format v1 has no headers: rather than lose them, refuse. */
function encodeV1(batch: Batch, compression: CompressionName): Buffer {
  if (batch.records.some(({ headers }) => headers.length > 0)) {
    throw clientError('INVALID_ARGUMENT', 'the broker (before 0.11) cannot keep record headers')
  }
  const records = batch.records.map(({ timestamp, key, value }, offset) => {
    return { offset, timestamp, key, value }
  })
  return buildMessageSet(records, { magic: 1, codec: compression })
}
