// Pure.
// Records on their way: a batch of one partition, and the partition's queue with its sequence
// numbers.
import type { RecordHeader } from '../types.ts'
import type { RecordMetadata } from './types.ts'

/** A record and the promise that waits for it. */
export interface PendingRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
  readonly timestamp: number
  /** What it takes in a batch, at most. */
  readonly bytes: number
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
  let bytes = recordOverheadBytes + (key?.length ?? 0) + (value?.length ?? 0)
  for (const header of headers) {
    bytes += 10 + header.key.length * 3 + (header.value?.length ?? 0)
  }
  return bytes
}

/** An identity the broker gave for sequence numbers (KIP-98). */
export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

export interface Batch {
  readonly records: PendingRecord[]
  bytes: number
  /** Monotonic milliseconds at which its oldest record was queued. */
  readonly createdMs: number
  /** Its place in the queue; halves of a split batch share one. */
  readonly order: number
  /** No more records may join: it was sent once, or cut off. */
  sealed: boolean
  attempts: number
  /** Monotonic milliseconds before which it is not sent again. */
  notBeforeMs: number
  /** -1: none given yet. */
  baseSequence: number
  /** Its bytes as sent, kept for retries. */
  encoded: EncodedBatch | undefined
  /** Why the last try failed. */
  lastError: Error | undefined
  /** Called when its last record is settled. */
  readonly settled: (() => void)[]
}

export interface EncodedBatch {
  readonly magic: 1 | 2
  readonly bytes: Buffer
}

/** Sequence numbers run from 0 to 2^31-1 and begin again. */
export function addToSequence(sequence: number, count: number): number {
  return (sequence + count) % 0x80000000
}

export interface DrainConditions {
  readonly nowMs: number
  readonly lingerMs: number
  readonly batchBytes: number
  /** Send what there is: flush, close, or memory is short. */
  readonly hurry: boolean
  /** Undefined: without sequence numbers. */
  readonly identity: ProducerIdentity | undefined
  /** Most batches of one partition on their way. 1 keeps order where there are no sequences. */
  readonly maxInFlight: number
}

/**
 * The batches of one partition, oldest first. Invariants: sequence numbers are given in queue order
 * and without gaps; a batch that is sent again is alone on its way; while `broken`, nothing is
 * sent.
 */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  readonly waiting: Batch[] = []
  readonly inFlight: Batch[] = []
  /** The identity its sequence numbers belong to. */
  identity: ProducerIdentity | undefined = undefined
  #nextSequence = 0
  #order = 0
  /** A number was lost: the partition needs a new identity before it goes on. */
  #broken = false

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0 && this.inFlight.length === 0
  }

  get isBroken(): boolean {
    return this.#broken
  }

  append(record: PendingRecord, nowMs: number, batchBytes: number): void {
    const last = this.waiting[this.waiting.length - 1]
    if (last !== undefined && !last.sealed && last.bytes + record.bytes <= batchBytes) {
      last.records.push(record)
      last.bytes += record.bytes
      return
    }
    if (last !== undefined) last.sealed = true
    this.waiting.push(newBatch([record], nowMs, this.#order++))
  }

  /**
   * Takes the next batch that may leave now, with its sequence number; or says when to ask again
   * (monotonic milliseconds, Infinity: only after something happened).
   */
  take(conditions: DrainConditions): Batch | number {
    const head = this.waiting[0]
    if (head === undefined || this.#broken) return Infinity
    if (this.inFlight.length >= conditions.maxInFlight) return Infinity
    const retries = head.attempts > 0 || (this.inFlight[0]?.attempts ?? 0) > 1
    if (retries && this.inFlight.length > 0) return Infinity
    if (head.notBeforeMs > conditions.nowMs) return head.notBeforeMs
    const complete = head.sealed || head.bytes >= conditions.batchBytes
    const dueMs = head.createdMs + conditions.lingerMs
    if (!complete && !conditions.hurry && dueMs > conditions.nowMs) return dueMs
    this.waiting.shift()
    head.sealed = true
    head.attempts++
    if (conditions.identity !== undefined) this.#giveSequence(head, conditions.identity)
    this.inFlight.push(head)
    return head
  }

  /** It was acknowledged, or will not be sent any more. */
  settle(batch: Batch): void {
    remove(this.inFlight, batch)
    remove(this.waiting, batch)
    this.#mend()
  }

  /** Whether batches in front of this one are unsettled. */
  hasEarlier(batch: Batch): boolean {
    const earlier = (other: Batch): boolean => other.order < batch.order
    return this.inFlight.some(earlier) || this.waiting.some(earlier)
  }

  /** Back in its old place, to be sent again after `notBeforeMs`. */
  retry(batch: Batch, notBeforeMs: number): void {
    remove(this.inFlight, batch)
    batch.notBeforeMs = notBeforeMs
    this.#putBack(batch)
  }

  /**
   * Too large for the broker: its halves take its place. The batch must hold two records or more.
   */
  split(batch: Batch): void {
    remove(this.inFlight, batch)
    const middle = batch.records.length >> 1
    let unsettled = 2
    const onHalf = (): void => {
      unsettled -= 1
      if (unsettled === 0) for (const settled of batch.settled) settled()
    }
    // The later half first: each goes in front of what has its place or a later one.
    for (const records of [batch.records.slice(middle), batch.records.slice(0, middle)]) {
      const half = newBatch(records, batch.createdMs, batch.order)
      half.sealed = true
      half.attempts = batch.attempts
      half.lastError = batch.lastError
      half.settled.push(onHalf)
      this.#putBack(half)
    }
    if (batch.baseSequence >= 0) this.breakSequence()
  }

  /**
   * Call when a number was given and its batch will not arrive with it. The queue stands still
   * until all that is on its way came back; then its waiting batches lose their numbers, and the
   * next take() needs a new identity.
   */
  breakSequence(): void {
    this.#broken = true
    this.#mend()
  }

  #mend(): void {
    if (!this.#broken || this.inFlight.length > 0) return
    for (const batch of this.waiting) {
      batch.baseSequence = -1
      batch.encoded = undefined
    }
    this.identity = undefined
    this.#nextSequence = 0
    this.#broken = false
  }

  #giveSequence(batch: Batch, identity: ProducerIdentity): void {
    if (batch.baseSequence >= 0) return
    if (this.identity !== identity && !this.#hasNumbered()) {
      this.identity = identity
      this.#nextSequence = 0
    }
    batch.baseSequence = this.#nextSequence
    this.#nextSequence = addToSequence(this.#nextSequence, batch.records.length)
  }

  /** While numbered batches are unsettled, the partition stays with the identity it has. */
  #hasNumbered(): boolean {
    return this.inFlight.length > 0 || this.waiting.some((batch) => batch.baseSequence >= 0)
  }

  #putBack(batch: Batch): void {
    const at = this.waiting.findIndex((other) => other.order >= batch.order)
    this.waiting.splice(at < 0 ? this.waiting.length : at, 0, batch)
    this.#mend()
  }
}

function newBatch(records: PendingRecord[], createdMs: number, order: number): Batch {
  let bytes = batchOverheadBytes
  for (const record of records) bytes += record.bytes
  return {
    records,
    bytes,
    createdMs,
    order,
    sealed: false,
    attempts: 0,
    notBeforeMs: 0,
    baseSequence: -1,
    encoded: undefined,
    lastError: undefined,
    settled: [],
  }
}

function remove(list: Batch[], batch: Batch): void {
  const at = list.indexOf(batch)
  if (at >= 0) list.splice(at, 1)
}
