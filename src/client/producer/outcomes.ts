// Pure.
// What a broker's answer means for a batch.
import { errorOf, Errors } from '../../kafka/errors.ts'

/**
 * done: acknowledged. duplicate: it was appended by an earlier try. retry: send it again.
 * newIdentity: the broker's memory of our sequence numbers does not fit; begin anew and send again.
 * withoutIdentity: the topic cannot keep sequence numbers; send again without. split: too large as
 * a whole. fail: tell the sender.
 */
export type Outcome =
  | 'done'
  | 'duplicate'
  | 'retry'
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
  /** Idempotence was not asked for explicitly, so it may be given up. */
  readonly mayGoWithout: boolean
}

export function outcomeOf(errorCode: number, context: OutcomeContext): Outcome {
  switch (errorCode) {
    case Errors.NONE:
      return 'done'
    case Errors.DUPLICATE_SEQUENCE_NUMBER:
      return 'duplicate'
    case Errors.OUT_OF_ORDER_SEQUENCE_NUMBER:
      if (!context.numbered) return 'fail'
      return context.earlierUnsettled ? 'retry' : 'newIdentity'
    case Errors.UNKNOWN_PRODUCER_ID:
    case Errors.INVALID_PRODUCER_EPOCH:
      return context.numbered ? 'newIdentity' : 'fail'
    case Errors.UNSUPPORTED_FOR_MESSAGE_FORMAT:
      return context.numbered && context.mayGoWithout ? 'withoutIdentity' : 'fail'
    case Errors.MESSAGE_TOO_LARGE:
    case Errors.RECORD_LIST_TOO_LARGE:
      return context.recordCount > 1 ? 'split' : 'fail'
    default:
      return errorOf(errorCode).retriable ? 'retry' : 'fail'
  }
}
