// Pure.
/**
 * Where a follower cuts its log before it follows a leader, so that both are the same up to there
 * (KIP-101, KIP-279): by leader epochs, or, where those tell nothing, at the high watermark.
 */
import type { EpochEnd } from '../../storage/leader-epochs.ts'

/** The follower's log. */
export interface FollowerLog {
  readonly logEndOffset: number
  readonly highWatermark: number
  /** The largest epoch known that is not above the asked one, and where it ends here; -1, -1: none. */
  readonly endOffsetFor: (epoch: number) => EpochEnd
}

export interface Cut {
  readonly offset: number
  /** False: the leader did not know our epoch; it is to be asked again for the one that is last then. */
  readonly isFinal: boolean
}

/**
 * `leader` is its answer to the question where the follower's latest epoch ends. An answer without an
 * epoch (version 0 of the question) counts for the one that was asked.
 */
export function cutBy(leader: EpochEnd, log: FollowerLog): Cut {
  if (leader.endOffset < 0) return { offset: log.highWatermark, isFinal: true }
  const end = Math.min(leader.endOffset, log.logEndOffset)
  if (leader.epoch < 0) return { offset: end, isFinal: true }
  const own = log.endOffsetFor(leader.epoch)
  // Nothing here is of that epoch or an older one.
  if (own.endOffset < 0) return { offset: end, isFinal: true }
  if (own.epoch !== leader.epoch)
    return { offset: Math.min(own.endOffset, log.logEndOffset), isFinal: false }
  return { offset: Math.min(own.endOffset, end), isFinal: true }
}
