// Pure.
// Checks write requests and turns them into changes. A request sees the tree as it will be once all
// that was prepared before it has been carried out, although that waits for the disk.
import { errorCodes } from '../protocol/errors.ts'
import type { MultiOperation } from '../protocol/multi.ts'
import type { TypeOf } from '../../wire/schema.ts'
import { createFlags, opcodes, permissions } from '../protocol/opcodes.ts'
import type { CreateRequest } from '../protocol/records.ts'
import { allowed, effectiveAcl, type Identity } from './access.ts'
import { parentOf, pathError } from './paths.ts'
import { type Acl, aclsOf, type Change, isEphemeral } from './transactions.ts'
import type { DataTree } from './tree.ts'

/** A request failed with this code of `errorCodes`. */
export interface Refusal {
  readonly code: number
}

export interface Asker {
  readonly session: bigint
  readonly identities: readonly Identity[]
}

/** One write, as multi has them; the others follow. */
export type Write =
  | MultiOperation
  | {
      readonly type: typeof opcodes.setAcl
      readonly path: string
      readonly acl: readonly Acl[]
      readonly version: number
    }

/** What the tree will say of a node. */
interface Pending {
  readonly exists: boolean
  readonly version: number
  readonly cversion: number
  readonly aversion: number
  readonly owner: bigint
  readonly children: number
  readonly acl: readonly Acl[]
  readonly zxid: bigint
}

class Refused extends Error {
  readonly code: number
  constructor(code: number) {
    super(`refused ${code}`)
    this.code = code
  }
}

function refuse(code: number): never {
  throw new Refused(code)
}

function checkPath(path: string): void {
  if (pathError(path) !== undefined) refuse(errorCodes.BADARGUMENTS)
}

function checkAccess(node: Pending, wanted: number, asker: Asker): void {
  if (!allowed(node.acl, wanted, asker.identities)) refuse(errorCodes.NOAUTH)
}

/** The next version. `expected` is -1 for any. */
function nextVersion(current: number, expected: number): number {
  if (expected !== -1 && expected !== current) refuse(errorCodes.BADVERSION)
  return (current + 1) | 0
}

/** The results of a multi that failed: what was before would have gone well, what follows was not tried. */
export function multiFailure(count: number, failed: number, code: number): number[] {
  return Array.from({ length: count }, (_, index) => {
    if (index < failed) return errorCodes.OK
    return index === failed ? code : errorCodes.RUNTIMEINCONSISTENCY
  })
}

export class Preparer {
  private readonly tree: DataTree
  private readonly pending = new Map<string, Pending>()
  /** In order of zxid, so that what was carried out can be forgotten at its own cost. */
  private touched: { zxid: bigint; path: string }[] = []
  private touchedStart = 0
  /** What the request in hand replaced, to undo it should it fail. */
  private undo: [path: string, before: Pending | undefined][] = []

  constructor(tree: DataTree) {
    this.tree = tree
  }

  /** Forgets what stands in the tree by now. */
  applied(zxid: bigint): void {
    let at = this.touchedStart
    for (
      let one = this.touched[at];
      one !== undefined && one.zxid <= zxid;
      one = this.touched[at]
    ) {
      if (this.pending.get(one.path)?.zxid === one.zxid) this.pending.delete(one.path)
      at += 1
    }
    this.touchedStart = at
    if (at > 1000 && at * 2 > this.touched.length) {
      this.touched = this.touched.slice(at)
      this.touchedStart = 0
    }
  }

  /** The change that answers one write, to be carried out with this zxid. */
  write(write: Write, asker: Asker, zxid: bigint): Change | Refusal {
    this.undo = []
    try {
      return this.changeOf(write, asker, zxid)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      this.takeBack()
      return { code: error.code }
    }
  }

  /** All of them or none; on failure which one. */
  multi(
    operations: readonly MultiOperation[],
    asker: Asker,
    zxid: bigint,
  ): Change | (Refusal & { readonly index: number }) {
    this.undo = []
    const changes: Change[] = []
    try {
      for (const operation of operations) changes.push(this.changeOf(operation, asker, zxid))
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      this.takeBack()
      return { code: error.code, index: changes.length }
    }
    return { type: 'multi', changes }
  }

  /** The end of a session takes its ephemerals, those still on their way to the tree included. */
  closeSession(session: bigint, zxid: bigint): Change {
    this.undo = []
    const paths = new Set(this.tree.ephemeralsOf(session))
    for (const [path, { exists, owner }] of this.pending) {
      if (exists && owner === session) paths.add(path)
      else paths.delete(path)
    }
    for (const path of paths) this.forget(path, zxid)
    return { type: 'closeSession', paths: [...paths] }
  }

  private takeBack(): void {
    for (const [path, before] of this.undo.reverse()) {
      if (before === undefined) this.pending.delete(path)
      else this.pending.set(path, before)
    }
  }

  private look(path: string): Pending | undefined {
    const pending = this.pending.get(path)
    if (pending !== undefined) return pending.exists ? pending : undefined
    const node = this.tree.get(path)
    if (node === undefined) return undefined
    const { version, cversion, aversion, ephemeralOwner: owner } = node.stat
    const children = node.children?.size ?? 0
    return { exists: true, version, cversion, aversion, owner, children, acl: node.acl, zxid: 0n }
  }

