/**
 * What a server of the cluster gets instead of the machine's own clock and disk: they stand still with a
 * paused process, and do nothing for a killed one.
 */
import type { Life } from '../memory/life.ts'
import type { Clock, Timer } from '../runtime/clock.ts'
import type { Disk, DiskFile, DiskLock, OpenMode } from '../runtime/disk.ts'

/** The cluster's clock in one life of a process. */
export class ProcessClock implements Clock {
  readonly #clock: Clock
  readonly #life: Life
  readonly #timers = new Set<Timer>()

  constructor(clock: Clock, life: Life) {
    this.#clock = clock
    this.#life = life
  }

  now(): number {
    return this.#clock.now()
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs()
  }

  schedule(delayMs: number, action: () => void): Timer {
    let isCancelled = false
    const timer = this.#clock.schedule(delayMs, () => {
      this.#timers.delete(timer)
      // One that fell due in a paused process may still be cancelled when that goes on.
      this.#life.run(() => {
        if (!isCancelled) action()
      })
    })
    this.#timers.add(timer)
    return {
      cancel: () => {
        isCancelled = true
        this.#timers.delete(timer)
        timer.cancel()
      },
    }
  }

  atEndOfTurn(action: () => void): void {
    this.#clock.atEndOfTurn(() => this.#life.run(action))
  }

  /** The process is gone: nothing waits on its behalf. */
  end(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }
}

/**
 * The real disk in one life of a process. A real process that dies leaves no open files and no locks;
 * one that dies here leaves them to `end`.
 */
export class ProcessDisk implements Disk {
  readonly #disk: Disk
  readonly #life: Life
  readonly #files = new Set<DiskFile>()
  readonly #locks = new Set<DiskLock>()

  constructor(disk: Disk, life: Life) {
    this.#disk = disk
    this.#life = life
  }

  open(path: string, mode: OpenMode): DiskFile {
    const file = this.#disk.open(path, mode)
    this.#files.add(file)
    const life = this.#life
    return {
      path,
      size: () => file.size(),
      status: () => file.status(),
      readNow: (target, start, length, position) => file.readNow(target, start, length, position),
      read: (target, start, length, position) =>
        life.see(file.read(target, start, length, position)),
      write: (source, start, end, position) => file.write(source, start, end, position),
      writeMany: (sources, position) => file.writeMany(sources, position),
      truncate: (size) => file.truncate(size),
      sync: () => life.see(file.sync()),
      syncNow: () => file.syncNow(),
      close: () => {
        this.#files.delete(file)
        file.close()
      },
    }
  }

  lock(path: string): DiskLock {
    const lock = this.#disk.lock(path)
    this.#locks.add(lock)
    return {
      release: () => {
        if (this.#locks.delete(lock)) lock.release()
      },
    }
  }

  removeTree(path: string): Promise<void> {
    return this.#life.see(this.#disk.removeTree(path))
  }

  stat = (path: string): ReturnType<Disk['stat']> => this.#disk.stat(path)
  list = (path: string): ReturnType<Disk['list']> => this.#disk.list(path)
  makeDirectory = (path: string): void => this.#disk.makeDirectory(path)
  rename = (from: string, to: string): void => this.#disk.rename(from, to)
  remove = (path: string): void => this.#disk.remove(path)
  syncDirectory = (path: string): void => this.#disk.syncDirectory(path)
  space = (path: string): ReturnType<Disk['space']> => this.#disk.space(path)

  end(): void {
    for (const file of this.#files) file.close()
    for (const lock of this.#locks) lock.release()
    this.#files.clear()
    this.#locks.clear()
  }
}
