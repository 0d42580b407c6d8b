// Pure.
// Assignments of partitions to brokers: read from JSON and written to it, compared, proposed, and the
// throttles that go with a move.
import type { OngoingReassignment } from '../../client/admin/types.ts'
import type { TopicPartition } from '../../client/types.ts'
import { UserError } from '../../runtime/service.ts'
import { integerAt, type JsonObject, objectsAt, textAt } from '../json-shape.ts'
import { byPartition, partitionKey, partitionName } from '../partitions.ts'

export interface Assignment extends TopicPartition {
  readonly replicas: readonly number[]
  /** One for each replica; 'any' leaves the choice to the broker. */
  readonly logDirs: readonly string[]
}

/** @throws UserError in the original's words */
export function parseAssignments(file: JsonObject, path: string): Assignment[] {
  if (file['version'] !== undefined && file['version'] !== 1) {
    throw new UserError(`Not supported version field value ${JSON.stringify(file['version'])}`)
  }
  const assignments = objectsAt(file['partitions'] ?? [], `${path}: partitions`).map((one, index) =>
    assignmentFrom(one, `${path}: partitions[${index}]`),
  )
  if (assignments.length === 0) throw new UserError('Partition reassignment list cannot be empty')
  const empty = assignments.find(({ replicas }) => replicas.length === 0)
  if (empty !== undefined) throw new UserError('Partition replica list cannot be empty')
  const twice = duplicates(assignments.map(partitionName))
  if (twice.length > 0) {
    throw new UserError(
      `Partition reassignment contains duplicate topic partitions: ${twice.join(',')}`,
    )
  }
  const entries = assignments.flatMap((one) => {
    const ids = duplicates(one.replicas.map(String))
    return ids.length === 0
      ? []
      : `${partitionName(one)} contains multiple entries for ${ids.join(',')}`
  })
  if (entries.length === 0) return assignments
  throw new UserError(
    `Partition replica lists may not contain duplicate entries: ${entries.join('. ')}`,
  )
}

function assignmentFrom(object: JsonObject, place: string): Assignment {
  const topic = textAt(object, 'topic', place)
  const partition = integerAt(object, 'partition', place)
  const { replicas, log_dirs: dirs } = object
  if (!Array.isArray(replicas) || !replicas.every((id) => Number.isSafeInteger(id))) {
    throw new UserError(`${place}: replicas must be an array of broker ids`)
  }
  const logDirs = Array.isArray(dirs) ? dirs.map(String) : replicas.map(() => 'any')
  if (logDirs.length !== replicas.length) {
    throw new UserError(
      `Size of replicas list [${replicas.join(', ')}] is different from size of log dirs list [${logDirs.join(', ')}] for partition ${topic}-${partition}`,
    )
  }
  return { topic, partition, replicas: replicas.map(Number), logDirs }
}

function duplicates(names: readonly string[]): string[] {
  const seen = new Set<string>()
  return [...new Set(names.filter((name) => seen.size === seen.add(name).size))]
}

export interface AssignmentJsonOptions {
  /** 0.10.1 knew none. */
  readonly logDirs: boolean
}

export function assignmentJson(
  assignments: readonly Assignment[],
  { logDirs }: AssignmentJsonOptions,
): string {
  const partitions = assignments.toSorted(byPartition).map((one) => ({
    topic: one.topic,
    partition: one.partition,
    replicas: one.replicas,
    ...(logDirs ? { log_dirs: one.logDirs } : {}),
  }))
  return JSON.stringify({ version: 1, partitions })
}

export interface Broker {
  readonly id: number
  readonly rack: string | null
}

/** Gives a number from 0 to below a limit. */
export type Draw = (limit: number) => number

/**
 * New places for the replicas of one topic, spread evenly from a place of chance, over racks where
 * brokers have them; the original's way.
 * @throws UserError for more replicas than brokers, or where only some brokers have a rack
 */
