import { Errors } from '../../kafka/errors.ts'
import { ListGroups } from '../../kafka/messages/list-groups.ts'
import { handler } from '../handler.ts'

/** ListGroups (key 16): the groups this broker coordinates, filtered by state and type if asked. */
export const listGroups = handler(ListGroups, [0, 5], (request, context) => {
  const states = request.statesFilter.map((state) => state.toLowerCase())
  const types = request.typesFilter.map((type) => type.toLowerCase())
  const groups = []
  for (const group of context.parts.groups.groups()) {
    if (states.length > 0 && !states.includes(group.state.toLowerCase())) continue
    if (types.length > 0 && !types.includes('classic')) continue
    const { id: groupId, protocolType, state: groupState } = group
    groups.push({ groupId, protocolType: protocolType ?? '', groupState, groupType: 'classic' })
  }
  const { isLoading } = context.parts.groups
  const errorCode = isLoading ? Errors.COORDINATOR_LOAD_IN_PROGRESS : Errors.NONE
  return { errorCode, groups }
})
