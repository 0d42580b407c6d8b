// Pure.
/**
 * One consumer group of the classic protocol (kafka.md F22 to F30): members, generations, rebalances.
 * Each event returns what is to be done about it; nothing here knows connections, timers or logs.
 * Times are those of a clock that never goes back, in milliseconds.
 */
import { Errors } from '../../kafka/errors.ts'
import {
  joinFailure,
  refused,
  syncFailure,
  type Effect,
  type GroupWrite,
  type JoinAnswer,
  type JoinOutcome,
  type Outcome,
} from './answers.ts'
import {
  memberOf,
  sameProtocols,
  type GroupLimits,
  type JoinRequest,
  type Member,
  type RestoredGroup,
} from './member.ts'
import { JoinPhase } from './join-phase.ts'
import { Roster } from './roster.ts'
import { Waiting } from './waiting.ts'

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

const noBytes = Buffer.alloc(0)
/** A member that joins for the first time cannot be heard of: its client may be gone meanwhile. */
const newMemberJoinMs = 5 * 60 * 1000

export class Group {
  readonly id: string
  readonly #limits: GroupLimits
  state: GroupState = 'Empty'
  generation = 0
  protocolType: string | null = null
  protocolName: string | null = null
  readonly #roster = new Roster()
  readonly #waiting = new Waiting()
  readonly #joinPhase: JoinPhase
  #syncDeadlineMs = Infinity

  constructor(id: string, limits: GroupLimits) {
    this.id = id
    this.#limits = limits
    this.#joinPhase = new JoinPhase(limits.initialRebalanceDelayMs)
  }

  /** When `expire` must be called next; Infinity: never. */
  get nextDeadlineMs(): number {
    return this.#waiting.nextDeadlineMs
  }

  /** Nobody is here and nobody is expected. */
  get isVacant(): boolean {
    return this.state === 'Empty' && this.#waiting.pending.size === 0
  }

  get members(): ReadonlyMap<string, Member> {
    return this.#roster.members
  }

  get leaderId(): string | null {
    return this.#roster.leaderId
  }

  /** Whether the caller is who it says it is: NONE, or the error for it. */
  memberProblem(memberId: string, instanceId: string | null): number {
    return this.#roster.problemOf(memberId, instanceId)
  }

