import { Errors } from '../kafka/errors.ts'
import type { LeaderAndIsr } from '../kafka/messages/leader-and-isr.ts'
import type { StopReplica } from '../kafka/messages/stop-replica.ts'
import type { UpdateMetadata } from '../kafka/messages/update-metadata.ts'
import { delay, type Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import { ZERO_UUID } from '../wire/reader.ts'
import type { ResponseOf } from '../wire/schema.ts'
import type { BrokerLink } from './controller/broker-link.ts'
import { readIfThere } from './controller/cluster-state.ts'
import type { Coordination } from './coordination.ts'
import type { GroupCoordinator } from './groups/coordinator.ts'
import type { MetadataCache, PartitionMetadata } from './metadata-cache.ts'
import {
  securityProtocolName,
  type LeaderAndIsrOrder,
  type StopReplicaOrder,
  type UpdateMetadataOrder,
} from './order-forms.ts'
import type { ReplicaOrder, Replicas } from './replication/replicas.ts'
import type { TopicConfigs } from './topic-configs.ts'
import { offsetsTopic } from './topic-names.ts'
import { decodeTopic, paths } from './znodes.ts'

export interface SubordinateParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly coordination: Coordination
  readonly replicas: Replicas
  readonly metadata: MetadataCache
  readonly configs: TopicConfigs
  readonly groups: GroupCoordinator
  readonly brokerId: number
  /** Of the registration as it is now: its czxid; -1 while there is none. */
  readonly brokerEpoch: () => number | bigint
}

interface PartitionError {
  readonly topicName: string
  readonly partitionIndex: number
  readonly errorCode: number
}

type PartitionState = LeaderAndIsrOrder['topicStates'][number]['partitionStates'][number]

/** Making a log takes some calls of the disk; after so many the loop sees to others. */
const logsAtOnceMax = 8
/** What a controller names as the leader of a partition that is being deleted. */
const leaderDuringDeletion = -2
const epochDuringDeletion = -2
const noEpoch = -1

/**
 * How this broker obeys a controller, its own or another broker's: orders of an older controller, or for
 * an earlier life of this broker, are refused; the others are carried out one after another, each to its
 * end (kafka.md D). Orders come in the newest form.
 */
export class Subordinate implements BrokerLink {
  readonly #parts: SubordinateParts
  #controllerEpoch = 0
  #tail: Promise<unknown> = Promise.resolve()
  /** Topics whose znodes have no id, so that they are not read again and again. */
  readonly #withoutId = new Set<string>()

  constructor(parts: SubordinateParts) {
    this.#parts = parts
  }

