// Sends the batches of a producer: groups what is due into requests for each leader, keeps the
// limits on what is on its way, and carries out what the answers mean.
import { errorOf } from '../../kafka/errors.ts'
import { Produce } from '../../kafka/messages/produce.ts'
import type { Timer } from '../../runtime/clock.ts'
import type { Cluster } from '../cluster.ts'
import type { BrokerConnection } from '../connection.ts'
import { brokerError, clientError, isRetriable, KafkaError } from '../errors.ts'
import { leaderOf } from '../metadata.ts'
import type { BrokerNode } from '../types.ts'
import { exact, unsupported } from '../versions.ts'
import type { Batch, PartitionQueue, PendingRecord } from './batch.ts'
import { encodeBatch } from './encode.ts'
import { IdentitySource } from './identity.ts'
import { outcomeOf } from './outcomes.ts'
import type { CompleteProducerSettings } from './settings.ts'

export interface SenderEvents {
  /** So many bytes of records are settled. */
  readonly onSettled: (bytes: number) => void
  /** The picture of the cluster is stale. */
  readonly onStale: () => void
}

/** What is on its way to one broker. */
interface Lane {
  requests: number
  connecting: boolean
}

interface Request {
  readonly connection: BrokerConnection
  readonly lane: Lane
  readonly version: number
  readonly sent: { readonly queue: PartitionQueue; readonly batch: Batch }[]
  bytes: number
}

/** One partition's part of a Produce answer. */
interface PartitionAnswer {
  readonly errorCode: number
  readonly baseOffset: number | bigint
  readonly logAppendTimeMs: number | bigint
  readonly errorMessage: string | null
}

/** With acks 0 nothing but the socket holds us back: beyond this, wait until it drained. */
const unsentBytesMax = 1024 * 1024

export class Sender {
  readonly #cluster: Cluster
  readonly #settings: CompleteProducerSettings
  readonly #purpose: string
  readonly #events: SenderEvents
  readonly #identity: IdentitySource
  readonly #active = new Set<PartitionQueue>()
  readonly #lanes = new Map<number, Lane>()
  #hurry = false
  #pumpIsDue = false
  #closed = false
  #timer: Timer | undefined
  #timerAtMs = Infinity

  constructor(
    cluster: Cluster,
    settings: CompleteProducerSettings,
    purpose: string,
    events: SenderEvents,
  ) {
    this.#cluster = cluster
    this.#settings = settings
    this.#purpose = purpose
    this.#events = events
    this.#identity = new IdentitySource(cluster, settings, () => this.wake())
  }

  append(queue: PartitionQueue, record: PendingRecord): void {
    queue.append(record, this.#cluster.ports.clock.monotonicMs(), this.#settings.batchBytes)
    this.#active.add(queue)
    this.wake()
  }

  /** Do not linger while this is set. */
  setHurry(hurry: boolean): void {
    this.#hurry = hurry
    if (hurry) this.wake()
  }

  /** Something changed: look, at the end of this turn, what may leave. */
  wake(): void {
    if (this.#pumpIsDue || this.#closed) return
    this.#pumpIsDue = true
    this.#cluster.ports.clock.atEndOfTurn(() => {
      this.#pumpIsDue = false
      if (!this.#closed) this.#pump()
    })
  }

  /** Resolves when every batch that is queued now is settled. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      let unsettled = 1
      const onSettled = (): void => {
        unsettled -= 1
        if (unsettled === 0) resolve()
      }
      for (const queue of this.#active) {
        for (const batch of [...queue.inFlight, ...queue.waiting]) {
          batch.sealed = true
          batch.settled.push(onSettled)
          unsettled += 1
        }
      }
      onSettled()
    })
  }

  /** Fails what is left. */
  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    const error = clientError('CLIENT_CLOSED', 'the producer was closed')
    for (const queue of this.#active) {
      for (const batch of [...queue.inFlight, ...queue.waiting]) this.#fail(queue, batch, error)
    }
    this.#active.clear()
  }

  #pump(): void {
    const nowMs = this.#cluster.ports.clock.monotonicMs()
    const requests = new Map<number, Request>()
    let wakeAtMs = Infinity
    for (const queue of this.#active) {
      this.#expire(queue, nowMs)
      if (queue.isEmpty) {
        this.#active.delete(queue)
        continue
      }
      const againMs = this.#gather(queue, nowMs, requests)
      const oldest = queue.waiting[0]?.createdMs ?? Infinity
      wakeAtMs = Math.min(wakeAtMs, againMs, oldest + this.#settings.deliveryTimeoutMs)
    }
    for (const request of requests.values()) void this.#send(request)
    this.#wakeAt(wakeAtMs, nowMs)
  }

