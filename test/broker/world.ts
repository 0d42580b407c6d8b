/** One broker with its coordination server, on one virtual machine: memory ports, virtual time. */
import { Broker } from '../../src/broker/broker.ts'
import { brokerSettings } from '../../src/broker/config/broker.ts'
import { BrokerConnection } from '../../src/client/connection.ts'
import { CreateTopics } from '../../src/kafka/messages/create-topics.ts'
import { Produce } from '../../src/kafka/messages/produce.ts'
import { Fetch } from '../../src/kafka/messages/fetch.ts'
import { Metadata } from '../../src/kafka/messages/metadata.ts'
import { RecordBatchBuilder } from '../../src/kafka/records/builder.ts'
import { readAllRecords } from '../../src/kafka/records/read.ts'
import { VirtualClock } from '../../src/memory/clock.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import type { Clock } from '../../src/runtime/clock.ts'
import type { Connection } from '../../src/runtime/network.ts'
import { MemoryDisk } from '../../src/memory/disk.ts'
import { MemoryLogger } from '../../src/memory/logger.ts'
import { MemoryNetwork } from '../../src/memory/network.ts'
import { SeededRandom } from '../../src/memory/random.ts'
import { noMetrics, type Metrics } from '../../src/runtime/metrics.ts'
import type { AnyApi, RequestInputOf, ResponseOf } from '../../src/wire/schema.ts'
import { ZooKeeperSession } from '../../src/zookeeper/client/session.ts'
import { CoordinationServer } from '../../src/zookeeper/server/server.ts'
import { coordinationSettings } from '../../src/zookeeper/server/settings.ts'

export const BROKER_PORT = 9092
const COORDINATION_PORT = 2181
const COORDINATION_HOST = 'zookeeper'

/** A process of the world: when it is dead, nothing that it planned happens any more. */
export class Life {
  #isOver = false

  end(): void {
    this.#isOver = true
  }

  clock(clock: Clock): Clock {
    const guarded = (action: () => void) => () => {
      if (!this.#isOver) action()
    }
    return {
      now: () => clock.now(),
      monotonicMs: () => clock.monotonicMs(),
      schedule: (delayMs, action) => clock.schedule(delayMs, guarded(action)),
      atEndOfTurn: (action) => clock.atEndOfTurn(guarded(action)),
    }
  }
}

export class World {
  readonly clock = new VirtualClock()
  /** The broker's. */
  readonly disk = new MemoryDisk({ clock: this.clock })
  readonly coordinationDisk = new MemoryDisk({ clock: this.clock })
  readonly logger = new MemoryLogger()
  readonly random: SeededRandom
  readonly network: MemoryNetwork
  /** To be set before `start` by who wants to look. */
  metrics: Metrics = noMetrics
  #coordination: CoordinationServer | undefined
  #broker: Broker | undefined
  #lives: Life[] = []
  #brokerLife: Life | undefined

  constructor(seed = 1, latencyMs = 0) {
    this.random = new SeededRandom(seed)
    this.network = new MemoryNetwork(
      { clock: this.clock, random: this.random },
      { splitChunks: true, latencyMs },
    )
  }

  get ports() {
    const { clock, disk, network, random, logger, metrics } = this
    return { clock, disk, network, random, logger, metrics }
  }

  #mortalPorts() {
    const life = new Life()
    this.#lives.push(life)
    return { ...this.ports, clock: life.clock(this.clock) }
  }

