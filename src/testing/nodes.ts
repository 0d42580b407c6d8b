/** The servers of an in-process cluster, each on a machine of its own: made, started, stopped, made again. */
import { Broker } from '../broker/broker.ts'
import { brokerSettings, type BrokerSettings } from '../broker/config/broker.ts'
import { MemoryDisk, type DiskSnapshot } from '../memory/disk.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Disk } from '../runtime/disk.ts'
import type { Network } from '../runtime/network.ts'
import type { Ports } from '../runtime/service.ts'
import { ZooKeeperSession } from '../zookeeper/client/session.ts'
import { CoordinationServer } from '../zookeeper/server/server.ts'
import { coordinationSettings } from '../zookeeper/server/settings.ts'
import { withoutDelay, type JumpClock } from './clock.ts'
import { DoorNetwork } from './door.ts'
import { TappedConnection, type TapParts } from './tap.ts'

export const loopback = '127.0.0.1'

/** What all servers of a cluster share. */
export interface NodeParts {
  /** All but disk and clock. */
  readonly ports: Pick<Ports, 'network' | 'random' | 'logger' | 'metrics'>
  /** The time of brokers and groups. */
  readonly clock: JumpClock
  /** The same time, with timers that never jump: for coordination, so that its sessions last. */
  readonly steadyClock: Clock
  /** Where servers keep their files; undefined: in memory. */
  readonly directory: string | undefined
  readonly realDisk: Disk
}

/** A directory on a disk: the real one, or one in memory of the node's own. */
interface Place {
  readonly disk: Disk
  readonly memory: MemoryDisk | undefined
  readonly path: string
}

function placeFor({ clock, directory, realDisk }: NodeParts, name: string): Place {
  if (directory !== undefined)
    return { disk: realDisk, memory: undefined, path: `${directory}/${name}` }
  const memory = new MemoryDisk({ clock: withoutDelay(clock) })
  return { disk: memory, memory, path: `/${name}` }
}

/** Apache ZooKeeper's step is 64 MB, for nothing in a test. */
const preallocateBytes = 64 * 1024

export class CoordinationNode {
  readonly #parts: NodeParts
  readonly #place: Place
  readonly #network: DoorNetwork
  #server: CoordinationServer | undefined
  #port = 0

  constructor(parts: NodeParts) {
    this.#parts = parts
    this.#place = placeFor(parts, 'zookeeper')
    this.#network = new DoorNetwork(parts.ports.network, (connection) => connection)
    // Nobody waits here: clients of ZooKeeper try again by themselves.
    this.#network.open()
  }

  get address(): string {
    return `${loopback}:${this.#port}`
  }

  async start(): Promise<void> {
    const { ports, steadyClock } = this.#parts
    const { disk, path } = this.#place
    const server = new CoordinationServer(
      { ...ports, disk, network: this.#network, clock: steadyClock },
      coordinationSettings({
        dataDirectory: path,
        host: loopback,
        port: 0,
        preallocateBytes,
        connectionsPerAddressMax: 0,
        fourLetterWords: 'all',
      }),
    )
    await server.start()
    this.#server = server
    this.#port = server.port
  }

  /** The port stays taken until `close`. */
  async stop(): Promise<void> {
    await this.#server?.stop()
    this.#server = undefined
  }

  close(): Promise<void> {
    return this.#network.close()
  }

  snapshot(): DiskSnapshot | undefined {
    return snapshotOf(this.#place)
  }

  restore(snapshot: DiskSnapshot | undefined): void {
    if (snapshot !== undefined) this.#place.memory?.restore(snapshot)
  }
}

export interface BrokerNodeOptions {
  readonly id: number
  readonly zookeeperConnect: string
  /** Over the defaults below; keys of server.properties. */
  readonly properties: Readonly<Record<string, string>>
}

/** One segment's index then stands for 32 MB of log, and takes 64 KB of memory. */
const indexBytesInMemory = 65_536
const neverMs = Number.MAX_SAFE_INTEGER

/** What a test wants otherwise than production: no waiting, little memory, connections that last. */
const defaultProperties: Readonly<Record<string, string>> = {
  listeners: `PLAINTEXT://${loopback}:0`,
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': '1',
  // A jump in time makes no connection an idle one.
  'connections.max.idle.ms': String(neverMs),
}

export class BrokerNode {
  readonly id: number
  readonly #parts: NodeParts
  readonly #place: Place
  readonly #network: DoorNetwork
  readonly #settings: BrokerSettings
  readonly #connections = new Set<TappedConnection>()
  #broker: Broker | undefined
  #addresses: readonly string[] = []

  /** @throws UserError for properties that the broker refuses. */
  constructor(parts: NodeParts, tapParts: TapParts, options: BrokerNodeOptions) {
    const { id, zookeeperConnect, properties } = options
    this.id = id
    this.#parts = parts
    this.#place = placeFor(parts, `broker-${id}`)
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
    this.#settings = settings
    const forget = (gone: TappedConnection): void => void this.#connections.delete(gone)
    this.#network = new DoorNetwork(parts.ports.network, (connection) => {
      const tapped = new TappedConnection(connection, tapParts, forget)
      this.#connections.add(tapped)
      return tapped
    })
  }

  /** host:port of every listener. */
  get addresses(): readonly string[] {
    return this.#addresses
  }

  get connections(): Iterable<TappedConnection> {
    return this.#connections
  }

  async start(): Promise<void> {
    const { ports, clock } = this.#parts
    const brokerPorts: Ports = { ...ports, disk: this.#place.disk, clock, network: this.#network }
    const broker = new Broker(brokerPorts, this.#settings, {
      openSession: () => this.#openSession(ports.network),
      hostName: loopback,
    })
    await broker.start()
    this.#broker = broker
    this.#addresses = broker.endpoints.map(({ host, port }) => `${host}:${port}`)
    this.#network.open()
  }

  #openSession(network: Network): ZooKeeperSession {
    const { ports, steadyClock } = this.#parts
    const { zookeeperConnect, zookeeperSessionTimeoutMs, zookeeperConnectionTimeoutMs } =
      this.#settings
    return new ZooKeeperSession(
      { ...ports, network, clock: steadyClock },
      {
        connect: zookeeperConnect,
        sessionTimeoutMs: zookeeperSessionTimeoutMs,
        connectTimeoutMs: zookeeperConnectionTimeoutMs,
      },
    )
  }

  /** The ports stay taken until `close`, and who connects meanwhile waits. */
  async stop(): Promise<void> {
    this.#network.shut()
    await this.#broker?.stop()
    this.#broker = undefined
  }

  close(): Promise<void> {
    return this.#network.close()
  }

  snapshot(): DiskSnapshot | undefined {
    return snapshotOf(this.#place)
  }

  restore(snapshot: DiskSnapshot | undefined): void {
    if (snapshot !== undefined) this.#place.memory?.restore(snapshot)
  }
}

/** All that was written counts as durable, which also forgets what it took to undo it. */
function snapshotOf({ memory }: Place): DiskSnapshot | undefined {
  memory?.syncAll()
  return memory?.snapshot()
}
