// Pure.
// The nodes: what they hold, who owns them, and how a transaction changes them.
import { nameOf, parentOf } from './paths.ts'
import { type Acl, type Change, isEphemeral, type TransactionHeader } from './transactions.ts'

/** The fields of a Stat that are kept; the rest follows. */
export interface NodeStat {
  czxid: bigint
  mzxid: bigint
  ctime: bigint
  mtime: bigint
  version: number
  /** How many children were ever created: not the cversion of a Stat, see `statOf`. */
  cversion: number
  aversion: number
  ephemeralOwner: bigint
  pzxid: bigint
}

export interface Node {
  data: Buffer | null
  acl: readonly Acl[]
  readonly stat: NodeStat
  /** Names. Undefined until there is one. */
  children: Set<string> | undefined
}

/** What a watch may have waited for. */
export interface TreeEvent {
  readonly type: 'created' | 'deleted' | 'dataChanged' | 'childrenChanged'
  readonly path: string
}

const OPEN_ACL: readonly Acl[] = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]
const READ_ACL: readonly Acl[] = [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }]
const NO_CHILDREN: ReadonlySet<string> = new Set()

function zeroStat(): NodeStat {
  return {
    czxid: 0n,
    mzxid: 0n,
    ctime: 0n,
    mtime: 0n,
    version: 0,
    cversion: 0,
    aversion: 0,
    ephemeralOwner: 0n,
    pzxid: 0n,
  }
}

/** What clients see of a node. */
export interface Stat extends Readonly<NodeStat> {
  readonly dataLength: number
  readonly numChildren: number
}

/** As clients see it: cversion counts creates and deletes of children together. */
export function statOf(node: Node): Stat {
  const { stat, data, children } = node
  const numChildren = children?.size ?? 0
  return {
    ...stat,
    cversion: (stat.cversion * 2 - numChildren) | 0,
    dataLength: data?.length ?? 0,
    numChildren,
  }
}

/**
 * The tree at one point of the log. `apply` never fails, since transactions were checked when they were
 * prepared, and since a replay over a snapshot that was written while nodes changed meets changes that
 * are already there: those are skipped.
 */
export class DataTree {
  private readonly nodes = new Map<string, Node>()
  private readonly ephemerals = new Map<bigint, Set<string>>()
  /** Lists that several nodes share are kept once, by their text. */
  private readonly acls = new Map<string, readonly Acl[]>()
  /** Sum of the lengths of paths and data. */
  dataBytes = 0

  constructor() {
    const root = this.plant('/', { data: Buffer.alloc(0), acl: OPEN_ACL, stat: zeroStat() })
    root.children = new Set(['zookeeper'])
    const system = this.plant('/zookeeper', {
      data: Buffer.alloc(0),
      acl: OPEN_ACL,
      stat: zeroStat(),
    })
    system.children = new Set(['quota', 'config'])
    this.plant('/zookeeper/quota', { data: Buffer.alloc(0), acl: OPEN_ACL, stat: zeroStat() })
    // The aversion of -1 is what a fresh Apache ZooKeeper has there.
    const configStat = { ...zeroStat(), aversion: -1 }
    this.plant('/zookeeper/config', { data: Buffer.alloc(0), acl: READ_ACL, stat: configStat })
  }

  get nodeCount(): number {
    return this.nodes.size
  }

  get ephemeralCount(): number {
    let count = 0
    for (const paths of this.ephemerals.values()) count += paths.size
    return count
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
    return this.ephemerals.get(session) ?? NO_CHILDREN
  }

  /** Sets a node as a snapshot has it. Its parent must have been set before, unless it is the root. */
  restore(path: string, content: Omit<Node, 'children'>): void {
    const former = this.nodes.get(path)
    const node = this.plant(path, content)
    // The nodes that every tree has keep their children when a snapshot brings them again.
    if (former !== undefined) node.children = former.children
  }

