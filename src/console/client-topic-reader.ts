// The topic reader on top of our Kafka client: brokers from 0.10 on, real Kafka or Millrace.
import type { Admin, TopicDescription } from '../client/admin/types.ts'
import type { KafkaClient } from '../client/client.ts'
import { KafkaError } from '../client/errors.ts'
import {
  type ClusterSummary,
  KafkaDownError,
  type PartitionOffsets,
  type TopicConfig,
  type TopicCursor,
  type TopicDetail,
  type TopicReader,
  type TopicSummary,
  UnknownTopicError,
} from './kafka.ts'

/** Beyond this the list of topics does without message counts. */
const countedPartitionsMax = 20_000

const unknownTopicCodes = new Set([3, 17])
const downNames = new Set(['CONNECTION_LOST', 'REQUEST_TIMEOUT', 'NO_BROKER_REACHABLE'])

export type TopicClient = Pick<KafkaClient, 'admin' | 'consumer' | 'close'>

export class ClientTopicReader implements TopicReader {
  readonly #client: TopicClient
  readonly #admin: Admin
  readonly #servers: readonly string[]

  constructor(ports: { readonly client: TopicClient }, servers: readonly string[]) {
    this.#client = ports.client
    this.#admin = ports.client.admin()
    this.#servers = servers
  }

