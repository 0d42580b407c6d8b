// The admin client: topics, configuration, offsets, log directories and groups.
import type { Cluster } from '../cluster.ts'
import type { CommittedOffset, OffsetToCommit } from '../consumer/types.ts'
import type { EpochEnd, EpochQuery } from '../epochs.ts'
import type { IsolationLevel, TopicPartition, TopicPartitionOffset } from '../types.ts'
import * as configs from './configs.ts'
import * as groups from './groups.ts'
import * as logDirs from './log-dirs.ts'
import * as reassignments from './reassignments.ts'
import * as records from './records.ts'
import * as topics from './topics.ts'
import type {
  BrokerLogDirs,
  ChangeOptions,
  ClusterAdmin,
  ClusterDescription,
  ConfigChange,
  ConfigDescription,
  ConfigQuery,
  ConfigReplacement,
  CreatedTopic,
  ElectionType,
  GroupDescription,
  GroupFilter,
  ListedGroup,
  ListedOffset,
  MemberToRemove,
  NamedOutcome,
  NewTopic,
  OngoingReassignment,
  PartitionIncrease,
  PartitionOutcome,
  PartitionProducers,
  PartitionTimeQuery,
  Reassignment,
  ReplicaMove,
  ReplicaMoveOutcome,
  TimeLimit,
  TopicDescription,
} from './types.ts'

export class KafkaAdmin implements ClusterAdmin {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  describeCluster(): Promise<ClusterDescription> {
    return topics.describeCluster(this.#cluster)
  }

  async listTopics(options: { readonly internal?: boolean } = {}): Promise<string[]> {
    const all = await topics.describeTopics(this.#cluster, undefined)
    const wanted = all.filter(({ internal }) => options.internal === true || !internal)
    return wanted.map(({ name }) => name)
  }

  describeTopics(names?: readonly string[]): Promise<TopicDescription[]> {
    return topics.describeTopics(this.#cluster, names)
  }

  createTopics(wanted: readonly NewTopic[], options: ChangeOptions = {}): Promise<CreatedTopic[]> {
    return topics.createTopics(this.#cluster, wanted, options)
  }

  deleteTopics(names: readonly string[]): Promise<NamedOutcome[]> {
    return topics.deleteTopics(this.#cluster, names)
  }

  deleteTopicsById(topicIds: readonly string[]): Promise<NamedOutcome[]> {
    return topics.deleteTopicsById(this.#cluster, topicIds)
  }

  createPartitions(
    wanted: readonly PartitionIncrease[],
    options: ChangeOptions = {},
  ): Promise<NamedOutcome[]> {
    return topics.createPartitions(this.#cluster, wanted, options)
  }

  describeConfigs(
    resources: readonly ConfigQuery[],
    options: configs.DescribeOptions = {},
  ): Promise<ConfigDescription[]> {
    return configs.describeConfigs(this.#cluster, resources, options)
  }

  alterConfigs(
    changes: readonly ConfigChange[],
    options: ChangeOptions = {},
  ): Promise<NamedOutcome[]> {
    return configs.alterConfigs(this.#cluster, changes, options)
  }

  replaceConfigs(
    replacements: readonly ConfigReplacement[],
    options: ChangeOptions = {},
  ): Promise<NamedOutcome[]> {
    return configs.replaceConfigs(this.#cluster, replacements, options)
  }

  listOffsets(
    queries: readonly PartitionTimeQuery[],
    options: { readonly isolationLevel?: IsolationLevel } = {},
  ): Promise<ListedOffset[]> {
    return records.listOffsets(this.#cluster, queries, options)
  }

  offsetsForLeaderEpochs(queries: readonly EpochQuery[]): Promise<EpochEnd[]> {
    return records.offsetsForLeaderEpochs(this.#cluster, queries)
  }

  deleteRecords(before: readonly TopicPartitionOffset[]): Promise<ListedOffset[]> {
    return records.deleteRecords(this.#cluster, before)
  }

  describeProducers(partitions: readonly TopicPartition[]): Promise<PartitionProducers[]> {
    return records.describeProducers(this.#cluster, partitions)
  }

  describeLogDirs(
    brokerIds?: readonly number[],
    partitions?: readonly TopicPartition[],
  ): Promise<BrokerLogDirs[]> {
    return logDirs.describeLogDirs(this.#cluster, brokerIds, partitions)
  }

  alterReplicaLogDirs(moves: readonly ReplicaMove[]): Promise<ReplicaMoveOutcome[]> {
    return logDirs.alterReplicaLogDirs(this.#cluster, moves)
  }

  electLeaders(
    type: ElectionType,
    partitions?: readonly TopicPartition[],
    options: TimeLimit = {},
  ): Promise<PartitionOutcome[]> {
    return reassignments.electLeaders(this.#cluster, type, partitions, options)
  }

  alterPartitionReassignments(
    wanted: readonly Reassignment[],
    options: TimeLimit = {},
  ): Promise<PartitionOutcome[]> {
    return reassignments.alterPartitionReassignments(this.#cluster, wanted, options)
  }

  listPartitionReassignments(
    partitions?: readonly TopicPartition[],
    options: TimeLimit = {},
  ): Promise<OngoingReassignment[]> {
    return reassignments.listPartitionReassignments(this.#cluster, partitions, options)
  }

  listGroups(filter: GroupFilter = {}): Promise<ListedGroup[]> {
    return groups.listGroups(this.#cluster, filter)
  }

  describeGroups(groupIds: readonly string[]): Promise<GroupDescription[]> {
    return groups.describeGroups(this.#cluster, groupIds)
  }

  deleteGroups(groupIds: readonly string[]): Promise<NamedOutcome[]> {
    return groups.deleteGroups(this.#cluster, groupIds)
  }

  groupOffsets(
    groupId: string,
    partitions?: readonly TopicPartition[],
    options: { readonly requireStable?: boolean } = {},
  ): Promise<CommittedOffset[]> {
    return groups.groupOffsets(this.#cluster, groupId, partitions, options)
  }

  setGroupOffsets(groupId: string, offsets: readonly OffsetToCommit[]): Promise<void> {
    return groups.setGroupOffsets(this.#cluster, groupId, offsets)
  }

  deleteGroupOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
  ): Promise<PartitionOutcome[]> {
    return groups.deleteGroupOffsets(this.#cluster, groupId, partitions)
  }

  removeGroupMembers(groupId: string, members: readonly MemberToRemove[]): Promise<NamedOutcome[]> {
    return groups.removeGroupMembers(this.#cluster, groupId, members)
  }
}
