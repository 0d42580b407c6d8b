import { Errors } from '../../kafka/errors.ts'
import { OffsetForLeaderEpoch } from '../../kafka/messages/offset-for-leader-epoch.ts'
import { findLeader } from '../find-leader.ts'
import { handler } from '../handler.ts'

/**
 * OffsetForLeaderEpoch (key 23, KIP-101, KIP-320): where the records of a leader epoch end in the
 * leader's log, so that followers and consumers find out where theirs went another way.
 */
export const offsetForLeaderEpoch = handler(OffsetForLeaderEpoch, [0, 4], (request, context) => ({
  topics: request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch: asked }) => {
      const question = { topic, index, leaderEpoch: currentLeaderEpoch }
      const { partition, error } = findLeader(context.parts, question)
      if (partition === undefined) return { partition: index, errorCode: error }
      const { leaderEpochs, logEndOffset } = partition.log
      const { epoch, endOffset } = leaderEpochs.endOffsetFor(asked, logEndOffset)
      const row = { partition: index, errorCode: Errors.NONE, endOffset }
      return context.apiVersion === 0 ? row : { ...row, leaderEpoch: epoch }
    }),
  })),
}))