  join(request: JoinRequest, now: number): JoinOutcome {
    const { memberId, instanceId } = request
    const yes = (effects: Effect[]): JoinOutcome => ({ error: Errors.NONE, memberId, effects })
    const no = (error: number): JoinOutcome => ({ error, memberId, effects: [] })
    if (this.state === 'Dead') return no(Errors.COORDINATOR_NOT_AVAILABLE)
    if (!this.#hasRoomFor(memberId)) {
      const effects = this.#removeLate(memberId, now)
      return { error: Errors.GROUP_MAX_SIZE_REACHED, memberId: '', effects }
    }
    if (!this.#roster.agrees(request, this.protocolType))
      return no(Errors.INCONSISTENT_GROUP_PROTOCOL)
    if (memberId === '') return this.#joinUnknown(request, now)
    if (this.#waiting.pending.has(memberId)) {
      if (instanceId !== null) return no(Errors.UNKNOWN_MEMBER_ID)
      this.#waiting.pending.delete(memberId)
      return yes(this.#addMember(memberId, request, now))
    }
    const problem = this.memberProblem(memberId, instanceId)
    const member = this.members.get(memberId)
    if (problem !== Errors.NONE || member === undefined) return no(problem)
    return yes(this.#rejoin(member, request, now))
  }

  #joinUnknown(request: JoinRequest, now: number): JoinOutcome {
    const { instanceId, newMemberId: memberId, sessionTimeoutMs } = request
    const yes = (effects: Effect[]): JoinOutcome => ({ error: Errors.NONE, memberId, effects })
    const known = instanceId === null ? undefined : this.#roster.idOfInstance(instanceId)
    const old = known === undefined ? undefined : this.members.get(known)
    if (old !== undefined) return yes(this.#replaceStatic(old, request, now))
    if (instanceId === null && request.requiresKnownMemberId) {
      this.#waiting.promise(memberId, now + sessionTimeoutMs)
      return { error: Errors.MEMBER_ID_REQUIRED, memberId, effects: [] }
    }
    return yes(this.#addMember(memberId, request, now))
  }

  /** group.max.size: while preparing, those count that have come back already. */
  #hasRoomFor(memberId: string): boolean {
    const { sizeMax } = this.#limits
    if (this.state === 'Empty') return true
    if (this.state === 'PreparingRebalance')
      return this.#waiting.joining.has(memberId) || this.#waiting.joining.size < sizeMax
    return this.members.has(memberId) || this.members.size < sizeMax
  }

  #removeLate(memberId: string, now: number): Effect[] {
    const member = this.members.get(memberId)
    return member === undefined ? [] : this.#removeMember(member, now)
  }

  #addMember(memberId: string, request: JoinRequest, now: number): Effect[] {
    if (this.state === 'PreparingRebalance' && this.generation === 0)
      this.#joinPhase.noteNewMember()
    if (this.members.size === 0) this.protocolType = request.protocolType
    const deadlineMs = now + newMemberJoinMs
    this.#roster.put({ ...memberOf(request, memberId), isNew: true, deadlineMs })
    this.#waiting.due(deadlineMs)
    this.#waiting.joining.add(memberId)
    return this.#rebalance(now)
  }

  /** A static member came back without its id: it takes the old one's place (KIP-345). */
  #replaceStatic(old: Member, request: JoinRequest, now: number): Effect[] {
    const { newMemberId: memberId, supportsSkipAssignment } = request
    const effects = this.#waiting.fail(old, Errors.FENCED_INSTANCE_ID)
    const wasLeader = this.leaderId === old.memberId
    const { assignment } = old
    this.#waiting.owingSync.delete(old.memberId)
    this.#roster.replace(old, { ...memberOf(request, memberId), assignment })
    this.#waiting.joining.add(memberId)
    if (this.state === 'Stable' && this.#roster.selectProtocol() === this.protocolName) {
      const write = { memberId, replaced: old, wasLeader, supportsSkipAssignment } as const
      return [...effects, { type: 'persist', write: { reason: 'static', ...write } }]
    }
    return [...effects, ...this.#rebalance(now)]
  }

  /** The new id is in the log, and the member is told; or it is not, and the old one is back. */
  #staticWritten(
    write: GroupWrite & { readonly reason: 'static' },
    error: number,
    now: number,
  ): Effect[] {
    const { memberId, replaced, wasLeader } = write
    const member = this.members.get(memberId)
    // A rebalance that has begun meanwhile will answer it.
    if (member === undefined || this.state !== 'Stable' || !this.#waiting.joining.has(memberId))
      return []
    this.#waiting.joining.delete(memberId)
    if (error !== Errors.NONE) {
      this.#roster.replace(member, replaced)
      this.#waiting.heardOf(replaced, now)
      return [joinFailure(memberId, error)]
    }
    this.#waiting.heardOf(member, now)
    const skips = wasLeader && write.supportsSkipAssignment
    const answer = {
      ...this.#joinAnswer(member),
      // An old client that finds itself leading would assign anew: it is told the old leader's id.
      leader: wasLeader && !skips ? replaced.memberId : (this.leaderId ?? ''),
      skipAssignment: skips,
      members: skips ? this.#roster.rows(this.protocolName) : [],
    }
    return [{ type: 'joined', memberId, answer }]
  }

  #rejoin(member: Member, request: JoinRequest, now: number): Effect[] {
    const isSame = sameProtocols(member.protocols, request.protocols)
    const { memberId } = member
    const isAnswered =
      (this.state === 'CompletingRebalance' && isSame) ||
      (this.state === 'Stable' && isSame && memberId !== this.leaderId)
    if (isAnswered) {
      this.#waiting.heardOf(member, now)
      return [{ type: 'joined', memberId, answer: this.#joinAnswer(member) }]
    }
    const { protocols, sessionTimeoutMs, rebalanceTimeoutMs } = request
    const deadlineMs = member.isNew ? member.deadlineMs : Infinity
    const timeouts = { sessionTimeoutMs, rebalanceTimeoutMs, deadlineMs }
    this.#roster.put({ ...member, protocols, ...timeouts })
    this.#waiting.joining.add(memberId)
    return this.#rebalance(now)
  }

  /** Begins a rebalance; where one is under way, ends its join phase if all are there. */
  #rebalance(now: number): Effect[] {
    if (this.state === 'PreparingRebalance') return this.#completeJoinIfAll(now)
    const wasEmpty = this.state === 'Empty'
    const effects =
      this.state === 'CompletingRebalance' ? this.#failSyncs(Errors.REBALANCE_IN_PROGRESS, now) : []
    this.state = 'PreparingRebalance'
    this.#syncDeadlineMs = Infinity
    const longestMs = this.#roster.longestRebalanceMs()
    if (wasEmpty) this.#joinPhase.gather(now, longestMs)
    else this.#joinPhase.begin(now, longestMs)
    this.#waiting.due(this.#joinPhase.deadlineMs)
    return [...effects, ...this.#endJoinPhaseIfDue(now)]
  }

  #endJoinPhaseIfDue(now: number): Effect[] {
    return this.#joinPhase.isOver(now) ? this.#completeJoin(now) : this.#completeJoinIfAll(now)
  }

  #completeJoinIfAll(now: number): Effect[] {
    const isComplete =
      this.#waiting.pending.size === 0 && this.#waiting.joining.size === this.members.size
    return isComplete && !this.#joinPhase.isGathering ? this.#completeJoin(now) : []
  }

