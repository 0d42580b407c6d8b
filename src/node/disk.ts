/** The real disk, as the Disk port wants it: node:fs with typed errors, whole writes and safe closing. */
import fs from 'node:fs'
import { dirname } from 'node:path'
import { DiskError } from '../runtime/disk.ts'
import type { DirectoryEntry, Disk, DiskFile, FileStatus, OpenMode } from '../runtime/disk.ts'
import { lockFile } from './lock.ts'

const { O_CREAT, O_RDONLY, O_RDWR, O_TRUNC } = fs.constants

const openFlags: Readonly<Record<OpenMode, number>> = {
  read: O_RDONLY,
  readWrite: O_RDWR | O_CREAT,
  replace: O_RDWR | O_CREAT | O_TRUNC,
}

/** Logs hold other people's data: nobody outside the user and group reads them. */
const fileMode = 0o640
const directoryMode = 0o750

/** What the kernel takes in one gathered write (IOV_MAX). */
const buffersPerWrite = 1024

export const nodeDisk: Disk = {
  open(path, mode) {
    try {
      return new NodeFile(path, fs.openSync(path, openFlags[mode], fileMode))
    } catch (error) {
      throw diskError(error, 'open', path)
    }
  },

  stat(path) {
    try {
      const stats = fs.statSync(path, { throwIfNoEntry: false })
      return stats && statusOf(stats)
    } catch (error) {
      if (codeOf(error) === 'ENOTDIR') return undefined
      throw diskError(error, 'stat', path)
    }
  },

  list(path) {
    try {
      return fs.readdirSync(path, { withFileTypes: true }).map((entry) => entryOf(path, entry))
    } catch (error) {
      throw diskError(error, 'list', path)
    }
  },

  makeDirectory(path) {
    attempt('make directory', path, () => makeDirectories(path))
  },

  rename(from, to) {
    attempt('rename', `${from} to ${to}`, () => fs.renameSync(from, to))
  },

  remove(path) {
    try {
      fs.unlinkSync(path)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw diskError(error, 'remove', path)
    }
  },

  async removeTree(path) {
    try {
      await fs.promises.rm(path, { recursive: true, force: true })
    } catch (error) {
      throw diskError(error, 'remove tree', path)
    }
  },

  space(path) {
    let space = { totalBytes: 0, usableBytes: 0 }
    attempt('space of', path, () => {
      const { bsize, blocks, bavail } = fs.statfsSync(path)
      space = { totalBytes: blocks * bsize, usableBytes: bavail * bsize }
    })
    return space
  },

  syncDirectory(path) {
    // Windows has no way to sync a directory, and needs none.
    if (process.platform === 'win32') return
    attempt('sync directory', path, () => {
      const descriptor = fs.openSync(path, O_RDONLY)
      try {
        fs.fsyncSync(descriptor)
      } finally {
        fs.closeSync(descriptor)
      }
    })
  },

  lock: (path) => lockFile(path),
}

/**
 * An open file. Closing waits for calls that are under way in the thread pool: the system gives a
 * closed descriptor's number to the next file opened, and a late call would hit that one.
 */
class NodeFile implements DiskFile {
  readonly path: string
  #descriptor: number
  #callsUnderWay = 0
  #closed = false

  constructor(path: string, descriptor: number) {
    this.path = path
    this.#descriptor = descriptor
  }

  size(): number {
    return this.status().size
  }

  status(): FileStatus {
    try {
      return statusOf(fs.fstatSync(this.#open('stat')))
    } catch (error) {
      throw diskError(error, 'stat', this.path)
    }
  }

  readNow(target: Uint8Array, targetStart: number, length: number, position: number): number {
    const descriptor = this.#open('read')
    let done = 0
    try {
      while (done < length) {
        const start = targetStart + done
        const count = fs.readSync(descriptor, target, start, length - done, position + done)
        if (count === 0) break
        done += count
      }
    } catch (error) {
      throw diskError(error, 'read', this.path)
    }
    return done
  }

  read(target: Uint8Array, start: number, length: number, position: number): Promise<number> {
    return this.#offLoop('read', (descriptor, settle) => {
      const step = (done: number): void => {
        fs.read(
          descriptor,
          target,
          start + done,
          length - done,
          position + done,
          (error, count) => {
            if (error !== null) settle(error, done)
            else if (count === 0 || done + count === length) settle(null, done + count)
            else step(done + count)
          },
        )
      }
      step(0)
    })
  }

