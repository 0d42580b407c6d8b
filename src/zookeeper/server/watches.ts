// Pure.
// Who waits for which node. A watch tells once and is gone.
import type { TreeEvent } from './tree.ts'

/** Which watches an event ends: exists and getData set a data watch, getChildren a child watch. */
export type WatchKind = 'data' | 'child'

export interface Notice<Watcher> {
  readonly watcher: Watcher
  readonly event: TreeEvent
}

/** `Watcher` is compared by identity: a connection on a server. */
export class WatchTable<Watcher> {
  private readonly byPath = {
    data: new Map<string, Set<Watcher>>(),
    child: new Map<string, Set<Watcher>>(),
  }
  /** The paths each watcher has watches on, so that its end costs only what it had. */
  private readonly paths = {
    data: new Map<Watcher, Set<string>>(),
    child: new Map<Watcher, Set<string>>(),
  }
  /** Watches standing, each path and watcher and kind once. */
  size = 0

  add(kind: WatchKind, path: string, watcher: Watcher): void {
    const watchers = this.byPath[kind].get(path)
    if (watchers?.has(watcher) === true) return
    if (watchers === undefined) this.byPath[kind].set(path, new Set([watcher]))
    else watchers.add(watcher)
    const paths = this.paths[kind].get(watcher)
    if (paths === undefined) this.paths[kind].set(watcher, new Set([path]))
    else paths.add(path)
    this.size += 1
  }

  has(kind: WatchKind, path: string, watcher: Watcher): boolean {
    return this.byPath[kind].get(path)?.has(watcher) === true
  }

  get pathCount(): number {
    return this.byPath.data.size + this.byPath.child.size
  }

  get watcherCount(): number {
    return new Set([...this.paths.data.keys(), ...this.paths.child.keys()]).size
  }

  /** Removes the watches that the event ends and returns whom to tell. */
  trigger(event: TreeEvent): Notice<Watcher>[] {
    if (event.type === 'childrenChanged') return this.notices(event, this.end('child', event.path))
    const told = this.end('data', event.path)
    // A watcher that waited for both data and children of a deleted node is told once.
    if (event.type === 'deleted') for (const one of this.end('child', event.path)) told.add(one)
    return this.notices(event, told)
  }

  private notices(event: TreeEvent, watchers: ReadonlySet<Watcher>): Notice<Watcher>[] {
    return Array.from(watchers, (watcher) => ({ watcher, event }))
  }

  private end(kind: WatchKind, path: string): Set<Watcher> {
    const watchers = this.byPath[kind].get(path)
    if (watchers === undefined) return new Set()
    this.byPath[kind].delete(path)
    this.size -= watchers.size
    for (const watcher of watchers) {
      const paths = this.paths[kind].get(watcher)
      paths?.delete(path)
      if (paths?.size === 0) this.paths[kind].delete(watcher)
    }
    return watchers
  }

  removeWatcher(watcher: Watcher): void {
    for (const kind of ['data', 'child'] as const) {
      for (const path of this.paths[kind].get(watcher) ?? []) {
        const watchers = this.byPath[kind].get(path)
        watchers?.delete(watcher)
        if (watchers?.size === 0) this.byPath[kind].delete(path)
        this.size -= 1
      }
      this.paths[kind].delete(watcher)
    }
  }
}
