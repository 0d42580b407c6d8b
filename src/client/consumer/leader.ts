// The leader's part in a rebalance: reads what the members want, looks up the topics, and lets the
// chosen assignor share the partitions out.
import type { JoinGroup } from '../../kafka/messages/join-group.ts'
import type { ResponseOf } from '../../wire/schema.ts'
import type { Cluster } from '../cluster.ts'
import { clientError } from '../errors.ts'
import type { AssignorTopic } from './assignors/assignor.ts'
import { assignorOf } from './assignors/table.ts'
import { decodeSubscription, encodeAssignment } from './protocol.ts'

export interface LeaderEvents {
  /** The leader must know these topics too, for the other members. */
  readonly onGroupTopics: (topics: ReadonlySet<string>) => void
  /** The leader assigns by the partition counts of this moment. */
  readonly onCounted: () => void
}

export interface MemberAssignment {
  readonly memberId: string
  readonly assignment: Buffer
}

/** @throws KafkaError where no metadata can be had; WireError for a member's damaged bytes */
export async function assignAll(
  cluster: Cluster,
  joined: ResponseOf<typeof JoinGroup>,
  events: LeaderEvents,
): Promise<MemberAssignment[]> {
  const name = joined.protocolName ?? ''
  const assignor = assignorOf(name)
  if (assignor === undefined) throw clientError('BAD_RESPONSE', `no assignor is called ${name}`)
  const members = joined.members.map(({ memberId, groupInstanceId, metadata }) => {
    return { ...decodeSubscription(metadata), memberId, groupInstanceId }
  })
  const names = new Set(members.flatMap((member) => member.topics))
  events.onGroupTopics(names)
  await cluster.refresh()
  const byRack = members.some(({ rackId }) => rackId !== null && rackId !== '')
  const topics = new Map<string, AssignorTopic>()
  for (const topic of names) {
    const { partitions = [] } = cluster.metadata.topics.get(topic) ?? {}
    const partitionCount = partitions.length
    const racks = partitions.map((one) => racksOf(cluster, one?.replicas ?? []))
    if (partitionCount > 0) topics.set(topic, { partitionCount, racks: byRack ? racks : undefined })
  }
  events.onCounted()
  // A static leader that came back finds the assignment as it was (KIP-814), and watches on.
  if (joined.skipAssignment) return []
  return [...assignor.assign(members, topics)].map(([memberId, partitions]) => {
    return { memberId, assignment: encodeAssignment(partitions) }
  })
}

function racksOf(cluster: Cluster, replicas: readonly number[]): string[] {
  const { brokers } = cluster.metadata
  return replicas.flatMap((nodeId) => brokers.get(nodeId)?.rack ?? [])
}
