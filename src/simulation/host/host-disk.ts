/**
 * A host's disk as one life of its process sees it: every operation is noted, may be the one at which
 * the process dies, and does nothing once it is dead.
 */
import { crc32 } from 'node:zlib'
import type {
  DirectoryEntry,
  Disk,
  DiskFile,
  DiskLock,
  DiskSpace,
  FileStatus,
  OpenMode,
} from '../../runtime/disk.ts'
import { type Life, ProcessGone } from '../../memory/life.ts'

export interface DiskWatch {
  /** An operation that changes the disk is about to happen. It may kill the process. */
  readonly onChange: (line: string) => void
}

export class HostDisk implements Disk {
  readonly #disk: Disk
  readonly #life: Life
  readonly #watch: DiskWatch

  constructor(disk: Disk, life: Life, watch: DiskWatch) {
    this.#disk = disk
    this.#life = life
    this.#watch = watch
  }

  open(path: string, mode: OpenMode): DiskFile {
    if (mode === 'read') this.#enter('open', path)
    else this.#change('open', path, mode)
    return new HostFile(this.#disk.open(path, mode), this.#life, this.#watch)
  }

  stat(path: string): FileStatus | undefined {
    this.#enter('stat', path)
    return this.#disk.stat(path)
  }

  list(path: string): DirectoryEntry[] {
    this.#enter('list', path)
    return this.#disk.list(path)
  }

  makeDirectory(path: string): void {
    this.#change('makeDirectory', path)
    this.#disk.makeDirectory(path)
  }

  rename(from: string, to: string): void {
    this.#change('rename', from, to)
    this.#disk.rename(from, to)
  }

  remove(path: string): void {
    this.#change('remove', path)
    this.#disk.remove(path)
  }

  removeTree(path: string): Promise<void> {
    this.#change('removeTree', path)
    return this.#life.see(this.#disk.removeTree(path))
  }

  space(path: string): DiskSpace {
    this.#enter('space', path)
    return this.#disk.space(path)
  }

  syncDirectory(path: string): void {
    this.#change('syncDirectory', path)
    this.#disk.syncDirectory(path)
  }

  lock(path: string): DiskLock {
    this.#enter('lock', path)
    const lock = this.#disk.lock(path)
    return {
      release: () => {
        if (this.#life.alive) lock.release()
      },
    }
  }

  #enter(operation: string, path: string): void {
    if (!this.#life.alive) throw new ProcessGone(operation, path)
  }

  #change(operation: string, path: string, detail = ''): void {
    this.#enter(operation, path)
    this.#watch.onChange(`${operation} ${path} ${detail}`)
    this.#enter(operation, path)
  }
}

class HostFile implements DiskFile {
  readonly path: string
  readonly #file: DiskFile
  readonly #life: Life
  readonly #watch: DiskWatch

  constructor(file: DiskFile, life: Life, watch: DiskWatch) {
    this.path = file.path
    this.#file = file
    this.#life = life
    this.#watch = watch
  }

  size(): number {
    this.#enter('stat')
    return this.#file.size()
  }

  status(): FileStatus {
    this.#enter('stat')
    return this.#file.status()
  }

  readNow(target: Uint8Array, targetStart: number, length: number, position: number): number {
    this.#enter('read')
    return this.#file.readNow(target, targetStart, length, position)
  }

  async read(target: Uint8Array, start: number, length: number, position: number): Promise<number> {
    this.#enter('read')
    return this.#life.see(this.#file.read(target, start, length, position))
  }

  write(source: Uint8Array, start: number, end: number, position: number): void {
    this.#change(`write ${position} ${end - start} ${crc32(source.subarray(start, end))}`)
    this.#file.write(source, start, end, position)
  }

  writeMany(sources: readonly Uint8Array[], position: number): void {
    let at = position
    for (const source of sources) {
      this.write(source, 0, source.length, at)
      at += source.length
    }
  }

  truncate(size: number): void {
    this.#change(`truncate ${size}`)
    this.#file.truncate(size)
  }

  async sync(): Promise<void> {
    this.#change('sync')
    return this.#life.see(this.#file.sync())
  }

  syncNow(): void {
    this.#change('syncNow')
    this.#file.syncNow()
  }

  close(): void {
    this.#file.close()
  }

  #enter(operation: string): void {
    if (!this.#life.alive) throw new ProcessGone(operation, this.path)
  }

  #change(operation: string): void {
    this.#enter(operation)
    this.#watch.onChange(`${operation} ${this.path}`)
    this.#enter(operation)
  }
}
