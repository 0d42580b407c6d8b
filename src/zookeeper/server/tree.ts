// Pure.
// The nodes: what they hold, who owns them, and how a transaction changes them.
import { dataBytes, dataLength, type NodeData } from './node-data.ts'
import { Node, type StatBytes } from './node.ts'
import { parentOf } from './paths.ts'
import {
  countedBy,
  LimitedPaths,
  limitedBy,
  parseLimits,
  statsPath,
  type Usage,
  usageText,
} from './quotas.ts'
import * as rows from './stat-rows.ts'
import {
  type Acl,
  type Change,
  CONTAINER_OWNER,
  isEphemeral,
  OPEN_ACL,
  type TransactionHeader,
} from './transactions.ts'

/** What a watch may have waited for. */
export interface TreeEvent {
  readonly type: 'created' | 'deleted' | 'dataChanged' | 'childrenChanged'
  readonly path: string
  /** Of the node it tells of: who may not read it shall not hear of it. */
  readonly acl: readonly Acl[]
}

const READ_ACL: readonly Acl[] = [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }]
const NO_PATHS: ReadonlySet<string> = new Set()

/**
 * The tree at one point of the log. `apply` never fails, since transactions were checked when they were
 * prepared, and since a replay over a snapshot that was written while nodes changed meets changes that
 * are already there: those are skipped.
 */
export class DataTree {
  private readonly nodes = new Map<string, Node>()
  private readonly ephemerals = new Map<bigint, Set<string>>()
  readonly containers = new Set<string>()
  /** Nodes that go when nothing has changed them for their time. */
  readonly ttls = new Set<string>()
  readonly limited = new LimitedPaths()
  private readonly rows = new rows.StatRows()
  /** Lists that several nodes share are kept once, by their text. */
  private readonly acls = new Map<string, readonly Acl[]>()
  /** While a snapshot is written: the lists that nodes had before they were given others. */
  formerAcls: Map<Node, readonly Acl[]> | undefined
  /** Sum of the lengths of paths and data. */
  dataBytes = 0
  ephemeralCount = 0

  constructor() {
    for (const path of ['/', '/zookeeper', '/zookeeper/quota']) this.plant(path, '', OPEN_ACL)
    const config = this.plant('/zookeeper/config', '', READ_ACL)
    // What a fresh Apache ZooKeeper has there.
    config.chunk.writeInt32BE(-1, config.at + rows.AVERSION)
  }

  get nodeCount(): number {
    return this.nodes.size
  }

  /** Sessions that own nodes. */
  owners(): IterableIterator<bigint> {
    return this.ephemerals.keys()
  }

  get(path: string): Node | undefined {
    return this.nodes.get(path)
  }

  paths(): IterableIterator<string> {
    return this.nodes.keys()
  }

  ephemeralsOf(session: bigint): ReadonlySet<string> {
    return this.ephemerals.get(session) ?? NO_PATHS
  }

