/**
 * Time as a port. Outside src/node and src/memory nobody asks the system for the time or sets a
 * timer, so that a simulation owns both.
 */
export interface Clock {
  /** Wall-clock time in whole milliseconds since 1970 (UTC). May jump. */
  now(): number
  /** Milliseconds since an arbitrary start, with fractions; never goes back. For durations. */
  monotonicMs(): number
  /** Runs `action` once, `delayMs` from now at the earliest. Does not keep a process alive by itself. */
  schedule(delayMs: number, action: () => void): Timer
  /**
   * Runs `action` at the end of the present loop turn, after the input that is already there has been
   * handled. What a turn produced (appends, answers) is gathered and leaves in one write here.
   */
  atEndOfTurn(action: () => void): void
}

export interface Timer {
  /** After this the action does not run any more. Harmless when it already ran. */
  cancel(): void
}

/** Resolves after `delayMs` of the clock's time. */
export function delay(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.schedule(delayMs, resolve)
  })
}
