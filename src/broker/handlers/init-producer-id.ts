import { Errors } from '../../kafka/errors.ts'
import { InitProducerId } from '../../kafka/messages/init-producer-id.ts'
import { handler } from '../handler.ts'

/**
 * InitProducerId (key 22) for idempotent producers: a new id, epoch 0. Transactional ids are answered
 * UNSUPPORTED_VERSION until transactions are built.
 */
export const initProducerId = handler(InitProducerId, [0, 5], async (request, context) => {
  if (request.transactionalId !== null) return { errorCode: Errors.UNSUPPORTED_VERSION }
  const producerId = await context.parts.producerIds.next()
  return { errorCode: Errors.NONE, producerId, producerEpoch: 0 }
})
