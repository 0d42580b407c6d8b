// Pure.
// Checks write requests and turns them into changes. A request sees the tree as it will be once all
// that was prepared before it has been carried out, although that waits for the disk.
import { errorCodes } from '../protocol/errors.ts'
import type { MultiOperation } from '../protocol/multi.ts'
import { createFlags, opcodes, permissions } from '../protocol/opcodes.ts'
import { allowed, effectiveAcl, type Identity } from './access.ts'
import { dataBytes, dataLength, keptData } from './node-data.ts'
import { parentOf, pathError } from './paths.ts'
import { excesses, limitsPath, parseLimits, type Usage } from './quotas.ts'
import {
  type Acl,
  aclsOf,
  type Change,
  CONTAINER_OWNER,
  isEphemeral,
  TTL_MAX,
  ttlOwner,
} from './transactions.ts'
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
  | { readonly type: typeof opcodes.reconfig }

/** What the tree will say of a node. */
interface Pending {
  readonly exists: boolean
  readonly version: number
  readonly cversion: number
  readonly aversion: number
  readonly owner: bigint
  readonly children: number
  readonly acl: readonly Acl[]
  readonly dataLength: number
  readonly zxid: bigint
}

export interface PreparerSettings {
  /** extendedTypesEnabled: whether there may be nodes with a time to live. */
  readonly extendedTypes: boolean
  readonly enforceQuota: boolean
  readonly reconfigEnabled: boolean
}

export const preparerDefaults: PreparerSettings = {
  extendedTypes: false,
  enforceQuota: false,
  reconfigEnabled: false,
}

type Create = Extract<
  MultiOperation,
  {
    readonly type:
      | typeof opcodes.create
      | typeof opcodes.create2
      | typeof opcodes.createContainer
      | typeof opcodes.createTtl
  }
>

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

