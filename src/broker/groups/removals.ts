import { Errors } from '../../kafka/errors.ts'
import { subscriptions } from './expiry.ts'
import type { Group } from './group.ts'
import { commitError } from './log-errors.ts'
import type { Shards } from './shards.ts'

export interface OffsetToDelete {
  readonly topic: string
  readonly partition: number
}

/** Groups and offsets that administrators take away; only what nobody uses can be. */
export class Removals {
  readonly #shards: Shards

  constructor(shards: Shards) {
    this.#shards = shards
  }

  /** A group without members, with all that it committed. Resolves to an error code. */
  async deleteGroup(groupId: string): Promise<number> {
    const found = this.#shards.find(groupId)
    if ('error' in found) return found.error
    const group = found.shard.groups.get(groupId)?.group
    if (group === undefined || group.state === 'Dead') return Errors.GROUP_ID_NOT_FOUND
    if (group.state !== 'Empty') return Errors.NON_EMPTY_GROUP
    return commitError(await found.shard.deleteGroup(groupId))
  }

  /** Resolves to an error for the whole request, or one per offset. */
  async deleteOffsets(
    groupId: string,
    wanted: readonly OffsetToDelete[],
  ): Promise<{ readonly error: number } | { readonly errors: readonly number[] }> {
    if (groupId === '') return { error: Errors.INVALID_GROUP_ID }
    const found = this.#shards.find(groupId)
    if ('error' in found) return found
    const group = found.shard.groups.get(groupId)?.group
    if (group === undefined || group.state === 'Dead') return { error: Errors.GROUP_ID_NOT_FOUND }
    if (group.state !== 'Empty' && group.protocolType !== 'consumer')
      return { error: Errors.NON_EMPTY_GROUP }
    const isUsed = usedBy(group)
    const free = wanted.filter(({ topic }) => !isUsed(topic))
    const written = commitError(await found.shard.deleteOffsets(groupId, free))
    const errors = wanted.map(({ topic }) =>
      isUsed(topic) ? Errors.GROUP_SUBSCRIBED_TO_TOPIC : written,
    )
    return { errors }
  }
}

/** While members rebalance it cannot be told what they will read: it may be anything. */
function usedBy(group: Group): (topic: string) => boolean {
  const topics = subscriptions(group)
  return (topic) => topics === undefined || topics.has(topic)
}
