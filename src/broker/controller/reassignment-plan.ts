// Pure.
/** What becomes of a partition that is to lie elsewhere (KIP-455), and why it may not. */
import { Errors } from '../../kafka/errors.ts'
import { isBeingReassigned, originOf, targetOf, type ReplicaAssignment } from './cluster.ts'
import type { Election, ElectionFacts } from './election.ts'
import { electForReassignment, noLeader } from './election.ts'

export interface Refusal {
  readonly error: number
  readonly message: string
}

/** Old and new replicas together, the new ones first, until the new ones are in sync. */
export function reassigned(
  assignment: ReplicaAssignment,
  target: readonly number[],
): ReplicaAssignment {
  const origin = originOf(assignment)
  const replicas = [...new Set([...target, ...origin])]
  return {
    replicas,
    adding: replicas.filter((id) => !origin.includes(id)),
    removing: replicas.filter((id) => !target.includes(id)),
  }
}

/**
 * The assignment that a request leads to; null as target cancels what is under way.
 */
export function planReassignment(
  assignment: ReplicaAssignment,
  target: readonly number[] | null,
  live: readonly number[],
): ReplicaAssignment | Refusal {
  if (target !== null) {
    const problem = targetProblem(assignment, target, live)
    if (problem !== undefined) return { error: Errors.INVALID_REPLICA_ASSIGNMENT, message: problem }
    return reassigned(assignment, target)
  }
  if (!isBeingReassigned(assignment))
    return { error: Errors.NO_REASSIGNMENT_IN_PROGRESS, message: noneInProgress }
  return reassigned(assignment, originOf(assignment))
}

const noneInProgress = 'No partition reassignment is in progress.'

function targetProblem(
  assignment: ReplicaAssignment,
  target: readonly number[],
  live: readonly number[],
): string | undefined {
  const list = `List(${target.join(', ')})`
  if (target.length === 0) return 'Empty replica list specified in partition reassignment.'
  if (new Set(target).size < target.length)
    return `Duplicate replica ids in partition reassignment replica list: ${list}`
  if (target.some((id) => id < 0)) return `Invalid broker id in replica list: ${list}`
  // Replicas that it has may be down; new ones must be there to take the data.
  const { adding } = reassigned(assignment, target)
  if (adding.some((id) => !live.includes(id)))
    return `Replica assignment has brokers that are not alive. Replica list: List(${adding.join(', ')}), live broker list: Set(${live.join(', ')})`
  return undefined
}

/** The replicas that have a partition's data, and keep it. */
export function keptBy(
  before: ReplicaAssignment,
  after: ReplicaAssignment | undefined,
): readonly number[] {
  return after === undefined
    ? before.replicas
    : before.replicas.filter((id) => after.replicas.includes(id))
}

/** In the words of KIP-455 as KRaft has it; controllers on ZooKeeper would lose the data. */
export function revertRefusal(topic: string, partition: number): Refusal {
  const message = `Unable to revert partition assignment for ${topic}:${partition} because it would require an unclean leader election.`
  return { error: Errors.INVALID_REPLICA_ASSIGNMENT, message }
}

/**
 * Only these replicas stay in sync, and one of them leads, if it lives. Undefined: no other is in sync
 * anyway, or none of these is.
 */
export function electAmong(
  { replicas, isr, isOnline }: ElectionFacts,
  kept: readonly number[],
  leader: number,
): Election | undefined {
  const left = isr.filter((id) => kept.includes(id))
  if (left.length === isr.length || left.length === 0) return undefined
  if (left.includes(leader)) return { leader, isr: left }
  const heir = replicas.find((id) => left.includes(id) && isOnline(id))
  return { leader: heir ?? noLeader, isr: left }
}

/** All the replicas that are to stay have caught up. */
export function isComplete(assignment: ReplicaAssignment, isr: readonly number[]): boolean {
  return isr.length > 0 && targetOf(assignment).every((id) => isr.includes(id))
}

/** A complete reassignment's last state: led by one that stays, in sync only those that stay. */
export function electAtCompletion(
  facts: ElectionFacts,
  assignment: ReplicaAssignment,
  leader: number,
): Election | undefined {
  const target = targetOf(assignment)
  const stays = target.includes(leader) && facts.isOnline(leader)
  const chosen = stays ? leader : electForReassignment(facts, target)?.leader
  if (chosen === undefined) return undefined
  return { leader: chosen, isr: facts.isr.filter((id) => target.includes(id)) }
}
