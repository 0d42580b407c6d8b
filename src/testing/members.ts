// Pure.
/**
 * The group members that live on one connection, as its requests and answers tell: who must be heard of
 * when time jumps, since these clients have not slept.
 */
import { decodeResponse } from '../kafka/header.ts'
import { Heartbeat } from '../kafka/messages/heartbeat.ts'
import { JoinGroup } from '../kafka/messages/join-group.ts'
import { LeaveGroup } from '../kafka/messages/leave-group.ts'
import { SyncGroup } from '../kafka/messages/sync-group.ts'
import { requestBody, type RequestHeader } from './frames.ts'

export interface Membership {
  readonly groupId: string
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

const keys = new Set([JoinGroup, Heartbeat, LeaveGroup, SyncGroup].map(({ key }) => key))

export class Members {
  readonly #members = new Map<string, Membership>()

  get all(): Iterable<Membership> {
    return this.#members.values()
  }

  /** Whether a request of this kind tells anything. */
  cares(header: RequestHeader): boolean {
    return keys.has(header.apiKey)
  }

  hearRequest(frame: Buffer, header: RequestHeader): void {
    switch (header.apiKey) {
      case Heartbeat.key: {
        const body = requestBody(Heartbeat, frame, header)
        if (body !== undefined) this.#remember(body)
        return
      }
      case SyncGroup.key: {
        const body = requestBody(SyncGroup, frame, header)
        if (body !== undefined) this.#remember(body)
        return
      }
      case JoinGroup.key: {
        // Who joins as somebody else has given up the member it was. A waiting join needs no heartbeat.
        const body = requestBody(JoinGroup, frame, header)
        for (const [key, { groupId }] of this.#members)
          if (groupId === body?.groupId) this.#members.delete(key)
        return
      }
      case LeaveGroup.key: {
        const body = requestBody(LeaveGroup, frame, header)
        if (body === undefined) return
        for (const { memberId } of [body, ...body.members])
          this.#members.delete(keyOf(body.groupId, memberId))
      }
    }
  }

  /** A join that succeeded makes a member, and its generation. */
  hearAnswer(answer: Buffer, request: Buffer, header: RequestHeader): void {
    if (header.apiKey !== JoinGroup.key) return
    const joined = decodeResponse(JoinGroup, header.apiVersion, answer).body
    const asked = requestBody(JoinGroup, request, header)
    if (joined.errorCode !== 0 || asked === undefined) return
    const { groupId, groupInstanceId } = asked
    const { memberId, generationId } = joined
    this.#remember({ groupId, generationId, memberId, groupInstanceId })
  }

  #remember({ groupId, generationId, memberId, groupInstanceId }: Membership): void {
    const key = keyOf(groupId, memberId)
    this.#members.set(key, { groupId, generationId, memberId, groupInstanceId })
  }
}

function keyOf(groupId: string, memberId: string): string {
  return `${groupId}\0${memberId}`
}
