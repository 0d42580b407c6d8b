/**
 * The in-process cluster: a broker and its coordination server inside a test's own process, on real
 * ports of the loopback interface, with files in memory and a clock that can be set forward.
 */
import { tmpdir } from 'node:os'
import { KafkaClient } from '../client/client.ts'
import type { RecordMetadata } from '../client/producer/types.ts'
import type { ClientSettings } from '../client/settings.ts'
import type { DiskSnapshot } from '../memory/disk.ts'
import { systemClock } from '../node/clock.ts'
import { nodeDisk } from '../node/disk.ts'
import { createNodeNetwork } from '../node/network.ts'
import { systemRandom } from '../node/random.ts'
import { silentLogger } from '../runtime/logger.ts'
import { noMetrics } from '../runtime/metrics.ts'
import { uuidText } from '../runtime/random.ts'
import { UserError } from '../runtime/service.ts'
import { advanceTime, type AdvanceOptions } from './advance.ts'
import { JumpClock, SteadyClock, turnEnd } from './clock.ts'
import { Faults, type Fault, type FaultHandle } from './faults.ts'
import { lineLogger } from './logger.ts'
import { BrokerNode, CoordinationNode, type NodeParts } from './nodes.ts'
import { readRecords, writeRecords, type TestRecord, type TestRecordInput } from './records.ts'
import { ownClientId, type TapParts } from './tap.ts'
import { TopicNames } from './topic-names.ts'

export type { AdvanceOptions } from './advance.ts'
export type { Fault, FaultHandle, FaultRequest } from './faults.ts'
export type { TestRecord, TestRecordInput } from './records.ts'

export interface ClusterOptions {
  /** Default 1, the only number so far. */
  readonly brokers?: number
  /**
   * memory (default): nothing is written to disk. directory: a temporary one, removed by stop(). Or one
   * of your own, which stays, and which a later cluster goes on with.
   */
  readonly storage?: 'memory' | 'directory' | { readonly directory: string }
  /** Over the defaults: keys of server.properties. */
  readonly properties?: Readonly<Record<string, string>>
  /** Made before startCluster resolves, where they are missing. */
  readonly topics?: readonly TopicOptions[]
  /** Gets the servers' log lines. Default: nobody. */
  readonly log?: (line: string) => void
}

export interface TopicOptions {
  readonly name: string
  /** Default 1. */
  readonly partitions?: number
  readonly configs?: Readonly<Record<string, string>>
}

/** What snapshot() saw; only restore() of the same cluster looks inside. */
export interface ClusterSnapshot {
  readonly cluster: TestCluster
  readonly wallShiftMs: number
  readonly coordination: DiskSnapshot
  readonly brokers: readonly DiskSnapshot[]
}

const closeTimeoutMs = 1000
/** Where these lead is the cluster's own affair. */
const ownedProperties = ['broker.id', 'zookeeper.connect', 'log.dirs', 'log.dir']

/** Starts a cluster. @throws UserError for options that make no sense; nothing is left running then. */
export async function startCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  const cluster = new TestCluster(options)
  await cluster.start()
  return cluster
}

export class TestCluster implements AsyncDisposable {
  readonly #options: ClusterOptions
  readonly #parts: NodeParts
  readonly #tapParts: TapParts
  readonly #faults: Faults
  readonly #isTemporary: boolean
  readonly #coordination: CoordinationNode
  #brokers: readonly BrokerNode[] = []
  readonly #clients = new Set<KafkaClient>()
  #ownClient: KafkaClient | undefined
  /** Changes of the whole cluster, one after another. */
  #lastChange: Promise<unknown> = Promise.resolve()
  #stopping: Promise<void> | undefined

