/** Brokers come, go, come back in one look, lose a log directory, or ask to be relieved (kafka.md C). */
import type { LeaderAndIsr } from '../../kafka/messages/leader-and-isr.ts'
import { Errors } from '../../kafka/errors.ts'
import type { ResponseOf } from '../../wire/schema.ts'
import { decodeLogDirectoryEvent, paths, type TopicPartition } from '../znodes.ts'
import type { KnownPartition, LiveBroker } from './cluster.ts'
import { readBrokers, readIfThere } from './cluster-state.ts'
import type { Desk } from './desk.ts'
import { electForShutdown } from './election.ts'
import type { Elections } from './elections.ts'
import { OrderBatch, type LeaderAndIsrRequest } from './order-batch.ts'

/** What else is to look again when brokers come and go. */
export interface MembershipFollower {
  brokerChanged(broker: number): void
  /** After brokers came: what waited for them goes on. */
  resume(): Promise<void>
}

export class Membership {
  readonly #desk: Desk
  readonly #elections: Elections
  readonly #follower: MembershipFollower

  constructor(desk: Desk, elections: Elections, follower: MembershipFollower) {
    this.#desk = desk
    this.#elections = elections
    this.#follower = follower
  }

  readonly #due = (): void => this.#desk.enqueue('broker change', () => this.look())
  readonly #directoriesDue = (): void =>
    this.#desk.enqueue('log directory failure', () => this.lookAtDirectories())

