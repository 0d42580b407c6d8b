// One consumer of the input kafka: polls, hands events on, and commits what has been acknowledged.

import type { Admin } from '../../client/admin/types.ts'
import type { ConsumedRecord, Consumer, TopicPattern } from '../../client/consumer/types.ts'
import type { TopicPartition } from '../../client/types.ts'
import type { Decoder } from '../../events/codecs/codec.ts'
import type { PipelineEvent } from '../../events/event.ts'
import type { ValueMap } from '../../events/values.ts'
import { delay } from '../../runtime/clock.ts'
import type { Input, PipelinePorts, Sink } from '../plugin.ts'
import { OffsetTracker } from './offsets.ts'

/** What is used of a Kafka client, so that tests can stand in for it. */
export interface KafkaConnection {
  admin(): Pick<Admin, 'describeCluster' | 'describeTopics'>
  close(): Promise<void>
}

export type KafkaConsumer = Pick<
  Consumer,
  | 'subscribe'
  | 'onRevoked'
  | 'poll'
  | 'wakeup'
  | 'commit'
  | 'pause'
  | 'resume'
  | 'assignment'
  | 'close'
>

export interface KafkaReaderParts<Client extends KafkaConnection> {
  readonly open: () => Client
  readonly consume: (client: Client) => KafkaConsumer
  readonly decoder: Decoder
  readonly decorate: (event: PipelineEvent) => void
}

export interface KafkaReaderSettings {
  readonly topics: readonly string[] | TopicPattern
  readonly groupId: string
  readonly commits: boolean
  readonly commitIntervalMs: number
  readonly pollTimeoutMs: number
  readonly decoration: 'none' | 'basic' | 'extended'
}

/** How long a rebalance waits for events of lost partitions before others get them again. */
const REVOKE_WAIT_MS = 5000
const RETRY_MS = 1000

export class KafkaReader<Client extends KafkaConnection> implements Input {
  readonly #ports: PipelinePorts
  readonly #parts: KafkaReaderParts<Client>
  readonly #settings: KafkaReaderSettings
  readonly #offsets = new OffsetTracker()
  /** `clusterId/topicId` by topic name. */
  readonly #topicIds = new Map<string, string>()
  #client: Client | undefined
  #consumer: KafkaConsumer | undefined
  #clusterId = ''
  #stopped = false
  #lastCommitMs = 0
  #committing: Promise<void> = Promise.resolve()

  constructor(
    ports: PipelinePorts,
    parts: KafkaReaderParts<Client>,
    settings: KafkaReaderSettings,
  ) {
    this.#ports = ports
    this.#parts = parts
    this.#settings = settings
  }

