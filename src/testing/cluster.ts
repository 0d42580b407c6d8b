/**
 * The in-process cluster: brokers and their coordination server inside a test's own process, on real
 * ports of the loopback interface, with files in memory and a clock that can be set forward.
 */
import { tmpdir } from 'node:os'
import { KafkaClient } from '../client/client.ts'
import type { RecordMetadata } from '../client/producer/types.ts'
import type { ClientSettings } from '../client/settings.ts'
import { systemClock } from '../node/clock.ts'
import { nodeDisk } from '../node/disk.ts'
import { createNodeNetwork } from '../node/network.ts'
import { systemRandom } from '../node/random.ts'
import { silentLogger } from '../runtime/logger.ts'
import { noMetrics } from '../runtime/metrics.ts'
import { uuidText } from '../runtime/random.ts'
import { UserError } from '../runtime/service.ts'
import { advanceTime, type AdvanceOptions } from './advance.ts'
import { JumpClock, SteadyClock } from './clock.ts'
import { Faults, type Fault, type FaultHandle } from './faults.ts'
import { lineLogger } from './logger.ts'
import { Fleet, type FleetSnapshot } from './fleet.ts'
import { Links } from './links.ts'
import type { NodeParts } from './node-parts.ts'
import { cutOf, type Cut, type PartitionOptions } from './partition.ts'
import { readRecords, writeRecords, type TestRecord, type TestRecordInput } from './records.ts'
import { ownClientId } from './tap.ts'
import { TestBroker } from './test-broker.ts'
import { TopicNames } from './topic-names.ts'

export type { AdvanceOptions } from './advance.ts'
export type { Fault, FaultHandle, FaultRequest } from './faults.ts'
export type { Cut, PartitionOptions } from './partition.ts'
export type { TestRecord, TestRecordInput } from './records.ts'
export type { TestBroker } from './test-broker.ts'

export interface ClusterOptions {
  /** How many; their ids are 0, 1, 2 and so on. Default 1. */
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
  /** Default 1. */
  readonly replicationFactor?: number
  /** Instead of both: the broker ids of each partition, the preferred leader first. */
  readonly replicas?: readonly (readonly number[])[]
  readonly configs?: Readonly<Record<string, string>>
}

/** What snapshot() saw; only restore() of the same cluster looks inside. */
export interface ClusterSnapshot {
  readonly cluster: TestCluster
  readonly wallShiftMs: number
  readonly servers: FleetSnapshot
}

const closeTimeoutMs = 1000
/** More would be a mistake: each broker has its own memory, files and connections to all others. */
const brokersMax = 100
/** Where these lead is the cluster's own affair. */
const ownedProperties = ['broker.id', 'zookeeper.connect', 'log.dirs', 'log.dir']

/** Starts a cluster. @throws UserError for options that make no sense; nothing is left running then. */
export async function startCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  const cluster = new TestCluster(options)
  await cluster.start()
  return cluster
}

export class TestCluster implements AsyncDisposable {
  /** By their ids. */
  readonly brokers: readonly TestBroker[]
  readonly #options: ClusterOptions
  readonly #parts: NodeParts
  readonly #faults: Faults
  readonly #isTemporary: boolean
  readonly #fleet: Fleet
  readonly #clients = new Set<KafkaClient>()
  /** Changes of the whole cluster, one after another. */
  #lastChange: Promise<unknown> = Promise.resolve()
  #stopping: Promise<void> | undefined