  /** As a term begins: who lives, and a link to each. */
  async readAll(): Promise<void> {
    const { zookeeper, cluster, links, ignore } = this.#desk
    for (const broker of (await readBrokers(zookeeper, ignore, this.#due)).values()) {
      cluster.join(broker)
      links.open(broker)
    }
  }

  async look(): Promise<void> {
    const { zookeeper, cluster, ignore } = this.#desk
    const present = await readBrokers(zookeeper, ignore, this.#due)
    const left: number[] = []
    const joined: LiveBroker[] = []
    let isRewritten = false
    for (const known of cluster.brokers.values())
      if (present.get(known.id)?.epoch !== known.epoch) left.push(known.id)
    for (const broker of present.values()) {
      const known = cluster.brokers.get(broker.id)
      if (known?.epoch !== broker.epoch) joined.push(broker)
      else if (!isSameRegistration(known, broker)) {
        cluster.update(broker)
        isRewritten = true
      }
    }
    if (left.length > 0) await this.#leave(left)
    if (joined.length > 0) await this.#join(joined)
    if (isRewritten) this.#tellBrokers()
  }

  #tellBrokers(): void {
    const batch = new OrderBatch(this.#desk.cluster)
    batch.tellBrokers(this.#desk.cluster.brokers.keys())
    this.#desk.send(batch)
  }

  async #leave(ids: readonly number[]): Promise<void> {
    const { cluster, links, ports } = this.#desk
    ports.logger.info(`Broker failure callback for ${ids.join(',')}`)
    for (const id of ids) {
      cluster.leave(id)
      links.close(id)
      this.#follower.brokerChanged(id)
    }
    const concerned = new Set(ids.flatMap((id) => [...cluster.hostedBy(id)]))
    await this.#elections.afterLoss(concerned)
  }

  /** They are told who lives and all that is known, then what they are to hold; then what waited goes on. */
  async #join(brokers: readonly LiveBroker[]): Promise<void> {
    const { cluster, links, ports } = this.#desk
    ports.logger.info(`New broker startup callback for ${brokers.map(({ id }) => id).join(',')}`)
    for (const broker of brokers) {
      cluster.join(broker)
      links.open(broker)
      this.#follower.brokerChanged(broker.id)
    }
    const news = new OrderBatch(cluster)
    news.tellBrokers(cluster.brokers.keys())
    for (const { id } of brokers) news.introduce(id)
    this.#desk.send(news)
    const elected = new Set(await this.#elections.lead(cluster.unled))
    const batch = new OrderBatch(cluster)
    for (const { id } of brokers)
      for (const partition of cluster.hostedBy(id))
        if (!elected.has(partition) && this.#elections.isConcern(partition))
          batch.lead(partition, [id])
    this.#desk.send(batch)
    await this.#follower.resume()
  }

  /** Brokers whose log directory has failed say which replicas are lost when they are told them anew. */
  async lookAtDirectories(): Promise<void> {
    const { zookeeper, cluster, ports } = this.#desk
    const path = paths.logDirectoryEvents
    const { children } = await zookeeper.getChildren(path, this.#directoriesDue)
    const concerned = new Set<number>()
    for (const name of children) {
      const node = await readIfThere(zookeeper, `${path}/${name}`)
      const id = node && decodeLogDirectoryEvent(node.data)
      if (id !== undefined && cluster.brokers.has(id)) concerned.add(id)
    }
    if (concerned.size > 0)
      ports.logger.info(`Handling log directory failure for brokers ${[...concerned].join(',')}`)
    const batch = new OrderBatch(cluster)
    for (const id of concerned)
      for (const partition of cluster.hostedBy(id)) batch.lead(partition, [id])
    this.#desk.send(batch)
    await this.#desk.office.remove(children.map((name) => `${path}/${name}`))
  }

  /** As a term begins: what these notices tell is read anew anyway. */
  async dropDirectoryNotices(): Promise<void> {
    const { zookeeper } = this.#desk
    const path = paths.logDirectoryEvents
    const { children } = await zookeeper.getChildren(path, this.#directoriesDue)
    await this.#desk.office.remove(children.map((name) => `${path}/${name}`))
  }

  /** A broker's answer names the replicas whose log directory has failed. */
  async answered(
    broker: number,
    request: LeaderAndIsrRequest,
    response: ResponseOf<typeof LeaderAndIsr>,
  ): Promise<void> {
    const { cluster } = this.#desk
    if (response.errorCode !== Errors.NONE) return
    const failed = failedIn(request, response)
    const lost: KnownPartition[] = []
    for (const { topicName, partitionStates } of request.topicStates) {
      for (const { partitionIndex } of partitionStates) {
        const partition = cluster.partition(topicName, partitionIndex)
        if (partition === undefined) continue
        const hasFailed = failed.has(`${topicName}-${partitionIndex}`)
        if (hasFailed && cluster.isAlive(broker, partition)) lost.push(partition)
        if (hasFailed !== !cluster.isAlive(broker, partition))
          cluster.setFailed(broker, partition, hasFailed)
      }
    }
    if (lost.length > 0) await this.#elections.afterLoss(lost)
  }

  /**
   * Moves leaders away from a broker that is about to stop, and its other replicas out of the in-sync
   * sets. Returns the partitions it still leads: nobody else can.
   */
  async relieve(id: number): Promise<TopicPartition[]> {
    const { cluster, states, ports } = this.#desk
    ports.logger.info(`Shutting down broker ${id}`)
    cluster.beginShutdown(id)
    const isReplicated = ({ assignment, state }: KnownPartition) =>
      assignment.replicas.length > 1 && state !== undefined
    const concerned = [...cluster.hostedBy(id)].filter(
      (one) => isReplicated(one) && this.#elections.isConcern(one),
    )
    const isShuttingDown = (broker: number) => cluster.isShuttingDown(broker)
    const before = new Set(concerned.filter(({ state }) => state?.leader === id))
    const changed = await states.change(concerned, (partition) => {
      const { state } = partition
      const facts = { ...cluster.electionFacts(partition) }
      if (state === undefined) return undefined
      if (state.leader === id)
        return electForShutdown(
          { ...facts, isOnline: (broker) => cluster.isAlive(broker, partition) },
          isShuttingDown,
        )
      const isr = state.isr.filter((broker) => broker !== id)
      return isr.length === state.isr.length || isr.length === 0
        ? undefined
        : { leader: state.leader, isr }
    })
    const batch = new OrderBatch(cluster)
    for (const partition of changed) {
      const { replicas } = partition.assignment
      // The old leader must hear of the new one, or it would go on taking records.
      const hasMoved = before.has(partition)
      batch.lead(partition, hasMoved ? replicas : replicas.filter((broker) => broker !== id))
    }
    for (const partition of concerned) if (!before.has(partition)) batch.stop(id, partition)
    const led = concerned.filter(({ state }) => state?.leader === id)
    this.#desk.send(batch)
    return led.map(({ topic, index }) => ({ topic, partition: index }))
  }
}

function isSameRegistration(one: LiveBroker, other: LiveBroker): boolean {
  return JSON.stringify([one.endpoints, one.rack]) === JSON.stringify([other.endpoints, other.rack])
}

/** Rows by name up to version 4, by topic id from 5 on. */
function failedIn(
  request: LeaderAndIsrRequest,
  response: ResponseOf<typeof LeaderAndIsr>,
): Set<string> {
  const failed = new Set<string>()
  for (const { topicName, partitionIndex, errorCode } of response.partitionErrors)
    if (errorCode === Errors.KAFKA_STORAGE_ERROR) failed.add(`${topicName}-${partitionIndex}`)
  const nameOf = new Map(request.topicStates.map((one) => [one.topicId, one.topicName]))
  for (const { topicId, partitionErrors } of response.topics)
    for (const { partitionIndex, errorCode } of partitionErrors)
      if (errorCode === Errors.KAFKA_STORAGE_ERROR)
        failed.add(`${nameOf.get(topicId) ?? ''}-${partitionIndex}`)
  return failed
}
