import { Errors } from '../../kafka/errors.ts'
import { InitProducerId } from '../../kafka/messages/init-producer-id.ts'
import { isZooKeeperError } from '../../zookeeper/client/client.ts'
import { handler } from '../handler.ts'

/**
 * InitProducerId (key 22) for idempotent producers: a new id, epoch 0. Transactional ids are answered
 * UNSUPPORTED_VERSION until transactions are built.
 */
export const initProducerId = handler(InitProducerId, [0, 5], async (request, context) => {
  if (request.transactionalId !== null) return { errorCode: Errors.UNSUPPORTED_VERSION }
  try {
    const producerId = await context.parts.producerIds.next()
    return { errorCode: Errors.NONE, producerId, producerEpoch: 0 }
  } catch (error) {
    if (!isZooKeeperError(error)) throw error
    // Coordination is away; this is the error that every producer takes as a reason to try again.
    return { errorCode: Errors.COORDINATOR_LOAD_IN_PROGRESS, producerId: -1, producerEpoch: -1 }
  }
})
