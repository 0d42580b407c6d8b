// Topics and the cluster, for the admin client.
import { Errors } from '../../kafka/errors.ts'
import { CreatePartitions } from '../../kafka/messages/create-partitions.ts'
import { CreateTopics } from '../../kafka/messages/create-topics.ts'
import { DeleteTopics } from '../../kafka/messages/delete-topics.ts'
import { DescribeCluster } from '../../kafka/messages/describe-cluster.ts'
import { Metadata } from '../../kafka/messages/metadata.ts'
import type { Cluster } from '../cluster.ts'
import { type ClusterMetadata, emptyMetadata, mergeMetadata, noTopicId } from '../metadata.ts'
import { atAnyBroker, atController, checkController, errorFrom, inOrder } from './calls.ts'
import type {
  ChangeOptions,
  ClusterDescription,
  CreatedTopic,
  NamedOutcome,
  NewTopic,
  PartitionIncrease,
  TopicDescription,
} from './types.ts'

/** How long a broker may take over a change; the request waits somewhat longer. */
const changeTimeoutMs = 30_000
const answerSlackMs = 5000

/** From here on a broker fills in its own defaults for -1 (KIP-464). */
const firstVersionWithDefaults = 4
/** Of DeleteTopics. */
const firstVersionById = 6

/** Brokers before 2.8 tell by their metadata. */
export function describeCluster(cluster: Cluster): Promise<ClusterDescription> {
  return atAnyBroker(cluster, async (connection) => {
    const version = connection.versionIfAny(DescribeCluster, { max: 1 })
    if (version === undefined) {
      const { clusterId, controllerId, brokers } = await askMetadata(cluster, [])
      return { clusterId, controllerId, brokers: [...brokers.values()] }
    }
    const body = { includeClusterAuthorizedOperations: false }
    const answer = await connection.request(DescribeCluster, version, body)
    const error = errorFrom(answer, 'DescribeCluster')
    if (error !== undefined) throw error
    const { clusterId, controllerId } = answer
    const brokers = answer.brokers.map(({ brokerId, host, port, rack }) => {
      return { nodeId: brokerId, host, port, rack }
    })
    return { clusterId, controllerId, brokers }
  })
}

/** All topics where `names` is undefined. Sorted by name then, else in the order asked. */
export async function describeTopics(
  cluster: Cluster,
  names: readonly string[] | undefined,
): Promise<TopicDescription[]> {
  if (names?.length === 0) return []
  const { topics } = await askMetadata(cluster, names)
  const wanted = names ?? [...topics.keys()].sort()
  return wanted.map((name): TopicDescription => {
    const topic = topics.get(name)
    const errorCode = topic === undefined ? Errors.UNKNOWN_TOPIC_OR_PARTITION : topic.errorCode
    const partitions = (topic?.partitions ?? []).filter((partition) => partition !== undefined)
    return {
      name,
      error: errorFrom({ errorCode }, name),
      topicId: topic === undefined || topic.topicId === noTopicId ? undefined : topic.topicId,
      internal: topic?.internal ?? false,
      partitions,
    }
  })
}

