/** Reads snapshot files of any ZooKeeper from 3.4 to 3.9; their form is in snapshot.ts. */
import type { DiskFile } from '../../runtime/disk.ts'
import { WireError } from '../../wire/errors.ts'
import { Reader } from '../../wire/reader.ts'
import { AclRecord, take } from '../protocol/records.ts'
import { FileWindow } from './file-window.ts'
import { keptData } from './node-data.ts'
import { FILE_VERSION } from './log.ts'
import { OPEN_ACL_NUMBER, type Snapshot, SNAPSHOT_MAGIC, type SnapshotSession } from './snapshot.ts'
import { STAT_BYTES } from './stat-rows.ts'
import { type Acl, aclsOf, OPEN_ACL } from './transactions.ts'
import { DataTree } from './tree.ts'

/**
 * The content of a snapshot. What newer servers add behind the seal is left aside.
 * @throws DiskError, and WireError for one that is damaged or not whole.
 */
export async function readSnapshot(file: DiskFile): Promise<Snapshot> {
  const window = new FileWindow(file)
  await window.fill(16)
  const magic = int32(window)
  const version = int32(window)
  window.at += 8
  if (magic !== SNAPSHOT_MAGIC || version !== FILE_VERSION) {
    throw new WireError('not a snapshot of version 2', 0)
  }
  const sessions = await readSessions(window)
  const acls = await readAcls(window)
  const tree = await readNodes(window, acls)
  const checksum = BigInt(window.checksumSoFar())
  await window.fill(13)
  const seal = int64(window)
  if (seal !== checksum || int32(window) !== 1 || window.bytes[window.at] !== 0x2f) {
    throw new WireError('the seal of a snapshot is broken', window.position)
  }
  return { tree, sessions }
}

function int32(window: FileWindow): number {
  const value = window.bytes.readInt32BE(window.at)
  window.at += 4
  return value
}

function int64(window: FileWindow): bigint {
  const value = window.bytes.readBigInt64BE(window.at)
  window.at += 8
  return value
}

async function readSessions(window: FileWindow): Promise<SnapshotSession[]> {
  await window.fill(4)
  const count = int32(window)
  const sessions: SnapshotSession[] = []
  while (sessions.length < count) {
    if (!window.has(12)) await window.fill(12)
    const id = int64(window)
    sessions.push({ id, timeoutMs: int32(window) })
  }
  return sessions
}

async function readAcls(window: FileWindow): Promise<Map<bigint, readonly Acl[]>> {
  const lists = new Map<bigint, readonly Acl[]>([[OPEN_ACL_NUMBER, OPEN_ACL]])
  await window.fill(4)
  for (let count = int32(window); count > 0; count--) {
    await window.fill(12)
    const number = int64(window)
    const list: Acl[] = []
    for (let length = int32(window); length > 0; length--) list.push(...(await readAcl(window)))
    lists.set(number, aclsOf(list))
  }
  return lists
}

async function readAcl(window: FileWindow): Promise<readonly Acl[]> {
  await window.fill(8)
  const scheme = Math.max(0, window.bytes.readInt32BE(window.at + 4))
  await window.fill(12 + scheme)
  const id = Math.max(0, window.bytes.readInt32BE(window.at + 8 + scheme))
  const length = 12 + scheme + id
  await window.fill(length)
  const acl = take(new Reader(window.bytes, window.at, window.at + length), AclRecord)
  window.at += length
  return aclsOf([acl])
}

async function readNodes(
  window: FileWindow,
  acls: ReadonlyMap<bigint, readonly Acl[]>,
): Promise<DataTree> {
  const tree = new DataTree()
  for (;;) {
    // Only where the window ends is there anything to wait for.
    if (!window.has(4)) await window.fill(4)
    const pathBytes = window.bytes.readInt32BE(window.at)
    if (!window.has(8 + pathBytes)) {
      if (pathBytes === 1) await window.fill(5)
      else await window.fill(8 + pathBytes)
    }
    const path = new Reader(window.bytes, window.at, window.end).juteString() ?? ''
    window.at += 4 + Math.max(0, pathBytes)
    if (path === '/') return tree
    const dataBytes = Math.max(0, window.bytes.readInt32BE(window.at))
    const rest = 4 + dataBytes + 8 + STAT_BYTES
    if (!window.has(rest)) await window.fill(rest)
    readNode(window, { path, acls, tree })
  }
}

/** All but the path. */
function readNode(
  window: FileWindow,
  into: {
    readonly path: string
    readonly acls: ReadonlyMap<bigint, readonly Acl[]>
    readonly tree: DataTree
  },
): void {
  const { path, acls, tree } = into
  const reader = new Reader(window.bytes, window.at, window.end)
  const data = keptData(reader.longBytes())
  const acl = acls.get(reader.bigint64())
  if (acl === undefined) throw new WireError(`${path} has an unknown ACL`, window.position)
  const parent = path.slice(0, path.lastIndexOf('/')) || '/'
  if (path !== '' && tree.get(parent) === undefined) {
    throw new WireError(`${path} comes before its parent`, window.position)
  }
  const stat = { bytes: window.bytes, at: reader.position }
  tree.restore(path === '' ? '/' : path, { data, acl }, stat)
  window.at = reader.position + STAT_BYTES
}