  /** Puts the queue's next batch into its leader's request; returns when to look again. */
  #gather(queue: PartitionQueue, nowMs: number, requests: Map<number, Request>): number {
    const head = queue.waiting[0]
    if (head === undefined) return Infinity
    const leader = leaderOf(this.#cluster.metadata, queue.topic, queue.partition)
    if (leader === undefined) {
      this.#events.onStale()
      return Infinity
    }
    const lane = this.#laneOf(leader.nodeId)
    const connection = this.#cluster.connections.openTo(leader, this.#purpose)
    if (connection === undefined) {
      void this.#connect(lane, leader)
      return Infinity
    }
    let request = requests.get(leader.nodeId)
    if (request !== undefined && request.bytes + head.bytes > this.#settings.requestBytesMax) {
      requests.delete(leader.nodeId)
      void this.#send(request)
      request = undefined
    }
    if (request === undefined && lane.requests >= this.#settings.maxInFlight) return Infinity
    const identity = this.#identity.state(connection)
    if (identity.kind === 'pending') return Infinity
    if (identity.kind === 'refused') {
      for (const batch of [...queue.waiting]) this.#fail(queue, batch, identity.error)
      return Infinity
    }
    const known = identity.kind === 'known' ? identity.identity : undefined
    const taken = queue.take({
      nowMs,
      lingerMs: this.#settings.lingerMs,
      batchBytes: this.#settings.batchBytes,
      hurry: this.#hurry,
      identity: known,
      maxInFlight: known === undefined ? 1 : this.#settings.maxInFlight,
    })
    if (typeof taken === 'number') return taken
    if (request === undefined) {
      const version = connection.versionIfAny(Produce, { max: 11 }) ?? -1
      request = { connection, lane, version, sent: [], bytes: 0 }
      requests.set(leader.nodeId, request)
      lane.requests += 1
    }
    request.sent.push({ queue, batch: taken })
    request.bytes += taken.bytes
    // A full batch behind this one may go at once in a request of its own.
    if (queue.waiting.length > 0) this.wake()
    return Infinity
  }

  async #send(request: Request): Promise<void> {
    try {
      const topicData = this.#encode(request)
      if (topicData.length === 0) return
      const { connection, version } = request
      const { acks, ackTimeoutMs } = this.#settings
      const body = { transactionalId: null, acks, timeoutMs: ackTimeoutMs, topicData }
      if (acks === 0) {
        connection.sendUnanswered(Produce, version, body)
        for (const { queue, batch } of request.sent) this.#succeed(queue, batch, -1, -1)
        if (connection.pendingBytes > unsentBytesMax) await connection.drained()
        return
      }
      const answer = await connection.request(Produce, version, body)
      const answers = new Map<string, PartitionAnswer>()
      for (const { name, partitionResponses } of answer.responses) {
        for (const partition of partitionResponses) {
          answers.set(`${partition.index} ${name}`, partition)
        }
      }
      for (const { queue, batch } of request.sent) {
        const partition = answers.get(`${queue.partition} ${queue.topic}`)
        if (partition !== undefined) this.#onAnswer(queue, batch, partition)
        else this.#onLost(queue, batch, clientError('BAD_RESPONSE', 'a partition is missing'))
      }
    } catch (error) {
      for (const { queue, batch } of request.sent) this.#onLost(queue, batch, error)
    } finally {
      request.lane.requests -= 1
      this.wake()
    }
  }

