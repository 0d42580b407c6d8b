/** The coordination server: one durable node that speaks ZooKeeper's client protocol. */
import { ByteBudget } from '../../runtime/byte-budget.ts'
import type { Timer } from '../../runtime/clock.ts'
import { type Disk, DiskError } from '../../runtime/disk.ts'
import type { Connection, Listener } from '../../runtime/network.ts'
import { NetworkError } from '../../runtime/network.ts'
import type { Ports, Service } from '../../runtime/service.ts'
import { UserError } from '../../runtime/service.ts'
import { ServerConnection } from './connection.ts'
import type { ServerStatus } from './four-letter-words.ts'
import { TransactionLog } from './log.ts'
import { RequestProcessor } from './processors.ts'
import { purge } from './purge.ts'
import { type DataDirectories, recover } from './recovery.ts'
import { firstSessionId, SessionTable } from './sessions.ts'
import type { CoordinationSettings } from './settings.ts'
import { WatchTable } from './watches.ts'

/** Packets under way, of all clients together. */
const RECEIVE_BYTES_MAX = 64 << 20
/** A standalone Apache ZooKeeper numbers its sessions so too. */
const SERVER_ID = 1n

export class CoordinationServer implements Service {
  /** Resolves with the cause when the disk fails and the server has shut itself down. */
  readonly failed: Promise<unknown>
  private reportFailure: (error: unknown) => void = () => {}
  private readonly ports: Ports
  private readonly settings: CoordinationSettings
  private readonly directories: DataDirectories
  private readonly budget = new ByteBudget(RECEIVE_BYTES_MAX)
  private processor: RequestProcessor<ServerConnection> | undefined
  private listener: Listener | undefined
  private readonly connections = new Set<ServerConnection>()
  private readonly perAddress = new Map<string, number>()
  private readonly bySession = new Map<bigint, ServerConnection>()
  private nextSessionId: bigint
  private expiryTimer: { readonly at: number; readonly timer: Timer } | undefined
  private purgeTimer: Timer | undefined
  private received = 0
  private sent = 0
  private latency = { count: 0, sum: 0, min: 0, max: 0 }

  constructor(ports: Ports, settings: CoordinationSettings) {
    this.ports = { ...ports, logger: ports.logger.named(LOG_NAME) }
    this.settings = settings
    this.directories = {
      snapshots: `${settings.dataDirectory}/version-2`,
      logs: `${settings.logDirectory}/version-2`,
    }
    this.nextSessionId = firstSessionId(ports.clock.now(), SERVER_ID)
    this.failed = new Promise((resolve) => {
      this.reportFailure = resolve
    })
  }

  /** The port it listens on, once started. */
  get port(): number {
    return this.listener?.port ?? this.settings.port
  }

