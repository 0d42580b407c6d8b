// Sends the batches of a producer: groups what is due into requests for each leader, keeps the
// limits on what is on its way, and carries out what the answers mean.
import { errorOf, Errors } from '../../kafka/errors.ts'
import { Produce } from '../../kafka/messages/produce.ts'
import type { Timer } from '../../runtime/clock.ts'
import type { Cluster } from '../cluster.ts'
import type { BrokerConnection } from '../connection.ts'
import { brokerError, clientError, isRetriable, KafkaError } from '../errors.ts'
import { leaderEpochOf, leaderOf } from '../metadata.ts'
import type { BrokerNode } from '../types.ts'
import { exact } from '../versions.ts'
import { type Batch, countOf, deliver, type QueuedRecord, refuse } from './batch.ts'
import { halve } from './encode.ts'
import { fateOf } from './fate.ts'
import { IdentitySource } from './identity.ts'
import { isRefusal, outcomeOf } from './outcomes.ts'
import { addToSequence, type PartitionQueue } from './queue.ts'
import {
  encodeTopics,
  type Lane,
  type PartitionAnswer,
  type Request,
  type SentBatch,
} from './request.ts'
import type { CompleteProducerSettings } from './settings.ts'

export interface SenderEvents {
  /** So many bytes of records are settled. */
  readonly onSettled: (bytes: number) => void
  /** The picture of the cluster is stale. */
  readonly onStale: () => void
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

  append(queue: PartitionQueue, record: QueuedRecord): void {
    if (!queue.append(record, this.#settings.batchBytes, this.#nowMs)) return
    this.#active.add(queue)
    this.wake()
  }

  /** These queues are dropped: what a broker remembers of their numbers must not meet new ones. */
  forget(queues: Iterable<PartitionQueue>): void {
    for (const queue of queues) if (queue.hasSequence) this.#identity.renew(queue.identity)
  }

  readonly #nowMs = (): number => this.#cluster.ports.clock.monotonicMs()

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
      wakeAtMs = Math.min(wakeAtMs, againMs, queue.oldestMs() + this.#settings.deliveryTimeoutMs)
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
    const { acks, ackTimeoutMs, compression } = this.#settings
    try {
      const topicData = encodeTopics(request, compression, (sent, error) => {
        // It never left.
        if (sent.batch.untoldCopies > 0) sent.batch.untoldCopies -= 1
        this.#fail(sent.queue, sent.batch, error)
      })
      if (topicData.length === 0) return
      const { connection, version } = request
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
        if (partition !== undefined) this.#onAnswer({ queue, batch }, partition, connection)
        else this.#onLost(queue, batch, clientError('BAD_RESPONSE', 'a partition is missing'))
      }
    } catch (error) {
      for (const { queue, batch } of request.sent) this.#onLost(queue, batch, error)
    } finally {
      request.lane.requests -= 1
      this.wake()
    }
  }

  #onAnswer(sent: SentBatch, answer: PartitionAnswer, connection: BrokerConnection): void {
    const { queue, batch } = sent
    if (!queue.inFlight.includes(batch)) return
    const { errorCode } = answer
    if (isRefusal(errorCode) && batch.untoldCopies > 0) batch.untoldCopies -= 1
    const outcome = outcomeOf(errorCode, {
      recordCount: countOf(batch),
      numbered: batch.baseSequence >= 0,
      earlierUnsettled: queue.hasEarlier(batch),
      mayBeWritten: batch.untoldCopies > 0,
      hasStrays: queue.hasStrays,
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
      this.#fail(queue, batch, error, outcome === 'fail' && isRefusal(errorCode))
    } else if (outcome === 'split') {
      queue.split(batch, halve(batch))
    } else if (outcome === 'ask') {
      void this.#ask(sent, error, connection)
    } else {
      if (outcome === 'withoutIdentity') this.#identity.giveUp(error.message)
      if (outcome === 'retry') this.#retryLater(queue, batch, error)
      else this.#renumber(queue, batch, error)
    }
  }

  /** Its number does not fit, and it may have been written before. It stays on its way meanwhile. */
  async #ask(sent: SentBatch, error: KafkaError, connection: BrokerConnection): Promise<void> {
    const { queue, batch } = sent
    const { topic, partition, identity } = queue
    if (identity === undefined) throw new RangeError('a number without an identity')
    const lastSequence = addToSequence(batch.baseSequence, countOf(batch) - 1)
    const leaderEpoch = leaderEpochOf(this.#cluster.metadata, topic, partition)
    const about = { topic, partition, leaderEpoch }
    const fate = await fateOf(connection, { ...about, identity, lastSequence })
    if (!queue.inFlight.includes(batch)) return
    if (fate === 'written') this.#succeed(queue, batch, -1, -1)
    else if (fate === 'later') this.#retryLater(queue, batch, error)
    else if (fate === 'unwritten' && !queue.hasStrays) this.#renumber(queue, batch, error)
    // As long as a batch before it may arrive, this one may too: only its own time ends that.
    else if (fate === 'unwritten' && this.#settings.deliveryTimeoutMs < Infinity) {
      this.#retryLater(queue, batch, error)
    } else this.#fail(queue, batch, error)
    this.wake()
  }

  /** It was not written, and cannot be under its number. */
  #renumber(queue: PartitionQueue, batch: Batch, error: KafkaError): void {
    this.#identity.renew(queue.identity)
    this.#retryLater(queue, batch, error)
    queue.renumberFrom(batch)
  }

