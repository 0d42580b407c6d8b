// Pure.
import { placeKey } from '../observation.ts'
import type { Invariant } from './invariant.ts'

const isVoid = -1

/** The end of what may be read only grows, except where records may have been lost. */
export function watermarkGrows(): Invariant {
  const split = new Set<string>()
  const ends = new Map<string, number>()
  /** By question: the ends that were known when it was asked; void where a loss has come between. */
  const questions = new Map<number, Map<string, number>>()
  return {
    number: 'I3',
    name: 'high watermarks only grow',
    observe(seen) {
      if (seen.kind === 'lossAllowed') {
        if (seen.isSplit) split.add(placeKey(seen))
        const key = placeKey(seen)
        ends.delete(key)
        for (const floors of questions.values()) floors.set(key, isVoid)
      }
      if (seen.kind === 'endsAsked') questions.set(seen.question, new Map(ends))
      if (seen.kind !== 'endOffset') return undefined
      const key = placeKey(seen)
      const before = questions.get(seen.question)?.get(key) ?? 0
      if (before === isVoid || split.has(key)) return undefined
      if (seen.offset < before) return `${key} ended at ${before} and ends at ${seen.offset} now`
      ends.set(key, Math.max(seen.offset, ends.get(key) ?? 0))
      return undefined
    },
  }
}
