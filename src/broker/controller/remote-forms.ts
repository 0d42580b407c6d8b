// Pure.
/** The controller's orders in the forms of older versions, and the answers in that of the newest. */
import type { LeaderAndIsr } from '../../kafka/messages/leader-and-isr.ts'
import type { StopReplica } from '../../kafka/messages/stop-replica.ts'
import type { RequestInputOf, RequestOf } from '../../wire/schema.ts'
import type { UpdateMetadata } from '../../kafka/messages/update-metadata.ts'
import type {
  LeaderAndIsrRequest,
  StopReplicaRequest,
  UpdateMetadataRequest,
} from './order-batch.ts'

interface Named<P> {
  readonly topicName: string
  readonly partitionStates: readonly P[]
}

function ungrouped<P>(topics: readonly Named<P>[]): (P & { topicName: string })[] {
  return topics.flatMap(({ topicName, partitionStates }) =>
    partitionStates.map((state) => ({ ...state, topicName })),
  )
}

/** What is not known in this version is left out. */
export function leaderAndIsrIn(
  version: number,
  request: LeaderAndIsrRequest,
): RequestInputOf<typeof LeaderAndIsr> {
  const { type, topicStates, ungroupedPartitionStates: _, ...common } = request
  if (version >= 2) return { ...common, topicStates, ...(version >= 5 ? { type } : {}) }
  const states = ungrouped(topicStates).map(
    ({
      addingReplicas: _adding,
      removingReplicas: _removing,
      leaderRecoveryState: _state,
      ...state
    }) => state,
  )
  return { ...common, ungroupedPartitionStates: states }
}

export function updateMetadataIn(
  version: number,
  request: UpdateMetadataRequest,
): RequestInputOf<typeof UpdateMetadata> {
  const { type: _, topicStates, ungroupedPartitionStates: _ungrouped, ...common } = request
  const { isKRaftController: _kraft, ...old } = common
  if (version >= 5) return { ...old, topicStates }
  return { ...old, ungroupedPartitionStates: ungrouped(topicStates) }
}

type StopReplicaBody = RequestOf<typeof StopReplica>

/**
 * Before version 3 a request either deletes or does not: two requests then, each with the partitions it
 * is about.
 */
export function stopReplicaIn(
  version: number,
  request: StopReplicaRequest,
): RequestInputOf<typeof StopReplica>[] {
  const { controllerId, controllerEpoch, brokerEpoch, topicStates } = request
  const common = { controllerId, controllerEpoch, brokerEpoch }
  if (version >= 3) return [{ ...common, topicStates }]
  const requests: RequestInputOf<typeof StopReplica>[] = []
  for (const deletePartitions of [false, true]) {
    const topics = withDeletion(topicStates, deletePartitions)
    if (topics.length === 0) continue
    const body = { ...common, deletePartitions }
    if (version >= 1) requests.push({ ...body, topics })
    else
      requests.push({
        ...body,
        ungroupedPartitions: topics.flatMap(({ name, partitionIndexes }) =>
          partitionIndexes.map((partitionIndex) => ({ topicName: name, partitionIndex })),
        ),
      })
  }
  return requests
}

function withDeletion(
  topicStates: StopReplicaBody['topicStates'],
  isDeletion: boolean,
): { name: string; partitionIndexes: number[] }[] {
  const topics: { name: string; partitionIndexes: number[] }[] = []
  for (const { topicName, partitionStates } of topicStates) {
    const chosen = partitionStates.filter((one) => one.deletePartition === isDeletion)
    if (chosen.length > 0)
      topics.push({ name: topicName, partitionIndexes: chosen.map((one) => one.partitionIndex) })
  }
  return topics
}
