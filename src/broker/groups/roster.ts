// Pure.
/** The members of a group, found by member id and by instance id, their leader and what they speak. */
import { Errors } from '../../kafka/errors.ts'
import type { JoinAnswer } from './answers.ts'
import { selectProtocol, SpokenProtocols, type JoinRequest, type Member } from './member.ts'

const noBytes = Buffer.alloc(0)

export class Roster {
  leaderId: string | null = null
  /** In the order of their coming. */
  readonly members = new Map<string, Member>()
  readonly #instances = new Map<string, string>()
  readonly #spoken = new SpokenProtocols()

  get size(): number {
    return this.members.size
  }

  get(memberId: string): Member | undefined {
    return this.members.get(memberId)
  }

  idOfInstance(instanceId: string): string | undefined {
    return this.#instances.get(instanceId)
  }

  /** Whether the caller is who it says it is: NONE, or the error for it. */
  problemOf(memberId: string, instanceId: string | null): number {
    if (instanceId !== null) {
      const known = this.#instances.get(instanceId)
      if (known === undefined) return Errors.UNKNOWN_MEMBER_ID
      if (known !== memberId) return Errors.FENCED_INSTANCE_ID
    }
    return this.members.has(memberId) ? Errors.NONE : Errors.UNKNOWN_MEMBER_ID
  }

  /** Puts a member in, or back in its place with what it says anew. The first one leads. */
  put(member: Member): void {
    const { memberId, protocols, instanceId } = member
    const before = this.members.get(memberId)
    if (before !== undefined) this.#spoken.remove(before.protocols)
    this.members.set(memberId, member)
    this.#spoken.add(protocols)
    if (instanceId !== null) this.#instances.set(instanceId, memberId)
    this.leaderId ??= memberId
  }

  /** One that stands in for another, which goes: the same instance, another member id (KIP-345). */
  replace(old: Member, by: Member): void {
    const wasLeader = this.leaderId === old.memberId
    this.remove(old)
    this.put(by)
    if (wasLeader) this.leaderId = by.memberId
  }

  /** A leader that goes is followed by the oldest member. */
  remove({ memberId, protocols, instanceId }: Member): void {
    if (!this.members.delete(memberId)) return
    this.#spoken.remove(protocols)
    if (instanceId !== null && this.#instances.get(instanceId) === memberId)
      this.#instances.delete(instanceId)
    if (this.leaderId === memberId) this.leaderId = this.members.keys().next().value ?? null
  }

  /** Whether a candidate can live with the members that are there. */
  agrees({ protocolType, protocols }: JoinRequest, typeOfGroup: string | null): boolean {
    if (protocolType === '' || protocols.length === 0) return false
    if (this.size === 0) return true
    return protocolType === typeOfGroup && protocols.some((one) => this.#isCommon(one.name))
  }

  selectProtocol(): string | null {
    return selectProtocol(this.members.values(), (name) => this.#isCommon(name))
  }

  #isCommon(name: string): boolean {
    return this.#spoken.isCommon(name, this.size)
  }

  longestRebalanceMs(): number {
    let longestMs = 0
    for (const { rebalanceTimeoutMs } of this.members.values())
      longestMs = Math.max(longestMs, rebalanceTimeoutMs)
    return longestMs
  }

  /** What the leader is told of all members. */
  rows(protocolName: string | null): JoinAnswer['members'] {
    return [...this.members.values()].map(({ memberId, instanceId, protocols }) => ({
      memberId,
      groupInstanceId: instanceId,
      metadata: protocols.find((one) => one.name === protocolName)?.metadata ?? noBytes,
    }))
  }
}
