import type { Ports } from '../../runtime/service.ts'
import type { ZooKeeperClient } from '../../zookeeper/client/client.ts'
import type { Cluster } from './cluster.ts'
import type { Links } from './links.ts'
import type { Office } from './office.ts'
import type { OrderBatch } from './order-batch.ts'
import type { StateWriter } from './state-writer.ts'
import type { IgnoreNode } from './unreadable.ts'

export interface ControllerSettings {
  readonly brokerId: number
  readonly topicDeletionAllowed: boolean
  /** unclean.leader.election.enable, which topics can override. */
  readonly isUncleanElectionAllowed: () => boolean
  /** auto.leader.rebalance.enable; undefined: leaders stay where they are. */
  readonly rebalance?: RebalanceSettings
}

export interface RebalanceSettings {
  readonly intervalMs: number
  /** Of a broker's preferred leaderships, how many may be led elsewhere. */
  readonly imbalancePercentMax: number
}

/** What a broker's properties say of controllers, and of what brokers say to them. */
export interface ControlSettings {
  /** Undefined: auto.leader.rebalance.enable is off. */
  readonly rebalance?: RebalanceSettings
  /** controller.socket.timeout.ms */
  readonly socketTimeoutMs: number
  /** controlled.shutdown.max.retries; 0: controlled.shutdown.enable is off. */
  readonly shutdownAttemptsMax: number
  /** controlled.shutdown.retry.backoff.ms */
  readonly shutdownBackoffMs: number
}

/** What the duties of one term of office work with. */
export interface Desk {
  readonly ports: Pick<Ports, 'clock' | 'random' | 'logger'>
  readonly settings: ControllerSettings
  readonly zookeeper: ZooKeeperClient
  readonly office: Office
  readonly cluster: Cluster
  readonly states: StateWriter
  readonly links: Links
  readonly ignore: IgnoreNode
  /** Words the batch and sends it to the brokers it concerns. */
  send(batch: OrderBatch): void
  /** Runs as an event of its own after those that wait already, unless the term is over by then. */
  enqueue(what: string, action: () => Promise<void>): void
}