  /** The node and all below it. */
  *below(start: Node): Generator<Node> {
    const waiting = [start]
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      yield node
      for (const child of node.children ?? []) waiting.push(child)
    }
  }

  /**
   * Sets a node as a snapshot has it; `stat` holds a StatPersisted at `at`. Its parent must have been
   * set before, unless it is the root.
   */
  restore(
    path: string,
    content: { readonly data: NodeData; readonly acl: readonly Acl[] },
    stat: { readonly bytes: Buffer; readonly at: number },
  ): void {
    const { data, acl } = content
    let node = this.nodes.get(path)
    if (node === undefined) {
      node = this.plant(path, data, acl)
    } else {
      // The nodes that every tree has keep their children when a snapshot brings them again.
      this.dataBytes += dataLength(data) - dataLength(node.data)
      node.data = data
      node.acl = this.shared(acl)
    }
    stat.bytes.copy(node.chunk, node.at, stat.at, stat.at + rows.STAT_BYTES)
    this.own(node)
    // What is limited is counted anew at the end, when all of it is there.
    const limited = limitedBy(path)
    if (limited !== undefined) this.limited.add(limited)
  }

  private plant(path: string, data: NodeData, acl: readonly Acl[]): Node {
    const node = new Node(path, data, this.shared(acl), this.rows.take())
    this.nodes.set(path, node)
    this.dataBytes += path.length + dataLength(data)
    const parent = path === '/' ? undefined : this.nodes.get(parentOf(path))
    if (parent !== undefined) (parent.children ??= new Set()).add(node)
    return node
  }

  /** Files the node by its owner. */
  private own({ path, owner }: Node): void {
    if (owner === 0n) return
    if (owner === CONTAINER_OWNER) {
      this.containers.add(path)
    } else if (isEphemeral(owner)) {
      const owned = this.ephemerals.get(owner)
      if (owned?.has(path) === true) return
      if (owned === undefined) this.ephemerals.set(owner, new Set([path]))
      else owned.add(path)
      this.ephemeralCount += 1
    } else {
      this.ttls.add(path)
    }
  }

  private disown({ path, owner }: Node): void {
    if (owner === 0n) return
    this.containers.delete(path)
    this.ttls.delete(path)
    const owned = this.ephemerals.get(owner)
    if (owned?.delete(path) !== true) return
    this.ephemeralCount -= 1
    if (owned.size === 0) this.ephemerals.delete(owner)
  }

  /** One list for all nodes that have the same, while the table is small. */
  private shared(acl: readonly Acl[]): readonly Acl[] {
    if (acl === OPEN_ACL) return acl
    const key = JSON.stringify(acl)
    const known = this.acls.get(key)
    if (known !== undefined) return known
    if (this.acls.size >= SHARED_ACLS_MAX) this.acls.clear()
    this.acls.set(key, acl)
    return acl
  }

  /**
   * Carries a change out and returns what happened, in the order watches are told. To `stats` it adds
   * what each create, setData and setAcl made of its node.
   */
  apply(header: TransactionHeader, change: Change, stats?: StatBytes[]): readonly TreeEvent[] {
    const events: TreeEvent[] = []
    if (change.type === 'multi') {
      for (const inner of change.changes) this.applyOne(header, inner, events, stats)
    } else {
      this.applyOne(header, change, events, stats)
    }
    return events
  }

  private applyOne(
    header: TransactionHeader,
    change: Change,
    events: TreeEvent[],
    stats: StatBytes[] | undefined,
  ): void {
    this.carryOut(header, change, events)
    if (stats === undefined || !('path' in change)) return
    const hasStat = change.type !== 'delete' && change.type !== 'check'
    const node = hasStat ? this.nodes.get(change.path) : undefined
    if (node !== undefined) stats.push(node.statBytes())
  }

  private carryOut(header: TransactionHeader, change: Change, events: TreeEvent[]): void {
    switch (change.type) {
      case 'create':
        return this.create(header, change, events)
      case 'delete':
        return this.delete(header, change.path, events)
      case 'setData':
        return this.setData(header, change, events)
      case 'setAcl': {
        const node = this.nodes.get(change.path)
        if (node === undefined) return
        const former = this.formerAcls
        if (former !== undefined && !former.has(node)) former.set(node, node.acl)
        node.acl = this.shared(change.acl)
        node.chunk.writeInt32BE(change.version, node.at + rows.AVERSION)
        return
      }
      case 'closeSession':
        return this.closeSession(header, change.paths, events)
      case 'multi':
      case 'createSession':
      case 'check':
      case 'nothing':
    }
  }

  private setData(
    { zxid, time }: TransactionHeader,
    { path, data, version }: Extract<Change, { type: 'setData' }>,
    events: TreeEvent[],
  ): void {
    const node = this.nodes.get(path)
    if (node === undefined) return
    const { chunk, at } = node
    const growth = dataLength(data) - dataLength(node.data)
    this.dataBytes += growth
    node.data = data
    chunk.writeInt32BE(version, at + rows.VERSION)
    chunk.writeBigInt64BE(zxid, at + rows.MZXID)
    chunk.writeBigInt64BE(time, at + rows.MTIME)
    this.charge(path, { count: 0, bytes: growth })
    events.push({ type: 'dataChanged', path, acl: node.acl })
  }

  private create(
    header: TransactionHeader,
    change: Extract<Change, { type: 'create' }>,
    events: TreeEvent[],
  ): void {
    const { path, data, acl, owner, parentCversion } = change
    const parent = path === '/' ? undefined : this.nodes.get(parentOf(path))
    if (parent === undefined) return
    const { zxid, time } = header
    const cversion = parentCversion === -1 ? parent.cversion + 1 : parentCversion
    if (cversion > parent.cversion) {
      parent.chunk.writeInt32BE(cversion, parent.at + rows.CVERSION)
      parent.chunk.writeBigInt64BE(zxid, parent.at + rows.PZXID)
    }
    if (this.nodes.has(path)) return
    const node = this.plant(path, data, acl)
    const { chunk, at } = node
    chunk.writeBigInt64BE(zxid, at + rows.CZXID)
    chunk.writeBigInt64BE(zxid, at + rows.MZXID)
    chunk.writeBigInt64BE(zxid, at + rows.PZXID)
    chunk.writeBigInt64BE(time, at + rows.CTIME)
    chunk.writeBigInt64BE(time, at + rows.MTIME)
    if (owner !== 0n) {
      chunk.writeBigInt64BE(owner, at + rows.OWNER)
      this.own(node)
    }
    this.noteQuota(node)
    this.charge(path, { count: 1, bytes: dataLength(data) })
    events.push(
      { type: 'created', path, acl: node.acl },
      { type: 'childrenChanged', path: parent.path, acl: parent.acl },
    )
  }

  private delete({ zxid }: TransactionHeader, path: string, events: TreeEvent[]): void {
    const node = this.nodes.get(path)
    const parent = path === '/' ? undefined : this.nodes.get(parentOf(path))
    if (parent !== undefined && zxid > parent.pzxid) {
      parent.chunk.writeBigInt64BE(zxid, parent.at + rows.PZXID)
    }
    if (node === undefined || parent === undefined) return
    this.nodes.delete(path)
    this.dataBytes -= path.length + dataLength(node.data)
    parent.children?.delete(node)
    if (parent.children?.size === 0) parent.children = undefined
    this.disown(node)
    this.rows.give(node)
    node.at = -1
    const unlimited = limitedBy(path)
    if (unlimited !== undefined) this.limited.delete(unlimited)
    this.charge(path, { count: -1, bytes: -dataLength(node.data) })
    events.push(
      { type: 'deleted', path, acl: node.acl },
      { type: 'childrenChanged', path: parent.path, acl: parent.acl },
    )
  }

  private closeSession(
    header: TransactionHeader,
    paths: readonly string[] | null,
    events: TreeEvent[],
  ): void {
    const owned = this.ephemerals.get(header.clientId) ?? NO_PATHS
    const wanted = new Set([...(paths ?? []), ...owned])
    for (const path of wanted) this.delete(header, path, events)
  }

  // Quotas

  private noteQuota({ path }: Node): void {
    const limited = limitedBy(path)
    if (limited !== undefined) this.limited.add(limited)
    const counted = countedBy(path)
    if (counted !== undefined) this.recount(counted)
  }

  /** Adds to what the innermost limited subtree holds. Of that no stat tells, as in the original. */
  private charge(path: string, { count, bytes }: Usage): void {
    const limited = this.limited.of(path)
    if (limited === undefined) return
    const usage = this.usageOf(limited)
    if (usage === undefined) return
    this.setUsage(limited, { count: usage.count + count, bytes: usage.bytes + bytes })
  }

  /** What the books say a limited subtree holds. */
  usageOf(path: string): Usage | undefined {
    const node = this.nodes.get(statsPath(path))
    return node && parseLimits(String(dataBytes(node.data) ?? ''))
  }

  private setUsage(path: string, usage: Usage): void {
    const node = this.nodes.get(statsPath(path))
    if (node === undefined) return
    const text = usageText(usage)
    this.dataBytes += text.length - dataLength(node.data)
    node.data = text
  }

  /** Counts a limited subtree anew: a replay over a snapshot has counted some changes twice. */
  recount(path: string): void {
    const start = this.nodes.get(path)
    let count = 0
    let bytes = 0
    for (const node of start === undefined ? [] : this.below(start)) {
      count += 1
      bytes += dataLength(node.data)
    }
    this.setUsage(path, { count, bytes })
  }
}

const SHARED_ACLS_MAX = 10_000
