// The producer: takes records, finds their partition, waits for topics it does not know yet. What
// happens after that is the sender's.
import { Errors } from '../../kafka/errors.ts'
import { delay, type Timer } from '../../runtime/clock.ts'
import type { Cluster, Interest } from '../cluster.ts'
import { brokerError, clientError, type KafkaError } from '../errors.ts'
import type { ClusterMetadata, TopicMetadata } from '../metadata.ts'
import type { RecordHeader } from '../types.ts'
import { type QueuedRecord, recordBytes, refuse, type Waiter } from './batch.ts'
import { StickyChoice } from './partitioner.ts'
import { PartitionQueue } from './queue.ts'
import { Sender } from './sender.ts'
import { type CompleteProducerSettings, completeProducerSettings } from './settings.ts'
import type {
  DeliveryCallback,
  Producer,
  ProducerRecord,
  ProducerSettings,
  RecordMetadata,
} from './types.ts'

interface Topic {
  readonly name: string
  readonly queues: (PartitionQueue | undefined)[]
  readonly sticky: StickyChoice
  /** Records that came before the topic's metadata, in order. */
  parked: Parked[]
  /** As of the client's metadata `seen`; undefined where it cannot be sent to now. */
  usable: TopicMetadata | undefined
  seen: ClusterMetadata | undefined
  /** Something was sent since the last look for idle topics. */
  used: boolean
}

interface Parked {
  readonly record: ProducerRecord
  readonly queued: QueuedRecord
  readonly sinceMs: number
}

const noHeaders: readonly RecordHeader[] = []

export class KafkaProducer implements Producer {
  readonly #cluster: Cluster
  readonly #settings: CompleteProducerSettings
  readonly #purpose: string
  readonly #onClosed: (producer: KafkaProducer) => void
  readonly #sender: Sender
  readonly #topics = new Map<string, Topic>()
  readonly #topicNames = new Set<string>()
  readonly #parkedTopics = new Set<Topic>()
  readonly #interest: Interest
  #bufferedBytes = 0
  #lastIdleCheckMs: number
  #readyWaiters: (() => void)[] = []
  #unparkedWaiters: (() => void)[] = []
  #flushes = 0
  #refreshing = false
  #stale = false
  #parkTimer: Timer | undefined
  #closing: Promise<void> | undefined
  #closed = false

