/** Several brokers and the test as their controller: it writes the states, and orders over the wire. */
import assert from 'node:assert/strict'
import { Broker } from '../../src/broker/broker.ts'
import { brokerSettings } from '../../src/broker/config/broker.ts'
import {
  decodePartitionState,
  encodeController,
  encodePartitionState,
  encodeTopic,
  paths,
} from '../../src/broker/znodes.ts'
import { BrokerConnection } from '../../src/client/connection.ts'
import { DeleteRecords } from '../../src/kafka/messages/delete-records.ts'
import { LeaderAndIsr } from '../../src/kafka/messages/leader-and-isr.ts'
import { StopReplica } from '../../src/kafka/messages/stop-replica.ts'
import { UpdateMetadata } from '../../src/kafka/messages/update-metadata.ts'
import { VirtualClock } from '../../src/memory/clock.ts'
import { MemoryDisk } from '../../src/memory/disk.ts'
import { MemoryLogger } from '../../src/memory/logger.ts'
import { MemoryNetwork } from '../../src/memory/network.ts'
import { SeededRandom } from '../../src/memory/random.ts'
import { readFileIfThere } from '../../src/runtime/disk.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import type { Ports } from '../../src/runtime/service.ts'
import { noMetrics } from '../../src/runtime/metrics.ts'
import { ZooKeeperSession } from '../../src/zookeeper/client/session.ts'
import { CoordinationServer } from '../../src/zookeeper/server/server.ts'
import { coordinationSettings } from '../../src/zookeeper/server/settings.ts'
import { Life, TestClient } from './world.ts'

const connect = 'zookeeper:2181'
const port = 9092
const controllerId = 99

interface Host {
  readonly id: number
  readonly disk: MemoryDisk
  life: Life
  broker: Broker | undefined
}

export interface Decision {
  readonly topic: string
  readonly partition?: number
  readonly leader: number
  readonly leaderEpoch: number
  readonly isr: readonly number[]
  readonly replicas: readonly number[]
  readonly isNew?: boolean
  /** Who is told; default: all replicas that run. */
  readonly told?: readonly number[]
}

export class ReplicaWorld {
  readonly clock = new VirtualClock()
  readonly logger = new MemoryLogger()
  readonly random: SeededRandom
  readonly network: MemoryNetwork
  controllerEpoch = 1
  /** Of every session with ZooKeeper; to be set before `start`. */
  sessionTimeoutMs = 18_000
  readonly #properties: Readonly<Record<string, string>>
  readonly #hosts: Host[] = []
  readonly #pretended: number[] = []
  readonly #racks = new Map<number, string>()
  #tool: ZooKeeperSession | undefined

  constructor(properties: Readonly<Record<string, string>> = {}, seed = 1) {
    this.#properties = properties
    this.random = new SeededRandom(seed)
    this.network = new MemoryNetwork(
      { clock: this.clock, random: this.random },
      { splitChunks: true },
    )
  }

