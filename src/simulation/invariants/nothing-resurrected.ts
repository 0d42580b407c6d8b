// Pure.
import type { Invariant } from './invariant.ts'

/** A topic made again under its old name has nothing of its former life. */
export function nothingResurrected(): Invariant {
  return {
    number: 'I16',
    name: 'deleted records stay deleted',
    observe(seen) {
      if (seen.kind !== 'recreated') return undefined
      const former = new Set(seen.former)
      const ghost = seen.found.find((number) => former.has(number))
      if (ghost === undefined) return undefined
      return `${seen.topic} has record ${ghost}, acknowledged in its former life`
    },
  }
}
