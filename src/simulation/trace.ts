/** The trace of a run: every observable event goes into one hash, and to a reader where there is one. */
import { createHash } from 'node:crypto'

const pendingCharactersMax = 32_768

export class Trace {
  readonly #hash = createHash('sha256')
  readonly #reader: ((line: string) => void) | undefined
  #pending = ''
  #events = 0

  /** @param reader gets each line as it is noted. */
  constructor(reader?: (line: string) => void) {
    this.#reader = reader
  }

  get events(): number {
    return this.#events
  }

  note(atMs: number, line: string): void {
    this.#events += 1
    this.#pending += `${atMs} ${line}\n`
    if (this.#reader !== undefined) this.#reader(`${atMs.toFixed(3).padStart(10)} ${line}`)
    if (this.#pending.length < pendingCharactersMax) return
    this.#hash.update(this.#pending)
    this.#pending = ''
  }

  /** Ends the trace: 64 hexadecimal digits. */
  digest(): string {
    this.#hash.update(this.#pending)
    this.#pending = ''
    return this.#hash.digest('hex')
  }
}
