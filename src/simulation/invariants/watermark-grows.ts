// Pure.
import { isBrokerPowerLoss, placeKey } from '../observation.ts'
import type { Invariant } from './invariant.ts'

/** The end of what may be read only grows, except over a power loss that may take back. */
export function watermarkGrows(): Invariant {
  const ends = new Map<string, number>()
  const unflushed = new Set<string>()
  return {
    number: 'I3',
    name: 'high watermarks only grow',
    observe(seen) {
      if (seen.kind === 'topicCreated' && !seen.flushed) unflushed.add(seen.topic)
      if (isBrokerPowerLoss(seen)) {
        for (const key of ends.keys())
          if (unflushed.has(key.slice(0, key.lastIndexOf('-')))) ends.delete(key)
      }
      if (seen.kind !== 'endOffset') return undefined
      const key = placeKey(seen)
      const before = ends.get(key) ?? 0
      if (seen.offset < before) return `${key} ended at ${before} and ends at ${seen.offset} now`
      ends.set(key, seen.offset)
      return undefined
    },
  }
}
