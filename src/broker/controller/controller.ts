import type { Ports } from '../../runtime/service.ts'
import {
  isZooKeeperError,
  MultiError,
  type Operation,
  type ZooKeeperClient,
} from '../../zookeeper/client/client.ts'
import type { Coordination } from '../coordination.ts'
import { randomTopicId } from '../topic-ids.ts'
import { paths, type BrokerRegistration } from '../znodes.ts'
import { deleteIfThere, readBrokers, readTopic, treeOf, type KnownTopic } from './cluster-state.ts'
import { Office } from './office.ts'
import type { Orders } from './orders.ts'
import { merged, planTopic, type TopicPlan } from './topic-plan.ts'

export interface ControllerSettings {
  readonly brokerId: number
  readonly uncleanElectionAllowed: boolean
  readonly topicDeletionAllowed: boolean
}

const retryDelayMs = 1000
const topicsAtOnceMax = 200
/** Small topics are written together; a multi of more would be split anyway. */
const operationsTogetherMax = 400

/**
 * The one broker that decides who leads (kafka.md C). Events are handled one after another, each to its
 * end; one that fails means that what is known may be wrong, so the office is laid down, and taken
 * again with everything read anew.
 */
export class Controller {
  readonly #ports: Pick<Ports, 'clock' | 'random' | 'logger'>
  readonly #coordination: Coordination
  readonly #orders: Orders
  readonly #settings: ControllerSettings
  readonly #office: Office
  #tail: Promise<void> = Promise.resolve()
  #isStopped = false
  #isRetrying = false
  #brokers = new Map<number, BrokerRegistration>()
  readonly #topics = new Map<string, KnownTopic>()
  /** Ids of topics this process has seen, for nodes that were written anew without theirs. */
  readonly #topicIds = new Map<string, string>()
  /** Topics that somebody asked to delete: not to be brought up any more. */
  #deletions: ReadonlySet<string> = new Set()

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
    this.#office = new Office({ ...ports, coordination }, settings.brokerId)
  }

  get #zookeeper(): ZooKeeperClient {
    return this.#coordination.session
  }

  get isActive(): boolean {
    return this.#office.isHeld
  }

  /** Resolves when somebody, perhaps this broker, is the controller and has described the cluster. */
  async start(): Promise<void> {
    this.#electionDue()
    await this.#tail
  }

  /** The session is, or may be, over: no decision is made any more until `start`. */
  layDown(): void {
    this.#office.layDown()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#tail
    this.#office.layDown()
  }

  // Watchers, each the same function every time, so that it is set once however often it is set.
  readonly #electionDue = (): void => this.#enqueue('election', () => this.#elect())
  readonly #brokersDue = (): void => this.#ifActive('broker change', () => this.#brokersChanged())
  readonly #topicsDue = (): void => this.#ifActive('topic change', () => this.#readTopics())
  readonly #deletionsDue = (): void => this.#ifActive('topic deletion', () => this.#deleteTopics())
  readonly #topicDue = ({ path }: { readonly path: string }): void => {
    const topic = path.slice(paths.topics.length + 1)
    this.#ifActive('partition change', () => this.#topicChanged(topic))
  }

  #ifActive(what: string, action: () => Promise<void>): void {
    this.#enqueue(what, async () => {
      if (this.#office.isHeld) await action()
    })
  }

  #enqueue(what: string, action: () => Promise<void>): void {
    this.#tail = this.#tail.then(async () => {
      if (this.#isStopped) return
      try {
        await action()
      } catch (error) {
        await this.#resign(what, error)
      }
    })
  }

  async #resign(what: string, error: unknown): Promise<void> {
    const { logger, clock } = this.#ports
    if (this.#isStopped) return
    if (isZooKeeperError(error)) logger.warn(`Resigning: ${what} failed: ${error.message}`)
    else logger.error(`Resigning: ${what} failed`, error)
    this.#topics.clear()
    await this.#office.giveUp()
    if (this.#isRetrying) return
    this.#isRetrying = true
    clock.schedule(retryDelayMs, () => {
      this.#isRetrying = false
      this.#electionDue()
    })
  }

  async #elect(): Promise<void> {
    if (!(await this.#office.take(this.#electionDue))) return
    this.#topics.clear()
    await this.#readBrokers()
    await this.#readDeletions()
    await this.#readTopics()
    await this.#deleteTopics()
  }

  async #readBrokers(): Promise<void> {
    this.#brokers = await readBrokers(this.#zookeeper, this.#brokersDue)
    for (const id of this.#brokers.keys())
      if (id !== this.#settings.brokerId)
        this.#ports.logger.warn(`Broker ${id} is alive, but replication is not supported yet`)
    this.#orders.announceBrokers([...this.#brokers.values()], this.#settings.brokerId)
  }

  async #brokersChanged(): Promise<void> {
    await this.#readBrokers()
    await this.#bringUp([...this.#topics.keys()])
  }

  /** New topics are those whose node has not been read yet. */
  async #readTopics(): Promise<void> {
    const { children } = await this.#zookeeper.getChildren(paths.topics, this.#topicsDue)
    const present = new Set(children)
    for (const topic of this.#topics.keys()) if (!present.has(topic)) this.#topics.delete(topic)
    const isFresh = (topic: string) => !this.#topics.has(topic) && !this.#deletions.has(topic)
    const fresh = children.filter(isFresh)
    for (let at = 0; at < fresh.length; at += topicsAtOnceMax) {
      const some = fresh.slice(at, at + topicsAtOnceMax)
      await Promise.all(some.map((topic) => this.#readTopic(topic)))
      await this.#bringUp(some)
    }
  }

  async #readTopic(topic: string): Promise<void> {
    const known = await readTopic(this.#zookeeper, topic, this.#topicDue)
    if (known !== undefined) this.#topics.set(topic, merged(this.#topics.get(topic), known))
  }

  async #topicChanged(topic: string): Promise<void> {
    if (!this.#topics.has(topic)) return
    await this.#readTopic(topic)
    await this.#bringUp([topic])
  }

  /** Gives each partition of these topics a leader where one can be had, and tells the brokers. */
  async #bringUp(topics: readonly string[]): Promise<void> {
    let together: TopicPlan[] = []
    let count = 0
    for (const topic of topics) {
      const plan = this.#plan(topic)
      if (plan === undefined) continue
      const size = plan.operations.length + plan.parents.length
      if (size === 0 && plan.known.isTold) continue
      if (count > 0 && count + size > operationsTogetherMax) {
        await this.#carryOut(together)
        together = []
        count = 0
      }
      together.push(plan)
      count += size
    }
    await this.#carryOut(together)
  }

  #plan(topic: string): TopicPlan | undefined {
    const known = this.#topics.get(topic)
    if (known === undefined) return undefined
    const { uncleanElectionAllowed } = this.#settings
    const plan = planTopic({
      ...{ topic, known, topicId: this.#idFor(topic, known), uncleanElectionAllowed },
      controllerEpoch: this.#office.epoch,
      live: new Set(this.#brokers.keys()),
    })
    const { topicId } = plan.known.assignment
    if (topicId !== undefined) this.#topicIds.set(topic, topicId)
    return plan
  }

  /** A node without an id: it lost it, or the topic was made by an old tool (kafka.md C). */
  #idFor(topic: string, known: KnownTopic): string {
    return (
      known.assignment.topicId ??
      this.#topicIds.get(topic) ??
      this.#orders.storedTopicId(topic) ??
      randomTopicId(this.#ports.random)
    )
  }

  async #carryOut(plans: readonly TopicPlan[]): Promise<void> {
    if (plans.length === 0) return
    try {
      await this.#office.write(plans.flatMap(withParents))
    } catch (error) {
      const isOffice = error instanceof MultiError && error.index === 0
      if (isOffice || !isZooKeeperError(error, 'NODEEXISTS')) throw error
      // A controller of another kind died between two of its steps.
      for (const path of plans.flatMap((plan) => plan.parents)) await this.#zookeeper.makePath(path)
      for (const plan of plans) await this.#office.write(plan.operations)
    }
    for (const { topic, known } of plans) this.#topics.set(topic, { ...known, isTold: true })
    const orders = plans.map((plan) => plan.order)
    await this.#orders.lead(orders)
    this.#orders.announceTopics(orders)
  }

  async #readDeletions(): Promise<void> {
    const { children } = await this.#zookeeper.getChildren(paths.topicDeletions, this.#deletionsDue)
    this.#deletions = new Set(this.#settings.topicDeletionAllowed ? children : [])
    if (this.#settings.topicDeletionAllowed) return
    for (const topic of children) await deleteIfThere(this.#zookeeper, paths.topicDeletion(topic))
  }

  async #deleteTopics(): Promise<void> {
    await this.#readDeletions()
    for (const topic of this.#deletions) await this.#deleteTopic(topic)
    this.#deletions = new Set()
  }

  /** Data first, then the topic's nodes, then its settings, then the request: what is left is done again. */
  async #deleteTopic(topic: string): Promise<void> {
    const tree = await treeOf(this.#zookeeper, paths.topic(topic))
    if (tree.length > 0 || this.#topics.has(topic)) {
      this.#topics.delete(topic)
      this.#topicIds.delete(topic)
      this.#orders.removeTopic(topic)
      await this.#office.write(tree.map((path) => ({ type: 'delete', path })))
    }
    for (const path of [paths.config('topics', topic), paths.topicDeletion(topic)])
      if ((await this.#zookeeper.exists(path)) !== null)
        await this.#office.write([{ type: 'delete', path }])
    this.#orders.forgetTopic(topic)
    this.#ports.logger.info(`Deletion of topic ${topic} successfully completed`)
  }
}

/** Parents and operations as one list: each parent just before the first of what is in it. */
function withParents({ parents, operations }: TopicPlan): Operation[] {
  const made = parents.map((path): Operation => ({ type: 'create', path, data: Buffer.alloc(0) }))
  const topicNode = operations.filter((one) => one.type === 'setData')
  const states = operations.filter((one) => one.type !== 'setData')
  return [...topicNode, ...made, ...states]
}
