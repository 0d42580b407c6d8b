/** Reads one file of the transaction log, entry by entry, as far as it is whole. */
import type { DiskFile } from '../../runtime/disk.ts'
import { WireError } from '../../wire/errors.ts'
import { Reader } from '../../wire/reader.ts'
import { FileHeader, take } from '../protocol/records.ts'
import { adler32 } from './adler32.ts'
import { ENTRY_END, FILE_VERSION, HEADER_BYTES, LOG_MAGIC } from './log.ts'
import { takeTransaction, type Transaction } from './transactions.ts'

const WINDOW_BYTES = 1 << 20
const ENTRY_HEAD_BYTES = 12

/** How a file ends: where zeroes or nothing follow, or within bytes that are no entry. */
export type LogEnd = 'clean' | 'torn' | 'no header'

export class LogReader {
  /** Where the last whole entry ends. */
  position = 0
  end: LogEnd | undefined
  private readonly file: DiskFile
  private readonly size: number
  private window: Buffer = Buffer.alloc(0)
  private windowStart = 0

  constructor(file: DiskFile) {
    this.file = file
    this.size = file.size()
  }

  /** The next transaction, or undefined at the end, of which `end` then tells. @throws DiskError */
  next(): Transaction | undefined {
    if (this.end !== undefined) return undefined
    if (this.position === 0 && !this.readHeader()) return undefined
    const head = this.bytes(this.position, ENTRY_HEAD_BYTES)
    if (head === undefined) return this.stop(this.allZero(this.position) ? 'clean' : 'torn')
    const checksum = head.readBigUInt64BE(0)
    const length = head.readInt32BE(8)
    if (length === 0) return this.stop(checksum === 0n ? 'clean' : 'torn')
    const entry = length < 0 ? undefined : this.bytes(this.position + ENTRY_HEAD_BYTES, length + 1)
    if (entry === undefined) return this.stop('torn')
    if (entry[length] !== ENTRY_END) return this.stop('torn')
    if (BigInt(adler32(entry, 0, length)) !== checksum) return this.stop('torn')
    const transaction = takeTransaction(entry.subarray(0, length))
    this.position += ENTRY_HEAD_BYTES + length + 1
    return transaction
  }

  private stop(end: LogEnd): undefined {
    this.end = end
    return undefined
  }

  private readHeader(): boolean {
    const bytes = this.bytes(0, HEADER_BYTES)
    if (bytes === undefined || bytes.readInt32BE(0) === 0) {
      this.end = 'no header'
      return false
    }
    const { magic, version } = take(new Reader(bytes), FileHeader)
    if (magic !== LOG_MAGIC || version !== FILE_VERSION) {
      throw new WireError(`${this.file.path} is no transaction log of version ${FILE_VERSION}`, 0)
    }
    this.position = HEADER_BYTES
    return true
  }

  private allZero(start: number): boolean {
    const rest = this.bytes(start, Math.max(0, this.size - start))
    return rest === undefined || rest.every((byte) => byte === 0)
  }

  /** A view of file[start, start + length), valid until the next call; undefined past the end. */
  private bytes(start: number, length: number): Buffer | undefined {
    if (start + length > this.size) return undefined
    const from = start - this.windowStart
    if (from >= 0 && from + length <= this.window.length) {
      return this.window.subarray(from, from + length)
    }
    const wanted = Math.min(Math.max(length, WINDOW_BYTES), this.size - start)
    const window = Buffer.allocUnsafe(wanted)
    const filled = this.file.readNow(window, 0, wanted, start)
    this.window = window.subarray(0, filled)
    this.windowStart = start
    return filled < length ? undefined : this.window.subarray(0, length)
  }
}