  /** Errors are told by names; answers of version 5 and above tell them by ids. */
  leaderAndIsr(order: LeaderAndIsrOrder): Promise<ResponseOf<typeof LeaderAndIsr>> {
    return this.#inOrder(async () => {
      const errorCode = this.#refusal(order)
      const partitionErrors = errorCode === Errors.NONE ? await this.#takeUp(order) : []
      return { errorCode, partitionErrors, topics: [] }
    })
  }

  stopReplica(order: StopReplicaOrder): Promise<ResponseOf<typeof StopReplica>> {
    return this.#inOrder(async () => {
      const errorCode = this.#refusal(order)
      const partitionErrors = errorCode === Errors.NONE ? await this.#stop(order) : []
      return { errorCode, partitionErrors }
    })
  }

  updateMetadata(order: UpdateMetadataOrder): Promise<ResponseOf<typeof UpdateMetadata>> {
    return this.#inOrder(async () => {
      const errorCode = this.#refusal(order)
      if (errorCode === Errors.NONE) await this.#learn(order)
      return { errorCode }
    })
  }

  #inOrder<T>(action: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(action)
    // Whoever ordered it hears of a failure; the next order is another matter.
    this.#tail = done.catch(() => undefined)
    return done
  }

  #refusal(order: { controllerEpoch: number; brokerEpoch: number | bigint }): number {
    const { controllerEpoch, brokerEpoch } = order
    if (brokerEpoch !== noEpoch && brokerEpoch < this.#parts.brokerEpoch())
      return Errors.STALE_BROKER_EPOCH
    if (controllerEpoch < this.#controllerEpoch) return Errors.STALE_CONTROLLER_EPOCH
    this.#controllerEpoch = controllerEpoch
    return Errors.NONE
  }

  async #takeUp({ topicStates }: LeaderAndIsrOrder): Promise<PartitionError[]> {
    const { replicas, configs, clock } = this.#parts
    await this.#countOffsetsPartitions(topicStates)
    const ids = await this.#topicIds(topicStates)
    // A new log is made with its topic's settings, which whoever made the topic wrote before it.
    const fresh = topicStates.filter(({ topicName }) => !replicas.has(topicName))
    await Promise.all(fresh.map(({ topicName }) => configs.read(topicName)))
    const errors: PartitionError[] = []
    let before = replicas.count
    for (const { topicName, partitionStates } of topicStates) {
      for (const state of partitionStates) {
        const errorCode = await this.#takeUpOne(topicName, ids.get(topicName), state)
        errors.push({ topicName, partitionIndex: state.partitionIndex, errorCode })
        if (replicas.count - before < logsAtOnceMax) continue
        before = replicas.count
        await delay(clock, 0)
      }
    }
    return errors
  }

  async #takeUpOne(
    topic: string,
    topicId: string | undefined,
    { partitionIndex: partition, ...state }: PartitionState,
  ): Promise<number> {
    const { replicas, brokerId, logger } = this.#parts
    const order: ReplicaOrder = { ...state, topic, partition, topicId }
    const known = replicas.get(topic, partition)
    const isKnown = known !== undefined && known.leaderEpoch === order.leaderEpoch
    const hadId = known?.log.topicId !== undefined
    const mayLead = order.leader === brokerId && order.leaderEpoch > (known?.leaderEpoch ?? -1)
    if (mayLead) await replicas.release(topic, partition)
    const error = replicas.obey(order)
    if (error !== Errors.NONE) {
      if (error === Errors.KAFKA_STORAGE_ERROR || error === Errors.INCONSISTENT_TOPIC_ID)
        logger.error(`Cannot take up partition ${topic}-${partition}: error ${error}`)
      return error
    }
    if (topic === offsetsTopic) this.#coordinate(partition)
    // The same order once more is of use only where it brings the topic's id.
    const isUseful = !isKnown || (!hadId && topicId !== undefined)
    return isUseful ? Errors.NONE : Errors.STALE_CONTROLLER_EPOCH
  }

  /** The groups of a partition of __consumer_offsets are its leader's. */
  #coordinate(index: number): void {
    const { replicas, groups } = this.#parts
    const partition = replicas.get(offsetsTopic, index)
    if (partition?.isLeader === true) groups.lead(partition)
    else groups.resign(index)
  }

  async #stop({ topicStates }: StopReplicaOrder): Promise<PartitionError[]> {
    const errors: PartitionError[] = []
    for (const { topicName, partitionStates } of topicStates) {
      for (const { partitionIndex, leaderEpoch, deletePartition } of partitionStates) {
        const errorCode = await this.#stopOne(topicName, partitionIndex, {
          leaderEpoch,
          isDeletion: deletePartition,
        })
        errors.push({ topicName, partitionIndex, errorCode })
      }
    }
    return errors
  }

  async #stopOne(
    topic: string,
    index: number,
    { leaderEpoch, isDeletion }: { leaderEpoch: number; isDeletion: boolean },
  ): Promise<number> {
    const { replicas, groups, logger } = this.#parts
    const partition = replicas.get(topic, index)
    if (partition === undefined) return Errors.NONE
    if (partition.log.offline) return Errors.KAFKA_STORAGE_ERROR
    const isUnconditional = leaderEpoch === noEpoch || leaderEpoch === epochDuringDeletion
    if (!isUnconditional && leaderEpoch < partition.leaderEpoch) return Errors.FENCED_LEADER_EPOCH
    await replicas.release(topic, index)
    if (topic === offsetsTopic) groups.resign(index)
    if (!isDeletion) return Errors.NONE
    const error = replicas.remove(topic, index)
    if (error !== Errors.NONE) logger.error(`Cannot delete ${topic}-${index}: error ${error}`)
    return error
  }

  async #learn({ controllerId, liveBrokers, topicStates }: UpdateMetadataOrder): Promise<void> {
    const { metadata } = this.#parts
    await this.#countOffsetsPartitions(topicStates)
    const ids = await this.#topicIds(topicStates)
    const brokers = liveBrokers.map(({ id, endpoints, rack }) => ({
      id,
      rack,
      endpoints: endpoints.map(({ listener, securityProtocol, host, port }) => ({
        ...{ listener, host, port },
        securityProtocol: securityProtocolName(securityProtocol),
      })),
    }))
    metadata.setBrokers(brokers, controllerId)
    for (const { topicName, partitionStates } of topicStates) {
      const rows = new Map<number, PartitionMetadata>()
      const deleted: number[] = []
      for (const { partitionIndex, leader, leaderEpoch, isr, replicas } of partitionStates)
        if (leader === leaderDuringDeletion) deleted.push(partitionIndex)
        else rows.set(partitionIndex, { leader, leaderEpoch, isr, replicas })
      if (rows.size > 0) metadata.setTopic(topicName, ids.get(topicName), rows)
      if (deleted.length > 0) this.#forget(topicName, deleted)
    }
  }

  #forget(topic: string, partitions: readonly number[]): void {
    const { metadata, configs, groups } = this.#parts
    metadata.removePartitions(topic, partitions)
    if (metadata.topic(topic) !== undefined) return
    this.#withoutId.delete(topic)
    configs.forget(topic)
    if (topic === offsetsTopic) groups.partitionCount = undefined
    else groups.forgetTopic(topic)
  }

  /** Orders tell of partitions that have a leader; groups are spread over all that there are. */
  async #countOffsetsPartitions(topics: readonly { readonly topicName: string }[]): Promise<void> {
    const { coordination, groups } = this.#parts
    const isTold = topics.some(({ topicName }) => topicName === offsetsTopic)
    if (!isTold || groups.partitionCount !== undefined) return
    const node = await coordination.insist((zookeeper) =>
      readIfThere(zookeeper, paths.topic(offsetsTopic)),
    )
    groups.partitionCount = node && decodeTopic(node.data)?.partitions.size
  }

  /** By name: as the order tells, or as it is known, or as the topic's znode has it. */
  async #topicIds(
    topics: readonly { readonly topicName: string; readonly topicId: string }[],
  ): Promise<Map<string, string>> {
    const { metadata, replicas } = this.#parts
    const ids = new Map<string, string>()
    const unknown: string[] = []
    for (const { topicName, topicId } of topics) {
      const known =
        topicId === ZERO_UUID
          ? (metadata.topic(topicName)?.topicId ?? replicas.topicId(topicName))
          : topicId
      if (known !== undefined) ids.set(topicName, known)
      else if (!this.#withoutId.has(topicName)) unknown.push(topicName)
    }
    await Promise.all(unknown.map((topic) => this.#readTopicId(topic, ids)))
    return ids
  }

  /** Levels below 2.8 tell no ids, but whoever made the topic may have given it one. */
  async #readTopicId(topic: string, ids: Map<string, string>): Promise<void> {
    const node = await this.#parts.coordination.insist((zookeeper) =>
      readIfThere(zookeeper, paths.topic(topic)),
    )
    const topicId = node && decodeTopic(node.data)?.topicId
    if (topicId === undefined) this.#withoutId.add(topic)
    else ids.set(topic, topicId)
  }
}
