// Pure.
/** Which replica a consumer should read from, where racks count (KIP-392). */
import type { Follower } from './in-sync.ts'

export interface ReaderQuestion {
  /** The consumer's rack. */
  readonly rackId: string
  readonly fetchOffset: number
  readonly leader: number
  readonly followers: readonly Follower[]
  /** The rack of a broker that consumers can reach; undefined: there is no such broker. */
  readonly rackOf: (brokerId: number) => string | null | undefined
}

/** The leader if it is in the reader's rack or nobody is; else who of that rack has come furthest. */
export function preferredReplica(question: ReaderQuestion): number {
  const { rackId, fetchOffset, leader, followers, rackOf } = question
  if (rackOf(leader) === rackId) return leader
  let best: Follower | undefined
  for (const follower of followers) {
    const { id, logStartOffset, logEndOffset } = follower
    const hasOffset = logStartOffset <= fetchOffset && fetchOffset <= logEndOffset
    if (hasOffset && rackOf(id) === rackId && isFurther(follower, best)) best = follower
  }
  return best?.id ?? leader
}

function isFurther(one: Follower, other: Follower | undefined): boolean {
  if (other === undefined || one.logEndOffset > other.logEndOffset) return true
  return one.logEndOffset === other.logEndOffset && one.lastCaughtUpMs > other.lastCaughtUpMs
}
