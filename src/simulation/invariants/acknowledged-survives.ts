// Pure.
import { type Observation, placeKey, type SentRecord } from '../observation.ts'
import type { Invariant } from './invariant.ts'

interface Acknowledged {
  readonly record: SentRecord
  /** -1 where the leader said only that it has the record. */
  readonly offset: number
  /** How often its partition had been allowed to lose records when it was sent, and acknowledged. */
  readonly sentAge: number
  readonly age: number
}

/**
 * What was acknowledged stands at its offset, unless its partition was allowed to lose it (SPEC.md section
 * 1); and what is left of that is a prefix of what there was.
 */
export function acknowledgedSurvives(): Invariant {
  const sent = new Map<number, { record: SentRecord; age: number }>()
  const acknowledged = new Map<string, Acknowledged[]>()
  const losses = new Map<string, number>()

  function judge(seen: Extract<Observation, { kind: 'wholeLog' }>): string | undefined {
    const log = new Map(seen.records.map(({ offset, number }) => [offset, number]))
    const present = new Set(log.values())
    const lossCount = losses.get(placeKey(seen)) ?? 0
    const firstLost = new Map<number, Acknowledged>()
    const here = acknowledged.get(placeKey(seen)) ?? []
    here.sort((one, other) => one.offset - other.offset)
    for (const entry of here) {
      const { record, offset, age, sentAge } = entry
      const name = `record ${record.number} of ${record.producer} (acks ${record.acks})`
      if (offset < 0) {
        if (present.has(record.number) || sentAge < lossCount) continue
        return `${name} was acknowledged, and is nowhere in ${placeKey(seen)}`
      }
      const lost = firstLost.get(age)
      if (log.get(offset) === record.number) {
        if (lost !== undefined)
          return `${name} is at ${placeKey(seen)}:${offset}, but record ${lost.record.number}, acknowledged at ${lost.offset}, is not: a hole`
        continue
      }
      if (sentAge === lossCount)
        return `${name} was acknowledged at ${placeKey(seen)}:${offset}, where ${log.get(offset) ?? 'nothing'} is now (the log has ${log.size} records)`
      if (lost === undefined) firstLost.set(age, entry)
    }
    return undefined
  }

  return {
    number: 'I1',
    name: 'acknowledged records survive',
    observe(seen) {
      if (seen.kind === 'lossAllowed')
        losses.set(placeKey(seen), (losses.get(placeKey(seen)) ?? 0) + 1)
      if (seen.kind === 'sent') {
        const { record } = seen
        sent.set(record.number, { record, age: losses.get(placeKey(record)) ?? 0 })
      }
      if (seen.kind === 'acknowledged') {
        const known = sent.get(seen.number)
        if (known?.record.isPromised !== true) return undefined
        const { record, age: sentAge } = known
        const key = placeKey(record)
        const here = acknowledged.get(key) ?? []
        acknowledged.set(key, here)
        here.push({ record, offset: seen.offset, sentAge, age: losses.get(key) ?? 0 })
      }
      return seen.kind === 'wholeLog' ? judge(seen) : undefined
    },
  }
}
