import type { BrokerRegistration, Endpoint } from './znodes.ts'

/** What clients are told of one partition (UpdateMetadata, key 6). */
export interface PartitionMetadata {
  readonly leader: number
  readonly leaderEpoch: number
  readonly isr: readonly number[]
  readonly replicas: readonly number[]
}

export interface TopicMetadata {
  readonly name: string
  readonly topicId: string | undefined
  /** Grows in place: only the cache writes here. */
  readonly partitions: (PartitionMetadata | undefined)[]
}

/**
 * The cluster as the controller last described it: live brokers, topics, leaders. Every broker answers
 * Metadata and FindCoordinator from its own copy.
 */
export class MetadataCache {
  #brokers = new Map<number, BrokerRegistration>()
  readonly #topics = new Map<string, TopicMetadata>()
  readonly #nameOfId = new Map<string, string>()
  #controllerId = -1
  readonly #listeners = new Set<() => void>()

  get controllerId(): number {
    return this.#controllerId
  }

  get brokers(): ReadonlyMap<number, BrokerRegistration> {
    return this.#brokers
  }

  get topics(): ReadonlyMap<string, TopicMetadata> {
    return this.#topics
  }

  topic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name)
  }

  nameOfId(id: string): string | undefined {
    return this.#nameOfId.get(id)
  }

  /** Where a broker is reached by clients of this listener; undefined: not alive, or not on it. */
  endpoint(brokerId: number, listener: string): Endpoint | undefined {
    return this.#brokers.get(brokerId)?.endpoints.find((one) => one.listener === listener)
  }

  /** The list replaces the known one. */
  setBrokers(brokers: Iterable<BrokerRegistration>, controllerId: number): void {
    this.#brokers = new Map([...brokers].map((broker) => [broker.id, broker]))
    this.#controllerId = controllerId
    this.#changed()
  }

  setPartition(
    topic: string,
    topicId: string | undefined,
    index: number,
    partition: PartitionMetadata,
  ): void {
    let known = this.#topics.get(topic)
    if (known === undefined || (topicId !== undefined && known.topicId !== topicId)) {
      known = { name: topic, topicId, partitions: known?.partitions ?? [] }
      this.#topics.set(topic, known)
    }
    while (known.partitions.length < index) known.partitions.push(undefined)
    known.partitions[index] = partition
    if (topicId !== undefined) this.#nameOfId.set(topicId, topic)
  }

  removeTopic(topic: string): void {
    const known = this.#topics.get(topic)
    if (known?.topicId !== undefined) this.#nameOfId.delete(known.topicId)
    this.#topics.delete(topic)
  }

  /** To be called after a run of changes to partitions. */
  settled(): void {
    this.#changed()
  }

  /** `listener` runs after each change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}
