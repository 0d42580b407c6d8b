// Pure.
import { type Observation, placeKey, type ReplicaLog, type StoredBatch } from '../observation.ts'
import type { Invariant } from './invariant.ts'

/**
 * What one leader epoch wrote at an offset is the same, byte for byte, wherever it is; and below the high
 * watermark all in-sync replicas hold the same batches.
 */
export function oneLog(): Invariant {
  return {
    number: 'I21',
    name: 'replicas hold one log',
    observe: (seen) => (seen.kind === 'replicaLogs' ? judge(seen) : undefined),
  }
}

function judge(seen: Extract<Observation, { kind: 'replicaLogs' }>): string | undefined {
  const known = new Map<string, { broker: number; crc: number }>()
  for (const { broker, batches } of seen.replicas) {
    for (const { leaderEpoch, baseOffset, crc } of batches) {
      const key = `${leaderEpoch} ${baseOffset}`
      const before = known.get(key)
      if (before === undefined) known.set(key, { broker, crc })
      else if (before.crc !== crc)
        return `${placeKey(seen)}:${baseOffset} of leader epoch ${leaderEpoch} differs between brokers ${before.broker} and ${broker}`
    }
  }
  const [first, ...others] = seen.replicas
  if (first === undefined) return undefined
  for (const other of others) {
    const difference = firstDifference(first, other, seen.committed)
    if (difference !== undefined)
      return `${placeKey(seen)}:${difference}, below the high watermark ${seen.committed}, differs between brokers ${first.broker} and ${other.broker}`
  }
  return undefined
}

/** The first offset below `end` at which two logs differ, of those that both have not deleted. */
function firstDifference(one: ReplicaLog, other: ReplicaLog, end: number): number | undefined {
  const start = Math.max(one.batches[0]?.baseOffset ?? 0, other.batches[0]?.baseOffset ?? 0)
  const within = ({ batches }: ReplicaLog): StoredBatch[] =>
    batches.filter(({ baseOffset }) => baseOffset >= start && baseOffset < end)
  const [left, right] = [within(one), within(other)]
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const [near, far] = [left[at], right[at]]
    if (near === undefined || far === undefined || near.crc !== far.crc)
      return near?.baseOffset ?? far?.baseOffset
  }
  return undefined
}
