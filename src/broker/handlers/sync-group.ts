import { SyncGroup } from '../../kafka/messages/sync-group.ts'
import { handler } from '../handler.ts'

/** SyncGroup (key 14): the leader brings the assignments, every member takes its own. */
export const syncGroup = handler(SyncGroup, [0, 5], async (request, context) => {
  const { memberId, generationId, groupInstanceId } = request
  const answer = await context.parts.groups.sync(
    request.groupId,
    { memberId, generation: generationId, instanceId: groupInstanceId },
    { type: request.protocolType, name: request.protocolName },
    new Map(request.assignments.map((one) => [one.memberId, one.assignment])),
  )
  return {
    errorCode: answer.error,
    protocolType: answer.protocolType,
    protocolName: answer.protocolName,
    assignment: answer.assignment,
  }
})
