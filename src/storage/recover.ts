/**
 * Opens one partition's directory: finishes what a crash interrupted, checks or rebuilds indexes,
 * verifies and cuts what was not known to be durable, and brings epochs and producers to the log's end.
 */
import type { Clock } from '../runtime/clock.ts'
import type { Disk } from '../runtime/disk.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Random } from '../runtime/random.ts'
import { CheckpointError } from './checkpoints.ts'
import {
  entryBaseOffset,
  entryLastOffset,
  entryLeaderEpoch,
  entryMagic,
  entryMaxTimestamp,
} from './entry.ts'
import { leaderEpochFile } from './file-names.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import { Producers } from './producers.ts'
import { replayEntry } from './replay.ts'
import { restoreProducers } from './restore-producers.ts'
import { scan, walkToEnd } from './scan.ts'
import { newSegment, Segment, type SegmentPlace } from './segment.ts'
import { findSegments, type FoundSegment } from './segment-files.ts'
import type { LogSettings } from './settings.ts'
import { Snapshots } from './snapshots.ts'

export interface LoadPorts {
  readonly clock: Clock
  readonly disk: Disk
  readonly logger: Logger
  readonly random: Random
}

export interface LoadOptions {
  /** The last shutdown was clean: files are what they were. */
  readonly clean: boolean
  /** Undefined where nothing is known of it: all is checked then. */
  readonly recoveryPoint: number | undefined
  readonly logStartOffset: number
  readonly settings: LogSettings
  readonly jitterMs: number
}

export interface LoadedLog {
  readonly segments: Segment[]
  readonly epochs: LeaderEpochs
  readonly producers: Producers
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly recoveryPoint: number
  readonly snapshots: Snapshots
  /** Something was rebuilt, cut or made: a clean close has work to do. */
  readonly changed: boolean
}

const relativeOffsetMax = 2147483647

/** @throws DiskError, CheckpointError */
export async function loadLog(
  ports: LoadPorts,
  place: SegmentPlace,
  options: LoadOptions,
): Promise<LoadedLog> {
  return new Loader(ports, place, options).load()
}

class Loader {
  private readonly ports: LoadPorts
  private readonly place: SegmentPlace
  private readonly options: LoadOptions
  private segments: Segment[] = []
  private snapshots: Snapshots
  private epochs: LeaderEpochs
  private producers = new Producers()
  private changed = false
  /** The offset after the last entry of the segment that was rebuilt last. */
  private rebuiltEnd = 0

  constructor(ports: LoadPorts, place: SegmentPlace, options: LoadOptions) {
    this.ports = ports
    this.place = place
    this.options = options
    this.epochs = this.readEpochs()
    this.snapshots = new Snapshots(ports, place.directory, [])
  }

  async load(): Promise<LoadedLog> {
    const found = await findSegments(this.ports.disk, this.place)
    this.snapshots = new Snapshots(this.ports, this.place.directory, found.snapshots)
    for (const one of found.segments) this.segments.push(this.segmentOf(one))
    let firstToRecover = this.options.clean ? this.segments.length : this.recoveryStart()
    for (let index = 0; index < firstToRecover; index++) {
      const segment = this.segments[index]
      const facts = found.segments[index]
      if (segment === undefined || facts === undefined) continue
      if (isSane(segment, facts)) {
        segment.loadLargestTimestamp()
        continue
      }
      this.ports.logger.warn(`Rebuilding the indexes of ${segment.log.path}`)
      await this.producersAt(segment.baseOffset)
      if (!(await this.rebuild(segment))) {
        firstToRecover = index + 1
        this.dropFrom(index + 1)
      }
    }
    const recovered = firstToRecover < this.segments.length
    if (recovered) await this.recoverFrom(firstToRecover)
    return this.finish(recovered)
  }

  /** The segment that holds the recovery point, and all after it. */
  private recoveryStart(): number {
    const after = this.segments.findIndex(
      (segment) => segment.baseOffset > (this.options.recoveryPoint ?? 0),
    )
    return Math.max((after < 0 ? this.segments.length : after) - 1, 0)
  }

  private async recoverFrom(first: number): Promise<void> {
    const start = this.segments[first]
    if (start === undefined) return
    await this.producersAt(start.baseOffset)
    for (let index = first; index < this.segments.length; index++) {
      const segment = this.segments[index]
      if (segment === undefined) return
      segment.markUnsynced()
      const whole = await this.rebuild(segment)
      if (!whole || this.isGapAfter(index)) {
        this.dropFrom(index + 1)
        return
      }
    }
  }

  private isGapAfter(index: number): boolean {
    const next = this.segments[index + 1]
    if (next === undefined || !this.isHole(this.rebuiltEnd, next.baseOffset)) return false
    this.ports.logger.warn(
      `${this.place.directory}: offsets ${this.rebuiltEnd} to ${next.baseOffset - 1} are missing`,
    )
    return true
  }

  /**
   * After a power loss batches may be missing while later ones, written to disk in another order, are
   * there. Records behind such a hole were never durable, and a replica that kept them would never
   * fetch what is missing. Holes below the recovery point, and those of compaction, are none.
   */
  private isHole(end: number, next: number): boolean {
    const { recoveryPoint, settings } = this.options
    if (recoveryPoint === undefined || settings.compacts) return false
    return next > end && end >= recoveryPoint
  }

