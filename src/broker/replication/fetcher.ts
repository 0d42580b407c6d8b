import { KafkaError } from '../../client/errors.ts'
import { Errors, errorOf } from '../../kafka/errors.ts'
import { delay, type Clock } from '../../runtime/clock.ts'
import { DiskError } from '../../runtime/disk.ts'
import type { Logger } from '../../runtime/logger.ts'
import { FollowerSession } from './follower-session.ts'
import {
  earliestOffset,
  isUntold,
  latestOffset,
  type EpochQuestion,
  type FetchedPartition,
  type LeaderLink,
} from './leader-link.ts'
import type { Partition } from './partition.ts'
import type { RateQuota } from './rate-quota.ts'
import type { ReplicationSettings } from './settings.ts'
import { cutBy, type Cut, type FollowerLog } from './truncation.ts'

export interface FetcherParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly link: LeaderLink
  readonly settings: ReplicationSettings
  /** Of what throttled replicas fetch. */
  readonly quota: RateQuota
}

/** A partition that is followed, in one leader epoch. */
interface Followed {
  readonly key: string
  readonly partition: Partition
  readonly leaderEpoch: number
  /** Its log is to be cut where it left the leader's, before anything is fetched. */
  isUncut: boolean
  /** It failed, and is left alone until then. */
  retryAtMs: number
  /** In a row; only the first is told. */
  failures: number
  /** The log is being cut. */
  cutting: Promise<void> | undefined
}

/** Rows of an answer are taken up for so long at a stretch. */
const sliceMs = 5
const untoldDelayMs = 10
/** Who has fetched too fast looks again after so long. */
const throttledMs = 500
/** So often it is nothing to speak of. */
const untoldFailuresMax = 5
/** From this version on an answer tells where the logs part, and nobody asks before. */
const firstVersionOfDivergence = 12
const firstVersionOfSessions = 7

/**
 * Follows one leader, with one request in flight for all partitions: each round cuts the logs of
 * newcomers, fetches, and appends what came. A partition that fails waits; a leader that cannot be
 * reached is tried for ever.
 */
export class Fetcher {
  readonly #parts: FetcherParts
  readonly #followed = new Map<string, Followed>()
  /** Those of the followed that are not fetched: to be cut, or waiting after a failure. */
  readonly #aside = new Set<Followed>()
  readonly #session: FollowerSession
  #wakeUp: () => void = () => {}
  #isStopped = false
  #failures = 0

  constructor(parts: FetcherParts) {
    this.#parts = parts
    const isSessionless = parts.settings.level.fetch < firstVersionOfSessions
    this.#session = new FollowerSession({ isSessionless })
    void this.#run()
  }

  get size(): number {
    return this.#followed.size
  }

  add(partition: Partition): void {
    const key = partition.log.name
    const { leaderEpoch } = partition
    const followed: Followed = {
      ...{ key, partition, leaderEpoch, isUncut: true },
      ...{ retryAtMs: 0, failures: 0, cutting: undefined },
    }
    this.#followed.set(key, followed)
    this.#aside.add(followed)
    this.#wakeUp()
  }