/** The next version. `expected` is -1 for any, so no version is ever -1 again. */
function nextVersion(current: number, expected: number): number {
  if (expected !== -1 && expected !== current) refuse(errorCodes.BADVERSION)
  const next = (current + 1) | 0
  return next === -1 ? 0 : next
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
  private readonly settings: PreparerSettings
  private readonly onExcess: (message: string) => void
  private readonly pending = new Map<string, Pending>()
  /** In order of zxid, so that what was carried out can be forgotten at its own cost. */
  private touched: { zxid: bigint; path: string }[] = []
  private touchedStart = 0
  /** What the request in hand replaced, to undo it should it fail. */
  private undo: [path: string, before: Pending | undefined][] = []

  /** `onExcess` is told in words of quotas that are exceeded, or would be. */
  constructor(
    tree: DataTree,
    settings: PreparerSettings = preparerDefaults,
    onExcess: (message: string) => void = () => {},
  ) {
    this.tree = tree
    this.settings = settings
    this.onExcess = onExcess
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

  /** What the server itself removes: a container or a node whose time is over, unless it has children. */
  deleteExpired(path: string, zxid: bigint): Change | Refusal {
    this.undo = []
    const node = this.look(path)
    if (node === undefined) return { code: errorCodes.NONODE }
    if (node.children > 0) return { code: errorCodes.NOTEMPTY }
    if (node.owner === 0n || isEphemeral(node.owner)) return { code: errorCodes.BADVERSION }
    this.forget(path, zxid)
    return { type: 'delete', path }
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
    const { version, cversion, aversion, owner, acl, childCount: children } = node
    const length = dataLength(node.data)
    const counts = { version, cversion, aversion, children, dataLength: length }
    return { exists: true, ...counts, owner, acl, zxid: 0n }
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
      case opcodes.createContainer:
      case opcodes.createTtl:
        return this.create(write, asker, zxid)
      case opcodes.delete:
        return this.delete(write.request.path ?? '', write.request.version, asker, zxid)
      case opcodes.setData: {
        const { data, version } = write.request
        const path = write.request.path ?? ''
        const node = this.lookAt(path, permissions.write, asker)
        const length = data?.length ?? 0
        this.checkQuota(path, { count: 0, bytes: length - node.dataLength })
        const next = nextVersion(node.version, version)
        this.put(path, { ...node, version: next, dataLength: length, zxid })
        return { type: 'setData', path, data: keptData(data), version: next }
      }
      case opcodes.check: {
        const { path, version } = write.request
        nextVersion(this.lookAt(path ?? '', permissions.read, asker).version, version)
        return { type: 'check', path: path ?? '', version }
      }
      case opcodes.setAcl: {
        checkPath(write.path)
        const acl = effectiveAcl(write.acl, asker.identities) ?? refuse(errorCodes.INVALIDACL)
        const node = this.lookAt(write.path, permissions.admin, asker)
        const next = nextVersion(node.aversion, write.version)
        this.put(write.path, { ...node, aversion: next, acl, zxid })
        return { type: 'setAcl', path: write.path, acl, version: next }
      }
      case opcodes.reconfig:
        return refuse(
          this.settings.reconfigEnabled ? errorCodes.UNIMPLEMENTED : errorCodes.RECONFIGDISABLED,
        )
      case opcodes.getData:
      case opcodes.getChildren:
        return refuse(errorCodes.UNIMPLEMENTED)
    }
  }

  /** Soft limits are only told of, as in the original; none is looked at unless they are enforced. */
  private checkQuota(path: string, added: Usage): void {
    if (!this.settings.enforceQuota) return
    const limited = this.tree.limited.of(path)
    if (limited === undefined) return
    const limits = this.tree.get(limitsPath(limited))
    const usage = this.tree.usageOf(limited)
    if (limits === undefined || usage === undefined) return
    const bounds = parseLimits(String(dataBytes(limits.data) ?? ''))
    for (const { isHard, message } of excesses(limited, bounds, usage, added)) {
      this.onExcess(message)
      if (isHard) refuse(errorCodes.QUOTAEXCEEDED)
    }
  }

  private lookAt(path: string, wanted: number, asker: Asker): Pending {
    checkPath(path)
    const node = this.lookFor(path)
    checkAccess(node, wanted, asker)
    return node
  }

  /** The owner that the kind of node asked for has. */
  private ownerOf({ type, request }: Create, asker: Asker): bigint {
    const { flags } = request
    if (flags < 0 || flags > createFlags.ttlSequential) refuse(errorCodes.BADARGUMENTS)
    const hasTtl = flags === createFlags.ttl || flags === createFlags.ttlSequential
    if (hasTtl && !this.settings.extendedTypes) refuse(errorCodes.UNIMPLEMENTED)
    const ttl = type === opcodes.createTtl ? request.ttl : -1n
    if (hasTtl ? ttl <= 0n || ttl > TTL_MAX : ttl >= 0n) refuse(errorCodes.BADARGUMENTS)
    if (hasTtl) return ttlOwner(ttl)
    if (flags === createFlags.container || type === opcodes.createContainer) return CONTAINER_OWNER
    const isEphemeralAsked =
      flags === createFlags.ephemeral || flags === createFlags.ephemeralSequential
    return isEphemeralAsked ? asker.session : 0n
  }

  private create(write: Create, asker: Asker, zxid: bigint): Change {
    const owner = this.ownerOf(write, asker)
    const { flags, path: givenPath, data } = write.request
    const sequential = SEQUENTIAL.has(flags)
    const asked = givenPath ?? refuse(errorCodes.MARSHALLINGERROR)
    if (!asked.includes('/') || asked.includes('\0')) refuse(errorCodes.BADARGUMENTS)
    const acl = effectiveAcl(aclsOf(write.request.acl), asker.identities)
    if (acl === undefined) refuse(errorCodes.INVALIDACL)
    if (asked === '/' && !sequential) refuse(errorCodes.NODEEXISTS)
    const parentPath = parentOf(asked)
    const parent = this.lookFor(parentPath)
    checkAccess(parent, permissions.create, asker)
    const path = sequential ? asked + String(parent.cversion).padStart(10, '0') : asked
    checkPath(path)
    if (this.look(path) !== undefined) refuse(errorCodes.NODEEXISTS)
    if (isEphemeral(parent.owner)) refuse(errorCodes.NOCHILDRENFOREPHEMERALS)
    const length = data?.length ?? 0
    this.checkQuota(path, { count: 1, bytes: length })
    const parentCversion = (parent.cversion + 1) | 0
    const children = parent.children + 1
    this.put(parentPath, { ...parent, children, cversion: parentCversion, zxid })
    const counts = { version: 0, cversion: 0, aversion: 0, children: 0, dataLength: length }
    this.put(path, { exists: true, ...counts, owner, acl, zxid })
    return { type: 'create', path, data: keptData(data), acl, owner, parentCversion }
  }

  private delete(path: string, version: number, asker: Asker, zxid: bigint): Change {
    const isPath = path.includes('/') && !path.includes('\0')
    if (!isPath || path === '/' || PROTECTED.has(path)) refuse(errorCodes.BADARGUMENTS)
    checkAccess(this.lookFor(parentOf(path)), permissions.delete, asker)
    const node = this.lookFor(path)
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

const SEQUENTIAL: ReadonlySet<number> = new Set([
  createFlags.persistentSequential,
  createFlags.ephemeralSequential,
  createFlags.ttlSequential,
])
