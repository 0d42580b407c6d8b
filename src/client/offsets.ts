// Looks up offsets by time (ListOffsets) at the leaders of many partitions.
import { Errors } from '../kafka/errors.ts'
import { ListOffsets } from '../kafka/messages/list-offsets.ts'
import type { Cluster, Interest } from './cluster.ts'
import { brokerError, isRetriable, KafkaError } from './errors.ts'
import { leaderOf } from './metadata.ts'
import type { FoundOffset, IsolationLevel, TopicPartition } from './types.ts'
import { exact } from './versions.ts'

/** Times that mean an end of the log (protocol: ListOffsets). */
export const latestTime = -1
export const earliestTime = -2
/** Of the record with the largest timestamp (brokers 3.0 and newer). */
export const maxTimestampTime = -3

export interface OffsetQuery extends TopicPartition {
  /** Milliseconds since 1970, or one of the constants above. */
  readonly timestamp: number
}

export interface OffsetAnswer extends FoundOffset {
  readonly error: KafkaError | undefined
}

export interface OffsetLookupOptions {
  readonly purpose: string
  readonly isolationLevel?: IsolationLevel
  readonly timeoutMs?: number
}

/**
 * Answers in the order of the queries. Retries what may be retried until the time is up; then the
 * error stands in the answer.
 */
export async function lookUpOffsets(
  cluster: Cluster,
  queries: readonly OffsetQuery[],
  options: OffsetLookupOptions,
): Promise<OffsetAnswer[]> {
  const answers = new Map<string, OffsetAnswer>()
  const interest: Interest = {
    topics: new Set(queries.map(({ topic }) => topic)),
    allowAutoTopicCreation: false,
    onMetadata: () => undefined,
  }
  cluster.addInterest(interest)
  try {
    const unknown = [...interest.topics].some((topic) => !cluster.metadata.topics.has(topic))
    if (unknown) await cluster.retrying(() => cluster.refresh(), options)
    await cluster.retrying(async () => {
      const open = queries.filter((query) => isOpen(answers.get(keyOf(query))))
      await askLeaders(cluster, open, options, answers)
      const failed = open.map((query) => answers.get(keyOf(query))?.error).find(isRetriable)
      if (failed !== undefined) throw failed
    }, options)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    for (const query of queries) {
      if (!answers.has(keyOf(query))) answers.set(keyOf(query), failedAnswer(query, error))
    }
  } finally {
    cluster.removeInterest(interest)
  }
  return queries.map((query) => {
    const missing = brokerError(Errors.UNKNOWN_SERVER_ERROR, `${query.topic}-${query.partition}`)
    return answers.get(keyOf(query)) ?? failedAnswer(query, missing)
  })
}

/** The same for callers that need them all. @throws KafkaError the first error. */
export async function lookUpAllOffsets(
  cluster: Cluster,
  queries: readonly OffsetQuery[],
  options: OffsetLookupOptions,
): Promise<FoundOffset[]> {
  const answers = await lookUpOffsets(cluster, queries, options)
  for (const { error } of answers) if (error !== undefined) throw error
  return answers.map(({ topic, partition, offset, timestamp, leaderEpoch }) => {
    return { topic, partition, offset, timestamp, leaderEpoch }
  })
}

async function askLeaders(
  cluster: Cluster,
  queries: readonly OffsetQuery[],
  options: OffsetLookupOptions,
  answers: Map<string, OffsetAnswer>,
): Promise<void> {
  const byLeader = new Map<number, OffsetQuery[]>()
  for (const query of queries) {
    const leader = leaderOf(cluster.metadata, query.topic, query.partition)
    if (leader === undefined) {
      answers.set(keyOf(query), failedAnswer(query, noLeader(cluster, query)))
      continue
    }
    const known = byLeader.get(leader.nodeId)
    if (known === undefined) byLeader.set(leader.nodeId, [query])
    else known.push(query)
  }
  await Promise.all(
    [...byLeader].map(async ([nodeId, mine]) => {
      try {
        await askLeader(cluster, nodeId, mine, options, answers)
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        for (const query of mine) answers.set(keyOf(query), failedAnswer(query, error))
      }
    }),
  )
}

async function askLeader(
  cluster: Cluster,
  nodeId: number,
  queries: readonly OffsetQuery[],
  options: OffsetLookupOptions,
  answers: Map<string, OffsetAnswer>,
): Promise<void> {
  const connection = await cluster.connectionTo(nodeId, options.purpose)
  // Version 0 (brokers 0.10.0) knows the ends of the log only; it answers times with segment
  // starts.
  const oldest = Math.min(...queries.map(({ timestamp }) => timestamp))
  const byTime = queries.some(({ timestamp }) => timestamp >= 0)
  const min = oldest <= maxTimestampTime ? 7 : byTime ? 1 : 0
  const version = connection.version(ListOffsets, { min, max: 9 })
  const body = {
    replicaId: -1,
    isolationLevel: version >= 2 && options.isolationLevel === 'read_committed' ? 1 : 0,
    topics: topicsOf(queries),
  }
  const answer = await connection.request(ListOffsets, version, body)
  for (const { name, partitions } of answer.topics) {
    for (const found of partitions) {
      const at = { topic: name, partition: found.partitionIndex }
      const failed = found.errorCode !== Errors.NONE
      const offset = version === 0 ? (found.oldStyleOffsets[0] ?? -1) : found.offset
      answers.set(keyOf(at), {
        ...at,
        offset: exact(offset),
        timestamp: exact(found.timestamp),
        leaderEpoch: found.leaderEpoch,
        error: failed ? brokerError(found.errorCode, `${name}-${at.partition}`) : undefined,
      })
    }
  }
}

function topicsOf(queries: readonly OffsetQuery[]): {
  name: string
  partitions: { partitionIndex: number; timestamp: number }[]
}[] {
  const byTopic = new Map<string, { partitionIndex: number; timestamp: number }[]>()
  for (const { topic, partition, timestamp } of queries) {
    const asked = { partitionIndex: partition, timestamp }
    const known = byTopic.get(topic)
    if (known === undefined) byTopic.set(topic, [asked])
    else known.push(asked)
  }
  return [...byTopic].map(([name, partitions]) => ({ name, partitions }))
}

/** Why a partition cannot be asked for now. */
export function noLeader(cluster: Cluster, { topic, partition }: TopicPartition): KafkaError {
  const known = cluster.metadata.topics.get(topic)
  const missing = known === undefined || known.partitions[partition] === undefined
  const fallback = missing ? Errors.UNKNOWN_TOPIC_OR_PARTITION : Errors.LEADER_NOT_AVAILABLE
  const code = known === undefined || known.errorCode === 0 ? fallback : known.errorCode
  return brokerError(code, `${topic}-${partition}`)
}

function isOpen(answer: OffsetAnswer | undefined): boolean {
  return answer === undefined || isRetriable(answer.error)
}

function failedAnswer({ topic, partition }: OffsetQuery, error: KafkaError): OffsetAnswer {
  return { topic, partition, offset: -1, timestamp: -1, leaderEpoch: -1, error }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${partition} ${topic}`
}