  /** @throws UserError for a taken port and for data that cannot be read. */
  async start(): Promise<void> {
    const { host, port } = this.settings
    // First the port: who has it, has the data directory too.
    this.listener = await this.listen()
    try {
      this.processor = this.load()
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

  private load(): RequestProcessor<ServerConnection> {
    const { disk, clock, logger } = this.ports
    const { tickMs, snapCount, preallocateBytes, forceSync } = this.settings
    for (const directory of Object.values(this.directories)) makeDirectory(disk, directory)
    const recovered = recover(disk, this.directories, logger)
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
    // Apache ZooKeeper takes a log without any snapshot for a broken directory.
    const sinceSnapshot = snapshotZxid === undefined ? 0 : replayed
    return new RequestProcessor(
      this.ports,
      { tree, sessions, watches, log, lastZxid, sinceSnapshot },
      { directory: this.directories.snapshots, snapCount },
      {
        onNotice: ({ watcher, event }) => watcher.notify(event),
        onFailure: (error) => this.fail(error),
      },
    )
  }

  private async begin(processor: RequestProcessor<ServerConnection>): Promise<void> {
    const { disk } = this.ports
    const snapshots = disk.list(this.directories.snapshots)
    if (!snapshots.some(({ name }) => name.startsWith('snapshot.'))) await processor.snapshot()
    for (const owner of processor.tree.owners()) {
      if (processor.sessions.get(owner) === undefined) this.closeSession(owner)
    }
    this.armExpiry()
    this.armPurge()
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
      this.ports.logger.warn(`Refusing a connection from /${address}: ${reason}`)
      connection.start({ onData() {}, onClose() {} })
      connection.destroy()
      return
    }
    this.perAddress.set(address, count)
    const { clock, logger } = this.ports
    const { budget, settings } = this
    const client = new ServerConnection(
      {
        clock,
        logger,
        settings,
        budget,
        processor,
        status: () => this.status(),
        newSessionId: () => this.newSessionId(processor),
        adopt: (session, adopted) => this.adopt(session, adopted),
        forget: (gone) => this.forget(gone),
        touched: () => this.armExpiry(),
        served: (latencyMs) => this.served(latencyMs),
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
    this.received += connection.received
    this.sent += connection.sent
  }

  private served(latencyMs: number): void {
    const { count, sum, min, max } = this.latency
    const whole = Math.floor(latencyMs)
    this.latency = {
      count: count + 1,
      sum: sum + latencyMs,
      min: count === 0 ? whole : Math.min(min, whole),
      max: Math.max(max, whole),
    }
  }

  // Expiry

  private armExpiry(): void {
    const { clock } = this.ports
    const at = this.processor?.sessions.nextExpiry()
    if (at === undefined) return
    if (this.expiryTimer !== undefined && this.expiryTimer.at <= at) return
    this.expiryTimer?.timer.cancel()
    const timer = clock.schedule(at - clock.monotonicMs(), () => this.expire(at))
    this.expiryTimer = { at, timer }
  }

  private expire(due: number): void {
    const { clock } = this.ports
    const now = clock.monotonicMs()
    // Late means that the process stood still. Heartbeats may lie in the sockets: hear those first.
    if (now - due > LATE_MS) {
      const timer = clock.schedule(0, () => this.expireNow(clock.monotonicMs()))
      this.expiryTimer = { at: due, timer }
      return
    }
    this.expireNow(now)
  }

  private expireNow(now: number): void {
    this.expiryTimer = undefined
    for (const { id, timeoutMs } of this.processor?.sessions.expire(now) ?? []) {
      const name = BigInt.asUintN(64, id).toString(16)
      this.ports.logger.info(`Expiring session 0x${name}, timeout of ${timeoutMs}ms exceeded`)
      this.closeSession(id)
    }
    this.armExpiry()
  }

  private closeSession(session: bigint): void {
    this.bySession.get(session)?.destroy()
    this.processor?.write(
      { session, identities: [], cxid: 0 },
      (preparer, zxid) => preparer.closeSession(session, zxid),
      () => {},
    )
  }

  private armPurge(): void {
    const { purgeIntervalMs, snapshotsRetained } = this.settings
    if (purgeIntervalMs === 0) return
    const { clock, disk, logger } = this.ports
    purge(disk, this.directories, { snapshotsRetained, logger })
    this.purgeTimer = clock.schedule(purgeIntervalMs, () => this.armPurge())
  }

  private status(): ServerStatus {
    const { processor, settings, latency } = this
    if (processor === undefined) throw new UserError('not serving yet')
    const { tree, watches, sessions } = processor
    const connections = Array.from(this.connections, (one) => one.status())
    return {
      settings,
      port: this.port,
      latency: {
        min: latency.min,
        average: latency.count === 0 ? 0 : latency.sum / latency.count,
        max: latency.max,
      },
      received: connections.reduce((sum, one) => sum + one.received, this.received),
      sent: connections.reduce((sum, one) => sum + one.sent, this.sent),
      outstanding: processor.outstanding,
      zxid: processor.lastZxid,
      nodeCount: tree.nodeCount,
      ephemeralCount: tree.ephemeralCount,
      dataBytes: tree.dataBytes,
      watchCount: watches.size,
      watchPathCount: watches.pathCount,
      watcherCount: watches.watcherCount,
      sessions: Array.from(sessions.values(), ({ id, timeoutMs }) => ({ id, timeoutMs })),
      connections,
    }
  }

  private fail(error: unknown): void {
    this.ports.logger.fatal('The transaction log cannot be written; shutting down', error)
    void this.stop().then(() => this.reportFailure(error))
  }

  /** Sessions stay: their clients find them again after the next start. */
  async stop(): Promise<void> {
    this.expiryTimer?.timer.cancel()
    this.purgeTimer?.cancel()
    const { listener, processor } = this
    this.listener = undefined
    const closed = listener?.close()
    await processor?.stop()
    for (const connection of this.connections) connection.end()
    await closed
    for (const connection of this.connections) connection.destroy()
    this.processor = undefined
  }
}

/** Creates a directory and the missing ones above it, so that their names survive power loss. */
function makeDirectory(disk: Disk, path: string): void {
  const parent = path.slice(0, path.lastIndexOf('/'))
  if (disk.stat(path) !== undefined) return
  if (parent !== '') makeDirectory(disk, parent)
  disk.makeDirectory(path)
  const root = path.startsWith('/') ? '/' : '.'
  disk.syncDirectory(parent === '' ? root : parent)
}

const LOG_NAME = 'org.apache.zookeeper.server.ZooKeeperServer'
const LATE_MS = 100
