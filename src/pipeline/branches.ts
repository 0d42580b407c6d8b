// Splits a batch by a condition, with a time limit where regular expressions take part.

import {
  type Condition,
  ConditionError,
  compileCondition,
  usesRegexp,
} from '../events/conditions.ts'
import type { PipelineEvent } from '../events/event.ts'
import type { Logger } from '../runtime/logger.ts'
import { mapGuarded } from '../text/guard.ts'

const REGEXP_LIMIT_MS = 1000

export interface Split {
  readonly then: readonly PipelineEvent[]
  readonly otherwise: readonly PipelineEvent[]
  /** Events whose values cannot be compared; the original loses them as well. */
  readonly lost: number
}

/** Events that are lost are marked as cancelled when `cancelLost` is set (in filters). */
export function compileSplit(
  condition: Condition,
  { logger, cancelLost }: { readonly logger: Logger; readonly cancelLost: boolean },
): (events: readonly PipelineEvent[]) => Split {
  const predicate = compileCondition(condition)
  const test = (event: PipelineEvent): boolean | Error => {
    try {
      return predicate(event)
    } catch (error) {
      if (error instanceof ConditionError) return error
      throw error
    }
  }
  const late = (): Error => new Error(`a condition took longer than ${REGEXP_LIMIT_MS} ms`)
  const testAll = usesRegexp(condition)
    ? (events: readonly PipelineEvent[]) =>
        mapGuarded<PipelineEvent, boolean | Error>(events, REGEXP_LIMIT_MS, { run: test, late })
    : (events: readonly PipelineEvent[]) => events.map(test)
  return (events) => {
    const results = testAll(events)
    const then: PipelineEvent[] = []
    const otherwise: PipelineEvent[] = []
    let lost = 0
    for (const [at, event] of events.entries()) {
      const result = results[at]
      if (result === true) then.push(event)
      else if (result === false) otherwise.push(event)
      else {
        lost += 1
        if (cancelLost) event.cancelled = true
        logger.warn(`an event is lost since a condition failed: ${result?.message}`)
      }
    }
    return { then, otherwise, lost }
  }
}

/**
 * The results of both branches in the order the events had. What was derived from an event follows it;
 * what follows nothing comes first.
 */
export function mergeInOrder(
  original: readonly PipelineEvent[],
  branches: readonly (readonly PipelineEvent[])[],
): PipelineEvent[] {
  const known = new Set(original)
  const groups = new Map<PipelineEvent | undefined, PipelineEvent[]>()
  for (const branch of branches) {
    let leader: PipelineEvent | undefined
    for (const event of branch) {
      if (known.has(event)) leader = event
      const group = groups.get(leader)
      if (group === undefined) groups.set(leader, [event])
      else group.push(event)
    }
  }
  return [undefined, ...original].flatMap((event) => groups.get(event) ?? [])
}
