/**
 * `.timeindex`: entries of 12 bytes, timestamp i64 and relative offset i32: up to that offset no
 * record of the segment is younger. Timestamps rise strictly, offsets do not fall. One final entry is
 * forced when the segment is sealed, so that its last entry tells its largest timestamp.
 */
import { readInt64, writeInt64 } from './int64.ts'
import { IndexFile } from './index-file.ts'
import type { LogFile } from './log-file.ts'

export const timeEntryBytes = 12

export class TimeIndex {
  readonly entries: IndexFile
  private readonly baseOffset: number

  constructor(file: LogFile, baseOffset: number, count: number) {
    this.entries = new IndexFile(file, timeEntryBytes, count)
    this.baseOffset = baseOffset
  }

  /** Appends where the timestamp is larger than the last one's. */
  maybeAppend(timestamp: number, offset: number, bytesMax: number): void {
    if (timestamp < 0 || timestamp <= this.lastTimestamp()) return
    if (offset < this.lastOffset()) return
    const at = this.entries.append(bytesMax)
    writeInt64(this.entries.view, at, timestamp)
    this.entries.view.writeInt32BE(offset - this.baseOffset, at + 8)
  }

  /** Offset from which a search for `timestamp` has to begin. */
  floorOffset(timestamp: number): number {
    let low = -1
    let high = this.entries.count - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.timestampAt(middle) <= timestamp) low = middle
      else high = middle - 1
    }
    return low < 0 ? this.baseOffset : this.offsetAt(low)
  }

  /** -1 where there is no entry. */
  lastTimestamp(): number {
    return this.entries.count === 0 ? -1 : this.timestampAt(this.entries.count - 1)
  }

  lastOffset(): number {
    return this.entries.count === 0 ? this.baseOffset : this.offsetAt(this.entries.count - 1)
  }

  /** Drops the entries whose offset is not below `offset`. */
  truncateTo(offset: number): void {
    let count = this.entries.count
    while (count > 0 && this.offsetAt(count - 1) >= offset) count -= 1
    this.entries.truncate(count)
  }

  isSane(fileBytes: number): boolean {
    if (fileBytes % timeEntryBytes !== 0) return false
    if (this.entries.count === 0) return true
    return this.lastTimestamp() >= this.timestampAt(0) && this.lastOffset() >= this.baseOffset
  }

  private timestampAt(index: number): number {
    const at = this.entries.locate(index)
    return readInt64(this.entries.view, at)
  }

  private offsetAt(index: number): number {
    const at = this.entries.locate(index)
    return this.baseOffset + this.entries.view.readInt32BE(at + 8)
  }
}
