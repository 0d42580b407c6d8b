// Pure.
import { placeKey, type SentRecord } from '../observation.ts'
import type { Invariant } from './invariant.ts'

/** A group that commits what it processed gets every acknowledged record at least once. */
export function groupsSkipNothing(): Invariant {
  const sent = new Map<number, SentRecord>()
  const acknowledged = new Map<number, SentRecord>()
  const delivered = new Map<string, Set<number>>()
  const broken = new Set<string>()
  return {
    number: 'I15',
    name: 'groups skip nothing',
    observe(seen) {
      if (seen.kind === 'lossAllowed') broken.add(placeKey(seen))
      if (seen.kind === 'sent') sent.set(seen.record.number, seen.record)
      if (seen.kind === 'acknowledged') {
        const record = sent.get(seen.number)
        if (record?.isPromised === true) acknowledged.set(seen.number, record)
      }
      if (seen.kind === 'delivered') {
        const got = delivered.get(seen.group) ?? new Set<number>()
        delivered.set(seen.group, got)
        got.add(seen.number)
      }
      if (seen.kind !== 'groupDone') return undefined
      for (const [number, record] of acknowledged) {
        if (!seen.topics.includes(record.topic) || broken.has(placeKey(record))) continue
        if (number >= seen.before) continue
        if (delivered.get(seen.group)?.has(number) !== true)
          return `group ${seen.group} never got record ${number} of ${record.topic}-${record.partition}`
      }
      return undefined
    },
  }
}
