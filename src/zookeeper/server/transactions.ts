// Pure.
// The changes that a server carries out, and their form in the transaction log. We write only types
// that every ZooKeeper since 3.4 reads, and read those of 3.4 to 3.9.
import { WireError } from '../../wire/errors.ts'
import { Reader } from '../../wire/reader.ts'
import { Writer } from '../../wire/writer.ts'
import { opcodes } from '../protocol/opcodes.ts'
import * as records from '../protocol/records.ts'
import { put, take } from '../protocol/records.ts'
import { keptData, type NodeData, putData } from './node-data.ts'

export interface Acl {
  readonly perms: number
  readonly id: { readonly scheme: string; readonly id: string }
}

export type Change =
  | {
      readonly type: 'create'
      readonly path: string
      readonly data: NodeData
      readonly acl: readonly Acl[]
      /** As in a Stat: 0, a session, or one of the special owners of containers and TTL nodes. */
      readonly owner: bigint
      /** The parent's count of creates including this one; -1 in logs older than 3.4. */
      readonly parentCversion: number
    }
  | { readonly type: 'delete'; readonly path: string }
  | {
      readonly type: 'setData'
      readonly path: string
      readonly data: NodeData
      /** The new one. */
      readonly version: number
    }
  | {
      readonly type: 'setAcl'
      readonly path: string
      readonly acl: readonly Acl[]
      readonly version: number
    }
  | { readonly type: 'createSession'; readonly timeoutMs: number }
  /** `paths` is null in logs that do not say; then it is what the session owns. */
  | { readonly type: 'closeSession'; readonly paths: readonly string[] | null }
  | { readonly type: 'multi'; readonly changes: readonly Change[] }
  /** Part of a multi; holds already when it is logged. */
  | { readonly type: 'check'; readonly path: string; readonly version: number }
  /** Takes a zxid and changes nothing: a request that was refused with this code. */
  | { readonly type: 'nothing'; readonly err: number }

export interface TransactionHeader {
  /** The session that asked. */
  readonly clientId: bigint
  readonly cxid: number
  readonly zxid: bigint
  /** Milliseconds since 1970. */
  readonly time: bigint
}

export interface Transaction {
  readonly header: TransactionHeader
  readonly change: Change
}

/** Everything to everybody. Lists that say so are this one, so that most need no comparing. */
export const OPEN_ACL: readonly Acl[] = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]

export const CONTAINER_OWNER = -0x8000000000000000n
const TTL_MARK = 0xffn << 56n
const TTL_BITS = 40n
/** Milliseconds; about 34 years. */
export const TTL_MAX = (1n << TTL_BITS) - 1n

/** Whether a node goes with its session, as opposed to containers and TTL nodes. */
export function isEphemeral(owner: bigint): boolean {
  return owner !== 0n && owner !== CONTAINER_OWNER && BigInt.asUintN(64, owner) >> 56n !== 0xffn
}

/** The owner of a node that goes after so many milliseconds without a change. */
export function ttlOwner(ttl: bigint): bigint {
  return BigInt.asIntN(64, TTL_MARK | BigInt.asUintN(56, ttl))
}

export function ttlOf(owner: bigint): bigint {
  return BigInt.asUintN(Number(TTL_BITS), owner)
}

interface StoredAcl {
  readonly perms: number
  readonly id: { readonly scheme: string | null; readonly id: string | null }
}

export function isOpen(acl: readonly StoredAcl[]): boolean {
  const [only] = acl
  if (only === undefined || acl.length !== 1 || only.perms !== 31) return false
  return only.id.scheme === 'world' && only.id.id === 'anyone'
}

export function aclsOf(stored: readonly StoredAcl[] | null): readonly Acl[] {
  if (stored !== null && isOpen(stored)) return OPEN_ACL
  return (stored ?? []).map(({ perms, id }) => ({
    perms,
    id: { scheme: id.scheme ?? '', id: id.id ?? '' },
  }))
}

const numbers: Readonly<Record<Change['type'], number>> = {
  create: opcodes.create,
  delete: opcodes.delete,
  setData: opcodes.setData,
  setAcl: opcodes.setAcl,
  createSession: opcodes.createSession,
  closeSession: opcodes.closeSession,
  multi: opcodes.multi,
  check: opcodes.check,
  nothing: opcodes.error,
}

/** What stands in the log for a change. */
function numberOf(change: Change): number {
  if (change.type !== 'create' || change.owner === 0n || isEphemeral(change.owner)) {
    return numbers[change.type]
  }
  return change.owner === CONTAINER_OWNER ? opcodes.createContainer : opcodes.createTtl
}

function putAcl(writer: Writer, acl: readonly Acl[]): void {
  writer.int32(acl.length)
  for (const one of acl) put(writer, records.AclRecord, one)
}

function putCreate(
  writer: Writer,
  { path, data, acl, owner, parentCversion }: Extract<Change, { type: 'create' }>,
): void {
  writer.juteString(path)
  putData(writer, data)
  putAcl(writer, acl)
  const isExtended = owner !== 0n && !isEphemeral(owner)
  if (!isExtended) writer.bool(owner !== 0n)
  writer.int32(parentCversion)
  if (isExtended && owner !== CONTAINER_OWNER) writer.int64(ttlOf(owner))
}

