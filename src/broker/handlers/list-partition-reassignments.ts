import { Errors } from '../../kafka/errors.ts'
import { ListPartitionReassignments } from '../../kafka/messages/list-partition-reassignments.ts'
import type { OngoingReassignment } from '../controller/reassignments.ts'
import { handler } from '../handler.ts'

/** ListPartitionReassignments (key 46, KIP-455), on the controller: what is under way, of these or of all. */
export const listPartitionReassignments = handler(
  ListPartitionReassignments,
  [0, 0],
  async ({ topics: wanted }, context) => {
    const ongoing = await context.parts.controller.listReassignments()
    if (ongoing === undefined)
      return {
        errorCode: Errors.NOT_CONTROLLER,
        errorMessage: 'This is not the correct controller for this cluster.',
      }
    const named = wanted && new Map(wanted.map((one) => [one.name, new Set(one.partitionIndexes)]))
    const isWanted = ({ topic, partition }: OngoingReassignment) =>
      named === null || named.get(topic)?.has(partition) === true
    const rows = Map.groupBy(ongoing.filter(isWanted), ({ topic }) => topic)
    const topics = [...rows].map(([name, partitions]) => ({
      name,
      partitions: partitions.map(({ partition, replicas, adding, removing }) => ({
        partitionIndex: partition,
        replicas: [...replicas],
        addingReplicas: [...adding],
        removingReplicas: [...removing],
      })),
    }))
    return { errorCode: Errors.NONE, topics }
  },
)
