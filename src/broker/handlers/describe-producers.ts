import { Errors } from '../../kafka/errors.ts'
import { DescribeProducers } from '../../kafka/messages/describe-producers.ts'
import { findLeader } from '../find-leader.ts'
import { handler, type RequestContext } from '../handler.ts'
import type { ProducerState } from '../../storage/producers.ts'
import { topicNameProblem } from '../topic-names.ts'

/** DescribeProducers (key 61, KIP-664): which producers wrote to a partition, as its leader knows them. */
export const describeProducers = handler(DescribeProducers, [0, 0], (request, context) => ({
  topics: request.topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((index) => partitionRow(name, index, context)),
  })),
}))

function partitionRow(topic: string, partitionIndex: number, { parts }: RequestContext) {
  const failed = (errorCode: number, errorMessage: string | null = null) => ({
    ...{ partitionIndex, errorCode, errorMessage, activeProducers: [] },
  })
  const problem = topicNameProblem(topic)
  if (problem !== undefined)
    return failed(Errors.INVALID_TOPIC_EXCEPTION, `Topic name is invalid: ${problem}`)
  if (parts.metadata.topic(topic) === undefined)
    return failed(
      Errors.UNKNOWN_TOPIC_OR_PARTITION,
      'This server does not host this topic-partition.',
    )
  const question = { topic, index: partitionIndex, leaderEpoch: -1 }
  const { partition, error } = findLeader(parts, question)
  if (partition === undefined) return failed(error)
  const activeProducers = [...partition.log.producers.all()].map(producerRow)
  return { partitionIndex, errorCode: Errors.NONE, activeProducers }
}

function producerRow(state: ProducerState) {
  return {
    producerId: state.producerId,
    producerEpoch: state.epoch,
    lastSequence: state.batches.at(-1)?.lastSequence ?? -1,
    lastTimestamp: state.lastTimestamp,
    coordinatorEpoch: state.coordinatorEpoch,
    currentTxnStartOffset: state.transactionFirstOffset,
  }
}
