/**
 * Snapshots in Apache ZooKeeper's format: FileHeader, sessions, lists of ACLs, nodes, and a seal of the
 * Adler-32 sum of all before it. They are written while nodes change, a slice at a time, so what a file
 * holds is the tree of its zxid with some changes that followed; replaying the log sets it right.
 */
import { assert } from '../../runtime/assert.ts'
import { type Clock, delay } from '../../runtime/clock.ts'
import type { Disk, DiskFile } from '../../runtime/disk.ts'
import { Writer } from '../../wire/writer.ts'
import { AclRecord, FileHeader, put } from '../protocol/records.ts'
import { adler32 } from './adler32.ts'
import { FILE_VERSION } from './log.ts'
import { putData } from './node-data.ts'
import { putRow } from './stat-rows.ts'
import { type Acl, isOpen } from './transactions.ts'
import type { Node } from './node.ts'
import type { DataTree } from './tree.ts'

export const SNAPSHOT_MAGIC = 0x5a4b534e
/** How the everything-to-everybody list is numbered; it stands in no table. */
export const OPEN_ACL_NUMBER = -1n
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

/** The numbers of the lists of ACLs. */
class AclNumbers {
  readonly lists: (readonly Acl[])[] = []
  private readonly byText = new Map<string, bigint>()
  /** Most nodes share their list: then no text is made. */
  private readonly numbers = new Map<readonly Acl[], bigint>()

  add(acl: readonly Acl[]): void {
    if (!this.numbers.has(acl)) this.numbers.set(acl, this.newNumber(acl))
  }

  of(acl: readonly Acl[]): bigint {
    const number = this.numbers.get(acl)
    assert(number !== undefined, 'the lists were all seen before')
    return number
  }

  private newNumber(acl: readonly Acl[]): bigint {
    if (isOpen(acl)) return OPEN_ACL_NUMBER
    const text = JSON.stringify(acl)
    const found = this.byText.get(text)
    if (found !== undefined) return found
    this.lists.push(acl)
    const number = BigInt(this.lists.length)
    this.byText.set(text, number)
    return number
  }
}

/** The nodes of the tree of `zxid` that are still there, parents first, with the lists they had then. */
function* nodesOf(tree: DataTree, zxid: bigint): Generator<readonly [Node, readonly Acl[]]> {
  const root = tree.get('/')
  const waiting = root === undefined ? [] : [root]
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    // Nodes made meanwhile are left to the log. So each node here stood in the tree of `zxid`, and a
    // replayed delete never meets a later node of that path with children.
    if (node.at < 0 || node.czxid > zxid) continue
    yield [node, tree.formerAcls?.get(node) ?? node.acl]
    for (const child of node.children ?? []) waiting.push(child)
  }
}

function putNode(writer: Writer, node: Node, aclNumber: bigint): void {
  writer.juteString(node.path === '/' ? '' : node.path)
  putData(writer, node.data)
  writer.int64(aclNumber)
  putRow(writer, node)
}

function putHead(writer: Writer, sessions: readonly SnapshotSession[], acls: AclNumbers): void {
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
}

/**
 * Writes `snapshot.<zxid>` and makes it durable; until then it has another name. `zxid` is the last
 * transaction in the tree at the call, and `sessions` are those of that moment. One at a time.
 * @throws DiskError
 */
export async function writeSnapshot(
  { clock, disk }: { readonly clock: Clock; readonly disk: Disk },
  directory: string,
  zxid: bigint,
  { tree, sessions }: Snapshot,
): Promise<void> {
  const path = `${directory}/${snapshotName(zxid)}`
  tree.formerAcls = new Map()
  const file = disk.open(`${path}.tmp`, 'replace')
  try {
    const acls = await collectAcls(clock, tree, zxid)
    const output = new SealedFile(file)
    putHead(output.writer, sessions, acls)
    let count = 0
    for (const [node, acl] of nodesOf(tree, zxid)) {
      putNode(output.writer, node, acls.of(acl))
      count += 1
      if (count % SLICE_NODES !== 0 && output.writer.position < SLICE_BYTES) continue
      output.flush()
      await delay(clock, 0)
    }
    output.end()
    await file.sync()
  } finally {
    tree.formerAcls = undefined
    file.close()
  }
  disk.rename(`${path}.tmp`, path)
  disk.syncDirectory(directory)
}

const SLICE_BYTES = 512 * 1024

/** They stand before the nodes, so the nodes are gone through twice. */
async function collectAcls(clock: Clock, tree: DataTree, zxid: bigint): Promise<AclNumbers> {
  const acls = new AclNumbers()
  let count = 0
  for (const [, acl] of nodesOf(tree, zxid)) {
    acls.add(acl)
    count += 1
    if (count % (SLICE_NODES * 5) === 0) await delay(clock, 0)
  }
  return acls
}

/** What is put to the writer goes to the file a slice at a time, and the sum of all to its end. */
class SealedFile {
  readonly writer = new Writer(256 * 1024)
  private readonly file: DiskFile
  private position = 0
  private checksum = 1

  constructor(file: DiskFile) {
    this.file = file
  }

  flush(): void {
    const { writer, file } = this
    file.write(writer.buffer, 0, writer.position, this.position)
    this.checksum = adler32(writer.buffer, 0, writer.position, this.checksum)
    this.position += writer.position
    writer.reset()
  }

  end(): void {
    this.writer.juteString('/')
    this.flush()
    this.writer.int64(this.checksum)
    this.writer.juteString('/')
    this.flush()
  }
}