export function createTopics(
  cluster: Cluster,
  topics: readonly NewTopic[],
  options: ChangeOptions,
): Promise<CreatedTopic[]> {
  const waitMs = options.timeoutMs ?? changeTimeoutMs
  return atController(cluster, async (connection) => {
    const version = connection.version(CreateTopics, { min: options.validateOnly ? 1 : 0 })
    const fallback = version >= firstVersionWithDefaults ? -1 : 1
    const body = {
      topics: topics.map((topic) => ({
        name: topic.name,
        numPartitions: topic.assignments ? -1 : (topic.partitions ?? fallback),
        replicationFactor: topic.assignments ? -1 : (topic.replicationFactor ?? fallback),
        assignments: [...(topic.assignments ?? [])].map(([partitionIndex, brokerIds]) => {
          return { partitionIndex, brokerIds }
        }),
        configs: Object.entries(topic.configs ?? {}).map(([name, value]) => ({ name, value })),
      })),
      timeoutMs: waitMs,
      ...(version >= 1 ? { validateOnly: options.validateOnly ?? false } : {}),
    }
    const timeoutMs = waitMs + answerSlackMs
    const answer = await connection.request(CreateTopics, version, body, { timeoutMs })
    checkController(answer.topics)
    const outcomes = answer.topics.map((topic): CreatedTopic => {
      const { name, topicId, numPartitions, replicationFactor } = topic
      return {
        name,
        error: errorFrom(topic, name),
        topicId: topicId === noTopicId ? undefined : topicId,
        partitions: numPartitions < 0 ? undefined : numPartitions,
        replicationFactor: replicationFactor < 0 ? undefined : replicationFactor,
      }
    })
    return inOrder(
      topics.map(({ name }) => name),
      outcomes,
    )
  })
}

export function deleteTopics(cluster: Cluster, names: readonly string[]): Promise<NamedOutcome[]> {
  return atController(cluster, async (connection) => {
    const version = connection.version(DeleteTopics, { max: 5 })
    const body = { topicNames: names, timeoutMs: changeTimeoutMs }
    const timeoutMs = changeTimeoutMs + answerSlackMs
    const answer = await connection.request(DeleteTopics, version, body, { timeoutMs })
    checkController(answer.responses)
    const outcomes = answer.responses.map((response) => {
      const name = response.name ?? ''
      return { name, error: errorFrom(response, name) }
    })
    return inOrder(names, outcomes)
  })
}

export function deleteTopicsById(
  cluster: Cluster,
  topicIds: readonly string[],
): Promise<NamedOutcome[]> {
  return atController(cluster, async (connection) => {
    const version = connection.version(DeleteTopics, { min: firstVersionById })
    const topics = topicIds.map((topicId) => ({ name: null, topicId }))
    const body = { topics, timeoutMs: changeTimeoutMs }
    const timeoutMs = changeTimeoutMs + answerSlackMs
    const answer = await connection.request(DeleteTopics, version, body, { timeoutMs })
    checkController(answer.responses)
    const outcomes = answer.responses.map((response) => {
      return { name: response.topicId, error: errorFrom(response, response.topicId) }
    })
    return inOrder(topicIds, outcomes)
  })
}

export function createPartitions(
  cluster: Cluster,
  topics: readonly PartitionIncrease[],
  options: ChangeOptions = {},
): Promise<NamedOutcome[]> {
  const waitMs = options.timeoutMs ?? changeTimeoutMs
  return atController(cluster, async (connection) => {
    const version = connection.version(CreatePartitions)
    const body = {
      topics: topics.map(({ name, count, assignments }) => ({
        name,
        count,
        assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
      })),
      timeoutMs: waitMs,
      validateOnly: options.validateOnly ?? false,
    }
    const timeoutMs = waitMs + answerSlackMs
    const answer = await connection.request(CreatePartitions, version, body, { timeoutMs })
    checkController(answer.results)
    const outcomes = answer.results.map((result) => {
      return { name: result.name, error: errorFrom(result, result.name) }
    })
    return inOrder(
      topics.map(({ name }) => name),
      outcomes,
    )
  })
}

/** Fresh metadata of these topics, or of all; never creates one where the broker can be told so. */
export function askMetadata(
  cluster: Cluster,
  names: readonly string[] | undefined,
): Promise<ClusterMetadata> {
  return atAnyBroker(cluster, async (connection) => {
    const version = connection.version(Metadata, { max: 12 })
    // Brokers below 0.11 would create what is named and missing: there, ask for all.
    const all = names === undefined || (version < 4 && names.length > 0)
    const allTopics = version === 0 ? [] : null
    const answer = await connection.request(Metadata, version, {
      topics: all ? allTopics : names.map((name) => ({ name })),
      allowAutoTopicCreation: version < 4,
    })
    return mergeMetadata(emptyMetadata, answer)
  })
}
