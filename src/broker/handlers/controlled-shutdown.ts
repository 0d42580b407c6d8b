import { Errors } from '../../kafka/errors.ts'
import { ControlledShutdown } from '../../kafka/messages/controlled-shutdown.ts'
import { handler } from '../handler.ts'

/** ControlledShutdown (key 7), on the controller: a broker that is about to stop is relieved (kafka.md D). */
export const controlledShutdown = handler(ControlledShutdown, [0, 3], async (request, context) => {
  const { brokerId, brokerEpoch } = request
  const relief = await context.parts.controller.relieve(brokerId, BigInt(brokerEpoch))
  if (relief === undefined) return { errorCode: Errors.NOT_CONTROLLER }
  switch (relief.kind) {
    case 'unknown broker':
      return { errorCode: Errors.BROKER_NOT_AVAILABLE }
    case 'stale epoch':
      return { errorCode: Errors.STALE_BROKER_EPOCH }
    case 'relieved': {
      const remainingPartitions = relief.remaining.map(({ topic, partition }) => ({
        ...{ topicName: topic, partitionIndex: partition },
      }))
      return { errorCode: Errors.NONE, remainingPartitions }
    }
  }
})
