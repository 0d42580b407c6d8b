import type { ReplicaOrder } from '../replication/replicas.ts'
import type { BrokerRegistration } from '../znodes.ts'

/** A topic as brokers are told of it: its partitions that have a leader, or had one. */
export interface TopicOrder {
  readonly topic: string
  readonly topicId: string | undefined
  readonly partitions: readonly ReplicaOrder[]
}

/**
 * What a controller tells brokers, in the words of LeaderAndIsr, UpdateMetadata and StopReplica. A
 * broker obeys in the order of the calls.
 */
export interface Orders {
  /** The live brokers, whole, and the controller among them. */
  announceBrokers(brokers: readonly BrokerRegistration[], controllerId: number): void
  /** What clients are to be told of these topics. */
  announceTopics(topics: readonly TopicOrder[]): void
  /** Each broker takes up its replicas of these topics. */
  lead(topics: readonly TopicOrder[]): Promise<void>
  /** The topic goes: no broker leads it any more, and its data is removed. */
  removeTopic(topic: string): void
  /** It is gone: clients are not told of it any more. */
  forgetTopic(topic: string): void
  /** The id that the topic's data has, from before the controller's time. */
  storedTopicId(topic: string): string | undefined
}
