/**
 * Snapshots in Apache ZooKeeper's format: FileHeader, sessions, lists of ACLs, nodes, and a seal of the
 * Adler-32 sum of all before it. They are written while nodes change, a slice at a time, so what a file
 * holds is the tree of its zxid with some changes that followed; replaying the log sets it right.
 */
import { type Clock, delay } from '../../runtime/clock.ts'
import type { Disk, DiskFile } from '../../runtime/disk.ts'
import { WireError } from '../../wire/errors.ts'
import { Reader } from '../../wire/reader.ts'
import { Writer } from '../../wire/writer.ts'
import { AclRecord, FileHeader, put, StatPersisted, take } from '../protocol/records.ts'
import { adler32 } from './adler32.ts'
import { childPath } from './paths.ts'
import { type Acl, aclsOf } from './transactions.ts'
import { DataTree, type Node } from './tree.ts'

const SNAPSHOT_MAGIC = 0x5a4b534e
const FILE_VERSION = 2
/** How the everything-to-everybody list is numbered; it stands in no table. */
const OPEN_ACL_NUMBER = -1n
const SLICE_NODES = 1000

export interface SnapshotSession {
  readonly id: bigint
  readonly timeoutMs: number
}

export interface Snapshot {
  readonly tree: DataTree
  readonly sessions: readonly SnapshotSession[]
}

export function snapshotName(zxid: bigint): string {
  return `snapshot.${BigInt.asUintN(64, zxid).toString(16)}`
}

/** Gives every distinct list a number as it is met. */
class AclNumbers {
  readonly lists: (readonly Acl[])[] = []
  private readonly numbers = new Map<string, bigint>()
  /** Most nodes share their list: then no text is made. */
  private readonly known = new Map<readonly Acl[], bigint>()

  of(acl: readonly Acl[]): bigint {
    const known = this.known.get(acl)
    if (known !== undefined) return known
    const number = this.numberOf(acl)
    this.known.set(acl, number)
    return number
  }

  private numberOf(acl: readonly Acl[]): bigint {
    if (isOpen(acl)) return OPEN_ACL_NUMBER
    const text = JSON.stringify(acl)
    const found = this.numbers.get(text)
    if (found !== undefined) return found
    this.lists.push(acl)
    const number = BigInt(this.lists.length)
    this.numbers.set(text, number)
    return number
  }
}

function isOpen(acl: readonly Acl[]): boolean {
  const [only] = acl
  if (only === undefined || acl.length !== 1 || only.perms !== 31) return false
  return only.id.scheme === 'world' && only.id.id === 'anyone'
}

/** The nodes in the order of the file, parents first, a slice at a time. */
function* nodeSlices(tree: DataTree, zxid: bigint, acls: AclNumbers): Generator<Buffer> {
  let writer = new Writer(64 * 1024)
  let count = 0
  const waiting = ['/']
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const node = tree.get(path)
    // Nodes made meanwhile are left to the log. So each node here stood in the tree of `zxid`, and a
    // replayed delete never meets a later node of that path with children.
    if (node === undefined || node.stat.czxid > zxid) continue
    putNode(writer, path, node, acls)
    for (const name of node.children ?? []) waiting.push(childPath(path, name))
    count += 1
    if (count % SLICE_NODES !== 0) continue
    yield writer.bytes()
    writer = new Writer(64 * 1024)
  }
  writer.juteString('/')
  yield writer.bytes()
}

function putNode(writer: Writer, path: string, node: Node, acls: AclNumbers): void {
  writer.juteString(path === '/' ? '' : path)
  writer.longBytes(node.data)
  writer.int64(acls.of(node.acl))
  put(writer, StatPersisted, node.stat)
}

function head(sessions: readonly SnapshotSession[], acls: AclNumbers): Buffer {
  const writer = new Writer(4096)
  put(writer, FileHeader, { magic: SNAPSHOT_MAGIC, version: FILE_VERSION, dbid: -1n })
  writer.int32(sessions.length)
  for (const { id, timeoutMs } of sessions) {
    writer.int64(id)
    writer.int32(timeoutMs)
  }
  writer.int32(acls.lists.length)
  for (const [index, list] of acls.lists.entries()) {
    writer.int64(index + 1)
    writer.int32(list.length)
    for (const acl of list) put(writer, AclRecord, acl)
  }
  return writer.bytes()
}