  async run(sink: Sink): Promise<void> {
    const client = this.#parts.open()
    this.#client = client
    const consumer = this.#parts.consume(client)
    this.#consumer = consumer
    consumer.onRevoked((partitions) => this.#revoked(partitions))
    consumer.subscribe(this.#settings.topics)
    this.#lastCommitMs = this.#ports.clock.monotonicMs()
    while (!this.#stopped) {
      const records = await this.#poll(consumer)
      if (records.length > 0) await this.#handOn(records, sink, consumer)
      if (this.#commitDue()) await this.#commit(consumer)
    }
  }

  stop(): void {
    this.#stopped = true
    this.#consumer?.wakeup()
  }

  /** Commits what was acknowledged and leaves the group. */
  async close(): Promise<void> {
    const consumer = this.#consumer
    if (consumer !== undefined) {
      await this.#commit(consumer)
      await this.#attempt('leaving the group', () => consumer.close())
    }
    const client = this.#client
    if (client !== undefined) await this.#attempt('closing', () => client.close())
  }

  /** Errors that may pass are waited out; others end the pipeline. */
  async #poll(consumer: KafkaConsumer): Promise<readonly ConsumedRecord[]> {
    try {
      return await consumer.poll(this.#settings.pollTimeoutMs)
    } catch (error) {
      if (!isRetriable(error)) throw error
      this.#ports.logger.warn('reading from Kafka failed, trying again', error)
      await delay(this.#ports.clock, RETRY_MS)
      return []
    }
  }

  async #handOn(
    records: readonly ConsumedRecord[],
    sink: Sink,
    consumer: KafkaConsumer,
  ): Promise<void> {
    const { room } = await this.#offer(records, sink)
    if (room === undefined) return
    // Polling goes on without fetching, so that the group keeps its member while outputs are slow.
    let full = true
    const roomy = room.then(() => {
      full = false
      consumer.wakeup()
    })
    const rooms = [roomy]
    while (full && !this.#stopped) {
      consumer.pause(consumer.assignment())
      const more = await this.#poll(consumer)
      const next = more.length === 0 ? undefined : (await this.#offer(more, sink)).room
      if (next !== undefined) rooms.push(next)
      if (this.#commitDue()) await this.#commit(consumer)
    }
    if (!this.#stopped) await Promise.all(rooms)
    consumer.resume(consumer.assignment())
  }

  /** Runs of records of one partition become one piece each. `room` resolves when there is room again. */
  async #offer(
    records: readonly ConsumedRecord[],
    sink: Sink,
  ): Promise<{ readonly room: Promise<void> | undefined }> {
    let room: Promise<void> | undefined
    let start = 0
    while (start < records.length) {
      const first = records[start] as ConsumedRecord
      let end = start + 1
      while (samePartition(records[end], first)) end += 1
      const last = records[end - 1] as ConsumedRecord
      const topicId = this.#topicIds.get(first.topic) ?? (await this.#findTopicId(first.topic))
      const events: PipelineEvent[] = []
      for (let at = start; at < end; at += 1) {
        this.#decode(records[at] as ConsumedRecord, topicId, events)
      }
      const done = this.#offsets.begin(first.topic, first.partition, last.offset + 1)
      room = sink.offer(events, done) ?? room
      start = end
    }
    return { room }
  }

  #decode(record: ConsumedRecord, topic: string, events: PipelineEvent[]): void {
    if (record.value === null) return
    const { partition, offset } = record
    const origin = { topic, partition, offset, derived: 0 }
    const take = (event: PipelineEvent): void => {
      event.origin = origin
      event.ordinal = origin.derived
      origin.derived += 1
      if (this.#settings.decoration !== 'none') this.#addMetadata(event, record)
      this.#parts.decorate(event)
      events.push(event)
    }
    this.#parts.decoder.decode(record.value, take)
    this.#parts.decoder.flush(take)
  }

  #addMetadata(event: PipelineEvent, record: ConsumedRecord): void {
    const kafka: ValueMap = {
      topic: record.topic,
      consumer_group: this.#settings.groupId,
      partition: record.partition,
      offset: record.offset,
      key: record.key === null ? null : record.key.toString('utf8'),
      timestamp: record.timestamp,
    }
    if (this.#settings.decoration === 'extended') {
      const headers: ValueMap = {}
      for (const { key, value } of record.headers) {
        if (key !== '__proto__') headers[key] = value === null ? null : value.toString('utf8')
      }
      kafka['headers'] = headers
    }
    event.metadata['kafka'] = kafka
  }

  /** A topic is known by its id, since one that is deleted and made again starts at offset 0. */
  async #findTopicId(topic: string): Promise<string> {
    const admin = this.#client?.admin()
    while (admin !== undefined && !this.#stopped) {
      try {
        if (this.#clusterId === '')
          this.#clusterId = (await admin.describeCluster()).clusterId ?? '-'
        const [description] = await admin.describeTopics([topic])
        if (description?.error !== undefined) throw description.error
        const id = `${this.#clusterId}/${description?.topicId ?? topic}`
        this.#topicIds.set(topic, id)
        return id
      } catch (error) {
        if (!isRetriable(error)) throw error
        this.#ports.logger.warn(`asking for the id of topic ${topic} failed, trying again`, error)
        await delay(this.#ports.clock, RETRY_MS)
      }
    }
    return `-/${topic}`
  }

  #commitDue(): boolean {
    const elapsed = this.#ports.clock.monotonicMs() - this.#lastCommitMs
    return elapsed >= this.#settings.commitIntervalMs
  }

  /** One commit at a time; a refused one is repeated by the next. */
  #commit(consumer: KafkaConsumer): Promise<void> {
    this.#committing = this.#committing.then(async () => {
      this.#lastCommitMs = this.#ports.clock.monotonicMs()
      const offsets = this.#offsets.ready()
      if (offsets.length === 0 || !this.#settings.commits) return
      await this.#attempt('committing offsets', async () => {
        await consumer.commit(offsets)
        this.#offsets.committed(offsets)
      })
    })
    return this.#committing
  }

  async #revoked(partitions: readonly TopicPartition[]): Promise<void> {
    const { clock } = this.#ports
    const start = clock.monotonicMs()
    while (this.#offsets.busy(partitions) && clock.monotonicMs() - start < REVOKE_WAIT_MS) {
      await delay(clock, 20)
    }
    if (this.#consumer !== undefined) await this.#commit(this.#consumer)
    this.#offsets.forget(partitions)
    this.#topicIds.clear()
  }

  async #attempt(what: string, action: () => Promise<void>): Promise<void> {
    try {
      await action()
    } catch (error) {
      this.#ports.logger.warn(`${what} failed; events may be read again`, error)
    }
  }
}

function samePartition(record: ConsumedRecord | undefined, other: ConsumedRecord): boolean {
  return (
    record !== undefined && record.partition === other.partition && record.topic === other.topic
  )
}

function isRetriable(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && 'retriable' in error && error.retriable === true
  )
}
