/** What a server does by the clock: purges old files, removes containers and nodes whose time is over. */
import type { Clock, Timer } from '../../runtime/clock.ts'
import type { Disk } from '../../runtime/disk.ts'
import type { Logger } from '../../runtime/logger.ts'
import { expiredNodes } from './containers.ts'
import type { RequestProcessor } from './processors.ts'
import { purge } from './purge.ts'
import type { DataDirectories } from './recovery.ts'
import type { CoordinationSettings } from './settings.ts'

export interface HousekeepingPorts {
  readonly clock: Clock
  readonly disk: Disk
  readonly logger: Logger
}

/** Removals go out a portion at a time, so many portions a minute. */
const PORTIONS_PER_MINUTE = 100
/** The server asks in nobody's name. */
const ITSELF = { session: 0n, identities: [], cxid: 0 }

export class Housekeeping<Watcher> {
  private readonly ports: HousekeepingPorts
  private readonly settings: CoordinationSettings
  private readonly directories: DataDirectories
  private readonly processor: RequestProcessor<Watcher>
  private purgeTimer: Timer | undefined
  private containerTimer: Timer | undefined

  constructor(
    ports: HousekeepingPorts,
    settings: CoordinationSettings,
    {
      directories,
      processor,
    }: {
      readonly directories: DataDirectories
      readonly processor: RequestProcessor<Watcher>
    },
  ) {
    this.ports = ports
    this.settings = settings
    this.directories = directories
    this.processor = processor
  }

  start(): void {
    this.purge()
    this.armContainers()
  }

  stop(): void {
    this.purgeTimer?.cancel()
    this.containerTimer?.cancel()
  }

  private purge(): void {
    const { purgeIntervalMs, snapshotsRetained } = this.settings
    if (purgeIntervalMs === 0) return
    const { clock, disk, logger } = this.ports
    purge(disk, this.directories, { snapshotsRetained, logger })
    this.purgeTimer = clock.schedule(purgeIntervalMs, () => this.purge())
  }

  private armContainers(): void {
    const { clock } = this.ports
    const { containerCheckMs, containerNeverUsedMs } = this.settings
    this.containerTimer = clock.schedule(containerCheckMs, () => {
      const { tree } = this.processor
      const settings = { neverUsedMs: containerNeverUsedMs }
      this.remove([...expiredNodes(tree, clock.now(), settings)])
    })
  }

  private remove(paths: readonly string[]): void {
    const { clock, logger } = this.ports
    if (paths.length === 0) return this.armContainers()
    const count = Math.max(
      1,
      Math.floor(this.settings.containersPerMinuteMax / PORTIONS_PER_MINUTE),
    )
    for (const path of paths.slice(0, count)) {
      logger.info(`Attempting to delete candidate container: ${path}`)
      // What has got a child meanwhile is refused, and stays.
      this.processor.write(
        ITSELF,
        (preparer, zxid) => preparer.deleteExpired(path, zxid),
        () => {},
      )
    }
    const rest = paths.slice(count)
    this.containerTimer = clock.schedule(60_000 / PORTIONS_PER_MINUTE, () => this.remove(rest))
  }
}
