// Pure.
// What kafka-consumer-groups prints of groups, in the columns of 3.9.1. That version forgets the end
// of some lines and the topic's name in --verbose; here each row is a line, as before and after it.
import type { GroupDescription, GroupMember, ListedGroup } from '../client/admin/types.ts'
import type { TopicPartition } from '../client/types.ts'
import { row, widest } from './columns.ts'
import { byPartition, partitionKey } from './partitions.ts'

/** undefined: nobody reads the partition, nothing is committed, or the end is not known. */
export interface OffsetRow {
  readonly topic: string | undefined
  readonly partition: number | undefined
  readonly committed: number | undefined
  readonly end: number | undefined
  readonly member: GroupMember | undefined
}

/** What to find out for a group's rows: by "topic partition". */
export interface OffsetFacts {
  readonly committed: ReadonlyMap<string, number>
  readonly ends: ReadonlyMap<string, number>
}

/** Partitions by member, the busiest first; then those that only have offsets. */
export function offsetRows(
  members: readonly GroupMember[],
  committedPartitions: readonly TopicPartition[],
  { committed, ends }: OffsetFacts,
): OffsetRow[] {
  const rows: OffsetRow[] = []
  const taken = new Set<string>()
  const add = (at: TopicPartition, member: GroupMember | undefined): void => {
    const key = partitionKey(at)
    taken.add(key)
    const { topic, partition } = at
    rows.push({ topic, partition, committed: committed.get(key), end: ends.get(key), member })
  }
  for (const member of members.toSorted((a, b) => b.assignment.length - a.assignment.length)) {
    if (member.assignment.length === 0) {
      const nothing = { topic: undefined, partition: undefined }
      rows.push({ ...nothing, committed: undefined, end: undefined, member })
    }
    for (const at of member.assignment.toSorted(byPartition)) add(at, member)
  }
  for (const at of committedPartitions.toSorted(byPartition)) {
    if (!taken.has(partitionKey(at))) add(at, undefined)
  }
  return rows
}

const text = (value: string | number | undefined): string => String(value ?? '-')

function lagOf({ committed, end }: OffsetRow): number | undefined {
  return committed === undefined || end === undefined ? undefined : end - committed
}

export function offsetLines(group: string, rows: readonly OffsetRow[]): string[] {
  const widths = [
    widest([group], 15),
    widest(
      rows.map(({ topic }) => text(topic)),
      15,
    ),
    ...[10, 15, 15, 15],
    widest(
      rows.map(({ member }) => text(member?.memberId)),
      15,
    ),
    widest(
      rows.map(({ member }) => text(member?.clientHost)),
      15,
    ),
  ]
  const head = 'GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID HOST CLIENT-ID'
  const body = rows.map((one) => {
    const { topic, partition, committed, end, member } = one
    const place = [group, text(topic), text(partition), text(committed), text(end)]
    const owner = [text(member?.memberId), text(member?.clientHost), text(member?.clientId)]
    return row(widths, [...place, text(lagOf(one)), ...owner])
  })
  return ['', row(widths, head.split(' ')), ...body]
}

/** The columns of 0.10.1. */
export function oldOffsetLines(group: string, rows: readonly OffsetRow[]): string[] {
  const widths = [30, 30, 10, 15, 15, 15]
  const unknown = (value: string | number | undefined): string => String(value ?? 'unknown')
  const body = rows.map((one) => {
    const { topic, partition, committed, end, member } = one
    const owner = member === undefined ? 'none' : `${member.clientId}_${member.clientHost}`
    const cells = [group, text(topic), text(partition), unknown(committed), unknown(end)]
    return row(widths, [...cells, unknown(lagOf(one)), owner])
  })
  const head = 'GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG OWNER'
  return [row(widths, head.split(' ')), ...body]
}

export interface MemberLinesOptions {
  /** Also what each member is assigned. */
  readonly verbose: boolean
}

export function memberLines(
  group: string,
  members: readonly GroupMember[],
  { verbose }: MemberLinesOptions,
): string[] {
  const hasInstances = members.some(({ groupInstanceId }) => groupInstanceId !== null)
  const columns = (cells: MemberCells): string[] => [
    cells.group,
    cells.member,
    ...(hasInstances ? [cells.instance] : []),
    cells.host,
    cells.client,
    cells.count,
    verbose ? cells.assignment : '',
  ]
  const cells = members.map((member) => memberCells(group, member))
  const widthOf = (pick: (cells: MemberCells) => string): number => widest(cells.map(pick), 15)
  const widths = [
    widest([group], 15),
    widthOf(({ member }) => member),
    ...(hasInstances
      ? [
          Math.max(
            17,
            widthOf(({ instance }) => instance),
          ),
        ]
      : []),
    widthOf(({ host }) => host),
    widthOf(({ client }) => client),
    15,
  ]
  return ['', row(widths, columns(memberHead)), ...cells.map((one) => row(widths, columns(one)))]
}

const memberHead = {
  group: 'GROUP',
  member: 'CONSUMER-ID',
  instance: 'GROUP-INSTANCE-ID',
  host: 'HOST',
  client: 'CLIENT-ID',
  count: '#PARTITIONS',
  assignment: 'ASSIGNMENT',
}

type MemberCells = { readonly [Name in keyof typeof memberHead]: string }

function memberCells(group: string, member: GroupMember): MemberCells {
  const topics = Map.groupBy(member.assignment.toSorted(byPartition), ({ topic }) => topic)
  const assignment = [...topics].map(([topic, partitions]) => {
    return `${topic}(${partitions.map(({ partition }) => partition).join(',')})`
  })
  return {
    group,
    member: member.memberId,
    instance: member.groupInstanceId ?? '',
    host: member.clientHost,
    client: member.clientId,
    count: String(member.assignment.length),
    assignment: assignment.length === 0 ? '-' : assignment.join(', '),
  }
}

export function stateLines({ name, coordinator, ...group }: GroupDescription): string[] {
  const { host, port, nodeId } = coordinator
  const place = `${host}:${port}  (${nodeId})`
  const widths = [widest([place, name], 25), 25, 20, 15]
  const head = ['GROUP', 'COORDINATOR (ID)', 'ASSIGNMENT-STRATEGY', 'STATE', '#MEMBERS']
  const cells = [name, place, group.protocol, group.state, String(group.members.length)]
  return ['', row(widths, head), row(widths, cells)]
}

export interface ListLinesOptions {
  readonly states: boolean
  readonly types: boolean
}

export function listLines(
  groups: readonly ListedGroup[],
  { states, types }: ListLinesOptions,
): string[] {
  if (!states && !types) return groups.map(({ groupId }) => groupId)
  const widths = [
    widest(
      groups.map(({ groupId }) => groupId),
      25,
    ),
    20,
    20,
  ]
  const cells = (group: string, type: string, state: string): string =>
    row(widths, [group, ...(types ? [type] : []), ...(states ? [state] : [])])
  const body = groups.map(({ groupId, type, state }) => {
    return cells(groupId, capitalised(type ?? 'classic'), state ?? '')
  })
  return [cells('GROUP', 'TYPE', 'STATE'), ...body]
}

/** Brokers write types small, the original shows them large. */
function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}

export interface NewOffset extends TopicPartition {
  readonly group: string
  readonly offset: number
}

export function resetLines(offsets: readonly NewOffset[]): string[] {
  const widths = [30, 30, 10, 15]
  const body = offsets.map(({ group, topic, partition, offset }) => {
    return row(widths, [group, topic, String(partition), String(offset)])
  })
  return ['', row(widths, ['GROUP', 'TOPIC', 'PARTITION', 'NEW-OFFSET']), ...body]
}
