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
 * is sent again is alone on its way; a batch that may have been written keeps its number.
 */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  readonly waiting: Batch[] = []
  readonly inFlight: Batch[] = []
  /** The identity its sequence numbers belong to. */
  identity: ProducerIdentity | undefined = undefined
  #nextSequence = 0
  #nextOrder = 0
  /**
   * Place of a batch that certainly was not written under its number. What has its place or a later
   * one cannot have been written either: it is numbered anew, once what is before it is settled.
   */
  #brokenAt = Infinity
  /**
   * Place of the last batch that was given up although it may have been written; -1 without. What
   * the batches sent after it are answered tells; until then no more are numbered.
   */
  #doubtAt = -1
  #hasStrays = false

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0 && this.inFlight.length === 0
  }

  /** Copies of a batch that was given up may still arrive, and followers of it after them. */
  get hasStrays(): boolean {
    return this.#hasStrays
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
    const order = this.#nextOrder
    this.#nextOrder += 1
    if (last !== undefined && !last.sealed && last.bytes + record.bytes <= batchBytes) {
      addRecord(last, record)
      return last.bytes >= batchBytes
    }
    if (last !== undefined) last.sealed = true
    const batch = newBatch(nowMs(), order)
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
    if (head === undefined || head.order >= this.#brokenAt) return Infinity
    if (this.#doubtAt >= 0 && head.baseSequence < 0) return Infinity
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
    if (head.baseSequence >= 0) head.untoldCopies++
    this.inFlight.push(head)
    return head
  }

  /** It was acknowledged, and so was written whatever had a number before it. */
  settle(batch: Batch): void {
    this.#remove(batch)
    if (batch.order > this.#doubtAt) this.#endDoubt()
    this.#mend()
  }

  /**
   * It will not be sent any more. Where it had a number, the partition needs another identity
   * before new batches go on. `isRefused`: a broker would not take any other copy of it either.
   */
  abandon(batch: Batch, isRefused: boolean): void {
    this.#remove(batch)
    if (batch.baseSequence >= 0 && batch.untoldCopies > 0) {
      this.#doubtAt = Math.max(this.#doubtAt, batch.order)
      if (!isRefused) this.#hasStrays = true
    } else if (batch.baseSequence >= 0) this.#brokenAt = Math.min(this.#brokenAt, batch.order)
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

  /**
   * Too large for the broker: its parts, which hold all of its records, take its place and share
   * its numbers.
   */
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
      if (batch.baseSequence >= 0) {
        part.baseSequence = addToSequence(batch.baseSequence, part.order - batch.order)
      }
      part.untoldCopies = batch.untoldCopies
      part.attempts = batch.attempts
      part.lastError = batch.lastError
      part.settled.push(onPart)
      this.#putBack(part)
    }
  }

  /**
   * It and what follows it were not written, and cannot be under their numbers any more. The queue
   * stands still until all that is on its way came back; then its waiting batches lose their
   * numbers, and the next take() needs another identity.
   */
  renumberFrom(batch: Batch): void {
    this.#brokenAt = Math.min(this.#brokenAt, batch.order)
    this.#mend()
  }

  #mend(): void {
    if (this.inFlight.length > 0) return
    const numbered = (batch: Batch): boolean => batch.baseSequence >= 0
    const first = this.waiting[0]?.order ?? Infinity
    const isBroken = this.#brokenAt < Infinity && first >= this.#brokenAt
    const isUntold = this.#doubtAt >= 0 && !this.waiting.some(numbered)
    if (!isBroken && !isUntold) return
    for (const batch of this.waiting) {
      batch.baseSequence = -1
      batch.untoldCopies = 0
    }
    this.identity = undefined
    this.#nextSequence = 0
    this.#brokenAt = Infinity
    this.#endDoubt()
  }

  #endDoubt(): void {
    this.#doubtAt = -1
    this.#hasStrays = false
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

  #remove(batch: Batch): void {
    remove(this.inFlight, batch)
    remove(this.waiting, batch)
  }
}

function remove(list: Batch[], batch: Batch): void {
  const at = list.indexOf(batch)
  if (at >= 0) list.splice(at, 1)
}
