import { Errors } from '../kafka/errors.ts'
import { delay, type Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Orders, TopicOrder } from './controller/orders.ts'
import type { GroupCoordinator } from './groups/coordinator.ts'
import type { MetadataCache } from './metadata-cache.ts'
import type { ReplicaOrder, Replicas } from './replication/replicas.ts'
import type { TopicConfigs } from './topic-configs.ts'
import { offsetsTopic } from './topic-names.ts'
import type { BrokerRegistration } from './znodes.ts'

export interface LocalOrdersParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly replicas: Replicas
  readonly metadata: MetadataCache
  readonly configs: TopicConfigs
  readonly groups: GroupCoordinator
}

/** Making a log takes some calls of the disk; after so many the loop sees to others. */
const logsAtOnceMax = 8

/** How this broker obeys the controller. */
export class LocalOrders implements Orders {
  readonly #parts: LocalOrdersParts

  constructor(parts: LocalOrdersParts) {
    this.#parts = parts
  }

  announceBrokers(brokers: readonly BrokerRegistration[], controllerId: number): void {
    this.#parts.metadata.setBrokers(brokers, controllerId)
  }

  announceTopics(topics: readonly TopicOrder[]): void {
    for (const { topic, topicId, partitions } of topics) {
      const rows = partitions.map(
        ({ partition, leader, leaderEpoch, isr, replicas }) =>
          [partition, { leader, leaderEpoch, isr, replicas }] as const,
      )
      this.#parts.metadata.setTopic(topic, topicId, new Map(rows))
    }
  }

  async lead(topics: readonly TopicOrder[]): Promise<void> {
    const { replicas } = this.#parts
    // A new log is made with its topic's settings, which whoever made the topic wrote before it.
    const fresh = topics.filter(({ topic }) => !replicas.has(topic))
    await Promise.all(fresh.map(({ topic }) => this.#parts.configs.read(topic)))
    let before = replicas.count
    for (const order of topics.flatMap(({ partitions }) => partitions)) {
      this.#obey(order)
      if (replicas.count - before < logsAtOnceMax) continue
      before = replicas.count
      await delay(this.#parts.clock, 0)
    }
  }

  #obey(order: ReplicaOrder): void {
    const { replicas, groups, logger } = this.#parts
    const error = replicas.obey(order)
    const name = `${order.topic}-${order.partition}`
    if (error !== Errors.NONE && error !== Errors.UNKNOWN_TOPIC_OR_PARTITION)
      logger.error(`Cannot take up partition ${name}: error ${error}`)
    if (order.topic !== offsetsTopic) return
    const partition = replicas.get(order.topic, order.partition)
    if (partition?.isLeader === true) groups.lead(partition)
    else groups.resign(order.partition)
  }

  removeTopic(topic: string): void {
    const { replicas, groups } = this.#parts
    if (topic === offsetsTopic) groups.resignAll()
    else groups.forgetTopic(topic)
    replicas.removeTopic(topic)
  }

  forgetTopic(topic: string): void {
    const { metadata, configs } = this.#parts
    configs.forget(topic)
    metadata.removeTopic(topic)
  }

  storedTopicId(topic: string): string | undefined {
    return this.#parts.replicas.topicId(topic)
  }
}
