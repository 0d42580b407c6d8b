/** The coordination server: one durable node that speaks ZooKeeper's client protocol. */
import { ByteBudget } from '../../runtime/byte-budget.ts'
import type { Timer } from '../../runtime/clock.ts'
import { DiskError, type DiskLock } from '../../runtime/disk.ts'
import type { Connection, Listener } from '../../runtime/network.ts'
import { NetworkError } from '../../runtime/network.ts'
import type { Ports, Service } from '../../runtime/service.ts'
import { UserError } from '../../runtime/service.ts'
import { ServerConnection } from './connection.ts'
import {
  DataDirectoryError,
  directoriesOf,
  directoryBytes,
  openDirectories,
} from './data-directory.ts'
import { Durations } from './durations.ts'
import { Housekeeping } from './housekeeping.ts'
import { TransactionLog } from './log.ts'
import { RequestProcessor } from './processors.ts'
import { type DataDirectories, recover } from './recovery.ts'
import type { Counters, ServerView } from './server-view.ts'
import { firstSessionId, SessionTable } from './sessions.ts'
import type { CoordinationSettings } from './settings.ts'
import { TurnSlice } from './turn.ts'
import { RequestsUnderWay } from './under-way.ts'
import { UnsentBytes } from './unsent.ts'
import { WatchTable } from './watches.ts'

/** Packets under way, of all clients together. */
const RECEIVE_BYTES_MAX = 64 << 20
/** A standalone Apache ZooKeeper numbers its sessions so too. */
const SERVER_ID = 1n

/** What the server's own process knows, for those who ask it. */
export interface Surroundings {
  /** By the names of Java's system properties. */
  readonly environment?: ReadonlyMap<string, string>
  /** The text of zoo.cfg. */
  readonly configurationText?: string
}

export class CoordinationServer implements Service {
  /** Resolves with the cause when the disk fails and the server has shut itself down. */
  readonly failed: Promise<unknown>
  private reportFailure: (error: unknown) => void = () => {}
  private readonly ports: Ports
  private readonly settings: CoordinationSettings
  private readonly directories: DataDirectories
  private readonly budget = new ByteBudget(RECEIVE_BYTES_MAX)
  private readonly unsent: UnsentBytes
  private readonly underWay: RequestsUnderWay
  private readonly slice: TurnSlice
  private processor: RequestProcessor<ServerConnection> | undefined
  private listener: Listener | undefined
  private readonly connections = new Set<ServerConnection>()
  private readonly perAddress = new Map<string, number>()
  private readonly bySession = new Map<bigint, ServerConnection>()
  private nextSessionId: bigint
  private expiryTimer: { readonly at: number; readonly timer: Timer } | undefined
  private housekeeping: Housekeeping<ServerConnection> | undefined
  private locks: readonly DiskLock[] = []
  private readonly surroundings: Surroundings
  private readonly startedAt: number
  private readonly tracing = { mask: TRACE_MASK }
  private readonly counters: Counters = {
    latency: new Durations(),
    received: 0,
    sent: 0,
    receivedBytes: 0,
    sentBytes: 0,
    connections: 0,
    rejectedConnections: 0,
    refusedCredentials: 0,
    largeRequests: 0,
    sessionlessExpired: 0,
    responses: { last: -1, min: -1, max: -1 },
  }

  constructor(ports: Ports, settings: CoordinationSettings, surroundings: Surroundings = {}) {
    this.ports = { ...ports, logger: ports.logger.named(LOG_NAME) }
    this.settings = settings
    this.directories = directoriesOf(settings)
    this.unsent = new UnsentBytes(ports.clock)
    this.underWay = new RequestsUnderWay(settings.requestsUnderWayMax)
    this.slice = new TurnSlice(ports.clock)
    this.surroundings = surroundings
    this.startedAt = ports.clock.monotonicMs()
    this.nextSessionId = firstSessionId(ports.clock.now(), SERVER_ID)
    this.failed = new Promise((resolve) => {
      this.reportFailure = resolve
    })
  }

  /** The port it listens on, once started. */
  get port(): number {
    return this.listener?.port ?? this.settings.port
  }

  /** @throws UserError for a taken port or directory, and for data that cannot be read. */
  async start(): Promise<void> {
    const { host, port } = this.settings
    this.listener = await this.listen()
    try {
      this.locks = openDirectories(this.ports.disk, this.settings)
      this.processor = await this.load()
      await this.begin(this.processor)
    } catch (error) {
      await this.stop()
      throw error instanceof DiskError ? new UserError(error.message, { cause: error }) : error
    }
    this.registerMetrics(this.processor)
    const shown = host === '' ? '0.0.0.0/0.0.0.0' : host
    const { logger } = this.ports
    const named = logger.named('org.apache.zookeeper.server.NIOServerCnxnFactory')
    named.info(`binding to port ${shown}:${port === 0 ? this.port : port}`)
  }

