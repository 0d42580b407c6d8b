// Pure.
/** Members of a group, and how they find a protocol that all of them speak. */

export interface Protocol {
  readonly name: string
  readonly metadata: Buffer
}

/** What a member says of itself when it joins. */
export interface MemberDetails {
  /** group.instance.id of a static member */
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  /** In the order of the member's preference. */
  readonly protocols: readonly Protocol[]
}

export interface Member extends MemberDetails {
  readonly memberId: string
  readonly supportsSkipAssignment: boolean
  assignment: Buffer
  /** Its JoinGroup request waits for an answer. */
  isJoining: boolean
  /** Its SyncGroup request waits for an answer. */
  isSyncing: boolean
  /** When its session ends, unless it is heard of before. */
  deadlineMs: number
}

export interface GroupLimits {
  readonly initialRebalanceDelayMs: number
  readonly sizeMax: number
}

export interface JoinRequest extends MemberDetails {
  readonly memberId: string
  readonly protocolType: string
  /** The client can be told its member id first (JoinGroup 4 and above). */
  readonly requiresKnownMemberId: boolean
  /** The id a member without one is to get. */
  readonly newMemberId: string
  /** The client knows that it may have to skip the assignment (JoinGroup 9 and above). */
  readonly supportsSkipAssignment: boolean
}

/** The protocols that every member names, in the order of the first one's preference. */
function common(members: readonly Pick<Member, 'protocols'>[]): string[] {
  const [first, ...others] = members
  const names = first?.protocols.map((protocol) => protocol.name) ?? []
  return names.filter((name) =>
    others.every((member) => member.protocols.some((protocol) => protocol.name === name)),
  )
}

/** Whether a candidate can live with the members that are there. */
export function agree(
  members: Iterable<Member>,
  protocolType: string | null,
  candidate: {
    readonly protocolType: string
    readonly protocols: readonly Protocol[]
    readonly memberId: string
  },
): boolean {
  if (candidate.protocolType === '' || candidate.protocols.length === 0) return false
  const others = [...members].filter((member) => member.memberId !== candidate.memberId)
  if (others.length === 0) return true
  if (protocolType !== null && protocolType !== candidate.protocolType) return false
  return common([candidate, ...others]).length > 0
}

/** Each member votes for the common protocol it likes best; most votes win. */
export function selectProtocol(members: readonly Member[]): string | null {
  const candidates = common(members)
  const votes = new Map<string, number>(candidates.map((name) => [name, 0]))
  for (const { protocols } of members) {
    const choice = protocols.find((protocol) => votes.has(protocol.name))?.name
    if (choice !== undefined) votes.set(choice, (votes.get(choice) ?? 0) + 1)
  }
  let best: string | null = null
  for (const [name, count] of votes)
    if (best === null || count > (votes.get(best) ?? 0)) best = name
  return best
}
