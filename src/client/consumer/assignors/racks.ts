// Pure.
// Racks of members and partitions (KIP-881): who is near to what.
import type { AssignorMember, AssignorTopics } from './assignor.ts'

/** Racks of members that named one. */
export function memberRacks(members: readonly AssignorMember[]): Map<string, string> {
  const racks = new Map<string, string>()
  for (const { memberId, rackId } of members) if (rackId) racks.set(memberId, rackId)
  return racks
}

const none: ReadonlySet<string> = new Set()

/** By partition: racks of its replicas. */
export function partitionRacks(topics: AssignorTopics, name: string): ReadonlySet<string>[] {
  const topic = topics.get(name)
  return Array.from({ length: topic?.partitionCount ?? 0 }, (_, partition) => {
    const racks = topic?.racks?.[partition]
    return racks === undefined ? none : new Set(racks.filter((rack) => rack !== ''))
  })
}

/**
 * Whether racks make a difference: some member is in a rack that has replicas, and not every
 * partition has replicas in all of them.
 */
export function racksMatter(
  members: Iterable<string>,
  partitions: readonly ReadonlySet<string>[],
): boolean {
  const all = new Set(partitions.flatMap((racks) => [...racks]))
  let shared = false
  for (const rack of members) shared ||= all.has(rack)
  return shared && partitions.some((racks) => racks.size < all.size)
}
