import { errorCodes, errorName, type ErrorName } from '../protocol/errors.ts'

/**
 * What the broker and the tools see of ZooKeeper: one session over any number of connections.
 * `ZooKeeperSession` (session.ts) implements it. A session that has expired or was closed stays so;
 * whoever wants to go on builds a new one and sets up ephemerals and watches again.
 *
 * Every operation rejects with a ZooKeeperError. CONNECTIONLOSS means that the request may or may not
 * have been carried out (it comes at once while there is no connection: wait for `connected()`);
 * SESSIONEXPIRED that this session will never carry out anything again.
 */
export interface ZooKeeperClient {
  /** Resolves when connected. @throws ZooKeeperError (CONNECTIONLOSS) after connectTimeoutMs. */
  start(): Promise<void>
  /** Ends the session, so that its ephemerals go, and the connection. Harmless when called twice. */
  close(): Promise<void>
  /** 0 until the first server has given one. */
  readonly sessionId: bigint
  /** The session time the server granted; the one asked for until then. */
  readonly sessionTimeoutMs: number
  readonly state: SessionState
  /** Resolves when connected, at once if so. @throws ZooKeeperError (SESSIONEXPIRED) when that is over. */
  connected(): Promise<void>
  /** Tells every later change; returns how to stop listening. */
  onState(listener: (event: SessionEvent) => void): () => void

  /** With `stat: false` the older create is sent, which ZooKeeper 3.4 knows; the stat is then null. */
  create(path: string, data: Uint8Array | null, options?: CreateOptions): Promise<CreateResult>
  /** `version` -1, the default, stands for any. Throws NONODE, BADVERSION, NOTEMPTY. */
  delete(path: string, version?: number): Promise<void>
  /** Null where there is no such node; the watcher then waits for its creation. */
  exists(path: string, watcher?: Watcher): Promise<Stat | null>
  /** A node of null data reads as empty. Throws NONODE, and sets no watch then. */
  getData(path: string, watcher?: Watcher): Promise<{ data: Buffer; stat: Stat }>
  /** Names without the parent's path, in no particular order. Throws NONODE. */
  getChildren(path: string, watcher?: Watcher): Promise<{ children: string[]; stat: Stat }>
  setData(path: string, data: Uint8Array, version?: number): Promise<Stat>
  /** All or nothing. @throws MultiError of the first operation that fails, and nothing was done. */
  multi(operations: readonly Operation[]): Promise<OperationResult[]>
  /**
   * A watch that stays, on a node that need not be there: `persistent` tells of the node and its
   * children's comings and goings, `recursive` of the node and all below it, but not of
   * childrenChanged. Known since ZooKeeper 3.6.
   */
  addWatch(path: string, mode: WatchMode, watcher: Watcher): Promise<void>
  /**
   * Takes watches back: the given watcher's, or all. `any` includes those of addWatch. Known since 3.5.
   * Throws NOWATCHER where there is none.
   */
  removeWatches(path: string, kind: WatcherKind, watcher?: Watcher): Promise<void>
  /**
   * Changes the members of an ensemble, by increments or as a whole, and returns the configuration then.
   * `version` is that of the configuration it starts from, -1 for any. Known since 3.5.
   */
  reconfig(
    joining: string | null,
    leaving: string | null,
    members: string | null,
    version?: bigint,
  ): Promise<{ data: Buffer; stat: Stat }>
  /** What the server takes this connection for. Known since 3.7. */
  whoAmI(): Promise<{ scheme: string; user: string }[]>
  /** This session's, in order; those whose path begins with the prefix. Known since 3.6. */
  getEphemerals(prefix?: string): Promise<string[]>
  /** How many nodes there are below, however deep. Known since 3.6. */
  getAllChildrenNumber(path: string): Promise<number>
  /** Resolves when this server has caught up with all that was written before the call. */
  sync(path: string): Promise<void>
  getAcl(path: string): Promise<{ acl: Acl[]; stat: Stat }>
  setAcl(path: string, acl: readonly Acl[], version?: number): Promise<Stat>
  /** Creates the node and its missing parents (those empty), like mkdir -p; harmless when there. */
  makePath(path: string, data?: Uint8Array): Promise<void>
  /** Authenticates this and all later connections of the session: `digest`, `user:password`. */
  addAuth(scheme: string, credentials: Uint8Array): Promise<void>
}

