import { Errors } from '../../kafka/errors.ts'
import { DiskError } from '../../runtime/disk.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { LogDirectory } from '../../storage/log-directory.ts'
import type { LogSettings } from '../../storage/settings.ts'
import type { Turn } from '../turn.ts'
import { Partition, type Leadership } from './partition.ts'

export interface ReplicaOrder extends Leadership {
  readonly topic: string
  readonly partition: number
  readonly topicId: string | undefined
  /** The partition has just been made, so that there is no older data of it anywhere. */
  readonly isNew: boolean
}

export interface ReplicasParts {
  readonly turn: Turn
  readonly logger: Logger
  /** Those that could be opened. */
  readonly directories: readonly LogDirectory[]
  /** Some directory could not: what is missing may lie there. */
  readonly isIncomplete: boolean
}

/** All replicas of this broker, found by topic and partition without building a key. */
export class Replicas {
  readonly #brokerId: number
  readonly #parts: ReplicasParts
  readonly #topics = new Map<string, (Partition | undefined)[]>()
  #count = 0

  constructor(brokerId: number, parts: ReplicasParts) {
    this.#brokerId = brokerId
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

  /** Carries out LeaderAndIsr for one partition: makes the log where it is missing. Error code. */
  obey(order: ReplicaOrder): number {
    if (!order.replicas.includes(this.#brokerId)) return Errors.UNKNOWN_TOPIC_OR_PARTITION
    const known = this.get(order.topic, order.partition)
    const knownId = known?.log.topicId
    if (knownId !== undefined && order.topicId !== undefined && knownId !== order.topicId)
      return Errors.INCONSISTENT_TOPIC_ID
    const partition = known ?? this.#create(order)
    return partition === undefined ? Errors.KAFKA_STORAGE_ERROR : partition.follow(order)
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

  /** Carries out StopReplica with deletion for a whole topic: roles end, data goes. */
  removeTopic(topic: string): void {
    const partitions = this.#topics.get(topic) ?? []
    this.#topics.delete(topic)
    for (const partition of partitions) {
      if (partition === undefined) continue
      this.#count -= 1
      partition.stop()
      try {
        this.#directoryOf(partition)?.remove(topic, partition.index)
      } catch (error) {
        if (!(error instanceof DiskError)) throw error
        this.#parts.logger.error(`Cannot remove the log of ${topic}-${partition.index}`, error)
      }
    }
  }

  #add(log: Partition['log']): Partition {
    const partition = new Partition(log, this.#brokerId, this.#parts.turn)
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
      if (directory.get(partition.topic, partition.index) === partition.log) partition.moved()
  }
}
