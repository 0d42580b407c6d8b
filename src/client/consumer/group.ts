// Pure.
// Membership in a consumer group, as the classic protocol has it: join, sync, heartbeat, rejoin.
// Takes what the coordinator answered; gives the next state and what is to be done.
import { Errors } from '../../kafka/errors.ts'

export interface Membership {
  readonly phase: Phase
  /** Empty until the coordinator gave one. */
  readonly memberId: string
  /** -1 outside a generation. */
  readonly generationId: number
  /** Name of the assignor the coordinator chose. */
  readonly protocol: string
  /** This member computes the assignment of all. */
  readonly isLeader: boolean
}

/**
 * unjoined: no partitions, the next poll joins. joining, syncing: waiting for that answer.
 * stable: partitions are ours. rebalancing: still ours, but the next poll gives them up and
 * rejoins.
 */
export type Phase = 'unjoined' | 'joining' | 'syncing' | 'stable' | 'rebalancing'

export const outsider: Membership = {
  phase: 'unjoined',
  memberId: '',
  generationId: -1,
  protocol: '',
  isLeader: false,
}

/**
 * nothing: go on. join, sync: send it now. retry: send the same again after a wait.
 * findCoordinator: it is elsewhere; look it up, then do as the phase says. lost: partitions are
 * gone, tell the listeners and join anew. fail: an error for the caller of poll().
 */
export type Effect =
  | { readonly kind: 'nothing' | 'join' | 'sync' | 'retry' | 'lost' }
  | { readonly kind: 'findCoordinator' }
  | { readonly kind: 'fail'; readonly errorCode: number }

export interface Step {
  readonly next: Membership
  readonly effect: Effect
}

/** poll() begins to join. Its listeners have been told to give up what they had. */
export function beginJoin(state: Membership): Membership {
  return { ...state, phase: 'joining', isLeader: false }
}

export interface JoinAnswer {
  readonly errorCode: number
  readonly generationId: number
  readonly protocolName: string | null
  readonly leader: string
  readonly memberId: string
}

export function onJoin(state: Membership, answer: JoinAnswer): Step {
  switch (answer.errorCode) {
    case Errors.NONE: {
      const next: Membership = {
        phase: 'syncing',
        memberId: answer.memberId,
        generationId: answer.generationId,
        protocol: answer.protocolName ?? '',
        isLeader: answer.leader === answer.memberId,
      }
      return { next, effect: { kind: 'sync' } }
    }
    case Errors.MEMBER_ID_REQUIRED:
      return { next: { ...state, memberId: answer.memberId }, effect: { kind: 'join' } }
    case Errors.UNKNOWN_MEMBER_ID:
      return { next: { ...outsider, phase: 'joining' }, effect: { kind: 'retry' } }
    case Errors.ILLEGAL_GENERATION:
      return { next: { ...state, generationId: -1 }, effect: { kind: 'retry' } }
    case Errors.REBALANCE_IN_PROGRESS:
      return { next: state, effect: { kind: 'retry' } }
    default:
      return onCommonError(state, answer.errorCode)
  }
}

export function onSync(state: Membership, errorCode: number): Step {
  switch (errorCode) {
    case Errors.NONE:
      return { next: { ...state, phase: 'stable' }, effect: { kind: 'nothing' } }
    case Errors.REBALANCE_IN_PROGRESS:
      return { next: { ...state, phase: 'joining' }, effect: { kind: 'join' } }
    case Errors.UNKNOWN_MEMBER_ID:
      return { next: { ...outsider, phase: 'joining' }, effect: { kind: 'join' } }
    case Errors.ILLEGAL_GENERATION:
      return {
        next: { ...state, phase: 'joining', generationId: -1 },
        effect: { kind: 'join' },
      }
    default: {
      // Whatever else went wrong, the way on is a new join: the generation may have passed
      // meanwhile.
      const step = onCommonError(state, errorCode)
      return { ...step, next: { ...step.next, phase: 'joining' } }
    }
  }
}

/**
 * Heartbeat and commit answers tell the same things. An answer to a request of an earlier
 * generation says nothing about the present one: `sent` is the membership it was sent with.
 */
export function onHeartbeat(state: Membership, sent: Membership, errorCode: number): Step {
  const stale =
    state.memberId !== sent.memberId || state.generationId !== sent.generationId || !owns(state)
  if (stale) return { next: state, effect: { kind: 'nothing' } }
  switch (errorCode) {
    case Errors.NONE:
      return { next: state, effect: { kind: 'nothing' } }
    case Errors.REBALANCE_IN_PROGRESS:
      return { next: { ...state, phase: 'rebalancing' }, effect: { kind: 'nothing' } }
    case Errors.ILLEGAL_GENERATION:
      return {
        next: { ...state, phase: 'unjoined', generationId: -1 },
        effect: { kind: 'lost' },
      }
    case Errors.UNKNOWN_MEMBER_ID:
      return { next: outsider, effect: { kind: 'lost' } }
    default:
      return onCommonError(state, errorCode)
  }
}

/** This member wants another assignment: its subscription or a topic's partition count changed. */
export function wantRebalance(state: Membership): Membership {
  return state.phase === 'stable' ? { ...state, phase: 'rebalancing' } : state
}

/** It left, or was too slow to poll: it comes back as a new member. */
export function leave(): Membership {
  return outsider
}

/** Whether the partitions of the last assignment are (still) this member's. */
export function owns(state: Membership): boolean {
  return state.phase === 'stable' || state.phase === 'rebalancing'
}

function onCommonError(state: Membership, errorCode: number): Step {
  switch (errorCode) {
    case Errors.COORDINATOR_LOAD_IN_PROGRESS:
      return { next: state, effect: { kind: 'retry' } }
    case Errors.COORDINATOR_NOT_AVAILABLE:
    case Errors.NOT_COORDINATOR:
      return { next: state, effect: { kind: 'findCoordinator' } }
    default:
      return { next: { ...outsider }, effect: { kind: 'fail', errorCode } }
  }
}