  private async listen(): Promise<Listener> {
    const { host, port } = this.settings
    try {
      return await this.ports.network.listen({ host, port }, (connection) =>
        this.accept(connection),
      )
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error
      const address = `${host === '' ? '0.0.0.0' : host}:${port}`
      throw new UserError(`cannot listen on ${address}: ${error.message}`, { cause: error })
    }
  }

  private async load(): Promise<RequestProcessor<ServerConnection>> {
    const { disk, clock, logger } = this.ports
    const { tickMs, snapCount, preallocateBytes, forceSync } = this.settings
    const recovered = await recover(this.ports, this.directories)
    const sessions = new SessionTable(tickMs)
    for (const [id, timeoutMs] of recovered.sessions) {
      sessions.add(id, timeoutMs, clock.monotonicMs())
    }
    const { tree, lastZxid, replayed, snapshotZxid } = recovered
    logger.info(
      `Read ${tree.nodeCount} nodes and ${sessions.size} sessions up to zxid 0x${lastZxid.toString(16)} ` +
        `(${replayed} transactions replayed)`,
    )
    const directory = this.directories.logs
    const log = new TransactionLog(disk, { directory, preallocateBytes, forceSync })
    const watches = new WatchTable<ServerConnection>()
    const sinceSnapshot = snapshotZxid === undefined ? 0 : replayed
    return new RequestProcessor(
      this.ports,
      { tree, sessions, watches, log, lastZxid, sinceSnapshot },
      { directory: this.directories.snapshots, snapCount, preparer: this.settings },
      {
        onNotice: (watcher, event) => watcher.notify(event),
        onFailure: (error) => this.fail(error),
      },
    )
  }

  private async begin(processor: RequestProcessor<ServerConnection>): Promise<void> {
    const { disk } = this.ports
    const { snapshots } = this.directories
    const isNew = !disk.list(snapshots).some(({ name }) => name.startsWith('snapshot.'))
    // Apache ZooKeeper takes a log without any snapshot for a broken directory.
    if (isNew && !(await processor.snapshot())) {
      throw new DataDirectoryError(`cannot write a snapshot to ${snapshots}`)
    }
    const { directories } = this
    this.housekeeping = new Housekeeping(this.ports, this.settings, { directories, processor })
    this.housekeeping.start()
    for (const owner of processor.tree.owners()) {
      if (processor.sessions.get(owner) === undefined) this.closeSession(processor, owner)
    }
    this.armExpiry(processor)
  }

  private registerMetrics(processor: RequestProcessor<ServerConnection>): void {
    const { metrics } = this.ports
    const { tree, watches, sessions } = processor
    const gauges: readonly (readonly [name: string, help: string, read: () => number])[] = [
      ['znode_count', 'Nodes in the tree.', () => tree.nodeCount],
      ['ephemerals_count', 'Ephemeral nodes.', () => tree.ephemeralCount],
      ['watch_count', 'Watches standing.', () => watches.size],
      ['approximate_data_size', 'Bytes of paths and data.', () => tree.dataBytes],
      ['num_alive_connections', 'Connections of clients.', () => this.connections.size],
      ['global_sessions', 'Sessions.', () => sessions.size],
      ['outstanding_requests', 'Requests that wait for the disk.', () => processor.outstanding],
    ]
    for (const [name, help, read] of gauges) metrics.gauge(name, help, read)
  }

  private accept(connection: Connection): void {
    const { processor } = this
    const limit = this.settings.connectionsPerAddressMax
    const address = connection.remoteAddress
    const count = (this.perAddress.get(address) ?? 0) + 1
    if (processor === undefined || (limit > 0 && count > limit)) {
      const reason = processor === undefined ? 'not serving yet' : `too many connections: ${limit}`
      this.counters.rejectedConnections += 1
      this.ports.logger.warn(`Refusing a connection from /${address}: ${reason}`)
      connection.start({ onData() {}, onClose() {} })
      connection.destroy()
      return
    }
    this.perAddress.set(address, count)
    const { clock, logger } = this.ports
    const { budget, unsent, underWay, slice, settings, counters } = this
    const client = new ServerConnection(
      {
        clock,
        logger,
        settings,
        ...{ budget, unsent, underWay, slice },
        processor,
        counters,
        view: () => this.view(processor),
        newSessionId: () => this.newSessionId(processor),
        adopt: (session, adopted) => this.adopt(session, adopted),
        forget: (gone) => this.forget(gone),
        touched: () => this.armExpiry(processor),
      },
      connection,
    )
    this.connections.add(client)
  }

  private newSessionId(processor: RequestProcessor<ServerConnection>): bigint {
    // Ids of a former life of this directory are possible where the clock was set back.
    do this.nextSessionId += 1n
    while (processor.sessions.get(this.nextSessionId) !== undefined)
    return this.nextSessionId
  }