  cluster(): Promise<ClusterSummary> {
    return this.#guard(async () => {
      const cluster = await this.#admin.describeCluster()
      return {
        clusterId: cluster.clusterId,
        controllerId: cluster.controllerId < 0 ? undefined : cluster.controllerId,
        brokers: cluster.brokers.map(({ nodeId, host, port }) => ({ id: nodeId, host, port })),
      }
    })
  }

  topics(): Promise<TopicSummary[]> {
    return this.#guard(async () => {
      const topics = (await this.#admin.describeTopics()).filter(({ error }) => error === undefined)
      const partitions = topics.reduce((sum, topic) => sum + topic.partitions.length, 0)
      const counts =
        partitions > countedPartitionsMax ? new Map() : await this.#messageCounts(topics)
      return topics
        .map((topic) => summary(topic, counts.get(topic.name)))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    })
  }

  topic(name: string): Promise<TopicDetail> {
    return this.#guard(async () => {
      const topic = await this.#describe(name)
      const [ranges, configs] = await Promise.all([this.#ranges([topic]), this.#configs(name)])
      const known = new Map(ranges.get(name)?.map((range) => [range.partition, range]))
      const partitions = topic.partitions
        .map((partition) => ({
          partition: partition.partition,
          leader: partition.leader < 0 ? undefined : partition.leader,
          replicas: partition.replicas,
          inSync: partition.inSyncReplicas,
          begin: known.get(partition.partition)?.begin,
          end: known.get(partition.partition)?.end,
        }))
        .toSorted((a, b) => a.partition - b.partition)
      return { name, internal: topic.internal, partitions, configs }
    }, name)
  }

  offsets(name: string): Promise<PartitionOffsets[]> {
    return this.#guard(async () => {
      const ranges = await this.#ranges([await this.#describe(name)])
      return (ranges.get(name) ?? []).toSorted((a, b) => a.partition - b.partition)
    }, name)
  }

  offsetsForTime(name: string, timestampMs: number): Promise<ReadonlyMap<number, number>> {
    return this.#guard(async () => {
      const topic = await this.#describe(name)
      const answers = await this.#admin.listOffsets(
        withLeader(topic).map((partition) => ({ topic: name, partition, at: timestampMs })),
      )
      const found = answers.filter(({ error, offset }) => error === undefined && offset >= 0)
      return new Map(found.map(({ partition, offset }) => [partition, offset]))
    }, name)
  }

  open(name: string, starts: ReadonlyMap<number, number>): Promise<TopicCursor> {
    const consumer = this.#client.consumer({
      autoOffsetReset: 'earliest',
      maxPollRecords: 2_000,
      fetchMaxWaitMs: 100,
      partitionFetchBytesMax: 1024 * 1024,
      prefetchBytesMax: 8 * 1024 * 1024,
      isolationLevel: 'read_uncommitted',
      allowAutoTopicCreation: false,
    })
    consumer.assign([...starts.keys()].map((partition) => ({ topic: name, partition })))
    for (const [partition, offset] of starts) consumer.seek(name, partition, offset)
    return Promise.resolve({
      poll: (timeoutMs) =>
        this.#guard(async () => {
          const records = await consumer.poll(timeoutMs)
          return records.map((record) => ({ ...record, timestampMs: record.timestamp }))
        }, name),
      position: (partition) => consumer.position({ topic: name, partition }) ?? 0,
      finish: (partition) => consumer.pause([{ topic: name, partition }]),
      close: () => consumer.close(),
    })
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  async #describe(name: string): Promise<TopicDescription> {
    const [topic] = await this.#admin.describeTopics([name])
    if (topic === undefined) throw new UnknownTopicError(name)
    if (topic.error !== undefined) throw topic.error
    return topic
  }

  async #ranges(topics: readonly TopicDescription[]): Promise<Map<string, PartitionOffsets[]>> {
    const queries = topics.flatMap((topic) =>
      withLeader(topic).map((partition) => ({ topic: topic.name, partition })),
    )
    const [first, last] = await Promise.all([
      this.#admin.listOffsets(queries.map((query) => ({ ...query, at: 'earliest' as const }))),
      this.#admin.listOffsets(queries.map((query) => ({ ...query, at: 'latest' as const }))),
    ])
    const begins = new Map<string, number>()
    for (const { topic, partition, offset, error } of first) {
      if (error === undefined) begins.set(`${topic}:${partition}`, offset)
    }
    const ranges = new Map<string, PartitionOffsets[]>()
    for (const { topic, partition, offset: end, error } of last) {
      const begin = begins.get(`${topic}:${partition}`)
      if (error !== undefined || begin === undefined) continue
      const list = ranges.get(topic) ?? []
      list.push({ partition, begin, end })
      ranges.set(topic, list)
    }
    return ranges
  }

  async #messageCounts(topics: readonly TopicDescription[]): Promise<Map<string, number>> {
    const counts = new Map<string, number>()
    for (const [name, ranges] of await this.#ranges(topics)) {
      counts.set(
        name,
        ranges.reduce((sum, { begin, end }) => sum + Math.max(0, end - begin), 0),
      )
    }
    return counts
  }

  /** Undefined where the brokers do not tell: that is no reason to hide the rest of the page. */
  async #configs(name: string): Promise<TopicConfig[] | undefined> {
    try {
      const [answer] = await this.#admin.describeConfigs([{ type: 'topic', name }])
      if (answer === undefined || answer.error !== undefined) return undefined
      return answer.entries.map((entry) => ({
        name: entry.name,
        value: entry.sensitive ? null : entry.value,
        isDefault: entry.isDefault,
      }))
    } catch (error) {
      if (error instanceof KafkaError && !downNames.has(error.errorName)) return undefined
      throw error
    }
  }

  async #guard<T>(action: () => Promise<T>, topic = ''): Promise<T> {
    try {
      return await action()
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      if (unknownTopicCodes.has(error.code)) throw new UnknownTopicError(topic)
      if (!downNames.has(error.errorName)) throw error
      throw new KafkaDownError(
        `Kafka does not answer at ${this.#servers.join(', ')}. ` +
          'Start it, or point the console elsewhere with --bootstrap-server HOST:PORT.',
        { cause: error },
      )
    }
  }
}

function withLeader(topic: TopicDescription): number[] {
  return topic.partitions.filter(({ leader }) => leader >= 0).map(({ partition }) => partition)
}

function summary(topic: TopicDescription, messageCount: number | undefined): TopicSummary {
  const { partitions } = topic
  return {
    name: topic.name,
    internal: topic.internal,
    partitions: partitions.length,
    replicas: Math.max(0, ...partitions.map(({ replicas }) => replicas.length)),
    underReplicated: partitions.filter((p) => p.inSyncReplicas.length < p.replicas.length).length,
    offline: partitions.filter(({ leader }) => leader < 0).length,
    messageCount,
    sizeBytes: undefined,
  }
}
