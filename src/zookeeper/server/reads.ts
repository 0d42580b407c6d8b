// Pure.
// The requests that only look. Each function takes a request's body and returns what to do in its turn.
import { WireError } from '../../wire/errors.ts'
import type { Reader } from '../../wire/reader.ts'
import type { Writer } from '../../wire/writer.ts'
import { errorCodes } from '../protocol/errors.ts'
import { isRead, type MultiResult, putMultiResponse, takeMultiRequest } from '../protocol/multi.ts'
import { opcodes, permissions } from '../protocol/opcodes.ts'
import { recordBody } from '../protocol/packets.ts'
import * as records from '../protocol/records.ts'
import { take } from '../protocol/records.ts'
import { allowed, maskedAcl } from './access.ts'
import { dataBytes, dataLength, putData } from './node-data.ts'
import type { Asker } from './prepare.ts'
import { nameIn, type Node, statOf } from './node.ts'
import type { DataTree, TreeEvent } from './tree.ts'
import type { WatchTable } from './watches.ts'

export interface Answer {
  readonly err: number
  readonly body?: (writer: Writer) => void
  /** In the body's place: a long buffer and the bytes of the record that follows it. */
  readonly long?: { readonly data: Buffer; readonly tail: Buffer }
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

/** From here on a node's data is sent as it is kept. */
const LONG_BYTES = 16 * 1024
/** Of what a multi reads; what is beyond is refused. No client of the usual limits takes a tenth of it. */
const MULTI_READ_BYTES_MAX = 16 << 20
/** Of a child's name, as a guess. */
const CHILD_BYTES = 32

type Look<Watcher> = (node: Node, view: View<Watcher>) => Answer

/** Paths are not checked when they are read, and an empty one is the root, as in the original. */
function nodeAt(tree: DataTree, path: string | null): Node | undefined {
  return path === null ? undefined : tree.get(path === '' ? '/' : path)
}

/** A read of one node that must be there. */
function nodeRead<Watcher>(
  asked: string | null,
  wanted: number,
  look: Look<Watcher>,
): Run<Watcher> {
  return (view) => {
    const node = nodeAt(view.tree, asked)
    if (node === undefined) {
      return { err: asked === null ? errorCodes.MARSHALLINGERROR : errorCodes.NONODE }
    }
    if (!allowed(node.acl, wanted, view.asker.identities)) return { err: errorCodes.NOAUTH }
    return look(node, view)
  }
}

export function exists<Watcher>(reader: Reader): Run<Watcher> {
  const { path, watch } = take(reader, records.ExistsRequest)
  return ({ tree, watches, watcher, asker }) => {
    if (path === null) return { err: errorCodes.MARSHALLINGERROR }
    const node = nodeAt(tree, path)
    // Who may not read a node shall not hear of it either.
    if (node !== undefined && !allowed(node.acl, permissions.read, asker.identities)) {
      return { err: errorCodes.NOAUTH }
    }
    if (watch) watches.add('data', node?.path ?? path, watcher)
    if (node === undefined) return { err: errorCodes.NONODE }
    return ok((writer) => node.putStat(writer))
  }
}

export function getData<Watcher>(reader: Reader): Run<Watcher> {
  const { path, watch } = take(reader, records.GetDataRequest)
  return nodeRead(path, permissions.read, (node, { watches, watcher }) => {
    if (watch) watches.add('data', node.path, watcher)
    const { data } = node
    if (typeof data === 'object' && data !== null && data.length >= LONG_BYTES) {
      return { err: errorCodes.OK, long: { data, tail: node.statBytes() } }
    }
    return ok((writer) => {
      putData(writer, data)
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
  if (operations.some((one) => !isRead(one)))
    throw new WireError('a write in a multi that reads', 0)
  return ({ tree, watches, watcher, asker }) => {
    let bytes = 0
    const results = operations.map((operation): MultiResult => {
      if (bytes > MULTI_READ_BYTES_MAX) {
        return { type: opcodes.error, err: errorCodes.MARSHALLINGERROR }
      }
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
      bytes += isData ? dataLength(node.data) : node.childCount * CHILD_BYTES
      if (isData) return { type: opcodes.getData, data: dataBytes(node.data), stat: statOf(node) }
      return { type: opcodes.getChildren, children: Array.from(node.children ?? [], nameIn) }
    })
    return ok((writer) => putMultiResponse(writer, results))
  }
}
