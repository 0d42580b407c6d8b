// A time limit for regular expressions that users wrote: some need years for a short text.

import { Script, createContext } from 'node:vm'

/** The task did not end within its limit and was broken off. */
export class GuardTimeout extends Error {
  override readonly name = 'GuardTimeout'
}

const slot: { task: () => void } = { task() {} }
const context = createContext(slot)
const script = new Script('task()')

let guarded = false

/**
 * Runs a synchronous task under a watchdog. A task that is broken off stops anywhere, so it must not
 * leave half-made changes behind: match first, change events afterwards. One guard costs about 0.1 ms,
 * so guard batches.
 * @throws GuardTimeout, and whatever the task throws
 */
export function runGuarded<T>(limitMs: number, task: () => T): T {
  if (guarded) return task()
  let result: { value: T } | undefined
  guarded = true
  slot.task = () => {
    result = { value: task() }
  }
  try {
    script.runInContext(context, { timeout: Math.max(1, Math.floor(limitMs)) })
  } catch (error) {
    if (isTimeout(error)) throw new GuardTimeout(`broken off after ${limitMs} ms`)
    throw error
  } finally {
    guarded = false
    slot.task = () => {}
  }
  if (result === undefined) throw new GuardTimeout(`broken off after ${limitMs} ms`)
  return result.value
}

function isTimeout(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
  )
}

/**
 * The same for many items: all in one guard, and each in its own after that guard has struck, so that
 * one hostile text costs only itself. `late` gives the result of an item that was broken off.
 */
export function mapGuarded<Item, Result>(
  items: readonly Item[],
  limitMs: number,
  work: { readonly run: (item: Item) => Result; readonly late: (item: Item) => Result },
): Result[] {
  try {
    return runGuarded(limitMs, () => items.map(work.run))
  } catch (error) {
    if (!(error instanceof GuardTimeout)) throw error
  }
  return items.map((item) => {
    try {
      return runGuarded(limitMs, () => work.run(item))
    } catch (error) {
      if (!(error instanceof GuardTimeout)) throw error
      return work.late(item)
    }
  })
}
