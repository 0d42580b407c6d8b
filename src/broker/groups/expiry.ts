// Pure.
/** Which committed offsets have been kept long enough (kafka.md F31, KIP-211). */
import { ConsumerProtocolSubscription } from '../../kafka/internal/consumer-protocol.ts'
import { compile } from '../../wire/compile.ts'
import { WireError } from '../../wire/errors.ts'
import { Reader } from '../../wire/reader.ts'
import type { Group } from './group.ts'
import type { CommittedOffset, Offsets } from './offsets.ts'

export interface ExpiredOffset {
  readonly topic: string
  readonly partition: number
}

/** Of one group, at a wall-clock time. `emptySinceMs`: since when it is without members, if known. */
export function expiredOffsets(
  {
    group,
    offsets,
    emptySinceMs,
  }: { group: Group; offsets: Offsets; emptySinceMs: number | undefined },
  now: number,
  retentionMs: number,
): ExpiredOffset[] {
  const since = (one: CommittedOffset): number =>
    group.protocolType !== null && group.state === 'Empty'
      ? (emptySinceMs ?? one.commitTimestampMs)
      : one.commitTimestampMs
  const subscribed = subscriptions(group)
  if (subscribed === undefined) return []
  const expired: ExpiredOffset[] = []
  for (const [topic, partitions] of offsets) {
    if (subscribed.has(topic)) continue
    for (const [partition, one] of partitions) {
      const own = one.expireTimestampMs
      const isOver = own === -1 ? now - since(one) >= retentionMs : now >= own
      if (isOver) expired.push({ topic, partition })
    }
  }
  return expired
}

/** The topics whose offsets are in use; undefined: it cannot be told, or the group is rebalancing. */
export function subscriptions(group: Group): ReadonlySet<string> | undefined {
  if (group.state === 'Empty') return new Set()
  if (group.protocolType !== 'consumer' || group.state !== 'Stable') return undefined
  const topics = new Set<string>()
  for (const { protocols } of group.members.values()) {
    const chosen = protocols.find((one) => one.name === group.protocolName)
    const named = chosen && topicsIn(chosen.metadata)
    if (named === undefined) return undefined
    for (const topic of named) topics.add(topic)
  }
  return topics
}

const subscriptionVersionMax = 3

function topicsIn(metadata: Buffer): readonly string[] | undefined {
  try {
    const reader = new Reader(metadata)
    const version = Math.min(reader.int16(), subscriptionVersionMax)
    return compile(ConsumerProtocolSubscription, version).decode(reader).topics
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}
