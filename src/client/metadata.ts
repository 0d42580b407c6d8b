// Pure.
// What the client knows of the cluster: brokers, topics, leaders. Immutable; an answer makes the
// next.
import type { BrokerNode } from './types.ts'

export interface ClusterMetadata {
  readonly clusterId: string | undefined
  /** -1 while unknown. */
  readonly controllerId: number
  readonly brokers: ReadonlyMap<number, BrokerNode>
  readonly topics: ReadonlyMap<string, TopicMetadata>
  /** The last answer was about all topics there are. */
  readonly isWhole: boolean
}

export interface TopicMetadata {
  readonly name: string
  /** 0, or why the topic cannot be used. */
  readonly errorCode: number
  /** All zeroes where the brokers have no topic ids. */
  readonly topicId: string
  readonly internal: boolean
  /** By partition number. A hole is a partition the answer did not name. */
  readonly partitions: readonly (PartitionMetadata | undefined)[]
  /** Numbers of the partitions that have a leader. */
  readonly available: readonly number[]
}

export interface PartitionMetadata {
  readonly partition: number
  readonly errorCode: number
  /** -1 while there is none. */
  readonly leader: number
  /** -1 from brokers that do not tell. */
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly inSyncReplicas: readonly number[]
  readonly offlineReplicas: readonly number[]
}

/** The part of a Metadata response that is kept. */
export interface MetadataAnswer {
  readonly clusterId: string | null
  readonly controllerId: number
  readonly brokers: readonly {
    readonly nodeId: number
    readonly host: string
    readonly port: number
    readonly rack: string | null
  }[]
  readonly topics: readonly TopicAnswer[]
}

interface TopicAnswer {
  readonly errorCode: number
  readonly name: string | null
  readonly topicId: string
  readonly isInternal: boolean
  readonly partitions: readonly PartitionAnswer[]
}

interface PartitionAnswer {
  readonly errorCode: number
  readonly partitionIndex: number
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly replicaNodes: readonly number[]
  readonly isrNodes: readonly number[]
  readonly offlineReplicas: readonly number[]
}

export const emptyMetadata: ClusterMetadata = {
  clusterId: undefined,
  controllerId: -1,
  brokers: new Map(),
  topics: new Map(),
  isWhole: false,
}

/** 16 zero bytes. */
export const noTopicId = 'A'.repeat(22)

/** Hostile or broken answers must not make us allocate by a partition number. */
const partitionNumberMax = 1_000_000

/**
 * The next state after an answer. Brokers are replaced; topics that were not asked for are kept,
 * unless the answer is about the whole cluster. A leader of an older epoch than known is not
 * believed (KIP-320), unless the topic is another one now.
 */
export function mergeMetadata(
  known: ClusterMetadata,
  answer: MetadataAnswer,
  { whole = false }: { readonly whole?: boolean } = {},
): ClusterMetadata {
  const brokers = new Map<number, BrokerNode>()
  for (const { nodeId, host, port, rack } of answer.brokers) {
    brokers.set(nodeId, { nodeId, host, port, rack })
  }
  const topics = whole ? new Map<string, TopicMetadata>() : new Map(known.topics)
  for (const topic of answer.topics) {
    if (topic.name === null) continue
    topics.set(topic.name, topicFrom(topic.name, topic, known.topics.get(topic.name)))
  }
  return {
    clusterId: answer.clusterId ?? known.clusterId,
    controllerId: answer.controllerId,
    brokers,
    topics,
    isWhole: whole || known.isWhole,
  }
}

/** Forgets topics that nobody cares for any more. */
export function keepTopics(known: ClusterMetadata, wanted: ReadonlySet<string>): ClusterMetadata {
  const topics = new Map([...known.topics].filter(([name]) => wanted.has(name)))
  const same = topics.size === known.topics.size && !known.isWhole
  return same ? known : { ...known, topics, isWhole: false }
}

/** undefined where the topic is unknown or its brokers have no topic ids. */
export function topicIdOf(metadata: ClusterMetadata, topic: string): string | undefined {
  const id = metadata.topics.get(topic)?.topicId
  return id === undefined || id === noTopicId ? undefined : id
}

function topicFrom(
  name: string,
  answer: TopicAnswer,
  known: TopicMetadata | undefined,
): TopicMetadata {
  const partitions: (PartitionMetadata | undefined)[] = []
  const sameTopic = known !== undefined && known.topicId === answer.topicId
  for (const partition of answer.partitions) {
    const number = partition.partitionIndex
    if (number < 0 || number > partitionNumberMax) continue
    const before = sameTopic ? known.partitions[number] : undefined
    partitions[number] = newerOf(before, partitionFrom(partition))
  }
  const available: number[] = []
  for (const partition of partitions) {
    if (partition !== undefined && partition.leader >= 0) available.push(partition.partition)
  }
  return {
    name,
    errorCode: answer.errorCode,
    topicId: answer.topicId,
    internal: answer.isInternal,
    partitions,
    available,
  }
}

function partitionFrom(answer: PartitionAnswer): PartitionMetadata {
  return {
    partition: answer.partitionIndex,
    errorCode: answer.errorCode,
    leader: answer.leaderId,
    leaderEpoch: answer.leaderEpoch,
    replicas: answer.replicaNodes,
    inSyncReplicas: answer.isrNodes,
    offlineReplicas: answer.offlineReplicas,
  }
}

function newerOf(before: PartitionMetadata | undefined, now: PartitionMetadata): PartitionMetadata {
  const older = before !== undefined && now.leaderEpoch >= 0 && now.leaderEpoch < before.leaderEpoch
  return older ? before : now
}

/** The leader's broker, or undefined while there is none or its address is unknown. */
export function leaderOf(
  metadata: ClusterMetadata,
  topic: string,
  partition: number,
): BrokerNode | undefined {
  const leader = metadata.topics.get(topic)?.partitions[partition]?.leader
  return leader === undefined || leader < 0 ? undefined : metadata.brokers.get(leader)
}

/** -1: the brokers do not tell. */
export function leaderEpochOf(metadata: ClusterMetadata, topic: string, partition: number): number {
  return metadata.topics.get(topic)?.partitions[partition]?.leaderEpoch ?? -1
}

/** Host and port of `host:port` or `[v6]:port`; undefined where it is neither. */
export function parseAddress(text: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^[\]:\s]+)):(\d{1,5})$/.exec(text.trim())
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  return host === undefined || !(port > 0 && port < 65536) ? undefined : { host, port }
}