  /** Use startCluster. @throws UserError */
  constructor(options: ClusterOptions) {
    const { brokers = 1, storage = 'memory', properties = {} } = options
    if (!Number.isInteger(brokers) || brokers < 1 || brokers > brokersMax)
      throw new UserError(`brokers: ${brokers} is no number from 1 to ${brokersMax}`)
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
      links: new Links(clock),
      directory: this.#isTemporary ? temporary : given,
      realDisk: nodeDisk,
    }
    const topicNames = new TopicNames()
    this.#faults = new Faults(topicNames)
    const tapParts = { faults: this.#faults, topicNames }
    this.#fleet = new Fleet(this.#parts, tapParts, { brokers, properties })
    const change = <T>(action: () => Promise<T>): Promise<T> => this.#change(action)
    this.brokers = Array.from(
      { length: brokers },
      (_, id) => new TestBroker(id, { fleet: this.#fleet, change }),
    )
  }

  /** host:port of every broker, separated by commas. */
  get bootstrapServers(): string {
    return this.addresses.join(',')
  }

  /** The same as a list. */
  get addresses(): readonly string[] {
    return this.#fleet.nodes.flatMap(({ addresses }) => addresses)
  }

  /** host:port of the coordination server, for tools and clients that speak ZooKeeper's protocol. */
  get zookeeperConnect(): string {
    return this.#fleet.coordination.address
  }

  /** The cluster's time: milliseconds since 1970. */
  now(): number {
    return this.#parts.clock.now()
  }

  /** Called by startCluster. @throws UserError */
  async start(): Promise<void> {
    try {
      await this.#fleet.start()
      const { topics = [] } = this.#options
      if (topics.length > 0) await this.#makeMissing(topics)
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /** @throws UserError for an id that none has. */
  broker(id: number): TestBroker {
    const broker = this.brokers[id]
    if (broker === undefined) throw new UserError(`broker: there is no broker ${id}`)
    return broker
  }

  /** A client of ours; stop() closes it. */
  client(settings: Omit<ClientSettings, 'bootstrapServers'> = {}): KafkaClient {
    const client = this.#makeClient(settings)
    this.#clients.add(client)
    return client
  }

  /** Resolves when every broker knows them. @throws KafkaError TOPIC_ALREADY_EXISTS and others. */
  async createTopics(topics: readonly TopicOptions[]): Promise<void> {
    const wanted = topics.map(({ replicas, ...topic }) =>
      replicas === undefined
        ? { partitions: 1, replicationFactor: 1, ...topic }
        : { ...topic, assignments: new Map(replicas.entries()) },
    )
    for (const { error } of await this.#asOwn((client) => client.admin().createTopics(wanted)))
      if (error !== undefined) throw error
    await this.#fleet.knowTopics(topics.map(({ name }) => name))
  }

  async #makeMissing(topics: readonly TopicOptions[]): Promise<void> {
    const known = new Set(await this.#asOwn((client) => client.admin().listTopics()))
    const missing = topics.filter(({ name }) => !known.has(name))
    if (missing.length > 0) await this.createTopics(missing)
  }

  /** Writes records, and resolves when they are acknowledged. Meets no faults. @throws KafkaError */
  produce(topic: string, records: readonly TestRecordInput[]): Promise<RecordMetadata[]> {
    return this.#asOwn((client) => writeRecords(client, topic, records))
  }

  /**
   * All records of a topic, partition by partition in the order of their offsets. Meets no faults.
   * @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION
   */
  records(topic: string): Promise<TestRecord[]> {
    return this.#asOwn((client) => readRecords(client, topic))
  }

  /**
   * The broker that leads a partition; -1: none does. With `until`, resolves as soon as that holds and
   * the brokers that the controller reaches have been told. @throws UserError when the cluster is stopped
   */
  async leaderOf(
    topic: string,
    partition = 0,
    until?: (leader: number) => boolean,
  ): Promise<number> {
    const { witness } = this.#fleet
    return witness.until(async () => {
      const leader = (await witness.partition(topic, partition))?.leader ?? -1
      if (until === undefined) return leader
      if (!until(leader) || !this.#fleet.haveHeard(leader, { topic, partition })) return undefined
      return leader
    })
  }

  /** Ascending; empty where there is no such partition. With `until`, as soon as that holds. */
  async inSyncReplicasOf(
    topic: string,
    partition = 0,
    until: (ids: readonly number[]) => boolean = () => true,
  ): Promise<readonly number[]> {
    const { witness } = this.#fleet
    return witness.until(async () => {
      const isr = (await witness.partition(topic, partition))?.isr ?? []
      const ids = [...isr].sort((one, other) => one - other)
      return until(ids) ? ids : undefined
    })
  }

  /** -1: there is none. With `until`, as soon as that holds. */
  async controllerId(until: (id: number) => boolean = () => true): Promise<number> {
    const { witness } = this.#fleet
    return witness.until(async () => {
      const id = await witness.controller()
      return until(id) ? id : undefined
    })
  }

  /** The brokers that have a session with the coordination server. With `until`, as soon as that holds. */
  async liveBrokers(
    until: (ids: readonly number[]) => boolean = () => true,
  ): Promise<readonly number[]> {
    const { witness } = this.#fleet
    return witness.until(async () => {
      const ids = await witness.brokers()
      return until(ids) ? ids : undefined
    })
  }

  /**
   * Cuts a broker off from other brokers, from the coordination server, or both, in one direction or in
   * both. Connections stay open: what is sent waits, and arrives when the way is whole again. Clients
   * outside the cluster notice nothing. @throws UserError for an id that none has.
   */
  partition(broker: number, options: PartitionOptions = {}): Cut {
    for (const id of [broker, ...(options.from ?? [])]) if (id !== 'coordination') this.broker(id)
    return cutOf(this.#fleet, broker, options)
  }

  /** Ends all partitions. */
  heal(): void {
    this.#fleet.links.healAll()
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
    // The wall clock has whole milliseconds.
    const byMs = Math.ceil(ms)
    const advance = { ...options, byMs, base: systemClock, clock, network, fleet: this.#fleet }
    return this.#change(() => advanceTime(advance))
  }

  /** @throws TypeError for an unknown API or error. */
  fault(fault: Fault): FaultHandle {
    if (fault.broker !== undefined) this.broker(fault.broker)
    return this.#faults.add(fault)
  }

  removeFaults(): void {
    this.#faults.removeAll()
  }

  /**
   * Remembers topics, records, groups, offsets, the time, and which brokers are up, as they are now: what
   * was acknowledged is in it. Only with storage in memory. @throws UserError
   */
  snapshot(): Promise<ClusterSnapshot> {
    return this.#change(async () => {
      const servers = await this.#fleet.snapshot()
      if (servers === undefined) throw new UserError("snapshot() needs storage: 'memory'")
      return { cluster: this, wallShiftMs: this.#parts.clock.wallShiftMs, servers }
    })
  }

  /**
   * Brings back what a snapshot remembers, any number of times, and removes all faults and partitions.
   * The servers start again at the same addresses; connections break, and clients that connect again
   * meanwhile wait.
   */
  restore(snapshot: ClusterSnapshot): Promise<void> {
    return this.#change(async () => {
      if (snapshot.cluster !== this) throw new UserError('restore: a snapshot of another cluster')
      this.removeFaults()
      await this.#fleet.restore(snapshot.servers, () =>
        this.#parts.clock.reset(snapshot.wallShiftMs),
      )
    })
  }

  /** Stops and starts the servers that are up, at the same addresses with the same files. */
  restart(): Promise<void> {
    return this.#change(async () => {
      const { clock } = this.#parts
      await this.#fleet.restart(() => clock.reset(clock.wallShiftMs))
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
    await this.#fleet.stop()
    await this.#fleet.close()
    this.#parts.clock.reset(0)
    const { directory, realDisk } = this.#parts
    if (this.#isTemporary && directory !== undefined) await realDisk.removeTree(directory)
  }

  /** By a client that meets no faults and, being new, asks nobody who is down, paused or cut off. */
  async #asOwn<T>(action: (client: KafkaClient) => Promise<T>): Promise<T> {
    const client = this.#makeClient({ clientId: ownClientId }, this.#fleet.soundAddresses)
    this.#clients.add(client)
    try {
      return await action(client)
    } finally {
      this.#clients.delete(client)
      await client.close({ timeoutMs: 0 })
    }
  }

  #makeClient(
    settings: Omit<ClientSettings, 'bootstrapServers'>,
    bootstrapServers = this.addresses,
  ): KafkaClient {
    const ports = { ...this.#parts.ports, clock: this.#parts.steadyClock }
    return new KafkaClient(ports, { ...settings, bootstrapServers })
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
