import { Errors } from '../../kafka/errors.ts'
import type { PartitionLog } from '../../storage/partition-log.ts'
import type { AppendOptions, AppendResult } from '../../storage/results.ts'
import type { Clock } from '../../runtime/clock.ts'
import { DiskError } from '../../runtime/disk.ts'
import type { Gathering, Turn, Waiter } from '../turn.ts'
import { isThrottled, type RateQuota } from './rate-quota.ts'
import { InSyncSet, type Follower, type FollowerFetch, type LeaderView } from './in-sync.ts'

/** What the controller decided for one partition (LeaderAndIsr, key 4). */
export interface Leadership {
  /** Of the controller that decided: the in-sync set is written in its name. */
  readonly controllerEpoch: number
  readonly leader: number
  readonly leaderEpoch: number
  readonly isr: readonly number[]
  /** zkVersion of the state znode. */
  readonly partitionEpoch: number
  readonly replicas: readonly number[]
}

/** What the leader wants written into the state znode, on top of the leadership as it is known. */
export interface InSyncProposal {
  readonly leadership: Leadership
  readonly isr: readonly number[]
}

export interface Throttles {
  readonly of: (topic: string) => {
    readonly leaders: readonly string[]
    readonly followers: readonly string[]
  }
  /** Of what followers are given. */
  readonly leader: RateQuota
  /** Of what is fetched from leaders. */
  readonly follower: RateQuota
}

export interface PartitionParts {
  readonly brokerId: number
  readonly turn: Turn
  readonly clock: Clock
  /** replica.lag.time.max.ms */
  readonly lagTimeMaxMs: number
  readonly isAlive: (brokerId: number) => boolean
  /** min.insync.replicas of the topic */
  readonly minInSyncOf: (topic: string) => number
  /** As a follower it took so many bytes: for those who measure. */
  readonly tookFromLeader: (topic: string, bytes: number) => void
  /** The topic's throttled replicas, and the rates they are copied at. */
  readonly throttles: Throttles
  /** The in-sync set should change: answered by `inSyncWritten`, or by a new leadership. */
  readonly proposeInSync: (partition: Partition, proposal: InSyncProposal) => void
}

/**
 * This broker's replica of one partition: its log, and the role the controller gave it. Only the leader
 * takes appends; it knows how far the others have come, and moves the high watermark.
 */
export class Partition implements Gathering {
  readonly topic: string
  readonly index: number
  /** Another one only when the replica has moved to another log directory. */
  log: PartitionLog
  readonly #parts: PartitionParts
  #leadership: Leadership | undefined
  /** While this broker leads. */
  #inSync: InSyncSet | undefined
  /** Flushes under way. */
  #flushes = 0
  readonly #waiters = new Set<Waiter>()
  readonly #view: LeaderView

