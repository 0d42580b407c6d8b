// Fetches records from the brokers of the assigned partitions, leaders or followers near by, and
// keeps what came until poll() takes it. Bounded by bytes; at most two chunks of a partition wait.
import { errorOf, Errors } from '../../kafka/errors.ts'
import type { Cluster } from '../cluster.ts'
import { brokerError, isRetriable, KafkaError } from '../errors.ts'
import { type ClusterMetadata, leaderOf, topicIdOf } from '../metadata.ts'
import type { BrokerNode } from '../types.ts'
import { exact } from '../versions.ts'
import { FetchBuffer } from './buffer.ts'
import { FetchedChunk } from './chunk.ts'
import { type Answered, FetchLane, type LaneContext } from './fetch-lane.ts'
import type { FetchTarget } from './fetch-session.ts'
import type { ConsumedPartition, PartitionTable } from './partitions.ts'
import type { CompleteConsumerSettings } from './settings.ts'
import type { ConsumedRecord } from './types.ts'

export interface FetcherEvents {
  /** Records, an error or a need came up: poll() should look. */
  readonly onChange: () => void
  readonly onStale: () => void
}

export class Fetcher {
  readonly #cluster: Cluster
  readonly #settings: CompleteConsumerSettings
  readonly #purpose: string
  readonly #table: PartitionTable
  readonly #events: FetcherEvents
  readonly #buffer: FetchBuffer
  readonly #lanes = new Map<number, FetchLane>()
  readonly #laneOf = new Map<ConsumedPartition, FetchLane>()
  readonly #laneContext: LaneContext
  /** The metadata by which partitions were placed last. */
  #placedBy: ClusterMetadata | undefined
  #error: KafkaError | undefined
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
    this.#buffer = new FetchBuffer(table)
    this.#laneContext = {
      settings,
      requestTimeoutMs: cluster.settings.requestTimeoutMs,
      connect: (node) => cluster.connections.to(node, purpose),
      targetOf: (state) => this.#targetOf(state),
    }
  }

  /** Sends what may be fetched now. */
  pump(): void {
    if (this.#closed) return
    this.#place()
    if (this.#buffer.bytes >= this.#settings.prefetchBytesMax) return
    for (const lane of this.#lanes.values()) if (lane.mayFetch) void this.#fetch(lane)
  }

  /**
   * Up to `max` records; none where nothing is buffered. @throws KafkaError once for each failure
   */
  take(max: number): ConsumedRecord[] {
    const records: ConsumedRecord[] = []
    while (records.length < max) {
      const entry = this.#buffer.next()
      if (entry === undefined) break
      const { state, chunk } = entry
      try {
        chunk.take(max - records.length, records)
      } catch (error) {
        // What was read before the bad batch goes out first; the error comes with the next poll.
        this.#table.advance(state, chunk.position, chunk.epoch)
        if (records.length > 0) break
        throw error
      }
      this.#table.advance(state, chunk.position, chunk.epoch)
      if (chunk.isDone) this.#buffer.drop()
    }
    if (records.length === 0 && this.#error !== undefined) {
      const error = this.#error
      this.#error = undefined
      throw error
    }
    return records
  }

  resume(state: ConsumedPartition): void {
    this.#buffer.resume(state)
  }

  close(): void {
    this.#closed = true
    this.#buffer.clear()
    this.#cluster.connections.closePurpose(this.#purpose)
  }

  /** Gives each partition that changed, or each one after news, to the lane of its broker. */
  #place(): void {
    const { metadata } = this.#cluster
    const changed = this.#table.takeChanged()
    const news = metadata !== this.#placedBy
    this.#placedBy = metadata
    if (news) for (const state of this.#table.values()) this.#placeOne(state)
    for (const state of changed) this.#placeOne(state)
    // Looking for a leader may have found out more.
    for (const state of this.#table.takeChanged()) this.#laneOf.get(state)?.touch(state)
    if (!news) return
    for (const [nodeId, lane] of this.#lanes) if (lane.isIdle) this.#lanes.delete(nodeId)
  }

  #placeOne(state: ConsumedPartition): void {
    this.#buffer.sweep(state)
    const before = this.#laneOf.get(state)
    const node = this.#table.has(state) ? this.#nodeOf(state) : undefined
    const lane = node === undefined ? undefined : this.#laneTo(node)
    if (before !== lane) {
      before?.remove(state)
      if (lane === undefined) this.#laneOf.delete(state)
      else this.#laneOf.set(state, lane)
    }
    lane?.touch(state)
  }

  /** Where it is read: at its leader, or the follower the leader named. */
  #nodeOf(state: ConsumedPartition): BrokerNode | undefined {
    const { metadata, ports } = this.#cluster
    const leader = leaderOf(metadata, state.topic, state.partition)
    if (leader === undefined) {
      this.#events.onStale()
      return undefined
    }
    const epoch = metadata.topics.get(state.topic)?.partitions[state.partition]?.leaderEpoch ?? -1
    // Metadata believes no older epoch, unless the topic was made anew: then epochs begin anew too.
    if (epoch !== state.leaderEpoch) {
      const isNew = state.leaderEpoch >= 0 && epoch >= 0
      state.leaderEpoch = epoch
      // The new leader may lack what the old one gave us.
      if (isNew && state.need === 'nothing' && state.positionEpoch >= 0) this.#table.check(state)
    }
    const { follower } = state
    if (follower === undefined) return leader
    const node = metadata.brokers.get(follower.nodeId)
    if (node !== undefined && follower.untilMs > ports.clock.monotonicMs()) return node
    state.follower = undefined
    if (node === undefined) {
      // The leader would send us there again at once.
      this.#events.onStale()
      this.#pauseBriefly([state])
    }
    return leader
  }

  #laneTo(node: BrokerNode): FetchLane {
    const known = this.#lanes.get(node.nodeId)
    const isSame = known?.node.host === node.host && known.node.port === node.port
    if (known !== undefined && isSame) return known
    const lane = new FetchLane(node, this.#laneContext)
    this.#lanes.set(node.nodeId, lane)
    return lane
  }

  #targetOf(state: ConsumedPartition): FetchTarget | undefined {
    const waits = state.paused || state.need !== 'nothing' || state.position === undefined
    if (waits || !this.#table.has(state)) return undefined
    if (state.notBeforeMs > this.#cluster.ports.clock.monotonicMs()) return undefined
    return {
      topic: state.topic,
      topicId: topicIdOf(this.#cluster.metadata, state.topic),
      partition: state.partition,
      fetchOffset: state.fetchOffset,
      leaderEpoch: state.leaderEpoch,
      bytesMax: state.fetchBytes,
    }
  }

  async #fetch(lane: FetchLane): Promise<void> {
    let answered = false
    try {
      await lane.fetch((answer) => {
        answered = true
        this.#onAnswer(lane, answer)
      })
    } catch (error) {
      this.#onFailure([...lane.ready()], error)
    }
    if (this.#closed) return
    this.#events.onChange()
    // Reading ahead goes on while the application works on what it has.
    if (answered) this.pump()
  }

  #onAnswer(lane: FetchLane, answer: Answered): void {
    const { state, jumps } = answer
    if (!this.#table.has(state) || state.jumps !== jumps) return
    this.#table.touch(state)
    try {
      this.#onPartition(lane, answer)
    } catch (error) {
      // Damaged bytes or numbers beyond 2^53: asking again would give the same, so poll() must
      // tell.
      this.#pauseBriefly([state])
      const detail = `${state.topic}-${state.partition}`
      this.#error =
        error instanceof KafkaError
          ? error
          : brokerError(Errors.CORRUPT_MESSAGE, detail, String(error))
    }
  }

  #onPartition(lane: FetchLane, { state, jumps, offset, data }: Answered): void {
    if (data.errorCode !== Errors.NONE) {
      this.#onError(lane, state, data.errorCode)
      return
    }
    if (data.preferredReadReplica >= 0 && data.preferredReadReplica !== lane.node.nodeId) {
      const { clock } = this.#cluster.ports
      const untilMs = clock.monotonicMs() + this.#cluster.settings.metadataMaxAgeMs
      state.follower = { nodeId: data.preferredReadReplica, untilMs }
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
    this.#buffer.push(state, jumps, chunk)
  }

  #onError(lane: FetchLane, state: ConsumedPartition, errorCode: number): void {
    const name = `${state.topic}-${state.partition}`
    const row = errorOf(errorCode)
    this.#pauseBriefly([state])
    const byFollower = state.follower?.nodeId === lane.node.nodeId
    state.follower = undefined
    if (errorCode === Errors.OFFSET_OUT_OF_RANGE) {
      // A follower may lag behind; what the leader says counts.
      if (!byFollower) this.#onOutOfRange(state)
    } else if (row.refreshesMetadata || isLeaderEpochError(errorCode)) this.#events.onStale()
    else if (errorCode === Errors.UNKNOWN_SERVER_ERROR) {
      this.#cluster.ports.logger.warn(`${name}: the broker failed to read; trying again`)
    } else if (!row.retriable || errorCode === Errors.CORRUPT_MESSAGE) {
      this.#error = brokerError(errorCode, name)
    }
  }

  #onOutOfRange(state: ConsumedPartition): void {
    const name = `${state.topic}-${state.partition}`
    const policy = this.#settings.autoOffsetReset
    if (policy === 'none') {
      this.#error = brokerError(Errors.OFFSET_OUT_OF_RANGE, `${name} at ${state.fetchOffset}`)
      return
    }
    const { logger } = this.#cluster.ports
    logger.warn(`${name}: offset ${state.fetchOffset} is out of range, going to ${policy}`)
    this.#table.jumpToUnknown(state, 'policy')
  }

  #onFailure(states: readonly ConsumedPartition[], error: unknown): void {
    for (const state of states) state.follower = undefined
    this.#pauseBriefly(states)
    if (this.#closed) return
    if (isRetriable(error)) this.#events.onStale()
    else if (error instanceof KafkaError) this.#error = error
    else this.#error = brokerError(Errors.UNKNOWN_SERVER_ERROR, 'Fetch', String(error))
  }

  #grow(state: ConsumedPartition): void {
    if (state.fetchBytes >= this.#settings.fetchBytesMax) {
      const detail = `${state.topic}-${state.partition} at ${state.fetchOffset}`
      this.#error = brokerError(Errors.MESSAGE_TOO_LARGE, detail)
      this.#pauseBriefly([state])
    }
    state.fetchBytes = Math.min(state.fetchBytes * 2, this.#settings.fetchBytesMax)
  }

  #pauseBriefly(states: readonly ConsumedPartition[]): void {
    const { clock } = this.#cluster.ports
    const waitMs = this.#cluster.retryDelayMs(1)
    const untilMs = clock.monotonicMs() + waitMs
    for (const state of states) {
      state.notBeforeMs = untilMs
      this.#table.touch(state)
    }
    clock.schedule(waitMs, () => {
      for (const state of states) {
        // Timers may come a little early.
        if (state.notBeforeMs === untilMs) state.notBeforeMs = 0
        this.#table.touch(state)
      }
      this.#events.onChange()
    })
  }
}

function isLeaderEpochError(errorCode: number): boolean {
  return errorCode === Errors.FENCED_LEADER_EPOCH || errorCode === Errors.UNKNOWN_LEADER_EPOCH
}
