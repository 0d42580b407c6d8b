// Pure.
// What each request asks for, and how its answer reads. A request is parsed when it comes, since its
// bytes do not stay; reads are run when their turn has come.
import { WireError } from '../../wire/errors.ts'
import { Reader } from '../../wire/reader.ts'
import { errorCodes } from '../protocol/errors.ts'
import {
  isRead,
  type MultiOperation,
  type MultiResult,
  putMultiResponse,
  takeMultiRequest,
} from '../protocol/multi.ts'
import { opcodes } from '../protocol/opcodes.ts'
import * as records from '../protocol/records.ts'
import { take } from '../protocol/records.ts'
import { type Asker, multiFailure, type Preparer, type Refusal, type Write } from './prepare.ts'
import type { Outcome } from './processors.ts'
import * as reads from './reads.ts'
import { type Answer, ok, type View } from './reads.ts'
import { aclsOf, type Change } from './transactions.ts'
import type { StatBytes } from './node.ts'
import * as watchRequests from './watch-requests.ts'

type Failure = Refusal & { readonly index?: number }

export interface ReadJob<Watcher> {
  readonly kind: 'read'
  /** Whether it must wait for the writes of others too. */
  readonly afterAll: boolean
  run(view: View<Watcher>): Answer
}

export interface WriteJob {
  readonly kind: 'write'
  /** Whether the answer tells of the nodes' stats. */
  readonly needsStats: boolean
  prepare(preparer: Preparer, asker: Asker, zxid: bigint): Change | Failure
  answer(outcome: Outcome<Failure>): Answer
}

export type Job<Watcher> = ReadJob<Watcher> | WriteJob

function read<Watcher>(run: (view: View<Watcher>) => Answer, afterAll = false): Job<Watcher> {
  return { kind: 'read', afterAll, run }
}

function write(asked: Write): WriteJob {
  return {
    kind: 'write',
    needsStats: asked.type !== opcodes.create && asked.type !== opcodes.delete,
    prepare: (preparer, asker, zxid) => preparer.write(asked, asker, zxid),
    answer({ refusal, change, stats: [stat] }) {
      if (refusal !== undefined) return { err: refusal.code }
      if (change?.type !== 'create') {
        return stat === undefined ? ok() : ok((writer) => writer.raw(stat))
      }
      const { path } = change
      return ok((writer) => {
        writer.juteString(path)
        if (stat !== undefined) writer.raw(stat)
      })
    },
  }
}

function multi(reader: Reader): WriteJob {
  const operations = takeMultiRequest(reader)
  if (operations.some(isRead)) throw new WireError('a read in a multi that writes', 0)
  return {
    kind: 'write',
    needsStats: true,
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
    const bytes: StatBytes | undefined = rest.next().value
    if (bytes === undefined) return { type: opcodes.error, err: errorCodes.SYSTEMERROR }
    const stat = take(new Reader(bytes), records.StatRecord)
    if (one.type !== 'create') return { type: opcodes.setData, stat }
    if (operations[index]?.type === opcodes.create) return { type: opcodes.create, path: one.path }
    return { type: opcodes.create2, path: one.path, stat }
  })
}

/** Undefined for what this server does not know. @throws WireError for a body that is not as it should. */
export function parseRequest<Watcher>(type: number, reader: Reader): Job<Watcher> | undefined {
  switch (type) {
    case opcodes.create:
    case opcodes.create2:
    case opcodes.createContainer:
      return write({ type, request: take(reader, records.CreateRequest) })
    case opcodes.createTtl:
      return write({ type, request: take(reader, records.CreateTtlRequest) })
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
    case opcodes.reconfig:
      take(reader, records.ReconfigRequest)
      return write({ type })
    case opcodes.multi:
      return multi(reader)
    default:
      return parseRead(type, reader)
  }
}

function parseRead<Watcher>(type: number, reader: Reader): Job<Watcher> | undefined {
  switch (type) {
    case opcodes.multiRead:
      return read(reads.multiRead(reader))
    case opcodes.exists:
      return read(reads.exists(reader))
    case opcodes.getData:
      return read(reads.getData(reader))
    case opcodes.getChildren:
    case opcodes.getChildren2:
      return read(reads.getChildren(reader, type === opcodes.getChildren2))
    case opcodes.getAcl:
      return read(reads.getAcl(reader))
    case opcodes.getAllChildrenNumber:
      return read(reads.getAllChildrenNumber(reader))
    case opcodes.getEphemerals:
      return read(reads.getEphemerals(reader))
    case opcodes.whoAmI:
      return read(reads.whoAmI)
    case opcodes.sync:
      return read(reads.sync(reader), true)
    case opcodes.setWatches:
      return read(watchRequests.setWatches(reader))
    case opcodes.setWatches2:
      return read(watchRequests.setWatches2(reader))
    case opcodes.addWatch:
      return read(watchRequests.addWatch(reader))
    case opcodes.checkWatches:
      return read(watchRequests.checkWatches(reader))
    case opcodes.removeWatches:
      return read(watchRequests.removeWatches(reader))
    default:
      return undefined
  }
}
