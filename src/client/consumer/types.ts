// Pure.
// What a consumer takes, gives and promises.
import type {
  FoundOffset,
  IsolationLevel,
  RecordHeader,
  TopicPartition,
  TopicPartitionOffset,
} from '../types.ts'

export interface ConsumerSettings {
  /** Needed for subscribe() and commit(). */
  readonly groupId?: string
  /** A static member keeps its partitions over a restart (brokers 2.3 and newer). */
  readonly groupInstanceId?: string
  /** Where to begin without a committed offset. none: poll() rejects. Default latest. */
  readonly autoOffsetReset?: 'earliest' | 'latest' | 'none'
  /**
   * Commits, at a later poll() or on close(), what polls before that call returned. Default false.
   */
  readonly autoCommit?: boolean
  /** Default 5000. */
  readonly autoCommitIntervalMs?: number
  /** Most records one poll() returns. Default 500. */
  readonly maxPollRecords?: number
  /** Between two polls; a member that is slower leaves its group. Default 300000. */
  readonly maxPollIntervalMs?: number
  /** Default 1. */
  readonly fetchMinBytes?: number
  /** Default 500. */
  readonly fetchMaxWaitMs?: number
  /** One answer's records from one broker. Default 50 MiB. */
  readonly fetchBytesMax?: number
  /** One answer's records of one partition. Default 1 MiB. */
  readonly partitionFetchBytesMax?: number
  /** No more is fetched while this much is buffered. Default 64 MiB. */
  readonly prefetchBytesMax?: number
  /** Larger decompressed batches are refused. Default 128 MiB. */
  readonly decompressedBytesMax?: number
  /** Default read_uncommitted. */
  readonly isolationLevel?: IsolationLevel
  /** Default 45000 (30000 asked of brokers whose limit is lower). */
  readonly sessionTimeoutMs?: number
  /** Default 3000. */
  readonly heartbeatIntervalMs?: number
  /**
   * In order of preference. Where all are cooperative, a rebalance takes only those partitions away
   * that go to another member (KIP-429). Default range.
   */
  readonly assignors?: readonly AssignorName[]
  /** Where this consumer runs: leaders may send it to a replica near by (KIP-392, KIP-881). */
  readonly rackId?: string
  /** Whether a pattern passes over internal topics. Default true. */
  readonly excludeInternalTopics?: boolean
  /** Lets a broker create a subscribed topic that is missing. Default true. */
  readonly allowAutoTopicCreation?: boolean
}

export type AssignorName = 'range' | 'roundrobin' | 'sticky' | 'cooperative-sticky'

/** Whose time a record has: its producer's, the leader's, or (format v0) none. */
export type TimestampType = 'CreateTime' | 'LogAppendTime' | 'NoTimestampType'

export interface ConsumedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Milliseconds since 1970; -1 where there is none. */
  readonly timestamp: number
  readonly timestampType: TimestampType
  /** Key and value are views of the fetched bytes. */
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
  /** -1 where the record's format has none. */
  readonly leaderEpoch: number
}

export interface OffsetToCommit extends TopicPartitionOffset {
  readonly metadata?: string | null
  readonly leaderEpoch?: number
}

/** offset is -1 where nothing is committed. */
export interface CommittedOffset extends TopicPartitionOffset {
  readonly metadata: string | null
  readonly leaderEpoch: number
}

export interface PartitionTime extends TopicPartition {
  /** Milliseconds since 1970. */
  readonly timestamp: number
}

/** Says which topics are meant, as RegExp does. Java's patterns match whole names: use ^ and $. */
export interface TopicPattern {
  test(topic: string): boolean
}

/**
 * Called within poll() (and close()), before it goes on; a promise is awaited. So an application
 * that has stopped processing when it polls may commit in onRevoked.
 */
export type PartitionListener = (partitions: readonly TopicPartition[]) => void | Promise<void>

/**
 * Reads records, alone (assign) or as a member of a group (subscribe). Calls to poll() must not
 * overlap. Built by KafkaClient.consumer().
 */
export interface Consumer {
  /**
   * Joins the group at the next poll(). Replaces an earlier subscription. With a pattern, topics
   * that come and go later are followed, as metadata is refreshed.
   */
  subscribe(topics: readonly string[] | TopicPattern): void
  /** Topics subscribed to now; of a pattern, those it meant when metadata came last. */
  subscription(): readonly string[]
  /** Leaves the group, gives up all partitions. */
  unsubscribe(): Promise<void>
  /** Reads these partitions without group membership. Replaces an earlier assignment. */
  assign(partitions: readonly TopicPartition[]): void
  /** Partitions now assigned. */
  assignment(): readonly TopicPartition[]
  /** Partitions that came; of a cooperative group, only those that are new. */
  onAssigned(listener: PartitionListener): void
  /** Partitions that this member must give up, or has lost already. */
  onRevoked(listener: PartitionListener): void

  /**
   * Up to maxPollRecords records, as soon as there are any; none when timeoutMs has passed.
   * Rejects with a KafkaError on what retrying does not mend: authorization, no offset to begin at,
   * corrupt records. Lost connections and moved leaders are waited out.
   */
  poll(timeoutMs: number): Promise<readonly ConsumedRecord[]>
  /** Ends a waiting poll() early. */
  wakeup(): void

  /** Offset of the record that comes next. undefined until it is known. */
  position(partition: TopicPartition): number | undefined
  seek(topic: string, partition: number, offset: number): void
  seekToBeginning(partitions?: readonly TopicPartition[]): void
  seekToEnd(partitions?: readonly TopicPartition[]): void
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  paused(): readonly TopicPartition[]

  /**
   * Commits these offsets (of the record that comes next), or all positions. Retries what may be
   * retried. @throws KafkaError where the group has moved on (ILLEGAL_GENERATION,
   * UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS): then the next poll() rejoins, and others get the
   * records again.
   */
  commit(offsets?: readonly OffsetToCommit[]): Promise<void>
  committed(partitions: readonly TopicPartition[]): Promise<CommittedOffset[]>

  beginningOffsets(partitions: readonly TopicPartition[]): Promise<FoundOffset[]>
  endOffsets(partitions: readonly TopicPartition[]): Promise<FoundOffset[]>
  /** The first record at or after each time; offset -1 where there is none. */
  offsetsForTimes(times: readonly PartitionTime[]): Promise<FoundOffset[]>
  /** Known lag (end of the log as last seen, minus position); undefined until fetched once. */
  lag(partition: TopicPartition): number | undefined

  /**
   * Commits, where autoCommit is on, leaves the group (not as a static member), and ends; after
   * timeoutMs (default 30000) even where the coordinator did not answer.
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>
}
