import type { Logger } from '../runtime/logger.ts'
import { isZooKeeperError } from '../zookeeper/client/client.ts'
import type { Coordination } from './coordination.ts'
import type { LogDirectories } from './log-directories.ts'
import { encodeLogDirectoryEvent, paths } from './znodes.ts'

export interface LogDirectoryEventsParts {
  readonly coordination: Coordination
  readonly directories: LogDirectories
  readonly logger: Logger
}

/** Tells the controller when a log directory fails, so that it gives its partitions other leaders. */
export class LogDirectoryEvents {
  readonly #parts: LogDirectoryEventsParts
  readonly #brokerId: number
  /** Failures that coordination does not know of yet. */
  #untold = 0

  constructor(parts: LogDirectoryEventsParts, brokerId: number) {
    this.#parts = parts
    this.#brokerId = brokerId
  }

  start(): void {
    const { coordination, directories } = this.#parts
    for (const directory of directories.opened) directory.onOffline(() => this.#failed())
    coordination.onRenewed(() => this.#tell())
  }

  #failed(): void {
    this.#untold += 1
    void this.#tell()
  }

  /** One notice stands for all failures before it. What is not told now is told by the next session. */
  async #tell(): Promise<void> {
    const { coordination, logger } = this.#parts
    const told = this.#untold
    if (told === 0) return
    const data = encodeLogDirectoryEvent(this.#brokerId)
    try {
      await coordination.insist((zookeeper) =>
        zookeeper.create(paths.logDirectoryEventPrefix, data, { sequential: true, stat: false }),
      )
      this.#untold -= told
    } catch (error) {
      if (!isZooKeeperError(error)) throw error
      logger.warn(`The failure of a log directory could not be told yet: ${error.message}`)
    }
  }
}
