import type { Coordination } from '../coordination.ts'
import type { Ports } from '../../runtime/service.ts'
import {
  isZooKeeperError,
  type Operation,
  type ZooKeeperClient,
} from '../../zookeeper/client/client.ts'
import type { ReplicaOrder } from '../replication/replicas.ts'
import { randomTopicId } from '../topic-ids.ts'
import {
  decodeController,
  encodeController,
  encodePartitionState,
  encodeTopic,
  paths,
  type BrokerRegistration,
  type PartitionState,
} from '../znodes.ts'
import { readBrokers, readIfThere, readTopic, type KnownTopic } from './cluster-state.ts'
import type { Orders } from './orders.ts'
import { electForNew, electForOffline } from './placement.ts'

export interface ControllerSettings {
  readonly brokerId: number
  readonly uncleanElectionAllowed: boolean
  readonly topicDeletionAllowed: boolean
}

/** An even number, so that a partition's node and its state are made together; far below the packet limit. */
const operationsPerMultiMax = 400

/**
 * The one broker that decides who leads (kafka.md C). Elected by an ephemeral znode; every write of it
 * is a multi that checks the controller epoch, so that a controller that was away too long can write
 * nothing. Events are handled one after another, each to its end.
 */
export class Controller {
  readonly #ports: Pick<Ports, 'clock' | 'random' | 'logger'>
  readonly #coordination: Coordination
  readonly #orders: Orders
  readonly #settings: ControllerSettings
  #tail: Promise<void> = Promise.resolve()
  #stopped = false
  #active = false
  #epoch = 0
  #epochVersion = 0
  #brokers = new Map<number, BrokerRegistration>()
  readonly #topics = new Map<string, KnownTopic>()

  constructor(
    ports: Pick<Ports, 'clock' | 'random' | 'logger'>,
    coordination: Coordination,
    orders: Orders,
    settings: ControllerSettings,
  ) {
    this.#ports = ports
    this.#coordination = coordination
    this.#orders = orders
    this.#settings = settings
  }

