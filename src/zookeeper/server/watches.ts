// Pure.
// Who waits for which node. A standard watch tells once and is gone; a persistent one stays, a recursive
// one tells of its node and of all below it. One watcher may have all three on one path.
import type { TreeEvent } from './tree.ts'

/** Which events it waits for: exists and getData set a data watch, getChildren a child watch. */
export type WatchKind = 'data' | 'child'

/** Modes add up in a mask. */
export const STANDARD = 1
export const PERSISTENT = 2
export const RECURSIVE = 4
const ALL = STANDARD | PERSISTENT | RECURSIVE

/** The watches of one kind. `Watcher` is compared by identity: a connection on a server. */
class Watches<Watcher> {
  readonly byPath = new Map<string, Map<Watcher, number>>()
  /** The paths each watcher has watches on, so that its end costs only what it had. */
  readonly byWatcher = new Map<Watcher, Set<string>>()
  /** Paths and watchers in pairs. */
  size = 0
  recursiveCount = 0

  add(path: string, watcher: Watcher, mode: number): void {
    let watchers = this.byPath.get(path)
    if (watchers === undefined) {
      watchers = new Map()
      this.byPath.set(path, watchers)
    }
    const former = watchers.get(watcher) ?? 0
    watchers.set(watcher, former | mode)
    if ((mode & ~former & RECURSIVE) !== 0) this.recursiveCount += 1
    if (former !== 0) return
    this.size += 1
    const paths = this.byWatcher.get(watcher)
    if (paths === undefined) this.byWatcher.set(watcher, new Set([path]))
    else paths.add(path)
  }

  has(path: string, watcher: Watcher, modes: number): boolean {
    return ((this.byPath.get(path)?.get(watcher) ?? 0) & modes) !== 0
  }

  /** Whether there was one of the modes to remove. */
  remove(path: string, watcher: Watcher, modes: number): boolean {
    const watchers = this.byPath.get(path)
    const former = watchers?.get(watcher) ?? 0
    if (watchers === undefined || (former & modes) === 0) return false
    if ((former & modes & RECURSIVE) !== 0) this.recursiveCount -= 1
    const rest = former & ~modes
    if (rest !== 0) {
      watchers.set(watcher, rest)
      return true
    }
    watchers.delete(watcher)
    if (watchers.size === 0) this.byPath.delete(path)
    this.size -= 1
    const paths = this.byWatcher.get(watcher)
    paths?.delete(path)
    if (paths?.size === 0) this.byWatcher.delete(watcher)
    return true
  }

  removeWatcher(watcher: Watcher): void {
    for (const path of [...(this.byWatcher.get(watcher) ?? [])]) this.remove(path, watcher, ALL)
  }

  /** Adds whom an event at the path tells but for recursive watches; ends the standard ones. */
  tell(path: string, told: Set<Watcher>): void {
    for (const [watcher, modes] of this.byPath.get(path) ?? []) {
      if ((modes & ~RECURSIVE) === 0) continue
      told.add(watcher)
      this.remove(path, watcher, STANDARD)
    }
  }

  /** Adds those who watch the path or one above it recursively. */
  tellRecursive(path: string, told: Set<Watcher>): void {
    if (this.recursiveCount === 0) return
    for (let at = path.length; at >= 0; at = at === 0 ? -1 : path.lastIndexOf('/', at - 1)) {
      const above = at === 0 ? '/' : path.slice(0, at)
      for (const [watcher, modes] of this.byPath.get(above) ?? []) {
        if ((modes & RECURSIVE) !== 0) told.add(watcher)
      }
    }
  }
}

const NOBODY: ReadonlySet<never> = new Set()

export class WatchTable<Watcher> {
  private readonly data = new Watches<Watcher>()
  private readonly child = new Watches<Watcher>()

  /** Watches standing, each path and watcher and kind once. */
  get size(): number {
    return this.data.size + this.child.size
  }

  add(kind: WatchKind, path: string, watcher: Watcher): void {
    this[kind].add(path, watcher, STANDARD)
  }

  addPersistent(path: string, watcher: Watcher): void {
    this.data.add(path, watcher, PERSISTENT)
    this.child.add(path, watcher, PERSISTENT)
  }

  /** Such a watch hears of its children by their own events; it counts as a child watch all the same. */
  addRecursive(path: string, watcher: Watcher): void {
    this.data.add(path, watcher, RECURSIVE)
    this.child.add(path, watcher, RECURSIVE)
  }

  has(kind: WatchKind, path: string, watcher: Watcher, modes = ALL): boolean {
    return this[kind].has(path, watcher, modes)
  }

  /** Whether there was one. */
  remove(kind: WatchKind, path: string, watcher: Watcher, modes = ALL): boolean {
    return this[kind].remove(path, watcher, modes)
  }

  removeWatcher(watcher: Watcher): void {
    this.data.removeWatcher(watcher)
    this.child.removeWatcher(watcher)
  }

  /** Ends the one-time watches that wait for the event, and returns whom to tell, each once. */
  trigger({ type, path }: TreeEvent): ReadonlySet<Watcher> {
    if (this.data.size === 0 && this.child.size === 0) return NOBODY
    const told = new Set<Watcher>()
    if (type === 'childrenChanged') {
      this.child.tell(path, told)
      return told
    }
    this.data.tell(path, told)
    if (type === 'deleted') this.child.tell(path, told)
    this.data.tellRecursive(path, told)
    return told
  }

  /** As the original counts them for wchs: those of data alone. */
  summary(): { readonly watchers: number; readonly paths: number; readonly watches: number } {
    const { byWatcher, byPath, size } = this.data
    return { watchers: byWatcher.size, paths: byPath.size, watches: size }
  }

  /** Who watches the data of what. */
  byWatcher(): IterableIterator<[Watcher, ReadonlySet<string>]> {
    return this.data.byWatcher.entries()
  }

  byPath(): IterableIterator<[string, ReadonlyMap<Watcher, number>]> {
    return this.data.byPath.entries()
  }
}
