import { Errors } from '../../kafka/errors.ts'
import { LeaveGroup } from '../../kafka/messages/leave-group.ts'
import { handler } from '../handler.ts'

/** LeaveGroup (key 13): one member up to version 2, several from 3 on, each with its own error. */
export const leaveGroup = handler(LeaveGroup, [0, 5], (request, context) => {
  const isSingle = context.apiVersion < 3
  const wanted = isSingle
    ? [{ memberId: request.memberId, groupInstanceId: null }]
    : request.members
  const named = wanted.map(({ memberId, groupInstanceId: instanceId }) => ({
    memberId,
    instanceId,
  }))
  const outcome = context.parts.groups.leave(request.groupId, named)
  if ('error' in outcome) return { errorCode: outcome.error, members: [] }
  if (isSingle) return { errorCode: outcome.errors[0] ?? Errors.NONE }
  const members = wanted.map(({ memberId, groupInstanceId }, at) => ({
    memberId,
    groupInstanceId,
    errorCode: outcome.errors[at] ?? Errors.UNKNOWN_SERVER_ERROR,
  }))
  return { errorCode: Errors.NONE, members }
})
