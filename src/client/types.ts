// Pure.
// Values that producer, consumer and admin share.

import type { CodecName } from '../kafka/records/compression.ts'

/** A record's header. Keys may repeat; order is kept. */
export interface RecordHeader {
  readonly key: string
  readonly value: Buffer | null
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface TopicPartitionOffset extends TopicPartition {
  readonly offset: number
}

/** One answer of ListOffsets: offset and timestamp are -1 where no record matched. */
export interface FoundOffset extends TopicPartition {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

/** none gzip snappy lz4 zstd */
export type CompressionName = CodecName

export type IsolationLevel = 'read_uncommitted' | 'read_committed'

/** A broker as metadata names it. */
export interface BrokerNode {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}
