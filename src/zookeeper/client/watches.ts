// Pure.
// The watches a client has standing, so that it can set them again on the next connection.
import type { WatchEvent, Watcher } from './client.ts'

/** What was asked: `data` and `child` of a node that was there, `exist` of one that was not. */
export type WatchKind = 'data' | 'exist' | 'child'

export interface WatchedPaths {
  readonly dataWatches: string[]
  readonly existWatches: string[]
  readonly childWatches: string[]
}

/** About as much as a request may carry without coming near jute.maxbuffer. */
const PATH_BYTES_MAX = 128 * 1024

const toldBy: Readonly<Record<WatchEvent['type'], readonly WatchKind[]>> = {
  created: ['data', 'exist'],
  dataChanged: ['data', 'exist'],
  deleted: ['data', 'exist', 'child'],
  childrenChanged: ['child'],
}

export class ClientWatches {
  private readonly kinds = {
    data: new Map<string, Set<Watcher>>(),
    exist: new Map<string, Set<Watcher>>(),
    child: new Map<string, Set<Watcher>>(),
  }

  add(kind: WatchKind, path: string, watcher: Watcher): void {
    const watchers = this.kinds[kind].get(path)
    if (watchers === undefined) this.kinds[kind].set(path, new Set([watcher]))
    else watchers.add(watcher)
  }

  /** Ends the watches that the event answers; each watcher is named once. */
  take(event: WatchEvent): Set<Watcher> {
    const told = new Set<Watcher>()
    for (const kind of toldBy[event.type]) {
      for (const watcher of this.kinds[kind].get(event.path) ?? []) told.add(watcher)
      this.kinds[kind].delete(event.path)
    }
    return told
  }

  clear(): void {
    for (const watchers of Object.values(this.kinds)) watchers.clear()
  }

  /** All of them, in portions that fit a request each. */
  portions(): WatchedPaths[] {
    const portions: WatchedPaths[] = []
    let bytes = Infinity
    for (const kind of ['data', 'exist', 'child'] as const) {
      for (const path of this.kinds[kind].keys()) {
        bytes += path.length * 3 + 4
        if (bytes > PATH_BYTES_MAX) {
          portions.push({ dataWatches: [], existWatches: [], childWatches: [] })
          bytes = path.length * 3 + 4
        }
        portions.at(-1)?.[`${kind}Watches`].push(path)
      }
    }
    return portions
  }
}
