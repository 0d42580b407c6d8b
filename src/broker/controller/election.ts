// Pure.
/** Who leads a partition (kafka.md C): one function for each occasion. */

export interface ElectionFacts {
  /** In the order of preference. */
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  /** Alive, its log directory too, and not about to shut down. */
  readonly isOnline: (id: number) => boolean
}

export interface Election {
  readonly leader: number
  readonly isr: readonly number[]
}

/** What stands for no leader in a state. */
export const noLeader = -1
/** What brokers are told of the leader of a partition that is being deleted. */
export const leaderDuringDeletion = -2

/** A new partition: its first live replica leads, all live ones are in sync. Undefined: none lives. */
export function electForNew({
  replicas,
  isOnline,
}: Omit<ElectionFacts, 'isr'>): Election | undefined {
  const isr = replicas.filter(isOnline)
  const leader = isr[0]
  return leader === undefined ? undefined : { leader, isr }
}

/**
 * A partition without a live leader: the first live replica that is in sync; with unclean election, any
 * live one, which then is the whole in-sync set. Undefined: it stays offline.
 */
export function electForOffline(
  { replicas, isr, isOnline }: ElectionFacts,
  uncleanAllowed: boolean,
): Election | undefined {
  const clean = replicas.find((id) => isr.includes(id) && isOnline(id))
  if (clean !== undefined) return { leader: clean, isr: isr.filter(isOnline) }
  const unclean = uncleanAllowed ? replicas.find(isOnline) : undefined
  return unclean === undefined ? undefined : { leader: unclean, isr: [unclean] }
}

/** A reassigned partition is to be led by one of its target replicas: the first live one in sync. */
export function electForReassignment(
  { isr, isOnline }: Omit<ElectionFacts, 'replicas'>,
  target: readonly number[],
): Election | undefined {
  const leader = target.find((id) => isr.includes(id) && isOnline(id))
  return leader === undefined ? undefined : { leader, isr }
}

/** Only the first replica will do, and only where it lives and is in sync. */
export function electPreferred({ replicas, isr, isOnline }: ElectionFacts): Election | undefined {
  const leader = replicas[0]
  const isAble = leader !== undefined && isr.includes(leader) && isOnline(leader)
  return isAble ? { leader, isr } : undefined
}

/**
 * The leader is about to shut down: the first live replica in sync that is not leads, and those that are
 * leave the in-sync set. `isOnline` counts those that shut down as alive here.
 */
export function electForShutdown(
  { replicas, isr, isOnline }: ElectionFacts,
  isShuttingDown: (id: number) => boolean,
): Election | undefined {
  const stays = (id: number) => isr.includes(id) && isOnline(id) && !isShuttingDown(id)
  const leader = replicas.find(stays)
  return leader === undefined ? undefined : { leader, isr: isr.filter((id) => !isShuttingDown(id)) }
}

/**
 * Replicas went offline: a partition that lost its leader gets another one, or none (-1, its in-sync
 * set kept, since any of those that were in sync has all that was acknowledged); one that lost
 * followers goes on without them. Undefined: nothing changes.
 */
export function electAfterLoss(
  facts: ElectionFacts,
  leader: number,
  uncleanAllowed: boolean,
): Election | undefined {
  const { isr, isOnline } = facts
  if (leader >= 0 && isOnline(leader)) {
    const left = isr.filter(isOnline)
    return left.length === isr.length ? undefined : { leader, isr: left }
  }
  const election = electForOffline(facts, uncleanAllowed)
  if (election !== undefined) return election
  return leader === noLeader ? undefined : { leader: noLeader, isr }
}

/**
 * As after a loss, where `facts` take brokers that have been away for offline and `present` do not. Where
 * nobody else is there they go on, the former leader before others, in a new epoch: what it wrote in the
 * old one may be lost. Undefined: nothing changes.
 */
export function electAfterUnseenRestart(
  facts: ElectionFacts,
  leader: number,
  present: ElectionFacts,
): Election | undefined {
  const election = electAfterLoss(facts, leader, false)
  if (election?.leader !== noLeader) return election
  const isr = present.isr.filter(present.isOnline)
  return isr.includes(leader) ? { leader, isr } : electForOffline(present, false)
}
