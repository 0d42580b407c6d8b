import { Errors } from '../../kafka/errors.ts'
import { ConsumerGroupDescribe } from '../../kafka/messages/consumer-group-describe.ts'
import { ConsumerGroupHeartbeat } from '../../kafka/messages/consumer-group-heartbeat.ts'
import { handler } from '../handler.ts'

/** Keys 68 and 69 (KIP-848) are listed and refused, as by a 3.9.1 broker on ZooKeeper (kafka.md F40). */
export const consumerGroupHeartbeat = handler(ConsumerGroupHeartbeat, [0, 0], () => ({
  errorCode: Errors.UNSUPPORTED_VERSION,
}))

export const consumerGroupDescribe = handler(ConsumerGroupDescribe, [0, 0], (request) => ({
  groups: request.groupIds.map((groupId) => ({ groupId, errorCode: Errors.UNSUPPORTED_VERSION })),
}))
