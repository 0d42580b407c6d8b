// Pure.
import { type Observation, placeKey, type WrittenState } from '../observation.ts'
import type { Invariant } from './invariant.ts'

/** A leader epoch has one leader, chosen from the in-sync set; epochs only grow. */
export function oneLeader(): Invariant {
  const states = new Map<string, WrittenState>()
  const unclean = new Set<string>()

  function judge(seen: Extract<Observation, { kind: 'stateWritten' }>): string | undefined {
    const key = placeKey(seen)
    const before = states.get(key)
    states.set(key, seen)
    const { leader, leaderEpoch, isr } = seen
    if (leader >= 0 && !isr.includes(leader))
      return `${key} is led by ${leader}, which is not of its in-sync set ${isr.join(',')}`
    if (before === undefined || before.czxid !== seen.czxid) return undefined
    if (leaderEpoch < before.leaderEpoch)
      return `${key} went from leader epoch ${before.leaderEpoch} to ${leaderEpoch}`
    if (leader === before.leader) return undefined
    if (leaderEpoch === before.leaderEpoch)
      return `${key} was given to ${leader} after ${before.leader} in the same leader epoch ${leaderEpoch}`
    if (leader >= 0 && !before.isr.includes(leader) && !unclean.has(seen.topic))
      return `${key} was given to ${leader}, which was not of its in-sync set ${before.isr.join(',')}`
    return undefined
  }

  return {
    number: 'I19',
    name: 'one leader per epoch',
    observe(seen) {
      if (seen.kind === 'topicCreated' && seen.unclean) unclean.add(seen.on)
      return seen.kind === 'stateWritten' ? judge(seen) : undefined
    },
  }
}
