/**
 * A disk in memory, with what a real one does to those who trust it too much: bytes are durable once
 * synced and names once their directory was; a crash keeps what was, plus a seeded subset of the rest,
 * possibly torn. Space can run out and calls can fail on demand.
 */
import { DiskError } from '../runtime/disk.ts'
import type { Clock } from '../runtime/clock.ts'
import type {
  DirectoryEntry,
  Disk,
  DiskFile,
  DiskLock,
  DiskSpace,
  FileStatus,
  OpenMode,
} from '../runtime/disk.ts'
import type { Random } from '../runtime/random.ts'
import { DirectoryNode, NameTree, reachable } from './directory-node.ts'
import type { DiskNode } from './directory-node.ts'
import { FileNode } from './file-node.ts'
import { MemoryFile, statusOf } from './open-file.ts'
import type { DiskOperation, FileAccess } from './open-file.ts'

/** What a disk without a limit says it holds. */
const unlimitedBytes = 2 ** 40

export interface DiskFault {
  readonly operations: readonly DiskOperation[]
  /** Only paths that begin so. Default: all. */
  readonly path?: string
  /** EIO, ENOSPC, EACCES … */
  readonly code: string
  /** How often it strikes. Default: until removed. */
  readonly times?: number
}

/** What `snapshot` saw; only `restore` looks inside. */
export interface DiskSnapshot {
  readonly tree: NameTree
}

export interface MemoryDiskPorts {
  /** With a clock, calls off the loop end in a later turn; without, as soon as promises run. */
  readonly clock?: Clock
}

export class MemoryDisk implements Disk {
  readonly #clock: Clock | undefined
  #tree = new NameTree(new DirectoryNode(1, 0))
  #nextInode = 2
  #faults: { fault: DiskFault; left: number }[] = []
  readonly #locked = new Set<DiskNode>()
  #limitBytes = Infinity
  #heldSyncs: (() => void)[] | undefined
  /** Grows with each crash: what was opened before is dead. */
  #life = 0

  constructor(ports: MemoryDiskPorts = {}) {
    this.#clock = ports.clock
  }

  open(path: string, mode: OpenMode): DiskFile {
    this.#strike('open', path)
    const node = this.#find(path, 'open') ?? (mode === 'read' ? undefined : this.#create(path))
    if (node === undefined) throw new DiskError('ENOENT', 'open', path)
    if (node.kind === 'directory') throw new DiskError('EISDIR', 'open', path)
    if (mode === 'replace') node.truncate(0)
    return new MemoryFile(path, node, mode !== 'read', this.#access(path, node))
  }

  stat(path: string): FileStatus | undefined {
    this.#strike('stat', path)
    const node = this.#find(path, 'stat', true)
    return node && statusOf(node)
  }

  list(path: string): DirectoryEntry[] {
    this.#strike('list', path)
    const { names } = this.#directory(path, 'list')
    return [...names].map(([name, node]) => ({ name, kind: node.kind }))
  }

  makeDirectory(path: string): void {
    this.#strike('makeDirectory', path)
    let directory = this.#tree.root
    for (const name of partsOf(path)) {
      let next = directory.names.get(name)
      if (next === undefined) {
        next = new DirectoryNode(this.#takeInode(), this.#now())
        this.#tree.change([{ directory, name, node: next }])
      }
      if (next.kind === 'file') throw new DiskError('EEXIST', 'make directory', path)
      directory = next
    }
  }

  rename(from: string, to: string): void {
    const operation = `rename ${from} to`
    this.#strike('rename', from)
    const node = this.#find(from, operation)
    if (node === undefined) throw new DiskError('ENOENT', operation, to)
    const source = this.#parent(from, operation)
    const target = this.#parent(to, operation)
    const replaced = target.directory.names.get(target.name)
    if (replaced === node) return
    if (node.kind === 'directory' && isInside(target.directory, node)) {
      throw new DiskError('EINVAL', operation, to)
    }
    if (replaced?.kind === 'directory') {
      if (node.kind === 'file') throw new DiskError('EISDIR', operation, to)
      if (replaced.names.size > 0) throw new DiskError('ENOTEMPTY', operation, to)
    } else if (replaced !== undefined && node.kind === 'directory') {
      throw new DiskError('ENOTDIR', operation, to)
    }
    this.#tree.change([
      { ...source, node: undefined },
      { ...target, node },
    ])
  }

  remove(path: string): void {
    this.#strike('remove', path)
    const node = this.#find(path, 'remove')
    if (node === undefined) return
    if (node.kind === 'directory') throw new DiskError('EISDIR', 'remove', path)
    this.#tree.change([{ ...this.#parent(path, 'remove'), node: undefined }])
  }

