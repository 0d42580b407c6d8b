/** An open file of the in-memory disk. */
import { DiskError } from '../runtime/disk.ts'
import type { DiskFile, FileStatus } from '../runtime/disk.ts'
import type { DiskNode } from './directory-node.ts'
import type { FileNode } from './file-node.ts'

export type DiskOperation =
  | 'open'
  | 'stat'
  | 'list'
  | 'makeDirectory'
  | 'rename'
  | 'remove'
  | 'read'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'space'
  | 'syncDirectory'
  | 'lock'

/** What an open file needs of its disk. */
export interface FileAccess {
  readonly enter: (operation: DiskOperation) => void
  readonly room: () => number
  readonly later: <T>(action: () => T) => Promise<T>
  readonly sync: () => Promise<void>
  readonly now: () => number
}

export class MemoryFile implements DiskFile {
  readonly path: string
  readonly #node: FileNode
  readonly #writable: boolean
  readonly #access: FileAccess
  #closed = false

  constructor(path: string, node: FileNode, writable: boolean, access: FileAccess) {
    this.path = path
    this.#node = node
    this.#writable = writable
    this.#access = access
  }

  size(): number {
    this.#enter('stat')
    return this.#node.size
  }

  status(): FileStatus {
    this.#enter('stat')
    return statusOf(this.#node)
  }

  readNow(target: Uint8Array, targetStart: number, length: number, position: number): number {
    this.#enter('read')
    return this.#node.read(target, targetStart, length, position)
  }

  async read(target: Uint8Array, start: number, length: number, position: number): Promise<number> {
    if (this.#closed) throw new DiskError('EBADF', 'read', this.path)
    return this.#access.later(() => {
      this.#access.enter('read')
      return this.#node.read(target, start, length, position)
    })
  }

  write(source: Uint8Array, start: number, end: number, position: number): void {
    this.#enter('write')
    if (start >= end) return
    const growth = Math.max(position + end - start - this.#node.size, 0)
    const missing = Math.max(growth - Math.max(this.#access.room(), 0), 0)
    const fitting = Math.max(end - missing, start)
    if (fitting > start) this.#node.write(source.subarray(start, fitting), position)
    this.#node.modifiedMs = this.#access.now()
    if (fitting < end) throw new DiskError('ENOSPC', 'write', this.path)
  }

  writeMany(sources: readonly Uint8Array[], position: number): void {
    let at = position
    for (const source of sources) {
      this.write(source, 0, source.length, at)
      at += source.length
    }
  }

  truncate(size: number): void {
    this.#enter('truncate')
    this.#node.truncate(size)
    this.#node.modifiedMs = this.#access.now()
  }

  async sync(): Promise<void> {
    if (this.#closed) throw new DiskError('EBADF', 'sync', this.path)
    return this.#access.sync()
  }

  syncNow(): void {
    this.#enter('sync')
    this.#node.synced(this.#node.syncMark())
  }

  close(): void {
    this.#closed = true
  }

  #enter(operation: DiskOperation): void {
    const misused = !this.#writable && (operation === 'write' || operation === 'truncate')
    if (this.#closed || misused) throw new DiskError('EBADF', operation, this.path)
    this.#access.enter(operation)
  }
}

export function statusOf(node: DiskNode): FileStatus {
  const { kind, size, modifiedMs, inode } = node
  return { kind, size, modifiedMs, inode, device: 1 }
}
