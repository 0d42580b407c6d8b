// Pure.
// What the admin client takes and gives. Calls on several things answer for each of them: `error`
// is undefined where it went well. A call rejects only when nothing was answered at all.
import type { CommittedOffset, OffsetToCommit } from '../consumer/types.ts'
import type { EpochEnd, EpochQuery } from '../epochs.ts'
import type { KafkaError } from '../errors.ts'
import type {
  BrokerNode,
  FoundOffset,
  IsolationLevel,
  TopicPartition,
  TopicPartitionOffset,
} from '../types.ts'

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

export type ConfigResourceType = 'topic' | 'broker' | 'brokerLogger' | 'clientMetrics' | 'group'

export interface ConfigResource {
  readonly type: ConfigResourceType
  /** Of a broker its id; empty: the default of all brokers. */
  readonly name: string
}

export interface ConfigQuery extends ConfigResource {
  /** Only these; default all. */
  readonly names?: readonly string[]
}

/** Where a value comes from (KIP-226); unknown from brokers that do not tell. */
export type ConfigSource =
  | 'unknown'
  | 'topic'
  | 'dynamicBroker'
  | 'dynamicDefaultBroker'
  | 'staticBroker'
  | 'default'
  | 'dynamicBrokerLogger'
  | 'clientMetrics'
  | 'group'

export interface ConfigSynonym {
  readonly name: string
  readonly value: string | null
  readonly source: ConfigSource
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
  readonly source: ConfigSource
  /** In order of precedence; empty unless asked for. */
  readonly synonyms: readonly ConfigSynonym[]
  /** boolean string int short long double list class password; brokers 2.6 and newer. */
  readonly type?: string | undefined
  /** undefined unless asked for; brokers 2.6 and newer. */
  readonly documentation?: string | undefined
}

export interface ConfigChange extends ConfigResource {
  /** null removes the override. */
  readonly set: Readonly<Record<string, string | null>>
  /** Values to add to lists, or to take out of them (brokers 2.3 and newer). */
  readonly append?: Readonly<Record<string, string>>
  readonly subtract?: Readonly<Record<string, string>>
}

/** All overrides of a resource: others are removed. */
export interface ConfigReplacement extends ConfigResource {
  readonly configs: Readonly<Record<string, string>>
}

export interface CreatedTopic extends NamedOutcome {
  /** undefined from brokers that do not tell: ids since 2.8, counts and configs since 2.4. */
  readonly topicId?: string | undefined
  readonly partitions?: number | undefined
  readonly replicationFactor?: number | undefined
}

export interface PartitionIncrease {
  readonly name: string
  readonly count: number
  /** Broker ids of each partition that is added. */
  readonly assignments?: readonly (readonly number[])[]
}

/** How long the brokers may take. */
export interface TimeLimit {
  readonly timeoutMs?: number
}

export interface ChangeOptions extends TimeLimit {
  readonly validateOnly?: boolean
}

export interface PartitionOutcome extends TopicPartition {
  readonly error: KafkaError | undefined
}

export interface BrokerLogDirs {
  readonly nodeId: number
  readonly error: KafkaError | undefined
  readonly logDirs: readonly LogDirDescription[]
}

export interface LogDirDescription {
  readonly path: string
  readonly error: KafkaError | undefined
  /** -1 from brokers before 3.3. */
  readonly totalBytes: number
  readonly usableBytes: number
  readonly replicas: readonly LogDirReplica[]
}

export interface LogDirReplica extends TopicPartition {
  readonly sizeBytes: number
  /** How far the replica is behind the high watermark, or a future one behind the present one. */
  readonly offsetLag: number
  /** It is being moved here. */
  readonly isFuture: boolean
}

export interface ReplicaMove extends TopicPartition {
  readonly brokerId: number
  /** Log directory to keep the replica in. */
  readonly path: string
}

export interface ReplicaMoveOutcome extends PartitionOutcome {
  readonly brokerId: number
}

/** unclean: also a replica that is not in sync, where no other is alive: records may be lost. */
export type ElectionType = 'preferred' | 'unclean'

export interface Reassignment extends TopicPartition {
  /** Broker ids, the preferred leader first; null cancels what is under way. */
  readonly replicas: readonly number[] | null
}

/** A partition whose replicas are being moved. */
export interface OngoingReassignment extends TopicPartition {
  /** All of them, those that come and those that go included. */
  readonly replicas: readonly number[]
  readonly adding: readonly number[]
  readonly removing: readonly number[]
}

export interface PartitionProducers extends PartitionOutcome {
  readonly producers: readonly ActiveProducer[]
}

export interface ActiveProducer {
  readonly producerId: number
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastTimestamp: number
  /** -1 where it takes no part in transactions. */
  readonly coordinatorEpoch: number
  /** -1 where no transaction is open. */
  readonly currentTransactionStartOffset: number
}

/** A static member by its instance id, another by its member id. */
export type MemberToRemove = { readonly groupInstanceId: string } | { readonly memberId: string }

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
  /** Classic or Consumer; undefined from brokers before 3.8. */
  readonly type?: string | undefined
}