  constructor(log: PartitionLog, parts: PartitionParts) {
    this.topic = log.topic
    this.index = log.partition
    this.log = log
    this.#parts = parts
    const endOffset = (): number => this.log.logEndOffset
    this.#view = {
      get logEndOffset() {
        return endOffset()
      },
      get nowMs() {
        return parts.clock.monotonicMs()
      },
      lagTimeMaxMs: parts.lagTimeMaxMs,
      isAlive: parts.isAlive,
    }
  }

  get isLeader(): boolean {
    return this.#inSync !== undefined
  }

  /** -1 until the controller has said anything. */
  get leaderEpoch(): number {
    return this.#leadership?.leaderEpoch ?? -1
  }

  get leadership(): Leadership | undefined {
    return this.#leadership
  }

  /** The in-sync set as this broker, its leader, knows it to be written; empty where it does not lead. */
  get isr(): readonly number[] {
    return this.#inSync?.isr ?? []
  }

  /** Nobody else has a replica: what the turn wrote is replicated when the turn ends. */
  get isAlone(): boolean {
    return this.#inSync?.isAlone === true
  }

  /** Where this leader's log ended when its epoch began; -1 where this broker does not lead. */
  get epochStartOffset(): number {
    return this.#inSync?.epochStartOffset ?? -1
  }

  /** What the leader knows of its followers. */
  get followers(): readonly Follower[] {
    return this.#inSync?.followers ?? []
  }

  /**
   * Takes the role the controller gives. An order of an older epoch than the known one is refused; one of
   * the same epoch tells nothing new, and what this leader has written since counts. Returns an error code.
   */
  follow(leadership: Leadership): number {
    const known = this.#leadership
    if (known !== undefined && leadership.leaderEpoch <= known.leaderEpoch)
      return leadership.leaderEpoch < known.leaderEpoch
        ? Errors.STALE_CONTROLLER_EPOCH
        : Errors.NONE
    if (known !== undefined && leadership.partitionEpoch < known.partitionEpoch) return Errors.NONE
    this.#leadership = leadership
    if (leadership.leader === this.#parts.brokerId) this.#lead(leadership)
    else this.#inSync = undefined
    this.#advance()
    this.#wake()
    return Errors.NONE
  }

  #lead({ leaderEpoch, replicas, isr }: Leadership): void {
    const epochStartOffset = this.log.logEndOffset
    this.log.beginEpoch(leaderEpoch)
    const role = { replicas, isr, epochStartOffset }
    const nowMs = this.#parts.clock.monotonicMs()
    this.#inSync = new InSyncSet(this.#parts.brokerId, role, nowMs, this.#inSync)
  }

  /** Why a request that names this epoch (-1: none) is not for this replica; NONE where it is. */
  leaderProblem(currentLeaderEpoch: number): number {
    // Whoever leads by now: this replica cannot say anything.
    if (this.log.offline) return Errors.KAFKA_STORAGE_ERROR
    const problem = this.#epochProblem(currentLeaderEpoch)
    if (problem !== Errors.NONE) return problem
    return this.isLeader ? Errors.NONE : Errors.NOT_LEADER_OR_FOLLOWER
  }

  /** Why this replica, whatever its role, must not be read by consumers; NONE where it may. */
  replicaProblem(currentLeaderEpoch: number): number {
    const problem = this.#epochProblem(currentLeaderEpoch)
    if (problem !== Errors.NONE) return problem
    if (this.#leadership === undefined) return Errors.NOT_LEADER_OR_FOLLOWER
    return this.log.offline ? Errors.KAFKA_STORAGE_ERROR : Errors.NONE
  }

  #epochProblem(currentLeaderEpoch: number): number {
    if (currentLeaderEpoch === -1 || this.#leadership === undefined) return Errors.NONE
    if (currentLeaderEpoch < this.leaderEpoch) return Errors.FENCED_LEADER_EPOCH
    return currentLeaderEpoch > this.leaderEpoch ? Errors.UNKNOWN_LEADER_EPOCH : Errors.NONE
  }

  /** Why this replica must not be given as leader's data to a follower of that id; NONE where it may. */
  followerProblem(id: number, currentLeaderEpoch: number): number {
    if (this.#inSync === undefined || this.#inSync.follower(id) !== undefined) return Errors.NONE
    // An order that names it may still be on its way.
    return currentLeaderEpoch === -1 ? Errors.NOT_LEADER_OR_FOLLOWER : Errors.UNKNOWN_LEADER_EPOCH
  }

  /** What this leader gives to followers counts, and a follower that is behind must wait for it now. */
  isHeldBack(follower: number): boolean {
    const { throttles, clock } = this.#parts
    if (!throttles.leader.isLimited || this.isr.includes(follower)) return false
    return this.#isThrottledLeader() && throttles.leader.isExceeded(clock.monotonicMs())
  }

  /** A follower was given so many bytes. */
  gaveFollower(bytes: number): void {
    const { throttles, clock } = this.#parts
    if (bytes > 0 && throttles.leader.isLimited && this.#isThrottledLeader())
      throttles.leader.record(bytes, clock.monotonicMs())
  }

  #isThrottledLeader(): boolean {
    const { throttles, brokerId } = this.#parts
    return isThrottled(throttles.of(this.topic).leaders, this.index, brokerId)
  }

  /** Its log has taken so many bytes from the leader's. */
  tookFromLeader(bytes: number): void {
    const { throttles, clock, tookFromLeader } = this.#parts
    tookFromLeader(this.topic, bytes)
    if (this.isThrottledFollower) throttles.follower.record(bytes, clock.monotonicMs())
  }

  /** As a follower: what it fetches counts. */
  get isThrottledFollower(): boolean {
    const { throttles, brokerId } = this.#parts
    if (!throttles.follower.isLimited) return false
    return isThrottled(throttles.of(this.topic).followers, this.index, brokerId)
  }

  /** Takes note of a follower's fetch, which acknowledges all below its offset. */
  followerFetched(id: number, fetch: FollowerFetch): void {
    const inSync = this.#inSync
    const follower = inSync?.follower(id)
    if (inSync === undefined || follower === undefined || this.log.offline) return
    if (!this.#hasAllOf(fetch)) return
    // What is not written yet counts for nobody, ourselves included.
    this.log.flushGathered()
    const { logEndOffset, logStartOffset } = follower
    inSync.fetched(follower, fetch, this.#view)
    const joined = inSync.joinedBy(follower, this.log.highWatermark, this.#view)
    if (joined !== undefined) this.#propose(joined)
    const hasMoved = follower.logEndOffset !== logEndOffset && this.#advance()
    if (hasMoved || follower.logStartOffset !== logStartOffset) this.#wake()
  }

  /** The follower's log is this one up to its fetch offset, as far as the request tells. */
  #hasAllOf({ fetchOffset, lastFetchedEpoch }: FollowerFetch): boolean {
    const { logStartOffset, logEndOffset, leaderEpochs } = this.log
    if (fetchOffset < logStartOffset || fetchOffset > logEndOffset) return false
    if (lastFetchedEpoch < 0) return true
    const end = leaderEpochs.endOffsetFor(lastFetchedEpoch, logEndOffset)
    return end.epoch === lastFetchedEpoch && end.endOffset >= fetchOffset
  }

  /** Takes those out of the in-sync set who fell behind; to be called every half lag time. */
  shrinkInSync(): void {
    if (this.log.offline) return
    const kept = this.#inSync?.withoutLaggards(this.#view)
    if (kept !== undefined) this.#propose(kept)
  }

  #propose(isr: readonly number[]): void {
    const leadership = this.#leadership
    if (leadership === undefined) return
    this.#inSync?.propose(isr)
    this.#parts.proposeInSync(this, { leadership, isr })
  }

  /** Whether the proposal is still this leader's to write. */
  isPending({ leadership }: InSyncProposal): boolean {
    return this.#leadership === leadership && this.#inSync?.isChanging === true
  }

  /** The state's znode, written in this very leadership, says so now. */
  inSyncWritten(proposal: InSyncProposal, isr: readonly number[], partitionEpoch: number): void {
    if (!this.isPending(proposal)) return
    this.#leadership = { ...proposal.leadership, isr, partitionEpoch }
    this.#inSync?.settle(isr)
    this.#advance()
    this.#wake()
  }

  /** Appends as the leader; final only when the turn has ended and the log is not offline. */
  append(buffer: Buffer, start: number, end: number, options: AppendOptions): AppendResult {
    this.#inSync?.appending(this.#view)
    const result = this.log.appendAsLeader(buffer, start, end, options)
    if (result.error === Errors.NONE) this.#parts.turn.gathered(this)
    return result
  }

  /**
   * Makes what was appended durable where flush.messages asks for it before the acknowledgement. A failing
   * disk takes the directory offline. Resolves to an error code; callers share flushes.
   */
  async flushIfDue(): Promise<number> {
    if (!this.log.flushDue) return Errors.NONE
    this.#flushes += 1
    try {
      await this.log.sync()
      return Errors.NONE
    } catch (error) {
      if (error instanceof DiskError) return Errors.KAFKA_STORAGE_ERROR
      throw error
    } finally {
      this.#flushes -= 1
      // What is durable now may be seen.
      this.#advance()
      this.#wake()
    }
  }

  /** What is to be durable before it is seen, and was written by nobody who waits for that. */
  #flushForReaders(offset: number): void {
    if (offset > this.log.visibleEndOffset && this.#flushes === 0) void this.flushIfDue()
  }

  inSyncCount(): number {
    return this.isr.length
  }

  /** Fewer replicas are in sync than the topic asks for, or has at all. */
  get isUnderMinimum(): boolean {
    return this.#inSync?.isUnderMinimum(this.#parts.minInSyncOf(this.topic)) === true
  }

  /** What all living replicas have deleted up to. */
  get lowWatermark(): number {
    const { logStartOffset } = this.log
    return this.#inSync?.lowWatermark(logStartOffset, this.#parts.isAlive) ?? logStartOffset
  }

  wait(waiter: Waiter): void {
    this.#waiters.add(waiter)
  }

  forget(waiter: Waiter): void {
    this.#waiters.delete(waiter)
  }

  /** It looks when this turn has come to its end, once however often it is woken. */
  wakeLater(waiter: Waiter): void {
    this.#parts.turn.wake(waiter)
  }

  endTurn(): void {
    this.log.flushGathered()
    this.#advance()
    this.#wake()
  }

  /** Its directory went offline, or its data changed otherwise: let those who wait look again. */
  moved(): void {
    this.#parts.turn.gathered(this)
  }

  /** As a follower: the leader's high watermark, as far as this replica has come. */
  followWatermark(leaderHighWatermark: number): void {
    if (this.log.advanceHighWatermark(leaderHighWatermark)) this.#wake()
    this.#flushForReaders(Math.min(leaderHighWatermark, this.log.logEndOffset))
  }

  /** The replica is going away: everyone who waits finds it gone. */
  stop(): void {
    this.#leadership = undefined
    this.#inSync = undefined
    this.#wake()
  }

  /** Nothing is committed while too few are in sync, not even what acks=1 wrote (Kafka 3.7). */
  #advance(): boolean {
    const inSync = this.#inSync
    if (inSync === undefined || this.log.offline || this.isUnderMinimum) return false
    const offset = inSync.isAlone ? this.log.logEndOffset : inSync.replicatedOffset(this.#view)
    this.#flushForReaders(offset)
    return this.log.advanceHighWatermark(offset)
  }

  #wake(): void {
    for (const waiter of this.#waiters) this.#parts.turn.wake(waiter)
  }
}