/**
 * Writes `snapshot.<zxid>` and makes it durable; until then it has another name. `zxid` is the last
 * transaction in the tree at the call, and `sessions` are those of that moment. @throws DiskError
 */
export async function writeSnapshot(
  { clock, disk }: { readonly clock: Clock; readonly disk: Disk },
  directory: string,
  zxid: bigint,
  { tree, sessions }: Snapshot,
): Promise<void> {
  const acls = new AclNumbers()
  const slices: Buffer[] = []
  for (const slice of nodeSlices(tree, zxid, acls)) {
    slices.push(slice)
    await delay(clock, 0)
  }
  const path = `${directory}/${snapshotName(zxid)}`
  const file = disk.open(`${path}.tmp`, 'replace')
  try {
    await writeSealed(clock, file, [head(sessions, acls), ...slices])
    await file.sync()
  } finally {
    file.close()
  }
  disk.rename(`${path}.tmp`, path)
  disk.syncDirectory(directory)
}

async function writeSealed(clock: Clock, file: DiskFile, parts: readonly Buffer[]): Promise<void> {
  let position = 0
  let checksum = 1
  for (const part of parts) {
    file.write(part, 0, part.length, position)
    position += part.length
    checksum = adler32(part, 0, part.length, checksum)
    await delay(clock, 0)
  }
  const seal = new Writer(16)
  seal.int64(checksum)
  seal.juteString('/')
  file.write(seal.bytes(), 0, seal.position, position)
}

/**
 * The content of a snapshot file of any ZooKeeper from 3.4 to 3.9. What newer ones add behind the seal
 * is left aside. @throws WireError for one that is damaged or not whole.
 */
export function readSnapshot(bytes: Buffer): Snapshot {
  const reader = new Reader(bytes)
  const { magic, version } = take(reader, FileHeader)
  if (magic !== SNAPSHOT_MAGIC || version !== FILE_VERSION) {
    throw new WireError('not a snapshot of version 2', 0)
  }
  const sessions = Array.from({ length: reader.longCount(12) }, () => {
    const id = reader.bigint64()
    return { id, timeoutMs: reader.int32() }
  })
  const acls = readAcls(reader)
  const tree = readNodes(reader, acls)
  const checksum = BigInt(adler32(bytes, 0, reader.position))
  if (reader.bigint64() !== checksum || reader.juteString() !== '/') {
    throw new WireError('the seal of a snapshot is broken', reader.position)
  }
  return { tree, sessions }
}

function readAcls(reader: Reader): Map<bigint, readonly Acl[]> {
  const lists = new Map<bigint, readonly Acl[]>()
  lists.set(OPEN_ACL_NUMBER, [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }])
  const count = Math.max(0, reader.longCount(12))
  for (let index = 0; index < count; index++) {
    const number = reader.bigint64()
    const length = Math.max(0, reader.longCount(12))
    lists.set(number, aclsOf(Array.from({ length }, () => take(reader, AclRecord))))
  }
  return lists
}

function readNodes(reader: Reader, acls: ReadonlyMap<bigint, readonly Acl[]>): DataTree {
  const tree = new DataTree()
  for (;;) {
    const path = reader.juteString() ?? ''
    if (path === '/') return tree
    const data = reader.longBytes()
    const acl = acls.get(reader.bigint64())
    const stat = take(reader, StatPersisted)
    if (acl === undefined) throw new WireError(`${path} has an unknown ACL`, reader.position)
    const parent = path.slice(0, path.lastIndexOf('/')) || '/'
    if (path !== '' && tree.get(parent) === undefined) {
      throw new WireError(`${path} comes before its parent`, reader.position)
    }
    tree.restore(path === '' ? '/' : path, { data: data && Buffer.from(data), acl, stat })
  }
}
