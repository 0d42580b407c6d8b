// Events to standard output, one JSON text after the other.

import type { Writable } from 'node:stream'
import type { OutgoingEvent } from '../event.ts'
import { type Output, noOutputCounts } from './output.ts'

export class ConsoleOutput implements Output {
  readonly kind = 'console'
  readonly counts = noOutputCounts()
  readonly #stream: Writable
  #isClosed = false

  constructor(stream: Writable) {
    this.#stream = stream
  }

  send(event: OutgoingEvent): void {
    this.counts.total += 1
    this.#stream.write(`${event.json}\n`, (error) => {
      if (error !== null && error !== undefined) return
      if (this.#isClosed) return
      this.counts.acked += 1
      event.settle()
    })
  }

  close(): Promise<void> {
    this.#isClosed = true
    return Promise.resolve()
  }
}