  private plant(path: string, content: Omit<Node, 'children'>): Node {
    const former = this.nodes.get(path)
    if (former !== undefined) this.dataBytes -= path.length + (former.data?.length ?? 0)
    const node: Node = { ...content, acl: this.shared(content.acl), children: undefined }
    this.nodes.set(path, node)
    this.dataBytes += path.length + (node.data?.length ?? 0)
    const parent = path === '/' ? undefined : this.nodes.get(parentOf(path))
    if (parent !== undefined) (parent.children ??= new Set()).add(nameOf(path))
    const owner = node.stat.ephemeralOwner
    if (isEphemeral(owner)) {
      const owned = this.ephemerals.get(owner)
      if (owned === undefined) this.ephemerals.set(owner, new Set([path]))
      else owned.add(path)
    }
    return node
  }

  /** One list for all nodes that have the same, while the table is small. */
  private shared(acl: readonly Acl[]): readonly Acl[] {
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
  apply(header: TransactionHeader, change: Change, stats?: Stat[]): TreeEvent[] {
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
    stats: Stat[] | undefined,
  ): void {
    this.carryOut(header, change, events)
    if (stats === undefined || !('path' in change)) return
    const node = this.nodes.get(change.path)
    const hasStat = change.type !== 'delete' && change.type !== 'check'
    if (hasStat && node !== undefined) stats.push(statOf(node))
  }

  private carryOut(header: TransactionHeader, change: Change, events: TreeEvent[]): void {
    switch (change.type) {
      case 'create':
        return this.create(header, change, events)
      case 'delete':
        return this.delete(header, change.path, events)
      case 'setData': {
        const node = this.nodes.get(change.path)
        if (node === undefined) return
        this.dataBytes += (change.data?.length ?? 0) - (node.data?.length ?? 0)
        node.data = change.data
        node.stat.version = change.version
        node.stat.mzxid = header.zxid
        node.stat.mtime = header.time
        events.push({ type: 'dataChanged', path: change.path })
        return
      }
      case 'setAcl': {
        const node = this.nodes.get(change.path)
        if (node === undefined) return
        node.acl = this.shared(change.acl)
        node.stat.aversion = change.version
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

  private create(
    header: TransactionHeader,
    change: Extract<Change, { type: 'create' }>,
    events: TreeEvent[],
  ): void {
    const { path, data, acl, owner, parentCversion } = change
    const parent = path === '/' ? undefined : this.nodes.get(parentOf(path))
    if (parent === undefined) return
    const cversion = parentCversion === -1 ? parent.stat.cversion + 1 : parentCversion
    if (cversion > parent.stat.cversion) {
      parent.stat.cversion = cversion
      parent.stat.pzxid = header.zxid
    }
    if (this.nodes.has(path)) {
      ;(parent.children ??= new Set()).add(nameOf(path))
      return
    }
    const { zxid, time } = header
    const stat = { ...zeroStat(), czxid: zxid, mzxid: zxid, pzxid: zxid, ctime: time, mtime: time }
    stat.ephemeralOwner = owner
    this.plant(path, { data, acl, stat })
    events.push({ type: 'created', path }, { type: 'childrenChanged', path: parentOf(path) })
  }

  private delete(header: TransactionHeader, path: string, events: TreeEvent[]): void {
    const node = this.nodes.get(path)
    const parent = path === '/' ? undefined : this.nodes.get(parentOf(path))
    if (parent !== undefined && header.zxid > parent.stat.pzxid) parent.stat.pzxid = header.zxid
    if (node === undefined || parent === undefined) return
    this.nodes.delete(path)
    this.dataBytes -= path.length + (node.data?.length ?? 0)
    parent.children?.delete(nameOf(path))
    if (parent.children?.size === 0) parent.children = undefined
    const owner = node.stat.ephemeralOwner
    const owned = this.ephemerals.get(owner)
    owned?.delete(path)
    if (owned?.size === 0) this.ephemerals.delete(owner)
    events.push({ type: 'deleted', path }, { type: 'childrenChanged', path: parentOf(path) })
  }

  private closeSession(
    header: TransactionHeader,
    paths: readonly string[] | null,
    events: TreeEvent[],
  ): void {
    const owned = this.ephemerals.get(header.clientId) ?? NO_CHILDREN
    const wanted = new Set([...(paths ?? []), ...owned])
    for (const path of wanted) this.delete(header, path, events)
  }
}

const SHARED_ACLS_MAX = 10_000
