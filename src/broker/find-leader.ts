import { Errors } from '../kafka/errors.ts'
import type { MetadataCache } from './metadata-cache.ts'
import type { Partition } from './replication/partition.ts'
import type { Replicas } from './replication/replicas.ts'

export type LeaderSearch =
  | { readonly partition: Partition; readonly error: 0 }
  | { readonly partition: undefined; readonly error: number }

export interface LeaderQuestion {
  readonly topic: string
  readonly index: number
  /** The leader's epoch as the client knows it; -1: it does not say. */
  readonly leaderEpoch: number
}

/** This broker's replica where it leads the partition, or the error that says why there is none. */
export function findLeader(
  parts: { readonly replicas: Replicas; readonly metadata: MetadataCache },
  { topic, index, leaderEpoch }: LeaderQuestion,
): LeaderSearch {
  const partition = parts.replicas.get(topic, index)
  const error = partition?.leaderProblem(leaderEpoch) ?? Errors.NOT_LEADER_OR_FOLLOWER
  if (partition !== undefined && error === Errors.NONE) return { partition, error: 0 }
  const isUnknown =
    error === Errors.NOT_LEADER_OR_FOLLOWER && !parts.metadata.hasPartition(topic, index)
  return { partition: undefined, error: isUnknown ? Errors.UNKNOWN_TOPIC_OR_PARTITION : error }
}
