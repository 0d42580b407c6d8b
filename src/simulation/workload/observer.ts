/** Who looks on from a host that nothing happens to: ends of partitions, commits, znodes. */
import type { KafkaClient } from '../../client/client.ts'
import type { Consumer } from '../../client/consumer/types.ts'
import { KafkaError } from '../../client/errors.ts'
import { decodePartitionState, paths as brokerPaths } from '../../broker/znodes.ts'
import { delay } from '../../runtime/clock.ts'
import type { Ports } from '../../runtime/service.ts'
import { isZooKeeperError, type ZooKeeperClient } from '../../zookeeper/client/client.ts'
import { ZooKeeperSession } from '../../zookeeper/client/session.ts'
import { Errors } from '../../kafka/errors.ts'
import type { Place } from '../observation.ts'
import type { TopicPlan } from '../plan.ts'
import { paths } from './coordination-clients.ts'
import type { Scene } from './scene.ts'

const pauseMs = 600

export class Observer {
  readonly ports: Ports
  readonly client: KafkaClient
  readonly #scene: Scene
  readonly #consumer: Consumer
  #zookeeper: ZooKeeperClient | undefined
  /** When coordination was last seen to come back; owners' sessions count from then. */
  restoredAtMs = Infinity

  constructor(scene: Scene, ports: Ports) {
    this.#scene = scene
    this.ports = ports
    this.client = scene.client(ports, 'observer')
    this.#consumer = this.client.consumer({ allowAutoTopicCreation: false })
  }

  get places(): Place[] {
    return this.#scene.plan.topics.flatMap(({ name, partitionCount }) => {
      const length = this.#scene.grown.get(name) ?? partitionCount
      return Array.from({ length }, (_, partition) => ({ topic: name, partition }))
    })
  }

  /** A session with coordination; a new one where the last has expired. @throws ZooKeeperError */
  async zookeeper(): Promise<ZooKeeperClient> {
    const known = this.#zookeeper
    if (known !== undefined && known.state !== 'expired' && known.state !== 'closed') {
      await known.connected()
      return known
    }
    const session = new ZooKeeperSession(this.ports, {
      connect: this.#scene.cluster.connectString,
      sessionTimeoutMs: 10_000,
      connectTimeoutMs: 10_000,
    })
    await session.start()
    this.#zookeeper = session
    return session
  }

  /** Topics and nodes that the clients need. @throws KafkaError, ZooKeeperError */
  async prepare(): Promise<void> {
    const zookeeper = await this.zookeeper()
    await zookeeper.makePath(paths.ephemerals)
    await zookeeper.create(paths.counter, Buffer.from('0'))
    await zookeeper.create(paths.signal, Buffer.from('act one'))
    const { world, plan } = this.#scene
    for (const topic of plan.topics) {
      await this.#createTopic(topic)
      const { name, flushed, configs } = topic
      const unclean = configs['unclean.leader.election.enable'] === 'true'
      world.observe({ kind: 'topicCreated', topic: name, on: name, flushed, unclean })
    }
    // The broker will make it when the first group appears.
    const topic = '__consumer_offsets'
    const flushed = this.#scene.isFlushed(topic)
    world.observe({ kind: 'topicCreated', topic, on: topic, flushed, unclean: false })
  }

  /** Until it is there: a controller may not have heard of all brokers yet. */
  async #createTopic(topic: TopicPlan): Promise<void> {
    const { name, partitionCount: partitions, replicationFactor, configs } = topic
    for (;;) {
      const admin = this.client.admin()
      const [outcome] = await admin.createTopics([{ name, partitions, replicationFactor, configs }])
      const code = outcome?.error?.code ?? Errors.NONE
      if (code === Errors.NONE || code === Errors.TOPIC_ALREADY_EXISTS) return
      if (code !== Errors.INVALID_REPLICATION_FACTOR) throw outcome?.error
      await delay(this.ports.clock, 100)
    }
  }

  /** Looks on, for ever. */
  async watch(): Promise<void> {
    const looks = [
      () => this.#ends(),
      () => this.#commits(),
      () => this.#states(),
      () => this.#ephemerals(),
    ]
    for (;;) {
      for (const look of looks) {
        try {
          await look()
        } catch (error) {
          if (!(error instanceof KafkaError) && !isZooKeeperError(error)) throw error
        }
      }
      await delay(this.ports.clock, pauseMs)
    }
  }

  async #ends(): Promise<void> {
    const { world } = this.#scene
    const question = world.newQuestion()
    world.observe({ kind: 'endsAsked', question })
    for (const { topic, partition, offset } of await this.#consumer.endOffsets(this.places))
      world.observe({ kind: 'endOffset', question, topic, partition, offset })
  }

  async #commits(): Promise<void> {
    for (const { name, topics } of this.#scene.plan.groups) await this.askCommits(name, topics)
  }

  /** @throws KafkaError */
  async askCommits(group: string, topics: readonly string[]): Promise<void> {
    const { world } = this.#scene
    const question = world.newQuestion()
    world.observe({ kind: 'committedAsked', question })
    const places = this.places.filter(({ topic }) => topics.includes(topic))
    for (const found of await this.client.admin().groupOffsets(group, places)) {
      const { topic, partition, offset } = found
      world.observe({ kind: 'committedRead', question, group, topic, partition, offset })
    }
  }

  async #states(): Promise<void> {
    const zookeeper = await this.zookeeper()
    for (const { topic, partition } of this.places) {
      const { data, stat } = await zookeeper.getData(brokerPaths.partitionState(topic, partition))
      const state = decodePartitionState(data)
      if (state === undefined) continue
      const { leaderEpoch, controllerEpoch } = state
      const epochs = { leaderEpoch, controllerEpoch, czxid: stat.czxid }
      this.#scene.world.observe({ kind: 'partitionState', topic, partition, ...epochs })
    }
  }

  async #ephemerals(): Promise<void> {
    const zookeeper = await this.zookeeper()
    const { ephemerals, plan, world } = this.#scene
    for (const node of ephemerals.all) {
      const present = (await zookeeper.exists(node.path)) !== null
      const graceMs = 3 * plan.coordination.tickMs + node.sessionTimeoutMs
      const owner = ephemerals.ownerOf(node, graceMs, this.restoredAtMs)
      world.observe({ kind: 'ephemeralSeen', path: node.path, present, owner })
    }
  }
}
