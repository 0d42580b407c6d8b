// Pure.
import { placeKey, type WrittenState } from '../observation.ts'
import type { Invariant } from './invariant.ts'

/** Whoever gives a partition another leader or epoch does so as the controller of the newest epoch. */
export function fencedWriteNothing(): Invariant {
  const states = new Map<string, WrittenState>()
  return {
    number: 'I20',
    name: 'fenced controllers write nothing',
    observe(seen) {
      if (seen.kind !== 'stateWritten') return undefined
      const key = placeKey(seen)
      const before = states.get(key)
      states.set(key, seen)
      const isKnown = before !== undefined && before.czxid === seen.czxid
      const { leader, leaderEpoch, controllerEpoch, currentControllerEpoch } = seen
      if (isKnown && leader === before.leader && leaderEpoch === before.leaderEpoch)
        return undefined
      if (controllerEpoch === currentControllerEpoch) return undefined
      return `leader epoch ${leaderEpoch} of ${key} was written in the name of controller epoch ${controllerEpoch}, when ${currentControllerEpoch} had begun`
    },
  }
}