  get #ports() {
    const { clock, network, random, logger } = this
    return { clock, network, random, logger, metrics: noMetrics }
  }

  get zookeeper(): ZooKeeperSession {
    assert.ok(this.#tool)
    return this.#tool
  }

  /** Coordination, and brokers 0, 1 and so on; the test is their controller, or one of them is. */
  async start(count: number, orders: 'by the test' | 'by a broker' = 'by the test'): Promise<this> {
    const settings = coordinationSettings({
      dataDirectory: '/zookeeper',
      port: 2181,
      preallocateBytes: 4096,
    })
    const disk = new MemoryDisk({ clock: this.clock })
    const network = this.network.host('zookeeper')
    const server = new CoordinationServer({ ...this.#ports, disk, network }, settings)
    await this.clock.until(server.start())
    this.#tool = this.#session({ ...this.#ports, logger: silentLogger }, 'tool')
    await this.clock.until(this.#tool.start())
    const office = encodeController(controllerId, this.clock.now())
    if (orders === 'by the test')
      await this.clock.until(
        this.#tool.create(paths.controller, office, { ephemeral: true, stat: false }),
      )
    for (let id = 0; id < count; id += 1) {
      this.#hosts.push({
        ...{ id, life: new Life(), broker: undefined },
        disk: new MemoryDisk({ clock: this.clock }),
      })
      await this.startBroker(id)
    }
    if (orders === 'by the test') await this.tellBrokers()
    return this
  }

  #session(ports: Omit<Ports, 'disk' | 'network'>, host: string): ZooKeeperSession {
    return new ZooKeeperSession(
      { ...ports, network: this.network.host(host) },
      { connect, sessionTimeoutMs: this.sessionTimeoutMs, connectTimeoutMs: 5000 },
    )
  }

  #host(id: number): Host {
    const host = this.#hosts[id]
    assert.ok(host)
    return host
  }

  async startBroker(id: number, properties: Readonly<Record<string, string>> = {}): Promise<void> {
    const host = this.#host(id)
    host.life = new Life()
    const { settings } = brokerSettings({
      'broker.id': String(id),
      listeners: `PLAINTEXT://broker${id}:${port}`,
      'log.dirs': '/kafka',
      'log.index.size.max.bytes': '4096',
      'log.retention.ms': '-1',
      'zookeeper.connect': connect,
      'offsets.topic.num.partitions': '1',
      ...this.#properties,
      ...properties,
    })
    const ports = {
      ...this.#ports,
      clock: host.life.clock(this.clock),
      disk: host.disk,
      network: this.network.host(`broker${id}`),
    }
    const openSession = () => this.#session(ports, `broker${id}`)
    host.broker = new Broker(ports, settings, { openSession, hostName: `broker${id}` })
    await this.clock.until(host.broker.start())
  }

  async stopBroker(id: number): Promise<void> {
    const host = this.#host(id)
    if (host.broker !== undefined) await this.clock.until(host.broker.stop())
    host.broker = undefined
  }

  /** The process dies; what it wrote is there. */
  kill(id: number): void {
    const host = this.#host(id)
    host.life.end()
    this.network.killHost(`broker${id}`)
    host.disk.killProcess()
    host.broker = undefined
  }

  /** The machine loses its power; what was not synced is gone, but for what chance keeps. */
  powerOff(id: number): void {
    const host = this.#host(id)
    host.life.end()
    this.network.killHost(`broker${id}`)
    host.disk.crash(this.random)
    host.broker = undefined
  }

  /** Its disk takes nothing more. */
  failDisk(id: number): void {
    this.#host(id).disk.inject({ operations: ['write', 'sync'], code: 'EIO' })
  }

  /** The two do not hear each other any more. */
  part(one: number, other: number): void {
    this.network.cut(`broker${one}`, `broker${other}`)
    this.network.cut(`broker${other}`, `broker${one}`)
  }

  cutFromCoordination(id: number): void {
    this.network.cut(`broker${id}`, 'zookeeper')
    this.network.cut('zookeeper', `broker${id}`)
  }

  get #running(): Host[] {
    return this.#hosts.filter(({ broker }) => broker !== undefined)
  }

  /** Without moving time. */
  async connection(id: number, requestTimeoutMs: number): Promise<BrokerConnection> {
    const address = { host: `broker${id}`, port, clientId: 'test' }
    const connection = new BrokerConnection(this.#ports, { ...address, requestTimeoutMs })
    await connection.connect()
    return connection
  }

  async client(id: number): Promise<TestClient> {
    return new TestClient(this.clock, await this.clock.until(this.connection(id, 600_000)))
  }

  /** As brokers will be told. */
  rack(id: number, rack: string): void {
    this.#racks.set(id, rack)
  }

  /** A broker that the others take for alive, though there is none. */
  pretend(id: number): void {
    this.#pretended.push(id)
  }

  #liveBrokers() {
    const ids = [...this.#running.map(({ id }) => id), ...this.#pretended]
    return ids.map((id) => ({
      id,
      endpoints: [{ port, host: `broker${id}`, listener: 'PLAINTEXT', securityProtocol: 0 }],
      rack: this.#racks.get(id) ?? null,
    }))
  }

  /** Every broker hears who lives. */
  async tellBrokers(): Promise<void> {
    for (const { id } of this.#running) {
      const client = await this.client(id)
      const body = { controllerId, controllerEpoch: this.controllerEpoch }
      const { errorCode } = await client.ask(UpdateMetadata, 5, {
        ...body,
        liveBrokers: this.#liveBrokers(),
      })
      assert.equal(errorCode, 0)
      client.connection.close()
    }
  }

  /** Writes the decision, and orders it; returns the answers' codes by broker. */
  async decide(decision: Decision): Promise<Map<number, number>> {
    const { topic, partition = 0, leader, leaderEpoch, isr, replicas, isNew = false } = decision
    const { controllerEpoch } = this
    const state = { leader, leaderEpoch, controllerEpoch, isr }
    const version = await this.#write(topic, partition, state, replicas)
    const codes = new Map<number, number>()
    const told = decision.told ?? replicas
    const shared = { controllerEpoch, leader, leaderEpoch, isr, replicas }
    for (const { id } of this.#running) {
      const client = await this.client(id)
      if (told.includes(id)) {
        const row = { ...shared, partitionIndex: partition, partitionEpoch: version, isNew }
        const answer = await client.ask(LeaderAndIsr, 2, {
          ...{ controllerId, controllerEpoch },
          topicStates: [{ topicName: topic, partitionStates: [row] }],
        })
        codes.set(id, answer.partitionErrors[0]?.errorCode ?? answer.errorCode)
      }
      const row = { ...shared, partitionIndex: partition, zkVersion: version }
      await client.ask(UpdateMetadata, 5, {
        ...{ controllerId, controllerEpoch },
        liveBrokers: this.#liveBrokers(),
        topicStates: [{ topicName: topic, partitionStates: [row] }],
      })
      client.connection.close()
    }
    return codes
  }

  async #write(
    topic: string,
    partition: number,
    state: Parameters<typeof encodePartitionState>[0],
    replicas: readonly number[],
  ): Promise<number> {
    const { zookeeper, clock } = this
    const path = paths.partitionState(topic, partition)
    if ((await clock.until(zookeeper.exists(path))) === null) {
      const assignment = { partitions: new Map([[partition, replicas]]), topicId: undefined }
      await clock.until(zookeeper.makePath(paths.topic(topic), encodeTopic(assignment)))
      await clock.until(zookeeper.makePath(path, encodePartitionState(state)))
      return 0
    }
    return (await clock.until(zookeeper.setData(path, encodePartitionState(state)))).version
  }

  /** The in-sync set as the znode has it. */
  async isr(topic: string, partition = 0): Promise<readonly number[]> {
    const path = paths.partitionState(topic, partition)
    const { data } = await this.clock.until(this.zookeeper.getData(path))
    return decodePartitionState(data)?.isr ?? []
  }

  async stopReplica(id: number, topic: string, isDeletion: boolean): Promise<number> {
    const client = await this.client(id)
    const answer = await client.ask(StopReplica, 1, {
      ...{ controllerId, controllerEpoch: this.controllerEpoch, deletePartitions: isDeletion },
      topics: [{ name: topic, partitionIndexes: [0] }],
    })
    client.connection.close()
    return answer.partitionErrors[0]?.errorCode ?? answer.errorCode
  }

  async deleteRecords(client: TestClient, name: string, offset: number): Promise<number> {
    const topics = [{ name, partitions: [{ partitionIndex: 0, offset }] }]
    const answer = await client.ask(DeleteRecords, 2, { topics, timeoutMs: 1000 })
    return answer.topics[0]?.partitions[0]?.errorCode ?? -1
  }

  fileText(id: number, path: string): string | undefined {
    return readFileIfThere(this.#host(id).disk, `/kafka/${path}`)?.toString()
  }

  /** The bytes of a broker's log of partition 0, as they are on its disk. */
  logBytes(id: number, topic: string, segment = 0): Buffer | undefined {
    const file = `/kafka/${topic}-0/${String(segment).padStart(20, '0')}.log`
    return readFileIfThere(this.#host(id).disk, file)
  }

  /** Lines of the brokers' logs from WARN up. */
  complaints(): string[] {
    return this.logger.texts('WARN')
  }
}
