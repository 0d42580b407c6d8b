// Pure.
/**
 * One incremental fetch session (KIP-227): the partitions that a client fetches again and again, so that a
 * request names only what changed of them, and an answer only what there is to tell (kafka.md F10 to F12).
 */
import { Errors } from '../../kafka/errors.ts'
import type { Fetch } from '../../kafka/messages/fetch.ts'
import type { RequestOf } from '../../wire/schema.ts'

export type FetchRequest = RequestOf<typeof Fetch>
export type WantedPartition = FetchRequest['topics'][number]['partitions'][number]

/** A partition that a fetch is about, named by its request or kept in its session. */
export interface Asked {
  /** As the request names it, or what its id stood for when it was first known; undefined: not known. */
  readonly topic: string | undefined
  readonly topicId: string
  readonly wanted: WantedPartition
}

export interface Forgotten {
  readonly topic: string
  readonly topicId: string
  readonly partitions: readonly number[]
}

/** What an answer would say of a partition, as far as it decides whether it is said. */
export interface PartitionFacts {
  readonly recordsBytes: number
  readonly highWatermark: number
  readonly logStartOffset: number
  readonly errorCode: number
  /** The client's log and ours part, or it is sent to another replica. */
  readonly isRedirected: boolean
}

export interface SessionPartition extends Asked {
  readonly key: string
  topic: string | undefined
  wanted: WantedPartition
  /** What the client was told last; -1: nothing that counts. */
  highWatermark: number
  logStartOffset: number
}

const epochMax = 2147483647
export const firstEpoch = 0
export const finalEpoch = -1

export function nextEpoch(epoch: number): number {
  return epoch === epochMax ? 1 : epoch + 1
}

export interface SessionIdentity {
  readonly id: number
  /** A follower's: consumers do not push it out. */
  readonly isPrivileged: boolean
  /** Its requests name topics by id (version 13 and above), or by name. */
  readonly usesTopicIds: boolean
  readonly createdMs: number
}

export class FetchSession implements SessionIdentity {
  readonly id: number
  readonly isPrivileged: boolean
  readonly usesTopicIds: boolean
  readonly createdMs: number
  lastUsedMs: number
  /** What the next request must name. */
  epoch = nextEpoch(firstEpoch)
  /** Runs when the session is over. */
  onClose: () => void = () => {}
  /** In the order in which they are served: whoever got records goes to the end. */
  readonly #partitions = new Map<string, SessionPartition>()

  constructor(identity: SessionIdentity) {
    this.id = identity.id
    this.isPrivileged = identity.isPrivileged
    this.usesTopicIds = identity.usesTopicIds
    this.createdMs = identity.createdMs
    this.lastUsedMs = identity.createdMs
  }

  get size(): number {
    return this.#partitions.size
  }

  /** In the order in which they are to be read. A topic's name is looked up until it is known. */
  partitions(nameOf: (topicId: string) => string | undefined): SessionPartition[] {
    const partitions = [...this.#partitions.values()]
    for (const one of partitions) one.topic ??= nameOf(one.topicId)
    return partitions
  }

  /** What the session keeps of a partition that a request names. */
  memberOf({ topic, topicId, wanted }: Asked): SessionPartition | undefined {
    return this.#partitions.get(this.#key(topic, topicId, wanted.partition))
  }

  /** It has not been forgotten. */
  holds(partition: SessionPartition): boolean {
    return this.#partitions.get(partition.key) === partition
  }

  /** Takes up what a request says of partitions, new ones among them. */
  want(asked: readonly Asked[]): void {
    for (const { topic, topicId, wanted } of asked) {
      const key = this.#key(topic, topicId, wanted.partition)
      const known = this.#partitions.get(key)
      if (known !== undefined) known.wanted = wanted
      else {
        const told = { highWatermark: -1, logStartOffset: -1 }
        this.#partitions.set(key, { key, topic, topicId, wanted, ...told })
      }
    }
  }

  forget(forgotten: readonly Forgotten[]): void {
    for (const { topic, topicId, partitions } of forgotten)
      for (const partition of partitions)
        this.#partitions.delete(this.#key(topic, topicId, partition))
  }

  /** The answer to the session's first request names every partition. */
  told({ topic, topicId, wanted }: Asked, facts: PartitionFacts): void {
    const partition = this.memberOf({ topic, topicId, wanted })
    if (partition === undefined) return
    partition.highWatermark = facts.highWatermark
    partition.logStartOffset = facts.logStartOffset
  }

  /**
   * Whether an incremental answer has to name the partition; takes note that it does. After an error, or
   * where logs part, it is named again even if nothing else changes.
   */
  tell(partition: SessionPartition, facts: PartitionFacts): boolean {
    const isFailure = facts.errorCode !== Errors.NONE || facts.isRedirected
    const isTold = this.isNews(partition, facts)
    partition.highWatermark = isFailure ? -1 : facts.highWatermark
    partition.logStartOffset = facts.logStartOffset
    // Forgotten or named anew meanwhile, it is not of this session any more.
    if (facts.recordsBytes > 0 && this.holds(partition)) {
      this.#partitions.delete(partition.key)
      this.#partitions.set(partition.key, partition)
    }
    return isTold
  }

  /** There is something in it that the client has not been told. */
  isNews(partition: SessionPartition, facts: PartitionFacts): boolean {
    return (
      facts.errorCode !== Errors.NONE ||
      facts.isRedirected ||
      facts.recordsBytes > 0 ||
      partition.highWatermark !== facts.highWatermark ||
      partition.logStartOffset !== facts.logStartOffset
    )
  }

  #key(topic: string | undefined, topicId: string, partition: number): string {
    return `${partition} ${this.usesTopicIds ? topicId : topic}`
  }
}
