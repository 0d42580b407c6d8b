// Pure.
// The watches a client has standing, so that it can set them again on the next connection.
import type { WatcherKind, WatchEvent, Watcher } from './client.ts'

/**
 * What was asked: `data` and `child` of a node that was there, `exist` of one that was not, and the two
 * modes of addWatch.
 */
export type WatchKind = 'data' | 'exist' | 'child' | 'persistent' | 'recursive'

export interface WatchedPaths {
  readonly dataWatches: string[]
  readonly existWatches: string[]
  readonly childWatches: string[]
  readonly persistentWatches: string[]
  readonly persistentRecursiveWatches: string[]
}

/** About as much as a request may carry without coming near jute.maxbuffer. */
const PATH_BYTES_MAX = 128 * 1024

const toldBy: Readonly<Record<WatchEvent['type'], readonly WatchKind[]>> = {
  created: ['data', 'exist'],
  dataChanged: ['data', 'exist'],
  deleted: ['data', 'exist', 'child'],
  childrenChanged: ['child'],
}

const fields = {
  data: 'dataWatches',
  exist: 'existWatches',
  child: 'childWatches',
  persistent: 'persistentWatches',
  recursive: 'persistentRecursiveWatches',
} as const

const kinds: readonly WatchKind[] = ['data', 'exist', 'child', 'persistent', 'recursive']

/** What a kind of watcher means that is taken back. */
const meant: Readonly<Record<WatcherKind, readonly WatchKind[]>> = {
  data: ['data', 'exist'],
  children: ['child'],
  any: kinds,
}

/** For what else the server's watch must stay: it has one for all modes. */
const keptFor: Readonly<Record<WatcherKind, readonly WatchKind[]>> = {
  data: ['data', 'exist', 'persistent', 'recursive'],
  children: ['child', 'persistent'],
  any: kinds,
}

export class ClientWatches {
  private readonly standing: Readonly<Record<WatchKind, Map<string, Set<Watcher>>>> = {
    data: new Map(),
    exist: new Map(),
    child: new Map(),
    persistent: new Map(),
    recursive: new Map(),
  }

  add(kind: WatchKind, path: string, watcher: Watcher): void {
    const watchers = this.standing[kind].get(path)
    if (watchers === undefined) this.standing[kind].set(path, new Set([watcher]))
    else watchers.add(watcher)
  }

  /** Whether there is such a watch, of the given watcher or of anybody. */
  has(kind: WatcherKind, path: string, watcher: Watcher | undefined): boolean {
    return meant[kind].some((one) => {
      const watchers = this.standing[one].get(path)
      return watcher === undefined ? watchers !== undefined : watchers?.has(watcher) === true
    })
  }

  /** Whether another needs the server's watch once these are taken back. */
  isNeeded(kind: WatcherKind, path: string, watcher: Watcher | undefined): boolean {
    return keptFor[kind].some((one) => {
      const watchers = [...(this.standing[one].get(path) ?? [])]
      if (!meant[kind].includes(one)) return watchers.length > 0
      return watcher !== undefined && watchers.some((other) => other !== watcher)
    })
  }

  remove(kind: WatcherKind, path: string, watcher: Watcher | undefined): void {
    for (const one of meant[kind]) {
      const watchers = this.standing[one].get(path)
      if (watcher !== undefined) watchers?.delete(watcher)
      if (watcher === undefined || watchers?.size === 0) this.standing[one].delete(path)
    }
  }

  /** Whom the event tells, each once; their one-time watches end. */
  take(event: WatchEvent): Set<Watcher> {
    const told = new Set<Watcher>()
    for (const kind of toldBy[event.type]) {
      for (const watcher of this.standing[kind].get(event.path) ?? []) told.add(watcher)
      this.standing[kind].delete(event.path)
    }
    for (const watcher of this.standing.persistent.get(event.path) ?? []) told.add(watcher)
    if (event.type !== 'childrenChanged') this.takeRecursive(event.path, told)
    return told
  }

  private takeRecursive(path: string, told: Set<Watcher>): void {
    if (this.standing.recursive.size === 0) return
    for (let at = path.length; at >= 0; at = at === 0 ? -1 : path.lastIndexOf('/', at - 1)) {
      const above = at === 0 ? '/' : path.slice(0, at)
      for (const watcher of this.standing.recursive.get(above) ?? []) told.add(watcher)
    }
  }

  clear(): void {
    for (const watchers of Object.values(this.standing)) watchers.clear()
  }

  /** All of them, in portions that fit a request each. */
  portions(): WatchedPaths[] {
    const portions: WatchedPaths[] = []
    let bytes = Infinity
    for (const kind of kinds) {
      for (const path of this.standing[kind].keys()) {
        bytes += path.length * 3 + 4
        if (bytes > PATH_BYTES_MAX) {
          portions.push(noPaths())
          bytes = path.length * 3 + 4
        }
        portions.at(-1)?.[fields[kind]].push(path)
      }
    }
    return portions
  }
}

function noPaths(): WatchedPaths {
  return {
    dataWatches: [],
    existWatches: [],
    childWatches: [],
    persistentWatches: [],
    persistentRecursiveWatches: [],
  }
}
