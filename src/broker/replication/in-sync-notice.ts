// Pure.
/** When the controller is told of changed in-sync sets: many at once, but not late (kafka.md D). */

/** Times of the monotonic clock. */
export interface Notice {
  /** Of the first and the last change that it has not been told. */
  readonly firstMs: number
  readonly lastMs: number
  /** When it was told last. */
  readonly toldMs: number
}

const checkMs = 2500
const quietMs = 5000
const delayMsMax = 60_000

/** 0: now. The original looks every 2.5 s whether it has been quiet for 5 s, or 60 s have passed. */
export function noticeDelayMs({ firstMs, lastMs, toldMs }: Notice, nowMs: number): number {
  const dueMs = Math.min(lastMs + quietMs, Math.max(toldMs + delayMsMax, firstMs + checkMs))
  return Math.max(0, dueMs - nowMs)
}
