// Pure.
// What is asked of produced records, and what the answer looks like.
import type { ErrorCode } from '../errors.ts'
import { Errors } from '../errors.ts'
import type { CodecName } from './compression.ts'
import { DECOMPRESSED_BYTES_MAX } from './record.ts'

export interface ValidationOptions {
  /** Milliseconds. */
  readonly now: number
  /** Offset of the first record. */
  readonly firstOffset: number
  readonly leaderEpoch: number
  /** Only what a client sends has to keep the rules for clients. */
  readonly origin?: 'client' | 'coordinator'
  /** Format of the topic; 2 by default. */
  readonly magic?: 0 | 1 | 2
  /** CreateTime by default. */
  readonly timestampType?: 'CreateTime' | 'LogAppendTime'
  readonly maxMessageBytes: number
  readonly compacted?: boolean
  /** How far a CreateTime may lie in the past or the future; unlimited by default. */
  readonly beforeMaxMs?: number
  readonly afterMaxMs?: number
  /** The topic's `compression.type`; producer, which keeps what came, by default. */
  readonly compressionType?: 'producer' | 'uncompressed' | CodecName
  readonly decompressedBytesMax?: number
}

export interface RecordRefusal {
  readonly index: number
  readonly error: typeof Errors.INVALID_RECORD | typeof Errors.INVALID_TIMESTAMP
  readonly message: string
}

export interface Refused {
  readonly error: Exclude<ErrorCode, 0>
  readonly message: string
  /** The records at fault, when it is them. */
  readonly records: readonly RecordRefusal[]
}

export interface Accepted {
  readonly error: typeof Errors.NONE
  /** The given buffer, changed in place, or another one. What to append is `bytes[start, end)`. */
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  /** 0 if not even one whole batch was there. */
  readonly recordCount: number
  readonly firstOffset: number
  /** `firstOffset` - 1 when there is no record. */
  readonly lastOffset: number
  /** Milliseconds, -1 for none. */
  readonly maxTimestamp: number
  /** For the time index: last offset of the batch that has `maxTimestamp`, -1 for none. */
  readonly offsetOfMaxTimestamp: number
  /** Records that had to be written anew. */
  readonly recordsConverted: number
}

/** Options with every default in place. */
export type Rules = Required<ValidationOptions>

export function rulesOf(options: ValidationOptions): Rules {
  return {
    origin: 'client',
    magic: 2,
    timestampType: 'CreateTime',
    compacted: false,
    beforeMaxMs: Number.POSITIVE_INFINITY,
    afterMaxMs: Number.POSITIVE_INFINITY,
    compressionType: 'producer',
    decompressedBytesMax: DECOMPRESSED_BYTES_MAX,
    ...options,
  }
}
