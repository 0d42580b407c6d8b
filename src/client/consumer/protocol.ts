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
import { compareText } from './assignors/assignor.ts'

/** What Java's clients from 3.5 on send. Older members read its beginning as their own version. */
const newestVersion = 3

/** int16 version, then the fields; topics sorted, as Java sends them. */
export function encodeSubscription(topics: readonly string[]): Buffer {
  const writer = new Writer()
  writer.int16(newestVersion)
  const body = { topics: [...topics].sort(compareText), userData: null, ownedPartitions: [] }
  compile(ConsumerProtocolSubscription, newestVersion).encode(body, writer)
  return writer.bytes()
}

/** Topics of a member's subscription. @throws WireError */
export function decodeSubscription(bytes: Buffer): readonly string[] {
  const reader = new Reader(bytes)
  const version = Math.min(Math.max(reader.int16(), 0), newestVersion)
  return compile(ConsumerProtocolSubscription, version).decode(reader).topics
}

export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of partitions) {
    const known = byTopic.get(topic)
    if (known === undefined) byTopic.set(topic, [partition])
    else known.push(partition)
  }
  const writer = new Writer()
  writer.int16(newestVersion)
  const assignedPartitions = [...byTopic].map(([topic, numbers]) => {
    return { topic, partitions: numbers }
  })
  const body = { assignedPartitions, userData: null }
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
  return assignedPartitions.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition })),
  )
}
