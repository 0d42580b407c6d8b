import { StopReplica } from '../../kafka/messages/stop-replica.ts'
import { handler } from '../handler.ts'
import { newestStopReplica } from '../order-forms.ts'

/** StopReplica (key 5): a controller on another broker orders replicas to be stopped, or removed. */
export const stopReplica = handler(StopReplica, [0, 4], (request, context) =>
  context.parts.subordinate.stopReplica(newestStopReplica(request)),
)
