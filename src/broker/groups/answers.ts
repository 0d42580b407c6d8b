// Pure.
/** What comes out of a group's decisions: answers to members, and records to be written. */
import type { Member } from './member.ts'

export interface JoinAnswer {
  readonly error: number
  readonly generation: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leader: string
  readonly memberId: string
  readonly skipAssignment: boolean
  readonly members: readonly {
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly metadata: Buffer
  }[]
}

export interface SyncAnswer {
  readonly error: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Buffer
}

/** Why the group's record is written; `Group.persisted` is told how it went. */
export type GroupWrite =
  | { readonly reason: 'assignment'; readonly generation: number }
  | { readonly reason: 'empty' }
  | {
      readonly reason: 'static'
      readonly memberId: string
      /** The member whose place was taken, to be put back if the write fails. */
      readonly replaced: Member
      readonly wasLeader: boolean
      readonly supportsSkipAssignment: boolean
    }

export type Effect =
  | { readonly type: 'joined'; readonly memberId: string; readonly answer: JoinAnswer }
  | { readonly type: 'synced'; readonly memberId: string; readonly answer: SyncAnswer }
  | { readonly type: 'persist'; readonly write: GroupWrite }

/** An error (0: none, the answer comes as an effect, now or later) and what is to be done. */
export interface Outcome {
  readonly error: number
  readonly effects: readonly Effect[]
}

/** The member id is the one that the answer is for, or that the client is to use. */
export interface JoinOutcome extends Outcome {
  readonly memberId: string
}

export function refusedJoin(error: number, memberId: string): JoinAnswer {
  const nothing = { generation: -1, protocolType: null, protocolName: null, leader: '' }
  return { error, ...nothing, memberId, skipAssignment: false, members: [] }
}

export function refusedSync(error: number): SyncAnswer {
  return { error, protocolType: null, protocolName: null, assignment: Buffer.alloc(0) }
}

export function joinFailure(memberId: string, error: number): Effect {
  return { type: 'joined', memberId, answer: refusedJoin(error, memberId) }
}

export function syncFailure(memberId: string, error: number): Effect {
  return { type: 'synced', memberId, answer: refusedSync(error) }
}

export const refused = (error: number): Outcome => ({ error, effects: [] })
