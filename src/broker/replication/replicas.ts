import { Errors } from '../../kafka/errors.ts'
import type { LogDirectory } from '../../storage/log-directory.ts'
import type { LogSettings } from '../../storage/settings.ts'
import type { Turn } from '../turn.ts'
import { Partition, type Leadership } from './partition.ts'

export interface ReplicaOrder extends Leadership {
  readonly topic: string
  readonly partition: number
  readonly topicId: string | undefined
}

/** All replicas of this broker, found by topic and partition without building a key. */
export class Replicas {
  readonly #brokerId: number
  readonly #turn: Turn
  readonly #directories: readonly LogDirectory[]
  readonly #topics = new Map<string, (Partition | undefined)[]>()
  readonly #topicOfId = new Map<string, string>()
  #count = 0

  constructor(brokerId: number, turn: Turn, directories: readonly LogDirectory[]) {
    this.#brokerId = brokerId
    this.#turn = turn
    this.#directories = directories
    for (const directory of directories) for (const log of directory.logs.values()) this.#add(log)
  }

  get count(): number {
    return this.#count
  }

  get(topic: string, partition: number): Partition | undefined {
    return this.#topics.get(topic)?.[partition]
  }

  topicOfId(id: string): string | undefined {
    return this.#topicOfId.get(id)
  }

  *all(): Generator<Partition> {
    for (const partitions of this.#topics.values())
      for (const partition of partitions) if (partition !== undefined) yield partition
  }

  /** Carries out LeaderAndIsr for one partition: makes the log where it is missing. Error code. */
  obey(order: ReplicaOrder): number {
    if (!order.replicas.includes(this.#brokerId)) return Errors.UNKNOWN_TOPIC_OR_PARTITION
    if (order.topicId !== undefined) this.#topicOfId.set(order.topicId, order.topic)
    let partition = this.get(order.topic, order.partition)
    if (partition === undefined) {
      const directory = this.#emptiest()
      if (directory === undefined) return Errors.KAFKA_STORAGE_ERROR
      const options = order.topicId === undefined ? {} : { topicId: order.topicId }
      partition = this.#add(directory.create(order.topic, order.partition, options))
    } else if (order.topicId !== undefined && partition.log.topicId !== undefined) {
      if (partition.log.topicId !== order.topicId) return Errors.INCONSISTENT_TOPIC_ID
    }
    return partition.follow(order)
  }

  /** A topic's settings have changed. */
  configure(topic: string, settings: LogSettings): void {
    for (const partition of this.#topics.get(topic) ?? [])
      if (partition !== undefined) partition.log.settings = settings
  }

  /** Carries out StopReplica: the role ends, and with `remove` the data goes. */
  stop(topic: string, partitionIndex: number, remove: boolean): void {
    const partitions = this.#topics.get(topic)
    const partition = partitions?.[partitionIndex]
    if (partitions === undefined || partition === undefined) return
    partition.stop()
    if (!remove) return
    if (partition.log.topicId !== undefined) this.#topicOfId.delete(partition.log.topicId)
    this.#directoryOf(partition)?.remove(topic, partitionIndex)
    partitions[partitionIndex] = undefined
    this.#count -= 1
    if (partitions.every((one) => one === undefined)) this.#topics.delete(topic)
  }

  #add(log: Partition['log']): Partition {
    const partition = new Partition(log, this.#brokerId, this.#turn)
    let partitions = this.#topics.get(log.topic)
    if (partitions === undefined) this.#topics.set(log.topic, (partitions = []))
    while (partitions.length < log.partition) partitions.push(undefined)
    partitions[log.partition] = partition
    if (log.topicId !== undefined) this.#topicOfId.set(log.topicId, log.topic)
    this.#count += 1
    return partition
  }

  #directoryOf(partition: Partition): LogDirectory | undefined {
    return this.#directories.find(
      (directory) => directory.get(partition.topic, partition.index) === partition.log,
    )
  }

  /** Kafka puts a new log where the fewest are. */
  #emptiest(): LogDirectory | undefined {
    let best: LogDirectory | undefined
    for (const directory of this.#directories) {
      if (directory.offlineBecause !== undefined) continue
      if (best === undefined || directory.logs.size < best.logs.size) best = directory
    }
    return best
  }
}
