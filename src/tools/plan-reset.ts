// Works out the new offsets of groups for --reset-offsets: asks the cluster what the scenario needs.
import type { Admin, ListedOffset, PartitionTimeQuery } from '../client/admin/types.ts'
import type { CommittedOffset } from '../client/consumer/types.ts'
import { KafkaError } from '../client/errors.ts'
import type { TopicPartition } from '../client/types.ts'
import { type GroupOptions, scenarioOf } from './group-options.ts'
import { type NewOffset } from './group-tables.ts'
import { exceptionText } from './java-names.ts'
import { byPartition, partitionKey } from './partitions.ts'
import {
  fitOffset,
  parseDateTime,
  parseDurationMs,
  parseResetFile,
  ResetError,
  topicChoice,
} from './reset-offsets.ts'

export interface PlanPorts {
  readonly admin: Pick<Admin, 'describeTopics' | 'groupOffsets' | 'listOffsets'>
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly readFile: (path: string) => string
  /** Gets a sentence where a wish cannot be met. */
  readonly warn: (text: string) => void
  /** Gets a line of standard output. */
  readonly note: (text: string) => void
}

/** Sorted by topic and partition. @throws ResetError, KafkaError */
export async function planReset(
  group: string,
  given: GroupOptions,
  ports: PlanPorts,
): Promise<NewOffset[]> {
  const file = given.text('from-file')
  if (file !== undefined) return planFromFile(group, file, given.texts('group'), ports)
  const partitions = await partitionsOf(group, given, ports)
  const offsets = await newOffsets(group, partitions, given, ports)
  return partitions.map((at, index) => ({ group, ...at, offset: offsets[index] ?? 0 }))
}

async function planFromFile(
  group: string,
  path: string,
  groups: readonly string[],
  { admin, readFile, warn }: PlanPorts,
): Promise<NewOffset[]> {
  const wanted = parseResetFile(readFile(path), groups).filter((one) => one.group === group)
  return fitAll(
    wanted,
    wanted.map(({ offset }) => offset),
    { admin, warn },
  ).then((offsets) =>
    wanted.map((one, index) => ({ ...one, offset: offsets[index] ?? one.offset })),
  )
}

async function partitionsOf(
  group: string,
  given: GroupOptions,
  { admin }: PlanPorts,
): Promise<TopicPartition[]> {
  if (given.has('all-topics')) {
    const committed = await committedOffsets(group, admin)
    return committed.map(({ topic, partition }) => ({ topic, partition })).sort(byPartition)
  }
  return partitionsFrom(given.texts('topic'), admin)
}

/** Partitions of `topic` and `topic:0,1` words. @throws KafkaError for topics that are not there */
export async function partitionsFrom(
  words: readonly string[],
  admin: Pick<Admin, 'describeTopics'>,
): Promise<TopicPartition[]> {
  const found = new Map<string, TopicPartition>()
  for (const { topic, partitions } of words.map(topicChoice)) {
    let wanted = partitions
    if (wanted === undefined) {
      const [description] = await admin.describeTopics([topic])
      if (description?.error !== undefined) throw description.error
      wanted = description?.partitions.map(({ partition }) => partition) ?? []
    }
    for (const partition of wanted) {
      found.set(partitionKey({ topic, partition }), { topic, partition })
    }
  }
  return [...found.values()].sort(byPartition)
}

async function newOffsets(
  group: string,
  partitions: readonly TopicPartition[],
  given: GroupOptions,
  ports: PlanPorts,
): Promise<number[]> {
  const { admin, now } = ports
  const scenario = scenarioOf(given)
  switch (scenario) {
    case 'to-earliest':
      return offsetsAt(partitions, 'earliest', admin)
    case 'to-latest':
      return offsetsAt(partitions, 'latest', admin)
    case 'to-offset': {
      const wanted = given.integer('to-offset') ?? 0
      return fitAll(
        partitions,
        partitions.map(() => wanted),
        ports,
      )
    }
    case 'to-datetime':
      return offsetsSince(partitions, parseDateTime(given.required('to-datetime')), ports)
    case 'by-duration': {
      const lengthMs = parseDurationMs(given.required('by-duration'))
      return offsetsSince(partitions, now() - lengthMs, ports)
    }
    case 'to-current':
      return toCurrent(group, partitions, admin)
    case 'shift-by':
      return shifted(group, partitions, given.integer('shift-by') ?? 0, ports)
    case 'from-file':
      return []
  }
}

