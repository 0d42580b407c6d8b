// Pure.
// Records on their way: a batch of one partition, encoded as they come, and whoever waits for them.
import { RecordBatchBuilder } from '../../kafka/records/builder.ts'
import type { KafkaError } from '../errors.ts'
import type { RecordHeader } from '../types.ts'
import type { DeliveryCallback, RecordMetadata } from './types.ts'

/** A record as it enters a batch. Nothing of it is kept but its bytes and who waits. */
export interface QueuedRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
  readonly timestamp: number
  /** What it counts for in the producer's buffer. */
  readonly bytes: number
  readonly waiter: Waiter
}

/** Two functions of a promise, or one callback: what costs less than a promise for each record. */
export type Waiter =
  | DeliveryCallback
  | {
      readonly resolve: (metadata: RecordMetadata) => void
      readonly reject: (error: Error) => void
    }

/** What a batch costs before its first record (61 bytes of header in format v2). */
export const batchOverheadBytes = 61

/** Lengths, deltas and attributes of a record take no more than this beside key, value, headers. */
const recordOverheadBytes = 34

/** An upper bound of a record's size in a batch. */
export function recordBytes(
  key: Buffer | null,
  value: Buffer | null,
  headers: readonly RecordHeader[],
): number {
  let bytes = recordOverheadBytes
  if (key !== null) bytes += key.length
  if (value !== null) bytes += value.length
  for (const header of headers) {
    bytes += 10 + header.key.length * 3 + (header.value?.length ?? 0)
  }
  return bytes
}

/** Bytes as sent, kept for retries. */
export interface EncodedBatch {
  readonly magic: 1 | 2
  readonly bytes: Buffer
  /** Whose sequence number they carry. */
  identity: ProducerIdentity | undefined
  baseSequence: number
}

/** An identity the broker gave for sequence numbers (KIP-98). */
export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

export interface Batch {
  /** Until the batch is encoded for the first time. */
  builder: RecordBatchBuilder | undefined
  encoded: EncodedBatch | undefined
  readonly waiters: Waiter[]
  readonly timestamps: number[]
  /** Encoded and uncompressed. */
  bytes: number
  /** What its records count for in the producer's buffer. */
  bufferedBytes: number
  /** Monotonic milliseconds at which its oldest record was queued. */
  readonly createdMs: number
  /** The place of its first record among all that the queue ever had. */
  readonly order: number
  /** No more records may join: it was sent once, or cut off. */
  sealed: boolean
  attempts: number
  /** Monotonic milliseconds before which it is not sent again. */
  notBeforeMs: number
  /** -1: none given yet. */
  baseSequence: number
  /**
   * Copies of it that were sent under this number and of which no answer told that they were not
   * written. While there are any, another number might write the records twice.
   */
  untoldCopies: number
  /** Why the last try failed. */
  lastError: Error | undefined
  /** Called when its last record is settled. */
  readonly settled: (() => void)[]
}

export function newBatch(createdMs: number, order: number): Batch {
  return {
    builder: new RecordBatchBuilder(),
    encoded: undefined,
    waiters: [],
    timestamps: [],
    bytes: batchOverheadBytes,
    bufferedBytes: 0,
    createdMs,
    order,
    sealed: false,
    attempts: 0,
    notBeforeMs: 0,
    baseSequence: -1,
    untoldCopies: 0,
    lastError: undefined,
    settled: [],
  }
}

/** The batch must not have been encoded. */
export function addRecord(batch: Batch, record: QueuedRecord): void {
  const { key, value, headers, timestamp, bytes, waiter } = record
  if (batch.builder === undefined) throw new RangeError('the batch is encoded already')
  batch.bytes = batch.builder.add(timestamp, key, value, headers)
  batch.bufferedBytes += bytes
  batch.waiters.push(waiter)
  batch.timestamps.push(timestamp)
}

export const countOf = (batch: Batch): number => batch.waiters.length

/** Tells one who waits. A promise cannot throw; what a callback throws is its caller's affair. */
export function deliver(waiter: Waiter, metadata: RecordMetadata): void {
  if (typeof waiter === 'function') waiter(undefined, metadata)
  else waiter.resolve(metadata)
}

export function refuse(waiter: Waiter, error: KafkaError): void {
  if (typeof waiter === 'function') waiter(error, undefined)
  else waiter.reject(error)
}
