// Pure.
// Decides how many of the oldest segments may go.

export interface RetentionSegment {
  readonly baseOffset: number
  readonly sizeBytes: number
  /** Largest record timestamp; the file's modification time where no record has one. */
  readonly largestTimestampMs: number
}

export interface RetentionQuestion {
  /** Oldest first; the last one is active. */
  readonly segments: readonly RetentionSegment[]
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly highWatermark: number
  readonly nowMs: number
}

export interface RetentionLimits {
  /** cleanup.policy has delete; else only what DeleteRecords gave up may go. */
  readonly deletes: boolean
  readonly retentionMs: number
  readonly retentionBytes: number
}

/**
 * How many segments to delete from the head: by age, by size, and those wholly below the log start.
 * Nothing at or above the high watermark goes. When the answer covers the active segment the log has
 * to be rolled first; an empty active segment never goes.
 */
export function expiredSegments(question: RetentionQuestion, limits: RetentionLimits): number {
  let expired = below(question)
  if (!limits.deletes) return expired
  expired = Math.max(expired, byAge(question, limits.retentionMs))
  return Math.max(expired, bySize(question, limits.retentionBytes))
}

/** Offset of what follows segment `index`. */
function endOf(question: RetentionQuestion, index: number): number {
  return question.segments[index + 1]?.baseOffset ?? question.logEndOffset
}

function count(
  question: RetentionQuestion,
  goes: (segment: RetentionSegment, end: number) => boolean,
): number {
  const { segments } = question
  let index = 0
  for (const segment of segments) {
    const end = endOf(question, index)
    const emptyActive = index === segments.length - 1 && segment.sizeBytes === 0
    if (emptyActive || end > question.highWatermark || !goes(segment, end)) break
    index += 1
  }
  return index
}

function below(question: RetentionQuestion): number {
  return count(question, (_, end) => end <= question.logStartOffset)
}

function byAge(question: RetentionQuestion, retentionMs: number): number {
  if (retentionMs < 0) return 0
  return count(question, (segment) => question.nowMs - segment.largestTimestampMs > retentionMs)
}

function bySize(question: RetentionQuestion, retentionBytes: number): number {
  if (retentionBytes < 0) return 0
  let surplus = -retentionBytes
  for (const segment of question.segments) surplus += segment.sizeBytes
  return count(question, (segment) => {
    surplus -= segment.sizeBytes
    return surplus >= 0
  })
}