export type SessionState = 'connecting' | 'connected' | 'suspended' | 'expired' | 'closed'

/**
 * `suspended`: the connection is gone, the session probably lives. `lost`: two thirds of the session
 * time went by on our own clock since the server last provably heard from us; the session may soon be
 * over, so who holds an office by it must lay it down now. Then `connected` or `expired` follows.
 */
export type SessionEvent = 'connected' | 'suspended' | 'lost' | 'expired' | 'closed'

export interface CreateOptions {
  readonly ephemeral?: boolean
  /** Appends ten digits that count the parent's children ever created. */
  readonly sequential?: boolean
  /** The node goes some time after its last child has gone. Known since 3.5. */
  readonly container?: boolean
  /**
   * The node goes when it has no children and so many milliseconds went by since it was last set.
   * Servers refuse it (UNIMPLEMENTED) unless extendedTypesEnabled is set there.
   */
  readonly ttlMs?: number
  /** Default: everything to everybody. */
  readonly acl?: readonly Acl[]
  /** Default true: create2, known since 3.5. */
  readonly stat?: boolean
}

export interface CreateResult {
  /** The path made: with the digits if sequential, without the chroot. */
  readonly path: string
  readonly stat: Stat | null
}

export interface Acl {
  /** Sum of READ 1, WRITE 2, CREATE 4, DELETE 8, ADMIN 16. */
  readonly perms: number
  readonly id: { readonly scheme: string; readonly id: string }
}

export const openAcl: readonly Acl[] = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]
export const creatorAllAcl: readonly Acl[] = [{ perms: 31, id: { scheme: 'auth', id: '' } }]
export const readAcl: readonly Acl[] = [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }]

/** Transaction ids (zxid), session ids and times (milliseconds since 1970) are 64 bits wide. */
export interface Stat {
  readonly czxid: bigint
  readonly mzxid: bigint
  readonly ctime: bigint
  readonly mtime: bigint
  readonly version: number
  readonly cversion: number
  readonly aversion: number
  /** The session that owns the node; 0 for a persistent one. */
  readonly ephemeralOwner: bigint
  readonly dataLength: number
  readonly numChildren: number
  readonly pzxid: bigint
}

export type WatchMode = 'persistent' | 'recursive'
export type WatcherKind = 'data' | 'children' | 'any'

/** Called once, for the first change after it was set; one of addWatch for every change. */
export type Watcher = (event: WatchEvent) => void

export interface WatchEvent {
  readonly type: 'created' | 'deleted' | 'dataChanged' | 'childrenChanged'
  readonly path: string
}

export type Operation =
  | ({
      readonly type: 'create'
      readonly path: string
      readonly data: Uint8Array | null
    } & CreateOptions)
  | { readonly type: 'delete'; readonly path: string; readonly version?: number }
  | {
      readonly type: 'setData'
      readonly path: string
      readonly data: Uint8Array
      readonly version?: number
    }
  | { readonly type: 'check'; readonly path: string; readonly version: number }

/** In a multi, create answers without a stat unless `stat: true` asks for one. */
export type OperationResult =
  | { readonly type: 'create'; readonly path: string; readonly stat: Stat | null }
  | { readonly type: 'delete' }
  | { readonly type: 'setData'; readonly stat: Stat }
  | { readonly type: 'check' }

/** What the server answered, or CONNECTIONLOSS, SESSIONEXPIRED where it could not. */
export class ZooKeeperError extends Error {
  override readonly name: ErrorName
  readonly code: number
  readonly path: string | null
  constructor(code: number, path: string | null, detail?: string) {
    const about = [path, detail].filter((part) => part !== null && part !== undefined)
    super([errorName(code), ...about].join(': '))
    this.name = errorName(code)
    this.code = code
    this.path = path
  }
}

/** The failed operation of a multi. */
export class MultiError extends ZooKeeperError {
  /** Which of the operations failed, counted from 0. */
  readonly index: number
  constructor(code: number, path: string | null, index: number) {
    super(code, path, `operation ${index} of a multi`)
    this.index = index
  }
}

export function isZooKeeperError(error: unknown, name?: ErrorName): error is ZooKeeperError {
  return error instanceof ZooKeeperError && (name === undefined || error.name === name)
}

export function connectionLoss(path: string | null, detail?: string): ZooKeeperError {
  return new ZooKeeperError(errorCodes.CONNECTIONLOSS, path, detail)
}
