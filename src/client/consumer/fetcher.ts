// Fetches records from the leaders of the assigned partitions, one request at a time from each, and
// keeps what came until poll() takes it. Bounded by bytes; at most two chunks of a partition wait.
import { errorOf, Errors } from '../../kafka/errors.ts'
import { Fetch } from '../../kafka/messages/fetch.ts'
import type { ResponseOf } from '../../wire/schema.ts'
import type { Cluster } from '../cluster.ts'
import { brokerError, isRetriable, KafkaError } from '../errors.ts'
import { leaderOf } from '../metadata.ts'
import type { BrokerNode } from '../types.ts'
import { exact } from '../versions.ts'
import { FetchedChunk } from './chunk.ts'
import { type ConsumedPartition, jumpToUnknown, type PartitionTable } from './partitions.ts'
import type { CompleteConsumerSettings } from './settings.ts'
import type { ConsumedRecord } from './types.ts'

export interface FetcherEvents {
  /** Records, an error or a need came up: poll() should look. */
  readonly onChange: () => void
  readonly onStale: () => void
}

interface Buffered {
  readonly state: ConsumedPartition
  readonly jumps: number
  readonly chunk: FetchedChunk
}

interface Asked {
  readonly state: ConsumedPartition
  readonly jumps: number
  readonly offset: number
}

interface PartitionRequest {
  readonly partition: number
  readonly currentLeaderEpoch: number
  readonly fetchOffset: number
  readonly partitionMaxBytes: number
}

type PartitionData = ResponseOf<typeof Fetch>['responses'][number]['partitions'][number]

const chunksOfPartitionMax = 2

export class Fetcher {
  readonly #cluster: Cluster
  readonly #settings: CompleteConsumerSettings
  readonly #purpose: string
  readonly #table: PartitionTable
  readonly #events: FetcherEvents
  /** In the order of arrival. */
  #buffered: Buffered[] = []
  #bufferedBytes = 0
  readonly #asking = new Set<number>()
  #error: KafkaError | undefined
  #rotation = 0
  #closed = false

  constructor(
    cluster: Cluster,
    settings: CompleteConsumerSettings,
    purpose: string,
    table: PartitionTable,
    events: FetcherEvents,
  ) {
    this.#cluster = cluster
    this.#settings = settings
    this.#purpose = purpose
    this.#table = table
    this.#events = events
  }

