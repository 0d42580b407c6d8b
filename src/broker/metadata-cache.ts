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
  readonly #usesTopicIds: boolean
  #brokers = new Map<number, BrokerRegistration>()
  readonly #topics = new Map<string, TopicMetadata>()
  readonly #nameOfId = new Map<string, string>()
  #controllerId = -1
  /** Who waits for a topic to change, by its name: a change costs nothing to those of others. */
  readonly #listeners = new Map<string, Set<() => void>>()
  readonly #watchers = new Set<() => void>()

  /** Without topic ids, clients are told none: other brokers of the cluster do not know them either. */
  constructor(usesTopicIds = true) {
    this.#usesTopicIds = usesTopicIds
  }

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

  hasPartition(topic: string, partition: number): boolean {
    return this.#topics.get(topic)?.partitions[partition] !== undefined
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
    for (const watcher of this.#watchers) watcher()
  }

  /** Another id than the known one makes it another topic: nothing of the old one stays. */
  setTopic(
    name: string,
    id: string | undefined,
    partitions: ReadonlyMap<number, PartitionMetadata>,
  ): void {
    const topicId = this.#usesTopicIds ? id : undefined
    let known = this.#topics.get(name)
    if (known === undefined || known.topicId !== topicId) {
      if (known?.topicId !== undefined) this.#nameOfId.delete(known.topicId)
      // One that had no id has got one: it is the same topic.
      const kept = known?.topicId === undefined ? known?.partitions : undefined
      known = { name, topicId, partitions: kept ?? [] }
      this.#topics.set(name, known)
      if (topicId !== undefined) this.#nameOfId.set(topicId, name)
    }
    for (const [index, partition] of partitions) {
      while (known.partitions.length < index) known.partitions.push(undefined)
      known.partitions[index] = partition
    }
    this.#changed(name)
  }

  removeTopic(name: string): void {
    const known = this.#topics.get(name)
    if (known?.topicId !== undefined) this.#nameOfId.delete(known.topicId)
    this.#topics.delete(name)
    this.#changed(name)
  }

  /** They are being deleted; with its last partition the topic goes. */
  removePartitions(name: string, partitions: readonly number[]): void {
    const known = this.#topics.get(name)
    if (known === undefined) return
    for (const index of partitions)
      if (index in known.partitions) known.partitions[index] = undefined
    if (known.partitions.every((one) => one === undefined)) this.removeTopic(name)
    else this.#changed(name)
  }

  /** `listener` runs after each change of the topic, until the returned function is called. */
  onTopicChange(name: string, listener: () => void): () => void {
    let listeners = this.#listeners.get(name)
    if (listeners === undefined) this.#listeners.set(name, (listeners = new Set()))
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#listeners.get(name) === listeners)
        this.#listeners.delete(name)
    }
  }

  /** `watcher` runs after every change, until the returned function is called. */
  onChange(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  #changed(name: string): void {
    for (const watcher of this.#watchers) watcher()
    const listeners = this.#listeners.get(name)
    if (listeners !== undefined) for (const listener of [...listeners]) listener()
  }
}
