// Pure. The line about progress that a running pipeline logs once a minute.

import type { EventCounts } from './runner.ts'

export interface ProgressPoint {
  readonly atMs: number
  readonly in: number
  readonly out: number
}

export function progressPoint(counts: Readonly<EventCounts>, nowMs: number): ProgressPoint {
  return { atMs: nowMs, in: counts.in, out: counts.out }
}

export function progressText(before: ProgressPoint, after: ProgressPoint, waiting: number): string {
  const seconds = Math.max(after.atMs - before.atMs, 1) / 1000
  const rate = (count: number): string => (count / seconds).toFixed(1)
  return (
    `events: ${after.in} in (${rate(after.in - before.in)}/s), ` +
    `${after.out} out (${rate(after.out - before.out)}/s), ${waiting} not acknowledged`
  )
}
