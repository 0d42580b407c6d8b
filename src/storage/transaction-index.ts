/**
 * `.txnindex`: one entry of 34 bytes per aborted transaction: version i16 0, producer id i64, first
 * offset i64, last offset i64, last stable offset i64 at that moment. Most segments have none.
 */
import { readInt64, writeInt64 } from './int64.ts'
import type { LogFile } from './log-file.ts'
import type { AbortedTransaction } from './results.ts'

export const transactionEntryBytes = 34

export interface AbortedEntry extends AbortedTransaction {
  readonly lastOffset: number
  readonly lastStableOffset: number
}

export class TransactionIndex {
  readonly file: LogFile
  private entryCount: number

  constructor(file: LogFile, count: number) {
    this.file = file
    this.entryCount = count
  }

  get count(): number {
    return this.entryCount
  }

  /** Rare enough to be written at once. @throws DiskError */
  append(entry: AbortedEntry): void {
    const bytes = Buffer.alloc(transactionEntryBytes)
    writeInt64(bytes, 2, entry.producerId)
    writeInt64(bytes, 10, entry.firstOffset)
    writeInt64(bytes, 18, entry.lastOffset)
    writeInt64(bytes, 26, entry.lastStableOffset)
    this.file.write(bytes, 0, bytes.length, this.entryCount * transactionEntryBytes)
    this.entryCount += 1
  }

  /** @throws DiskError */
  read(): AbortedEntry[] {
    if (this.entryCount === 0) return []
    const bytes = Buffer.alloc(this.entryCount * transactionEntryBytes)
    this.file.readNow(bytes, 0, bytes.length, 0)
    const entries: AbortedEntry[] = []
    for (let at = 0; at < bytes.length; at += transactionEntryBytes) {
      entries.push({
        producerId: readInt64(bytes, at + 2),
        firstOffset: readInt64(bytes, at + 10),
        lastOffset: readInt64(bytes, at + 18),
        lastStableOffset: readInt64(bytes, at + 26),
      })
    }
    return entries
  }

  /**
   * Adds those that overlap [offset, upTo) to `found`; true where later segments cannot hold any more.
   * @throws DiskError
   */
  collect(offset: number, upTo: number, found: AbortedTransaction[]): boolean {
    for (const entry of this.read()) {
      if (entry.lastOffset >= offset && entry.firstOffset < upTo) {
        found.push({ producerId: entry.producerId, firstOffset: entry.firstOffset })
      }
      if (entry.lastStableOffset >= upTo) return true
    }
    return false
  }

  /** Drops transactions that ended at or above `offset`. @throws DiskError */
  truncateTo(offset: number): void {
    if (this.entryCount === 0) return
    const kept = this.read().findIndex((entry) => entry.lastOffset >= offset)
    if (kept < 0) return
    this.entryCount = kept
    this.file.truncate(kept * transactionEntryBytes)
  }

  /** A file of the wrong length, or of entries that run backwards, has to be rebuilt. */
  isSane(baseOffset: number, fileBytes: number): boolean {
    if (fileBytes % transactionEntryBytes !== 0) return false
    return this.read().every(
      (entry) => entry.firstOffset <= entry.lastOffset && entry.lastOffset >= baseOffset,
    )
  }

  /** @throws DiskError */
  clear(): void {
    if (this.entryCount > 0) this.file.truncate(0)
    this.entryCount = 0
  }
}