  get #zookeeper(): ZooKeeperClient {
    return this.#coordination.session
  }

  get isActive(): boolean {
    return this.#active
  }

  /** Resolves when somebody, perhaps this broker, is the controller and has described the cluster. */
  async start(): Promise<void> {
    this.#enqueue('election', () => this.#elect())
    await this.#tail
  }

  /** The session is, or may be, over: no decision is made any more until there is a new one. */
  layDown(): void {
    this.#active = false
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#active = false
    await this.#tail
  }

  /** One event at a time; a failure means that what we know may be wrong, so office is laid down. */
  #enqueue(what: string, action: () => Promise<void>): void {
    this.#tail = this.#tail.then(async () => {
      if (this.#stopped) return
      try {
        await action()
      } catch (error) {
        if (this.#stopped) return
        this.#ports.logger.error(`Error while handling ${what}; resigning`, error)
        await this.#resign()
      }
    })
  }

  async #resign(): Promise<void> {
    const wasActive = this.#active
    this.#active = false
    this.#topics.clear()
    try {
      if (wasActive) await this.#zookeeper.delete(paths.controller)
    } catch (error) {
      this.#ports.logger.warn('Could not remove the controller node', error)
    }
    this.#ports.clock.schedule(1000, () => this.#enqueue('election', () => this.#elect()))
  }

  async #elect(): Promise<void> {
    const watch = () => this.#enqueue('election', () => this.#elect())
    const holder = await readIfThere(this.#zookeeper, paths.controller)
    const stat = await this.#zookeeper.exists(paths.controller, watch)
    if (stat !== null) {
      const isOwn = stat.ephemeralOwner === this.#zookeeper.sessionId
      const id = holder && decodeController(holder.data)
      if (id !== this.#settings.brokerId || (isOwn && this.#active)) return
      // Left over from an earlier life of this broker, whose registration was replaced as well; or
      // from an office laid down when the session seemed lost.
      await this.#zookeeper.delete(paths.controller, stat.version)
    }
    if (!(await this.#claim())) return
    this.#active = true
    await this.#takeOffice()
  }

  /** Makes the ephemeral node and raises the epoch in one step. False: somebody else was faster. */
  async #claim(): Promise<boolean> {
    const zero = Buffer.from('0')
    let stored = await readIfThere(this.#zookeeper, paths.controllerEpoch)
    if (stored === undefined) {
      await this.#zookeeper.makePath(paths.controllerEpoch, zero)
      stored = await readIfThere(this.#zookeeper, paths.controllerEpoch)
    }
    const epoch = Number(stored?.data.toString() ?? '0') + 1
    const version = stored?.version ?? 0
    const data = encodeController(this.#settings.brokerId, this.#ports.clock.now())
    try {
      await this.#zookeeper.multi([
        { type: 'create', path: paths.controller, data, ephemeral: true },
        { type: 'setData', path: paths.controllerEpoch, data: Buffer.from(String(epoch)), version },
      ])
    } catch (error) {
      if (isZooKeeperError(error, 'NODEEXISTS') || isZooKeeperError(error, 'BADVERSION'))
        return false
      throw error
    }
    this.#epoch = epoch
    this.#epochVersion = version + 1
    this.#ports.logger.info(
      `${this.#settings.brokerId} successfully elected as the controller. Epoch incremented to ${epoch}`,
    )
    return true
  }

  async #takeOffice(): Promise<void> {
    this.#topics.clear()
    await this.#readBrokers()
    await this.#readTopics()
    await this.#handleDeletions()
  }

  async #readBrokers(): Promise<void> {
    const changed = () => this.#enqueue('broker change', () => this.#brokersChanged())
    this.#brokers = await readBrokers(this.#zookeeper, changed)
    this.#orders.announceBrokers([...this.#brokers.values()], this.#settings.brokerId)
  }

  async #brokersChanged(): Promise<void> {
    if (!this.#active) return
    await this.#readBrokers()
    for (const topic of this.#topics.keys()) await this.#bringOnline(topic)
  }

  /** New topics are those whose node we have not read yet. */
  async #readTopics(): Promise<void> {
    const changed = () =>
      this.#enqueue('topic change', async () => {
        if (this.#active) await this.#readTopics()
      })
    const { children } = await this.#zookeeper.getChildren(paths.topics, changed)
    const fresh = children.filter((topic) => !this.#topics.has(topic))
    await Promise.all(fresh.map((topic) => this.#readTopic(topic)))
    for (const topic of fresh) await this.#bringOnline(topic)
  }

  async #readTopic(topic: string): Promise<void> {
    const changed = () => this.#enqueue('partition change', () => this.#topicChanged(topic))
    const known = await readTopic(this.#zookeeper, topic, changed)
    if (known !== undefined) this.#topics.set(topic, known)
  }

  async #topicChanged(topic: string): Promise<void> {
    if (!this.#active || !this.#topics.has(topic)) return
    await this.#readTopic(topic)
    await this.#bringOnline(topic)
  }

  /** Gives each partition of the topic a leader where one can be had, and tells the brokers. */
  async #bringOnline(topic: string): Promise<void> {
    const known = this.#topics.get(topic)
    if (known === undefined) return
    const identified = await this.#identify(topic, known)
    const live: ReadonlySet<number> = new Set(this.#brokers.keys())
    const operations: Operation[] = []
    const decided = new Map<number, PartitionState>()
    for (const [index, replicas] of identified.assignment.partitions) {
      const state = this.#decide(identified, index, replicas, live)
      if (state === undefined) continue
      decided.set(index, state)
      const path = paths.partitionState(topic, index)
      const data = encodePartitionState(state)
      const version = identified.states.get(index)?.version
      if (version === undefined)
        operations.push(created(paths.partition(topic, index)), { type: 'create', path, data })
      else operations.push({ type: 'setData', path, data, version })
    }
    // The parent may be left of a controller that died here: making it again does no harm.
    if (identified.states.size === 0) await this.#zookeeper.makePath(paths.partitions(topic))
    await this.#write(operations)
    for (const [index, state] of decided) {
      const version = (identified.states.get(index)?.version ?? -1) + 1
      identified.states.set(index, { ...state, version })
    }
    this.#tell(topic, identified)
  }

  /** What a partition's state is to become; undefined where it stays. */
  #decide(
    topic: KnownTopic,
    index: number,
    replicas: readonly number[],
    live: ReadonlySet<number>,
  ): PartitionState | undefined {
    const state = topic.states.get(index)
    const controllerEpoch = this.#epoch
    if (state === undefined) {
      const election = electForNew(replicas, live)
      return election && { ...election, leaderEpoch: 0, controllerEpoch }
    }
    if (live.has(state.leader)) return undefined
    const unclean = this.#settings.uncleanElectionAllowed
    const election = electForOffline(replicas, state.isr, live, unclean)
    return election && { ...election, leaderEpoch: state.leaderEpoch + 1, controllerEpoch }
  }

  /** A topic made by an old tool has no id: it gets one, as a 3.9 controller gives it. */
  async #identify(topic: string, known: KnownTopic): Promise<KnownTopic> {
    if (known.assignment.topicId !== undefined) return known
    const assignment = { ...known.assignment, topicId: randomTopicId(this.#ports.random) }
    const path = paths.topic(topic)
    const { version } = known
    await this.#write([{ type: 'setData', path, data: encodeTopic(assignment), version }])
    const identified = { ...known, assignment, version: version + 1 }
    this.#topics.set(topic, identified)
    return identified
  }

  #tell(topic: string, known: KnownTopic): void {
    const orders: ReplicaOrder[] = []
    for (const [partition, replicas] of known.assignment.partitions) {
      const state = known.states.get(partition)
      if (state === undefined) continue
      const { topicId } = known.assignment
      orders.push({ ...state, topic, partition, topicId, replicas, partitionEpoch: state.version })
    }
    this.#orders.lead(orders)
    this.#orders.announcePartitions(orders)
  }

  async #handleDeletions(): Promise<void> {
    const changed = () =>
      this.#enqueue('topic deletion', async () => {
        if (this.#active) await this.#handleDeletions()
      })
    const { children } = await this.#zookeeper.getChildren(paths.topicDeletions, changed)
    for (const topic of children) {
      if (this.#settings.topicDeletionAllowed) await this.#deleteTopic(topic)
      else await this.#zookeeper.delete(paths.topicDeletion(topic))
    }
  }

  async #deleteTopic(topic: string): Promise<void> {
    const known = this.#topics.get(topic)
    if (known !== undefined) {
      this.#topics.delete(topic)
      this.#orders.removeTopic(topic, known.assignment.partitions.size)
      const operations: Operation[] = []
      for (const index of known.states.keys())
        operations.push(
          { type: 'delete', path: paths.partitionState(topic, index) },
          { type: 'delete', path: paths.partition(topic, index) },
        )
      if (operations.length > 0) operations.push({ type: 'delete', path: paths.partitions(topic) })
      operations.push({ type: 'delete', path: paths.topic(topic) })
      await this.#write(operations)
      const config = paths.config('topics', topic)
      if ((await this.#zookeeper.exists(config)) !== null)
        await this.#write([{ type: 'delete', path: config }])
    }
    await this.#write([{ type: 'delete', path: paths.topicDeletion(topic) }])
    this.#ports.logger.info(`Deletion of topic ${topic} successfully completed`)
  }

  /** Writes in multis that fail as a whole when this controller is no longer the one of its epoch. */
  async #write(operations: readonly Operation[]): Promise<void> {
    const version = this.#epochVersion
    for (let at = 0; at < operations.length; at += operationsPerMultiMax) {
      const some = operations.slice(at, at + operationsPerMultiMax)
      await this.#zookeeper.multi([
        { type: 'check', path: paths.controllerEpoch, version },
        ...some,
      ])
    }
  }
}

function created(path: string): Operation {
  return { type: 'create', path, data: Buffer.alloc(0) }
}