  /** Use startCluster. @throws UserError */
  constructor(options: ClusterOptions) {
    const { brokers = 1, storage = 'memory', properties = {} } = options
    if (brokers !== 1)
      throw new UserError(`brokers: ${brokers} is not supported yet; a cluster has one broker`)
    for (const name of ownedProperties)
      if (Object.hasOwn(properties, name))
        throw new UserError(`properties: ${name} is set by the cluster itself`)
    const random = systemRandom
    const clock = new JumpClock(systemClock)
    const logger = options.log === undefined ? silentLogger : lineLogger(options.log)
    this.#options = options
    this.#isTemporary = storage === 'directory'
    const temporary = `${tmpdir()}/millrace-${uuidText(random)}`
    const given = typeof storage === 'object' ? storage.directory : undefined
    this.#parts = {
      ports: { network: createNodeNetwork(), random, logger, metrics: noMetrics },
      clock,
      steadyClock: new SteadyClock(systemClock, clock),
      directory: this.#isTemporary ? temporary : given,
      realDisk: nodeDisk,
    }
    const topicNames = new TopicNames()
    this.#faults = new Faults(topicNames)
    this.#tapParts = { clock, faults: this.#faults, topicNames }
    this.#coordination = new CoordinationNode(this.#parts)
  }

  /** host:port of every broker, separated by commas. */
  get bootstrapServers(): string {
    return this.addresses.join(',')
  }

  /** The same as a list. */
  get addresses(): readonly string[] {
    return this.#brokers.flatMap(({ addresses }) => addresses)
  }

  /** host:port of the coordination server, for tools and clients that speak ZooKeeper's protocol. */
  get zookeeperConnect(): string {
    return this.#coordination.address
  }

  /** The cluster's time: milliseconds since 1970. */
  now(): number {
    return this.#parts.clock.now()
  }

  /** Called by startCluster. @throws UserError */
  async start(): Promise<void> {
    try {
      await this.#coordination.start()
      const { properties = {}, topics = [] } = this.#options
      const { zookeeperConnect } = this
      const options = { id: 0, zookeeperConnect, properties }
      this.#brokers = [new BrokerNode(this.#parts, this.#tapParts, options)]
      for (const broker of this.#brokers) await broker.start()
      if (topics.length > 0) await this.#makeMissing(topics)
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /** A client of ours; stop() closes it. */
  client(settings: Omit<ClientSettings, 'bootstrapServers'> = {}): KafkaClient {
    const client = this.#makeClient(settings)
    this.#clients.add(client)
    return client
  }

  /** @throws KafkaError TOPIC_ALREADY_EXISTS and others. */
  async createTopics(topics: readonly TopicOptions[]): Promise<void> {
    const wanted = topics.map((topic) => ({ partitions: 1, replicationFactor: 1, ...topic }))
    for (const { error } of await this.#own().admin().createTopics(wanted))
      if (error !== undefined) throw error
  }

  async #makeMissing(topics: readonly TopicOptions[]): Promise<void> {
    const known = new Set(await this.#own().admin().listTopics())
    const missing = topics.filter(({ name }) => !known.has(name))
    if (missing.length > 0) await this.createTopics(missing)
  }

  /** Writes records, and resolves when they are acknowledged. Meets no faults. @throws KafkaError */
  produce(topic: string, records: readonly TestRecordInput[]): Promise<RecordMetadata[]> {
    return writeRecords(this.#own(), topic, records)
  }

  /**
   * All records of a topic, partition by partition in the order of their offsets. Meets no faults.
   * @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION
   */
  records(topic: string): Promise<TestRecord[]> {
    return readRecords(this.#own(), topic)
  }

  /**
   * Sets the time of brokers, groups and coordination forward by so many milliseconds, while real time
   * goes on. What falls due (retention, rebalance and request time-outs, delays of faults) happens before
   * this resolves, once each: a task that repeats does not run as often as it would have.
   */
  advance(ms: number, options: AdvanceOptions = {}): Promise<void> {
    if (!Number.isFinite(ms) || ms < 0)
      return Promise.reject(new TypeError(`advance: ${ms} is no time to go forward by`))
    const { clock, ports } = this.#parts
    const { network } = ports
    const brokers = this.#brokers
    // The wall clock has whole milliseconds.
    const byMs = Math.ceil(ms)
    const advance = { ...options, byMs, base: systemClock, clock, network, brokers }
    return this.#change(() => advanceTime(advance))
  }

  /** @throws TypeError for an unknown API or error. */
  fault(fault: Fault): FaultHandle {
    return this.#faults.add(fault)
  }

  removeFaults(): void {
    this.#faults.removeAll()
  }

  /**
   * Remembers topics, records, groups, offsets and the time, as they are now: what was acknowledged is in
   * it. Only with storage in memory. @throws UserError
   */
  snapshot(): Promise<ClusterSnapshot> {
    return this.#change(async () => {
      // What was gathered in this turn is written at its end.
      await turnEnd(systemClock)
      const coordination = this.#coordination.snapshot()
      const brokers = this.#brokers.map((broker) => broker.snapshot())
      if (coordination === undefined) throw new UserError("snapshot() needs storage: 'memory'")
      return {
        cluster: this,
        wallShiftMs: this.#parts.clock.wallShiftMs,
        coordination,
        brokers: brokers.filter((one) => one !== undefined),
      }
    })
  }

  /**
   * Brings back what a snapshot remembers, any number of times, and removes all faults. The servers start
   * again at the same addresses; connections break, and clients that connect again meanwhile wait.
   */
  restore(snapshot: ClusterSnapshot): Promise<void> {
    return this.#change(async () => {
      if (snapshot.cluster !== this) throw new UserError('restore: a snapshot of another cluster')
      this.removeFaults()
      await this.#stopServers()
      this.#coordination.restore(snapshot.coordination)
      for (const [index, broker] of this.#brokers.entries()) broker.restore(snapshot.brokers[index])
      this.#parts.clock.reset(snapshot.wallShiftMs)
      await this.#startServers()
    })
  }

  /** Stops and starts the servers, at the same addresses with the same files. */
  restart(): Promise<void> {
    return this.#change(async () => {
      await this.#stopServers()
      this.#parts.clock.reset(this.#parts.clock.wallShiftMs)
      await this.#startServers()
    })
  }

  /** Ends everything, clients made by client() included. Harmless when called twice. */
  stop(): Promise<void> {
    this.#stopping ??= this.#lastChange.then(
      () => this.#stop(),
      () => this.#stop(),
    )
    return this.#stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(): Promise<void> {
    this.removeFaults()
    const timeoutMs = closeTimeoutMs
    await Promise.all([...this.#clients].map((client) => client.close({ timeoutMs })))
    await this.#stopServers()
    for (const broker of this.#brokers) await broker.close()
    await this.#coordination.close()
    this.#parts.clock.reset(0)
    const { directory, realDisk } = this.#parts
    if (this.#isTemporary && directory !== undefined) await realDisk.removeTree(directory)
  }

  async #stopServers(): Promise<void> {
    await this.#ownClient?.close({ timeoutMs: 0 })
    this.#ownClient = undefined
    for (const broker of this.#brokers) await broker.stop()
    await this.#coordination.stop()
  }

  async #startServers(): Promise<void> {
    await this.#coordination.start()
    for (const broker of this.#brokers) await broker.start()
  }

  #own(): KafkaClient {
    this.#ownClient ??= this.#makeClient({ clientId: ownClientId })
    return this.#ownClient
  }

  #makeClient(settings: Omit<ClientSettings, 'bootstrapServers'>): KafkaClient {
    const ports = { ...this.#parts.ports, clock: this.#parts.steadyClock }
    return new KafkaClient(ports, { ...settings, bootstrapServers: this.addresses })
  }

  /** One change at a time; none once the end has begun. */
  #change<T>(change: () => Promise<T>): Promise<T> {
    if (this.#stopping !== undefined)
      return Promise.reject(new UserError('the cluster has been stopped'))
    const result = this.#lastChange.then(change, change)
    this.#lastChange = result
    return result
  }
}