export function proposeReplicas(
  brokers: readonly Broker[],
  counts: { readonly partitions: number; readonly replicas: number },
  draw: Draw,
): number[][] {
  if (counts.replicas > brokers.length) {
    throw new UserError(
      `Replication factor: ${counts.replicas} larger than available brokers: ${brokers.length}.`,
    )
  }
  const racked = brokers.filter(({ rack }) => rack !== null)
  if (racked.length > 0 && racked.length < brokers.length) {
    throw new UserError(
      'Not all brokers have rack information. Add --disable-rack-aware in command line to make replica assignment without rack information.',
    )
  }
  const sorted = alternated(brokers.toSorted((one, other) => one.id - other.id))
  const rackCount = racked.length === 0 ? 1 : new Set(racked.map(({ rack }) => rack)).size
  const start = draw(sorted.length)
  let shift = draw(sorted.length)
  return Array.from({ length: counts.partitions }, (_, partition) => {
    if (partition > 0 && partition % sorted.length === 0) shift += 1
    const first = (partition + start) % sorted.length
    return replicasFrom(sorted, { first, shift, rackCount, count: counts.replicas })
  })
}

interface ReplicaPlace {
  readonly first: number
  readonly shift: number
  readonly rackCount: number
  readonly count: number
}

function replicasFrom(
  brokers: readonly Broker[],
  { first, shift, rackCount, count }: ReplicaPlace,
): number[] {
  const chosen: Broker[] = []
  const size = brokers.length
  const at = (index: number): Broker | undefined => brokers[index]
  const take = (broker: Broker | undefined): void => {
    if (broker !== undefined) chosen.push(broker)
  }
  take(at(first))
  for (let step = 0; chosen.length < count && step < size * size; step++) {
    const second = shift * (rackCount > 1 ? rackCount : 1)
    const broker = at((first + 1 + ((second + step) % Math.max(1, size - 1))) % size)
    const racks = new Set(chosen.map(({ rack }) => rack))
    const isRackFree =
      rackCount === 1 || !racks.has(broker?.rack ?? null) || racks.size === rackCount
    if (isRackFree && !chosen.some(({ id }) => id === broker?.id)) take(broker)
  }
  return chosen.map(({ id }) => id)
}

/** One broker of each rack after the other. */
function alternated(brokers: readonly Broker[]): Broker[] {
  const racks = [...Map.groupBy(brokers, ({ rack }) => rack ?? '')]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, mine]) => mine)
  const longest = Math.max(0, ...racks.map(({ length }) => length))
  const rounds = Array.from({ length: longest }, (_, round) =>
    racks.flatMap((mine) => mine[round] ?? []),
  )
  return rounds.flat()
}

export interface Throttles {
  /** By topic: leader.replication.throttled.replicas and follower.replication.throttled.replicas. */
  readonly leaders: ReadonlyMap<string, string>
  readonly followers: ReadonlyMap<string, string>
  readonly brokers: readonly number[]
}

/** Of moves to `wanted` together with those under way: sources lead, brokers that are new follow. */
export function throttlesOf(
  wanted: readonly Assignment[],
  current: ReadonlyMap<string, readonly number[]>,
  ongoing: readonly OngoingReassignment[],
): Throttles {
  const moves = new Map<
    string,
    { at: TopicPartition; from: readonly number[]; to: readonly number[] }
  >()
  for (const one of ongoing) {
    const from = one.replicas.filter((id) => !one.adding.includes(id))
    moves.set(partitionKey(one), { at: one, from, to: one.adding })
  }
  for (const one of wanted) {
    const key = partitionKey(one)
    const from = moves.get(key)?.from ?? current.get(key) ?? []
    moves.set(key, { at: one, from, to: one.replicas.filter((id) => !from.includes(id)) })
  }
  const leaders = new Map<string, string[]>()
  const followers = new Map<string, string[]>()
  const brokers = new Set<number>()
  for (const { at, from, to } of moves.values()) {
    for (const [ids, target] of [
      [from, leaders],
      [to, followers],
    ] as const) {
      const list = target.get(at.topic) ?? []
      for (const id of ids) {
        brokers.add(id)
        list.push(`${at.partition}:${id}`)
      }
      if (list.length > 0) target.set(at.topic, list)
    }
  }
  const joined = (lists: ReadonlyMap<string, readonly string[]>): Map<string, string> =>
    new Map([...lists].map(([topic, list]) => [topic, list.toSorted().join(',')]))
  return {
    leaders: joined(leaders),
    followers: joined(followers),
    brokers: [...brokers].sort((one, other) => one - other),
  }
}