  /** Sends what may be fetched now. */
  pump(): void {
    if (this.#closed || this.#bufferedBytes >= this.#settings.prefetchBytesMax) return
    const nowMs = this.#cluster.ports.clock.monotonicMs()
    const byLeader = new Map<BrokerNode, ConsumedPartition[]>()
    const chunks = new Map<ConsumedPartition, number>()
    for (const { state } of this.#buffered) chunks.set(state, (chunks.get(state) ?? 0) + 1)
    for (const state of this.#table.values()) {
      const waits = state.paused || state.position === undefined || state.asked
      if (waits || state.notBeforeMs > nowMs) continue
      if ((chunks.get(state) ?? 0) >= chunksOfPartitionMax) continue
      const leader = leaderOf(this.#cluster.metadata, state.topic, state.partition)
      if (leader === undefined) this.#events.onStale()
      else if (!this.#asking.has(leader.nodeId)) {
        const known = byLeader.get(leader)
        if (known === undefined) byLeader.set(leader, [state])
        else known.push(state)
      }
    }
    for (const [leader, states] of byLeader) void this.#fetch(leader, states)
  }

  /**
   * Up to `max` records; none where nothing is buffered. @throws KafkaError once for each failure
   */
  take(max: number): ConsumedRecord[] {
    const records: ConsumedRecord[] = []
    while (records.length < max) {
      const first = this.#buffered.findIndex((entry) => !isHeld(entry))
      const entry = this.#buffered[first]
      if (entry === undefined) break
      const { state, chunk } = entry
      if (this.#isVoid(entry)) {
        this.#drop(first)
        continue
      }
      try {
        chunk.take(max - records.length, records)
      } catch (error) {
        // What was read before the bad batch goes out first; the error comes with the next poll.
        state.position = chunk.position
        if (records.length > 0) break
        throw error
      }
      state.position = chunk.position
      state.positionEpoch = chunk.epoch
      if (chunk.isDone) this.#drop(first)
    }
    if (records.length === 0 && this.#error !== undefined) {
      const error = this.#error
      this.#error = undefined
      throw error
    }
    return records
  }

  /** Forgets what was fetched for partitions that are gone or jumped. */
  sweep(): void {
    for (let at = this.#buffered.length - 1; at >= 0; at--) {
      const entry = this.#buffered[at]
      if (entry !== undefined && this.#isVoid(entry)) this.#drop(at)
    }
  }

  close(): void {
    this.#closed = true
    this.#buffered = []
    this.#bufferedBytes = 0
    this.#cluster.connections.closePurpose(this.#purpose)
  }

  async #fetch(leader: BrokerNode, states: ConsumedPartition[]): Promise<void> {
    this.#asking.add(leader.nodeId)
    // Brokers fill an answer in the order of the partitions: another one begins each time.
    this.#rotation += 1
    const turn = this.#rotation % states.length
    const rotated = [...states.slice(turn), ...states.slice(0, turn)]
    const asked = new Map<string, Asked>()
    for (const state of rotated) {
      state.asked = true
      const key = `${state.partition} ${state.topic}`
      asked.set(key, { state, jumps: state.jumps, offset: state.fetchOffset })
    }
    try {
      const answer = await this.#ask(leader, rotated)
      if (answer.errorCode !== Errors.NONE) throw brokerError(answer.errorCode, 'Fetch')
      for (const { topic, partitions } of answer.responses) {
        for (const data of partitions) {
          const question = asked.get(`${data.partitionIndex} ${topic}`)
          if (question !== undefined) this.#onAnswer(question, data)
        }
      }
    } catch (error) {
      this.#onFailure(states, error)
    } finally {
      for (const state of states) state.asked = false
      this.#asking.delete(leader.nodeId)
      if (!this.#closed) this.#events.onChange()
    }
  }

  async #ask(
    leader: BrokerNode,
    states: readonly ConsumedPartition[],
  ): Promise<ResponseOf<typeof Fetch>> {
    const settings = this.#settings
    const connection = await this.#cluster.connections.to(leader, this.#purpose)
    // From version 13 on topics go by id; names serve every broker up to 4.x.
    const version = connection.version(Fetch, { max: 12 })
    const topics = new Map<string, PartitionRequest[]>()
    for (const state of states) {
      const partition = this.#partitionOf(state)
      const known = topics.get(state.topic)
      if (known === undefined) topics.set(state.topic, [partition])
      else known.push(partition)
    }
    return connection.request(
      Fetch,
      version,
      {
        maxWaitMs: settings.fetchMaxWaitMs,
        minBytes: settings.fetchMinBytes,
        maxBytes: settings.fetchBytesMax,
        isolationLevel: settings.isolationLevel === 'read_committed' ? 1 : 0,
        sessionId: 0,
        sessionEpoch: -1,
        topics: [...topics].map(([topic, partitions]) => ({ topic, partitions })),
      },
      { timeoutMs: this.#cluster.settings.requestTimeoutMs + settings.fetchMaxWaitMs },
    )
  }

  #partitionOf(state: ConsumedPartition): PartitionRequest {
    const known = this.#cluster.metadata.topics.get(state.topic)?.partitions[state.partition]
    return {
      partition: state.partition,
      currentLeaderEpoch: known?.leaderEpoch ?? -1,
      fetchOffset: state.fetchOffset,
      partitionMaxBytes: state.fetchBytes,
    }
  }

  #onAnswer(asked: Asked, data: PartitionData): void {
    const { state, jumps } = asked
    if (!this.#table.has(state) || state.jumps !== jumps) return
    try {
      this.#onPartition(asked, data)
    } catch (error) {
      // Damaged bytes or numbers beyond 2^53: asking again would give the same, so poll() must
      // tell.
      this.#pauseBriefly(state)
      const detail = `${state.topic}-${state.partition}`
      this.#error =
        error instanceof KafkaError
          ? error
          : brokerError(Errors.CORRUPT_MESSAGE, detail, String(error))
    }
  }

  #onPartition({ state, jumps, offset }: Asked, data: PartitionData): void {
    if (data.errorCode !== Errors.NONE) {
      this.#onError(state, data.errorCode)
      return
    }
    const committedOnly = this.#settings.isolationLevel === 'read_committed'
    const stable = exact(data.lastStableOffset)
    state.endOffset = committedOnly && stable >= 0 ? stable : exact(data.highWatermark)
    const bytes = data.records
    if (bytes === null || bytes.length === 0) return
    const aborted = data.abortedTransactions?.map((transaction) => ({
      producerId: Number(transaction.producerId),
      firstOffset: exact(transaction.firstOffset),
    }))
    const chunk = new FetchedChunk({
      topic: state.topic,
      partition: state.partition,
      bytes,
      fetchOffset: offset,
      aborted: committedOnly ? (aborted ?? []) : undefined,
      decompressedBytesMax: this.#settings.decompressedBytesMax,
    })
    if (chunk.isCutOff) {
      this.#grow(state)
      return
    }
    state.fetchOffset = chunk.endOffset
    this.#buffered.push({ state, jumps, chunk })
    this.#bufferedBytes += chunk.heldBytes
  }

  #onError(state: ConsumedPartition, errorCode: number): void {
    const name = `${state.topic}-${state.partition}`
    const row = errorOf(errorCode)
    this.#pauseBriefly(state)
    if (errorCode === Errors.OFFSET_OUT_OF_RANGE) {
      if (this.#settings.autoOffsetReset === 'none') {
        this.#error = brokerError(errorCode, `${name} at ${state.fetchOffset}`)
      } else {
        const policy = this.#settings.autoOffsetReset
        const { logger } = this.#cluster.ports
        logger.warn(`${name}: offset ${state.fetchOffset} is out of range, going to ${policy}`)
        jumpToUnknown(state, 'policy')
      }
    } else if (row.refreshesMetadata || isLeaderEpochError(errorCode)) this.#events.onStale()
    else if (errorCode === Errors.UNKNOWN_SERVER_ERROR) {
      this.#cluster.ports.logger.warn(`${name}: the broker failed to read; trying again`)
    } else if (!row.retriable || errorCode === Errors.CORRUPT_MESSAGE) {
      this.#error = brokerError(errorCode, name)
    }
  }

  #onFailure(states: readonly ConsumedPartition[], error: unknown): void {
    for (const state of states) this.#pauseBriefly(state)
    if (this.#closed) return
    if (isRetriable(error)) this.#events.onStale()
    else if (error instanceof KafkaError) this.#error = error
    else this.#error = brokerError(Errors.UNKNOWN_SERVER_ERROR, 'Fetch', String(error))
  }

  #grow(state: ConsumedPartition): void {
    if (state.fetchBytes >= this.#settings.fetchBytesMax) {
      const detail = `${state.topic}-${state.partition} at ${state.fetchOffset}`
      this.#error = brokerError(Errors.MESSAGE_TOO_LARGE, detail)
      this.#pauseBriefly(state)
    }
    state.fetchBytes = Math.min(state.fetchBytes * 2, this.#settings.fetchBytesMax)
  }

  #pauseBriefly(state: ConsumedPartition): void {
    const { clock } = this.#cluster.ports
    const waitMs = this.#cluster.retryDelayMs(1)
    state.notBeforeMs = clock.monotonicMs() + waitMs
    clock.schedule(waitMs, () => this.#events.onChange())
  }

  #isVoid({ state, jumps }: Buffered): boolean {
    return state.jumps !== jumps || !this.#table.has(state)
  }

  #drop(at: number): void {
    const [entry] = this.#buffered.splice(at, 1)
    this.#bufferedBytes -= entry?.chunk.heldBytes ?? 0
  }
}

/** Paused partitions keep what they have. */
function isHeld({ state, jumps }: Buffered): boolean {
  return state.paused && state.jumps === jumps
}

function isLeaderEpochError(errorCode: number): boolean {
  return errorCode === Errors.FENCED_LEADER_EPOCH || errorCode === Errors.UNKNOWN_LEADER_EPOCH
}
