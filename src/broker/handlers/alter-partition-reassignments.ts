import { Errors } from '../../kafka/errors.ts'
import { AlterPartitionReassignments } from '../../kafka/messages/alter-partition-reassignments.ts'
import { handler } from '../handler.ts'

/**
 * AlterPartitionReassignments (key 45, KIP-455), on the controller: begins, replaces and cancels. Answers
 * when what is to become of the partitions is written down; they move after that.
 */
export const alterPartitionReassignments = handler(
  AlterPartitionReassignments,
  [0, 0],
  async ({ topics }, context) => {
    const wanted = topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, replicas }) => ({
        ...{ topic: name, partition: partitionIndex, replicas },
      })),
    )
    const outcomes = await context.parts.controller.alterReassignments(wanted)
    if (outcomes === undefined)
      return {
        errorCode: Errors.NOT_CONTROLLER,
        errorMessage: 'This is not the correct controller for this cluster.',
      }
    const rows = Map.groupBy(wanted, ({ topic }) => topic)
    const responses = [...rows].map(([name, partitions]) => ({
      name,
      partitions: partitions.map((one) => {
        const { error = Errors.NONE, message = '' } = outcomes.get(one) ?? {}
        const errorMessage = error === Errors.NONE ? null : message
        return { partitionIndex: one.partition, errorCode: error, errorMessage }
      }),
    }))
    return { errorCode: Errors.NONE, responses }
  },
)
