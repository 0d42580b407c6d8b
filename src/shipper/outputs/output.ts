// Where events go.

import type { OutgoingEvent } from '../event.ts'

export interface OutputCounts {
  /** Events handed in. */
  total: number
  acked: number
  /** Given up for good: too large, no topic. */
  dropped: number
  /** Attempts that failed and are repeated. */
  failed: number
}

export interface Output {
  readonly kind: 'kafka' | 'console'
  readonly counts: Readonly<OutputCounts>
  /**
   * Takes an event; calls its `settle` once, when it is acknowledged or given up. The harvester
   * bounds how many are unsettled, so an output takes all it is given.
   */
  send(event: OutgoingEvent): void
  /** Lets go of everything; events that are not acknowledged stay unsettled. */
  close(): Promise<void>
}

export function noOutputCounts(): OutputCounts {
  return { total: 0, acked: 0, dropped: 0, failed: 0 }
}
