// Pure.
/**
 * One consumer group of the classic protocol (kafka.md F22 to F30): members, generations, rebalances.
 * Each event returns what is to be done about it; nothing here knows connections, timers or logs.
 */
import { Errors } from '../../kafka/errors.ts'
import { refusedJoin, refusedSync, type JoinAnswer, type SyncAnswer } from './answers.ts'
import { agree, selectProtocol, type Member, type MemberDetails, type Protocol } from './member.ts'

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

export type Effect =
  | { readonly type: 'joined'; readonly memberId: string; readonly answer: JoinAnswer }
  | { readonly type: 'synced'; readonly memberId: string; readonly answer: SyncAnswer }
  /** The group is to be written to the log; `persisted` tells how that went. */
  | { readonly type: 'persist'; readonly generation: number }

const noBytes = Buffer.alloc(0)

export class Group {
  readonly id: string
  readonly #limits: GroupLimits
  state: GroupState = 'Empty'
  generation = 0
  protocolType: string | null = null
  protocolName: string | null = null
  leaderId: string | null = null
  stateSinceMs: number
  readonly members = new Map<string, Member>()
  readonly #instances = new Map<string, string>()
  /** Ids given out to members that have not joined with them yet, and until when they may. */
  readonly #promised = new Map<string, number>()
  /** While preparing: when the join phase ends at the latest. */
  #joinDeadlineMs = Infinity
  /** While preparing the first generation: members may still come until then. */
  #initialDelayUntilMs = -1
  #initialGiveUpMs = -1
  /** While completing: when members that have not synced are removed. */
  #syncDeadlineMs = Infinity

  constructor(id: string, limits: GroupLimits, now: number) {
    this.id = id
    this.#limits = limits
    this.stateSinceMs = now
  }

  isKnown(memberId: string): boolean {
    return this.members.has(memberId)
  }

  memberOfInstance(instanceId: string): string | undefined {
    return this.#instances.get(instanceId)
  }

  join(request: JoinRequest, now: number): { error: number; memberId: string } | Effect[] {
    const { memberId, instanceId } = request
    const refused = (error: number, id = memberId) => ({ error, memberId: id })
    if (this.state === 'Dead') return refused(Errors.COORDINATOR_NOT_AVAILABLE)
    if (!agree(this.members.values(), this.protocolType, request))
      return refused(Errors.INCONSISTENT_GROUP_PROTOCOL)
    if (memberId === '') return this.#joinUnknown(request, now)
    const known = instanceId === null ? undefined : this.#instances.get(instanceId)
    if (known !== undefined && known !== memberId) return refused(Errors.FENCED_INSTANCE_ID)
    if (this.#promised.delete(memberId)) {
      if (this.#isFull()) return refused(Errors.GROUP_MAX_SIZE_REACHED)
      return this.#addMember(memberId, request, now)
    }
    const member = this.members.get(memberId)
    if (member === undefined || (instanceId !== null && known === undefined))
      return refused(Errors.UNKNOWN_MEMBER_ID)
    return this.#rejoin(member, request, now)
  }

  #joinUnknown(request: JoinRequest, now: number) {
    const { instanceId, newMemberId } = request
    const known = instanceId === null ? undefined : this.#instances.get(instanceId)
    if (instanceId !== null && known !== undefined)
      return this.#replaceStatic(known, instanceId, request, now)
    if (this.#isFull()) return { error: Errors.GROUP_MAX_SIZE_REACHED, memberId: '' }
    if (instanceId === null && request.requiresKnownMemberId) {
      this.#promised.set(newMemberId, now + request.sessionTimeoutMs)
      return { error: Errors.MEMBER_ID_REQUIRED, memberId: newMemberId }
    }
    return this.#addMember(newMemberId, request, now)
  }

  #isFull(): boolean {
    return this.members.size + this.#promised.size >= this.#limits.sizeMax
  }

