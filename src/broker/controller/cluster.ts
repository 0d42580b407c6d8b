// Pure.
/** What a controller knows of its cluster, with the indexes that keep single changes cheap. */
import type { BrokerRegistration, PartitionState } from '../znodes.ts'
import type { ElectionFacts } from './election.ts'

/** A partition's state with the version of its znode, which is the partition epoch. */
export interface StoredState extends PartitionState {
  readonly version: number
  /** When it was written, as it was read; undefined where this controller wrote it. */
  readonly mzxid?: bigint
}

/** KIP-455: while a partition is reassigned, `replicas` are the old and the new ones. */
export interface ReplicaAssignment {
  readonly replicas: readonly number[]
  readonly adding: readonly number[]
  readonly removing: readonly number[]
}

export interface KnownPartition {
  readonly topic: string
  readonly index: number
  readonly assignment: ReplicaAssignment
  /** Undefined: new, it never had a leader. */
  readonly state: StoredState | undefined
}

export interface KnownTopic {
  readonly name: string
  /** Undefined where topics have no ids, at levels below 2.8. */
  readonly topicId: string | undefined
  /** zkVersion of the topic's node. */
  readonly version: number
  readonly partitions: ReadonlyMap<number, KnownPartition>
}

export interface LiveBroker extends BrokerRegistration {
  /** czxid of its registration: a broker that came back has a higher one. */
  readonly epoch: bigint
}

type Changeable<T> = { -readonly [K in keyof T]: T[K] }

interface OwnTopic extends Changeable<Omit<KnownTopic, 'partitions'>> {
  readonly partitions: Map<number, Changeable<KnownPartition>>
}

export class Cluster {
  readonly #topics = new Map<string, OwnTopic>()
  readonly #brokers = new Map<number, LiveBroker>()
  readonly #shuttingDown = new Set<number>()
  /** By broker: the partitions it has a replica of. */
  readonly #hosted = new Map<number, Set<KnownPartition>>()
  /** By broker: the partitions whose replica there lies in a failed log directory. */
  readonly #failed = new Map<number, Set<KnownPartition>>()
  readonly #unled = new Set<KnownPartition>()
  /** Topics that are being deleted: whatever is told of them, it is that. */
  readonly #going = new Set<string>()

  get topics(): ReadonlyMap<string, KnownTopic> {
    return this.#topics
  }

  /** All that are registered, those that are about to shut down included. */
  get brokers(): ReadonlyMap<number, LiveBroker> {
    return this.#brokers
  }

  /** Partitions that are new or whose leader is offline. */
  get unled(): ReadonlySet<KnownPartition> {
    return this.#unled
  }

  partition(topic: string, index: number): KnownPartition | undefined {
    return this.#topics.get(topic)?.partitions.get(index)
  }

