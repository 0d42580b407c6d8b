import { JoinGroup } from '../../kafka/messages/join-group.ts'
import { handler } from '../handler.ts'

/** JoinGroup (key 11). From version 4 a member is first told its id (KIP-394). */
export const joinGroup = handler(JoinGroup, [0, 9], async (request, context) => {
  const { apiVersion, clientId, clientAddress } = context
  const { protocols, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs } = request
  const answer = await context.parts.groups.join(request.groupId, {
    memberId: request.memberId,
    instanceId: groupInstanceId,
    clientId: clientId ?? '',
    clientHost: `/${clientAddress}`,
    sessionTimeoutMs,
    rebalanceTimeoutMs: apiVersion === 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
    protocolType: request.protocolType,
    protocols,
    requiresKnownMemberId: apiVersion >= 4,
    supportsSkipAssignment: apiVersion >= 9,
  })
  return {
    errorCode: answer.error,
    generationId: answer.generation,
    protocolType: answer.protocolType,
    protocolName: answer.protocolName ?? (apiVersion >= 7 ? null : ''),
    leader: answer.leader,
    skipAssignment: answer.skipAssignment,
    memberId: answer.memberId,
    members: answer.members,
  }
})