  private lookFor(path: string): Pending {
    return this.look(path) ?? refuse(errorCodes.NONODE)
  }

  private put(path: string, node: Pending): void {
    this.undo.push([path, this.pending.get(path)])
    this.pending.set(path, node)
    this.touched.push({ zxid: node.zxid, path })
  }

  private forget(path: string, zxid: bigint): void {
    const node = this.look(path)
    if (node === undefined) return
    this.put(path, { ...node, exists: false, children: 0, zxid })
    const parentPath = parentOf(path)
    const parent = this.look(parentPath)
    if (parent !== undefined) {
      this.put(parentPath, { ...parent, children: parent.children - 1, zxid })
    }
  }

  private changeOf(write: Write, asker: Asker, zxid: bigint): Change {
    switch (write.type) {
      case opcodes.create:
      case opcodes.create2:
        return this.create(write.request, asker, zxid)
      case opcodes.delete:
        return this.delete(write.request.path ?? '', write.request.version, asker, zxid)
      case opcodes.setData: {
        const { path, data, version } = write.request
        const node = this.lookAt(path ?? '', permissions.write, asker)
        const next = nextVersion(node.version, version)
        this.put(path ?? '', { ...node, version: next, zxid })
        return { type: 'setData', path: path ?? '', data: owned(data), version: next }
      }
      case opcodes.check: {
        const { path, version } = write.request
        nextVersion(this.lookAt(path ?? '', permissions.read, asker).version, version)
        return { type: 'check', path: path ?? '', version }
      }
      case opcodes.setAcl: {
        const node = this.lookAt(write.path, permissions.admin, asker)
        const acl = effectiveAcl(write.acl, asker.identities) ?? refuse(errorCodes.INVALIDACL)
        const next = nextVersion(node.aversion, write.version)
        this.put(write.path, { ...node, aversion: next, acl, zxid })
        return { type: 'setAcl', path: write.path, acl, version: next }
      }
      case opcodes.createContainer:
      case opcodes.createTtl:
      case opcodes.getData:
      case opcodes.getChildren:
        return refuse(errorCodes.UNIMPLEMENTED)
    }
  }

  private lookAt(path: string, wanted: number, asker: Asker): Pending {
    checkPath(path)
    const node = this.lookFor(path)
    checkAccess(node, wanted, asker)
    return node
  }

  private create(request: TypeOf<typeof CreateRequest>, asker: Asker, zxid: bigint): Change {
    const { flags } = request
    if (flags < 0 || flags > createFlags.ttlSequential) refuse(errorCodes.BADARGUMENTS)
    if (flags >= createFlags.container) refuse(errorCodes.UNIMPLEMENTED)
    const ephemeral = (flags & createFlags.ephemeral) !== 0
    const sequential = (flags & createFlags.persistentSequential) !== 0
    const asked = request.path ?? ''
    checkPath(sequential ? `${asked}1` : asked)
    const acl = effectiveAcl(aclsOf(request.acl), asker.identities)
    if (acl === undefined) refuse(errorCodes.INVALIDACL)
    if (asked === '/' && !sequential) refuse(errorCodes.NODEEXISTS)
    const parentPath = parentOf(asked)
    const parent = this.lookFor(parentPath)
    checkAccess(parent, permissions.create, asker)
    const path = sequential ? asked + String(parent.cversion).padStart(10, '0') : asked
    if (this.look(path) !== undefined) refuse(errorCodes.NODEEXISTS)
    if (isEphemeral(parent.owner)) refuse(errorCodes.NOCHILDRENFOREPHEMERALS)
    const parentCversion = (parent.cversion + 1) | 0
    const owner = ephemeral ? asker.session : 0n
    const children = parent.children + 1
    this.put(parentPath, { ...parent, children, cversion: parentCversion, zxid })
    const versions = { version: 0, cversion: 0, aversion: 0 }
    this.put(path, { exists: true, ...versions, owner, children: 0, acl, zxid })
    return { type: 'create', path, data: owned(request.data), acl, owner, parentCversion }
  }

  private delete(path: string, version: number, asker: Asker, zxid: bigint): Change {
    checkPath(path)
    if (path === '/' || PROTECTED.has(path)) refuse(errorCodes.BADARGUMENTS)
    const parent = this.look(parentOf(path))
    const node = this.look(path)
    if (parent === undefined || node === undefined) refuse(errorCodes.NONODE)
    checkAccess(parent, permissions.delete, asker)
    nextVersion(node.version, version)
    if (node.children > 0) refuse(errorCodes.NOTEMPTY)
    this.forget(path, zxid)
    return { type: 'delete', path }
  }
}

/** Nodes every server has. */
const PROTECTED: ReadonlySet<string> = new Set([
  '/zookeeper',
  '/zookeeper/quota',
  '/zookeeper/config',
])

/** Requests are read in place; what is kept must have bytes of its own. */
function owned(data: Buffer | null): Buffer | null {
  return data === null ? null : Buffer.from(data)
}
