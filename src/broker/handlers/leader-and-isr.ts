import { Errors } from '../../kafka/errors.ts'
import { LeaderAndIsr } from '../../kafka/messages/leader-and-isr.ts'
import { handler } from '../handler.ts'
import { newestLeaderAndIsr, type LeaderAndIsrOrder } from '../order-forms.ts'

type PartitionError = { topicName: string; partitionIndex: number; errorCode: number }

/** LeaderAndIsr (key 4): a controller on another broker orders this one to lead and follow (kafka.md D). */
export const leaderAndIsr = handler(LeaderAndIsr, [0, 7], async (request, context) => {
  const order = newestLeaderAndIsr(request)
  const { errorCode, partitionErrors } = await context.parts.subordinate.leaderAndIsr(order)
  if (context.apiVersion < 5) return { errorCode, partitionErrors }
  return { errorCode, topics: byTopicId(order, partitionErrors) }
})

function byTopicId({ topicStates }: LeaderAndIsrOrder, errors: readonly PartitionError[]) {
  const codes = new Map<string, number>()
  for (const { topicName, partitionIndex, errorCode } of errors)
    codes.set(`${topicName}-${partitionIndex}`, errorCode)
  if (errors.length === 0) return []
  return topicStates.map(({ topicName, topicId, partitionStates }) => ({
    topicId,
    partitionErrors: partitionStates.map(({ partitionIndex }) => ({
      partitionIndex,
      errorCode: codes.get(`${topicName}-${partitionIndex}`) ?? Errors.NONE,
    })),
  }))
}
