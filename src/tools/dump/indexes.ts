// The three kinds of index as kafka-dump-log shows them, compared with the log beside them.
import { baseOffset, lastOffset, magic } from '../../kafka/records/batch.ts'
import { sourceRecords } from '../../kafka/records/read.ts'
import { type Disk, type DiskFile, readFile } from '../../runtime/disk.ts'
import { offsetEntryBytes } from '../../storage/offset-index.ts'
import { timeEntryBytes } from '../../storage/time-index.ts'
import { transactionEntryBytes } from '../../storage/transaction-index.ts'
import type { Findings } from './findings.ts'
import { batchesOf, type FoundBatch } from './log-walk.ts'

export interface IndexPlace {
  readonly path: string
  /** Under this name findings are told. */
  readonly absolutePath: string
  readonly baseOffset: number
  readonly findings: Findings
}

export interface IndexChecks {
  /** Only what a start of the broker checks. */
  readonly checksOnly: boolean
  /** Entries are not printed. */
  readonly verifiesOnly: boolean
}

export interface IndexPorts {
  readonly disk: Disk
  readonly line: (text: string) => Promise<void>
}

interface OffsetEntry {
  readonly offset: number
  readonly position: number
}

function offsetEntries(bytes: Buffer, base: number): OffsetEntry[] {
  const entries: OffsetEntry[] = []
  for (let at = 0; at + offsetEntryBytes <= bytes.length; at += offsetEntryBytes) {
    const offset = base + bytes.readInt32BE(at)
    // A file that was not closed goes on with zeroes.
    if (offset === base && at > 0) break
    entries.push({ offset, position: bytes.readInt32BE(at + 4) })
  }
  return entries
}

/** @throws DiskError; RangeError where the index would be rebuilt */
export async function dumpOffsetIndex(
  { path, absolutePath, baseOffset: base, findings }: IndexPlace,
  { checksOnly, verifiesOnly }: IndexChecks,
  { disk, line }: IndexPorts,
): Promise<void> {
  const bytes = readFile(disk, path)
  if (bytes.length < offsetEntryBytes) return line(`${path} is empty.`)
  if (checksOnly) {
    checkSize(bytes, offsetEntryBytes, absolutePath)
    const last = base + bytes.readInt32BE(bytes.length - offsetEntryBytes)
    checkLast(last, base, absolutePath)
    return line(`${path} passed sanity check.`)
  }
  await withLog(disk, path, async (log) => {
    for (const { offset, position } of offsetEntries(bytes, base)) {
      const found = await firstBatch(log, position)
      const actual = found === undefined ? -1 : lastOffsetOf(found)
      if (actual !== offset) findings.add('index', absolutePath, offset, actual)
      if (!verifiesOnly) await line(`offset: ${offset} position: ${position}`)
    }
  })
}

/** @throws DiskError; RangeError where the index would be rebuilt */
export async function dumpTimeIndex(
  { path, absolutePath, baseOffset: base, findings }: IndexPlace,
  { checksOnly, verifiesOnly }: IndexChecks,
  { disk, line }: IndexPorts,
): Promise<void> {
  const bytes = readFile(disk, path)
  if (checksOnly) {
    checkSize(bytes, timeEntryBytes, absolutePath)
    const last = bytes.length === 0 ? base : base + bytes.readInt32BE(bytes.length - 4)
    if (last < base) checkLast(last, base, absolutePath)
    return line(`${path} passed sanity check.`)
  }
  const positions = offsetEntries(indexBeside(disk, path), base)
  let before = -1
  await withLog(disk, path, async (log) => {
    for (let at = 0; at + timeEntryBytes <= bytes.length; at += timeEntryBytes) {
      const timestamp = Number(bytes.readBigInt64BE(at))
      const offset = base + bytes.readInt32BE(at + 8)
      if (offset === base && timestamp === 0 && at > 0) break
      const found = await batchUpTo(log, floorPosition(positions, offset), offset)
      const actual = found === undefined ? -1 : lastOffsetOf(found)
      if (found === undefined || actual !== offset) {
        findings.add('missing', absolutePath, offset, actual)
      } else {
        const latest = latestTimestamp(found)
        if (latest !== timestamp) findings.add('timestamp', absolutePath, timestamp, latest)
        if (before >= timestamp) findings.add('order', absolutePath, timestamp, before)
      }
      if (!verifiesOnly) await line(`timestamp: ${timestamp} offset: ${offset}`)
      before = timestamp
    }
  })
}

/** @throws DiskError */
export async function dumpTransactionIndex(
  path: string,
  { disk, line }: IndexPorts,
): Promise<void> {
  const bytes = readFile(disk, path)
  for (let at = 0; at + transactionEntryBytes <= bytes.length; at += transactionEntryBytes) {
    const number = (offset: number): bigint => bytes.readBigInt64BE(at + offset)
    await line(
      `version: ${bytes.readInt16BE(at)} producerId: ${number(2)} firstOffset: ${number(10)}` +
        ` lastOffset: ${number(18)} lastStableOffset: ${number(26)}`,
    )
  }
}

function checkSize(bytes: Buffer, entryBytes: number, path: string): void {
  if (bytes.length % entryBytes === 0) return
  throw new RangeError(
    `Index file ${path} is corrupt, found ${bytes.length} bytes which is neither positive nor a multiple of ${entryBytes}`,
  )
}

function checkLast(last: number, base: number, path: string): void {
  if (last > base) return
  throw new RangeError(
    `Corrupt index found, index file (${path}) has non-zero size but the last offset is ${last} which is no greater than the base offset ${base}.`,
  )
}

async function withLog(
  disk: Disk,
  indexPath: string,
  action: (log: DiskFile) => Promise<void>,
): Promise<void> {
  const log = disk.open(indexPath.replace(/\.[a-z]+$/, '.log'), 'read')
  try {
    await action(log)
  } finally {
    log.close()
  }
}

function indexBeside(disk: Disk, path: string): Buffer {
  const index = path.replace(/\.timeindex$/, '.index')
  return disk.stat(index) === undefined ? Buffer.alloc(0) : readFile(disk, index)
}

function floorPosition(entries: readonly OffsetEntry[], offset: number): number {
  let low = -1
  let high = entries.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((entries[middle]?.offset ?? Infinity) <= offset) low = middle
    else high = middle - 1
  }
  return entries[low]?.position ?? 0
}

async function firstBatch(log: DiskFile, position: number): Promise<FoundBatch | undefined> {
  for await (const found of batchesOf(log, position, log.size())) return found
  return undefined
}

async function batchUpTo(
  log: DiskFile,
  position: number,
  offset: number,
): Promise<FoundBatch | undefined> {
  for await (const found of batchesOf(log, position, log.size())) {
    if (lastOffsetOf(found) >= offset) return found
  }
  return undefined
}

function lastOffsetOf({ bytes }: FoundBatch): number {
  return magic(bytes, 0) >= 2 ? lastOffset(bytes, 0) : baseOffset(bytes, 0)
}

function latestTimestamp({ bytes }: FoundBatch): number {
  return sourceRecords(bytes, 0).reduce((most, { timestamp }) => Math.max(most, timestamp), -1)
}
