// Pure.
/** A controller's orders in the newest form, whichever version they came in. */
import type { LeaderAndIsr } from '../kafka/messages/leader-and-isr.ts'
import type { StopReplica } from '../kafka/messages/stop-replica.ts'
import type { UpdateMetadata } from '../kafka/messages/update-metadata.ts'
import { ZERO_UUID } from '../wire/reader.ts'
import type { RequestOf } from '../wire/schema.ts'

export type LeaderAndIsrOrder = RequestOf<typeof LeaderAndIsr>
export type StopReplicaOrder = RequestOf<typeof StopReplica>
export type UpdateMetadataOrder = RequestOf<typeof UpdateMetadata>

interface TopicStates<P> {
  topicName: string
  topicId: string
  partitionStates: P[]
}

/** Old rows name their topics one by one. */
function grouped<R extends { readonly topicName: string }, P>(
  rows: readonly R[],
  stateOf: (row: R) => P,
): TopicStates<P>[] {
  const topics = new Map<string, TopicStates<P>>()
  for (const row of rows) {
    const { topicName } = row
    let topic = topics.get(topicName)
    if (topic === undefined) {
      topic = { topicName, topicId: ZERO_UUID, partitionStates: [] }
      topics.set(topicName, topic)
    }
    topic.partitionStates.push(stateOf(row))
  }
  return [...topics.values()]
}

/** Version 0 does not tell what is new: nothing is, then. */
export function newestLeaderAndIsr(order: LeaderAndIsrOrder): LeaderAndIsrOrder {
  if (order.ungroupedPartitionStates.length === 0) return order
  const topicStates = grouped(order.ungroupedPartitionStates, (state) => ({
    ...state,
    addingReplicas: [],
    removingReplicas: [],
    leaderRecoveryState: 0,
  }))
  return { ...order, ungroupedPartitionStates: [], topicStates }
}

/** Before version 3 one flag counts for all, and no leader epoch is told. */
export function newestStopReplica(order: StopReplicaOrder): StopReplicaOrder {
  const { ungroupedPartitions, topics, deletePartitions: deletePartition } = order
  const old = [
    ...ungroupedPartitions,
    ...topics.flatMap(({ name: topicName, partitionIndexes }) =>
      partitionIndexes.map((partitionIndex) => ({ topicName, partitionIndex })),
    ),
  ]
  if (old.length === 0) return order
  const topicStates = grouped(old, ({ partitionIndex }) => ({
    partitionIndex,
    leaderEpoch: -1,
    deletePartition,
  }))
  return { ...order, ungroupedPartitions: [], topics: [], topicStates }
}

const plaintext = 0

/** Version 0 knows one address per broker; listeners are named like their protocols before version 3. */
export function newestUpdateMetadata(
  order: UpdateMetadataOrder,
  version: number,
): UpdateMetadataOrder {
  const topicStates =
    order.ungroupedPartitionStates.length === 0
      ? order.topicStates
      : grouped(order.ungroupedPartitionStates, (state) => state)
  const liveBrokers = order.liveBrokers.map((broker) => {
    if (version >= 3) return broker
    const { v0Host: host, v0Port: port } = broker
    const given =
      version > 0 ? broker.endpoints : [{ host, port, listener: '', securityProtocol: plaintext }]
    const endpoints = given.map((one) => ({
      ...one,
      listener: securityProtocolName(one.securityProtocol),
    }))
    return { ...broker, endpoints, rack: version >= 2 ? broker.rack : null }
  })
  return { ...order, ungroupedPartitionStates: [], topicStates, liveBrokers }
}

const securityProtocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']

export function securityProtocolName(id: number): string {
  return securityProtocols[id] ?? 'PLAINTEXT'
}
