/**
 * A piece of the log that begins at one base offset: its file, its indexes, and the largest timestamp
 * in it. Knows no policy. Bytes of small appends wait in a gather buffer until `flushGathered`; a
 * look-up flushes first.
 */
import type { Clock } from '../runtime/clock.ts'
import { DiskError } from '../runtime/disk.ts'
import type { Random } from '../runtime/random.ts'
import {
  type EntriesSummary,
  entryBaseOffset,
  entryLastOffset,
  entryMagic,
  entryMaxTimestamp,
  entrySize,
} from './entry.ts'
import { deletedSuffix, segmentFile } from './file-names.ts'
import { gatheredAppendMax, type GatherPool } from './gather.ts'
import type { Entries } from './entry.ts'
import { LogFile, type OpenFiles } from './log-file.ts'
import { OffsetIndex } from './offset-index.ts'
import { RecentBatches } from './recent-batches.ts'
import { damageFound, headerAt, nothingFound, positionOf } from './scan.ts'
import { TimeIndex } from './time-index.ts'
import { TransactionIndex } from './transaction-index.ts'

export interface SegmentPlace {
  readonly files: OpenFiles
  readonly gather: GatherPool
  readonly directory: string
}

/** What is there already; a new segment has nothing. */
export interface SegmentFacts {
  readonly sizeBytes: number
  readonly indexEntries: number
  readonly timeEntries: number
  readonly transactionEntries: number
  readonly modifiedMs: number
}

const newSegmentFacts: SegmentFacts = {
  sizeBytes: 0,
  indexEntries: 0,
  timeEntries: 0,
  transactionEntries: 0,
  modifiedMs: 0,
}

export interface IndexLimits {
  readonly indexIntervalBytes: number
  readonly segmentIndexBytes: number
}

export class Segment {
  readonly baseOffset: number
  readonly log: LogFile
  readonly offsetIndex: OffsetIndex
  readonly timeIndex: TimeIndex
  readonly transactionIndex: TransactionIndex
  readonly createdMs: number
  readonly jitterMs: number
  sizeBytes: number
  maxTimestamp = -1
  offsetOfMaxTimestamp = -1
  modifiedMs: number
  private readonly gather: GatherPool
  private readonly recent = new RecentBatches()
  private sinceIndexEntry = 0
  private firstTimestampKnown: number | undefined
  private syncedBytes: number
  /** Its indexes were made anew when the log was opened: a clean marker must not vouch for them yet. */
  indexesRebuilt = false
  private chunk: Buffer | undefined
  private chunkLength = 0

  constructor(
    place: SegmentPlace,
    baseOffset: number,
    facts: SegmentFacts,
    birth: { nowMs: number; jitterMs: number },
  ) {
    const file = (suffix: '.log' | '.index' | '.timeindex' | '.txnindex') =>
      new LogFile(place.files, `${place.directory}/${segmentFile(baseOffset, suffix)}`)
    this.baseOffset = baseOffset
    this.gather = place.gather
    this.log = file('.log')
    this.offsetIndex = new OffsetIndex(file('.index'), baseOffset, facts.indexEntries)
    this.timeIndex = new TimeIndex(file('.timeindex'), baseOffset, facts.timeEntries)
    this.transactionIndex = new TransactionIndex(file('.txnindex'), facts.transactionEntries)
    this.sizeBytes = facts.sizeBytes
    this.syncedBytes = facts.sizeBytes
    this.modifiedMs = facts.modifiedMs
    this.createdMs = birth.nowMs
    this.jitterMs = birth.jitterMs
  }

  /** Makes the files of a new segment. @throws DiskError */
  create(indexBytesMax: number): void {
    this.log.truncate(0)
    this.offsetIndex.entries.preallocate(indexBytesMax)
    this.timeIndex.entries.preallocate(indexBytesMax)
  }

  /** Where record timestamps are missing, the file's age stands for them. */
  get largestTimestampMs(): number {
    return this.maxTimestamp >= 0 ? this.maxTimestamp : this.modifiedMs
  }

  /** Takes the largest timestamp from the time index's last entry. @throws DiskError */
  loadLargestTimestamp(): void {
    this.maxTimestamp = this.timeIndex.lastTimestamp()
    this.offsetOfMaxTimestamp = this.maxTimestamp < 0 ? -1 : this.timeIndex.lastOffset()
  }

