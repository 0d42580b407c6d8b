// Pure.
// What kafka-topics --describe prints: which topics and partitions, and in which columns.
import type { ConfigEntry, PartitionDescription, TopicDescription } from '../client/admin/types.ts'

/** all; topics with settings of their own, without their partitions; or partitions in some trouble. */
export type DescribeWhat =
  | 'all'
  | 'overrides'
  | 'underReplicated'
  | 'underMinInSync'
  | 'atMinInSync'
  | 'unavailable'

export interface DescribedTopic {
  readonly topic: TopicDescription
  readonly configs: readonly ConfigEntry[]
}

export interface DescribeContext {
  readonly what: DescribeWhat
  readonly liveBrokers: ReadonlySet<number>
  /** The columns of 0.10.1. */
  readonly isOldWay: boolean
}

/** Lines without their ends; none where a topic has nothing to show. */
export function describeLines(described: DescribedTopic, context: DescribeContext): string[] {
  const { what, isOldWay } = context
  const { topic } = described
  const overrides = described.configs.filter(({ isDefault }) => !isDefault)
  const lines: string[] = []
  if (what === 'all' || (what === 'overrides' && overrides.length > 0)) {
    lines.push(topicLine(topic, overrides, isOldWay))
  }
  if (what === 'overrides') return lines
  for (const partition of topic.partitions) {
    if (!isShown(partition, described, context)) continue
    lines.push(partitionLine(topic.name, partition, isOldWay))
  }
  return lines
}

/** undefined ids come from brokers that have none. */
const noTopicId = 'A'.repeat(22)

function topicLine(
  topic: TopicDescription,
  overrides: readonly ConfigEntry[],
  isOldWay: boolean,
): string {
  const configs = overrides.map(({ name, value }) => `${name}=${value ?? 'null'}`).join(',')
  const factor = topic.partitions[0]?.replicas.length ?? 0
  if (isOldWay) {
    const counts = `PartitionCount:${topic.partitions.length}\tReplicationFactor:${factor}`
    return `Topic:${topic.name}\t${counts}\tConfigs:${configs}`
  }
  const columns = [
    `Topic: ${topic.name}`,
    `TopicId: ${topic.topicId ?? noTopicId}`,
    `PartitionCount: ${topic.partitions.length}`,
    `ReplicationFactor: ${factor}`,
    `Configs: ${configs}`,
  ]
  return columns.join('\t')
}

function partitionLine(topic: string, partition: PartitionDescription, isOldWay: boolean): string {
  const columns = [
    `Topic: ${topic}`,
    `Partition: ${partition.partition}`,
    `Leader: ${partition.leader < 0 ? 'none' : partition.leader}`,
    `Replicas: ${partition.replicas.join(',')}`,
    `Isr: ${partition.inSyncReplicas.join(',')}`,
    // Only KRaft clusters have eligible leader replicas.
    ...(isOldWay ? [] : ['Elr: N/A', 'LastKnownElr: N/A']),
  ]
  return `\t${columns.join('\t')}`
}

function isShown(
  partition: PartitionDescription,
  { configs }: DescribedTopic,
  { what, liveBrokers }: DescribeContext,
): boolean {
  const inSync = partition.inSyncReplicas.length
  const minInSync = Number(configs.find(({ name }) => name === 'min.insync.replicas')?.value ?? 1)
  switch (what) {
    case 'all':
      return true
    case 'overrides':
      return false
    case 'underReplicated':
      return inSync < partition.replicas.length
    case 'underMinInSync':
      return inSync < minInSync
    case 'atMinInSync':
      return inSync === minInSync
    case 'unavailable':
      return partition.leader < 0 || !liveBrokers.has(partition.leader)
  }
}
