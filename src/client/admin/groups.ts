// Consumer groups and their offsets, for the admin client.
import { Errors } from '../../kafka/errors.ts'
import { DeleteGroups } from '../../kafka/messages/delete-groups.ts'
import { DescribeGroups } from '../../kafka/messages/describe-groups.ts'
import { LeaveGroup } from '../../kafka/messages/leave-group.ts'
import { ListGroups } from '../../kafka/messages/list-groups.ts'
import { OffsetDelete } from '../../kafka/messages/offset-delete.ts'
import type { ResponseOf } from '../../wire/schema.ts'
import type { Cluster } from '../cluster.ts'
import type { BrokerConnection } from '../connection.ts'
import { commitOffsets, type CommitContext, fetchCommitted } from '../consumer/commits.ts'
import { outsider } from '../consumer/group.ts'
import { decodeAssignment } from '../consumer/protocol.ts'
import type { CommittedOffset, OffsetToCommit } from '../consumer/types.ts'
import { brokerError, KafkaError } from '../errors.ts'
import type { BrokerNode, TopicPartition } from '../types.ts'
import { adminPurpose, type Coded, errorFrom, groupByTopic } from './calls.ts'
import type {
  GroupDescription,
  GroupFilter,
  ListedGroup,
  MemberToRemove,
  NamedOutcome,
  PartitionOutcome,
} from './types.ts'

/** Of LeaveGroup: several members at once, static ones too (KIP-345). */
const firstVersionWithMembers = 3

type DescribedGroup = ResponseOf<typeof DescribeGroups>['groups'][number]

/** Brokers list the groups they coordinate; one that does not answer is left out with a warning. */
export async function listGroups(
  cluster: Cluster,
  filter: GroupFilter = {},
): Promise<ListedGroup[]> {
  await cluster.retrying(() => cluster.refresh())
  const nodes = [...cluster.metadata.brokers.values()]
  const failures: unknown[] = []
  const lists = await Promise.all(
    nodes.map(async (node) => {
      try {
        return await cluster.retrying(() => listOf(cluster, node, filter))
      } catch (error) {
        failures.push(error)
        cluster.ports.logger.warn(`broker ${node.nodeId} did not list its groups: ${String(error)}`)
        return []
      }
    }),
  )
  if (failures.length === nodes.length && failures.length > 0) throw failures[0]
  return lists.flat().sort((one, other) => (one.groupId < other.groupId ? -1 : 1))
}

async function listOf(
  cluster: Cluster,
  node: BrokerNode,
  { states = [], types = [] }: GroupFilter,
): Promise<ListedGroup[]> {
  const connection = await cluster.connections.to(node, adminPurpose)
  const version = connection.version(ListGroups)
  const answer = await connection.request(ListGroups, version, {
    statesFilter: version >= 4 ? states : [],
    typesFilter: version >= 5 ? types : [],
  })
  if (answer.errorCode !== Errors.NONE) throw brokerError(answer.errorCode, 'ListGroups')
  return answer.groups.map(({ groupId, protocolType, groupState, groupType }) => ({
    groupId,
    protocolType,
    state: version >= 4 ? groupState : undefined,
    type: version >= 5 ? groupType : undefined,
  }))
}

export function describeGroups(
  cluster: Cluster,
  groupIds: readonly string[],
): Promise<GroupDescription[]> {
  return Promise.all(groupIds.map((groupId) => describeOne(cluster, groupId)))
}

async function describeOne(cluster: Cluster, groupId: string): Promise<GroupDescription> {
  const nowhere: BrokerNode = { nodeId: -1, host: '', port: -1, rack: null }
  const nothing = { state: '', protocolType: '', protocol: '', members: [] }
  try {
    return await cluster.retrying(async () => {
      const coordinator = await cluster.findCoordinator(groupId)
      const connection = await cluster.connections.to(coordinator, adminPurpose)
      const version = connection.version(DescribeGroups)
      const answer = await connection.request(DescribeGroups, version, { groups: [groupId] })
      const group = answer.groups[0]
      if (group === undefined) throw brokerError(Errors.UNKNOWN_SERVER_ERROR, groupId)
      const error = errorFrom(group, groupId)
      if (error?.retriable === true) throw error
      return described(group, coordinator, error)
    })
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return { name: groupId, error, coordinator: nowhere, ...nothing }
  }
}

function described(
  group: DescribedGroup,
  coordinator: BrokerNode,
  error: KafkaError | undefined,
): GroupDescription {
  return {
    name: group.groupId,
    error,
    state: group.groupState,
    protocolType: group.protocolType,
    protocol: group.protocolData,
    coordinator,
    members: group.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      // Other kinds of group (Connect) fill these bytes in ways of their own.
      assignment:
        group.protocolType === 'consumer' ? decodeAssignment(member.memberAssignment) : [],
    })),
  }
}

