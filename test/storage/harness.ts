/** A log directory on a disk in memory or a real one, and small batches to put into it. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { RecordBatchBuilder, type BatchSettings } from '../../src/kafka/records/builder.ts'
import { readAllRecords } from '../../src/kafka/records/read.ts'
import { VirtualClock } from '../../src/memory/clock.ts'
import { MemoryDisk } from '../../src/memory/disk.ts'
import { MemoryLogger } from '../../src/memory/logger.ts'
import { SeededRandom } from '../../src/memory/random.ts'
import type { Disk } from '../../src/runtime/disk.ts'
import { LogDirectory } from '../../src/storage/log-directory.ts'
import type { PartitionLog } from '../../src/storage/partition-log.ts'
import type { AppendOptions, AppendResult } from '../../src/storage/results.ts'
import {
  defaultLogDirectorySettings,
  defaultLogSettings,
  type LogDirectorySettings,
  type LogSettings,
} from '../../src/storage/settings.ts'

/** Small, so that a few records make several segments and index entries. */
export const smallSettings: LogSettings = {
  ...defaultLogSettings,
  segmentBytes: 2000,
  segmentIndexBytes: 1200,
  indexIntervalBytes: 200,
  retentionMs: -1,
}

export interface World<D extends Disk> {
  readonly disk: D
  readonly clock: VirtualClock
  readonly logger: MemoryLogger
  readonly path: string
  open(settings?: Partial<LogSettings>, more?: Partial<LogDirectorySettings>): Promise<LogDirectory>
}

export function worldOn<D extends Disk>(disk: D, directory: string): World<D> {
  const clock = new VirtualClock()
  const logger = new MemoryLogger()
  return {
    disk,
    clock,
    logger,
    path: directory,
    open: (settings = {}, more = {}) =>
      LogDirectory.open({ clock, disk, logger, random: new SeededRandom(1) }, directory, {
        ...defaultLogDirectorySettings,
        brokerId: 1,
        clusterId: 'c',
        settingsOf: () => ({ ...smallSettings, ...settings }),
        ...more,
      }),
  }
}

export function memoryWorld(): World<MemoryDisk> {
  return worldOn(new MemoryDisk(), '/logs')
}

/** A directory that is gone after the test. */
export function temporaryDirectory(test: { after(action: () => void): void }): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'storage-'))
  test.after(() => fs.rmSync(directory, { recursive: true, force: true }))
  return directory
}

export interface Line {
  readonly value: string
  readonly timestamp: number
}

export function batchOf(lines: readonly (string | Line)[], settings: BatchSettings = {}): Buffer {
  const builder = new RecordBatchBuilder()
  for (const line of lines) {
    const { value, timestamp } = typeof line === 'string' ? { value: line, timestamp: 1000 } : line
    builder.add(timestamp, Buffer.from('k'), Buffer.from(value))
  }
  return builder.build(settings)
}

export const asClient: AppendOptions = {
  leaderEpoch: 0,
  nowMs: 5000,
  origin: 'client',
  produceVersion: 9,
}

export function append(
  log: PartitionLog,
  lines: readonly (string | Line)[],
  settings: BatchSettings = {},
  options: Partial<AppendOptions> = {},
): AppendResult {
  const bytes = batchOf(lines, settings)
  return log.appendAsLeader(bytes, 0, bytes.length, { ...asClient, ...options })
}

/** What a consumer gets that reads from `offset` to the end, slice by slice: `offset:value`. */
export function readValues(log: PartitionLog, from: number, upTo = log.logEndOffset): string[] {
  const values: string[] = []
  let offset = from
  while (offset < upTo) {
    const { error, slice } = log.read(offset, { maxBytes: 300, upTo, minOneBatch: true })
    if (error !== 0) throw new Error(`read of ${offset} answered ${error}`)
    if (slice === undefined) break
    const bytes = Buffer.alloc(slice.length)
    const length = log.readInto(slice, bytes, 0)
    const before = offset
    for (const record of readAllRecords(bytes, 0, length)) {
      if (record.offset >= offset) values.push(`${record.offset}:${record.value?.toString() ?? ''}`)
      offset = Math.max(offset, record.offset + 1)
    }
    if (offset === before) break
  }
  return values
}
