import { BrokerConnection } from '../../client/connection.ts'
import { clientError } from '../../client/errors.ts'
import { Errors } from '../../kafka/errors.ts'
import { Fetch } from '../../kafka/messages/fetch.ts'
import { ListOffsets } from '../../kafka/messages/list-offsets.ts'
import { OffsetForLeaderEpoch } from '../../kafka/messages/offset-for-leader-epoch.ts'
import type { Ports } from '../../runtime/service.ts'
import type { ResponseOf } from '../../wire/schema.ts'
import type { SessionRequest } from './follower-session.ts'
import type { ReplicationSettings } from './settings.ts'

export interface LeaderLinkOptions {
  readonly brokerId: number
  readonly clientId: string
  readonly settings: ReplicationSettings
  /** Where the leader is reached by brokers; undefined: it is not known to live. */
  readonly address: () => { readonly host: string; readonly port: number } | undefined
}

export type FetchAnswer = ResponseOf<typeof Fetch>
export type FetchedPartition = FetchAnswer['responses'][number]['partitions'][number]

export interface EpochQuestion {
  readonly topic: string
  readonly partition: number
  readonly currentLeaderEpoch: number
  readonly leaderEpoch: number
}

export type EpochAnswer = ResponseOf<typeof OffsetForLeaderEpoch>['topics'][number]

export const latestOffset = -1
export const earliestOffset = -2

/**
 * A follower's way to a leader. Versions are those of the inter-broker level, not negotiated, as between
 * originals (kafka.md D). Every method throws KafkaError when the leader cannot be asked.
 */
export class LeaderLink {
  readonly #ports: Pick<Ports, 'clock' | 'network'>
  readonly #options: LeaderLinkOptions
  #connection: BrokerConnection | undefined
  #isClosed = false

  constructor(ports: Pick<Ports, 'clock' | 'network'>, options: LeaderLinkOptions) {
    this.#ports = ports
    this.#options = options
  }

  async fetch(request: SessionRequest): Promise<FetchAnswer> {
    const { brokerId, settings } = this.#options
    const connection = await this.#connected()
    return connection.request(Fetch, settings.level.fetch, {
      replicaId: brokerId,
      maxWaitMs: settings.fetchWaitMaxMs,
      minBytes: settings.fetchMinBytes,
      maxBytes: settings.fetchResponseMaxBytes,
      ...request,
    })
  }

  /** Where the followers' latest epochs end in the leader's log. */
  async epochEnds(questions: readonly EpochQuestion[]): Promise<EpochAnswer[]> {
    const { brokerId, settings } = this.#options
    const topics = new Map<string, { topic: string; partitions: EpochQuestion[] }>()
    for (const question of questions) {
      const { topic } = question
      const row = topics.get(topic)
      if (row === undefined) topics.set(topic, { topic, partitions: [question] })
      else row.partitions.push(question)
    }
    const connection = await this.#connected()
    const body = { replicaId: brokerId, topics: [...topics.values()] }
    const version = settings.level.offsetForLeaderEpoch
    return (await connection.request(OffsetForLeaderEpoch, version, body)).topics
  }

  /** Where the leader's log begins or ends. */
  async offset(
    of: { readonly topic: string; readonly partition: number; readonly leaderEpoch: number },
    timestamp: typeof latestOffset | typeof earliestOffset,
  ): Promise<{ readonly errorCode: number; readonly offset: number }> {
    const { brokerId, settings } = this.#options
    const { topic: name, partition: partitionIndex, leaderEpoch: currentLeaderEpoch } = of
    const partitions = [{ partitionIndex, currentLeaderEpoch, timestamp }]
    const connection = await this.#connected()
    const body = { replicaId: brokerId, topics: [{ name, partitions }] }
    const answer = await connection.request(ListOffsets, settings.level.listOffsets, body)
    const row = answer.topics[0]?.partitions[0]
    if (row === undefined)
      throw clientError('BAD_RESPONSE', `no offset of ${name}-${partitionIndex}`)
    const { errorCode, offset, oldStyleOffsets } = row
    return { errorCode, offset: Number(oldStyleOffsets[0] ?? offset) }
  }

  /** The next question connects anew. */
  disconnect(): void {
    this.#connection?.close()
    this.#connection = undefined
  }

  close(): void {
    this.#isClosed = true
    this.disconnect()
  }

  async #connected(): Promise<BrokerConnection> {
    if (this.#connection?.isOpen === true) return this.#connection
    const { clientId, settings } = this.#options
    const address = this.#options.address()
    if (address === undefined) throw clientError('NO_BROKER_REACHABLE', 'the leader is not alive')
    const connection = new BrokerConnection(this.#ports, {
      host: address.host,
      port: address.port,
      clientId,
      requestTimeoutMs: settings.socketTimeoutMs,
      negotiate: false,
    })
    this.#connection = connection
    await connection.connect()
    if (this.#isClosed) {
      connection.close()
      throw clientError('CLIENT_CLOSED', 'the fetcher has stopped')
    }
    return connection
  }
}

/** The leader has most likely not had the order yet that made it the leader. */
export function isUntold(errorCode: number): boolean {
  return (
    errorCode === Errors.UNKNOWN_TOPIC_OR_PARTITION ||
    errorCode === Errors.NOT_LEADER_OR_FOLLOWER ||
    errorCode === Errors.UNKNOWN_LEADER_EPOCH
  )
}
