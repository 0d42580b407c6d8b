// Writes validated records anew, in the topic's format and codec, as one batch (or as messages when
// formats 0 and 1 go uncompressed).
import { Errors } from '../errors.ts'
import * as batch from './batch.ts'
import { RecordBatchBuilder } from './builder.ts'
import type { CodecName } from './compression.ts'
import { RecordsError } from './failure.ts'
import type { SourceRecord } from './legacy.ts'
import { buildMessageSet } from './legacy.ts'
import type { Accepted, Rules } from './rules.ts'

function inFormat2(
  source: { readonly bytes: Buffer; readonly at: number },
  records: readonly SourceRecord[],
  codec: CodecName,
  rules: Rules,
): Buffer {
  const { bytes, at } = source
  const builder = new RecordBatchBuilder()
  for (const [index, record] of records.entries()) builder.addRecord(record, index)
  const settings = {
    codec,
    baseOffset: rules.firstOffset,
    leaderEpoch: rules.leaderEpoch,
    ...(rules.timestampType === 'LogAppendTime' ? { logAppendTime: rules.now } : {}),
  }
  if (batch.magic(bytes, at) < 2) return builder.build(settings)
  return builder.build({
    ...settings,
    producerId: batch.producerId(bytes, at),
    producerEpoch: batch.producerEpoch(bytes, at),
    baseSequence: batch.baseSequence(bytes, at),
    transactional: batch.isTransactional(bytes, at),
    control: batch.isControl(bytes, at),
  })
}

/** Throws RecordsError when the result is larger than the topic accepts. */
export function rebuild(
  bytes: Buffer,
  at: number,
  records: readonly SourceRecord[],
  codec: CodecName,
  rules: Rules,
): Accepted {
  const { firstOffset, magic } = rules
  const byBroker = rules.timestampType === 'LogAppendTime'
  const lastOffset = firstOffset + records.length - 1
  let maxTimestamp: number = batch.NONE
  let indexOfMax = 0
  for (const [index, record] of records.entries()) {
    if (record.timestamp < batch.NONE) {
      throw new RecordsError(Errors.UNKNOWN_SERVER_ERROR, `timestamp ${record.timestamp}`)
    }
    if (record.timestamp <= maxTimestamp) continue
    maxTimestamp = record.timestamp
    indexOfMax = index
  }
  if (byBroker) maxTimestamp = rules.now
  else if (magic === 0) maxTimestamp = batch.NONE
  const logAppendTime = byBroker ? rules.now : undefined
  const moved = records.map((record, index) => ({ ...record, offset: firstOffset + index }))
  const result =
    magic === 2
      ? inFormat2({ bytes, at }, records, codec, rules)
      : buildMessageSet(moved, { magic, codec, logAppendTime })
  for (const position of batch.batches(result, 0, result.length)) {
    if (batch.batchSize(result, position) <= rules.maxMessageBytes) continue
    throw new RecordsError(Errors.MESSAGE_TOO_LARGE, 'a batch is too large after rewriting')
  }
  const ofMessage = magic === 1 && codec === 'none'
  const offsetOfMax = ofMessage ? firstOffset + (byBroker ? 0 : indexOfMax) : lastOffset
  return {
    error: Errors.NONE,
    bytes: result,
    start: 0,
    end: result.length,
    recordCount: records.length,
    firstOffset,
    lastOffset,
    maxTimestamp,
    offsetOfMaxTimestamp: maxTimestamp === batch.NONE ? batch.NONE : offsetOfMax,
    recordsConverted: records.length,
  }
}
