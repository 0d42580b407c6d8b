import { Errors } from '../../kafka/errors.ts'
import { LeaveGroup } from '../../kafka/messages/leave-group.ts'
import { handler } from '../handler.ts'

/** LeaveGroup (key 13): one member up to version 2, several from 3 on. */
export const leaveGroup = handler(LeaveGroup, [0, 5], (request, context) => {
  const { groups } = context.parts
  if (context.apiVersion < 3)
    return { errorCode: groups.leave(request.groupId, request.memberId, null) }
  const members = request.members.map(({ memberId, groupInstanceId }) => ({
    memberId,
    groupInstanceId,
    errorCode: groups.leave(request.groupId, memberId, groupInstanceId),
  }))
  return { errorCode: Errors.NONE, members }
})
