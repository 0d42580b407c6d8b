// Pure.
// What a broker's answer means for a batch.
import { errorOf, Errors } from '../../kafka/errors.ts'

/**
 * done: acknowledged. duplicate: it was appended by an earlier try. retry: send it again.
 * ask: sequence numbers do not fit, but an earlier copy may be in the log; ask the leader what it
 * has. newIdentity: it is in no log, and will not be taken under its number; begin anew and send
 * again. withoutIdentity: the topic cannot keep sequence numbers; send again without. split: too
 * large as a whole. fail: tell the sender.
 */
export type Outcome =
  | 'done'
  | 'duplicate'
  | 'retry'
  | 'ask'
  | 'newIdentity'
  | 'withoutIdentity'
  | 'split'
  | 'fail'

export interface OutcomeContext {
  readonly recordCount: number
  /** It carried a sequence number. */
  readonly numbered: boolean
  /** Batches before it in the same partition are unsettled: a gap is no wonder then. */
  readonly earlierUnsettled: boolean
  /** A copy of it, other than those whose answers proved the contrary, may have been written. */
  readonly mayBeWritten: boolean
  /** A batch before it was given up, and copies of that one may still arrive. */
  readonly hasStrays: boolean
  /** Idempotence was not asked for explicitly, so it may be given up. */
  readonly mayGoWithout: boolean
}

export function outcomeOf(errorCode: number, context: OutcomeContext): Outcome {
  const { recordCount, numbered, earlierUnsettled, mayBeWritten } = context
  switch (errorCode) {
    case Errors.NONE:
      return 'done'
    case Errors.DUPLICATE_SEQUENCE_NUMBER:
      return 'duplicate'
    case Errors.OUT_OF_ORDER_SEQUENCE_NUMBER:
      if (!numbered) return 'fail'
      if (earlierUnsettled) return 'retry'
      return mayBeWritten ? 'ask' : 'newIdentity'
    case Errors.UNKNOWN_PRODUCER_ID:
      // The log has nothing of this producer (any more), so nothing of the batch either.
      if (!numbered) return 'fail'
      if (earlierUnsettled) return 'retry'
      return mayBeWritten && context.hasStrays ? 'ask' : 'newIdentity'
    case Errors.INVALID_PRODUCER_EPOCH:
      // A newer epoch hides what was written under this one.
      if (numbered && earlierUnsettled) return 'retry'
      return numbered && !mayBeWritten ? 'newIdentity' : 'fail'
    case Errors.UNSUPPORTED_FOR_MESSAGE_FORMAT:
      if (!numbered || !context.mayGoWithout) return 'fail'
      return earlierUnsettled ? 'retry' : 'withoutIdentity'
    case Errors.MESSAGE_TOO_LARGE:
    case Errors.RECORD_LIST_TOO_LARGE:
      return recordCount > 1 ? 'split' : 'fail'
    default:
      return errorOf(errorCode).retriable ? 'retry' : 'fail'
  }
}

/**
 * Errors a broker answers before it appends anything. After any other, as after no answer at all,
 * the batch may be in the log: it is appended, and then its followers are waited for.
 */
const refusals: ReadonlySet<number> = new Set([
  Errors.CORRUPT_MESSAGE,
  Errors.MESSAGE_TOO_LARGE,
  Errors.INVALID_TOPIC_EXCEPTION,
  Errors.RECORD_LIST_TOO_LARGE,
  Errors.NOT_ENOUGH_REPLICAS,
  Errors.INVALID_REQUIRED_ACKS,
  Errors.TOPIC_AUTHORIZATION_FAILED,
  Errors.CLUSTER_AUTHORIZATION_FAILED,
  Errors.INVALID_TIMESTAMP,
  Errors.UNSUPPORTED_FOR_MESSAGE_FORMAT,
  Errors.POLICY_VIOLATION,
  Errors.OUT_OF_ORDER_SEQUENCE_NUMBER,
  Errors.INVALID_PRODUCER_EPOCH,
  Errors.UNKNOWN_PRODUCER_ID,
  Errors.UNSUPPORTED_COMPRESSION_TYPE,
  Errors.INVALID_RECORD,
])

export const isRefusal = (errorCode: number): boolean => refusals.has(errorCode)

/**
 * Whether a log whose last sequence number of the producer is `last` has the batch that ends with
 * `lastOfBatch`. Numbers run in a circle of 2^31.
 */
export function isReached(last: number, lastOfBatch: number): boolean {
  return last >= 0 && ((last - lastOfBatch) & 0x7fffffff) < 0x40000000
}