  /** The request's body. A batch that cannot be encoded fails alone, and leaves the request. */
  #encode(
    request: Request,
  ): { name: string; partitionData: { index: number; records: Buffer }[] }[] {
    const byTopic = new Map<string, { index: number; records: Buffer }[]>()
    for (const { queue, batch } of request.sent) {
      try {
        if (request.version < 0) throw unsupported(Produce, request.connection.address)
        const records = encodeBatch(queue, batch, this.#settings.compression, request.version)
        const data = { index: queue.partition, records }
        const known = byTopic.get(queue.topic)
        if (known === undefined) byTopic.set(queue.topic, [data])
        else known.push(data)
      } catch (cause) {
        const error =
          cause instanceof KafkaError
            ? cause
            : clientError('INVALID_ARGUMENT', 'the records cannot be encoded', { cause })
        this.#fail(queue, batch, error)
      }
    }
    return [...byTopic].map(([name, partitionData]) => ({ name, partitionData }))
  }

  #onAnswer(queue: PartitionQueue, batch: Batch, answer: PartitionAnswer): void {
    if (!queue.inFlight.includes(batch)) return
    const { errorCode } = answer
    const outcome = outcomeOf(errorCode, {
      recordCount: batch.records.length,
      numbered: batch.baseSequence >= 0,
      earlierUnsettled: queue.hasEarlier(batch),
      mayGoWithout: this.#identity.mayGoWithout,
    })
    if (outcome === 'done' || outcome === 'duplicate') {
      this.#succeed(queue, batch, exact(answer.baseOffset), exact(answer.logAppendTimeMs))
      return
    }
    const detail = `${queue.topic}-${queue.partition}`
    const error = brokerError(errorCode, detail, answer.errorMessage)
    batch.lastError = error
    if (errorOf(errorCode).refreshesMetadata) this.#events.onStale()
    if (outcome === 'fail' || batch.attempts > this.#settings.retries) {
      this.#fail(queue, batch, error)
    } else if (outcome === 'split') {
      if (batch.baseSequence >= 0) this.#identity.renew(queue.identity)
      queue.split(batch)
    } else {
      if (outcome === 'withoutIdentity') this.#identity.giveUp(error.message)
      if (outcome === 'newIdentity') this.#identity.renew(queue.identity)
      this.#retryLater(queue, batch)
      if (outcome !== 'retry') queue.breakSequence()
    }
  }

  /** No answer came: whether the batch was appended is unknown. */
  #onLost(queue: PartitionQueue, batch: Batch, error: unknown): void {
    if (!queue.inFlight.includes(batch)) return
    const reason = error instanceof Error ? error : new Error(String(error))
    batch.lastError = reason
    this.#events.onStale()
    if (isRetriable(error) && batch.attempts <= this.#settings.retries) {
      this.#retryLater(queue, batch)
    } else {
      this.#fail(queue, batch, reason)
    }
  }

  #retryLater(queue: PartitionQueue, batch: Batch): void {
    const waitMs = this.#cluster.retryDelayMs(batch.attempts)
    queue.retry(batch, this.#cluster.ports.clock.monotonicMs() + waitMs)
  }

  #succeed(queue: PartitionQueue, batch: Batch, baseOffset: number, appendTimeMs: number): void {
    queue.settle(batch)
    const { topic, partition } = queue
    let bytes = 0
    let offset = baseOffset
    for (const record of batch.records) {
      const timestamp = appendTimeMs >= 0 ? appendTimeMs : record.timestamp
      record.resolve({ topic, partition, offset, timestamp })
      if (baseOffset >= 0) offset += 1
      bytes += record.bytes
    }
    this.#events.onSettled(bytes)
    for (const settled of batch.settled) settled()
  }

  #fail(queue: PartitionQueue, batch: Batch, error: Error): void {
    queue.settle(batch)
    if (batch.baseSequence >= 0) {
      this.#identity.renew(queue.identity)
      queue.breakSequence()
    }
    let bytes = 0
    for (const record of batch.records) {
      record.reject(error)
      bytes += record.bytes
    }
    this.#events.onSettled(bytes)
    for (const settled of batch.settled) settled()
  }

  #expire(queue: PartitionQueue, nowMs: number): void {
    const { deliveryTimeoutMs } = this.#settings
    for (let head = queue.waiting[0]; head !== undefined; head = queue.waiting[0]) {
      if (head.createdMs + deliveryTimeoutMs > nowMs) return
      const where = `${queue.topic}-${queue.partition}`
      const text = `not acknowledged by ${where} within ${deliveryTimeoutMs} ms`
      const cause = head.lastError
      this.#fail(queue, head, clientError('DELIVERY_TIMEOUT', text, { cause }))
    }
  }

  async #connect(lane: Lane, leader: BrokerNode): Promise<void> {
    if (lane.connecting) return
    lane.connecting = true
    try {
      await this.#cluster.connections.to(leader, this.#purpose)
    } catch (error) {
      const address = `${leader.host}:${leader.port}`
      this.#cluster.ports.logger.debug(`no connection to ${address}: ${String(error)}`)
      this.#events.onStale()
    } finally {
      lane.connecting = false
      this.wake()
    }
  }

  #laneOf(nodeId: number): Lane {
    const known = this.#lanes.get(nodeId)
    if (known !== undefined) return known
    const lane: Lane = { requests: 0, connecting: false }
    this.#lanes.set(nodeId, lane)
    return lane
  }

  /** An earlier timer may stand: it looks again and sets the next one. */
  #wakeAt(atMs: number, nowMs: number): void {
    if (atMs >= this.#timerAtMs || this.#closed) return
    this.#timer?.cancel()
    this.#timerAtMs = atMs
    this.#timer = this.#cluster.ports.clock.schedule(Math.max(0, atMs - nowMs), () => {
      this.#timerAtMs = Infinity
      this.wake()
    })
  }
}
