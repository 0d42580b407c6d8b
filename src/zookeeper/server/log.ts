/**
 * The transaction log, in Apache ZooKeeper's format: files `log.<zxid of the first transaction, hex>`
 * of a FileHeader and entries { int64 Adler-32, int32 length, header and transaction, 'B' }, extended
 * in steps of zeroes. A server never goes on in an old file: each start begins a new one.
 */
import type { Disk, DiskFile } from '../../runtime/disk.ts'
import { Writer } from '../../wire/writer.ts'
import { FileHeader, put } from '../protocol/records.ts'
import { adler32 } from './adler32.ts'
import { putTransaction, type Transaction } from './transactions.ts'

export const LOG_MAGIC = 0x5a4b4c47
export const FILE_VERSION = 2
export const HEADER_BYTES = 16
/** Of an entry's checksum and length. */
export const ENTRY_HEAD_BYTES = 12
/** Behind each entry. */
export const ENTRY_END = 0x42

/** zxids are unsigned in names. */
export function logName(zxid: bigint): string {
  return `log.${BigInt.asUintN(64, zxid).toString(16)}`
}

export interface TransactionLogSettings {
  /** The version-2 directory; it must exist. */
  readonly directory: string
  /** Files grow by so much at a time; 0: just as needed. */
  readonly preallocateBytes: number
  /** False acknowledges before the disk has it (forceSync=no). */
  readonly forceSync: boolean
}

/** Appends and syncs; one sync at a time is up to the caller, who also reads no file being written. */
export class TransactionLog {
  private readonly disk: Disk
  private readonly settings: TransactionLogSettings
  private readonly writer = new Writer(4096)
  private file: DiskFile | undefined
  private position = 0
  private allocated = 0
  private nameIsDurable = true

  constructor(disk: Disk, settings: TransactionLogSettings) {
    this.disk = disk
    this.settings = settings
  }

  /** Writes to the page cache. Not empty, in order of zxid. @throws DiskError */
  append(transactions: readonly Transaction[]): void {
    const first = transactions[0]
    if (first === undefined) return
    this.writer.reset()
    const file = this.file ?? this.begin(first.header.zxid)
    for (const transaction of transactions) this.putEntry(transaction)
    const bytes = this.writer.bytes()
    this.allocate(file, this.position + bytes.length)
    file.write(bytes, 0, bytes.length, this.position)
    this.position += bytes.length
    if (this.writer.buffer.length > WRITER_BYTES_KEPT) this.writer.buffer = Buffer.allocUnsafe(4096)
  }

  private putEntry(transaction: Transaction): void {
    const { writer } = this
    const start = writer.reserve(12)
    putTransaction(writer, transaction)
    const end = writer.position
    writer.buffer.writeUInt32BE(0, start)
    writer.buffer.writeUInt32BE(adler32(writer.buffer, start + 12, end), start + 4)
    writer.buffer.writeInt32BE(end - start - 12, start + 8)
    writer.uint8(ENTRY_END)
  }

  private begin(zxid: bigint): DiskFile {
    const path = `${this.settings.directory}/${logName(zxid)}`
    const file = this.disk.open(path, 'replace')
    this.file = file
    this.position = 0
    this.allocated = 0
    this.nameIsDurable = false
    put(this.writer, FileHeader, { magic: LOG_MAGIC, version: FILE_VERSION, dbid: 0n })
    return file
  }

  /** A file that has its size already is synced without its metadata. */
  private allocate(file: DiskFile, end: number): void {
    const step = this.settings.preallocateBytes
    if (step === 0 || end <= this.allocated) return
    this.allocated = Math.ceil((end + 1) / step) * step
    file.truncate(this.allocated)
  }

  /** Resolves when all that was appended before the call survives power loss. @throws DiskError */
  async sync(): Promise<void> {
    if (this.file === undefined || !this.settings.forceSync) return
    await this.file.sync()
    if (this.nameIsDurable) return
    this.disk.syncDirectory(this.settings.directory)
    this.nameIsDurable = true
  }

  /** Ends the file; the next append begins another. Only when all is synced. */
  roll(): void {
    this.file?.close()
    this.file = undefined
  }
}

const WRITER_BYTES_KEPT = 4 << 20
