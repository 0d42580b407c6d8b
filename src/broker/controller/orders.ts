import type { ReplicaOrder } from '../replication/replicas.ts'
import type { BrokerRegistration } from '../znodes.ts'

/**
 * What a controller tells brokers, in the words of LeaderAndIsr, UpdateMetadata and StopReplica. A
 * broker obeys in the order of the calls.
 */
export interface Orders {
  /** The live brokers, whole, and the controller among them. */
  announceBrokers(brokers: readonly BrokerRegistration[], controllerId: number): void
  /** What clients are to be told of these partitions. */
  announcePartitions(partitions: readonly ReplicaOrder[]): void
  /** Each broker takes up its replicas of these partitions. */
  lead(partitions: readonly ReplicaOrder[]): void
  /** The topic goes: replicas, data and metadata. */
  removeTopic(topic: string, partitionCount: number): void
}