  private adopt(session: bigint, connection: ServerConnection): void {
    const former = this.bySession.get(session)
    this.bySession.set(session, connection)
    if (former !== connection) former?.destroy()
  }

  private forget(connection: ServerConnection): void {
    this.connections.delete(connection)
    const count = (this.perAddress.get(connection.address) ?? 1) - 1
    if (count === 0) this.perAddress.delete(connection.address)
    else this.perAddress.set(connection.address, count)
    if (this.bySession.get(connection.sessionId) === connection) {
      this.bySession.delete(connection.sessionId)
    }
  }

  // Expiry

  /**
   * Counts the sessions of all connections as heard of just now, but those that `isSilent` picks by the
   * port they come from: for a clock that was set forward under clients that have not slept.
   */
  hear(isSilent: (port: number) => boolean): void {
    for (const connection of this.connections) if (!isSilent(connection.port)) connection.touch()
  }

  private armExpiry(processor: RequestProcessor<ServerConnection>): void {
    const { clock } = this.ports
    const at = processor.sessions.nextExpiry()
    if (at === undefined) return
    if (this.expiryTimer !== undefined && this.expiryTimer.at <= at) return
    this.expiryTimer?.timer.cancel()
    const timer = clock.schedule(at - clock.monotonicMs(), () => this.expire(processor, at))
    this.expiryTimer = { at, timer }
  }

  private expire(processor: RequestProcessor<ServerConnection>, due: number): void {
    const { clock } = this.ports
    // Late means that the process stood still. Heartbeats may lie in the sockets: hear those first.
    if (clock.monotonicMs() - due > LATE_MS) {
      const timer = clock.schedule(0, () => this.expireNow(processor))
      this.expiryTimer = { at: due, timer }
      return
    }
    this.expireNow(processor)
  }

  private expireNow(processor: RequestProcessor<ServerConnection>): void {
    this.expiryTimer = undefined
    for (const { id, timeoutMs } of processor.sessions.expire(this.ports.clock.monotonicMs())) {
      const name = BigInt.asUintN(64, id).toString(16)
      this.ports.logger.info(`Expiring session 0x${name}, timeout of ${timeoutMs}ms exceeded`)
      this.closeSession(processor, id)
    }
    this.armExpiry(processor)
  }

  private closeSession(processor: RequestProcessor<ServerConnection>, session: bigint): void {
    this.bySession.get(session)?.destroy()
    processor.write(
      { session, identities: [], cxid: 0 },
      (preparer, zxid) => preparer.closeSession(session, zxid),
      () => {},
    )
  }

  // Who asks

  /** What there is to tell, for the admin server. Undefined while the server does not serve. */
  shown(): ServerView | undefined {
    return this.processor === undefined ? undefined : this.view(this.processor)
  }

  private view(processor: RequestProcessor<ServerConnection>): ServerView {
    const { settings, port, counters, connections, surroundings, tracing } = this
    const { clock, disk } = this.ports
    const { tree, sessions, watches, lastZxid, outstanding } = processor
    const { syncTimes, snapshotTimes, lastSnapshot } = processor
    return {
      ...{ settings, port, counters, tree, sessions, watches, lastZxid, outstanding },
      ...{ syncTimes, snapshotTimes, lastSnapshot, tracing },
      now: clock.now(),
      monotonicMs: clock.monotonicMs(),
      uptimeMs: clock.monotonicMs() - this.startedAt,
      connections: [...connections],
      environment: surroundings.environment ?? new Map(),
      configurationText: surroundings.configurationText ?? '',
      directorySizes: () => ({
        data: directoryBytes(disk, this.directories.snapshots),
        log: directoryBytes(disk, this.directories.logs),
      }),
      resetStatistics() {
        counters.latency.reset()
        counters.received = 0
        counters.sent = 0
        counters.responses = { last: -1, min: -1, max: -1 }
      },
      resetConnectionStatistics() {
        for (const one of connections) one.statistics.reset()
      },
    }
  }

  private fail(error: unknown): void {
    this.ports.logger.fatal('The transaction log cannot be written; shutting down', error)
    void this.stop().then(() => this.reportFailure(error))
  }

  /** Sessions stay: their clients find them again after the next start. */
  async stop(): Promise<void> {
    this.expiryTimer?.timer.cancel()
    this.housekeeping?.stop()
    const { listener, processor } = this
    this.listener = undefined
    const closed = listener?.close()
    await processor?.stop()
    for (const connection of this.connections) connection.end()
    await closed
    for (const connection of this.connections) connection.destroy()
    this.processor = undefined
    for (const lock of this.locks) lock.release()
    this.locks = []
  }
}

const LOG_NAME = 'org.apache.zookeeper.server.ZooKeeperServer'
const LATE_MS = 100
/** ZooKeeper's own default. */
const TRACE_MASK = 306
