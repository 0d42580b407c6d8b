// The admin client: topics, configuration, offsets and groups.
import type { Cluster } from '../cluster.ts'
import type { CommittedOffset, OffsetToCommit } from '../consumer/types.ts'
import type { TopicPartition, TopicPartitionOffset } from '../types.ts'
import { alterConfigs, describeConfigs } from './configs.ts'
import {
  deleteGroups,
  describeGroups,
  groupOffsets,
  listGroups,
  setGroupOffsets,
} from './groups.ts'
import { deleteRecords, listOffsets } from './records.ts'
import {
  createPartitions,
  createTopics,
  deleteTopics,
  describeCluster,
  describeTopics,
} from './topics.ts'
import type {
  Admin,
  ClusterDescription,
  ConfigChange,
  ConfigDescription,
  ConfigResource,
  GroupDescription,
  ListedGroup,
  ListedOffset,
  NamedOutcome,
  NewTopic,
  PartitionTimeQuery,
  TopicDescription,
} from './types.ts'

export class KafkaAdmin implements Admin {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  describeCluster(): Promise<ClusterDescription> {
    return describeCluster(this.#cluster)
  }

  async listTopics(options: { readonly internal?: boolean } = {}): Promise<string[]> {
    const topics = await describeTopics(this.#cluster, undefined)
    const wanted = topics.filter(({ internal }) => options.internal === true || !internal)
    return wanted.map(({ name }) => name)
  }

  describeTopics(names?: readonly string[]): Promise<TopicDescription[]> {
    return describeTopics(this.#cluster, names)
  }

  createTopics(
    topics: readonly NewTopic[],
    options: { readonly validateOnly?: boolean; readonly timeoutMs?: number } = {},
  ): Promise<NamedOutcome[]> {
    return createTopics(this.#cluster, topics, options)
  }

  deleteTopics(names: readonly string[]): Promise<NamedOutcome[]> {
    return deleteTopics(this.#cluster, names)
  }

  createPartitions(topics: readonly { name: string; count: number }[]): Promise<NamedOutcome[]> {
    return createPartitions(this.#cluster, topics)
  }

  deleteRecords(before: readonly TopicPartitionOffset[]): Promise<ListedOffset[]> {
    return deleteRecords(this.#cluster, before)
  }

  describeConfigs(resources: readonly ConfigResource[]): Promise<ConfigDescription[]> {
    return describeConfigs(this.#cluster, resources)
  }

  alterConfigs(changes: readonly ConfigChange[]): Promise<NamedOutcome[]> {
    return alterConfigs(this.#cluster, changes)
  }

  listOffsets(queries: readonly PartitionTimeQuery[]): Promise<ListedOffset[]> {
    return listOffsets(this.#cluster, queries)
  }

  listGroups(): Promise<ListedGroup[]> {
    return listGroups(this.#cluster)
  }

  describeGroups(groupIds: readonly string[]): Promise<GroupDescription[]> {
    return describeGroups(this.#cluster, groupIds)
  }

  deleteGroups(groupIds: readonly string[]): Promise<NamedOutcome[]> {
    return deleteGroups(this.#cluster, groupIds)
  }

  groupOffsets(
    groupId: string,
    partitions?: readonly TopicPartition[],
  ): Promise<CommittedOffset[]> {
    return groupOffsets(this.#cluster, groupId, partitions)
  }

  setGroupOffsets(groupId: string, offsets: readonly OffsetToCommit[]): Promise<void> {
    return setGroupOffsets(this.#cluster, groupId, offsets)
  }
}
