// Pure.
import type { Invariant } from './invariant.ts'

/**
 * A write that began after another was answered has a larger zxid; a session never reads an older state
 * of a node than it read before; and an answered write is never lost.
 */
export function zxidsInOrder(): Invariant {
  let lastWritten = 0n
  const floors = new Map<number, bigint>()
  const reads = new Map<string, bigint>()
  return {
    number: 'I9',
    name: 'zxids in order',
    observe(seen) {
      if (seen.kind === 'coordinationAsked') floors.set(seen.question, lastWritten)
      if (seen.kind === 'coordinationWritten') {
        const floor = floors.get(seen.question) ?? 0n
        if (seen.zxid <= floor)
          return `a write to ${seen.path} got zxid ${seen.zxid}, though ${floor} was answered before it began`
        if (seen.zxid > lastWritten) lastWritten = seen.zxid
      }
      if (seen.kind === 'coordinationRead') {
        const key = `${seen.session} ${seen.path}`
        const before = reads.get(key) ?? 0n
        if (seen.zxid < before)
          return `session ${seen.session} read ${seen.path} as of zxid ${seen.zxid} after ${before}`
        reads.set(key, seen.zxid)
      }
      if (seen.kind === 'counterRead') {
        const { value, answered, unanswered } = seen
        if (value < answered || value > answered + unanswered)
          return `the counter is ${value} after ${answered} answered and ${unanswered} unanswered increments`
      }
      return undefined
    },
  }
}
