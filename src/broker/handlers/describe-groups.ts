import { Errors } from '../../kafka/errors.ts'
import { DescribeGroups } from '../../kafka/messages/describe-groups.ts'
import { handler } from '../handler.ts'

/** DescribeGroups (key 15): a group nobody knows is Dead, without an error (kafka.md F44). */
export const describeGroups = handler(DescribeGroups, [0, 5], (request, context) => ({
  groups: request.groups.map((groupId) => {
    const { error, group } = context.parts.groups.describe(groupId)
    if (group === undefined) {
      const groupState = error === Errors.NONE ? 'Dead' : ''
      return { errorCode: error, groupId, groupState, protocolType: '', protocolData: '' }
    }
    const isStable = group.state === 'Stable'
    return {
      errorCode: Errors.NONE,
      groupId,
      groupState: group.state,
      protocolType: group.protocolType ?? '',
      protocolData: isStable ? (group.protocolName ?? '') : '',
      members: [...group.members.values()].map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.instanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        memberMetadata: isStable
          ? member.protocols.find((one) => one.name === group.protocolName)?.metadata
          : undefined,
        memberAssignment: isStable ? member.assignment : undefined,
      })),
    }
  }),
}))
