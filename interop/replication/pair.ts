/** Ours, broker 0, and an original, broker 1, in one cluster; the coordination lives beside both. */
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { KafkaClient } from '../../src/client/client.ts'
import { freePorts, temporaryDirectory } from '../../test/platform/chain.ts'
import { CoordinationOnly } from '../support/coordination.ts'
import { startKafka, type JavaServer } from '../support/kafka.ts'
import { awaitPartitions, ports, ScriptBroker } from './cluster.ts'

const partitions = 3

export class Pair {
  readonly #directory: string
  readonly #version: string
  readonly #real: readonly string[]
  readonly ours: ScriptBroker
  readonly realPort: number
  readonly zookeeperPort: number
  #process: JavaServer | undefined

  constructor(
    directory: string,
    version: string,
    given: { readonly ports: readonly [number, number]; readonly zookeeper: number },
  ) {
    const [port, realPort] = given.ports
    this.#directory = directory
    this.#version = version
    this.realPort = realPort
    this.zookeeperPort = given.zookeeper
    const isOld = version.startsWith('0.10')
    const level = isOld ? '0.10.1' : '2.3'
    const format = isOld ? [`log.message.format.version=${level}`] : []
    const both = ['offsets.topic.replication.factor=2', 'zookeeper.session.timeout.ms=6000']
    this.#real = ['broker.id=1', `inter.broker.protocol.version=${level}`, ...format, ...both]
    const properties = [
      'broker.id=0',
      `listeners=PLAINTEXT://127.0.0.1:${port}`,
      `log.dirs=${directory}/ours`,
      `zookeeper.connect=127.0.0.1:${given.zookeeper}`,
      'group.initial.rebalance.delay.ms=0',
      `inter.broker.protocol.version=${level}`,
      ...format,
      ...both,
    ]
    this.ours = new ScriptBroker({ id: 0, port, directory: join(directory, 'home'), properties })
  }

  get zookeeper(): string {
    return `127.0.0.1:${this.zookeeperPort}`
  }

  get bootstrap(): string {
    return `${this.ours.address},127.0.0.1:${this.realPort}`
  }

  portOf(id: number): number {
    return id === 0 ? this.ours.place.port : this.realPort
  }

  async start(id: number): Promise<void> {
    if (id === 0) return await this.ours.start()
    const home = join(this.#directory, 'home-of-real')
    const given = { broker: this.realPort, zookeeper: this.zookeeperPort }
    const logs = join(this.#directory, 'real')
    this.#process = await startKafka(this.#version, home, given, logs, this.#real)
  }

  async stop(id: number, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (id === 0) await this.ours.stop(signal)
    else await this.#process?.stop(signal)
  }

  get realSaid(): string {
    return this.#process?.output ?? ''
  }

  logsOf(topic: string, partition: number): [string, string] {
    const name = `${topic}-${partition}`
    return [join(this.#directory, 'ours', name), join(this.#directory, 'real', name)]
  }

  async createTopics(names: readonly string[]): Promise<void> {
    const client = new KafkaClient(ports, {
      bootstrapServers: this.bootstrap.split(','),
      clientId: 'pair',
    })
    try {
      const wanted = names.map((name) => ({ name, partitions, replicationFactor: 2 }))
      for (const { error } of await client.clusterAdmin().createTopics(wanted)) {
        if (error !== undefined) throw error
      }
    } finally {
      await client.close()
    }
  }

  /** Waits until both brokers say that both are in sync. */
  async areInSync(topics: readonly string[]): Promise<void> {
    const is = ({ inSync, leader }: { inSync: readonly number[]; leader: number }) =>
      inSync.length === 2 && leader >= 0
    for (const topic of topics)
      for (const id of [0, 1])
        await awaitPartitions(
          this.portOf(id),
          topic,
          { count: partitions, what: `in sync, says ${id}`, is },
          90_000,
        )
  }

  async isLedBy(id: number, topics: readonly string[]): Promise<void> {
    const is = ({ leader }: { leader: number }) => leader === id
    for (const topic of topics)
      await awaitPartitions(
        this.portOf(id),
        topic,
        { count: partitions, what: `broker ${id} leads`, is },
        90_000,
      ).catch((error: unknown) => {
        throw new Error(`${String(error)}; ours said ${this.ours.said}`)
      })
  }
}

/** Both run; ours was the first, and so is the controller. */
export async function startPair(t: TestContext, version: string): Promise<Pair> {
  const directory = temporaryDirectory(t)
  const coordination = new CoordinationOnly(join(directory, 'coordination'))
  await coordination.start()
  t.after(() => coordination.stop('SIGKILL'))
  const [port = 0, realPort = 0] = await freePorts(2)
  const given = { ports: [port, realPort], zookeeper: coordination.port } as const
  const pair = new Pair(directory, version, given)
  t.after(async () => {
    await pair.stop(0, 'SIGKILL')
    await pair.stop(1, 'SIGKILL')
  })
  await pair.start(0)
  await pair.start(1)
  return pair
}
