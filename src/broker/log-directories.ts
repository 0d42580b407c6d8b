import { DiskError, type DiskSpace } from '../runtime/disk.ts'
import { UserError, type Ports } from '../runtime/service.ts'
import { LogDirectory } from '../storage/log-directory.ts'
import type { LogSettings } from '../storage/settings.ts'
import type { BrokerSettings } from './config/broker.ts'

const openFilesMax = 8192

export interface LogDirectoriesOptions {
  readonly brokerId: number
  readonly clusterId: string
  readonly settingsOf: (topic: string) => LogSettings
}

/** The directories of log.dirs. One that fails goes offline alone; without any there is no broker. */
export class LogDirectories {
  readonly #ports: Ports
  readonly #settings: BrokerSettings
  readonly opened: LogDirectory[] = []
  /** Some could not be opened. */
  isIncomplete = false

  constructor(ports: Ports, settings: BrokerSettings) {
    this.#ports = ports
    this.#settings = settings
  }

  /**
   * What was opened before a failure stays open until `close`.
   * @throws UserError where a directory is not ours, or none can be used
   */
  async open(options: LogDirectoriesOptions): Promise<void> {
    const settings = this.#settings
    const { logger } = this.#ports
    for (const path of settings.logDirectories) {
      try {
        const directory = await LogDirectory.open(this.#ports, path, {
          ...options,
          get producerIdExpirationMs() {
            // Changes while the broker runs.
            return settings.producerIdExpirationMs
          },
          recoveryConcurrency: settings.recoveryConcurrency,
          openFilesMax,
          retentionCheckIntervalMs: settings.retentionCheckIntervalMs,
          initialTaskDelayMs: settings.initialTaskDelayMs,
          checkpointIntervalMs: settings.checkpointIntervalMs,
          highWatermarkCheckpointIntervalMs: settings.highWatermarkCheckpointIntervalMs,
        })
        this.opened.push(directory)
        this.#refuseTwins(directory)
      } catch (error) {
        if (!(error instanceof DiskError)) throw error
        this.isIncomplete = true
        logger.named('kafka.log.LogManager').error(`Failed to create or validate ${path}`, error)
      }
    }
    if (this.opened.length === 0)
      throw new UserError(`log.dirs: none of ${settings.logDirectories.join(', ')} can be used`)
  }

  /** Two logs of one partition: nobody can tell which one counts. @throws UserError */
  #refuseTwins(directory: LogDirectory): void {
    for (const other of this.opened)
      for (const name of directory.logs.keys())
        if (other !== directory && other.logs.has(name))
          throw new UserError(
            `Duplicate log directories found for ${name} in both ${other.path} and ${directory.path}; remove one of them.`,
          )
  }

  /** Every directory of log.dirs, in their order; `opened` is undefined where it is offline. */
  get all(): readonly { readonly path: string; readonly opened: LogDirectory | undefined }[] {
    return this.#settings.logDirectories.map((path) => ({
      path,
      opened: this.opened.find((one) => one.path === path && one.offlineBecause === undefined),
    }))
  }

  /** @throws DiskError */
  spaceOf({ path }: LogDirectory): DiskSpace {
    return this.#ports.disk.space(path)
  }

  /** `action` runs when the last directory goes offline. */
  onAllOffline(action: () => void): void {
    for (const directory of this.opened)
      directory.onOffline(() => {
        if (this.opened.every((one) => one.offlineBecause !== undefined)) action()
      })
  }

  async close(): Promise<void> {
    for (const directory of this.opened) await directory.close(true)
  }
}
