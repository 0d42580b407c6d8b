// Pure.
import { isBrokerPowerLoss, type Observation, placeKey, type SentRecord } from '../observation.ts'
import type { Invariant } from './invariant.ts'

interface Acknowledged {
  readonly record: SentRecord
  /** -1 where the leader said only that it has the record. */
  readonly offset: number
  /** How many power losses there had been. */
  readonly age: number
}

/**
 * What was acknowledged stands at its offset, unless a power loss was allowed to take it (SPEC.md
 * section 1); and what a power loss left is a prefix of what there was.
 */
export function acknowledgedSurvives(): Invariant {
  const sent = new Map<number, SentRecord>()
  const acknowledged = new Map<string, Acknowledged[]>()
  let powerLosses = 0

  function judge(seen: Extract<Observation, { kind: 'wholeLog' }>): string | undefined {
    const log = new Map(seen.records.map(({ offset, number }) => [offset, number]))
    const present = new Set(log.values())
    const firstLost = new Map<number, Acknowledged>()
    const here = acknowledged.get(placeKey(seen)) ?? []
    here.sort((one, other) => one.offset - other.offset)
    for (const entry of here) {
      const { record, offset, age } = entry
      const name = `record ${record.number} of ${record.producer} (acks ${record.acks})`
      if (offset < 0) {
        if (present.has(record.number) || (age < powerLosses && !record.flushed)) continue
        return `${name} was acknowledged, and is nowhere in ${placeKey(seen)}`
      }
      const lost = firstLost.get(age)
      if (log.get(offset) === record.number) {
        if (lost !== undefined)
          return `${name} is at ${placeKey(seen)}:${offset}, but record ${lost.record.number}, acknowledged at ${lost.offset}, is not: a hole`
        continue
      }
      if (record.flushed || age === powerLosses)
        return `${name} was acknowledged at ${placeKey(seen)}:${offset}, where ${log.get(offset) ?? 'nothing'} is now (the log has ${log.size} records)`
      if (lost === undefined) firstLost.set(age, entry)
    }
    return undefined
  }

  return {
    number: 'I1',
    name: 'acknowledged records survive',
    observe(seen) {
      if (isBrokerPowerLoss(seen)) powerLosses += 1
      if (seen.kind === 'sent') sent.set(seen.record.number, seen.record)
      if (seen.kind === 'acknowledged') {
        const record = sent.get(seen.number)
        if (record === undefined || record.acks === 0) return undefined
        const key = placeKey(record)
        const here = acknowledged.get(key) ?? []
        acknowledged.set(key, here)
        here.push({ record, offset: seen.offset, age: powerLosses })
      }
      return seen.kind === 'wholeLog' ? judge(seen) : undefined
    },
  }
}
