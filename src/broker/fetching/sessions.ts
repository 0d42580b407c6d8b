// Pure.
/** All fetch sessions of a broker: who has one, whose is given up for another, and what a request names. */
import { Errors } from '../../kafka/errors.ts'
import {
  type Asked,
  FetchSession,
  type FetchRequest,
  finalEpoch,
  firstEpoch,
  nextEpoch,
} from './session.ts'

export interface FetchSessionLimits {
  /** max.incremental.fetch.session.cache.slots */
  readonly slots: number
  /** A number between 1 and 2147483647. */
  readonly randomId: () => number
}

/** Sessions that nobody used, or that are older than this, may be given up (not a setting of Kafka's). */
const evictionMs = 120_000
/** Of all sessions together. A client beyond it is served without a session. */
const partitionsMax = 500_000

/** What a request came to: with a session, towards one, without, or refused. */
export type FetchScope =
  | { readonly kind: 'refused'; readonly errorCode: number }
  | { readonly kind: 'sessionless' }
  | { readonly kind: 'first' }
  | {
      readonly kind: 'incremental'
      readonly session: FetchSession
      /** The session's until another request takes it up. */
      readonly epoch: number
    }

export interface OpenOptions {
  readonly usesTopicIds: boolean
  readonly nowMs: number
}

export interface Requester {
  readonly isFollower: boolean
  readonly usesTopicIds: boolean
}

export class FetchSessions {
  readonly #limits: FetchSessionLimits
  /** The one that was used longest ago first. */
  readonly #sessions = new Map<number, FetchSession>()
  #partitionCount = 0

  constructor(limits: FetchSessionLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#sessions.size
  }

  get partitionCount(): number {
    return this.#partitionCount
  }

  /** Which scope the request has (kafka.md F11). An incremental one is carried over into its session. */
  open(
    request: Pick<FetchRequest, 'sessionId' | 'sessionEpoch' | 'forgottenTopicsData'>,
    asked: readonly Asked[],
    { usesTopicIds, nowMs }: OpenOptions,
  ): FetchScope {
    const { sessionId, sessionEpoch } = request
    const session = this.#sessions.get(sessionId)
    if (sessionEpoch === firstEpoch || sessionEpoch === finalEpoch) {
      if (session !== undefined) this.#remove(session)
      return { kind: sessionEpoch === firstEpoch ? 'first' : 'sessionless' }
    }
    const refused = (errorCode: number) => ({ kind: 'refused', errorCode }) as const
    if (session === undefined) return refused(Errors.FETCH_SESSION_ID_NOT_FOUND)
    if (session.epoch !== sessionEpoch) return refused(Errors.INVALID_FETCH_SESSION_EPOCH)
    if (session.usesTopicIds !== usesTopicIds) return refused(Errors.FETCH_SESSION_TOPIC_ID_ERROR)
    const before = session.size
    session.want(asked)
    session.forget(request.forgottenTopicsData)
    this.#partitionCount += session.size - before
    if (session.size === 0 || this.#partitionCount > partitionsMax) {
      this.#remove(session)
      if (session.size === 0) return { kind: 'sessionless' }
      return refused(Errors.FETCH_SESSION_ID_NOT_FOUND)
    }
    session.epoch = nextEpoch(session.epoch)
    session.lastUsedMs = nowMs
    this.#sessions.delete(sessionId)
    this.#sessions.set(sessionId, session)
    return { kind: 'incremental', session, epoch: session.epoch }
  }

  /** A session of these partitions, where there is room or somebody who matters less. */
  begin(asked: readonly Asked[], requester: Requester, nowMs: number): FetchSession | undefined {
    if (asked.length === 0 || this.#partitionCount + asked.length > partitionsMax) return undefined
    if (!this.#makeRoom(requester.isFollower, asked.length, nowMs)) return undefined
    const session = new FetchSession({
      id: this.#newId(),
      isPrivileged: requester.isFollower,
      usesTopicIds: requester.usesTopicIds,
      createdMs: nowMs,
    })
    session.want(asked)
    this.#sessions.set(session.id, session)
    this.#partitionCount += session.size
    return session
  }

  #makeRoom(isPrivileged: boolean, size: number, nowMs: number): boolean {
    if (this.#sessions.size < this.#limits.slots) return true
    const [oldest] = this.#sessions.values()
    if (oldest === undefined) return false
    if (nowMs - oldest.lastUsedMs > evictionMs) {
      this.#remove(oldest)
      return true
    }
    const least = this.#leastValuable(isPrivileged)
    if (least === undefined) return false
    if (rank(least.isPrivileged, least.size) >= rank(isPrivileged, size)) return false
    this.#remove(least)
    return true
  }

  /** Young sessions stay, except that followers push out consumers of any age. */
  #leastValuable(forPrivileged: boolean): FetchSession | undefined {
    let least: FetchSession | undefined
    for (const session of this.#sessions.values()) {
      const isOld = session.lastUsedMs - session.createdMs > evictionMs
      if (!isOld && !(forPrivileged && !session.isPrivileged)) continue
      const isLess =
        least === undefined ||
        rank(session.isPrivileged, session.size) < rank(least.isPrivileged, least.size)
      if (isLess) least = session
    }
    return least
  }

  #newId(): number {
    for (;;) {
      const id = this.#limits.randomId()
      if (!this.#sessions.has(id)) return id
    }
  }

  #remove(session: FetchSession): void {
    if (!this.#sessions.delete(session.id)) return
    this.#partitionCount -= session.size
    session.onClose()
  }
}

/** Followers before consumers, then large sessions before small ones. */
function rank(isPrivileged: boolean, size: number): number {
  return (isPrivileged ? partitionsMax * 2 : 0) + size
}
