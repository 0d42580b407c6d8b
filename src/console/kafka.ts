// What the console asks of Kafka: a narrow interface, so that its pages can be tested without a broker.

export interface TopicReader {
  cluster(): Promise<ClusterSummary>
  topics(): Promise<TopicSummary[]>
  /** @throws UnknownTopicError */
  topic(name: string): Promise<TopicDetail>
  /** First and end offset of every partition. @throws UnknownTopicError */
  offsets(name: string): Promise<PartitionOffsets[]>
  /** The first offset at or after the time; partitions without one (their end) are left out. */
  offsetsForTime(name: string, timestampMs: number): Promise<ReadonlyMap<number, number>>
  /** Begins to read the partitions from the offsets given. */
  open(name: string, starts: ReadonlyMap<number, number>): Promise<TopicCursor>
  close(): Promise<void>
}

/** Reads on from where it was opened; belongs to one request and is closed with it. */
export interface TopicCursor {
  /** Whatever is there next, in offset order per partition; empty when nothing came in time. */
  poll(timeoutMs: number): Promise<RawMessage[]>
  /** The offset the next record can have; runs ahead of records where offsets were skipped. */
  position(partition: number): number
  /** Stops reading a partition: the rest of it is not wanted. */
  finish(partition: number): void
  close(): Promise<void>
}

export interface RawMessage {
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly { readonly key: string; readonly value: Buffer | null }[]
}

export interface ClusterSummary {
  readonly clusterId: string | undefined
  readonly controllerId: number | undefined
  readonly brokers: readonly { readonly id: number; readonly host: string; readonly port: number }[]
}

export interface TopicSummary {
  readonly name: string
  readonly internal: boolean
  readonly partitions: number
  readonly replicas: number
  /** Partitions with fewer in-sync replicas than replicas. */
  readonly underReplicated: number
  /** Partitions without a leader. */
  readonly offline: number
  /** End minus begin offsets: an estimate, since compaction and markers leave gaps. */
  readonly messageCount: number | undefined
  /** Bytes on disk of one copy, where the brokers tell. */
  readonly sizeBytes: number | undefined
}

export interface PartitionOffsets {
  readonly partition: number
  readonly begin: number
  readonly end: number
}

export interface PartitionDetail {
  readonly partition: number
  readonly leader: number | undefined
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
  /** Undefined while no leader can be asked. */
  readonly begin: number | undefined
  readonly end: number | undefined
}

export interface TopicDetail {
  readonly name: string
  readonly internal: boolean
  readonly partitions: readonly PartitionDetail[]
  /** Undefined where the brokers do not tell (older than 0.11, or not allowed). */
  readonly configs: readonly TopicConfig[] | undefined
}

export interface TopicConfig {
  readonly name: string
  /** Null where it is secret. */
  readonly value: string | null
  readonly isDefault: boolean
}

export class UnknownTopicError extends Error {
  override readonly name = 'UnknownTopicError'
  constructor(topic: string) {
    super(`There is no topic ${topic}.`)
  }
}

/** Kafka cannot be asked at present; the message is a sentence for people. */
export class KafkaDownError extends Error {
  override readonly name = 'KafkaDownError'
}
