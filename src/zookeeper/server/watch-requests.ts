// Pure.
// The requests about watches: set again after a reconnect, persistent ones, and taking them back.
import type { Reader } from '../../wire/reader.ts'
import { errorCodes } from '../protocol/errors.ts'
import { watcherTypes, watchModes } from '../protocol/opcodes.ts'
import { recordBody } from '../protocol/packets.ts'
import * as records from '../protocol/records.ts'
import { take } from '../protocol/records.ts'
import { ok, type Run, type View } from './reads.ts'
import { PERSISTENT, RECURSIVE, STANDARD, type WatchKind } from './watches.ts'

type Paths = readonly (string | null)[] | null

interface OneTimeWatches {
  readonly relativeZxid: bigint
  readonly dataWatches: Paths
  readonly existWatches: Paths
  readonly childWatches: Paths
}

/** What changed since the client's last zxid is told at once, the other watches stand again. */
function setAgain<Watcher>(asked: OneTimeWatches, view: View<Watcher>): void {
  const { tree, watches, watcher } = view
  const since = asked.relativeZxid
  for (const one of asked.dataWatches ?? []) {
    const path = one ?? ''
    const node = tree.get(path)
    if (node === undefined) view.tell({ type: 'deleted', path, acl: [] })
    else if (node.mzxid > since) view.tell({ type: 'dataChanged', path, acl: node.acl })
    else watches.add('data', path, watcher)
  }
  for (const one of asked.existWatches ?? []) {
    const path = one ?? ''
    const node = tree.get(path)
    if (node !== undefined) view.tell({ type: 'created', path, acl: node.acl })
    else watches.add('data', path, watcher)
  }
  for (const one of asked.childWatches ?? []) {
    const path = one ?? ''
    const node = tree.get(path)
    if (node === undefined) view.tell({ type: 'deleted', path, acl: [] })
    else if (node.pzxid > since) view.tell({ type: 'childrenChanged', path, acl: node.acl })
    else watches.add('child', path, watcher)
  }
}

function isWhole({ dataWatches, existWatches, childWatches }: OneTimeWatches): boolean {
  return dataWatches !== null && existWatches !== null && childWatches !== null
}

export function setWatches<Watcher>(reader: Reader): Run<Watcher> {
  const asked = take(reader, records.SetWatches)
  return (view) => {
    if (!isWhole(asked)) return { err: errorCodes.MARSHALLINGERROR }
    setAgain(asked, view)
    return ok()
  }
}

export function setWatches2<Watcher>(reader: Reader): Run<Watcher> {
  const asked = take(reader, records.SetWatches2)
  return (view) => {
    const { watches, watcher } = view
    const { persistentWatches, persistentRecursiveWatches } = asked
    const isAllThere = persistentWatches !== null && persistentRecursiveWatches !== null
    if (!isAllThere || !isWhole(asked)) return { err: errorCodes.MARSHALLINGERROR }
    setAgain(asked, view)
    for (const path of persistentWatches) watches.addPersistent(path ?? '', watcher)
    for (const path of persistentRecursiveWatches) watches.addRecursive(path ?? '', watcher)
    return ok()
  }
}

/** Whether there is such a node or not. The answer's body is an error record of 0, as in the original. */
export function addWatch<Watcher>(reader: Reader): Run<Watcher> {
  const request = take(reader, records.AddWatchRequest)
  const path = request.path ?? ''
  return ({ watches, watcher }) => {
    if (request.mode === watchModes.persistent) watches.addPersistent(path, watcher)
    else if (request.mode === watchModes.recursive) watches.addRecursive(path, watcher)
    else return { err: errorCodes.MARSHALLINGERROR }
    return ok(recordBody(records.ErrorResponse, { err: errorCodes.OK }))
  }
}

/** Which watches a type of watcher stands for; undefined for none. */
function meant(type: number): { kinds: readonly WatchKind[]; modes: number } | undefined {
  const all = STANDARD | PERSISTENT | RECURSIVE
  switch (type) {
    case watcherTypes.children:
      return { kinds: ['child'], modes: all }
    case watcherTypes.data:
      return { kinds: ['data'], modes: all }
    case watcherTypes.any:
      return { kinds: ['data', 'child'], modes: all }
    case watcherTypes.persistent:
      return { kinds: ['data', 'child'], modes: PERSISTENT }
    case watcherTypes.recursive:
      return { kinds: ['data', 'child'], modes: RECURSIVE }
    default:
      return undefined
  }
}

export function checkWatches<Watcher>(reader: Reader): Run<Watcher> {
  const request = take(reader, records.CheckWatchesRequest)
  const path = request.path ?? ''
  const asked = meant(request.type)
  return ({ watches, watcher }) => {
    if (asked === undefined) return { err: errorCodes.MARSHALLINGERROR }
    const stands = asked.kinds.some((kind) => watches.has(kind, path, watcher, asked.modes))
    return stands ? ok() : { err: errorCodes.NOWATCHER }
  }
}

export function removeWatches<Watcher>(reader: Reader): Run<Watcher> {
  const request = take(reader, records.RemoveWatchesRequest)
  const path = request.path ?? ''
  const asked = meant(request.type)
  return ({ watches, watcher }) => {
    if (asked === undefined) return { err: errorCodes.MARSHALLINGERROR }
    const removed = asked.kinds.filter((kind) => watches.remove(kind, path, watcher, asked.modes))
    return removed.length > 0 ? ok() : { err: errorCodes.NOWATCHER }
  }
}