  constructor(
    cluster: Cluster,
    settings: ProducerSettings,
    purpose: string,
    onClosed: (producer: KafkaProducer) => void,
  ) {
    this.#cluster = cluster
    this.#settings = completeProducerSettings(settings, cluster.settings.requestTimeoutMs)
    this.#purpose = purpose
    this.#lastIdleCheckMs = cluster.ports.clock.monotonicMs()
    this.#onClosed = onClosed
    this.#sender = new Sender(cluster, this.#settings, purpose, {
      onSettled: (bytes) => this.#release(bytes),
      onStale: () => this.#refreshSoon(),
    })
    this.#interest = {
      topics: this.#topicNames,
      allowAutoTopicCreation: this.#settings.allowAutoTopicCreation,
      onMetadata: () => this.#onMetadata(),
    }
    cluster.addInterest(this.#interest)
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  send(record: ProducerRecord): Promise<RecordMetadata> {
    return new Promise((resolve, reject) => {
      this.#send(record, { resolve, reject })
    })
  }

  sendWithCallback(record: ProducerRecord, onDelivery: DeliveryCallback): void {
    this.#send(record, onDelivery)
  }

  #send(record: ProducerRecord, waiter: Waiter): void {
    const { value, headers = noHeaders, key = null } = record
    const bytes = recordBytes(key, value, headers)
    if (this.#closing !== undefined) {
      this.#refuseSoon(waiter, clientError('CLIENT_CLOSED', 'the producer is closed'))
    } else if (bytes > this.#settings.requestBytesMax) {
      const detail = `a record of ${bytes} bytes for ${record.topic}`
      this.#refuseSoon(waiter, brokerError(Errors.MESSAGE_TOO_LARGE, detail))
    } else {
      this.#bufferedBytes += bytes
      const timestamp = record.timestamp ?? this.#cluster.ports.clock.now()
      this.#place(record, { key, value, headers, timestamp, bytes, waiter })
      if (this.#isFull()) this.#updateHurry()
    }
  }

  ready(): Promise<void> {
    if (!this.#isFull()) return Promise.resolve()
    return new Promise((resolve) => {
      this.#readyWaiters.push(resolve)
    })
  }

  async flush(): Promise<void> {
    this.#flushes += 1
    this.#updateHurry()
    try {
      while (this.#parkedTopics.size > 0) {
        await new Promise<void>((resolve) => {
          this.#unparkedWaiters.push(resolve)
        })
      }
      await this.#sender.settled()
    } finally {
      this.#flushes -= 1
      this.#updateHurry()
    }
  }

  close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.timeoutMs)
    return this.#closing
  }

  async #close(timeoutMs: number | undefined): Promise<void> {
    let limit: Timer | undefined
    const flushed = this.flush()
    if (timeoutMs === undefined) await flushed
    else {
      const late = new Promise<void>((resolve) => {
        limit = this.#cluster.ports.clock.schedule(timeoutMs, resolve)
      })
      await Promise.race([flushed, late])
    }
    limit?.cancel()
    this.#closed = true
    this.#parkTimer?.cancel()
    this.#cluster.removeInterest(this.#interest)
    const error = clientError('CLIENT_CLOSED', 'the producer was closed')
    for (const topic of this.#parkedTopics) {
      for (const { queued } of topic.parked.splice(0)) this.#refuse(queued, error)
    }
    this.#parkedTopics.clear()
    this.#wakeUnparked()
    this.#sender.close()
    this.#cluster.connections.closePurpose(this.#purpose)
    this.#onClosed(this)
  }

  #place(record: ProducerRecord, queued: QueuedRecord): void {
    const topic = this.#topicOf(record.topic)
    topic.used = true
    const metadata = this.#usable(topic)
    if (metadata !== undefined && topic.parked.length === 0) {
      this.#route(topic, metadata, record, queued)
      return
    }
    topic.parked.push({ record, queued, sinceMs: this.#cluster.ports.clock.monotonicMs() })
    this.#parkedTopics.add(topic)
    this.#watchParked()
    this.#refreshSoon()
  }

  #usable(topic: Topic): TopicMetadata | undefined {
    const { metadata } = this.#cluster
    if (topic.seen !== metadata) {
      topic.seen = metadata
      const known = metadata.topics.get(topic.name)
      const usable = known?.errorCode === Errors.NONE && known.partitions.length > 0
      topic.usable = usable ? known : undefined
    }
    return topic.usable
  }

  #route(
    topic: Topic,
    metadata: TopicMetadata,
    record: ProducerRecord,
    queued: QueuedRecord,
  ): void {
    const count = metadata.partitions.length
    const { random } = this.#cluster.ports
    const partition =
      record.partition ??
      this.#settings.partitioner(record, count) ??
      topic.sticky.choose(queued.bytes, count, metadata.available, (bound) => random.below(bound))
    if (!Number.isInteger(partition) || partition < 0 || partition >= count) {
      const detail = `${topic.name}-${partition}: there are ${count} partitions`
      this.#refuse(queued, brokerError(Errors.UNKNOWN_TOPIC_OR_PARTITION, detail))
      return
    }
    let queue = topic.queues[partition]
    if (queue === undefined) {
      queue = new PartitionQueue(topic.name, partition)
      topic.queues[partition] = queue
    }
    this.#sender.append(queue, queued)
  }

  #onMetadata(): void {
    for (const topic of this.#parkedTopics) {
      const metadata = this.#cluster.metadata.topics.get(topic.name)
      if (metadata === undefined) continue
      const error = brokerError(metadata.errorCode, topic.name)
      if (metadata.errorCode !== Errors.NONE && error.retriable) continue
      if (metadata.errorCode === Errors.NONE && metadata.partitions.length === 0) continue
      this.#parkedTopics.delete(topic)
      for (const { record, queued } of topic.parked.splice(0)) {
        if (metadata.errorCode === Errors.NONE) this.#route(topic, metadata, record, queued)
        else this.#refuse(queued, error)
      }
    }
    this.#forgetIdle()
    this.#wakeUnparked()
    this.#sender.wake()
  }

  /** Refreshes metadata until nobody waits for it any more, with growing pauses. */
  #refreshSoon(): void {
    this.#stale = true
    if (this.#refreshing || this.#closed) return
    this.#refreshing = true
    void this.#refreshLoop()
  }

  async #refreshLoop(): Promise<void> {
    const { clock, logger } = this.#cluster.ports
    for (let failures = 1; this.#stale && !this.#closed; failures++) {
      this.#stale = false
      try {
        await this.#cluster.refresh()
      } catch (error) {
        if (this.#cluster.isClosed) break
        logger.debug(`metadata could not be refreshed: ${String(error)}`)
        this.#stale = true
      }
      if (this.#parkedTopics.size > 0) this.#stale = true
      await delay(clock, this.#cluster.retryDelayMs(failures))
    }
    this.#refreshing = false
    this.#sender.wake()
  }

  /** Parked records end as late as sent ones do. */
  #watchParked(): void {
    const { deliveryTimeoutMs } = this.#settings
    if (this.#parkTimer !== undefined || deliveryTimeoutMs === Infinity) return
    const { clock } = this.#cluster.ports
    let oldestMs = Infinity
    for (const topic of this.#parkedTopics) {
      oldestMs = Math.min(oldestMs, topic.parked[0]?.sinceMs ?? Infinity)
    }
    if (oldestMs === Infinity || this.#closed) return
    const delayMs = Math.max(0, oldestMs + deliveryTimeoutMs - clock.monotonicMs())
    this.#parkTimer = clock.schedule(delayMs, () => {
      this.#parkTimer = undefined
      this.#expireParked(clock.monotonicMs() - deliveryTimeoutMs)
      this.#watchParked()
    })
  }

  #expireParked(beforeMs: number): void {
    for (const topic of this.#parkedTopics) {
      const kept = topic.parked.findIndex(({ sinceMs }) => sinceMs > beforeMs)
      const expired = topic.parked.splice(0, kept < 0 ? topic.parked.length : kept)
      if (topic.parked.length === 0) this.#parkedTopics.delete(topic)
      const why = this.#cluster.metadata.topics.get(topic.name)?.errorCode ?? Errors.NONE
      const cause = why === Errors.NONE ? undefined : brokerError(why, topic.name)
      const limitMs = this.#settings.deliveryTimeoutMs
      const text = `topic ${topic.name} did not become known within ${limitMs} ms`
      for (const { queued } of expired) {
        this.#refuse(queued, clientError('DELIVERY_TIMEOUT', text, { cause }))
      }
    }
    this.#wakeUnparked()
  }

  #topicOf(name: string): Topic {
    const known = this.#topics.get(name)
    if (known !== undefined) return known
    const topic: Topic = {
      name,
      queues: [],
      sticky: new StickyChoice(this.#settings.batchBytes),
      parked: [],
      usable: undefined,
      seen: undefined,
      used: true,
    }
    this.#topics.set(name, topic)
    this.#topicNames.add(name)
    return topic
  }

  /** Each metadata answer is an occasion; those come at least every metadataMaxAgeMs. */
  #forgetIdle(): void {
    const nowMs = this.#cluster.ports.clock.monotonicMs()
    if (nowMs - this.#lastIdleCheckMs < this.#settings.topicIdleMs) return
    this.#lastIdleCheckMs = nowMs
    for (const topic of this.#topics.values()) {
      const queues = topic.queues.filter((queue) => queue !== undefined)
      const busy = topic.used || topic.parked.length > 0 || queues.some((queue) => !queue.isEmpty)
      topic.used = false
      if (busy) continue
      this.#topics.delete(topic.name)
      this.#topicNames.delete(topic.name)
      this.#sender.forget(queues)
    }
  }

  #refuse(queued: QueuedRecord, error: KafkaError): void {
    this.#refuseSoon(queued.waiter, error)
    this.#release(queued.bytes)
  }

  /** Not within the call that sends. */
  #refuseSoon(waiter: Waiter, error: KafkaError): void {
    this.#cluster.ports.clock.atEndOfTurn(() => {
      try {
        refuse(waiter, error)
      } catch (thrown) {
        this.#cluster.ports.logger.error('a delivery callback threw', thrown)
      }
    })
  }

  #release(bytes: number): void {
    const wasFull = this.#isFull()
    this.#bufferedBytes -= bytes
    if (!wasFull || this.#isFull()) return
    this.#updateHurry()
    for (const waiter of this.#readyWaiters.splice(0)) waiter()
  }

  #isFull(): boolean {
    return this.#bufferedBytes >= this.#settings.bufferMemoryBytes
  }

  #updateHurry(): void {
    this.#sender.setHurry(this.#flushes > 0 || this.#isFull())
  }

  #wakeUnparked(): void {
    for (const waiter of this.#unparkedWaiters.splice(0)) waiter()
  }
}
