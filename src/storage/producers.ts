// Pure.
// What each producer wrote last: duplicates, sequence gaps, fenced epochs and open transactions
// (KIP-98). Everything comes from batch headers and markers, so followers and recovery keep the same.

export interface ProducerBatch {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly lastOffset: number
  /** last offset - first offset */
  readonly offsetDelta: number
  readonly timestamp: number
}

export interface ProducerState {
  readonly producerId: number
  epoch: number
  coordinatorEpoch: number
  lastTimestamp: number
  /** First offset of the open transaction, -1 where there is none. */
  transactionFirstOffset: number
  /** The last five at most, oldest first. */
  batches: ProducerBatch[]
}

/** A data batch of a producer, by what its header says. */
export interface IncomingBatch {
  readonly producerId: number
  readonly epoch: number
  readonly firstSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly timestamp: number
  readonly transactional: boolean
}

/** A control batch: one transaction's end. */
export interface Marker {
  readonly producerId: number
  readonly epoch: number
  readonly coordinatorEpoch: number
  readonly offset: number
  readonly timestamp: number
}

export interface CompletedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  readonly lastOffset: number
}

export type SequenceVerdict = 'ok' | 'outOfOrder' | 'fenced' | 'notInTransaction' | ProducerBatch

const keptBatches = 5
const sequenceMax = 2147483647

export class Producers {
  private readonly states = new Map<number, ProducerState>()
  /** First offset by producer id, in offset order since transactions open at the log's end. */
  private readonly open = new Map<number, number>()
  /** Ended, but not yet wholly below the high watermark. */
  private ended: CompletedTransaction[] = []

  get size(): number {
    return this.states.size
  }

  all(): Iterable<ProducerState> {
    return this.states.values()
  }

  get(producerId: number): ProducerState | undefined {
    return this.states.get(producerId)
  }

  /** A batch that was already appended is returned as it was then: the answer is its old offset. */
  check(batch: IncomingBatch): SequenceVerdict {
    const state = this.states.get(batch.producerId)
    if (state === undefined) return 'ok'
    if (batch.epoch < state.epoch) return 'fenced'
    const last = state.batches.at(-1)
    if (batch.epoch > state.epoch) {
      return batch.firstSequence === 0 || state.epoch < 0 ? 'ok' : 'outOfOrder'
    }
    for (const known of state.batches) {
      if (
        known.firstSequence === batch.firstSequence &&
        known.lastSequence === batch.lastSequence
      ) {
        return known
      }
    }
    // After a marker opened the epoch nothing is known of it: it begins at 0.
    const expected = nextSequence(last === undefined ? -1 : last.lastSequence)
    if (state.epoch >= 0 && batch.firstSequence !== expected) return 'outOfOrder'
    return state.transactionFirstOffset >= 0 && !batch.transactional ? 'notInTransaction' : 'ok'
  }

  /** Takes in a batch that is in the log. */
  append(batch: IncomingBatch): void {
    const state = this.stateOf(batch.producerId)
    if (batch.epoch !== state.epoch) {
      state.epoch = batch.epoch
      state.batches = []
    }
    if (state.batches.length === keptBatches) state.batches.shift()
    state.batches.push({
      firstSequence: batch.firstSequence,
      lastSequence: batch.lastSequence,
      lastOffset: batch.lastOffset,
      offsetDelta: batch.lastOffset - batch.baseOffset,
      timestamp: batch.timestamp,
    })
    state.lastTimestamp = batch.timestamp
    if (batch.transactional && state.transactionFirstOffset < 0) {
      state.transactionFirstOffset = batch.baseOffset
      this.open.set(batch.producerId, batch.baseOffset)
    }
  }

  /** 'fenced': a marker of an older producer epoch; 'coordinatorFenced': of an older coordinator. */
  checkMarker(marker: Marker): 'ok' | 'fenced' | 'coordinatorFenced' {
    const state = this.states.get(marker.producerId)
    if (state === undefined) return 'ok'
    if (marker.epoch < state.epoch) return 'fenced'
    return marker.coordinatorEpoch < state.coordinatorEpoch ? 'coordinatorFenced' : 'ok'
  }

  /** Takes in a marker; undefined where no transaction was open. */
  endTransaction(marker: Marker): CompletedTransaction | undefined {
    const state = this.stateOf(marker.producerId)
    if (marker.epoch !== state.epoch) {
      state.epoch = marker.epoch
      state.batches = []
    }
    state.coordinatorEpoch = marker.coordinatorEpoch
    state.lastTimestamp = marker.timestamp
    const firstOffset = state.transactionFirstOffset
    state.transactionFirstOffset = -1
    this.open.delete(marker.producerId)
    if (firstOffset < 0) return undefined
    const completed = { producerId: marker.producerId, firstOffset, lastOffset: marker.offset }
    this.ended.push(completed)
    return completed
  }

  /** The last stable offset just after this transaction ended, for the transaction index. */
  stableOffsetAfter(completed: CompletedTransaction): number {
    let first = completed.lastOffset + 1
    for (const offset of this.open.values()) if (offset < first) first = offset
    return first
  }

  /** First offset that a read-committed reader may not pass; -1 where there is none. */
  firstUnstableOffset(): number {
    let first = -1
    for (const offset of this.open.values()) {
      first = offset
      break
    }
    for (const transaction of this.ended) {
      if (first < 0 || transaction.firstOffset < first) first = transaction.firstOffset
    }
    return first
  }

  /** Ended transactions below the high watermark hold nobody back any more. */
  passHighWatermark(highWatermark: number): void {
    if (this.ended.length === 0) return
    this.ended = this.ended.filter((transaction) => transaction.lastOffset >= highWatermark)
  }

  /** producer.id.expiration.ms; never a producer with an open transaction. */
  expire(nowMs: number, expirationMs: number): void {
    for (const [producerId, state] of this.states) {
      if (state.transactionFirstOffset >= 0) continue
      if (nowMs - state.lastTimestamp >= expirationMs) this.states.delete(producerId)
    }
  }

  clear(): void {
    this.states.clear()
    this.open.clear()
    this.ended = []
  }

  /** Takes in a state of a snapshot, in rising order of open transactions. */
  restore(states: readonly ProducerState[]): void {
    for (const state of states) this.states.set(state.producerId, state)
    const open = states.filter((state) => state.transactionFirstOffset >= 0)
    open.sort((one, other) => one.transactionFirstOffset - other.transactionFirstOffset)
    for (const state of open) this.open.set(state.producerId, state.transactionFirstOffset)
  }

  private stateOf(producerId: number): ProducerState {
    const known = this.states.get(producerId)
    if (known !== undefined) return known
    const state: ProducerState = {
      producerId,
      epoch: -1,
      coordinatorEpoch: -1,
      lastTimestamp: -1,
      transactionFirstOffset: -1,
      batches: [],
    }
    this.states.set(producerId, state)
    return state
  }
}

/** Sequences wrap from 2^31-1 to 0. */
export function nextSequence(sequence: number): number {
  return sequence === sequenceMax ? 0 : sequence + 1
}

/** The last sequence of `count` records that begin with `first`. */
export function lastSequenceOf(first: number, count: number): number {
  const last = first + count - 1
  return last > sequenceMax ? last - sequenceMax - 1 : last
}