  *partitions(): Generator<KnownPartition> {
    for (const { partitions } of this.#topics.values()) yield* partitions.values()
  }

  hostedBy(broker: number): ReadonlySet<KnownPartition> {
    return this.#hosted.get(broker) ?? nothing
  }

  isShuttingDown(broker: number): boolean {
    return this.#shuttingDown.has(broker)
  }

  /** Whether a broker's replica can serve; one that is about to shut down is to get no new duty. */
  isOnline(broker: number, partition: KnownPartition): boolean {
    return this.isAlive(broker, partition) && !this.#shuttingDown.has(broker)
  }

  /** The same, brokers that are about to shut down included. */
  isAlive(broker: number, partition: KnownPartition): boolean {
    return this.#brokers.has(broker) && this.#failed.get(broker)?.has(partition) !== true
  }

  isLed(partition: KnownPartition): boolean {
    const leader = partition.state?.leader ?? -1
    return leader >= 0 && this.isAlive(leader, partition)
  }

  electionFacts(partition: KnownPartition): ElectionFacts {
    return {
      replicas: partition.assignment.replicas,
      isr: partition.state?.isr ?? [],
      isOnline: (id) => this.isOnline(id, partition),
    }
  }

  join(broker: LiveBroker): void {
    this.#brokers.set(broker.id, broker)
    this.#failed.delete(broker.id)
    this.#reviewAll(broker.id)
  }

  /** Its registration was rewritten in place: other endpoints, another rack. */
  update(broker: LiveBroker): void {
    this.#brokers.set(broker.id, broker)
  }

  leave(broker: number): void {
    this.#brokers.delete(broker)
    this.#shuttingDown.delete(broker)
    this.#failed.delete(broker)
    this.#reviewAll(broker)
  }

  beginShutdown(broker: number): void {
    this.#shuttingDown.add(broker)
  }

  /** A replica's log directory failed, or works again. */
  setFailed(broker: number, partition: KnownPartition, hasFailed: boolean): void {
    let failed = this.#failed.get(broker)
    if (failed === undefined) this.#failed.set(broker, (failed = new Set()))
    if (hasFailed) failed.add(partition)
    else failed.delete(partition)
    this.#review(partition)
  }

  setTopic(name: string, topicId: string | undefined, version: number): void {
    const known = this.#topics.get(name)
    if (known === undefined)
      this.#topics.set(name, { name, topicId, version, partitions: new Map() })
    else Object.assign(known, { topicId, version })
  }

  /** Adds the partition where it is not known. */
  setAssignment(topic: string, index: number, assignment: ReplicaAssignment): KnownPartition {
    const partitions = this.#topic(topic).partitions
    let partition = partitions.get(index)
    if (partition === undefined) {
      partition = { topic, index, assignment, state: undefined }
      partitions.set(index, partition)
    } else {
      this.#unhost(partition)
      partition.assignment = assignment
    }
    for (const id of assignment.replicas) {
      let hosted = this.#hosted.get(id)
      if (hosted === undefined) this.#hosted.set(id, (hosted = new Set()))
      hosted.add(partition)
    }
    this.#review(partition)
    return partition
  }

  setState({ topic, index }: KnownPartition, state: StoredState): void {
    const partition = this.#topics.get(topic)?.partitions.get(index)
    if (partition === undefined) return
    partition.state = state
    this.#review(partition)
  }

  /** The topic is being deleted from now on. */
  setGoing(name: string): void {
    this.#going.add(name)
  }

  isGoing(name: string): boolean {
    return this.#going.has(name)
  }

  removeTopic(name: string): void {
    this.#going.delete(name)
    for (const partition of this.#topics.get(name)?.partitions.values() ?? []) {
      this.#unhost(partition)
      this.#unled.delete(partition)
      for (const failed of this.#failed.values()) failed.delete(partition)
    }
    this.#topics.delete(name)
  }

  #topic(name: string): OwnTopic {
    const topic = this.#topics.get(name)
    if (topic === undefined) throw new RangeError(`topic ${name} is not known`)
    return topic
  }

  #unhost(partition: KnownPartition): void {
    for (const id of partition.assignment.replicas) this.#hosted.get(id)?.delete(partition)
  }

  #reviewAll(broker: number): void {
    for (const partition of this.hostedBy(broker)) this.#review(partition)
  }

  #review(partition: KnownPartition): void {
    if (this.isLed(partition)) this.#unled.delete(partition)
    else this.#unled.add(partition)
  }
}

const nothing: ReadonlySet<KnownPartition> = new Set()

/** What is to become of a reassigned partition: all its replicas but those that go. */
export function targetOf({ replicas, removing }: ReplicaAssignment): number[] {
  return replicas.filter((id) => !removing.includes(id))
}

/** What it was before: all its replicas but those that come. */
export function originOf({ replicas, adding }: ReplicaAssignment): number[] {
  return replicas.filter((id) => !adding.includes(id))
}

export function isBeingReassigned({ adding, removing }: ReplicaAssignment): boolean {
  return adding.length > 0 || removing.length > 0
}

export function settled(replicas: readonly number[]): ReplicaAssignment {
  return { replicas, adding: [], removing: [] }
}
