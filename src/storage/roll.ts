// Pure.
// Decides when the active segment is full or old enough that a new one begins.

export interface RollQuestion {
  /** Of the active segment; an empty one is never rolled for its age or size. */
  readonly sizeBytes: number
  readonly baseOffset: number
  readonly createdMs: number
  /** Largest timestamp of the first batch, -1 where there is none. */
  readonly firstTimestamp: number
  readonly indexFull: boolean
  /** The part of segment.jitter.ms that fell to this segment. */
  readonly jitterMs: number
  readonly append: ComingAppend
}

/** What is about to be appended. */
export interface ComingAppend {
  readonly bytes: number
  readonly lastOffset: number
  readonly maxTimestamp: number
  readonly nowMs: number
}

export interface RollLimits {
  readonly segmentBytes: number
  readonly segmentMs: number
}

const relativeOffsetMax = 2147483647

/**
 * Kafka's rule: no room, or too old, or an index full, or the offset does not fit an index entry. Age
 * is measured in record time against the first record; by the wall clock only where it had no time.
 */
export function shouldRoll(question: RollQuestion, limits: RollLimits): boolean {
  if (question.append.lastOffset - question.baseOffset > relativeOffsetMax) return true
  if (question.sizeBytes === 0) return false
  if (question.sizeBytes + question.append.bytes > limits.segmentBytes) return true
  if (question.indexFull) return true
  return ageMs(question) > limits.segmentMs - question.jitterMs
}

function ageMs({ append, firstTimestamp, createdMs }: RollQuestion): number {
  if (firstTimestamp >= 0 && append.maxTimestamp >= 0) return append.maxTimestamp - firstTimestamp
  return append.nowMs - createdMs
}
