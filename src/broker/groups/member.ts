// Pure.
/** Members of a group, what they ask for, and how they find a protocol that all of them speak. */

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
  assignment: Buffer
  /** Has not been part of a generation yet, so that it cannot send heartbeats. */
  isNew: boolean
  /** When its session ends, unless it is heard of before; Infinity while it waits for an answer. */
  deadlineMs: number
}

export interface GroupLimits {
  readonly initialRebalanceDelayMs: number
  readonly sizeMax: number
}

export interface JoinRequest extends MemberDetails {
  /** Empty: the member has none yet. */
  readonly memberId: string
  readonly protocolType: string
  /** The client can be told its member id first (JoinGroup 4 and above). */
  readonly requiresKnownMemberId: boolean
  /** The id a member without one is to get. */
  readonly newMemberId: string
  /** The client knows that it may have to skip the assignment (JoinGroup 9 and above). */
  readonly supportsSkipAssignment: boolean
}

/** A group as it was found in the log. */
export interface RestoredGroup {
  readonly generation: number
  readonly protocolType: string
  readonly protocolName: string | null
  readonly leaderId: string | null
  readonly members: readonly Omit<Member, 'deadlineMs' | 'isNew'>[]
}

/** A member that waits for its first answer. */
export function memberOf(request: JoinRequest, memberId: string): Member {
  const { instanceId, clientId, clientHost, protocols } = request
  const { sessionTimeoutMs, rebalanceTimeoutMs } = request
  return {
    ...{ memberId, instanceId, clientId, clientHost, protocols },
    ...{ sessionTimeoutMs, rebalanceTimeoutMs },
    ...{ assignment: Buffer.alloc(0), isNew: false, deadlineMs: Infinity },
  }
}

/** How many members speak each protocol: what a newcomer must share with all of them. */
export class SpokenProtocols {
  readonly #counts = new Map<string, number>()

  add(protocols: readonly Protocol[]): void {
    for (const name of namesOf(protocols)) this.#counts.set(name, this.#count(name) + 1)
  }

  remove(protocols: readonly Protocol[]): void {
    for (const name of namesOf(protocols)) {
      const left = this.#count(name) - 1
      if (left > 0) this.#counts.set(name, left)
      else this.#counts.delete(name)
    }
  }

  /** Whether each of `memberCount` members speaks it. */
  isCommon(name: string, memberCount: number): boolean {
    return this.#count(name) === memberCount
  }

  #count(name: string): number {
    return this.#counts.get(name) ?? 0
  }
}

function namesOf(protocols: readonly Protocol[]): Set<string> {
  return new Set(protocols.map((protocol) => protocol.name))
}

/** Each member votes for the common protocol it likes best; most votes win, the first in a draw. */
export function selectProtocol(
  members: Iterable<Pick<Member, 'protocols'>>,
  isCommon: (name: string) => boolean,
): string | null {
  const votes = new Map<string, number>()
  for (const { protocols } of members) {
    const choice = protocols.find((protocol) => isCommon(protocol.name))?.name
    if (choice !== undefined) votes.set(choice, (votes.get(choice) ?? 0) + 1)
  }
  let best: string | null = null
  for (const [name, count] of votes)
    if (best === null || count > (votes.get(best) ?? 0)) best = name
  return best
}

export function sameProtocols(one: readonly Protocol[], other: readonly Protocol[]): boolean {
  return (
    one.length === other.length &&
    one.every(
      ({ name, metadata }, at) => other[at]?.name === name && metadata.equals(other[at].metadata),
    )
  )
}
