/**
 * Files that are opened when first used and closed when too many are open, so that thousands of
 * quiet partitions cost no descriptors. Owns every handle of this room but those of small text files.
 */
import type { Disk, DiskFile } from '../runtime/disk.ts'

export class OpenFiles {
  readonly disk: Disk
  private readonly max: number
  private readonly open = new Set<LogFile>()

  constructor(disk: Disk, max: number) {
    this.disk = disk
    this.max = max
  }

  /** Notes an opened file, and closes one that has not been used of late where there are too many. */
  opened(file: LogFile): void {
    if (this.open.size >= this.max) this.closeOne()
    this.open.add(file)
  }

  closed(file: LogFile): void {
    this.open.delete(file)
  }

  /** Second chance: a file used since it was last looked at goes to the back of the row once. */
  private closeOne(): void {
    for (let turns = this.open.size * 2; turns > 0; turns--) {
      const [oldest] = this.open
      if (oldest === undefined) return
      this.open.delete(oldest)
      if (oldest.takeSecondChance()) this.open.add(oldest)
      else {
        oldest.closeHandle()
        return
      }
    }
  }
}

export class LogFile {
  path: string
  private readonly files: OpenFiles
  private handle: DiskFile | undefined
  private used = false
  /** The file was removed: nothing may open, and thereby create, it again. */
  private gone = false

  constructor(files: OpenFiles, path: string) {
    this.files = files
    this.path = path
  }

  /** Bytes read; 0 where the file was removed. @throws DiskError */
  readNow(target: Uint8Array, targetStart: number, length: number, position: number): number {
    if (this.gone) return 0
    return this.use().readNow(target, targetStart, length, position)
  }

  /** The same, off the loop. What happens to the name meanwhile does not matter. */
  read(target: Uint8Array, targetStart: number, length: number, position: number): Promise<number> {
    if (this.gone) return Promise.resolve(0)
    return this.use().read(target, targetStart, length, position)
  }

  /** @throws DiskError */
  write(source: Uint8Array, start: number, end: number, position: number): void {
    this.use().write(source, start, end, position)
  }

  /** @throws DiskError */
  truncate(size: number): void {
    this.use().truncate(size)
  }

  /** @throws DiskError */
  sync(): Promise<void> {
    return this.gone ? Promise.resolve() : this.use().sync()
  }

  /** @throws DiskError */
  syncNow(): void {
    if (!this.gone) this.use().syncNow()
  }

  /** @throws DiskError */
  size(): number {
    return this.files.disk.stat(this.path)?.size ?? 0
  }

  /** @throws DiskError */
  exists(): boolean {
    return this.files.disk.stat(this.path) !== undefined
  }

  /** @throws DiskError */
  rename(path: string): void {
    this.files.disk.rename(this.path, path)
    this.path = path
  }

  /** @throws DiskError */
  remove(): void {
    this.gone = true
    this.closeHandle()
    this.files.disk.remove(this.path)
  }

  /** The file goes away with its directory: no more handles. */
  forget(): void {
    this.gone = true
    this.closeHandle()
  }

  /** The port lets calls that are under way end before the handle really closes. */
  closeHandle(): void {
    const handle = this.handle
    if (handle === undefined) return
    this.handle = undefined
    this.files.closed(this)
    handle.close()
  }

  takeSecondChance(): boolean {
    const used = this.used
    this.used = false
    return used
  }

  private use(): DiskFile {
    this.used = true
    const handle = this.handle
    if (handle !== undefined) return handle
    const opened = this.files.disk.open(this.path, 'readWrite')
    this.handle = opened
    this.files.opened(this)
    return opened
  }
}
