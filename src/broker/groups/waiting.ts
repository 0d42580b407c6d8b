// Pure.
/** Who in a group waits for an answer, who owes a request, and when patience with each ends. */
import { joinFailure, syncFailure, type Effect } from './answers.ts'
import type { Member } from './member.ts'

export class Waiting {
  /** Ids given out to members that have not joined with them yet, and until when they may. */
  readonly pending = new Map<string, number>()
  /** Members whose JoinGroup, or SyncGroup, waits for an answer. */
  readonly joining = new Set<string>()
  readonly syncing = new Set<string>()
  /** Members that were told of this generation and have not sent a SyncGroup for it. */
  readonly owingSync = new Set<string>()
  /** No deadline lies before it; exact after `findNextDeadline`. */
  nextDeadlineMs = Infinity

  due(deadlineMs: number): void {
    this.nextDeadlineMs = Math.min(this.nextDeadlineMs, deadlineMs)
  }

  promise(memberId: string, untilMs: number): void {
    this.pending.set(memberId, untilMs)
    this.due(untilMs)
  }

  breakPromises(now: number): void {
    for (const [memberId, deadlineMs] of this.pending)
      if (deadlineMs <= now) this.pending.delete(memberId)
  }

  /** A session starts again, unless the member waits for an answer of ours. */
  heardOf(member: Member, now: number): void {
    const { memberId, sessionTimeoutMs } = member
    if (this.joining.has(memberId) || this.syncing.has(memberId)) return
    member.deadlineMs = now + sessionTimeoutMs
    this.due(member.deadlineMs)
  }

  /** Ends what one member waits for. */
  fail({ memberId }: Member, error: number): Effect[] {
    const effects: Effect[] = []
    if (this.joining.delete(memberId)) effects.push(joinFailure(memberId, error))
    if (this.syncing.delete(memberId)) effects.push(syncFailure(memberId, error))
    return effects
  }

  /** The members that waited for their assignments; they wait no more. */
  endSyncs(members: Iterable<Member>, now: number): Member[] {
    const waited: Member[] = []
    for (const member of members) {
      if (!this.syncing.delete(member.memberId)) continue
      this.heardOf(member, now)
      waited.push(member)
    }
    return waited
  }

  findNextDeadline(members: Iterable<Member>, ofPhaseMs: number): void {
    let next = ofPhaseMs
    for (const { deadlineMs } of members) next = Math.min(next, deadlineMs)
    for (const deadlineMs of this.pending.values()) next = Math.min(next, deadlineMs)
    this.nextDeadlineMs = next
  }
}
