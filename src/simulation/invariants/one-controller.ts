// Pure.
import { placeKey } from '../observation.ts'
import type { Invariant } from './invariant.ts'

/** Each controller epoch is won once, and the epochs that partitions carry never go back. */
export function oneController(): Invariant {
  const winners = new Map<number, string>()
  const states = new Map<string, { leaderEpoch: number; controllerEpoch: number; czxid: bigint }>()
  let lastEpoch = 0
  return {
    number: 'I7',
    name: 'one controller acts per epoch',
    observe(seen) {
      if (seen.kind === 'log') {
        const match = /elected as the controller\. Epoch incremented to (\d+)/.exec(seen.message)
        if (match === null) return undefined
        const epoch = Number(match[1])
        const other = winners.get(epoch)
        if (other !== undefined) return `${seen.host} won controller epoch ${epoch} after ${other}`
        if (epoch <= lastEpoch) return `controller epoch ${epoch} was won after ${lastEpoch}`
        winners.set(epoch, seen.host)
        lastEpoch = epoch
      }
      if (seen.kind !== 'partitionState') return undefined
      const { leaderEpoch, controllerEpoch, czxid } = seen
      const key = placeKey(seen)
      const before = states.get(key)
      states.set(key, { leaderEpoch, controllerEpoch, czxid })
      if (before === undefined || before.czxid !== czxid) return undefined
      if (leaderEpoch < before.leaderEpoch)
        return `${key} went from leader epoch ${before.leaderEpoch} to ${leaderEpoch}`
      if (controllerEpoch < before.controllerEpoch)
        return `${key} went from controller epoch ${before.controllerEpoch} to ${controllerEpoch}`
      return undefined
    },
  }
}
