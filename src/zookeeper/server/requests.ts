// Pure.
// What each request asks of the tree, and how its answer reads. A request is parsed when it comes, since
// its bytes do not stay; reads are run when their turn has come.
import { errorCodes } from '../protocol/errors.ts'
import {
  type MultiOperation,
  type MultiResult,
  putMultiResponse,
  takeMultiRequest,
} from '../protocol/multi.ts'
import type { Reader } from '../../wire/reader.ts'
import type { Writer } from '../../wire/writer.ts'
import { opcodes, permissions } from '../protocol/opcodes.ts'
import { recordBody } from '../protocol/packets.ts'
import * as records from '../protocol/records.ts'
import { take } from '../protocol/records.ts'
import { allowed, maskedAcl } from './access.ts'
import { pathError } from './paths.ts'
import { type Asker, multiFailure, type Preparer, type Refusal, type Write } from './prepare.ts'
import type { Outcome } from './processors.ts'
import { aclsOf, type Change } from './transactions.ts'
import { type DataTree, type Node, statOf } from './tree.ts'
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
  /** Sets a watch's event aside that is due at once. */
  tell(type: 'created' | 'deleted' | 'dataChanged' | 'childrenChanged', path: string): void
}

type Failure = Refusal & { readonly index?: number }

export type Job<Watcher> =
  | {
      readonly kind: 'read'
      /** Whether it must wait for the writes of others too. */
      readonly afterAll: boolean
      run(view: View<Watcher>): Answer
    }
  | {
      readonly kind: 'write'
      prepare(preparer: Preparer, asker: Asker, zxid: bigint): Change | Failure
      answer(outcome: Outcome<Failure>): Answer
    }

function ok(body?: (writer: Writer) => void): Answer {
  return body === undefined ? { err: errorCodes.OK } : { err: errorCodes.OK, body }
}

type Look<Watcher> = (node: Node, view: View<Watcher>) => Answer

/** A read of one node that must be there. */
function nodeRead<Watcher>(
  asked: string | null,
  wanted: number,
  look: Look<Watcher>,
): Job<Watcher> {
  const path = asked ?? ''
  const run = (view: View<Watcher>): Answer => {
    if (pathError(path) !== undefined) return { err: errorCodes.BADARGUMENTS }
    const node = view.tree.get(path)
    if (node === undefined) return { err: errorCodes.NONODE }
    if (wanted !== 0 && !allowed(node.acl, wanted, view.asker.identities)) {
      return { err: errorCodes.NOAUTH }
    }
    return look(node, view)
  }
  return { kind: 'read', afterAll: false, run }
}

function exists<Watcher>(reader: Reader): Job<Watcher> {
  const { path, watch } = take(reader, records.ExistsRequest)
  const run = ({ tree, watches, watcher }: View<Watcher>): Answer => {
    if (pathError(path ?? '') !== undefined) return { err: errorCodes.BADARGUMENTS }
    if (watch) watches.add('data', path ?? '', watcher)
    const node = tree.get(path ?? '')
    if (node === undefined) return { err: errorCodes.NONODE }
    return ok(recordBody(records.ExistsResponse, { stat: statOf(node) }))
  }
  return { kind: 'read', afterAll: false, run }
}

function getData<Watcher>(reader: Reader): Job<Watcher> {
  const { path, watch } = take(reader, records.GetDataRequest)
  return nodeRead(path, permissions.read, (node, { watches, watcher }) => {
    if (watch) watches.add('data', path ?? '', watcher)
    return ok(recordBody(records.GetDataResponse, { data: node.data, stat: statOf(node) }))
  })
}

function getChildren<Watcher>(reader: Reader, withStat: boolean): Job<Watcher> {
  const { path, watch } = take(reader, records.GetChildren2Request)
  return nodeRead(path, permissions.read, (node, { watches, watcher }) => {
    if (watch) watches.add('child', path ?? '', watcher)
    const children = [...(node.children ?? [])]
    if (!withStat) return ok(recordBody(records.GetChildrenResponse, { children }))
    return ok(recordBody(records.GetChildren2Response, { children, stat: statOf(node) }))
  })
}