  get broker(): Broker {
    if (this.#broker === undefined) throw new Error('the broker was not started')
    return this.#broker
  }

  async startCoordination(): Promise<void> {
    const settings = coordinationSettings({
      dataDirectory: '/zookeeper',
      port: COORDINATION_PORT,
      preallocateBytes: 4096,
    })
    const network = this.network.host(COORDINATION_HOST)
    const ports = { ...this.#mortalPorts(), disk: this.coordinationDisk, network }
    this.#coordination = new CoordinationServer(ports, settings)
    await this.clock.until(this.#coordination.start())
  }

  async stopCoordination(): Promise<void> {
    if (this.#coordination !== undefined) await this.clock.until(this.#coordination.stop())
    this.#coordination = undefined
  }

  /** Built, but not started. */
  makeBroker(properties: Readonly<Record<string, string>> = {}): Broker {
    const { settings } = brokerSettings({
      'broker.id': '0',
      listeners: `PLAINTEXT://localhost:${BROKER_PORT}`,
      'log.dirs': '/kafka',
      'log.index.size.max.bytes': '4096',
      // The tests' records are as old as time itself.
      'log.retention.ms': '-1',
      'zookeeper.connect': `${COORDINATION_HOST}:${COORDINATION_PORT}`,
      'group.initial.rebalance.delay.ms': '0',
      'offsets.topic.num.partitions': '3',
      ...properties,
    })
    const ports = this.#mortalPorts()
    this.#brokerLife = this.#lives.at(-1)
    const openSession = () =>
      new ZooKeeperSession(ports, {
        connect: settings.zookeeperConnect,
        sessionTimeoutMs: settings.zookeeperSessionTimeoutMs,
        connectTimeoutMs: 5000,
      })
    return new Broker(ports, settings, { openSession, hostName: 'localhost' })
  }

  async startBroker(properties: Readonly<Record<string, string>> = {}): Promise<Broker> {
    const broker = this.makeBroker(properties)
    await this.clock.until(broker.start())
    this.#broker = broker
    return broker
  }

  /** Both, with nothing in them. */
  async start(properties: Readonly<Record<string, string>> = {}): Promise<this> {
    await this.startCoordination()
    await this.startBroker(properties)
    return this
  }

  async stopBroker(): Promise<void> {
    await this.clock.until(this.broker.stop())
    this.#broker = undefined
  }

  async restartBroker(properties: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.stopBroker()
    await this.startBroker(properties)
  }

  /** The machine loses its power: only what was synced is left. */
  crash(): void {
    for (const life of this.#lives.splice(0)) life.end()
    this.network.killHost('localhost')
    this.network.killHost(COORDINATION_HOST)
    this.disk.crash(this.random)
    this.coordinationDisk.crash(this.random)
    this.#broker = undefined
    this.#coordination = undefined
  }

  /** The broker's process dies; what it wrote is there. */
  killBroker(): void {
    this.#brokerLife?.end()
    this.network.killHost('localhost')
    this.disk.killProcess()
    this.#broker = undefined
  }

  /** The broker's way to its coordination server is gone, though both are well. */
  cutCoordination(): void {
    this.network.cut('localhost', COORDINATION_HOST)
    this.network.cut(COORDINATION_HOST, 'localhost')
  }

  healCoordination(): void {
    this.network.healAll()
  }

  async connect(): Promise<TestClient> {
    const settings = {
      host: 'localhost',
      port: BROKER_PORT,
      clientId: 'test',
      requestTimeoutMs: 600_000,
    }
    const connection = new BrokerConnection(this.ports, settings)
    await this.clock.until(connection.connect())
    return new TestClient(this.clock, connection)
  }

  /** A connection that sends bytes, and what came back on it. */
  async connectRaw(): Promise<RawClient> {
    const to = { host: 'localhost', port: BROKER_PORT }
    return new RawClient(await this.clock.until(this.network.connect(to)))
  }

  /** A session of a tool that reads and writes znodes itself. */
  zookeeper(): Promise<ZooKeeperSession> {
    return this.zookeeperAt('tool')
  }

  /** From a host of that name. */
  async zookeeperAt(host: string): Promise<ZooKeeperSession> {
    const session = new ZooKeeperSession(
      { ...this.ports, network: this.network.host(host), logger: silentLogger },
      {
        connect: `${COORDINATION_HOST}:${COORDINATION_PORT}`,
        sessionTimeoutMs: 30_000,
        connectTimeoutMs: 5000,
      },
    )
    await this.clock.until(session.start())
    return session
  }

  async readNode(path: string): Promise<string> {
    const session = await this.zookeeper()
    const { data } = await this.clock.until(session.getData(path))
    await this.clock.until(session.close())
    return data.toString()
  }

  /** Lines of the broker's log from WARN up. */
  complaints(): string[] {
    return this.logger.texts('WARN')
  }
}

export class RawClient {
  readonly connection: Connection
  isClosed = false
  readonly #chunks: Buffer[] = []

  constructor(connection: Connection) {
    this.connection = connection
    connection.start({
      onData: (chunk) => void this.#chunks.push(Buffer.from(chunk)),
      onClose: () => void (this.isClosed = true),
    })
  }

  write(hexOrBytes: string | Buffer): void {
    const isText = typeof hexOrBytes === 'string'
    this.connection.write(isText ? Buffer.from(hexOrBytes.replaceAll(' ', ''), 'hex') : hexOrBytes)
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks)
  }
}

/** A client that says what to send, and moves time until the answer is there. */
export class TestClient {
  readonly clock: VirtualClock
  readonly connection: BrokerConnection

  constructor(clock: VirtualClock, connection: BrokerConnection) {
    this.clock = clock
    this.connection = connection
  }

  /** Sent, but not waited for. */
  begin<A extends AnyApi>(
    api: A,
    version: number,
    body: RequestInputOf<A>,
  ): Promise<ResponseOf<A>> {
    return this.connection.request(api, version, body)
  }

  ask<A extends AnyApi>(api: A, version: number, body: RequestInputOf<A>): Promise<ResponseOf<A>> {
    return this.clock.until(this.begin(api, version, body))
  }

  async createTopic(
    name: string,
    numPartitions = 1,
    configs: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const topic = {
      name,
      numPartitions,
      replicationFactor: 1,
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    }
    const { topics } = await this.ask(CreateTopics, 7, { topics: [topic], timeoutMs: 5000 })
    const made = topics[0]
    if (made === undefined || made.errorCode !== 0)
      throw new Error(`creation of ${name} failed with ${made?.errorCode}`)
    return made.topicId
  }

  /** Partition 0, acks as given; the partition's answer. */
  produce(topic: string, values: readonly string[], acks = -1) {
    return this.produceBytes(topic, batchOf(values), { acks })
  }

  async produceBytes(topic: string, records: Buffer | null, options: ProduceOptions = {}) {
    const { acks = -1, version = 9, partition: index = 0 } = options
    const request = {
      acks,
      timeoutMs: 1000,
      topicData: [{ name: topic, partitionData: [{ index, records }] }],
    }
    const { responses } = await this.ask(Produce, version, request)
    const answer = responses[0]?.partitionResponses[0]
    if (answer === undefined) throw new Error('no answer for the partition')
    return answer
  }

  beginFetch(topic: string, offset: number, options: FetchOptions = {}) {
    const { maxWaitMs = 0, minBytes = 1, maxBytes = 1_000_000 } = options
    const partitions = [
      {
        partition: options.partition ?? 0,
        fetchOffset: offset,
        partitionMaxBytes: options.partitionMaxBytes ?? 1_000_000,
        currentLeaderEpoch: options.leaderEpoch ?? -1,
      },
    ]
    const version = options.version ?? 12
    return this.begin(Fetch, version, {
      maxWaitMs,
      minBytes,
      maxBytes,
      sessionEpoch: -1,
      topics: [{ topic, partitions }],
    })
  }

  async fetch(topic: string, offset: number, options: FetchOptions = {}) {
    const { responses } = await this.clock.until(this.beginFetch(topic, offset, options))
    const answer = responses[0]?.partitions[0]
    if (answer === undefined) throw new Error('no answer for the partition')
    return answer
  }

  /** What a consumer would see from this offset on. */
  async values(topic: string, offset = 0): Promise<string[]> {
    const { records } = await this.fetch(topic, offset)
    return valuesIn(records)
  }

  metadata(topics: readonly string[] | null) {
    const named = topics === null ? null : topics.map((name) => ({ name }))
    return this.ask(Metadata, 9, { topics: named, allowAutoTopicCreation: true })
  }
}

export interface ProduceOptions {
  readonly acks?: number
  readonly version?: number
  readonly partition?: number
}

export interface FetchOptions {
  readonly maxWaitMs?: number
  readonly minBytes?: number
  readonly maxBytes?: number
  readonly partitionMaxBytes?: number
  readonly partition?: number
  readonly leaderEpoch?: number
  readonly version?: number
}

export function batchOf(values: readonly string[], timestamp = 1000): Buffer {
  const builder = new RecordBatchBuilder()
  for (const value of values) builder.add(timestamp, null, Buffer.from(value), [])
  return builder.build({})
}

export function valuesIn(records: Buffer | null): string[] {
  return readAllRecords(records ?? Buffer.alloc(0)).map(({ value }) => value?.toString() ?? '')
}
