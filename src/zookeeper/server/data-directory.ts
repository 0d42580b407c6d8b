/** The directories of a server: made so that they survive power loss, and held by one server at a time. */
import { type Disk, DiskError, type DiskLock } from '../../runtime/disk.ts'
import { UserError } from '../../runtime/service.ts'
import type { DataDirectories } from './recovery.ts'
import type { CoordinationSettings } from './settings.ts'

const LOCK_NAME = '.lock'

export function directoriesOf(settings: CoordinationSettings): DataDirectories {
  return {
    snapshots: `${settings.dataDirectory}/version-2`,
    logs: `${settings.logDirectory}/version-2`,
  }
}

/** A directory that cannot be made or written. */
export class DataDirectoryError extends UserError {}

/**
 * Makes what is missing and locks both. @throws DataDirectoryError, and UserError where another server
 * has them.
 */
export function openDirectories(disk: Disk, settings: CoordinationSettings): readonly DiskLock[] {
  const directories = directoriesOf(settings)
  try {
    makeDirectory(disk, directories.snapshots)
    makeDirectory(disk, directories.logs)
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    throw new DataDirectoryError(error.message, { cause: error })
  }
  const locks: DiskLock[] = []
  for (const root of new Set([settings.dataDirectory, settings.logDirectory])) {
    try {
      locks.push(disk.lock(`${root}/${LOCK_NAME}`))
    } catch (error) {
      for (const lock of locks) lock.release()
      if (!(error instanceof DiskError)) throw error
      if (error.code !== 'ELOCKED') throw new DataDirectoryError(error.message, { cause: error })
      const message = `${root} is in use by another coordination server`
      throw new UserError(message, { cause: error })
    }
  }
  return locks
}

/** Creates a directory and the missing ones above it, so that their names survive power loss. */
function makeDirectory(disk: Disk, path: string): void {
  const parent = path.slice(0, Math.max(path.lastIndexOf('/'), 0))
  const status = path === '' ? undefined : disk.stat(path)
  if (status?.kind === 'directory') return
  if (status !== undefined) throw new DiskError('ENOTDIR', 'make directory', path)
  if (parent !== '') makeDirectory(disk, parent)
  disk.makeDirectory(path)
  const root = path.startsWith('/') ? '/' : '.'
  disk.syncDirectory(parent === '' ? root : parent)
}

/** Bytes of all files in a directory; those that go meanwhile count nothing. @throws DiskError */
export function directoryBytes(disk: Disk, directory: string): number {
  let bytes = 0
  for (const { name, kind } of disk.list(directory)) {
    if (kind === 'file') bytes += disk.stat(`${directory}/${name}`)?.size ?? 0
  }
  return bytes
}