// By hand what every write needs, by the declared records the rest.
function putChange(writer: Writer, change: Change): void {
  switch (change.type) {
    case 'create':
      return putCreate(writer, change)
    case 'delete':
      return writer.juteString(change.path)
    case 'setData':
      writer.juteString(change.path)
      putData(writer, change.data)
      return writer.int32(change.version)
    case 'setAcl':
      writer.juteString(change.path)
      putAcl(writer, change.acl)
      return writer.int32(change.version)
    case 'createSession':
      return put(writer, records.CreateSessionTxn, { timeOut: change.timeoutMs })
    case 'closeSession':
      return put(writer, records.CloseSessionTxn, { paths2Delete: change.paths })
    case 'multi':
      writer.int32(change.changes.length)
      for (const inner of change.changes) {
        writer.int32(numberOf(inner))
        const start = writer.reserve(4)
        putChange(writer, inner)
        writer.patchInt32(start, writer.position - start - 4)
      }
      return
    case 'check':
      return put(writer, records.CheckVersionTxn, { path: change.path, version: change.version })
    case 'nothing':
      return put(writer, records.ErrorTxn, { err: change.err })
  }
}

/** Appends header and body as they stand in the log. */
export function putTransaction(writer: Writer, { header, change }: Transaction): void {
  writer.int64(header.clientId)
  writer.int32(header.cxid)
  writer.int64(header.zxid)
  writer.int64(header.time)
  writer.int32(numberOf(change))
  putChange(writer, change)
}

function takeCreate(reader: Reader, clientId: bigint): Change {
  const start = reader.position
  try {
    const txn = take(reader, records.CreateTxn)
    return createOf(txn, txn.ephemeral ? clientId : 0n, txn.parentCVersion)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    // Before 3.4 the record ended one field earlier.
    reader.position = start
    const txn = take(reader, records.CreateTxnV0)
    return createOf(txn, txn.ephemeral ? clientId : 0n, -1)
  }
}

interface CreateBody {
  readonly path: string | null
  readonly data: Buffer | null
  readonly acl: readonly StoredAcl[] | null
}

function createOf(txn: CreateBody, owner: bigint, parentCversion: number): Change {
  const { path, data, acl } = txn
  const kept = { data: keptData(data), acl: aclsOf(acl) }
  return { type: 'create', path: path ?? '', ...kept, owner, parentCversion }
}

function takeMulti(reader: Reader, clientId: bigint): Change {
  const { txns } = take(reader, records.MultiTxn)
  // A multi that failed is logged with errors in it, and nothing of it holds.
  if (txns?.some(({ type }) => type === opcodes.error)) return { type: 'nothing', err: 0 }
  const changes = (txns ?? []).map(({ type, data }) =>
    takeChange(new Reader(data ?? Buffer.alloc(0)), type, clientId),
  )
  return { type: 'multi', changes }
}

function takeChange(reader: Reader, type: number, clientId: bigint): Change {
  switch (type) {
    case opcodes.create:
    case opcodes.create2:
      return takeCreate(reader, clientId)
    case opcodes.createContainer: {
      const txn = take(reader, records.CreateContainerTxn)
      return createOf(txn, CONTAINER_OWNER, txn.parentCVersion)
    }
    case opcodes.createTtl: {
      const txn = take(reader, records.CreateTtlTxn)
      return createOf(txn, ttlOwner(txn.ttl), txn.parentCVersion)
    }
    case opcodes.delete:
    case opcodes.deleteContainer:
      return { type: 'delete', path: take(reader, records.DeleteTxn).path ?? '' }
    case opcodes.setData:
    case opcodes.reconfig: {
      const { path, data, version } = take(reader, records.SetDataTxn)
      return { type: 'setData', path: path ?? '', data: keptData(data), version }
    }
    case opcodes.setAcl: {
      const { path, acl, version } = take(reader, records.SetAclTxn)
      return { type: 'setAcl', path: path ?? '', acl: aclsOf(acl), version }
    }
    case opcodes.createSession:
      return { type: 'createSession', timeoutMs: take(reader, records.CreateSessionTxn).timeOut }
    case opcodes.closeSession:
      return takeCloseSession(reader)
    case opcodes.multi:
      return takeMulti(reader, clientId)
    case opcodes.check: {
      const { path, version } = take(reader, records.CheckVersionTxn)
      return { type: 'check', path: path ?? '', version }
    }
    case opcodes.error:
      return { type: 'nothing', err: take(reader, records.ErrorTxn).err }
    default:
      throw new WireError(`a transaction of type ${type}`, reader.position)
  }
}

/** Up to 3.5 no body; one of 3.6 and later may be followed by a digest of 12 bytes. */
function takeCloseSession(reader: Reader): Change {
  if (reader.remaining < 4) return { type: 'closeSession', paths: null }
  const paths = take(reader, records.CloseSessionTxn).paths2Delete
  return { type: 'closeSession', paths: paths?.map((path) => path ?? '') ?? null }
}

/**
 * The transaction in `bytes`, which may be used again afterwards; what follows it (a digest, since 3.6)
 * is left. @throws WireError
 */
export function takeTransaction(bytes: Buffer): Transaction {
  const reader = new Reader(bytes)
  const { type, clientId, cxid, zxid, time } = take(reader, records.TxnHeader)
  return { header: { clientId, cxid, zxid, time }, change: takeChange(reader, type, clientId) }
}

export function transactionBytes(transaction: Transaction): Buffer {
  const writer = new Writer(128)
  putTransaction(writer, transaction)
  return writer.bytes()
}
