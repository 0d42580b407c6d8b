// Asks leaders where the records of a leader epoch end (OffsetForLeaderEpoch, KIP-320): whether a
// log was cut off behind a reader's back, and where.
import { Errors } from '../kafka/errors.ts'
import { OffsetForLeaderEpoch } from '../kafka/messages/offset-for-leader-epoch.ts'
import type { Cluster } from './cluster.ts'
import { brokerError, KafkaError } from './errors.ts'
import { leaderOf } from './metadata.ts'
import type { TopicPartition } from './types.ts'
import { exact } from './versions.ts'

export interface EpochQuery extends TopicPartition {
  readonly leaderEpoch: number
}

export interface EpochEnd extends TopicPartition {
  /** The newest epoch the leader knows that is not above the asked one; -1 where it has none. */
  readonly leaderEpoch: number
  /** Offset after that epoch's last record; -1 where the leader does not know. */
  readonly endOffset: number
  readonly error: KafkaError | undefined
}

/** From here on a consumer may ask; earlier it takes a broker's rights. */
export const firstVersionForConsumers = 3

/** Brokers that are asked for what was not answered before are asked once; errors stand. */
export async function lookUpEpochEnds(
  cluster: Cluster,
  queries: readonly EpochQuery[],
  options: { readonly purpose: string; readonly minVersion?: number },
): Promise<EpochEnd[]> {
  const answers = new Map<string, EpochEnd>()
  const byLeader = new Map<number, EpochQuery[]>()
  for (const query of queries) {
    const leader = leaderOf(cluster.metadata, query.topic, query.partition)
    if (leader === undefined) {
      const error = brokerError(Errors.LEADER_NOT_AVAILABLE, nameOf(query))
      answers.set(nameOf(query), failed(query, error))
      continue
    }
    const known = byLeader.get(leader.nodeId)
    if (known === undefined) byLeader.set(leader.nodeId, [query])
    else known.push(query)
  }
  await Promise.all(
    [...byLeader].map(async ([nodeId, mine]) => {
      try {
        for (const end of await askLeader(cluster, nodeId, mine, options)) {
          answers.set(nameOf(end), end)
        }
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        for (const query of mine) answers.set(nameOf(query), failed(query, error))
      }
    }),
  )
  return queries.map((query) => {
    const missing = brokerError(Errors.UNKNOWN_SERVER_ERROR, nameOf(query))
    return answers.get(nameOf(query)) ?? failed(query, missing)
  })
}

async function askLeader(
  cluster: Cluster,
  nodeId: number,
  queries: readonly EpochQuery[],
  { purpose, minVersion = 0 }: { readonly purpose: string; readonly minVersion?: number },
): Promise<EpochEnd[]> {
  const connection = await cluster.connectionTo(nodeId, purpose)
  const version = connection.version(OffsetForLeaderEpoch, { min: minVersion, max: 4 })
  const topics = new Map<
    string,
    { partition: number; leaderEpoch: number; currentLeaderEpoch: number }[]
  >()
  for (const { topic, partition, leaderEpoch } of queries) {
    const currentLeaderEpoch =
      cluster.metadata.topics.get(topic)?.partitions[partition]?.leaderEpoch ?? -1
    const asked = { partition, leaderEpoch, currentLeaderEpoch }
    const known = topics.get(topic)
    if (known === undefined) topics.set(topic, [asked])
    else known.push(asked)
  }
  const answer = await connection.request(OffsetForLeaderEpoch, version, {
    replicaId: -1,
    topics: [...topics].map(([topic, partitions]) => ({ topic, partitions })),
  })
  return answer.topics.flatMap(({ topic, partitions }) =>
    partitions.map((found): EpochEnd => {
      const at = { topic, partition: found.partition }
      const error =
        found.errorCode === Errors.NONE ? undefined : brokerError(found.errorCode, nameOf(at))
      // Version 0 does not tell which epoch it speaks of.
      return { ...at, leaderEpoch: found.leaderEpoch, endOffset: exact(found.endOffset), error }
    }),
  )
}

function failed({ topic, partition }: TopicPartition, error: KafkaError): EpochEnd {
  return { topic, partition, leaderEpoch: -1, endOffset: -1, error }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}
