/**
 * One partition's log: alone knows its offsets and calls the rest in the original's order: validate
 * and assign, producer check, roll, segment and indexes, epochs, producers, transaction index.
 */
import { Errors } from '../kafka/errors.ts'
import { DiskError } from '../runtime/disk.ts'
import { leaderEpochFile } from './file-names.ts'
import { type Entries, entryBaseOffset, summarize } from './entry.ts'
import { findSlice } from './find-slice.ts'
import { prepareFollowerAppend } from './follower-append.ts'
import { GroupCommit } from './group-commit.ts'
import { prepareLeaderAppend } from './leader-append.ts'
import { type LeaderEpochs, noteEpochs } from './leader-epochs.ts'
import type { LogContext, LogIdentity } from './log-context.ts'
import type { Producers } from './producers.ts'
import type { LoadedLog } from './recover.ts'
import { replayEntries } from './replay.ts'
import { restoreProducers } from './restore-producers.ts'
import {
  type AbortedTransaction,
  type AppendOptions,
  type AppendResult,
  appended,
  type LogSlice,
  noSlice,
  type ReadOptions,
  type ReadResult,
  refused,
  type TimestampOffset,
} from './results.ts'
import { expiredSegments } from './retention.ts'
import { Segments } from './segments.ts'
import type { LogSettings } from './settings.ts'
import type { Snapshots } from './snapshots.ts'
import { searchLog } from './time-search.ts'

export class PartitionLog {
  readonly topic: string
  readonly partition: number
  /** `topic-partition` */
  readonly name: string
  directory: string
  /** Base64url id of partition.metadata; undefined where there is none. Set by `adoptTopicId`. */
  topicId: string | undefined
  /** May be replaced while the log is open. */
  settings: LogSettings
  readonly leaderEpochs: LeaderEpochs
  private readonly context: LogContext
  readonly segments: Segments
  private readonly snapshots: Snapshots
  private readonly commit = new GroupCommit(() => this.syncAll())
  producers: Producers
  private startOffset: number
  private endOffset: number
  private watermark: number
  private durableOffset: number
  /** Differs from what the last clean shutdown left. */
  private changed: boolean
  private truncating = false
  private closed = false

  constructor(
    context: LogContext,
    identity: LogIdentity,
    loaded: LoadedLog,
    settings: LogSettings,
  ) {
    this.context = context
    this.topic = identity.topic
    this.partition = identity.partition
    this.name = `${identity.topic}-${identity.partition}`
    this.directory = identity.directory
    this.topicId = identity.topicId
    this.settings = settings
    this.leaderEpochs = loaded.epochs
    this.segments = new Segments(context, identity.directory, loaded.segments)
    this.changed = loaded.changed
    this.snapshots = loaded.snapshots
    this.producers = loaded.producers
    this.startOffset = loaded.logStartOffset
    this.endOffset = loaded.logEndOffset
    this.watermark = loaded.logStartOffset
    this.durableOffset = loaded.recoveryPoint
  }

  get logStartOffset(): number {
    return this.startOffset
  }

  get logEndOffset(): number {
    return this.endOffset
  }

  get highWatermark(): number {
    return this.watermark
  }

  /** min(high watermark, first offset of a transaction that is not decided below it) */
  get lastStableOffset(): number {
    const unstable = this.producers.firstUnstableOffset()
    if (unstable < 0 || unstable >= this.watermark) return this.watermark
    return Math.max(unstable, this.startOffset)
  }

  /** All below is durable. */
  get recoveryPoint(): number {
    return this.durableOffset
  }

  /** flush.messages says that `sync` is due before the next acknowledgement. */
  get flushDue(): boolean {
    return this.endOffset - this.durableOffset >= this.settings.flushMessages
  }

  /** Its directory failed, or it was removed: every append and read answers an error. */
  get offline(): boolean {
    return this.closed || this.context.isOffline()
  }

  /** With flush.messages nobody is to see what is not durable yet, but for so many records. */
  get visibleEndOffset(): number {
    return Math.min(this.endOffset, this.durableOffset + this.settings.flushMessages - 1)
  }

  /** Only grows, and never above the visible end; returns whether it moved. */
  advanceHighWatermark(offset: number): boolean {
    const bounded = Math.min(offset, this.visibleEndOffset)
    if (bounded <= this.watermark) return false
    this.watermark = bounded
    this.producers.passHighWatermark(bounded)
    return true
  }