async function committedOf(group: string, admin: CommittedSource): Promise<Map<string, number>> {
  const committed = await committedOffsets(group, admin)
  return new Map(committed.map((one) => [partitionKey(one), one.offset]))
}

type CommittedSource = Pick<Admin, 'groupOffsets' | 'describeTopics'>

/** All that a group has committed. @throws KafkaError */
export async function committedOffsets(
  group: string,
  admin: CommittedSource,
): Promise<CommittedOffset[]> {
  const known = ({ offset }: CommittedOffset): boolean => offset >= 0
  try {
    return (await admin.groupOffsets(group)).filter(known)
  } catch (error) {
    if (!(error instanceof KafkaError) || error.errorName !== 'UNSUPPORTED_VERSION') throw error
    // Brokers before 0.10.2 tell of partitions that are named only.
    const topics = await admin.describeTopics()
    const all = topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partition }) => ({ topic: name, partition })),
    )
    return (await admin.groupOffsets(group, all)).filter(known)
  }
}

async function toCurrent(
  group: string,
  partitions: readonly TopicPartition[],
  admin: PlanPorts['admin'],
): Promise<number[]> {
  const committed = await committedOf(group, admin)
  const ends = await offsetsAt(partitions, 'latest', admin)
  return partitions.map((at, index) => committed.get(partitionKey(at)) ?? ends[index] ?? 0)
}

async function shifted(
  group: string,
  partitions: readonly TopicPartition[],
  shift: number,
  ports: PlanPorts,
): Promise<number[]> {
  const committed = await committedOf(group, ports.admin)
  const wanted = partitions.map((at) => {
    const offset = committed.get(partitionKey(at))
    if (offset !== undefined) return offset + shift
    throw new ResetError(
      `Cannot shift offset for partition ${at.topic}-${at.partition} since there is no current committed offset`,
    )
  })
  return fitAll(partitions, wanted, ports)
}

async function fitAll(
  partitions: readonly TopicPartition[],
  wanted: readonly number[],
  { admin, warn }: Pick<PlanPorts, 'admin' | 'warn'>,
): Promise<number[]> {
  const [starts, ends] = [
    await offsetsAt(partitions, 'earliest', admin),
    await offsetsAt(partitions, 'latest', admin),
  ]
  return partitions.map((at, index) => {
    const range = { earliest: starts[index] ?? 0, latest: ends[index] ?? 0 }
    const { offset, warning } = fitOffset(at, wanted[index] ?? 0, range)
    if (warning !== undefined) warn(warning)
    return offset
  })
}

/** Of the first records at or after a time; the end where there is none. */
async function offsetsSince(
  partitions: readonly TopicPartition[],
  timeMs: number,
  { admin, note }: PlanPorts,
): Promise<number[]> {
  const found = checked(await admin.listOffsets(partitions.map((one) => ({ ...one, at: timeMs }))))
  const ends = await offsetsAt(partitions, 'latest', admin)
  return found.map(({ topic, partition, offset }, index) => {
    if (offset >= 0) return offset
    note(
      `\nWarn: Partition ${partition} from topic ${topic} is empty. Falling back to latest known offset.`,
    )
    return ends[index] ?? 0
  })
}

async function offsetsAt(
  partitions: readonly TopicPartition[],
  at: PartitionTimeQuery['at'],
  admin: Pick<Admin, 'listOffsets'>,
): Promise<number[]> {
  const found = checked(await admin.listOffsets(partitions.map((one) => ({ ...one, at }))))
  return found.map(({ offset }) => offset)
}

function checked(found: readonly ListedOffset[]): readonly ListedOffset[] {
  for (const { error } of found) if (error !== undefined) throw error
  return found
}

/** What went wrong, as the original words it. */
export function resetFailure(error: unknown): string {
  if (error instanceof KafkaError) {
    return `java.util.concurrent.ExecutionException: ${exceptionText(error)}`
  }
  return error instanceof Error ? error.message : String(error)
}
