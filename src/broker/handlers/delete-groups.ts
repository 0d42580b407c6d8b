import { DeleteGroups } from '../../kafka/messages/delete-groups.ts'
import { handler } from '../handler.ts'

/** DeleteGroups (key 42, KIP-229): groups without members go, with what they committed. */
export const deleteGroups = handler(DeleteGroups, [0, 2], async (request, context) => ({
  results: await Promise.all(
    [...new Set(request.groupsNames)].map(async (groupId) => ({
      groupId,
      errorCode: await context.parts.groups.removals.deleteGroup(groupId),
    })),
  ),
}))
