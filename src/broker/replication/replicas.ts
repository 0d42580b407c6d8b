import { Errors } from '../../kafka/errors.ts'
import { DiskError } from '../../runtime/disk.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { LogDirectory } from '../../storage/log-directory.ts'
import type { LogSettings } from '../../storage/settings.ts'
import type { Fetchers } from './fetchers.ts'
import { Partition, type Leadership, type PartitionParts } from './partition.ts'

export interface ReplicaOrder extends Leadership {
  readonly topic: string
  readonly partition: number
  readonly topicId: string | undefined
  /** The partition has just been made, so that there is no older data of it anywhere. */
  readonly isNew: boolean
}

export interface ReplicasParts extends PartitionParts {
  readonly logger: Logger
  readonly fetchers: Fetchers
  /** Those that could be opened. */
  readonly directories: readonly LogDirectory[]
  /** Some directory could not: what is missing may lie there. */
  readonly isIncomplete: boolean
}

/** All replicas of this broker, found by topic and partition without building a key. */
export class Replicas {
  readonly #parts: ReplicasParts
  readonly #topics = new Map<string, (Partition | undefined)[]>()
  #count = 0

  constructor(parts: ReplicasParts) {
    this.#parts = parts
    for (const directory of parts.directories) {
      for (const log of directory.logs.values()) this.#add(log)
      directory.onOffline(() => this.#directoryFailed(directory))
    }
  }

  get count(): number {
    return this.#count
  }

  get(topic: string, partition: number): Partition | undefined {
    return this.#topics.get(topic)?.[partition]
  }

  topicNames(): Iterable<string> {
    return this.#topics.keys()
  }

  has(topic: string): boolean {
    return this.#topics.has(topic)
  }

  /** The topic's id as its data has it; undefined: there is none, or no data. */
  topicId(topic: string): string | undefined {
    return this.#topics.get(topic)?.find((one) => one !== undefined)?.log.topicId
  }

  *all(): Generator<Partition> {
    for (const partitions of this.#topics.values())
      for (const partition of partitions) if (partition !== undefined) yield partition
  }

  /**
   * Carries out LeaderAndIsr for one partition: makes the log where it is missing, and leads or follows.
   * Nothing must be fetched for a partition that is to lead (`release`). Returns an error code.
   */
  obey(order: ReplicaOrder): number {
    const { brokerId, fetchers } = this.#parts
    if (!order.replicas.includes(brokerId)) return Errors.UNKNOWN_TOPIC_OR_PARTITION
    const known = this.get(order.topic, order.partition)
    const knownId = known?.log.topicId
    if (knownId !== undefined && order.topicId !== undefined && knownId !== order.topicId)
      return Errors.INCONSISTENT_TOPIC_ID
    const partition = known ?? this.#create(order)
    if (partition === undefined || partition.log.offline) return Errors.KAFKA_STORAGE_ERROR
    if (order.topicId !== undefined)
      this.#directoryOf(partition)?.adoptTopicId(partition.log, order.topicId)
    const error = partition.follow(order)
    if (partition.leadership === order && !partition.isLeader) fetchers.follow(partition)
    return error
  }

  /** Resolves when nothing is fetched for this partition any more. */
  async release(topic: string, partition: number): Promise<void> {
    const known = this.get(topic, partition)
    if (known !== undefined) await this.#parts.fetchers.release(known.log.name)
  }

  /** Kafka puts a new log where the fewest are. Undefined: no directory can take it. */
  #create({ topic, partition, topicId, isNew }: ReplicaOrder): Partition | undefined {
    const { directories, isIncomplete, logger } = this.#parts
    const working = directories.filter((one) => one.offlineBecause === undefined)
    // An empty log in place of one that only cannot be reached would be loss of data.
    if (!isNew && (isIncomplete || working.length < directories.length)) return undefined
    let best = working[0]
    for (const one of working) if (one.logs.size < (best?.logs.size ?? 0)) best = one
    if (best === undefined) return undefined
    try {
      return this.#add(best.create(topic, partition, topicId === undefined ? {} : { topicId }))
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      logger.error(`Cannot make the log of ${topic}-${partition}`, error)
      return undefined
    }
  }

  /** A topic's settings have changed. */
  configure(topic: string, settings: LogSettings): void {
    for (const partition of this.#topics.get(topic) ?? [])
      if (partition !== undefined) partition.log.settings = settings
  }

  /** Carries out StopReplica with deletion: the role ends, the data goes. Returns an error code. */
  remove(topic: string, index: number): number {
    const partitions = this.#topics.get(topic)
    const partition = partitions?.[index]
    if (partitions === undefined || partition === undefined) return Errors.NONE
    void this.#parts.fetchers.release(partition.log.name)
    partitions[index] = undefined
    if (partitions.every((one) => one === undefined)) this.#topics.delete(topic)
    this.#count -= 1
    partition.stop()
    try {
      this.#directoryOf(partition)?.remove(topic, index)
      return Errors.NONE
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.#parts.logger.error(`Cannot remove the log of ${topic}-${index}`, error)
      return Errors.KAFKA_STORAGE_ERROR
    }
  }

  /** The same for a whole topic. */
  removeTopic(topic: string): void {
    const partitions = this.#topics.get(topic) ?? []
    for (const index of [...partitions.keys()]) this.remove(topic, index)
  }

  #add(log: Partition['log']): Partition {
    const partition = new Partition(log, this.#parts)
    let partitions = this.#topics.get(log.topic)
    if (partitions === undefined) this.#topics.set(log.topic, (partitions = []))
    while (partitions.length < log.partition) partitions.push(undefined)
    partitions[log.partition] = partition
    this.#count += 1
    return partition
  }

  #directoryOf(partition: Partition): LogDirectory | undefined {
    return this.#parts.directories.find(
      (directory) => directory.get(partition.topic, partition.index) === partition.log,
    )
  }

  #directoryFailed(directory: LogDirectory): void {
    for (const partition of this.all())
      if (directory.get(partition.topic, partition.index) === partition.log) {
        void this.#parts.fetchers.release(partition.log.name)
        partition.moved()
      }
  }
}
