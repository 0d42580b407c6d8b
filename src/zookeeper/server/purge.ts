/** autopurge: removes snapshots beyond the newest few, and the logs that no kept snapshot needs. */
import { type Disk, DiskError } from '../../runtime/disk.ts'
import type { Logger } from '../../runtime/logger.ts'
import { type DataDirectories, logsNeeded, numberedFiles } from './recovery.ts'

export interface PurgeOptions {
  readonly snapshotsRetained: number
  readonly logger: Logger
}

/** Never throws: what could not be removed is tried again the next time. */
export function purge(
  disk: Disk,
  directories: DataDirectories,
  { snapshotsRetained, logger }: PurgeOptions,
): void {
  try {
    const snapshots = numberedFiles(disk, directories.snapshots, 'snapshot')
    const kept = snapshots.slice(-snapshotsRetained)
    const oldest = kept[0]
    if (oldest === undefined) return
    const logs = numberedFiles(disk, directories.logs, 'log')
    const needed = new Set(logsNeeded(logs, oldest.zxid).map(({ path }) => path))
    const surplus = snapshots.slice(0, -snapshotsRetained)
    for (const { path } of [...surplus, ...logs.filter((log) => !needed.has(log.path))]) {
      disk.remove(path)
      logger.info(`Removed file: ${path}`)
    }
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    logger.error('The purge failed', error)
  }
}