  /** No answer came: whether the batch was appended is unknown. */
  #onLost(queue: PartitionQueue, batch: Batch, error: unknown): void {
    if (!queue.inFlight.includes(batch)) return
    const reason = toKafkaError(error)
    batch.lastError = reason
    this.#events.onStale()
    if (isRetriable(error) && batch.attempts <= this.#settings.retries) {
      this.#retryLater(queue, batch, reason)
    } else {
      this.#fail(queue, batch, reason)
    }
  }

  #retryLater(queue: PartitionQueue, batch: Batch, error: KafkaError): void {
    const waitMs = this.#cluster.retryDelayMs(batch.attempts)
    const failures = batch.attempts
    if (!this.#cluster.mayRetry({ what: 'produce', error, failures, waitMs })) {
      this.#fail(queue, batch, error)
      return
    }
    queue.retry(batch, this.#cluster.ports.clock.monotonicMs() + waitMs)
  }

  #succeed(queue: PartitionQueue, batch: Batch, baseOffset: number, appendTimeMs: number): void {
    queue.settle(batch)
    const { topic, partition } = queue
    const { waiters, timestamps } = batch
    for (let index = 0; index < waiters.length; index++) {
      const waiter = waiters[index]
      if (waiter === undefined) continue
      const timestamp = appendTimeMs >= 0 ? appendTimeMs : (timestamps[index] ?? -1)
      const offset = baseOffset < 0 ? baseOffset : baseOffset + index
      try {
        deliver(waiter, { topic, partition, offset, timestamp })
      } catch (error) {
        this.#onThrown(error)
      }
    }
    this.#events.onSettled(batch.bufferedBytes)
    for (const settled of batch.settled) settled()
  }

  /** `isRefused`: no broker takes it, however often it is sent. */
  #fail(queue: PartitionQueue, batch: Batch, error: KafkaError, isRefused = false): void {
    if (batch.baseSequence >= 0) this.#identity.renew(queue.identity)
    queue.abandon(batch, isRefused)
    for (const waiter of batch.waiters) {
      try {
        refuse(waiter, error)
      } catch (thrown) {
        this.#onThrown(thrown)
      }
    }
    this.#events.onSettled(batch.bufferedBytes)
    for (const settled of batch.settled) settled()
  }

  #onThrown(error: unknown): void {
    this.#cluster.ports.logger.error('a delivery callback threw', error)
  }

  /** Fails what is too old, on its way or not. */
  #expire(queue: PartitionQueue, nowMs: number): void {
    const { deliveryTimeoutMs } = this.#settings
    if (queue.oldestMs() + deliveryTimeoutMs > nowMs) return
    for (const batch of queue.olderThan(nowMs - deliveryTimeoutMs)) {
      const where = `${queue.topic}-${queue.partition}`
      const text = `not acknowledged by ${where} within ${deliveryTimeoutMs} ms`
      const cause = batch.lastError
      this.#fail(queue, batch, clientError('DELIVERY_TIMEOUT', text, { cause }))
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

function toKafkaError(error: unknown): KafkaError {
  if (error instanceof KafkaError) return error
  return brokerError(Errors.UNKNOWN_SERVER_ERROR, 'Produce', String(error))
}
