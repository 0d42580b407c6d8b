// Pure.
// Partitions as keys, as names, in order.
import type { TopicPartition } from '../client/types.ts'

export function partitionKey({ topic, partition }: TopicPartition): string {
  return `${topic} ${partition}`
}

export function byPartition(one: TopicPartition, other: TopicPartition): number {
  if (one.topic !== other.topic) return one.topic < other.topic ? -1 : 1
  return one.partition - other.partition
}

export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}
