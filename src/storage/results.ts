import type { RecordRefusal } from '../kafka/records/rules.ts'
import type { LogFile } from './log-file.ts'

/**
 * What became of an append. One shape for success and failure, so that the hot path stays
 * monomorphic: on error every offset is -1 and nothing was appended.
 */
export interface AppendResult {
  /** 0, or the code of an error of kafka/errors.ts. */
  readonly error: number
  /** Why, in words for the client (error_message); empty when all is well. */
  readonly message: string
  /** The records at fault, where it is them (Produce 8 and above tells them). */
  readonly records: readonly RecordRefusal[]
  readonly baseOffset: number
  readonly lastOffset: number
  /** -1 unless the topic's timestamps are the log's. */
  readonly logAppendTimeMs: number
  readonly logStartOffset: number
  /** The batch was already there; the offsets are those it was given then. */
  readonly duplicate: boolean
}

export interface AppendOptions {
  readonly leaderEpoch: number
  /** Wall-clock time of the append. */
  readonly nowMs: number
  /** coordinator: written by the broker itself, not bound to producer sequences. */
  readonly origin: 'client' | 'coordinator'
  /** From Produce 3 on clients send one batch of format 2, from 7 on it may be zstd. */
  readonly produceVersion: number
}

/** Some whole batches of one segment, by where they lie; nothing has been copied yet. */
export interface LogSlice {
  readonly file: LogFile
  /** Byte position in the file. */
  readonly position: number
  readonly length: number
  /** Base offset of the segment: two slices of one segment can be measured against each other. */
  readonly segmentBaseOffset: number
  /** The first batch is cut off: Fetch 3 and above answer nothing then. */
  readonly firstBatchIncomplete: boolean
  /** The bytes were written a short while ago: read them synchronously. */
  readonly hot: boolean
}

export interface ReadOptions {
  readonly maxBytes: number
  /** Only batches that begin below this offset: high watermark, last stable offset or log end. */
  readonly upTo: number
  /** The first batch is given whole even where it is larger than maxBytes. */
  readonly minOneBatch: boolean
}

export interface ReadResult {
  /** 0, 1 (OFFSET_OUT_OF_RANGE), 2 (CORRUPT_MESSAGE) or 56 (KAFKA_STORAGE_ERROR) */
  readonly error: number
  /** Undefined where there is nothing to read: an error, or an offset at the bound. */
  readonly slice: LogSlice | undefined
}

export interface TimestampOffset {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

const noRecords: readonly RecordRefusal[] = []

export function refused(
  error: number,
  message = '',
  records: readonly RecordRefusal[] = noRecords,
): AppendResult {
  return {
    error,
    message,
    records,
    baseOffset: -1,
    lastOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    duplicate: false,
  }
}

/** `lastOffset` is `baseOffset` - 1 where there was nothing to append. */
export function appended(
  baseOffset: number,
  lastOffset: number,
  rest: Pick<AppendResult, 'logAppendTimeMs' | 'logStartOffset' | 'duplicate'>,
): AppendResult {
  return { error: 0, message: '', records: noRecords, baseOffset, lastOffset, ...rest }
}

/** Nothing to read: an error, or 0 at the bound. */
export function noSlice(error: number): ReadResult {
  return { error, slice: undefined }
}
