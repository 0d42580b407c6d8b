// Pure.
// One node of the tree, and its stat as clients see it.
import type { Writer } from '../../wire/writer.ts'
import { dataLength, type NodeData } from './node-data.ts'
import { nameOf } from './paths.ts'
import * as rows from './stat-rows.ts'
import { type Acl, isEphemeral } from './transactions.ts'

/** The fields of a Stat that are kept; the rest follows. */
export interface NodeStat {
  readonly czxid: bigint
  readonly mzxid: bigint
  readonly ctime: bigint
  readonly mtime: bigint
  readonly version: number
  /** How many children were ever created: not the cversion of a Stat, see `statOf`. */
  readonly cversion: number
  readonly aversion: number
  readonly ephemeralOwner: bigint
  readonly pzxid: bigint
}

/** What clients see of a node. */
export interface Stat extends NodeStat {
  readonly dataLength: number
  readonly numChildren: number
}

/** A Stat in the protocol's bytes. */
export type StatBytes = Buffer

export class Node {
  readonly path: string
  data: NodeData
  acl: readonly Acl[]
  /** Undefined until there is one. */
  children: Set<Node> | undefined = undefined
  /** Its stat: chunk[at, …); see stat-rows.ts. `at` is -1 once the node is deleted. */
  readonly chunk: Buffer
  at: number

  constructor(path: string, data: NodeData, acl: readonly Acl[], row: rows.StatRow) {
    this.path = path
    this.data = data
    this.acl = acl
    this.chunk = row.chunk
    this.at = row.at
  }

  get childCount(): number {
    return this.children?.size ?? 0
  }

  get version(): number {
    return this.chunk.readInt32BE(this.at + rows.VERSION)
  }

  get cversion(): number {
    return this.chunk.readInt32BE(this.at + rows.CVERSION)
  }

  get aversion(): number {
    return this.chunk.readInt32BE(this.at + rows.AVERSION)
  }

  get owner(): bigint {
    return this.chunk.readBigInt64BE(this.at + rows.OWNER)
  }

  get czxid(): bigint {
    return this.chunk.readBigInt64BE(this.at + rows.CZXID)
  }

  get mzxid(): bigint {
    return this.chunk.readBigInt64BE(this.at + rows.MZXID)
  }

  get pzxid(): bigint {
    return this.chunk.readBigInt64BE(this.at + rows.PZXID)
  }

  get mtime(): bigint {
    return this.chunk.readBigInt64BE(this.at + rows.MTIME)
  }

  putStat(writer: Writer): void {
    const start = writer.reserve(rows.WIRE_STAT_BYTES)
    this.fillStat(writer.buffer, start)
  }

  /** In a buffer of their own. */
  statBytes(): StatBytes {
    const bytes = Buffer.allocUnsafe(rows.WIRE_STAT_BYTES)
    this.fillStat(bytes, 0)
    return bytes
  }

  private fillStat(target: Buffer, start: number): void {
    const shown = { length: dataLength(this.data), children: this.childCount }
    rows.putWireStat(target, start, this, shown)
    const { owner } = this
    if (owner !== 0n && !isEphemeral(owner)) target.writeBigInt64BE(0n, start + rows.OWNER)
  }
}

/**
 * As clients see it: containers and nodes with a time to live show no owner, and cversion counts creates
 * and deletes of children together.
 */
export function statOf(node: Node): Stat {
  const { chunk, at, czxid, mzxid, version, aversion, owner, pzxid, mtime } = node
  const numChildren = node.childCount
  return {
    czxid,
    mzxid,
    ctime: chunk.readBigInt64BE(at + rows.CTIME),
    mtime,
    version,
    cversion: (node.cversion * 2 - numChildren) | 0,
    aversion,
    ephemeralOwner: isEphemeral(owner) ? owner : 0n,
    pzxid,
    dataLength: dataLength(node.data),
    numChildren,
  }
}

/** The last part of the node's path. */
export function nameIn(node: Node): string {
  return nameOf(node.path)
}
