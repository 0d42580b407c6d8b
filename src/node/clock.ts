import type { Clock, Timer } from '../runtime/clock.ts'

/** The longest delay a system timer takes; longer ones are made of several. */
const timerDelayMaxMs = 2 ** 31 - 1

/**
 * How often in a row what end-of-turn actions ask for still belongs to the same turn. A log is flushed,
 * then answers are written, then sockets are: three. Beyond the limit input gets its chance first, so
 * that an action that always asks for another cannot starve it.
 */
const generationsPerTurn = 8

let actions: (() => void)[] = []
let turnEndRequested = false

function endTurn(): void {
  turnEndRequested = false
  for (let generation = 0; generation < generationsPerTurn && actions.length > 0; generation += 1) {
    const due = actions
    actions = []
    let done = 0
    try {
      for (const action of due) {
        done += 1
        action()
      }
    } finally {
      // One action's failure is fatal to the process as a rule; where it is not, the others still run.
      if (done < due.length) {
        actions = [...due.slice(done), ...actions]
        requestTurnEnd()
      }
    }
  }
  if (actions.length > 0) requestTurnEnd()
}

function requestTurnEnd(): void {
  if (turnEndRequested) return
  turnEndRequested = true
  setImmediate(endTurn)
}

class SystemTimer implements Timer {
  #timeout: NodeJS.Timeout | undefined
  #action: () => void

  constructor(delayMs: number, action: () => void) {
    this.#action = action
    this.#arm(Math.max(delayMs, 0))
  }

  cancel(): void {
    clearTimeout(this.#timeout)
  }

  #arm(delayMs: number): void {
    const step = Math.min(delayMs, timerDelayMaxMs)
    const rest = delayMs - step
    this.#timeout = setTimeout(rest > 0 ? () => this.#arm(rest) : this.#action, step)
    this.#timeout.unref()
  }
}

/** The system's time and timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule: (delayMs, action) => new SystemTimer(delayMs, action),
  atEndOfTurn(action) {
    actions.push(action)
    requestTurnEnd()
  },
}