export function deleteGroups(
  cluster: Cluster,
  groupIds: readonly string[],
): Promise<NamedOutcome[]> {
  return Promise.all(groupIds.map((groupId) => deleteOne(cluster, groupId)))
}

async function deleteOne(cluster: Cluster, groupId: string): Promise<NamedOutcome> {
  try {
    const error = await atCoordinator(cluster, groupId, async (connection) => {
      const version = connection.version(DeleteGroups)
      const answer = await connection.request(DeleteGroups, version, { groupsNames: [groupId] })
      return answer.results[0] ?? { errorCode: Errors.UNKNOWN_SERVER_ERROR }
    })
    return { name: groupId, error }
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return { name: groupId, error }
  }
}

/** Runs `action` at the group's coordinator until its answer is not one to retry after. */
function atCoordinator(
  cluster: Cluster,
  groupId: string,
  action: (connection: BrokerConnection) => Promise<Coded>,
): Promise<KafkaError | undefined> {
  return cluster.retrying(async () => {
    const coordinator = await cluster.findCoordinator(groupId)
    const connection = await cluster.connections.to(coordinator, adminPurpose)
    const error = errorFrom(await action(connection), groupId)
    if (error?.retriable === true) throw error
    return error
  })
}

/** @throws KafkaError where the group as a whole refuses */
export async function deleteGroupOffsets(
  cluster: Cluster,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<PartitionOutcome[]> {
  const outcomes = new Map<string, KafkaError | undefined>()
  const error = await atCoordinator(cluster, groupId, async (connection) => {
    const version = connection.version(OffsetDelete)
    const topics = groupByTopic(partitions).map(({ name, queries }) => {
      return { name, partitions: queries.map(({ partition }) => ({ partitionIndex: partition })) }
    })
    const answer = await connection.request(OffsetDelete, version, { groupId, topics })
    for (const topic of answer.topics) {
      for (const found of topic.partitions) {
        const at = `${topic.name}-${found.partitionIndex}`
        outcomes.set(at, errorFrom(found, at))
      }
    }
    return answer
  })
  if (error !== undefined) throw error
  return partitions.map(({ topic, partition }) => {
    return { topic, partition, error: outcomes.get(`${topic}-${partition}`) }
  })
}

/** @throws KafkaError where the group as a whole refuses */
export async function removeGroupMembers(
  cluster: Cluster,
  groupId: string,
  members: readonly MemberToRemove[],
): Promise<NamedOutcome[]> {
  const nameOf = (member: MemberToRemove): string => {
    return 'memberId' in member ? member.memberId : member.groupInstanceId
  }
  const outcomes: NamedOutcome[] = []
  const error = await atCoordinator(cluster, groupId, async (connection) => {
    const version = connection.version(LeaveGroup, { min: firstVersionWithMembers })
    const answer = await connection.request(LeaveGroup, version, {
      groupId,
      members: members.map((member) => {
        if ('memberId' in member) return { memberId: member.memberId }
        return { memberId: '', groupInstanceId: member.groupInstanceId }
      }),
    })
    outcomes.splice(0)
    for (const [index, member] of members.entries()) {
      const found = answer.members[index] ?? { errorCode: Errors.UNKNOWN_SERVER_ERROR }
      outcomes.push({ name: nameOf(member), error: errorFrom(found, nameOf(member)) })
    }
    return answer
  })
  if (error !== undefined) throw error
  return outcomes
}

export function groupOffsets(
  cluster: Cluster,
  groupId: string,
  partitions: readonly TopicPartition[] | undefined,
  options: { readonly requireStable?: boolean } = {},
): Promise<CommittedOffset[]> {
  return fetchCommitted(contextOf(cluster, groupId), partitions, options)
}

export function setGroupOffsets(
  cluster: Cluster,
  groupId: string,
  offsets: readonly OffsetToCommit[],
): Promise<void> {
  return commitOffsets(contextOf(cluster, groupId), offsets)
}

function contextOf(cluster: Cluster, groupId: string): CommitContext {
  return {
    cluster,
    groupId,
    groupInstanceId: null,
    membership: () => outsider,
    connection: async () => {
      const coordinator = await cluster.findCoordinator(groupId)
      return cluster.connections.to(coordinator, adminPurpose)
    },
    forgetCoordinator: () => undefined,
    onAnswer: () => undefined,
  }
}
