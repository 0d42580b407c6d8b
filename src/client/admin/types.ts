// Pure.
// What the admin client takes and gives. Calls on several things answer for each of them: `error`
// is undefined where it went well. A call rejects only when nothing was answered at all.
import type { CommittedOffset, OffsetToCommit } from '../consumer/types.ts'
import type { KafkaError } from '../errors.ts'
import type { BrokerNode, FoundOffset, TopicPartition, TopicPartitionOffset } from '../types.ts'

export interface NewTopic {
  readonly name: string
  /** Default: the broker's (brokers 2.4 and newer), else 1. */
  readonly partitions?: number
  readonly replicationFactor?: number
  /** Partition to broker ids, instead of partitions and replicationFactor. */
  readonly assignments?: ReadonlyMap<number, readonly number[]>
  readonly configs?: Readonly<Record<string, string>>
}

export interface NamedOutcome {
  readonly name: string
  readonly error: KafkaError | undefined
}

export interface TopicDescription extends NamedOutcome {
  /** 22 characters of base64url; undefined from brokers without topic ids. */
  readonly topicId: string | undefined
  readonly internal: boolean
  readonly partitions: readonly PartitionDescription[]
}

export interface PartitionDescription {
  readonly partition: number
  /** -1 while there is none. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly inSyncReplicas: readonly number[]
  readonly offlineReplicas: readonly number[]
}

export interface ClusterDescription {
  readonly clusterId: string | undefined
  readonly controllerId: number
  readonly brokers: readonly BrokerNode[]
}

export type ConfigResourceType = 'topic' | 'broker'

export interface ConfigResource {
  readonly type: ConfigResourceType
  readonly name: string
}

export interface ConfigDescription extends NamedOutcome {
  readonly type: ConfigResourceType
  readonly entries: readonly ConfigEntry[]
}

export interface ConfigEntry {
  readonly name: string
  /** null where it is hidden (passwords). */
  readonly value: string | null
  readonly readOnly: boolean
  readonly isDefault: boolean
  readonly sensitive: boolean
}

export interface ConfigChange extends ConfigResource {
  /** null removes the override. */
  readonly set: Readonly<Record<string, string | null>>
}

export interface PartitionTimeQuery extends TopicPartition {
  /** Milliseconds since 1970, or earliest, latest, maxTimestamp (brokers 3.0 and newer). */
  readonly at: number | 'earliest' | 'latest' | 'maxTimestamp'
}

export interface ListedOffset extends FoundOffset {
  readonly error: KafkaError | undefined
}

export interface ListedGroup {
  readonly groupId: string
  readonly protocolType: string
  /** undefined from brokers before 2.6. */
  readonly state: string | undefined
}

export interface GroupDescription extends NamedOutcome {
  readonly state: string
  readonly protocolType: string
  readonly protocol: string
  readonly coordinator: BrokerNode
  readonly members: readonly GroupMember[]
}

export interface GroupMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly assignment: readonly TopicPartition[]
}

/** Built by KafkaClient.admin(). */
export interface Admin {
  describeCluster(): Promise<ClusterDescription>
  /** Names, sorted; without internal topics unless asked. */
  listTopics(options?: { readonly internal?: boolean }): Promise<string[]>
  /** All topics when none is named. */
  describeTopics(names?: readonly string[]): Promise<TopicDescription[]>
  createTopics(
    topics: readonly NewTopic[],
    options?: { readonly validateOnly?: boolean; readonly timeoutMs?: number },
  ): Promise<NamedOutcome[]>
  deleteTopics(names: readonly string[]): Promise<NamedOutcome[]>
  /** Grows topics to `count` partitions. */
  createPartitions(topics: readonly { name: string; count: number }[]): Promise<NamedOutcome[]>
  /** Removes what lies before each offset; -1 for all below the high watermark. */
  deleteRecords(before: readonly TopicPartitionOffset[]): Promise<ListedOffset[]>
  describeConfigs(resources: readonly ConfigResource[]): Promise<ConfigDescription[]>
  alterConfigs(changes: readonly ConfigChange[]): Promise<NamedOutcome[]>
  listOffsets(queries: readonly PartitionTimeQuery[]): Promise<ListedOffset[]>
  /** Groups of every broker that answers. */
  listGroups(): Promise<ListedGroup[]>
  describeGroups(groupIds: readonly string[]): Promise<GroupDescription[]>
  deleteGroups(groupIds: readonly string[]): Promise<NamedOutcome[]>
  /** All that a group has committed, or these partitions. */
  groupOffsets(groupId: string, partitions?: readonly TopicPartition[]): Promise<CommittedOffset[]>
  /** Sets a group's offsets; the group must have no members. */
  setGroupOffsets(groupId: string, offsets: readonly OffsetToCommit[]): Promise<void>
}
