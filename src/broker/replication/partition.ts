import { Errors } from '../../kafka/errors.ts'
import type { PartitionLog } from '../../storage/partition-log.ts'
import type { AppendOptions, AppendResult } from '../../storage/results.ts'
import { DiskError } from '../../runtime/disk.ts'
import type { Gathering, Turn, Waiter } from '../turn.ts'

/** What the controller decided for one partition (LeaderAndIsr, key 4). */
export interface Leadership {
  readonly controllerEpoch: number
  readonly leader: number
  readonly leaderEpoch: number
  readonly isr: readonly number[]
  /** zkVersion of the state znode. */
  readonly partitionEpoch: number
  readonly replicas: readonly number[]
}

/**
 * This broker's replica of one partition: its log, and the role the controller gave it. Only the leader
 * takes appends. Alone in the in-sync set, its log end is the high watermark once the bytes are written.
 */
export class Partition implements Gathering {
  readonly topic: string
  readonly index: number
  readonly log: PartitionLog
  readonly #brokerId: number
  readonly #turn: Turn
  #leadership: Leadership | undefined
  readonly #waiters = new Set<Waiter>()

  constructor(log: PartitionLog, brokerId: number, turn: Turn) {
    this.topic = log.topic
    this.index = log.partition
    this.log = log
    this.#brokerId = brokerId
    this.#turn = turn
  }

  get isLeader(): boolean {
    return this.#leadership?.leader === this.#brokerId
  }

  get leaderEpoch(): number {
    return this.#leadership?.leaderEpoch ?? -1
  }

  get leadership(): Leadership | undefined {
    return this.#leadership
  }

  /**
   * Takes the role the controller gives; an order of an older epoch than the known one is refused.
   * Returns an error code.
   */
  follow(leadership: Leadership): number {
    const known = this.#leadership
    if (known !== undefined && leadership.leaderEpoch < known.leaderEpoch)
      return Errors.STALE_CONTROLLER_EPOCH
    const isNewEpoch = known === undefined || leadership.leaderEpoch > known.leaderEpoch
    this.#leadership = leadership
    if (this.isLeader && isNewEpoch) this.log.beginEpoch(leadership.leaderEpoch)
    this.#advance()
    this.#wake()
    return Errors.NONE
  }

  /** Why a request that names this epoch (-1: none) is not for this replica; NONE where it is. */
  leaderProblem(currentLeaderEpoch: number): number {
    if (currentLeaderEpoch !== -1 && this.#leadership !== undefined) {
      if (currentLeaderEpoch < this.leaderEpoch) return Errors.FENCED_LEADER_EPOCH
      if (currentLeaderEpoch > this.leaderEpoch) return Errors.UNKNOWN_LEADER_EPOCH
    }
    if (!this.isLeader) return Errors.NOT_LEADER_OR_FOLLOWER
    return this.log.offline ? Errors.KAFKA_STORAGE_ERROR : Errors.NONE
  }

  /** Appends as the leader; final only when the turn has ended and the log is not offline. */
  append(buffer: Buffer, start: number, end: number, options: AppendOptions): AppendResult {
    const result = this.log.appendAsLeader(buffer, start, end, options)
    if (result.error === Errors.NONE) this.#turn.gathered(this)
    return result
  }

  /**
   * Makes what was appended durable where flush.messages asks for it before the acknowledgement. A failing
   * disk takes the directory offline. Resolves to an error code; callers share flushes.
   */
  async flushIfDue(): Promise<number> {
    if (!this.log.flushDue) return Errors.NONE
    try {
      await this.log.sync()
      return Errors.NONE
    } catch (error) {
      if (error instanceof DiskError) return Errors.KAFKA_STORAGE_ERROR
      throw error
    }
  }

  inSyncCount(): number {
    return this.#leadership?.isr.length ?? 0
  }

  wait(waiter: Waiter): void {
    this.#waiters.add(waiter)
  }

  forget(waiter: Waiter): void {
    this.#waiters.delete(waiter)
  }

  endTurn(): void {
    this.log.flushGathered()
    this.#advance()
    this.#wake()
  }

  /** Its directory went offline, or its data changed otherwise: let those who wait look again. */
  moved(): void {
    this.#turn.gathered(this)
  }

  /** The replica is going away: everyone who waits finds it gone. */
  stop(): void {
    this.#leadership = undefined
    this.#wake()
  }

  #advance(): void {
    const leadership = this.#leadership
    if (!this.isLeader || leadership === undefined || this.log.offline) return
    const alone = leadership.isr.length === 1 && leadership.isr[0] === this.#brokerId
    if (alone) this.log.advanceHighWatermark(this.log.logEndOffset)
  }

  #wake(): void {
    for (const waiter of this.#waiters) this.#turn.wake(waiter)
  }
}
