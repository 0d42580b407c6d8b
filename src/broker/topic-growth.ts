// Pure.
/** Which replicas a topic's added partitions get (CreatePartitions), and what is refused in what words. */
import { Errors } from '../kafka/errors.ts'
import { placeReplicas, type PlacementStart } from './controller/placement.ts'
import type { TopicAssignment } from './znodes.ts'

export interface TopicGrowth {
  readonly topic: string
  /** Of all partitions, afterwards. */
  readonly partitionCount: number
  /** Replica ids of each added partition; undefined: the broker places them. */
  readonly assignments: readonly (readonly number[])[] | undefined
}

export interface GrowthRefusal {
  readonly error: number
  readonly message: string
}

/** All partitions as they then are. */
export type Growth =
  | { readonly assignment: TopicAssignment; readonly refusal: undefined }
  | { readonly assignment: undefined; readonly refusal: GrowthRefusal }

export function grow(
  wanted: TopicGrowth,
  current: TopicAssignment | undefined,
  brokers: readonly number[],
  rackOf: (broker: number) => string | null = () => null,
): Growth {
  const refused = (error: number, message: string): Growth => ({
    ...{ assignment: undefined, refusal: { error, message } },
  })
  if (current === undefined)
    return refused(Errors.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${wanted.topic}' does not exist.`)
  if ((current.adding?.size ?? 0) + (current.removing?.size ?? 0) > 0)
    return refused(
      Errors.REASSIGNMENT_IN_PROGRESS,
      `A partition reassignment is in progress for the topic '${wanted.topic}'.`,
    )
  const count = current.partitions.size
  const added = wanted.partitionCount - count
  if (added < 0)
    return refused(
      Errors.INVALID_PARTITIONS,
      `Topic currently has ${count} partitions, which is higher than the requested ${wanted.partitionCount}.`,
    )
  if (added === 0)
    return refused(Errors.INVALID_PARTITIONS, `Topic already has ${count} partitions.`)
  if (wanted.partitionCount > partitionsMax)
    return refused(
      Errors.INVALID_PARTITIONS,
      `Number of partitions must not be larger than ${partitionsMax}.`,
    )
  const first = current.partitions.get(0) ?? []
  const { assignments = placed(first, { added, count, rackOf }, brokers) } = wanted
  const problem = assignmentProblem(assignments, { added, count, factor: first.length }, brokers)
  if (problem !== undefined) return refused(Errors.INVALID_REPLICA_ASSIGNMENT, problem)
  const partitions = new Map(current.partitions)
  for (const [index, replicas] of assignments.entries()) partitions.set(count + index, replicas)
  return { assignment: { ...current, partitions }, refusal: undefined }
}

/** As many as a topic's znode can list: its JSON must fit a ZooKeeper packet. */
export const partitionsMax = 50_000

/** Goes on from where the first partition's leader is. */
function placed(
  first: readonly number[],
  { added, count, rackOf }: Pick<PlacementStart, 'rackOf'> & Record<'added' | 'count', number>,
  brokers: readonly number[],
): number[][] {
  const sorted = [...brokers].sort((one, other) => one - other)
  const at = Math.max(
    0,
    sorted.findIndex((id) => id >= (first[0] ?? 0)),
  )
  return placeReplicas(sorted, added, first.length, {
    broker: at,
    shift: at,
    firstPartition: count,
    ...(rackOf && { rackOf }),
  })
}

function assignmentProblem(
  assignments: readonly (readonly number[])[],
  {
    added,
    count,
    factor,
  }: { readonly added: number; readonly count: number; readonly factor: number },
  brokers: readonly number[],
): string | undefined {
  const unknown = new Set(assignments.flat().filter((id) => !brokers.includes(id)))
  if (unknown.size > 0)
    return `Unknown broker(s) in replica assignment: ${[...unknown].join(', ')}.`
  if (assignments.length !== added)
    return `Increasing the number of partitions by ${added} but ${assignments.length} assignments provided.`
  for (const [index, replicas] of assignments.entries()) {
    if (replicas.length === 0)
      return `Cannot have replication factor of 0 for partition id ${count + index}.`
    if (new Set(replicas).size < replicas.length)
      return `Duplicate brokers not allowed in replica assignment: ${replicas.join(', ')} for partition id ${count + index}.`
  }
  const odd = [...assignments.entries()].filter(([, replicas]) => replicas.length !== factor)
  if (odd.length === 0) return undefined
  const ids = odd.map(([index]) => count + index).join(', ')
  const factors = odd.map(([, replicas]) => replicas.length).join(', ')
  return `Inconsistent replication factor between partitions, partition 0 has ${factor} while partitions [${ids}] have replication factors [${factors}], respectively.`
}
