// Pure.
// The batches of one partition, with their sequence numbers.
import {
  addRecord,
  type Batch,
  countOf,
  newBatch,
  type ProducerIdentity,
  type QueuedRecord,
} from './batch.ts'

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
 * Oldest first. Invariants: sequence numbers are given in queue order and without gaps; a batch that
 * is sent again is alone on its way; while `broken`, nothing is sent.
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

  /** A broker remembers numbers of it: a queue that begins anew must not use that identity. */
  get hasSequence(): boolean {
    return this.#nextSequence > 0
  }

  /**
   * True where the sender should look: a batch began, or one is full. `nowMs` is asked for then
   * only.
   */
  append(record: QueuedRecord, batchBytes: number, nowMs: () => number): boolean {
    const last = this.waiting[this.waiting.length - 1]
    if (last !== undefined && !last.sealed && last.bytes + record.bytes <= batchBytes) {
      addRecord(last, record)
      return last.bytes >= batchBytes
    }
    if (last !== undefined) last.sealed = true
    const batch = newBatch(nowMs(), this.#order++)
    addRecord(batch, record)
    this.waiting.push(batch)
    return true
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

  /** When its oldest batch was begun, on its way or not; Infinity where there is none. */
  oldestMs(): number {
    let oldestMs = this.waiting[0]?.createdMs ?? Infinity
    for (const { createdMs } of this.inFlight) oldestMs = Math.min(oldestMs, createdMs)
    return oldestMs
  }

  /** Batches begun at or before this moment. */
  olderThan(createdMs: number): Batch[] {
    const isOld = (batch: Batch): boolean => batch.createdMs <= createdMs
    return [...this.inFlight.filter(isOld), ...this.waiting.filter(isOld)]
  }

  /** Back in its old place, to be sent again after `notBeforeMs`. */
  retry(batch: Batch, notBeforeMs: number): void {
    remove(this.inFlight, batch)
    batch.notBeforeMs = notBeforeMs
    this.#putBack(batch)
  }

  /** Too large for the broker: its parts, which hold all of its records, take its place. */
  split(batch: Batch, parts: readonly Batch[]): void {
    remove(this.inFlight, batch)
    let unsettled = parts.length
    const onPart = (): void => {
      unsettled -= 1
      if (unsettled === 0) for (const settled of batch.settled) settled()
    }
    // The latest first: each goes in front of what has its place or a later one.
    for (const part of parts.toReversed()) {
      part.sealed = true
      part.attempts = batch.attempts
      part.lastError = batch.lastError
      part.settled.push(onPart)
      this.#putBack(part)
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
    for (const batch of this.waiting) batch.baseSequence = -1
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
    this.#nextSequence = addToSequence(this.#nextSequence, countOf(batch))
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

function remove(list: Batch[], batch: Batch): void {
  const at = list.indexOf(batch)
  if (at >= 0) list.splice(at, 1)
}
