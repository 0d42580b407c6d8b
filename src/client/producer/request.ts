// Produce requests under way: what each carries, and its bytes.
import { Produce } from '../../kafka/messages/produce.ts'
import type { BrokerConnection } from '../connection.ts'
import { clientError, KafkaError } from '../errors.ts'
import type { CompressionName } from '../types.ts'
import { unsupported } from '../versions.ts'
import type { Batch } from './batch.ts'
import { encodeBatch } from './encode.ts'
import type { PartitionQueue } from './queue.ts'

/** What is on its way to one broker. */
export interface Lane {
  requests: number
  connecting: boolean
}

export interface Request {
  readonly connection: BrokerConnection
  readonly lane: Lane
  readonly version: number
  readonly sent: SentBatch[]
  bytes: number
}

/** One partition's part of a Produce answer. */
export interface PartitionAnswer {
  readonly errorCode: number
  readonly baseOffset: number | bigint
  readonly logAppendTimeMs: number | bigint
  readonly errorMessage: string | null
}

export interface SentBatch {
  readonly queue: PartitionQueue
  readonly batch: Batch
}

/** The request's body. A batch that cannot be encoded fails alone, and leaves the request. */
export function encodeTopics(
  request: Request,
  compression: CompressionName,
  onFailed: (sent: SentBatch, error: KafkaError) => void,
): { name: string; partitionData: { index: number; records: Buffer }[] }[] {
  const byTopic = new Map<string, { index: number; records: Buffer }[]>()
  for (const sent of request.sent) {
    const { queue, batch } = sent
    try {
      if (request.version < 0) throw unsupported(Produce, request.connection.address)
      const { identity } = queue
      const encoding = { compression, produceVersion: request.version, identity }
      const data = { index: queue.partition, records: encodeBatch(batch, encoding) }
      const known = byTopic.get(queue.topic)
      if (known === undefined) byTopic.set(queue.topic, [data])
      else known.push(data)
    } catch (cause) {
      const error =
        cause instanceof KafkaError
          ? cause
          : clientError('INVALID_ARGUMENT', 'the records cannot be encoded', { cause })
      onFailed(sent, error)
    }
  }
  return [...byTopic].map(([name, partitionData]) => ({ name, partitionData }))
}
