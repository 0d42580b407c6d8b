/** A broker of a cluster, on a machine of its own: started, stopped, killed, paused, started again. */
import { Broker } from '../broker/broker.ts'
import { brokerSettings, type BrokerSettings } from '../broker/config/broker.ts'
import type { MetadataCache } from '../broker/metadata-cache.ts'
import type { DiskSnapshot } from '../memory/disk.ts'
import { Life } from '../memory/life.ts'
import { systemClock } from '../node/clock.ts'
import type { ConnectAddress, Connection, Network } from '../runtime/network.ts'
import { ZooKeeperSession } from '../zookeeper/client/session.ts'
import { turnEnd } from './clock.ts'
import { Doors } from './door.ts'
import { loopback, placeFor, snapshotOf, type NodeParts, type Place } from './node-parts.ts'
import { ProcessClock, ProcessDisk } from './process.ts'
import { TappedConnection, type TapParts } from './tap.ts'

export interface BrokerNodeOptions {
  readonly id: number
  readonly zookeeperConnect: string
  /** Over the defaults below; keys of server.properties. */
  readonly properties: Readonly<Record<string, string>>
  /** Called when it knows something new, or its session or its process has changed. */
  readonly changed: () => void
}

export type BrokerNodeState = 'running' | 'paused' | 'down'

/** One segment's index then stands for 32 MB of log, and takes 64 KB of memory. */
const indexBytesInMemory = 65_536
const neverMs = Number.MAX_SAFE_INTEGER

/** What a test wants otherwise than production: no waiting, little memory, connections that last. */
const defaultProperties: Readonly<Record<string, string>> = {
  listeners: `PLAINTEXT://${loopback}:0`,
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': '1',
  'controlled.shutdown.retry.backoff.ms': '100',
  // A jump in time makes no connection an idle one.
  'connections.max.idle.ms': String(neverMs),
}

/** What a process has that ends with it. */
interface Process {
  readonly life: Life
  readonly clock: ProcessClock
  /** Undefined in memory. */
  readonly disk: ProcessDisk | undefined
}

export class BrokerNode {
  readonly id: number
  readonly #parts: NodeParts
  readonly #place: Place
  readonly #doors: Doors
  readonly #settings: BrokerSettings
  readonly #changed: () => void
  readonly #connections = new Set<TappedConnection>()
  /** The present one, or the one that the next start will be. */
  #process: Process
  #lives = 0
  #broker: Broker | undefined
  #session: ZooKeeperSession | undefined
  #addresses: readonly string[] = []
  /** Leaders are to move to other brokers before this one stops. */
  #handsOver = true