function getAcl<Watcher>(reader: Reader): Job<Watcher> {
  const { path } = take(reader, records.GetAclRequest)
  return nodeRead(path, permissions.read | permissions.admin, (node, { asker }) => {
    const acl = maskedAcl(node.acl, asker.identities)
    return ok(recordBody(records.GetAclResponse, { acl, stat: statOf(node) }))
  })
}

function getAllChildrenNumber<Watcher>(reader: Reader): Job<Watcher> {
  const { path } = take(reader, records.GetAllChildrenNumberRequest)
  return nodeRead(path, permissions.read, (_node, { tree }) => {
    const prefix = path === '/' ? '/' : `${path ?? ''}/`
    let totalNumber = path === '/' ? -1 : 0
    for (const one of tree.paths()) if (one.startsWith(prefix)) totalNumber += 1
    return ok(recordBody(records.GetAllChildrenNumberResponse, { totalNumber }))
  })
}

function getEphemerals<Watcher>(reader: Reader): Job<Watcher> {
  const prefix = take(reader, records.GetEphemeralsRequest).prefixPath ?? ''
  const run = ({ tree, asker }: View<Watcher>): Answer => {
    const owned = [...tree.ephemeralsOf(asker.session)]
    const ephemerals = owned.filter((path) => path.startsWith(prefix)).toSorted()
    return ok(recordBody(records.GetEphemeralsResponse, { ephemerals }))
  }
  return { kind: 'read', afterAll: false, run }
}

function whoAmI<Watcher>(): Job<Watcher> {
  const run = ({ asker }: View<Watcher>): Answer => {
    const clientInfo = asker.identities.map(({ scheme, id }) => ({
      authScheme: scheme,
      user: scheme === 'digest' ? (id.split(':', 1)[0] ?? '') : id,
    }))
    return ok(recordBody(records.WhoAmIResponse, { clientInfo }))
  }
  return { kind: 'read', afterAll: false, run }
}

function sync<Watcher>(reader: Reader): Job<Watcher> {
  const { path } = take(reader, records.SyncRequest)
  const run = (): Answer => ok(recordBody(records.SyncResponse, { path }))
  return { kind: 'read', afterAll: true, run }
}

/** After a reconnect: what changed meanwhile is told at once, the other watches stand again. */
function setWatches<Watcher>(reader: Reader): Job<Watcher> {
  const asked = take(reader, records.SetWatches)
  const run = (view: View<Watcher>): Answer => {
    const { tree, watches, watcher } = view
    for (const one of asked.dataWatches ?? []) {
      const path = one ?? ''
      const node = tree.get(path)
      if (node === undefined) view.tell('deleted', path)
      else if (node.stat.mzxid > asked.relativeZxid) view.tell('dataChanged', path)
      else watches.add('data', path, watcher)
    }
    for (const path of asked.existWatches ?? []) {
      if (tree.get(path ?? '') !== undefined) view.tell('created', path ?? '')
      else watches.add('data', path ?? '', watcher)
    }
    for (const one of asked.childWatches ?? []) {
      const path = one ?? ''
      const node = tree.get(path)
      if (node === undefined) view.tell('deleted', path)
      else if (node.stat.pzxid > asked.relativeZxid) view.tell('childrenChanged', path)
      else watches.add('child', path, watcher)
    }
    return ok()
  }
  return { kind: 'read', afterAll: false, run }
}

function multiRead<Watcher>(reader: Reader): Job<Watcher> {
  const operations = takeMultiRequest(reader)
  const run = ({ tree, asker }: View<Watcher>): Answer => {
    const results = operations.map((operation): MultiResult => {
      if (operation.type !== opcodes.getData && operation.type !== opcodes.getChildren) {
        return { type: opcodes.error, err: errorCodes.UNIMPLEMENTED }
      }
      const node = tree.get(operation.request.path ?? '')
      if (node === undefined) return { type: opcodes.error, err: errorCodes.NONODE }
      if (!allowed(node.acl, permissions.read, asker.identities)) {
        return { type: opcodes.error, err: errorCodes.NOAUTH }
      }
      if (operation.type === opcodes.getData) {
        return { type: operation.type, data: node.data, stat: statOf(node) }
      }
      return { type: operation.type, children: [...(node.children ?? [])] }
    })
    return ok((writer) => putMultiResponse(writer, results))
  }
  return { kind: 'read', afterAll: false, run }
}

