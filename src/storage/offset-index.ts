/**
 * `.index`: entries of 8 bytes, relative offset i32 and file position i32. The offset is the last one
 * of what was appended at that position (0.10.1 stored the first: look-ups go to the floor and scan
 * on, so both are read alike).
 */
import { IndexFile } from './index-file.ts'
import type { LogFile } from './log-file.ts'

export const offsetEntryBytes = 8

export class OffsetIndex {
  readonly entries: IndexFile
  private readonly baseOffset: number

  constructor(file: LogFile, baseOffset: number, count: number) {
    this.entries = new IndexFile(file, offsetEntryBytes, count)
    this.baseOffset = baseOffset
  }

  append(offset: number, position: number, bytesMax: number): void {
    const at = this.entries.append(bytesMax)
    this.entries.view.writeInt32BE(offset - this.baseOffset, at)
    this.entries.view.writeInt32BE(position, at + 4)
  }

  /** Position from which a scan meets the batch that holds `offset`. */
  floorPosition(offset: number): number {
    const index = this.floor(offset - this.baseOffset)
    if (index < 0) return 0
    const at = this.entries.locate(index)
    return this.entries.view.readInt32BE(at + 4)
  }

  /** Offset of the last entry, or the base offset. */
  lastOffset(): number {
    const { entries } = this
    if (entries.count === 0) return this.baseOffset
    const at = entries.locate(entries.count - 1)
    return this.baseOffset + entries.view.readInt32BE(at)
  }

  /** Drops the entries whose offset is not below `offset`. */
  truncateTo(offset: number): void {
    this.entries.truncate(this.floor(offset - this.baseOffset - 1) + 1)
  }

  /** A file that was cut short or never trimmed does not pass. */
  isSane(fileBytes: number): boolean {
    if (fileBytes % offsetEntryBytes !== 0) return false
    return this.entries.count === 0 || this.lastOffset() > this.baseOffset
  }

  private floor(relativeOffset: number): number {
    let low = -1
    let high = this.entries.count - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      const at = this.entries.locate(middle)
      if (this.entries.view.readInt32BE(at) <= relativeOffset) low = middle
      else high = middle - 1
    }
    return low
  }
}
