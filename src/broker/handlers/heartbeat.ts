import { Heartbeat } from '../../kafka/messages/heartbeat.ts'
import { handler } from '../handler.ts'

/** Heartbeat (key 12). */
export const heartbeat = handler(Heartbeat, [0, 4], (request, context) => {
  const { memberId, generationId, groupInstanceId } = request
  const identity = { memberId, generation: generationId, instanceId: groupInstanceId }
  return { errorCode: context.parts.groups.heartbeat(request.groupId, identity) }
})