  /**
   * Validates, assigns offsets and the epoch (in the caller's buffer), appends. Small appends are
   * gathered: acknowledge after `flushGathered`, and only if the log is not `offline` then.
   */
  appendAsLeader(buffer: Buffer, start: number, end: number, options: AppendOptions): AppendResult {
    if (this.offline || this.truncating) return refused(Errors.KAFKA_STORAGE_ERROR)
    const { settings, producers, startOffset: logStartOffset } = this
    const baseOffset = this.endOffset
    const log = { nextOffset: baseOffset, producers, settings }
    const ready = prepareLeaderAppend({ buffer, start, end }, options, log)
    if (ready.error !== Errors.NONE) return refused(ready.error, ready.message, ready.records)
    const stamped = settings.messageTimestampType === 'LogAppendTime'
    if (ready.duplicate !== undefined) {
      const { lastOffset, offsetDelta, timestamp } = ready.duplicate
      const logAppendTimeMs = stamped ? timestamp : -1
      const rest = { logAppendTimeMs, logStartOffset, duplicate: true }
      return appended(lastOffset - offsetDelta, lastOffset, rest)
    }
    const empty = ready.end === ready.start
    if (!empty && !this.append(ready, options.nowMs)) return refused(Errors.KAFKA_STORAGE_ERROR)
    const rest = { logAppendTimeMs: stamped ? options.nowMs : -1, logStartOffset, duplicate: false }
    return appended(baseOffset, this.endOffset - 1, rest)
  }

  /** Appends batches exactly as the leader stored them; those below the log's end are passed over. */
  appendAsFollower(buffer: Buffer, start: number, end: number, nowMs: number): AppendResult {
    if (this.offline || this.truncating) return refused(Errors.KAFKA_STORAGE_ERROR)
    const ready = prepareFollowerAppend({ buffer, start, end }, this.endOffset)
    if (ready.error !== Errors.NONE) return refused(ready.error, ready.message)
    const empty = ready.start === ready.end
    const baseOffset = empty ? this.endOffset : entryBaseOffset(buffer, ready.start)
    if (!empty && !this.append(ready, nowMs)) return refused(Errors.KAFKA_STORAGE_ERROR)
    const rest = { logAppendTimeMs: -1, logStartOffset: this.startOffset, duplicate: false }
    return appended(baseOffset, this.endOffset - 1, rest)
  }

  /** Writes what this turn gathered. A disk error takes the directory, and this log, `offline`. */
  flushGathered(): void {
    if (!this.segments.active.hasGathered || this.offline) return
    this.guard(undefined, () => this.segments.active.flushGathered())
  }

  /** Makes all appended before the call durable; callers share flushes. @throws DiskError */
  sync(): Promise<void> {
    return this.commit.run()
  }

  /** Finds the bytes that answer a read; copies none. */
  read(offset: number, options: ReadOptions): ReadResult {
    if (this.offline) return noSlice(Errors.KAFKA_STORAGE_ERROR)
    if (offset < this.startOffset || offset > this.endOffset)
      return noSlice(Errors.OFFSET_OUT_OF_RANGE)
    const upTo = Math.min(options.upTo, this.endOffset)
    if (offset >= upTo) return noSlice(Errors.NONE)
    this.flushGathered()
    const whole = upTo === this.endOffset ? Number.POSITIVE_INFINITY : upTo
    return this.guard(noSlice(Errors.KAFKA_STORAGE_ERROR), () =>
      findSlice(this.segments, offset, { ...options, upTo: whole }),
    )
  }

  /** Bytes read; fewer than the slice has only where it was cut or deleted meanwhile. */
  readInto(slice: LogSlice, target: Uint8Array, targetStart: number): number {
    const { file, length, position } = slice
    return this.guard(0, () => file.readNow(target, targetStart, length, position))
  }

  /** The same off the loop, for slices that are not hot. */
  async readIntoAsync(slice: LogSlice, target: Uint8Array, targetStart: number): Promise<number> {
    try {
      return await slice.file.read(target, targetStart, slice.length, slice.position)
    } catch (error) {
      return this.guard(0, () => {
        throw error
      })
    }
  }

  /** Aborted transactions that overlap [offset, upTo), for read-committed consumers. */
  abortedTransactions(offset: number, upTo: number): AbortedTransaction[] {
    return this.guard([], () => this.segments.abortedTransactions(offset, upTo))
  }

  /** The first record at or above the timestamp, within [log start, upTo). @throws DiskError */
  offsetForTimestamp(timestamp: number, upTo: number): Promise<TimestampOffset | undefined> {
    return searchLog([...this.segments.all], timestamp, { from: this.startOffset, upTo })
  }

  /** Base offsets of the segments, oldest first (ListOffsets 0). */
  segmentBaseOffsets(): number[] {
    return this.segments.all.map((segment) => segment.baseOffset)
  }

  /** A new leader notes where its epoch begins, unless its records cannot carry it (KAFKA-7897). */
  beginEpoch(epoch: number): void {
    const { leaderEpochs, settings } = this
    this.guard(undefined, () => {
      if ((settings.messageFormat ?? 2) < 2) leaderEpochs.clear()
      else leaderEpochs.assign(epoch, this.endOffset)
    })
  }

  /** Cuts the log's end; the batch that holds `offset` goes wholly. No appends meanwhile. */
  async truncateTo(offset: number): Promise<void> {
    // An epoch that began at the end and saw no record must not be asked for again (KAFKA-10706).
    const end = this.endOffset
    if (offset >= end) return this.guard(undefined, () => this.leaderEpochs.truncateFromEnd(end))
    if (offset < this.segments.first.baseOffset) return this.truncateFullyAndStartAt(offset)
    this.truncating = true
    try {
      this.flushGathered()
      this.endsAt(this.segments.truncateTo(offset, this.settings.fileDeleteDelayMs))
      this.producers = await restoreProducers(this.segments.all, this.snapshots, this.endOffset)
    } catch (error) {
      this.context.fail(error)
      throw error
    } finally {
      this.truncating = false
    }
  }