  private async finish(recovered: boolean): Promise<LoadedLog> {
    let logEndOffset = await this.endOffset()
    let { logStartOffset } = this.options
    const first = this.segments[0]
    if (first !== undefined && logStartOffset > logEndOffset) {
      this.ports.logger.warn(
        `${this.place.directory}: log end ${logEndOffset} is below log start ${logStartOffset}; ` +
          'the log begins anew there',
      )
      this.dropFrom(0)
      logEndOffset = logStartOffset
    }
    if (this.segments.length === 0) {
      logEndOffset = Math.max(logStartOffset, 0)
      this.segments.push(this.newSegment(logEndOffset))
    }
    logStartOffset = Math.max(logStartOffset, this.segments[0]?.baseOffset ?? 0)
    this.epochs.truncateFromEnd(logEndOffset)
    this.epochs.truncateFromStart(logStartOffset)
    const bases = new Set(this.segments.map((segment) => segment.baseOffset))
    this.snapshots.dropStray(bases, logEndOffset)
    if (!recovered) await this.producersAt(logEndOffset)
    for (const segment of this.segments) segment.close()
    return {
      segments: this.segments,
      epochs: this.epochs,
      producers: this.producers,
      logStartOffset,
      logEndOffset,
      recoveryPoint: this.options.clean
        ? logEndOffset
        : Math.min(this.options.recoveryPoint ?? 0, logEndOffset),
      snapshots: this.snapshots,
      changed: this.changed,
    }
  }

  /**
   * Walks a segment from its beginning, verifies it, indexes it anew and carries it into epochs and
   * producers. False where it had to be cut: nothing after it counts.
   */
  private async rebuild(segment: Segment): Promise<boolean> {
    const { settings } = this.options
    this.changed = true
    segment.clearIndexes()
    let last = segment.baseOffset - 1
    const end = segment.sizeBytes
    const result = await scan(
      segment.log,
      { from: 0, end, verify: true },
      (buffer, at, position, size) => {
        const lastOffset = entryLastOffset(buffer, at)
        const magic = entryMagic(buffer, at)
        const begins = magic >= 2 ? entryBaseOffset(buffer, at) : lastOffset
        if (begins <= last || lastOffset < begins) return true
        if (magic >= 2 && this.isHole(last + 1, begins)) return true
        if (lastOffset - segment.baseOffset > relativeOffsetMax) return true
        last = lastOffset
        const maxTimestamp = entryMaxTimestamp(buffer, at)
        const facts = { lastOffset, maxTimestamp, offsetOfMaxTimestamp: lastOffset }
        segment.index(facts, position, size, settings)
        const epoch = entryLeaderEpoch(buffer, at)
        if (epoch > this.epochs.latestEpoch) this.epochs.assign(epoch, begins)
        const ended = replayEntry(this.producers, buffer, at)
        if (ended?.aborted !== undefined) segment.transactionIndex.append(ended.aborted)
        return false
      },
    )
    if (result.validEnd < end) {
      this.ports.logger.warn(
        `Found invalid messages in log segment ${segment.log.path} at byte ${result.validEnd}; ` +
          `${end - result.validEnd} bytes are cut off`,
      )
      segment.cut(result.validEnd)
    }
    segment.seal()
    this.rebuiltEnd = last + 1
    return result.validEnd === end
  }

  private async producersAt(offset: number): Promise<void> {
    this.producers = await restoreProducers(this.segments, this.snapshots, offset)
  }

  /** What follows the last index entry is walked; where that does not end at the file's end, all is. */
  private async endOffset(): Promise<number> {
    const last = this.segments.at(-1)
    if (last === undefined) return 0
    const from = last.offsetIndex.floorPosition(Number.MAX_SAFE_INTEGER)
    const tail = walkToEnd(last.log, from, last.sizeBytes)
    if (tail.end !== last.sizeBytes) {
      await this.producersAt(last.baseOffset)
      await this.rebuild(last)
      return this.endOffset()
    }
    return Math.max(tail.lastOffset + 1, last.baseOffset)
  }

  private dropFrom(index: number): void {
    for (const segment of this.segments.splice(index)) {
      this.ports.logger.warn(`Deleting log segment ${segment.log.path} after a damaged one`)
      for (const file of segment.markDeleted()) file.remove()
    }
  }

  private segmentOf(found: FoundSegment): Segment {
    const birth = { nowMs: this.ports.clock.now(), jitterMs: this.options.jitterMs }
    return new Segment(this.place, found.baseOffset, found.facts, birth)
  }

  private newSegment(baseOffset: number): Segment {
    this.changed = true
    return newSegment(this.place, baseOffset, this.options.settings, this.ports)
  }

  private readEpochs(): LeaderEpochs {
    const path = `${this.place.directory}/${leaderEpochFile}`
    try {
      return LeaderEpochs.read(this.ports.disk, path)
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error
      this.ports.logger.warn('The leader epochs are rebuilt from the batches', error)
      return new LeaderEpochs(this.ports.disk, path, [])
    }
  }
}

/** Both indexes are there and hold what they can hold. */
function isSane(segment: Segment, found: FoundSegment): boolean {
  return (
    found.indexBytes !== undefined &&
    found.timeIndexBytes !== undefined &&
    segment.offsetIndex.isSane(found.indexBytes) &&
    segment.timeIndex.isSane(found.timeIndexBytes) &&
    segment.transactionIndex.isSane(segment.baseOffset, found.transactionIndexBytes)
  )
}