  /** Largest timestamp of the first entry: segment.ms counts from there. @throws DiskError */
  firstTimestamp(): number {
    if (this.sizeBytes === 0) return -1
    if (this.firstTimestampKnown === undefined) {
      this.flushGathered()
      const header = headerAt(this.log, 0, this.sizeBytes)
      this.firstTimestampKnown = header === undefined ? -1 : entryMaxTimestamp(header, 0)
    }
    return this.firstTimestampKnown
  }

  isIndexFull(indexBytesMax: number): boolean {
    return (
      this.offsetIndex.entries.isFull(indexBytesMax) || this.timeIndex.entries.isFull(indexBytesMax)
    )
  }

  /** @throws DiskError */
  append({ buffer, start, end }: Entries, facts: EntriesSummary, limits: IndexLimits): void {
    const position = this.sizeBytes
    for (let at = start; at < end; at += entrySize(buffer, at)) {
      this.recent.add(entryLastOffset(buffer, at), position + at - start)
    }
    this.write(buffer, start, end)
    if (position === 0) this.firstTimestampKnown = facts.maxTimestamp
    this.index(facts, position, end - start, limits)
  }

  /** Indexes an entry that is in the file, while rebuilding. @throws DiskError */
  index(facts: EntriesSummary, position: number, size: number, limits: IndexLimits): void {
    if (facts.maxTimestamp > this.maxTimestamp) {
      this.maxTimestamp = facts.maxTimestamp
      this.offsetOfMaxTimestamp = facts.offsetOfMaxTimestamp
    }
    if (this.sinceIndexEntry > limits.indexIntervalBytes) {
      this.offsetIndex.append(facts.lastOffset, position, limits.segmentIndexBytes)
      this.timeIndex.maybeAppend(
        this.maxTimestamp,
        this.offsetOfMaxTimestamp,
        limits.segmentIndexBytes,
      )
      this.sinceIndexEntry = 0
    }
    this.sinceIndexEntry += size
  }

  /** True while bytes wait in the gather buffer. */
  get hasGathered(): boolean {
    return this.chunkLength > 0
  }

  /** Writes what waits in the gather buffer. @throws DiskError */
  flushGathered(): void {
    const chunk = this.chunk
    if (chunk === undefined) return
    const length = this.chunkLength
    this.chunk = undefined
    this.chunkLength = 0
    this.log.write(chunk, 0, length, this.sizeBytes - length)
    this.gather.give(chunk)
  }

  /**
   * Position of the first entry that ends at or above `offset`, nothingFound or damageFound.
   * @throws DiskError
   */
  positionOf(offset: number): number {
    const known = this.recent.positionOf(offset)
    if (known >= 0) return known
    this.flushGathered()
    const from = this.offsetIndex.floorPosition(offset)
    return positionOf(this.log, from, this.sizeBytes, offset)
  }

  /** Bytes of the entry at `position`, 0 where there is none. @throws DiskError */
  entrySizeAt(position: number): number {
    this.flushGathered()
    const header = headerAt(this.log, position, this.sizeBytes)
    return header === undefined ? 0 : entrySize(header, 0)
  }

  /** Makes its log durable, and with `whole` (it is sealed) its indexes too. @throws DiskError */
  async sync(whole: boolean): Promise<void> {
    this.flushGathered()
    const size = this.sizeBytes
    if (size > this.syncedBytes) {
      await this.log.sync()
      this.syncedBytes = Math.max(this.syncedBytes, Math.min(size, this.sizeBytes))
    }
    if (!whole) return
    await this.offsetIndex.entries.file.sync()
    await this.timeIndex.entries.file.sync()
    if (this.transactionIndex.count > 0) await this.transactionIndex.file.sync()
    this.indexesRebuilt = false
  }

  /** No more appends: the final time entry is written and the indexes are trimmed. @throws DiskError */
  seal(): void {
    this.flushGathered()
    this.timeIndex.maybeAppend(
      this.maxTimestamp,
      this.offsetOfMaxTimestamp,
      Number.MAX_SAFE_INTEGER,
    )
    this.offsetIndex.entries.seal()
    this.timeIndex.entries.seal()
    this.recent.clear()
  }

