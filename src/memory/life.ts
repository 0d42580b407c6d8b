/**
 * One life of a process in memory: from its boot until it is killed. Everything that could run its code
 * (timers, the network, the disk) passes here, so that the dead stay dead and the frozen wait.
 */
import { DiskError } from '../runtime/disk.ts'

/** What the code of a killed process meets when it goes on to the end of its turn. */
export class ProcessGone extends DiskError {
  constructor(operation: string, path: string) {
    super('EIO', `${operation} in a process that is gone:`, path)
  }
}

/** Whether an error is only the echo of a killed process. */
export function isEcho(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (one instanceof ProcessGone) return true
  }
  return false
}

export class Life {
  readonly number: number
  #alive = true
  #frozen = false
  #held: (() => void)[] = []

  constructor(number: number) {
    this.number = number
  }

  get alive(): boolean {
    return this.#alive
  }

  get frozen(): boolean {
    return this.#frozen
  }

  /** Runs code of the process: now, when it thaws, or never. */
  run(action: () => void): void {
    if (!this.#alive) return
    if (this.#frozen) {
      this.#held.push(action)
      return
    }
    try {
      action()
    } catch (error) {
      if (!isEcho(error)) throw error
    }
  }

  /** The outcome of a promise as the process sees it; never any once it is dead. */
  see<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => this.run(() => resolve(value)),
        (error: unknown) => this.run(() => reject(error)),
      )
    })
  }

  end(): void {
    this.#alive = false
    this.#held = []
  }

  freeze(): void {
    this.#frozen = true
  }

  /** What fell due meanwhile runs now, in the order in which it did. */
  thaw(): void {
    this.#frozen = false
    const held = this.#held
    this.#held = []
    for (const action of held) this.run(action)
  }
}