  removeTree(path: string): Promise<void> {
    return this.#later(() => {
      this.#strike('remove', path)
      const node = this.#find(path, 'remove tree')
      if (node === undefined) return
      if (node.kind === 'directory') this.#empty(node)
      this.#tree.change([{ ...this.#parent(path, 'remove tree'), node: undefined }])
    })
  }

  space(path: string): DiskSpace {
    this.#strike('space', path)
    this.#directory(path, 'space of')
    const totalBytes = this.#limitBytes === Infinity ? unlimitedBytes : this.#limitBytes
    return { totalBytes, usableBytes: Math.max(0, totalBytes - this.#usedBytes()) }
  }

  syncDirectory(path: string): void {
    this.#strike('syncDirectory', path)
    this.#tree.sync(this.#directory(path, 'sync directory'))
  }

  lock(path: string): DiskLock {
    this.#strike('lock', path)
    this.open(path, 'readWrite').close()
    const node = this.#find(path, 'lock')
    if (node === undefined || this.#locked.has(node)) throw new DiskError('ELOCKED', 'lock', path)
    this.#locked.add(node)
    return { release: () => void this.#locked.delete(node) }
  }

  /**
   * Power loss and restart: what was synced stays; of the rest nothing, or with `random` a subset. Open
   * files are dead, locks are free, calls under way never end.
   */
  crash(random?: Random): void {
    this.#life += 1
    this.#locked.clear()
    this.#heldSyncs = undefined
    this.#tree.crash(random)
  }

  /** The process dies and the machine does not: everything written stays, files close, locks free. */
  killProcess(): void {
    this.#life += 1
    this.#locked.clear()
    this.#heldSyncs = undefined
  }

  /** Makes everything durable, names too: for a test's starting point. */
  syncAll(): void {
    this.#tree.syncAll()
  }

  /** From now on asynchronous syncs wait for `releaseSyncs`. */
  holdSyncs(): void {
    this.#heldSyncs ??= []
  }

  releaseSyncs(): void {
    const held = this.#heldSyncs ?? []
    this.#heldSyncs = undefined
    for (const finish of held) finish()
  }

  /** Makes calls fail; returns what ends it. */
  inject(fault: DiskFault): () => void {
    const entry = { fault, left: fault.times ?? Infinity }
    this.#faults.push(entry)
    return () => {
      this.#faults = this.#faults.filter((other) => other !== entry)
    }
  }

  /** Writes beyond so many bytes in all files fail with ENOSPC, after what still fitted. */
  limitSpace(bytes: number): void {
    this.#limitBytes = bytes
  }

  /** Damages a byte, as a failing disk does. */
  flipBits(path: string, position: number, mask: number): void {
    const node = this.#find(path, 'flip')
    if (node?.kind !== 'file') throw new DiskError('ENOENT', 'flip', path)
    node.flip(position, mask)
  }

  snapshot(): DiskSnapshot {
    return { tree: this.#tree.clone() }
  }

  /** As if nothing had happened since; a snapshot can be restored many times. */
  restore(snapshot: DiskSnapshot): void {
    this.killProcess()
    this.#tree = snapshot.tree.clone()
  }

  #access(path: string, node: FileNode): FileAccess {
    const life = this.#life
    return {
      enter: (operation) => {
        if (this.#life !== life) throw new DiskError('EIO', operation, path)
        this.#strike(operation, path)
      },
      room: () => (this.#limitBytes === Infinity ? Infinity : this.#limitBytes - this.#usedBytes()),
      later: (action) => this.#later(action),
      sync: () => this.#syncLater(path, node),
      now: () => this.#now(),
    }
  }

  #syncLater(path: string, node: FileNode): Promise<void> {
    const mark = node.syncMark()
    const finish = (): Promise<void> =>
      this.#later(() => {
        this.#strike('sync', path)
        node.synced(mark)
      })
    const held = this.#heldSyncs
    if (held === undefined) return finish()
    return new Promise((resolve, reject) => {
      held.push(() => void finish().then(resolve, reject))
    })
  }

  #later<T>(action: () => T): Promise<T> {
    const life = this.#life
    return new Promise((resolve, reject) => {
      const run = (): void => {
        if (this.#life !== life) return
        try {
          resolve(action())
        } catch (error) {
          reject(error)
        }
      }
      if (this.#clock === undefined) queueMicrotask(run)
      else this.#clock.schedule(0, run)
    })
  }

  #strike(operation: DiskOperation, path: string): void {
    for (const entry of this.#faults) {
      const { fault } = entry
      if (entry.left <= 0 || !fault.operations.includes(operation)) continue
      if (fault.path !== undefined && !path.startsWith(fault.path)) continue
      entry.left -= 1
      throw new DiskError(fault.code, operation, path)
    }
  }

  /** @param lenient a path that leads through a file is just missing. */
  #find(path: string, operation: string, lenient = false): DiskNode | undefined {
    let node: DiskNode | undefined = this.#tree.root
    for (const name of partsOf(path)) {
      if (node?.kind === 'file') {
        if (lenient) return undefined
        throw new DiskError('ENOTDIR', operation, path)
      }
      node = node?.names.get(name)
    }
    return node
  }

  #directory(path: string, operation: string): DirectoryNode {
    const node = this.#find(path, operation)
    if (node === undefined) throw new DiskError('ENOENT', operation, path)
    if (node.kind === 'file') throw new DiskError('ENOTDIR', operation, path)
    return node
  }

  #parent(path: string, operation: string): { directory: DirectoryNode; name: string } {
    const parts = partsOf(path)
    const name = parts.pop()
    if (name === undefined) throw new DiskError('EBUSY', operation, path)
    return { directory: this.#directory(parts.join('/'), operation), name }
  }

  #create(path: string): FileNode {
    const place = this.#parent(path, 'open')
    const node = new FileNode(this.#takeInode(), this.#now())
    this.#tree.change([{ ...place, node }])
    return node
  }

  #empty(directory: DirectoryNode): void {
    for (const [name, node] of directory.names) {
      if (node.kind === 'directory') this.#empty(node)
      this.#tree.change([{ directory, name, node: undefined }])
    }
  }

  #usedBytes(): number {
    let bytes = 0
    for (const node of reachable(this.#tree.root)) bytes += node.size
    return bytes
  }

  #takeInode(): number {
    this.#nextInode += 1
    return this.#nextInode - 1
  }

  #now(): number {
    return this.#clock?.now() ?? 0
  }
}

function partsOf(path: string): string[] {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts
}

function isInside(directory: DirectoryNode, ancestor: DirectoryNode): boolean {
  return directory === ancestor || reachable(ancestor).has(directory)
}