function write<Watcher>(asked: Write): Job<Watcher> {
  return {
    kind: 'write',
    prepare: (preparer, asker, zxid) => preparer.write(asked, asker, zxid),
    answer({ refusal, change, stats: [stat] }) {
      if (refusal !== undefined) return { err: refusal.code }
      if (change?.type === 'create' && asked.type === opcodes.create) {
        return ok(recordBody(records.CreateResponse, { path: change.path }))
      }
      if (stat === undefined) return ok()
      if (change?.type === 'create') {
        return ok(recordBody(records.Create2Response, { path: change.path, stat }))
      }
      return ok(recordBody(records.SetDataResponse, { stat }))
    },
  }
}

function multi<Watcher>(reader: Reader): Job<Watcher> {
  const operations = takeMultiRequest(reader)
  return {
    kind: 'write',
    prepare: (preparer, asker, zxid) => preparer.multi(operations, asker, zxid),
    answer: (outcome) => ok((writer) => putMultiResponse(writer, resultsOf(operations, outcome))),
  }
}

function resultsOf(
  operations: readonly MultiOperation[],
  { refusal, change, stats }: Outcome<Failure>,
): MultiResult[] {
  if (refusal !== undefined || change?.type !== 'multi') {
    const code = refusal?.code ?? errorCodes.SYSTEMERROR
    const codes = multiFailure(operations.length, refusal?.index ?? 0, code)
    return codes.map((err) => ({ type: opcodes.error, err }))
  }
  const rest = stats.values()
  return change.changes.map((one, index): MultiResult => {
    if (one.type === 'delete' || one.type === 'check') return { type: opcodes[one.type] }
    const stat = rest.next().value
    if (stat === undefined) return { type: opcodes.error, err: errorCodes.SYSTEMERROR }
    if (one.type !== 'create') return { type: opcodes.setData, stat }
    if (operations[index]?.type !== opcodes.create2) return { type: opcodes.create, path: one.path }
    return { type: opcodes.create2, path: one.path, stat }
  })
}

/** Undefined for what this server does not know. @throws WireError for a body that is not as it should. */
export function parseRequest<Watcher>(type: number, reader: Reader): Job<Watcher> | undefined {
  switch (type) {
    case opcodes.create:
    case opcodes.create2:
      return write({ type, request: take(reader, records.CreateRequest) })
    case opcodes.delete:
      return write({ type, request: take(reader, records.DeleteRequest) })
    case opcodes.setData:
      return write({ type, request: take(reader, records.SetDataRequest) })
    case opcodes.check:
      return write({ type, request: take(reader, records.CheckVersionRequest) })
    case opcodes.setAcl: {
      const { path, acl, version } = take(reader, records.SetAclRequest)
      return write({ type, path: path ?? '', acl: aclsOf(acl), version })
    }
    case opcodes.multi:
      return multi(reader)
    case opcodes.multiRead:
      return multiRead(reader)
    case opcodes.exists:
      return exists(reader)
    case opcodes.getData:
      return getData(reader)
    case opcodes.getChildren:
    case opcodes.getChildren2:
      return getChildren(reader, type === opcodes.getChildren2)
    case opcodes.getAcl:
      return getAcl(reader)
    case opcodes.getAllChildrenNumber:
      return getAllChildrenNumber(reader)
    case opcodes.getEphemerals:
      return getEphemerals(reader)
    case opcodes.whoAmI:
      return whoAmI()
    case opcodes.sync:
      return sync(reader)
    case opcodes.setWatches:
      return setWatches(reader)
    default:
      return undefined
  }
}
