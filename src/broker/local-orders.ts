import { Errors } from '../kafka/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Orders } from './controller/orders.ts'
import type { GroupCoordinator } from './groups/coordinator.ts'
import type { MetadataCache } from './metadata-cache.ts'
import type { ReplicaOrder, Replicas } from './replication/replicas.ts'
import { offsetsTopic } from './topic-names.ts'
import type { BrokerRegistration } from './znodes.ts'

/** How this broker obeys the controller. */
export class LocalOrders implements Orders {
  readonly #replicas: Replicas
  readonly #metadata: MetadataCache
  readonly #groups: GroupCoordinator
  readonly #logger: Logger

  constructor(
    replicas: Replicas,
    metadata: MetadataCache,
    groups: GroupCoordinator,
    logger: Logger,
  ) {
    this.#replicas = replicas
    this.#metadata = metadata
    this.#groups = groups
    this.#logger = logger
  }

  announceBrokers(brokers: readonly BrokerRegistration[], controllerId: number): void {
    this.#metadata.setBrokers(brokers, controllerId)
  }

  announcePartitions(partitions: readonly ReplicaOrder[]): void {
    for (const order of partitions) {
      const { leader, leaderEpoch, isr, replicas } = order
      const row = { leader, leaderEpoch, isr, replicas }
      this.#metadata.setPartition(order.topic, order.topicId, order.partition, row)
    }
    this.#metadata.settled()
  }

  lead(partitions: readonly ReplicaOrder[]): void {
    for (const order of partitions) {
      const error = this.#replicas.obey(order)
      const name = `${order.topic}-${order.partition}`
      if (error !== Errors.NONE && error !== Errors.UNKNOWN_TOPIC_OR_PARTITION)
        this.#logger.error(`Cannot take up partition ${name}: error ${error}`)
      const partition = this.#replicas.get(order.topic, order.partition)
      if (order.topic !== offsetsTopic || partition === undefined) continue
      if (partition.isLeader) this.#groups.lead(partition)
      else this.#groups.resign(order.partition)
    }
  }

  removeTopic(topic: string, partitionCount: number): void {
    for (let index = 0; index < partitionCount; index += 1) {
      if (topic === offsetsTopic) this.#groups.resign(index)
      this.#replicas.stop(topic, index, true)
    }
    this.#metadata.removeTopic(topic)
    this.#metadata.settled()
  }
}