export interface GroupFilter {
  /** Stable, Empty …: brokers 2.6 and newer; older ones list all. */
  readonly states?: readonly string[]
  /** classic, consumer: brokers 3.8 and newer; older ones list all. */
  readonly types?: readonly string[]
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

/** What most who ask a cluster need. Built by KafkaClient.admin(). */
export interface Admin {
  describeCluster(): Promise<ClusterDescription>

  /** Names, sorted; without internal topics unless asked. */
  listTopics(options?: { readonly internal?: boolean }): Promise<string[]>
  /** All topics when none is named. */
  describeTopics(names?: readonly string[]): Promise<TopicDescription[]>
  createTopics(topics: readonly NewTopic[], options?: ChangeOptions): Promise<CreatedTopic[]>
  deleteTopics(names: readonly string[]): Promise<NamedOutcome[]>
  /** Grows topics to `count` partitions. */
  createPartitions(
    topics: readonly PartitionIncrease[],
    options?: ChangeOptions,
  ): Promise<NamedOutcome[]>

  describeConfigs(
    resources: readonly ConfigQuery[],
    options?: { readonly synonyms?: boolean; readonly documentation?: boolean },
  ): Promise<ConfigDescription[]>
  /** Changes what is named and nothing else, with brokers before 2.3 too. */
  alterConfigs(changes: readonly ConfigChange[], options?: ChangeOptions): Promise<NamedOutcome[]>

  listOffsets(
    queries: readonly PartitionTimeQuery[],
    options?: { readonly isolationLevel?: IsolationLevel },
  ): Promise<ListedOffset[]>
  /** Removes what lies before each offset; -1 for all below the high watermark. */
  deleteRecords(before: readonly TopicPartitionOffset[]): Promise<ListedOffset[]>

  /** Groups of every broker that answers. */
  listGroups(filter?: GroupFilter): Promise<ListedGroup[]>
  describeGroups(groupIds: readonly string[]): Promise<GroupDescription[]>
  deleteGroups(groupIds: readonly string[]): Promise<NamedOutcome[]>
  /** All that a group has committed, or these partitions. */
  groupOffsets(
    groupId: string,
    partitions?: readonly TopicPartition[],
    options?: { readonly requireStable?: boolean },
  ): Promise<CommittedOffset[]>
  /** Sets a group's offsets; the group must have no members. */
  setGroupOffsets(groupId: string, offsets: readonly OffsetToCommit[]): Promise<void>
}

/** The whole of it. Built by KafkaClient.clusterAdmin(). */
export interface ClusterAdmin extends Admin {
  /** By id (brokers 2.8 and newer); the outcomes' names are the ids. */
  deleteTopicsById(topicIds: readonly string[]): Promise<NamedOutcome[]>
  /** AlterConfigs as it was before KIP-339: what is not named is removed. */
  replaceConfigs(
    replacements: readonly ConfigReplacement[],
    options?: ChangeOptions,
  ): Promise<NamedOutcome[]>
  /** Where the records of leader epochs end (KIP-320); needs ClusterAction before 2.3. */
  offsetsForLeaderEpochs(queries: readonly EpochQuery[]): Promise<EpochEnd[]>
  /** Producers the leaders remember (brokers 2.8 and newer). */
  describeProducers(partitions: readonly TopicPartition[]): Promise<PartitionProducers[]>
  /** Of these brokers (default all); sizes of these partitions (default all). */
  describeLogDirs(
    brokerIds?: readonly number[],
    partitions?: readonly TopicPartition[],
  ): Promise<BrokerLogDirs[]>
  alterReplicaLogDirs(moves: readonly ReplicaMove[]): Promise<ReplicaMoveOutcome[]>
  /**
   * Elects leaders of these partitions, or of all (brokers 2.2 and newer; unclean 2.4). Where none
   * is needed the error is ELECTION_NOT_NEEDED; of all, only those with an outcome are answered.
   */
  electLeaders(
    type: ElectionType,
    partitions?: readonly TopicPartition[],
    options?: TimeLimit,
  ): Promise<PartitionOutcome[]>
  /** Begins to move replicas between brokers (2.4 and newer); the outcome is that of the order. */
  alterPartitionReassignments(
    wanted: readonly Reassignment[],
    options?: TimeLimit,
  ): Promise<PartitionOutcome[]>
  /** What is under way of these partitions, or of all (brokers 2.4 and newer). */
  listPartitionReassignments(
    partitions?: readonly TopicPartition[],
    options?: TimeLimit,
  ): Promise<OngoingReassignment[]>
  /** Forgets them (brokers 2.4 and newer); no member may be subscribed to the topics. */
  deleteGroupOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
  ): Promise<PartitionOutcome[]>
  /** Takes members out of a group (brokers 2.4 and newer); names are those given. */
  removeGroupMembers(groupId: string, members: readonly MemberToRemove[]): Promise<NamedOutcome[]>
}
