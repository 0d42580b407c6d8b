/** One term of office: what its controller knows, and the duties that work on it. */
import type { Clock, Timer } from '../../runtime/clock.ts'
import type { Endpoint } from '../znodes.ts'
import { Cluster, type LiveBroker } from './cluster.ts'
import { Deletions } from './deletions.ts'
import type { Desk } from './desk.ts'
import { Elections } from './elections.ts'
import { Links, type ClosableLink } from './links.ts'
import { Membership } from './membership.ts'
import { IsrNotices } from './notices.ts'
import { OrderBatch } from './order-batch.ts'
import { Reassignments } from './reassignments.ts'
import { StateWriter } from './state-writer.ts'
import { Topics, type TopicIds } from './topics.ts'
import { makeIgnoreNode } from './unreadable.ts'

export interface TermParts
  extends Pick<Desk, 'ports' | 'settings' | 'zookeeper' | 'office' | 'enqueue'> {
  readonly openLink: (broker: LiveBroker) => ClosableLink
  readonly endpointOf: (broker: LiveBroker) => Endpoint | undefined
  readonly topicIds: TopicIds
}

/** Leaders are looked at so long after a term began, by when brokers have come back from a restart. */
const firstRebalanceMs = 5000

export class Term {
  readonly cluster = new Cluster()
  readonly deletions: Deletions
  readonly elections: Elections
  readonly topics: Topics
  readonly reassignments: Reassignments
  readonly membership: Membership
  readonly #notices: IsrNotices
  readonly #parts: TermParts
  readonly #links: Links
  #timer: Timer | undefined
  #isOver = false

  constructor(parts: TermParts) {
    this.#parts = parts
    const { ports, settings, zookeeper, office } = parts
    const { cluster } = this
    this.#links = new Links({
      logger: ports.logger,
      open: parts.openLink,
      events: {
        onLeaderAndIsr: (broker, request, response) => {
          const hasFailures = response.partitionErrors.length > 0 || response.topics.length > 0
          if (hasFailures)
            enqueue('an answer to LeaderAndIsr', () =>
              this.membership.answered(broker, request, response),
            )
        },
        // This broker is not as it was ordered to be: everything is told once more, in a new term.
        onFailure: (broker, error) => {
          if (broker === settings.brokerId)
            enqueue('an order to this broker', () => Promise.reject(error))
        },
        onStopReplica: (broker, request, response) =>
          enqueue('an answer to StopReplica', () =>
            this.deletions.answered(broker, request, response),
          ),
      },
    })
    const enqueue: Desk['enqueue'] = (what, action) => {
      if (!this.#isOver) parts.enqueue(what, () => (this.#isOver ? nothing() : action()))
    }
    const ignore = makeIgnoreNode(ports.logger)
    const desk: Desk = {
      ...{ ports, settings, zookeeper, office, cluster, enqueue, ignore },
      states: new StateWriter({ zookeeper, office, cluster, ignore }),
      links: this.#links,
      send: (batch) => this.#send(batch),
    }
    this.deletions = new Deletions(desk, (names) => this.topics.learn(names), parts.topicIds.seen)
    const isBeingDeleted = (topic: string) => this.deletions.isDue(topic)
    this.elections = new Elections(desk, isBeingDeleted)
    this.topics = new Topics(desk, parts.topicIds, this)
    this.reassignments = new Reassignments(desk, {
      ...{ isBeingDeleted, rewrite: (topic) => this.topics.rewrite(topic) },
      finished: () => this.deletions.go(),
    })
    this.membership = new Membership(desk, this.elections, {
      brokerChanged: (broker) => this.deletions.brokerChanged(broker),
      resume: async () => {
        await this.reassignments.resume()
        await this.deletions.go()
      },
    })
    this.#notices = new IsrNotices(desk)
  }

  /** Reads everything, gives leaders where some are missing, and tells the brokers. */
  async begin(): Promise<void> {
    const { cluster } = this
    await this.membership.dropDirectoryNotices()
    await this.#notices.drop()
    await this.membership.readAll()
    await this.deletions.read()
    await this.topics.readAll()
    await this.elections.afterUnseenRestarts()
    const news = new OrderBatch(cluster)
    news.tellBrokers(cluster.brokers.keys())
    this.#send(news)
    const elected = new Set(await this.elections.lead(cluster.unled))
    const batch = new OrderBatch(cluster)
    for (const partition of cluster.partitions())
      if (!elected.has(partition) && this.elections.isConcern(partition))
        batch.lead(partition, partition.assignment.replicas)
    this.#send(batch)
    await this.reassignments.begin()
    await this.deletions.go()
    await this.elections.look()
    if (this.#parts.settings.rebalance !== undefined) this.#rebalanceIn(firstRebalanceMs)
  }

  #rebalanceIn(delayMs: number): void {
    const clock: Clock = this.#parts.ports.clock
    this.#timer = clock.schedule(delayMs, () => {
      if (this.#isOver) return
      this.#parts.enqueue('leader rebalance', async () => {
        if (!this.#isOver) await this.elections.rebalance()
      })
      this.#rebalanceIn(this.#parts.settings.rebalance?.intervalMs ?? delayMs)
    })
  }

  #send(batch: OrderBatch): void {
    const { settings, office, endpointOf } = this.#parts
    this.#links.send(
      batch.worded({
        ...{ controllerId: settings.brokerId, controllerEpoch: office.epoch, endpointOf },
      }),
    )
  }

  /** Resolves when this very broker has obeyed all that it was told so far. */
  async obeyedHere(): Promise<void> {
    await this.#links.obeyed(this.#parts.settings.brokerId)
  }

  /** Nothing is decided or ordered any more. */
  end(): void {
    this.#isOver = true
    this.#timer?.cancel()
    this.#links.closeAll()
    this.deletions.end()
  }
}

async function nothing(): Promise<void> {}
