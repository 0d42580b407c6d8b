// Pure.
// A producer's settings with their defaults filled in.
import { clientError } from '../errors.ts'
import type { CompressionName } from '../types.ts'
import { murmur2Partitioner } from './partitioner.ts'
import type { Partitioner, ProducerSettings } from './types.ts'

export interface CompleteProducerSettings {
  readonly acks: -1 | 0 | 1
  readonly idempotence: 'off' | 'ifPossible' | 'required'
  readonly lingerMs: number
  readonly batchBytes: number
  readonly compression: CompressionName
  readonly maxInFlight: number
  readonly deliveryTimeoutMs: number
  readonly retries: number
  readonly bufferMemoryBytes: number
  readonly requestBytesMax: number
  readonly ackTimeoutMs: number
  readonly allowAutoTopicCreation: boolean
  readonly partitioner: Partitioner
  readonly topicIdleMs: number
}

/**
 * A broker remembers this many batches of a producer, so more on their way could not be told apart.
 */
const idempotentInFlightMax = 5

/** @throws KafkaError INVALID_ARGUMENT */
export function completeProducerSettings(
  settings: ProducerSettings,
  requestTimeoutMs: number,
): CompleteProducerSettings {
  const acks = settings.acks ?? -1
  const maxInFlight = settings.maxInFlight ?? 5
  const possible = acks === -1 && maxInFlight <= idempotentInFlightMax && settings.retries !== 0
  if (settings.idempotence === true && !possible) {
    throw clientError(
      'INVALID_ARGUMENT',
      `idempotence needs acks -1, retries and at most ${idempotentInFlightMax} requests in flight`,
    )
  }
  const wanted = settings.idempotence ?? 'default'
  return {
    acks,
    idempotence: wanted === true ? 'required' : wanted && possible ? 'ifPossible' : 'off',
    lingerMs: settings.lingerMs ?? 0,
    batchBytes: settings.batchBytes ?? 16_384,
    compression: settings.compression ?? 'none',
    maxInFlight,
    deliveryTimeoutMs: settings.deliveryTimeoutMs ?? 120_000,
    retries: settings.retries ?? Infinity,
    bufferMemoryBytes: settings.bufferMemoryBytes ?? 32 * 1024 * 1024,
    requestBytesMax: settings.requestBytesMax ?? 1024 * 1024,
    ackTimeoutMs: settings.ackTimeoutMs ?? requestTimeoutMs,
    allowAutoTopicCreation: settings.allowAutoTopicCreation ?? true,
    partitioner: settings.partitioner ?? murmur2Partitioner,
    topicIdleMs: settings.topicIdleMs ?? 300_000,
  }
}
