// Pure.
import { placeKey } from '../observation.ts'
import type { Invariant } from './invariant.ts'

/**
 * A reader gets each offset once and in order, without a gap; and all readers find the same record at an
 * offset. Not where records may have been lost: there offsets are given out twice.
 */
export function readersAgree(): Invariant {
  const known = new Map<string, Map<number, number>>()
  const positions = new Map<string, number>()
  const broken = new Set<string>()
  return {
    number: 'I14',
    name: 'readers see one log, in order',
    observe(seen) {
      if (seen.kind === 'lossAllowed') broken.add(placeKey(seen))
      if (seen.kind !== 'delivered' || broken.has(placeKey(seen))) return undefined
      const where = placeKey(seen)
      const { offset, number, reader } = seen
      const key = `${reader} ${where}`
      const last = positions.get(key)
      positions.set(key, offset)
      if (last !== undefined && offset !== last + 1)
        return `${reader} got ${where}:${offset} after ${last}`
      const here = known.get(where) ?? new Map<number, number>()
      known.set(where, here)
      const before = here.get(offset)
      if (before !== undefined && before !== number)
        return `${reader} found record ${number} at ${where}:${offset}, where others found ${before}`
      here.set(offset, number)
      return undefined
    },
  }
}
