/** Reads one file of the transaction log, entry by entry, as far as it is whole. */
import type { DiskFile } from '../../runtime/disk.ts'
import { WireError } from '../../wire/errors.ts'
import { Reader } from '../../wire/reader.ts'
import { FileHeader, take } from '../protocol/records.ts'
import { adler32 } from './adler32.ts'
import { FileWindow } from './file-window.ts'
import { ENTRY_END, ENTRY_HEAD_BYTES, FILE_VERSION, HEADER_BYTES, LOG_MAGIC } from './log.ts'
import { takeTransaction, type Transaction } from './transactions.ts'

/** How a file ends: where zeroes or nothing follow, or with bytes that are no whole entry. */
export type LogEnd = 'clean' | 'damaged' | 'no header'

/** Some bytes must be brought in first. */
export const MORE = 'more'

export class LogReader {
  end: LogEnd | undefined
  private readonly window: FileWindow
  private wanted = 0
  private hasHeader = false

  constructor(file: DiskFile) {
    this.window = new FileWindow(file)
  }

  /** Where the last whole entry ends. */
  get position(): number {
    return this.window.position
  }

  /**
   * The next transaction; MORE where `fill` must be called first; or undefined at the end, of which
   * `end` then tells. @throws WireError for what is whole and yet nothing we know.
   */
  next(): Transaction | typeof MORE | undefined {
    if (this.end !== undefined) return undefined
    if (!this.hasHeader) return this.readHeader()
    const { window } = this
    if (!window.has(ENTRY_HEAD_BYTES)) {
      return window.reaches(ENTRY_HEAD_BYTES) ? this.want(ENTRY_HEAD_BYTES) : this.atRest()
    }
    const { bytes, at } = window
    const length = bytes.readInt32BE(at + 8)
    const sumHigh = bytes.readInt32BE(at)
    const sum = bytes.readUInt32BE(at + 4)
    if (length === 0) return this.stop(sumHigh === 0 && sum === 0 ? 'clean' : 'damaged')
    const entryBytes = ENTRY_HEAD_BYTES + length + 1
    if (length < 0 || !window.reaches(entryBytes)) return this.stop('damaged')
    if (!window.has(entryBytes)) return this.want(entryBytes)
    const start = at + ENTRY_HEAD_BYTES
    const isWhole =
      bytes[start + length] === ENTRY_END &&
      sumHigh === 0 &&
      adler32(bytes, start, start + length) === sum
    if (!isWhole) return this.stop('damaged')
    window.at = at + entryBytes
    return takeTransaction(bytes.subarray(start, start + length))
  }

  /** What `next` asked for. @throws DiskError */
  async fill(): Promise<void> {
    await this.window.fill(this.wanted)
  }

  private want(length: number): typeof MORE {
    this.wanted = length
    return MORE
  }

  private stop(end: LogEnd): undefined {
    this.end = end
    return undefined
  }

  /** Fewer bytes than an entry's head are left. */
  private atRest(): typeof MORE | undefined {
    const { window } = this
    const rest = window.size - window.position
    if (!window.has(rest)) return this.want(rest)
    const isZero = window.bytes.subarray(window.at, window.at + rest).every((byte) => byte === 0)
    return this.stop(isZero ? 'clean' : 'damaged')
  }

  private readHeader(): Transaction | typeof MORE | undefined {
    const { window } = this
    if (!window.has(HEADER_BYTES)) {
      return window.reaches(HEADER_BYTES) ? this.want(HEADER_BYTES) : this.stop('no header')
    }
    const { bytes, at } = window
    if (bytes.readInt32BE(at) === 0) return this.stop('no header')
    const { magic, version } = take(new Reader(bytes, at, at + HEADER_BYTES), FileHeader)
    if (magic !== LOG_MAGIC || version !== FILE_VERSION) {
      throw new WireError(`it is no transaction log of version ${FILE_VERSION}`, 0)
    }
    window.at += HEADER_BYTES
    this.hasHeader = true
    return this.next()
  }
}
