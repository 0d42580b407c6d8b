// Pure.
/**
 * What the leader of a partition knows of its followers, and what follows from it: which of them are in
 * sync, and how far the high watermark may go (kafka.md D). Times are those of the monotonic clock.
 */

/** How far one follower has come, as its fetches tell. */
export interface Follower {
  readonly id: number
  /** The offset of its last fetch; -1 until it fetched from this leader. */
  logEndOffset: number
  /** -1 until it is told; followers tell it from Fetch 5 on. */
  logStartOffset: number
  /** The last moment at which the follower had all that the leader had then. */
  lastCaughtUpMs: number
  lastFetchMs: number
  /** Where the leader's log ended at the last fetch. */
  leaderEndAtLastFetch: number
}

export interface FollowerFetch {
  readonly fetchOffset: number
  /** The epoch of the record before it; -1: the request does not tell. */
  readonly lastFetchedEpoch: number
  /** -1: the request does not tell. */
  readonly logStartOffset: number
}

/** The leader's side of the moment. */
export interface LeaderView {
  readonly logEndOffset: number
  readonly nowMs: number
  /** replica.lag.time.max.ms */
  readonly lagTimeMaxMs: number
  readonly isAlive: (brokerId: number) => boolean
}

export interface Role {
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  /** The leader's log end when its epoch began. */
  readonly epochStartOffset: number
}

/** The replica set of one partition as its leader sees it, for one leader epoch. */
export class InSyncSet {
  readonly #ownId: number
  readonly #followers: readonly Follower[]
  readonly #replicaCount: number
  readonly #epochStartOffset: number
  #isr: readonly number[]
  /** Written, but it is not known yet whether it counts. */
  #pending: readonly number[] | undefined

  /**
   * @param known what was known of the followers before, where this broker led in the epoch before; those
   *   in sync count as caught up now, so that they get their time to fetch.
   */
  constructor(ownId: number, role: Role, nowMs: number, known?: InSyncSet) {
    this.#ownId = ownId
    this.#isr = role.isr
    this.#epochStartOffset = role.epochStartOffset
    this.#replicaCount = role.replicas.length
    this.#followers = role.replicas
      .filter((id) => id !== ownId)
      .map((id) => {
        const before = known?.follower(id)
        const isInSync = role.isr.includes(id)
        return {
          id,
          logEndOffset: before?.logEndOffset ?? -1,
          logStartOffset: before?.logStartOffset ?? -1,
          lastCaughtUpMs: isInSync ? nowMs : Number.NEGATIVE_INFINITY,
          lastFetchMs: isInSync ? nowMs : Number.NEGATIVE_INFINITY,
          leaderEndAtLastFetch: before === undefined ? 0 : role.epochStartOffset,
        }
      })
  }

  get isr(): readonly number[] {
    return this.#isr
  }

  get epochStartOffset(): number {
    return this.#epochStartOffset
  }

  /** Nobody else has the partition: what this broker wrote is replicated. */
  get isAlone(): boolean {
    return this.#followers.length === 0
  }

  get isChanging(): boolean {
    return this.#pending !== undefined
  }

  get followers(): readonly Follower[] {
    return this.#followers
  }

  follower(id: number): Follower | undefined {
    return this.#followers.find((one) => one.id === id)
  }

  /** min.insync.replicas, but never more than there are replicas. */
  isUnderMinimum(minimum: number): boolean {
    return this.#isr.length < Math.min(minimum, this.#replicaCount)
  }

  /** The log is about to grow: until now, who had all of it was caught up, however long it was idle. */
  appending(view: LeaderView): void {
    for (const follower of this.#followers)
      if (follower.logEndOffset === view.logEndOffset) follower.lastCaughtUpMs = view.nowMs
  }

  /** Takes note of a fetch: its offset is the acknowledgement of all below. */
  fetched(follower: Follower, fetch: FollowerFetch, { logEndOffset, nowMs }: LeaderView): void {
    const { fetchOffset, logStartOffset } = fetch
    if (fetchOffset >= logEndOffset) follower.lastCaughtUpMs = nowMs
    else if (fetchOffset >= follower.leaderEndAtLastFetch)
      follower.lastCaughtUpMs = Math.max(follower.lastCaughtUpMs, follower.lastFetchMs)
    follower.logEndOffset = fetchOffset
    if (logStartOffset >= 0) follower.logStartOffset = logStartOffset
    follower.lastFetchMs = nowMs
    follower.leaderEndAtLastFetch = logEndOffset
  }

  /**
   * How far all who count have come: the in-sync replicas, those who may have become so without our
   * knowing it yet, and those who have caught up and are about to be added. -1: not known.
   */
  replicatedOffset(view: LeaderView): number {
    let offset = view.logEndOffset
    for (const follower of this.#followers) {
      if (follower.logEndOffset >= offset) continue
      const counts =
        this.#isr.includes(follower.id) ||
        this.#pending?.includes(follower.id) === true ||
        (isCaughtUp(follower, view) && view.isAlive(follower.id))
      if (counts) offset = follower.logEndOffset
    }
    return offset
  }

  /** The smallest log start of those who live: what DeleteRecords has reached everywhere. */
  lowWatermark(ownLogStart: number, isAlive: (brokerId: number) => boolean): number {
    let offset = ownLogStart
    for (const { id, logStartOffset } of this.#followers)
      if (logStartOffset < offset && isAlive(id)) offset = logStartOffset
    return offset
  }

  /** The set with this follower in it; undefined where it may not join now. */
  joinedBy(follower: Follower, highWatermark: number, view: LeaderView): number[] | undefined {
    const { id, logEndOffset } = follower
    if (this.#pending !== undefined || this.#isr.includes(id) || !view.isAlive(id)) return undefined
    const isFarEnough = logEndOffset >= highWatermark && logEndOffset >= this.#epochStartOffset
    return isFarEnough ? [...this.#isr, id] : undefined
  }

  /** The set without those who fell behind; undefined where nobody did, or a change is on its way. */
  withoutLaggards(view: LeaderView): number[] | undefined {
    if (this.#pending !== undefined) return undefined
    const kept = this.#isr.filter((id) => {
      const follower = this.follower(id)
      if (follower === undefined) return id === this.#ownId
      return isCaughtUp(follower, view)
    })
    return kept.length === this.#isr.length ? undefined : kept
  }

  propose(isr: readonly number[]): void {
    this.#pending = isr
  }

  /** This is what the state's znode says now, whoever wrote it. */
  settle(isr: readonly number[]): void {
    this.#isr = isr
    this.#pending = undefined
  }
}

function isCaughtUp(
  follower: Follower,
  { logEndOffset, nowMs, lagTimeMaxMs }: LeaderView,
): boolean {
  return follower.logEndOffset === logEndOffset || nowMs - follower.lastCaughtUpMs <= lagTimeMaxMs
}
