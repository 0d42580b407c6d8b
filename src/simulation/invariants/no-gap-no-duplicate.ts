// Pure.
import { type Observation, placeKey, type SentRecord } from '../observation.ts'
import type { Invariant } from './invariant.ts'

/**
 * Offsets of a log have no gap; records are of those that were sent there; with idempotence, and with
 * acks 0, each at most once; and the acknowledged ones of one producer in the order of sending.
 */
export function noGapNoDuplicate(): Invariant {
  const sent = new Map<number, SentRecord>()
  const acknowledged = new Set<number>()
  const broken = new Set<string>()

  function judge(seen: Extract<Observation, { kind: 'wholeLog' }>): string | undefined {
    const where = placeKey(seen)
    const firstOffset = new Map<number, number>()
    const last = new Map<string, number>()
    // A power loss may take the oldest segments with their names.
    let next = broken.has(where) ? (seen.records[0]?.offset ?? 0) : 0
    for (const { offset, number } of seen.records) {
      if (offset !== next) return `${where} goes on at ${offset} after ${next - 1}`
      next = offset + 1
      const record = sent.get(number)
      if (record === undefined || placeKey(record) !== where)
        return `${where}:${offset} has record ${number}, which was never sent there`
      const first = firstOffset.get(number)
      if (first !== undefined) {
        if (broken.has(where)) continue
        if (record.idempotent || record.acks === 0)
          return `record ${number} of ${record.producer} is in ${where} at ${first} and at ${offset}`
        continue
      }
      firstOffset.set(number, offset)
      if (!acknowledged.has(number) || broken.has(where)) continue
      const before = last.get(record.producer) ?? -1
      if (number < before)
        return `${where}:${offset} has record ${number} of ${record.producer} behind its record ${before}`
      last.set(record.producer, number)
    }
    return undefined
  }

  return {
    number: 'I6',
    name: 'no gap and no duplicate',
    observe(seen) {
      // What told duplicates apart may have been lost with the records.
      if (seen.kind === 'lossAllowed') broken.add(placeKey(seen))
      if (seen.kind === 'sent') sent.set(seen.record.number, seen.record)
      if (seen.kind === 'acknowledged') acknowledged.add(seen.number)
      return seen.kind === 'wholeLog' ? judge(seen) : undefined
    },
  }
}