  #addMember(memberId: string, request: JoinRequest, now: number): Effect[] {
    this.#insert(memberId, request, now)
    if (this.protocolType === null) this.protocolType = request.protocolType
    if (this.state === 'PreparingRebalance' && this.#initialDelayUntilMs >= 0) {
      const extended = now + this.#limits.initialRebalanceDelayMs
      this.#initialDelayUntilMs = Math.min(extended, this.#initialGiveUpMs)
    }
    return this.#prepareRebalance(now)
  }

  #insert(memberId: string, request: JoinRequest, now: number): void {
    const { protocols, sessionTimeoutMs, rebalanceTimeoutMs, clientId, clientHost } = request
    const { instanceId } = request
    this.members.set(memberId, {
      ...{ memberId, instanceId, clientId, clientHost, protocols },
      ...{ sessionTimeoutMs, rebalanceTimeoutMs },
      supportsSkipAssignment: request.supportsSkipAssignment,
      assignment: noBytes,
      isJoining: true,
      isSyncing: false,
      deadlineMs: now + sessionTimeoutMs,
    })
    if (instanceId !== null) this.#instances.set(instanceId, memberId)
    this.leaderId ??= memberId
  }

  /** A static member came back without its id: it takes the old one's place (KIP-345). */
  #replaceStatic(oldId: string, instanceId: string, request: JoinRequest, now: number): Effect[] {
    const old = this.members.get(oldId)
    const effects: Effect[] = []
    if (old?.isJoining === true) effects.push(joinFailure(oldId, Errors.FENCED_INSTANCE_ID))
    if (old?.isSyncing === true) effects.push(syncFailure(oldId, Errors.FENCED_INSTANCE_ID))
    const wasLeader = this.leaderId === oldId
    this.members.delete(oldId)
    const { newMemberId } = request
    this.#insert(newMemberId, request, now)
    this.#instances.set(instanceId, newMemberId)
    if (wasLeader) this.leaderId = newMemberId
    const member = this.members.get(newMemberId)
    const keepsProtocol = selectProtocol([...this.members.values()]) === this.protocolName
    if (this.state !== 'Stable' || !keepsProtocol || member === undefined || old === undefined)
      return [...effects, ...this.#prepareRebalance(now)]
    member.assignment = old.assignment
    member.isJoining = false
    const skips = wasLeader && request.supportsSkipAssignment
    const answer = {
      ...this.#joinAnswer(member),
      // An old client that finds itself leading would assign anew: it is told the old leader's id.
      leader: wasLeader && !skips ? oldId : (this.leaderId ?? ''),
      skipAssignment: skips,
      members: skips ? this.#memberRows() : [],
    }
    return [
      ...effects,
      { type: 'persist', generation: this.generation },
      { type: 'joined', memberId: newMemberId, answer },
    ]
  }

  #rejoin(member: Member, request: JoinRequest, now: number): Effect[] {
    const isSame = sameProtocols(member.protocols, request.protocols)
    member.deadlineMs = now + request.sessionTimeoutMs
    const isAnswered =
      (this.state === 'CompletingRebalance' && isSame) ||
      (this.state === 'Stable' && isSame && member.memberId !== this.leaderId)
    Object.assign(member, {
      protocols: request.protocols,
      sessionTimeoutMs: request.sessionTimeoutMs,
      rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    })
    if (isAnswered)
      return [{ type: 'joined', memberId: member.memberId, answer: this.#joinAnswer(member) }]
    member.isJoining = true
    return this.#prepareRebalance(now)
  }

  #prepareRebalance(now: number): Effect[] {
    const effects: Effect[] = []
    if (this.state === 'PreparingRebalance') return this.#completeJoinIfAll(now)
    if (this.state === 'CompletingRebalance')
      for (const member of this.members.values())
        if (member.isSyncing) {
          member.isSyncing = false
          effects.push(syncFailure(member.memberId, Errors.REBALANCE_IN_PROGRESS))
        }
    const isInitial = this.state === 'Empty' && this.#limits.initialRebalanceDelayMs > 0
    const longestMs = Math.max(
      0,
      ...[...this.members.values()].map((one) => one.rebalanceTimeoutMs),
    )
    this.#become('PreparingRebalance', now)
    this.#joinDeadlineMs = now + longestMs
    this.#initialGiveUpMs = now + longestMs
    this.#initialDelayUntilMs = isInitial
      ? Math.min(now + this.#limits.initialRebalanceDelayMs, this.#initialGiveUpMs)
      : -1
    return [...effects, ...this.#completeJoinIfAll(now)]
  }

  #completeJoinIfAll(now: number): Effect[] {
    if (this.#initialDelayUntilMs > now || this.#promised.size > 0) return []
    for (const member of this.members.values()) if (!member.isJoining) return []
    return this.#completeJoin(now)
  }

  #completeJoin(now: number): Effect[] {
    for (const member of [...this.members.values()])
      if (!member.isJoining && member.instanceId === null) this.#remove(member)
    this.#initialDelayUntilMs = -1
    const joined = [...this.members.values()].filter((member) => member.isJoining)
    if (this.members.size > 0 && joined.length === 0) {
      // Only static members, none of them back yet: they get another round.
      this.#joinDeadlineMs =
        now + Math.max(...[...this.members.values()].map((one) => one.rebalanceTimeoutMs))
      return []
    }
    this.generation += 1
    if (this.members.size === 0) {
      this.protocolName = null
      this.#become('Empty', now)
      return [{ type: 'persist', generation: this.generation }]
    }
    if (this.leaderId === null || this.members.get(this.leaderId)?.isJoining !== true)
      this.leaderId = joined[0]?.memberId ?? null
    this.protocolName = selectProtocol([...this.members.values()])
    this.#become('CompletingRebalance', now)
    this.#syncDeadlineMs = now + Math.max(...joined.map((member) => member.rebalanceTimeoutMs))
    return joined.map((member): Effect => {
      member.isJoining = false
      member.deadlineMs = now + member.sessionTimeoutMs
      return { type: 'joined', memberId: member.memberId, answer: this.#joinAnswer(member) }
    })
  }

  #joinAnswer(member: Member): JoinAnswer {
    const isLeader = member.memberId === this.leaderId
    return {
      error: Errors.NONE,
      generation: this.generation,
      protocolType: this.protocolType,
      protocolName: this.protocolName,
      leader: this.leaderId ?? '',
      memberId: member.memberId,
      skipAssignment: false,
      members: isLeader ? this.#memberRows() : [],
    }
  }

  #memberRows(): JoinAnswer['members'] {
    return [...this.members.values()].map(({ memberId, instanceId, protocols }) => ({
      memberId,
      groupInstanceId: instanceId,
      metadata: protocols.find((one) => one.name === this.protocolName)?.metadata ?? noBytes,
    }))
  }

  #syncSuccess(member: Member): SyncAnswer {
    const { protocolType, protocolName } = this
    return { error: Errors.NONE, protocolType, protocolName, assignment: member.assignment }
  }

  /** `assignments` is empty but for the leader. */
  sync(
    memberId: string,
    assignments: ReadonlyMap<string, Buffer>,
    now: number,
  ): { error: number } | Effect[] {
    const member = this.members.get(memberId)
    if (member === undefined || this.state === 'Empty') return { error: Errors.UNKNOWN_MEMBER_ID }
    if (this.state === 'Dead') return { error: Errors.COORDINATOR_NOT_AVAILABLE }
    if (this.state === 'PreparingRebalance') return { error: Errors.REBALANCE_IN_PROGRESS }
    member.deadlineMs = now + member.sessionTimeoutMs
    if (this.state === 'Stable')
      return [{ type: 'synced', memberId, answer: this.#syncSuccess(member) }]
    member.isSyncing = true
    if (memberId !== this.leaderId) return []
    for (const one of this.members.values())
      one.assignment = assignments.get(one.memberId) ?? noBytes
    return [{ type: 'persist', generation: this.generation }]
  }

  /** The write asked for by `persist` has ended. */
  persisted(generation: number, error: number, now: number): Effect[] {
    if (this.state !== 'CompletingRebalance' || generation !== this.generation) return []
    const effects: Effect[] = []
    for (const member of this.members.values()) {
      if (!member.isSyncing) continue
      member.isSyncing = false
      const answer = error === Errors.NONE ? this.#syncSuccess(member) : undefined
      effects.push(
        answer === undefined
          ? syncFailure(member.memberId, error)
          : { type: 'synced', memberId: member.memberId, answer },
      )
    }
    if (error === Errors.NONE) {
      this.#become('Stable', now)
      return effects
    }
    for (const member of this.members.values()) member.assignment = noBytes
    return [...effects, ...this.#prepareRebalance(now)]
  }

  heartbeat(memberId: string, now: number): number {
    const member = this.members.get(memberId)
    if (this.state === 'Dead') return Errors.COORDINATOR_NOT_AVAILABLE
    if (member === undefined || this.state === 'Empty') return Errors.UNKNOWN_MEMBER_ID
    member.deadlineMs = now + member.sessionTimeoutMs
    return this.state === 'PreparingRebalance' ? Errors.REBALANCE_IN_PROGRESS : Errors.NONE
  }

  leave(memberId: string, now: number): { error: number; effects: Effect[] } {
    if (this.#promised.delete(memberId))
      return { error: Errors.NONE, effects: this.#afterRemoval(now) }
    const member = this.members.get(memberId)
    if (member === undefined) return { error: Errors.UNKNOWN_MEMBER_ID, effects: [] }
    this.#remove(member)
    return { error: Errors.NONE, effects: this.#afterRemoval(now) }
  }

  #remove(member: Member): void {
    this.members.delete(member.memberId)
    if (member.instanceId !== null && this.#instances.get(member.instanceId) === member.memberId)
      this.#instances.delete(member.instanceId)
    if (this.leaderId === member.memberId) this.leaderId = this.members.keys().next().value ?? null
  }

  #afterRemoval(now: number): Effect[] {
    if (this.state === 'Stable' || this.state === 'CompletingRebalance')
      return this.#prepareRebalance(now)
    return this.state === 'PreparingRebalance' ? this.#completeJoinIfAll(now) : []
  }

  /** What became due: sessions that ended, a join or sync phase that is over. */
  expire(now: number): Effect[] {
    let hasGone = false
    for (const [memberId, deadlineMs] of this.#promised)
      if (deadlineMs <= now) hasGone = this.#promised.delete(memberId) || hasGone
    const lateToSync = this.state === 'CompletingRebalance' && this.#syncDeadlineMs <= now
    for (const member of [...this.members.values()]) {
      const isWaiting = member.isJoining || member.isSyncing
      if (isWaiting || (member.deadlineMs > now && !lateToSync)) continue
      this.#remove(member)
      hasGone = true
    }
    if (this.state === 'PreparingRebalance') {
      const isOver = this.#initialDelayUntilMs < 0 && this.#joinDeadlineMs <= now
      if (isOver) return this.#completeJoin(now)
      return this.#completeJoinIfAll(now)
    }
    return hasGone ? this.#afterRemoval(now) : []
  }

  /** When `expire` must be called next; Infinity: never. */
  nextDeadlineMs(): number {
    let next = Infinity
    for (const member of this.members.values())
      if (!member.isJoining && !member.isSyncing) next = Math.min(next, member.deadlineMs)
    for (const deadlineMs of this.#promised.values()) next = Math.min(next, deadlineMs)
    if (this.state === 'CompletingRebalance') next = Math.min(next, this.#syncDeadlineMs)
    if (this.state !== 'PreparingRebalance') return next
    const phase = this.#initialDelayUntilMs >= 0 ? this.#initialDelayUntilMs : this.#joinDeadlineMs
    return Math.min(next, phase)
  }

  #become(state: GroupState, now: number): void {
    this.state = state
    this.stateSinceMs = now
  }

  /** A group as it was read from the log: its members must be heard of within their session time. */
  restore(
    stored: {
      generation: number
      protocolType: string
      protocolName: string | null
      leaderId: string | null
      members: readonly Omit<Member, 'deadlineMs' | 'isJoining' | 'isSyncing'>[]
    },
    now: number,
  ): void {
    this.generation = stored.generation
    this.protocolType = stored.protocolType === '' ? null : stored.protocolType
    this.protocolName = stored.protocolName
    this.leaderId = stored.leaderId
    for (const member of stored.members) {
      const deadlineMs = now + member.sessionTimeoutMs
      this.members.set(member.memberId, {
        ...member,
        deadlineMs,
        isJoining: false,
        isSyncing: false,
      })
      if (member.instanceId !== null) this.#instances.set(member.instanceId, member.memberId)
    }
    this.#become(this.members.size === 0 ? 'Empty' : 'Stable', now)
  }
}

function joinFailure(memberId: string, error: number): Effect {
  return { type: 'joined', memberId, answer: refusedJoin(error, memberId) }
}

function syncFailure(memberId: string, error: number): Effect {
  return { type: 'synced', memberId, answer: refusedSync(error) }
}

function sameProtocols(one: readonly Protocol[], other: readonly Protocol[]): boolean {
  return (
    one.length === other.length &&
    one.every(
      ({ name, metadata }, at) => other[at]?.name === name && metadata.equals(other[at].metadata),
    )
  )
}