  /** @throws UserError for properties that the broker refuses. */
  constructor(
    parts: NodeParts,
    tapParts: Pick<TapParts, 'faults' | 'topicNames'>,
    options: BrokerNodeOptions,
  ) {
    const { id, zookeeperConnect, properties } = options
    this.id = id
    this.#changed = options.changed
    this.#parts = parts
    const { clock } = parts
    this.#place = placeFor(parts, `broker-${id}`, {
      now: () => clock.now(),
      monotonicMs: () => clock.monotonicMs(),
      schedule: (delayMs, action) => this.#process.clock.schedule(delayMs, action),
      atEndOfTurn: (action) => this.#process.clock.atEndOfTurn(action),
    })
    this.#process = this.#nextProcess()
    const { memory, path } = this.#place
    const inMemory = { 'log.index.size.max.bytes': String(indexBytesInMemory) }
    const { settings, warnings } = brokerSettings({
      ...defaultProperties,
      ...(memory === undefined ? {} : inMemory),
      ...properties,
      'broker.id': String(id),
      'zookeeper.connect': zookeeperConnect,
      'log.dirs': path,
    })
    for (const warning of warnings) parts.ports.logger.warn(warning)
    this.#settings = this.#withHandOver(settings)
    const { links, ports } = parts
    const forget = (gone: TappedConnection): void => void this.#connections.delete(gone)
    this.#doors = new Doors(ports.network, (connection) => {
      const { life, clock: processClock } = this.#process
      const caller = (): unknown => links.callerAt(connection.remotePort)
      const tapped = new TappedConnection(
        links.accept(connection, life),
        { ...tapParts, clock: processClock, broker: id, caller },
        forget,
      )
      this.#connections.add(tapped)
      return tapped
    })
  }

  get state(): BrokerNodeState {
    if (this.#broker === undefined) return 'down'
    return this.#process.life.frozen ? 'paused' : 'running'
  }

  /** host:port of every listener; known from the first start on. */
  get addresses(): readonly string[] {
    return this.#addresses
  }

  get connections(): Iterable<TappedConnection> {
    return this.#connections
  }

  /** What it was last told of the cluster; undefined while it is down. */
  get metadata(): MetadataCache | undefined {
    return this.#broker?.metadata
  }

  async start(): Promise<void> {
    this.#doors.shut()
    const { life, clock, disk } = this.#process
    const { ports, links } = this.#parts
    const network: Network = {
      listen: (address, onConnection) =>
        this.#doors.listen(address, (connection) => life.run(() => onConnection(connection))),
      connect: (address) => this.#connect(address, life),
    }
    const servicePorts = { ...ports, clock, network }
    const broker = new Broker({ ...servicePorts, disk: disk ?? this.#place.disk }, this.#settings, {
      openSession: () => this.#openSession(servicePorts),
      hostName: loopback,
    })
    await broker.start()
    this.#broker = broker
    broker.metadata.onChange(this.#changed)
    this.#addresses = broker.endpoints.map(({ host, port }) => `${host}:${port}`)
    for (const { port } of broker.endpoints) links.listens(port, this.id)
    this.#doors.open()
    this.#changed()
  }

  #connect(address: ConnectAddress, life: Life): Promise<Connection> {
    const { ports, links } = this.#parts
    const caller = { party: this.id, life }
    return life.see(links.connect(ports.network, address, caller))
  }

  #openSession(ports: ConstructorParameters<typeof ZooKeeperSession>[0]): ZooKeeperSession {
    const { zookeeperConnect, zookeeperSessionTimeoutMs, zookeeperConnectionTimeoutMs } =
      this.#settings
    const session = new ZooKeeperSession(ports, {
      connect: zookeeperConnect,
      sessionTimeoutMs: zookeeperSessionTimeoutMs,
      connectTimeoutMs: zookeeperConnectionTimeoutMs,
    })
    session.onState(this.#changed)
    this.#session = session
    return session
  }

  get sessionTimeoutMs(): number {
    return this.#settings.zookeeperSessionTimeoutMs
  }

  /** Of its session with the coordination server. */
  get sessionId(): bigint | undefined {
    return this.#session?.sessionId
  }

  /** It has one, and another one than that. */
  hasSessionAfter(id: bigint | undefined): boolean {
    return this.#session?.state === 'connected' && this.#session.sessionId !== id
  }

  /** Its session hears from the server, and the other way round, before time goes on. */
  async beHeard(): Promise<void> {
    // A session that is not there, or is lost meanwhile, has nothing to keep.
    await this.#session?.exists('/').catch(() => null)
  }

  /** A clean end, after leaders have moved away; who connects from then on is turned away. */
  async stop(): Promise<void> {
    await this.#stop(true)
    this.refuse()
  }

  /** It is down, and stays so: who connects is turned away. */
  refuse(): void {
    this.#doors.refuse()
  }

  /** The same with leaders left where they are; who connects waits for the next start. */
  async stopForRestart(): Promise<void> {
    this.#doors.shut()
    await this.#stop(false)
  }

  async #stop(handsOver: boolean): Promise<void> {
    this.resume()
    this.#handsOver = handsOver
    await this.#broker?.stop()
    this.#endProcess()
  }

  /** The process dies: what it wrote is there, and nothing else of it. */
  async kill(whoConnects: 'is turned away' | 'waits' = 'is turned away'): Promise<void> {
    // Nothing of it is under way at the end of a turn.
    await turnEnd(systemClock)
    if (whoConnects === 'waits') this.#doors.shut()
    else this.#doors.refuse()
    this.#endProcess()
  }

  async pause(): Promise<void> {
    await turnEnd(systemClock)
    this.#process.life.freeze()
    this.#parts.links.lifeChanged(this.#process.life)
    this.#changed()
  }

  /** What fell due meanwhile happens now. */
  resume(): void {
    this.#process.life.thaw()
    this.#parts.links.lifeChanged(this.#process.life)
    this.#changed()
  }

  close(): Promise<void> {
    return this.#doors.close()
  }

  snapshot(): DiskSnapshot | undefined {
    return snapshotOf(this.#place)
  }

  restore(snapshot: DiskSnapshot | undefined): void {
    if (snapshot !== undefined) this.#place.memory?.restore(snapshot)
  }

  #nextProcess(): Process {
    const { clock, realDisk, directory } = this.#parts
    this.#lives += 1
    const life = new Life(this.#lives)
    const disk = directory === undefined ? undefined : new ProcessDisk(realDisk, life)
    return { life, clock: new ProcessClock(clock, life), disk }
  }

  #endProcess(): void {
    const { life, clock, disk } = this.#process
    life.end()
    clock.end()
    disk?.end()
    this.#place.memory?.killProcess()
    this.#parts.links.lifeChanged(life)
    this.#broker = undefined
    this.#session = undefined
    this.#process = this.#nextProcess()
    this.#changed()
  }

  #withHandOver(settings: BrokerSettings): BrokerSettings {
    const attemptsMax = (): number => (this.#handsOver ? settings.control.shutdownAttemptsMax : 0)
    const control = {
      ...settings.control,
      get shutdownAttemptsMax() {
        return attemptsMax()
      },
    }
    return { ...settings, control }
  }
}