  write(source: Uint8Array, start: number, end: number, position: number): void {
    const descriptor = this.#open('write')
    let at = start
    try {
      while (at < end) {
        at += fs.writeSync(descriptor, source, at, end - at, position + at - start)
      }
    } catch (error) {
      throw diskError(error, 'write', this.path)
    }
  }

  writeMany(sources: readonly Uint8Array[], position: number): void {
    const descriptor = this.#open('write')
    let at = position
    for (let first = 0; first < sources.length; first += buffersPerWrite) {
      const group = sources.slice(first, first + buffersPerWrite)
      let written = 0
      try {
        written = fs.writevSync(descriptor, group, at)
      } catch (error) {
        throw diskError(error, 'write', this.path)
      }
      for (const source of group) {
        // A short write is rare (a full disk, a signal); what it left out follows piece by piece.
        if (written < source.length) this.write(source, written, source.length, at + written)
        at += source.length
        written = Math.max(written - source.length, 0)
      }
    }
  }

  truncate(size: number): void {
    const descriptor = this.#open('truncate')
    attempt('truncate', this.path, () => fs.ftruncateSync(descriptor, size))
  }

  async sync(): Promise<void> {
    await this.#offLoop('sync', (descriptor, settle) => {
      fs.fdatasync(descriptor, (error) => settle(error, 0))
    })
  }

  syncNow(): void {
    const descriptor = this.#open('sync')
    attempt('sync', this.path, () => fs.fdatasyncSync(descriptor))
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#closeWhenIdle()
  }

  #open(operation: string): number {
    if (this.#closed) throw new DiskError('EBADF', operation, this.path)
    return this.#descriptor
  }

  #offLoop(
    operation: string,
    call: (descriptor: number, settle: (error: Error | null, count: number) => void) => void,
  ): Promise<number> {
    return new Promise((resolve, reject) => {
      const descriptor = this.#open(operation)
      this.#callsUnderWay += 1
      call(descriptor, (error, count) => {
        this.#callsUnderWay -= 1
        if (error !== null) reject(diskError(error, operation, this.path))
        else resolve(count)
        if (this.#closed) this.#closeWhenIdle()
      })
    })
  }

  #closeWhenIdle(): void {
    if (this.#callsUnderWay > 0) return
    attempt('close', this.path, () => fs.closeSync(this.#descriptor))
  }
}

/**
 * Node's own recursive form never returns where a directory exists but takes no entries (/proc): it
 * reads the ENOENT as a missing parent for ever.
 */
function makeDirectories(path: string): void {
  if (makeOneDirectory(path)) return
  const parent = dirname(path)
  if (parent !== path) makeDirectories(parent)
  if (!makeOneDirectory(path)) fs.mkdirSync(path, { mode: directoryMode })
}

/** False where the parent is missing. */
function makeOneDirectory(path: string): boolean {
  try {
    fs.mkdirSync(path, { mode: directoryMode })
    return true
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT') return false
    // Some systems answer EROFS, EACCES or EISDIR for a directory that is there.
    if (fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return true
    throw error
  }
}

function attempt(operation: string, path: string, action: () => void): void {
  try {
    action()
  } catch (error) {
    throw diskError(error, operation, path)
  }
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

function diskError(error: unknown, operation: string, path: string): unknown {
  const code = codeOf(error)
  // Without a system code it is our own mistake (a wrong argument), not the disk's.
  if (error instanceof DiskError || code === undefined || code.startsWith('ERR_')) return error
  return new DiskError(code, operation, path, { cause: error })
}

function statusOf(stats: fs.Stats): FileStatus {
  return {
    kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other',
    size: stats.size,
    modifiedMs: stats.mtimeMs,
    inode: stats.ino,
    device: stats.dev,
  }
}

function entryOf(parent: string, entry: fs.Dirent): DirectoryEntry {
  const { name } = entry
  if (entry.isFile()) return { name, kind: 'file' }
  if (entry.isDirectory()) return { name, kind: 'directory' }
  // A link counts as what it leads to: partitions are moved to other disks that way.
  const stats = fs.statSync(`${parent}/${name}`, { throwIfNoEntry: false })
  return { name, kind: stats?.isFile() ? 'file' : stats?.isDirectory() ? 'directory' : 'other' }
}