  /** Drops everything; the next record gets `offset`. @throws DiskError */
  async truncateFullyAndStartAt(offset: number): Promise<void> {
    this.flushGathered()
    this.guard(undefined, () => {
      this.segments.restartAt(offset, this.settings)
      this.snapshots.keep(() => false)
      this.producers.clear()
      this.leaderEpochs.clear()
      this.startOffset = offset
      this.endsAt(offset)
      this.watermark = offset
    })
  }

  /** Raises the log start; 0, or 1 (OFFSET_OUT_OF_RANGE) above the high watermark. */
  deleteRecordsBefore(offset: number): number {
    if (this.offline) return Errors.KAFKA_STORAGE_ERROR
    if (offset > this.watermark) return Errors.OFFSET_OUT_OF_RANGE
    this.guard(undefined, () => this.startsAt(offset))
    return Errors.NONE
  }

  /** Deletes the segments that retention or the log start gave up; returns how many. */
  applyRetention(nowMs: number): number {
    if (this.offline || this.truncating) return 0
    return this.guard(0, () => {
      const segments = this.segments.all
      const state = {
        segments,
        logStartOffset: this.startOffset,
        logEndOffset: this.endOffset,
        highWatermark: this.watermark,
        nowMs,
      }
      const count = expiredSegments(state, this.settings)
      if (count === 0) return 0
      if (count === segments.length) this.roll()
      this.changed = true
      this.segments.deleteHead(count, this.settings.fileDeleteDelayMs)
      const first = this.segments.first.baseOffset
      this.snapshots.keep((offset) => offset >= first)
      this.startsAt(first)
      return count
    })
  }

  /** Forgets producers that have been idle for producer.id.expiration.ms. */
  expireProducers(nowMs: number, expirationMs: number): void {
    this.producers.expire(nowMs, expirationMs)
  }

  /** Makes all durable, trims indexes, takes a snapshot: what a clean marker promises. */
  async close(clean: boolean): Promise<void> {
    if (!this.offline && clean && this.changed) {
      this.flushGathered()
      await this.sync()
      await this.segments.sealAll(this.durableOffset)
      if (this.endOffset > 0) this.snapshots.take(this.endOffset, this.producers)
    }
    this.closed = true
    this.segments.close()
  }

  /** Its directory has a new name. */
  moved(directory: string): void {
    this.directory = directory
    this.segments.moved(directory)
    this.snapshots.directory = directory
    this.leaderEpochs.moved(`${directory}/${leaderEpochFile}`)
  }

  /** Its directory is about to be renamed and removed. */
  forget(): void {
    this.closed = true
    this.segments.forget()
  }

  private append(entries: Entries, nowMs: number): boolean {
    return this.guard(false, () => {
      const facts = summarize(entries.buffer, entries.start, entries.end)
      const bytes = entries.end - entries.start
      if (this.segments.isRollDue({ ...facts, bytes, nowMs }, this.settings)) this.roll()
      const { active } = this.segments
      active.append(entries, facts, this.settings)
      active.modifiedMs = nowMs
      noteEpochs(this.leaderEpochs, entries)
      for (const aborted of replayEntries(this.producers, entries)) {
        active.transactionIndex.append(aborted)
      }
      this.endOffset = facts.lastOffset + 1
      this.changed = true
      if (active.hasGathered) this.context.gathered(this)
      return true
    })
  }

  private roll(): void {
    this.segments.roll(this.endOffset, this.settings)
    this.snapshots.take(this.endOffset, this.producers)
    // The sealed segment becomes durable in the background; a failure takes the directory offline.
    this.sync().catch(() => undefined)
  }

  private async syncAll(): Promise<void> {
    const end = this.endOffset
    // What was gathered may have been lost when the directory failed.
    if (this.context.isOffline()) throw new DiskError('EIO', 'sync offline', this.directory)
    try {
      await this.segments.sync(this.durableOffset)
      this.leaderEpochs.sync()
      this.durableOffset = Math.max(this.durableOffset, Math.min(end, this.endOffset))
    } catch (error) {
      this.context.fail(error)
      throw error
    }
  }

  private endsAt(offset: number): void {
    this.changed = true
    this.endOffset = offset
    this.watermark = Math.min(this.watermark, offset)
    this.durableOffset = Math.min(this.durableOffset, offset)
    this.startOffset = Math.min(this.startOffset, offset)
    this.leaderEpochs.truncateFromEnd(offset)
    this.snapshots.keep((each) => each <= offset)
  }

  private startsAt(offset: number): void {
    if (offset <= this.startOffset) return
    this.startOffset = offset
    this.watermark = Math.max(this.watermark, offset)
    this.leaderEpochs.truncateFromStart(offset)
  }

  /** A disk error takes the directory offline and yields `fallback`; anything else is our own bug. */
  private guard<T>(fallback: T, action: () => T): T {
    try {
      return action()
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.context.fail(error)
      return fallback
    }
  }
}
