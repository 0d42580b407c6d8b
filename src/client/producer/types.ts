// Pure.
// What a producer takes, gives and promises.
import type { KafkaError } from '../errors.ts'
import type { CompressionName, RecordHeader } from '../types.ts'

export interface ProducerSettings {
  /** -1: all in-sync replicas; 1: the leader; 0: nobody (offsets are then -1). Default -1. */
  readonly acks?: -1 | 0 | 1
  /**
   * Retries make no duplicates within a producer's life. Default: on, where the brokers can
   * (0.11 and newer) and acks is -1. true asks for it and fails where they cannot.
   */
  readonly idempotence?: boolean
  /** How long a batch waits for more records. Default 0: until the end of the loop turn. */
  readonly lingerMs?: number
  /** A batch is sent when it holds this much, uncompressed. Default 16384. */
  readonly batchBytes?: number
  /** Default none. */
  readonly compression?: CompressionName
  /** Unanswered requests for each broker. Default 5. */
  readonly maxInFlight?: number
  /**
   * From send() to acknowledgement, retries included. Infinity: try for ever. A record whose answer
   * is outstanding by then fails too, though it may have been written. Default 120000.
   */
  readonly deliveryTimeoutMs?: number
  /** How often a batch is sent again after retriable errors. Default: until deliveryTimeoutMs. */
  readonly retries?: number
  /** ready() waits while this much is buffered. Default 32 MiB. */
  readonly bufferMemoryBytes?: number
  /** One request's records; a larger single record is refused. Default 1 MiB. */
  readonly requestBytesMax?: number
  /** How long the broker may wait for its followers. Default: the client's requestTimeoutMs. */
  readonly ackTimeoutMs?: number
  /** Lets a broker create a topic that is named for the first time. Default true. */
  readonly allowAutoTopicCreation?: boolean
  /**
   * Default: murmur2 of the key as Java's; records without a key stick to one partition a batch.
   */
  readonly partitioner?: Partitioner
  /** A topic nothing was sent to for this long (up to twice that) is forgotten. Default 300000. */
  readonly topicIdleMs?: number
}

/** Buffers may be used again as soon as send() returned, except for topics not known yet. */
export interface ProducerRecord {
  readonly topic: string
  readonly partition?: number
  readonly key?: Buffer | null
  readonly value: Buffer | null
  readonly headers?: readonly RecordHeader[]
  /** Milliseconds since 1970. Default: now. */
  readonly timestamp?: number
}

/**
 * Where a record went. offset is -1 with acks 0, and where a broker said only that the record is
 * there already; timestamp is the log-append time where that rules.
 */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
}

/**
 * Told how a record fared: exactly one of both is given. Not called within the sending call. It
 * must not throw: that is logged and otherwise ignored.
 */
export type DeliveryCallback = (
  error: KafkaError | undefined,
  metadata: RecordMetadata | undefined,
) => void

/**
 * Chooses a partition for a record without one; undefined leaves it to the sticky choice.
 * partitionCount is at least 1.
 */
export type Partitioner = (record: ProducerRecord, partitionCount: number) => number | undefined

/**
 * Sends records in order per partition. Built by KafkaClient.producer().
 */
export interface Producer {
  /** Bytes of records that are not acknowledged yet. */
  readonly bufferedBytes: number
  /**
   * Queues a record; resolves when acknowledged as `acks` says. Rejects with a KafkaError that will
   * not be retried any more. Never waits for room: await ready() before the next one.
   */
  send(record: ProducerRecord): Promise<RecordMetadata>
  /** The same without a promise, which is a third of what a small record costs. */
  sendWithCallback(record: ProducerRecord, onDelivery: DeliveryCallback): void
  /** Resolves when bufferedBytes is below bufferMemoryBytes. */
  ready(): Promise<void>
  /**
   * Sends without lingering; resolves when all that was queued before is acknowledged or failed.
   */
  flush(): Promise<void>
  /** Flushes, then ends. With a limit, what is unsent after it fails with CLIENT_CLOSED. */
  close(options?: { readonly timeoutMs?: number }): Promise<void>
}
