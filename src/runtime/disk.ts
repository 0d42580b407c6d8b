/**
 * The disk as a port. Why some calls are synchronous: a write to the page cache costs 0.5 to 6 us, a
 * thread-pool round trip 26 to 32 us, so appends and reads of hot data are synchronous and cold reads
 * and flushes are not (ARCHITECTURE.md, "Why the ports have these shapes").
 *
 * Durability: bytes survive power loss once `sync` or `syncNow` returned; a created, renamed or removed
 * name survives once its directory was synced. Everything written survives the death of the process.
 */
export interface Disk {
  /** @throws DiskError */
  open(path: string, mode: OpenMode): DiskFile
  /** Undefined where there is nothing of that name. @throws DiskError */
  stat(path: string): FileStatus | undefined
  /** Names in a directory, in no particular order. @throws DiskError */
  list(path: string): DirectoryEntry[]
  /** Creates the directory and its parents; harmless when it is there. @throws DiskError */
  makeDirectory(path: string): void
  /** Replaces `to` where it is a file. @throws DiskError */
  rename(from: string, to: string): void
  /** Removes a file; harmless when there is none. @throws DiskError */
  remove(path: string): void
  /** Removes a directory with all that is in it; harmless when there is none. @throws DiskError */
  removeTree(path: string): Promise<void>
  /** Makes the names in a directory durable. @throws DiskError */
  syncDirectory(path: string): void
  /** Room of the file system that the path is on. @throws DiskError */
  space(path: string): DiskSpace
  /**
   * Holds an exclusive lock on a lock file until `release`, or until the process dies.
   * @throws DiskError with code ELOCKED where another process, or this one, holds it.
   */
  lock(path: string): DiskLock
}

/** read: must exist. readWrite: created when missing. replace: created or emptied. */
export type OpenMode = 'read' | 'readWrite' | 'replace'

/** One open file. Positions and lengths are in bytes; nothing here has a cursor. */
export interface DiskFile {
  readonly path: string
  size(): number
  /** Status of the open file itself, whatever its name is now. */
  status(): FileStatus
  /**
   * Reads up to `length` bytes into `target` at `targetStart`; returns how many (less only at the end of
   * the file). For hot data: it stalls the loop if the bytes are not in the page cache. @throws DiskError
   */
  readNow(target: Uint8Array, targetStart: number, length: number, position: number): number
  /** The same for cold data, off the loop. */
  read(target: Uint8Array, targetStart: number, length: number, position: number): Promise<number>
  /** Writes all of source[start, end) at `position`, to the page cache. @throws DiskError */
  write(source: Uint8Array, start: number, end: number, position: number): void
  /** Writes all the buffers one after another at `position`. @throws DiskError */
  writeMany(sources: readonly Uint8Array[], position: number): void
  /** Cuts or extends (with zeroes) the file. @throws DiskError */
  truncate(size: number): void
  /** Makes the bytes written before the call durable, off the loop. @throws DiskError */
  sync(): Promise<void>
  /** The same, at once. @throws DiskError */
  syncNow(): void
  close(): void
}

export interface FileStatus {
  readonly kind: 'file' | 'directory' | 'other'
  readonly size: number
  readonly modifiedMs: number
  /** Inode and device identify a file through renames, until it is deleted. */
  readonly inode: number
  readonly device: number
}

export interface DirectoryEntry {
  readonly name: string
  readonly kind: 'file' | 'directory' | 'other'
}

export interface DiskSpace {
  readonly totalBytes: number
  /** What an ordinary user may still write. */
  readonly usableBytes: number
}

export interface DiskLock {
  release(): void
}

/** A failing disk or file system call. `code` is the system's (ENOENT, ENOSPC, EACCES, EIO …) or ELOCKED. */
export class DiskError extends Error {
  override readonly name = 'DiskError'
  readonly code: string
  readonly path: string
  constructor(code: string, operation: string, path: string, options?: ErrorOptions) {
    super(`${code}: ${operation} ${path}`, options)
    this.code = code
    this.path = path
  }
}

/** The whole of a small file. @throws DiskError */
export function readFile(disk: Disk, path: string): Buffer {
  const file = disk.open(path, 'read')
  try {
    const content = Buffer.alloc(file.size())
    const length = file.readNow(content, 0, content.length, 0)
    return content.subarray(0, length)
  } finally {
    file.close()
  }
}

/** The same, or undefined where the file is missing. @throws DiskError */
export function readFileIfThere(disk: Disk, path: string): Buffer | undefined {
  return disk.stat(path) === undefined ? undefined : readFile(disk, path)
}

/**
 * Replaces a small file so that after any crash either the old or the new content is there, whole:
 * written beside it as PATH.tmp, synced, renamed, and the directory synced. @throws DiskError
 */
export function replaceFile(disk: Disk, path: string, content: Uint8Array | string): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  const temporary = `${path}.tmp`
  const file = disk.open(temporary, 'replace')
  try {
    file.write(bytes, 0, bytes.length, 0)
    file.syncNow()
  } finally {
    file.close()
  }
  disk.rename(temporary, path)
  disk.syncDirectory(path.slice(0, Math.max(path.lastIndexOf('/'), 1)))
}
