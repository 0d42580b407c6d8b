// Pure.
import type { Invariant } from './invariant.ts'

/** Ephemeral nodes end with their session, and not before. */
export function ephemeralsEnd(): Invariant {
  return {
    number: 'I10',
    name: 'ephemerals end with their session',
    observe(seen) {
      if (seen.kind !== 'ephemeralSeen') return undefined
      if (seen.owner === 'alive' && !seen.present)
        return `${seen.path} is gone, though its owner holds the session`
      if (seen.owner === 'ended' && seen.present)
        return `${seen.path} is there, though its session ended long ago`
      return undefined
    },
  }
}
