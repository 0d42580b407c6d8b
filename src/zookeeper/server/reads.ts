// Pure.
// The requests that only look. Each function takes a request's body and returns what to do in its turn.
import type { Reader } from '../../wire/reader.ts'
import type { Writer } from '../../wire/writer.ts'
import { errorCodes } from '../protocol/errors.ts'
import { type MultiResult, putMultiResponse, takeMultiRequest } from '../protocol/multi.ts'
import { opcodes, permissions } from '../protocol/opcodes.ts'
import { recordBody } from '../protocol/packets.ts'
import * as records from '../protocol/records.ts'
import { take } from '../protocol/records.ts'
import { allowed, maskedAcl } from './access.ts'
import { dataBytes, putData } from './node-data.ts'
import { pathError } from './paths.ts'
import type { Asker } from './prepare.ts'
import { nameIn, type Node, statOf } from './node.ts'
import type { DataTree, TreeEvent } from './tree.ts'
import type { WatchTable } from './watches.ts'

export interface Answer {
  readonly err: number
  readonly body?: (writer: Writer) => void
}

/** What a read may look at. */
export interface View<Watcher> {
  readonly tree: DataTree
  readonly watches: WatchTable<Watcher>
  readonly watcher: Watcher
  readonly asker: Asker
  /** Tells of an event that is due at once, as a watch would have. */
  tell(event: TreeEvent): void
}

export type Run<Watcher> = (view: View<Watcher>) => Answer

export function ok(body?: (writer: Writer) => void): Answer {
  return body === undefined ? { err: errorCodes.OK } : { err: errorCodes.OK, body }
}

type Look<Watcher> = (node: Node, view: View<Watcher>) => Answer

/** A read of one node that must be there. */
function nodeRead<Watcher>(
  asked: string | null,
  wanted: number,
  look: Look<Watcher>,
): Run<Watcher> {
  const path = asked ?? ''
  return (view) => {
    const node = view.tree.get(path)
    if (node === undefined) {
      const isPath = pathError(path) === undefined
      return { err: isPath ? errorCodes.NONODE : errorCodes.BADARGUMENTS }
    }
    if (!allowed(node.acl, wanted, view.asker.identities)) return { err: errorCodes.NOAUTH }
    return look(node, view)
  }
}

export function exists<Watcher>(reader: Reader): Run<Watcher> {
  const request = take(reader, records.ExistsRequest)
  const path = request.path ?? ''
  return ({ tree, watches, watcher }) => {
    if (pathError(path) !== undefined) return { err: errorCodes.BADARGUMENTS }
    if (request.watch) watches.add('data', path, watcher)
    const node = tree.get(path)
    if (node === undefined) return { err: errorCodes.NONODE }
    return ok((writer) => node.putStat(writer))
  }
}

export function getData<Watcher>(reader: Reader): Run<Watcher> {
  const { path, watch } = take(reader, records.GetDataRequest)
  return nodeRead(path, permissions.read, (node, { watches, watcher }) => {
    if (watch) watches.add('data', node.path, watcher)
    return ok((writer) => {
      putData(writer, node.data)
      node.putStat(writer)
    })
  })
}

export function getChildren<Watcher>(reader: Reader, withStat: boolean): Run<Watcher> {
  const { path, watch } = take(reader, records.GetChildren2Request)
  return nodeRead(path, permissions.read, (node, { watches, watcher }) => {
    if (watch) watches.add('child', node.path, watcher)
    return ok((writer) => {
      writer.int32(node.childCount)
      for (const child of node.children ?? []) writer.juteString(nameIn(child))
      if (withStat) node.putStat(writer)
    })
  })
}

export function getAcl<Watcher>(reader: Reader): Run<Watcher> {
  const { path } = take(reader, records.GetAclRequest)
  return nodeRead(path, permissions.read | permissions.admin, (node, { asker }) => {
    const acl = maskedAcl(node.acl, asker.identities)
    return ok(recordBody(records.GetAclResponse, { acl, stat: statOf(node) }))
  })
}

/** Of all below, however deep. */
export function getAllChildrenNumber<Watcher>(reader: Reader): Run<Watcher> {
  const { path } = take(reader, records.GetAllChildrenNumberRequest)
  return nodeRead(path, permissions.read, (node, { tree }) => {
    let totalNumber = -1
    if (node.path === '/') totalNumber += tree.nodeCount
    else for (const one of tree.below(node)) totalNumber += one.at < 0 ? 0 : 1
    return ok(recordBody(records.GetAllChildrenNumberResponse, { totalNumber }))
  })
}

/** The session's own, whose paths begin so. */
export function getEphemerals<Watcher>(reader: Reader): Run<Watcher> {
  const prefix = (take(reader, records.GetEphemeralsRequest).prefixPath ?? '').trim()
  return ({ tree, asker }) => {
    const owned = [...tree.ephemeralsOf(asker.session)]
    const ephemerals = owned.filter((path) => path.startsWith(prefix)).toSorted()
    return ok(recordBody(records.GetEphemeralsResponse, { ephemerals }))
  }
}

export function whoAmI<Watcher>({ asker }: View<Watcher>): Answer {
  const clientInfo = asker.identities.map(({ scheme, id }) => ({
    authScheme: scheme,
    user: scheme === 'digest' ? (id.split(':', 1)[0] ?? '') : id,
  }))
  return ok(recordBody(records.WhoAmIResponse, { clientInfo }))
}

export function sync<Watcher>(reader: Reader): Run<Watcher> {
  const { path } = take(reader, records.SyncRequest)
  return () => ok(recordBody(records.SyncResponse, { path }))
}

export function multiRead<Watcher>(reader: Reader): Run<Watcher> {
  const operations = takeMultiRequest(reader)
  return ({ tree, watches, watcher, asker }) => {
    const results = operations.map((operation): MultiResult => {
      if (operation.type !== opcodes.getData && operation.type !== opcodes.getChildren) {
        return { type: opcodes.error, err: errorCodes.UNIMPLEMENTED }
      }
      const { path, watch } = operation.request
      const node = tree.get(path ?? '')
      if (node === undefined) return { type: opcodes.error, err: errorCodes.NONODE }
      if (!allowed(node.acl, permissions.read, asker.identities)) {
        return { type: opcodes.error, err: errorCodes.NOAUTH }
      }
      const isData = operation.type === opcodes.getData
      if (watch) watches.add(isData ? 'data' : 'child', node.path, watcher)
      if (isData) return { type: opcodes.getData, data: dataBytes(node.data), stat: statOf(node) }
      return { type: opcodes.getChildren, children: Array.from(node.children ?? [], nameIn) }
    })
    return ok((writer) => putMultiResponse(writer, results))
  }
}
