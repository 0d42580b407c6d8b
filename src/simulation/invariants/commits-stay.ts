// Pure.
import { placeKey } from '../observation.ts'
import type { Invariant } from './invariant.ts'

const offsetsTopic = '__consumer_offsets'

/** What a group committed is what it finds: never less than was answered before it asked. */
export function commitsStay(): Invariant {
  const committed = new Map<string, number>()
  const cut = new Set<string>()
  const questions = new Map<number, ReadonlyMap<string, number>>()
  return {
    number: 'I13',
    name: 'committed offsets never go back',
    observe(seen) {
      // Commits are records of a topic, too; readers of a log that was cut begin anew.
      if (seen.kind === 'lossAllowed') {
        cut.add(placeKey(seen))
        if (seen.topic !== offsetsTopic) return undefined
        committed.clear()
        questions.clear()
      }
      if ('partition' in seen && cut.has(placeKey(seen))) return undefined
      if (seen.kind === 'committed') {
        const key = `${seen.group} ${placeKey(seen)}`
        const before = committed.get(key) ?? -1
        // Answers to two members may overtake each other.
        committed.set(key, Math.max(before, seen.offset))
      }
      if (seen.kind === 'committedAsked') questions.set(seen.question, new Map(committed))
      if (seen.kind === 'committedRead') {
        const floor = questions.get(seen.question)?.get(`${seen.group} ${placeKey(seen)}`) ?? -1
        if (seen.offset < floor)
          return `group ${seen.group} had committed ${floor} in ${placeKey(seen)} and finds ${seen.offset}`
      }
      return undefined
    },
  }
}