  /**
   * Cuts the entry that holds `offset` and all that follow; returns where the log ends now, so that no
   * gap remains: the base offset of that entry. @throws DiskError
   */
  truncateTo(offset: number): number {
    this.flushGathered()
    const position = this.positionOf(offset)
    if (position === damageFound) throw new DiskError('EIO', 'truncate (damaged)', this.log.path)
    this.recent.clear()
    let end = offset
    if (position !== nothingFound) {
      const header = headerAt(this.log, position, this.sizeBytes)
      if (header !== undefined && entryMagic(header, 0) >= 2) {
        end = Math.min(offset, entryBaseOffset(header, 0))
      }
      this.cut(position)
    }
    this.offsetIndex.truncateTo(end)
    this.timeIndex.truncateTo(end)
    this.transactionIndex.truncateTo(end)
    this.sinceIndexEntry = 0
    if (this.offsetOfMaxTimestamp >= end) this.loadLargestTimestamp()
    return end
  }

  /** Cuts the file to `size` bytes. @throws DiskError */
  cut(size: number): void {
    this.log.truncate(size)
    this.sizeBytes = size
    this.syncedBytes = Math.min(this.syncedBytes, size)
    if (size === 0) this.firstTimestampKnown = undefined
  }

  /** Empties the indexes before they are rebuilt. @throws DiskError */
  clearIndexes(): void {
    this.offsetIndex.entries.clear()
    this.timeIndex.entries.clear()
    this.transactionIndex.clear()
    this.maxTimestamp = -1
    this.offsetOfMaxTimestamp = -1
    this.sinceIndexEntry = 0
    this.indexesRebuilt = true
  }

  /** Everything in it has to be made durable again: it comes from before a crash. */
  markUnsynced(): void {
    this.syncedBytes = 0
  }

  /** Takes the names away at once; the caller removes the files later. @throws DiskError */
  markDeleted(): LogFile[] {
    this.flushGathered()
    // After a crash a name may be missing, and no name is reason enough to fail here.
    const files = this.files().filter((file) => file.exists())
    for (const file of files) file.rename(`${file.path}${deletedSuffix}`)
    return files
  }

  close(): void {
    for (const file of this.files()) file.closeHandle()
  }

  /** Its directory goes away: no handle may open again. */
  forget(): void {
    this.dropGathered()
    for (const file of this.files()) file.forget()
  }

  /** Its directory has a new name. */
  moved(directory: string): void {
    for (const file of this.files())
      file.path = `${directory}${file.path.slice(file.path.lastIndexOf('/'))}`
  }

  private files(): LogFile[] {
    return [
      this.log,
      this.offsetIndex.entries.file,
      this.timeIndex.entries.file,
      this.transactionIndex.file,
    ]
  }

  private dropGathered(): void {
    if (this.chunk !== undefined) this.gather.give(this.chunk)
    this.chunk = undefined
    this.chunkLength = 0
  }

  private write(buffer: Buffer, start: number, end: number): void {
    const length = end - start
    if (length > gatheredAppendMax) {
      this.flushGathered()
      this.log.write(buffer, start, end, this.sizeBytes)
    } else {
      let chunk = this.chunk
      if (chunk !== undefined && this.chunkLength + length > chunk.length) {
        this.flushGathered()
        chunk = undefined
      }
      if (chunk === undefined) {
        chunk = this.gather.take()
        this.chunk = chunk
      }
      buffer.copy(chunk, this.chunkLength, start, end)
      this.chunkLength += length
    }
    this.sizeBytes += length
  }
}

/** Makes a segment and its files. @throws DiskError */
export function newSegment(
  place: SegmentPlace,
  baseOffset: number,
  settings: { readonly segmentIndexBytes: number; readonly segmentJitterMs: number },
  ports: { readonly clock: Clock; readonly random: Random },
): Segment {
  const jitterMax = Math.min(settings.segmentJitterMs, 2 ** 47)
  const jitterMs = jitterMax > 0 ? ports.random.below(jitterMax) : 0
  const birth = { nowMs: ports.clock.now(), jitterMs }
  const segment = new Segment(place, baseOffset, newSegmentFacts, birth)
  segment.create(settings.segmentIndexBytes)
  return segment
}
