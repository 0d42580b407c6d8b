// Pure.
// What members of a group tell each other inside JoinGroup and SyncGroup: subscriptions,
// assignments.
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
} from '../../kafka/internal/consumer-protocol.ts'
import { compile } from '../../wire/compile.ts'
import { Reader } from '../../wire/reader.ts'
import { Writer } from '../../wire/writer.ts'
import type { TopicPartition } from '../types.ts'
import { comparePartitions, compareText } from './assignors/assignor.ts'

/** What Java's clients from 3.5 on send. Older members read its beginning as their own version. */
const newestVersion = 3

export interface Subscription {
  readonly topics: readonly string[]
  readonly userData: Buffer | null
  /** What a cooperative member holds on to (KIP-429). */
  readonly ownedPartitions: readonly TopicPartition[]
  /** Of the assignment it had last; -1: none. */
  readonly generationId: number
  readonly rackId: string | null
}

/** int16 version, then the fields; topics and partitions sorted, as Java sends them. */
export function encodeSubscription(subscription: Subscription): Buffer {
  const { topics, userData, ownedPartitions, generationId, rackId } = subscription
  const writer = new Writer()
  writer.int16(newestVersion)
  const body = {
    topics: [...topics].sort(compareText),
    userData,
    ownedPartitions: groupByTopic([...ownedPartitions].sort(comparePartitions)),
    generationId,
    rackId,
  }
  compile(ConsumerProtocolSubscription, newestVersion).encode(body, writer)
  return writer.bytes()
}

/** What a member tells in JoinGroup, in any version. @throws WireError */
export function decodeSubscription(bytes: Buffer): Subscription {
  const reader = new Reader(bytes)
  const version = Math.min(Math.max(reader.int16(), 0), newestVersion)
  const read = compile(ConsumerProtocolSubscription, version).decode(reader)
  return { ...read, ownedPartitions: flatten(read.ownedPartitions) }
}

export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  const writer = new Writer()
  writer.int16(newestVersion)
  const body = { assignedPartitions: groupByTopic(partitions), userData: null }
  compile(ConsumerProtocolAssignment, newestVersion).encode(body, writer)
  return writer.bytes()
}

/**
 * No bytes mean no partitions: a leader that does not know a member assigns it so. @throws
 * WireError
 */
export function decodeAssignment(bytes: Buffer): TopicPartition[] {
  if (bytes.length === 0) return []
  const reader = new Reader(bytes)
  const version = Math.min(Math.max(reader.int16(), 0), newestVersion)
  const { assignedPartitions } = compile(ConsumerProtocolAssignment, version).decode(reader)
  return flatten(assignedPartitions)
}

interface PartitionsOfTopic {
  readonly topic: string
  readonly partitions: readonly number[]
}

function flatten(topics: readonly PartitionsOfTopic[]): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition })),
  )
}

function groupByTopic(partitions: readonly TopicPartition[]): PartitionsOfTopic[] {
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of partitions) {
    const known = byTopic.get(topic)
    if (known === undefined) byTopic.set(topic, [partition])
    else known.push(partition)
  }
  return [...byTopic].map(([topic, numbers]) => ({ topic, partitions: numbers }))
}