  /**
   * The leader stays, in another epoch. Without epochs to ask for, a log that was cut is not cut again:
   * above its high watermark lies what its fetches acknowledged. False: it is to be followed anew.
   */
  goesOn(partition: Partition): boolean {
    const followed = this.#followed.get(partition.log.name)
    if (this.#parts.settings.level.offsetForLeaderEpoch >= 0) return false
    return followed?.partition === partition && !followed.isUncut
  }

  /** Resolves when nothing of the partition is under way any more. */
  async remove(key: string): Promise<void> {
    const followed = this.#followed.get(key)
    if (followed === undefined) return
    this.#drop(followed)
    await followed.cutting
  }

  #drop(followed: Followed): void {
    if (!this.#isCurrent(followed)) return
    this.#followed.delete(followed.key)
    this.#aside.delete(followed)
    this.#session.remove(followed.key)
  }

  stop(): void {
    this.#isStopped = true
    this.#parts.link.close()
    this.#wakeUp()
  }

  async #run(): Promise<void> {
    const { link, logger, settings, clock } = this.#parts
    // What is added in the turn of the birth is part of the first round.
    await delay(clock, 0)
    while (!this.#isStopped) {
      try {
        await this.#round()
        this.#failures = 0
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        if (this.#isStopped) return
        link.disconnect()
        this.#session.restart()
        this.#failures += 1
        if (this.#failures === 1) logger.warn(`Error in following the leader: ${error.message}`)
        await delay(clock, settings.fetchBackoffMs)
      }
    }
  }

  async #round(): Promise<void> {
    await this.#cutLogs(this.#due())
    if (this.#isStopped) return
    if (this.#session.size === 0) {
      await this.#pause()
      return
    }
    const answer = await this.#parts.link.fetch(this.#session.next())
    if (answer.errorCode !== Errors.NONE) {
      this.#session.restart()
      const why = errorOf(answer.errorCode).name
      return this.#parts.logger.info(`The fetch session ended with ${why}; a new one begins`)
    }
    this.#session.answered(answer.sessionId)
    await this.#takeUp(answer.responses)
  }

  /** Those aside whose time has come. */
  #due(): Followed[] {
    const nowMs = this.#parts.clock.monotonicMs()
    const due: Followed[] = []
    for (const followed of this.#aside) if (followed.retryAtMs <= nowMs) due.push(followed)
    return due
  }

  /** Until somebody is added, or the next one's time has come. */
  #pause(): Promise<void> {
    let untilMs = Number.POSITIVE_INFINITY
    for (const { retryAtMs } of this.#aside) untilMs = Math.min(untilMs, retryAtMs)
    const { clock } = this.#parts
    return new Promise((resolve) => {
      const isTimed = untilMs < Number.POSITIVE_INFINITY
      const leftMs = isTimed ? Math.max(0, untilMs - clock.monotonicMs()) : 0
      const timer = isTimed ? clock.schedule(leftMs, resolve) : undefined
      this.#wakeUp = () => {
        timer?.cancel()
        resolve()
      }
    })
  }

  /** Fetches again those that were aside, once their logs are as the leader's up to their ends. */
  async #cutLogs(due: readonly Followed[]): Promise<void> {
    const { level } = this.#parts.settings
    const asked: Followed[] = []
    for (const followed of due) {
      if (!followed.isUncut) this.#resume(followed)
      else if (
        followed.partition.log.leaderEpochs.latestEpoch < 0 ||
        level.offsetForLeaderEpoch < 0
      )
        await this.#cut(followed, {
          offset: followed.partition.log.highWatermark,
          isFinal: true,
        })
      else if (level.fetch >= firstVersionOfDivergence) this.#fetchOn(followed)
      else asked.push(followed)
    }
    if (asked.length > 0) await this.#cutByEpoch(asked)
  }

  async #cutByEpoch(asked: readonly Followed[]): Promise<void> {
    const questions = asked.map(
      ({ partition, leaderEpoch }): EpochQuestion => ({
        topic: partition.topic,
        partition: partition.index,
        currentLeaderEpoch: leaderEpoch,
        leaderEpoch: partition.log.leaderEpochs.latestEpoch,
      }),
    )
    const topics = await this.#parts.link.epochEnds(questions)
    for (const { topic, partitions } of topics) {
      for (const row of partitions) {
        const followed = asked.find((one) => one.key === `${topic}-${row.partition}`)
        if (followed === undefined || !this.#isCurrent(followed)) continue
        if (row.errorCode !== Errors.NONE) this.#failed(followed, row.errorCode)
        else {
          const end = { epoch: row.leaderEpoch, endOffset: Number(row.endOffset) }
          await this.#cut(followed, cutBy(end, viewOf(followed.partition)))
        }
      }
    }
  }

  async #cut(followed: Followed, { offset, isFinal }: Cut): Promise<void> {
    const { log } = followed.partition
    if (offset < log.logEndOffset)
      this.#parts.logger.info(`Truncating partition ${log.name} to ${offset}`)
    const cutting = log.truncateTo(offset)
    // Who waits for the partition waits for the end, however it ends.
    followed.cutting = cutting.catch(() => undefined)
    if (!(await this.#onDisk(followed, cutting))) return
    if (isFinal && this.#isCurrent(followed)) this.#fetchOn(followed)
  }

  /** False where the disk failed; its directory is offline then, and nothing is followed there. */
  async #onDisk(followed: Followed, action: Promise<void>): Promise<boolean> {
    try {
      await action
      return true
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.#drop(followed)
      return false
    }
  }

  #isCurrent(followed: Followed): boolean {
    return this.#followed.get(followed.key) === followed
  }

  /** Fetches on, unless it must still wait for having fetched too fast. */
  #resume(followed: Followed): void {
    const { clock, quota } = this.#parts
    const isHeldBack =
      followed.partition.isThrottledFollower && quota.isExceeded(clock.monotonicMs())
    if (isHeldBack && followed.failures === 0) this.#setAside(followed, throttledMs)
    else this.#fetchOn(followed)
  }

  /** The partition is part of the next request. */
  #fetchOn(followed: Followed): void {
    const { key, leaderEpoch } = followed
    const { log, topic, index } = followed.partition
    const { level, fetchMaxBytes } = this.#parts.settings
    followed.isUncut = false
    this.#aside.delete(followed)
    this.#session.set(key, {
      ...{ topic, partition: index, currentLeaderEpoch: leaderEpoch },
      fetchOffset: log.logEndOffset,
      lastFetchedEpoch: level.fetch >= firstVersionOfDivergence ? log.leaderEpochs.latestEpoch : -1,
      logStartOffset: log.logStartOffset,
      partitionMaxBytes: fetchMaxBytes,
    })
  }

  #failed(followed: Followed, errorCode: number): void {
    const { logger, settings } = this.#parts
    followed.failures += 1
    if (followed.failures === (isUntold(errorCode) ? untoldFailuresMax : 1))
      logger.warn(`Following ${followed.key} failed with ${errorOf(errorCode).name}, trying again`)
    // The leader is ahead of what we were told of it: the controller's order for that is on its way.
    if (errorCode === Errors.FENCED_LEADER_EPOCH) this.#drop(followed)
    else {
      const { fetchBackoffMs } = settings
      const delayMs = isUntold(errorCode) ? untoldDelayMs * 2 ** followed.failures : fetchBackoffMs
      this.#setAside(followed, Math.min(delayMs, fetchBackoffMs))
    }
  }

  #setAside(followed: Followed, delayMs: number): void {
    this.#session.remove(followed.key)
    followed.retryAtMs = this.#parts.clock.monotonicMs() + delayMs
    this.#aside.add(followed)
  }

  async #takeUp(
    topics: readonly { readonly topic: string; readonly partitions: FetchedPartition[] }[],
  ): Promise<void> {
    const { clock } = this.#parts
    let untilMs = clock.monotonicMs() + sliceMs
    for (const { topic, partitions } of topics) {
      for (const row of partitions) {
        if (clock.monotonicMs() > untilMs) {
          await delay(clock, 0)
          untilMs = clock.monotonicMs() + sliceMs
        }
        // It may have been taken away meanwhile, or taken up anew for another epoch.
        const followed = this.#followed.get(`${topic}-${row.partitionIndex}`)
        if (followed !== undefined && !this.#aside.has(followed))
          await this.#takeUpOne(followed, row)
      }
    }
  }

  async #takeUpOne(followed: Followed, row: FetchedPartition): Promise<void> {
    const { divergingEpoch, errorCode } = row
    if (errorCode === Errors.OFFSET_OUT_OF_RANGE) await this.#findOffset(followed)
    else if (errorCode !== Errors.NONE) this.#failed(followed, errorCode)
    else if (divergingEpoch.endOffset >= 0) {
      const { epoch, endOffset } = divergingEpoch
      this.#session.remove(followed.key)
      const cut = cutBy({ epoch, endOffset: Number(endOffset) }, viewOf(followed.partition))
      await this.#cut(followed, { ...cut, isFinal: true })
    } else await this.#append(followed, row)
  }

  async #append(followed: Followed, row: FetchedPartition): Promise<void> {
    const { partition } = followed
    const { log } = partition
    const { records } = row
    const { clock, quota } = this.#parts
    const before = { end: log.logEndOffset, start: log.logStartOffset }
    if (records !== null && records.length > 0) {
      const { error, message } = log.appendAsFollower(
        ...([records, 0, records.length] as const),
        clock.now(),
      )
      // What the next request acknowledges is written before it is sent.
      log.flushGathered()
      if (log.offline) {
        this.#drop(followed)
        return
      }
      if (error !== Errors.NONE) {
        this.#parts.logger.error(`Cannot append to ${followed.key}: ${message}`)
        this.#failed(followed, error)
        return
      }
      partition.tookFromLeader(records.length)
      if (log.flushDue && !(await this.#onDisk(followed, log.sync()))) return
      if (!this.#isCurrent(followed)) return
    }
    followed.failures = 0
    partition.followWatermark(Number(row.highWatermark))
    const leaderStart = Number(row.logStartOffset)
    if (leaderStart > log.logStartOffset)
      log.deleteRecordsBefore(Math.min(leaderStart, log.highWatermark))
    const isBehind = Number(row.highWatermark) > log.logEndOffset
    if (isBehind && partition.isThrottledFollower && quota.isExceeded(clock.monotonicMs()))
      this.#setAside(followed, throttledMs)
    else if (log.logEndOffset !== before.end || log.logStartOffset !== before.start)
      this.#fetchOn(followed)
  }

  /** The leader has nothing at our end: its log ends before, or begins after (kafka.md D). */
  async #findOffset(followed: Followed): Promise<void> {
    const { link, logger } = this.#parts
    const { partition, leaderEpoch } = followed
    const { topic, index, log } = partition
    this.#session.remove(followed.key)
    this.#aside.add(followed)
    const of = { topic, partition: index, leaderEpoch }
    const end = await link.offset(of, latestOffset)
    if (!this.#isCurrent(followed)) return
    if (end.errorCode !== Errors.NONE) return this.#failed(followed, end.errorCode)
    if (end.offset < log.logEndOffset) {
      logger.warn(`${log.name} ends at ${log.logEndOffset}, its leader at ${end.offset}`)
      return this.#cut(followed, { offset: end.offset, isFinal: true })
    }
    const start = await link.offset(of, earliestOffset)
    if (!this.#isCurrent(followed)) return
    if (start.errorCode !== Errors.NONE) return this.#failed(followed, start.errorCode)
    if (start.offset > log.logEndOffset) {
      logger.warn(`${log.name} begins anew at its leader's start, ${start.offset}`)
      const restart = log.truncateFullyAndStartAt(start.offset)
      if (!(await this.#onDisk(followed, restart)) || !this.#isCurrent(followed)) return
    }
    this.#fetchOn(followed)
  }
}

function viewOf({ log }: Partition): FollowerLog {
  const { logEndOffset, highWatermark, leaderEpochs } = log
  const endOffsetFor = (epoch: number) => leaderEpochs.endOffsetFor(epoch, logEndOffset)
  return { logEndOffset, highWatermark, endOffsetFor }
}
