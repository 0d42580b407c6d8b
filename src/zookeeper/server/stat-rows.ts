// Pure.
// The stats of all nodes, in rows of StatPersisted's own layout: what a snapshot takes over as it is and
// what an answer's Stat is made of by copying, so that reads make no numbers of 64 bits.
import type { Reader } from '../../wire/reader.ts'
import type { Writer } from '../../wire/writer.ts'

/** Of StatPersisted. */
export const STAT_BYTES = 60
const ROW_BYTES = 64
const CHUNK_BYTES = 4096 * ROW_BYTES
/** Where a value stands in its row. */
export const CZXID = 0
export const MZXID = 8
export const CTIME = 16
export const MTIME = 24
export const VERSION = 32
export const CVERSION = 36
export const AVERSION = 40
export const OWNER = 44
export const PZXID = 52

/** A row's bytes are chunk[at, at + STAT_BYTES). */
export interface StatRow {
  readonly chunk: Buffer
  readonly at: number
}

export class StatRows {
  private chunk = Buffer.alloc(0)
  private used = 0
  private readonly freeChunks: Buffer[] = []
  private readonly freeAts: number[] = []

  /** A row of zeroes. */
  take(): StatRow {
    const chunk = this.freeChunks.pop()
    const at = this.freeAts.pop()
    if (chunk !== undefined && at !== undefined) {
      chunk.fill(0, at, at + ROW_BYTES)
      return { chunk, at }
    }
    if (this.used === this.chunk.length) {
      this.chunk = Buffer.alloc(this.chunk.length === 0 ? CHUNK_BYTES / 64 : CHUNK_BYTES)
      this.used = 0
    }
    const row = { chunk: this.chunk, at: this.used }
    this.used += ROW_BYTES
    return row
  }

  give({ chunk, at }: StatRow): void {
    this.freeChunks.push(chunk)
    this.freeAts.push(at)
  }
}

/** Fills a row from a StatPersisted. @throws WireError */
export function takeRow({ chunk, at }: StatRow, reader: Reader): void {
  const bytes = reader.bytes(STAT_BYTES)
  bytes.copy(chunk, at)
}

/** The row as a StatPersisted. */
export function putRow(writer: Writer, { chunk, at }: StatRow): void {
  const target = writer.reserve(STAT_BYTES)
  chunk.copy(writer.buffer, target, at, at + STAT_BYTES)
}

/** Bytes of a Stat as clients see it. */
export const WIRE_STAT_BYTES = 68

/**
 * The row as a Stat of the protocol. There cversion counts creates and deletes of children together.
 */
export function putWireStat(
  target: Buffer,
  start: number,
  { chunk, at }: StatRow,
  { length, children }: { readonly length: number; readonly children: number },
): void {
  chunk.copy(target, start, at, at + PZXID)
  target.writeInt32BE((chunk.readInt32BE(at + CVERSION) * 2 - children) | 0, start + CVERSION)
  target.writeInt32BE(length, start + PZXID)
  target.writeInt32BE(children, start + PZXID + 4)
  chunk.copy(target, start + PZXID + 8, at + PZXID, at + STAT_BYTES)
}
