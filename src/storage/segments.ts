/**
 * The segments of one log in offset order, and the life of their files: rolling, deleting, cutting,
 * flushing. The last one is active. Decides nothing; never empty.
 */
import { DiskError } from '../runtime/disk.ts'
import type { LogContext } from './log-context.ts'
import type { AbortedTransaction } from './results.ts'
import { type ComingAppend, shouldRoll } from './roll.ts'
import { newSegment, type Segment } from './segment.ts'
import type { LogSettings } from './settings.ts'

export class Segments {
  private readonly context: LogContext
  private directory: string
  private list: Segment[]
  /** Sealed segments whose indexes are not durable yet. */
  private unsyncedSealed: Segment[]
  /** Files were made since the directory was last synced. */
  private namesUnsynced = true

  constructor(context: LogContext, directory: string, segments: readonly Segment[]) {
    this.context = context
    this.directory = directory
    this.list = [...segments]
    this.unsyncedSealed = segments.filter((segment) => segment.indexesRebuilt)
  }

  get all(): readonly Segment[] {
    return this.list
  }

  get first(): Segment {
    return this.at(0)
  }

  get active(): Segment {
    return this.at(this.list.length - 1)
  }

  at(index: number): Segment {
    const segment = this.list[index]
    if (segment === undefined) throw new Error(`${this.directory} has no segment ${index}`)
    return segment
  }

  /** Index of the segment that `offset` falls into, the first where it is older than all. */
  floorIndex(offset: number): number {
    let low = 0
    let high = this.list.length - 1
    // Readers are at the tail most of the time.
    if (this.at(high).baseOffset <= offset) return high
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.at(middle).baseOffset <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  /** Where the segment at `index` ends: the next one's base offset, undefined for the active one. */
  endOf(index: number): number | undefined {
    return this.list[index + 1]?.baseOffset
  }

  sizeBytes(): number {
    let size = 0
    for (const segment of this.list) size += segment.sizeBytes
    return size
  }

  /** Those that overlap [offset, upTo). @throws DiskError */
  abortedTransactions(offset: number, upTo: number): AbortedTransaction[] {
    const found: AbortedTransaction[] = []
    for (let index = this.floorIndex(offset); index < this.list.length; index++) {
      if (this.at(index).transactionIndex.collect(offset, upTo, found)) break
    }
    return found
  }

  /** Whether the active segment has to be rolled before this append. @throws DiskError */
  isRollDue(append: ComingAppend, settings: LogSettings): boolean {
    const { active } = this
    const question = {
      sizeBytes: active.sizeBytes,
      baseOffset: active.baseOffset,
      createdMs: active.createdMs,
      firstTimestamp: active.firstTimestamp(),
      indexFull: active.isIndexFull(settings.segmentIndexBytes),
      jitterMs: active.jitterMs,
      append,
    }
    return shouldRoll(question, settings)
  }

  /** Seals the active segment and begins one at `baseOffset`, the log's end. @throws DiskError */
  roll(baseOffset: number, settings: LogSettings): void {
    const sealed = this.active
    if (sealed.baseOffset === baseOffset) {
      // Empty, or it would have moved the end: the new one takes its place and its files.
      this.list.pop()
      sealed.close()
    } else {
      sealed.seal()
      this.unsyncedSealed.push(sealed)
    }
    this.begin(baseOffset, settings)
  }

  /** Takes `count` segments off the head; their files go after file.delete.delay.ms. @throws DiskError */
  deleteHead(count: number, delayMs: number): void {
    this.discard(this.list.splice(0, count), delayMs)
  }

  /** Cuts at `offset`, not below the first segment; returns the log's end. @throws DiskError */
  truncateTo(offset: number, delayMs: number): number {
    const index = this.floorIndex(offset)
    this.discard(this.list.splice(index + 1), delayMs)
    return this.at(index).truncateTo(offset)
  }

  /** Drops all and begins anew. @throws DiskError */
  restartAt(offset: number, settings: LogSettings): void {
    this.discard(this.list.splice(0), settings.fileDeleteDelayMs)
    this.begin(offset, settings)
  }

  /** Makes the segments from the one that holds `offset` durable. @throws DiskError */
  async sync(offset: number): Promise<void> {
    const sealed = new Set(this.unsyncedSealed)
    const names = this.namesUnsynced
    this.unsyncedSealed = []
    this.namesUnsynced = false
    for (const segment of this.list.slice(this.floorIndex(offset))) {
      await segment.sync(sealed.delete(segment))
    }
    for (const segment of sealed) await segment.sync(true)
    if (names && !this.context.isOffline()) this.context.disk.syncDirectory(this.directory)
  }

  /** Trims the active segment's indexes and makes everything durable. @throws DiskError */
  async sealAll(offset: number): Promise<void> {
    this.active.seal()
    this.unsyncedSealed.push(this.active)
    await this.sync(offset)
  }

  close(): void {
    for (const segment of this.list) segment.close()
  }

  /** The directory has a new name. */
  moved(directory: string): void {
    this.directory = directory
    for (const segment of this.list) segment.moved(directory)
  }

  /** The directory goes away. */
  forget(): void {
    for (const segment of this.list) segment.forget()
  }

  private begin(baseOffset: number, settings: LogSettings): void {
    const place = { ...this.context, directory: this.directory }
    const segment = newSegment(place, baseOffset, settings, this.context)
    this.list.push(segment)
    this.namesUnsynced = true
  }

  private discard(segments: readonly Segment[], delayMs: number): void {
    for (const segment of segments) {
      this.unsyncedSealed = this.unsyncedSealed.filter((each) => each !== segment)
      try {
        this.context.removeLater(segment.markDeleted(), delayMs)
      } catch (error) {
        // Somebody removed the file before us: then it is gone, as it should be.
        if (!(error instanceof DiskError) || error.code !== 'ENOENT') throw error
      }
    }
  }
}