  #completeJoin(now: number): Effect[] {
    for (const member of [...this.members.values()])
      if (!this.#waiting.joining.has(member.memberId) && member.instanceId === null)
        this.#drop(member)
    this.#joinPhase.end()
    const longestMs = this.#roster.longestRebalanceMs()
    if (this.members.size > 0 && this.#waiting.joining.size === 0) {
      // Only static members, none of them back yet: they get another round.
      this.#joinPhase.begin(now, longestMs)
      this.#waiting.due(this.#joinPhase.deadlineMs)
      return []
    }
    this.generation += 1
    if (this.members.size === 0) {
      this.protocolName = null
      this.state = 'Empty'
      return [{ type: 'persist', write: { reason: 'empty' } }]
    }
    if (this.leaderId === null || !this.#waiting.joining.has(this.leaderId))
      this.#roster.leaderId = this.#waiting.joining.values().next().value ?? null
    this.protocolName = this.#roster.selectProtocol()
    this.state = 'CompletingRebalance'
    this.#syncDeadlineMs = now + longestMs
    this.#waiting.due(this.#syncDeadlineMs)
    const effects: Effect[] = []
    for (const member of this.members.values()) {
      const { memberId } = member
      this.#waiting.owingSync.add(memberId)
      member.isNew = false
      const isWaiting = this.#waiting.joining.delete(memberId)
      this.#waiting.heardOf(member, now)
      if (isWaiting) effects.push({ type: 'joined', memberId, answer: this.#joinAnswer(member) })
    }
    return effects
  }

  #joinAnswer(member: Member): JoinAnswer {
    const { generation, protocolType, protocolName, leaderId } = this
    const members = member.memberId === leaderId ? this.#roster.rows(this.protocolName) : []
    return {
      ...{ error: Errors.NONE, generation, protocolType, protocolName, leader: leaderId ?? '' },
      ...{ memberId: member.memberId, skipAssignment: false, members },
    }
  }

  /** `assignments` is empty but for the leader. The caller's identity was checked. */
  sync(memberId: string, assignments: ReadonlyMap<string, Buffer>, now: number): Outcome {
    const member = this.members.get(memberId)
    if (this.state === 'Dead') return refused(Errors.COORDINATOR_NOT_AVAILABLE)
    if (member === undefined || this.state === 'Empty') return refused(Errors.UNKNOWN_MEMBER_ID)
    if (this.state === 'PreparingRebalance') return refused(Errors.REBALANCE_IN_PROGRESS)
    this.#waiting.owingSync.delete(memberId)
    if (this.#waiting.owingSync.size === 0) this.#syncDeadlineMs = Infinity
    if (this.state === 'Stable') {
      this.#waiting.heardOf(member, now)
      return { error: Errors.NONE, effects: [this.#synced(member)] }
    }
    this.#waiting.syncing.add(memberId)
    member.deadlineMs = Infinity
    if (memberId !== this.leaderId) return { error: Errors.NONE, effects: [] }
    for (const one of this.members.values())
      one.assignment = assignments.get(one.memberId) ?? noBytes
    const write = { reason: 'assignment', generation: this.generation } as const
    return { error: Errors.NONE, effects: [{ type: 'persist', write }] }
  }

  #synced({ memberId, assignment }: Member): Effect {
    const { protocolType, protocolName } = this
    const answer = { error: Errors.NONE, protocolType, protocolName, assignment }
    return { type: 'synced', memberId, answer }
  }

  /** The write asked for by `persist` has ended. */
  persisted(write: GroupWrite, error: number, now: number): Effect[] {
    if (write.reason === 'empty') return []
    if (write.reason === 'static') return this.#staticWritten(write, error, now)
    if (this.state !== 'CompletingRebalance' || write.generation !== this.generation) return []
    if (error !== Errors.NONE) return [...this.#failSyncs(error, now), ...this.#rebalance(now)]
    this.state = 'Stable'
    const waited = this.#waiting.endSyncs(this.members.values(), now)
    return waited.map((member) => this.#synced(member))
  }

  /** The caller's identity was checked. */
  heartbeat(memberId: string, now: number): number {
    const member = this.members.get(memberId)
    if (this.state === 'Dead') return Errors.COORDINATOR_NOT_AVAILABLE
    if (member === undefined || this.state === 'Empty') return Errors.UNKNOWN_MEMBER_ID
    this.#waiting.heardOf(member, now)
    return this.state === 'PreparingRebalance' ? Errors.REBALANCE_IN_PROGRESS : Errors.NONE
  }

  /** A static member may be named by its instance id alone. */
  leave(memberId: string, instanceId: string | null, now: number): Outcome {
    if (this.state === 'Dead') return refused(Errors.COORDINATOR_NOT_AVAILABLE)
    if (this.#waiting.pending.delete(memberId)) {
      const effects = this.state === 'PreparingRebalance' ? this.#completeJoinIfAll(now) : []
      return { error: Errors.NONE, effects }
    }
    const isAdministrative = memberId === '' && instanceId !== null
    const named = isAdministrative ? this.#roster.idOfInstance(instanceId) : memberId
    const problem = this.memberProblem(named ?? '', instanceId)
    const member = this.members.get(named ?? '')
    if (problem !== Errors.NONE || member === undefined) return refused(problem)
    return { error: Errors.NONE, effects: this.#removeMember(member, now) }
  }

  /** Who waits for this member's answer is told that it is unknown; the others rebalance. */
  #removeMember(member: Member, now: number): Effect[] {
    const effects = this.#waiting.fail(member, Errors.UNKNOWN_MEMBER_ID)
    this.#drop(member)
    return [...effects, ...this.#rebalance(now)]
  }

  #drop(member: Member): void {
    this.#waiting.owingSync.delete(member.memberId)
    this.#roster.remove(member)
  }

  /** Assignments of a rebalance that does not come to its end are void. */
  #failSyncs(error: number, now: number): Effect[] {
    for (const member of this.members.values()) member.assignment = noBytes
    this.#waiting.owingSync.clear()
    const waited = this.#waiting.endSyncs(this.members.values(), now)
    return waited.map(({ memberId }) => syncFailure(memberId, error))
  }

  /** What became due: sessions that ended, a join or sync phase that is over. */
  expire(now: number): Effect[] {
    const effects: Effect[] = []
    this.#waiting.breakPromises(now)
    const isSyncOver = this.#syncDeadlineMs <= now
    let hasGone = false
    for (const member of [...this.members.values()]) {
      if (member.deadlineMs > now && !(isSyncOver && this.#waiting.owingSync.has(member.memberId)))
        continue
      effects.push(...this.#waiting.fail(member, Errors.UNKNOWN_MEMBER_ID))
      this.#drop(member)
      hasGone = true
    }
    if (isSyncOver) this.#syncDeadlineMs = Infinity
    if (hasGone) effects.push(...this.#rebalance(now))
    if (this.state === 'PreparingRebalance') effects.push(...this.#endJoinPhaseIfDue(now))
    this.#findNextDeadline()
    return effects
  }

  #findNextDeadline(): void {
    const ofPhaseMs = Math.min(this.#joinPhase.deadlineMs, this.#syncDeadlineMs)
    this.#waiting.findNextDeadline(this.members.values(), ofPhaseMs)
  }

  /** This broker does not coordinate the group any more: whoever waits is told so. */
  unload(): Effect[] {
    this.state = 'Dead'
    this.#waiting.pending.clear()
    this.#waiting.nextDeadlineMs = Infinity
    const members = [...this.members.values()]
    return members.flatMap((member) => this.#waiting.fail(member, Errors.NOT_COORDINATOR))
  }

  /** A group as it was read from the log: its members must be heard of within their session time. */
  restore(stored: RestoredGroup, now: number): void {
    this.generation = stored.generation
    this.protocolType = stored.protocolType === '' ? null : stored.protocolType
    this.protocolName = stored.protocolName
    for (const member of stored.members)
      this.#roster.put({ ...member, isNew: false, deadlineMs: now + member.sessionTimeoutMs })
    this.#roster.leaderId = stored.leaderId
    this.state = this.members.size === 0 ? 'Empty' : 'Stable'
    this.#findNextDeadline()
  }
}
