// What became of a batch whose sequence number a broker finds out of order, though a copy of it was
// sent before and never answered. A broker remembers five batches of a producer, and after a clean
// restart one: a batch it wrote looks like a lost one then. Its last number tells them apart.
import { Errors } from '../../kafka/errors.ts'
import { DescribeProducers } from '../../kafka/messages/describe-producers.ts'
import type { BrokerConnection } from '../connection.ts'
import { brokerError, isRetriable } from '../errors.ts'
import { exact } from '../versions.ts'
import type { ProducerIdentity } from './batch.ts'
import { isAllCommitted, type LedPartition } from './committed.ts'
import { isReached } from './outcomes.ts'

/** written: by all in sync. later: ask again. untold: this broker (before 2.8, or without leave to ask) does not say. */
export type Fate = 'written' | 'unwritten' | 'later' | 'untold'

export interface FateQuestion extends LedPartition {
  readonly identity: ProducerIdentity
  /** Of the batch. */
  readonly lastSequence: number
}

/** Asks the leader at the connection's other end (DescribeProducers, KIP-664). */
export async function fateOf(connection: BrokerConnection, question: FateQuestion): Promise<Fate> {
  const { topic, partition, identity, lastSequence } = question
  const version = connection.versionIfAny(DescribeProducers)
  if (version === undefined || question.leaderEpoch < 0) return 'untold'
  try {
    const answer = await connection.request(DescribeProducers, version, {
      topics: [{ name: topic, partitionIndexes: [partition] }],
    })
    const row = answer.topics[0]?.partitions[0]
    if (row === undefined) return 'untold'
    if (row.errorCode !== Errors.NONE) throw brokerError(row.errorCode, topic, row.errorMessage)
    const { producerId, producerEpoch } = identity
    const ours = row.activeProducers.find((one) => exact(one.producerId) === producerId)
    if (ours === undefined || ours.producerEpoch < producerEpoch) return 'unwritten'
    if (ours.producerEpoch > producerEpoch) return 'untold'
    if (!isReached(ours.lastSequence, lastSequence)) return 'unwritten'
    // In the leader's log alone it could still be lost.
    return (await isAllCommitted(connection, question)) ? 'written' : 'later'
  } catch (error) {
    return isRetriable(error) ? 'later' : 'untold'
  }
}
