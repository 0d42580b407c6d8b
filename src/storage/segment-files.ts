/**
 * What stands in a partition's directory. Removes what deletions and cleanings left behind, finishes
 * a swap that had begun, and tells the segments and snapshots that remain.
 */
import type { Disk } from '../runtime/disk.ts'
import { entryLastOffset } from './entry.ts'
import { parseSegmentFile, segmentFile } from './file-names.ts'
import { LogFile } from './log-file.ts'
import { offsetEntryBytes } from './offset-index.ts'
import { scan } from './scan.ts'
import type { SegmentFacts, SegmentPlace } from './segment.ts'
import { timeEntryBytes } from './time-index.ts'
import { transactionEntryBytes } from './transaction-index.ts'

export interface FoundSegment {
  readonly baseOffset: number
  readonly facts: SegmentFacts
  /** Undefined where the file is missing. */
  readonly indexBytes: number | undefined
  readonly timeIndexBytes: number | undefined
  readonly transactionIndexBytes: number
}

export interface FoundFiles {
  /** Rising. */
  readonly segments: FoundSegment[]
  readonly snapshots: number[]
}

type SegmentFile = NonNullable<ReturnType<typeof parseSegmentFile>>

/** @throws DiskError */
export async function findSegments(disk: Disk, place: SegmentPlace): Promise<FoundFiles> {
  const path = (name: string) => `${place.directory}/${name}`
  let present = listFiles(disk, place.directory)
  if (present.some((file) => file.temporary !== '')) {
    await finishTemporaries(disk, place, present)
    present = listFiles(disk, place.directory)
  }
  const bases = new Set<number>()
  for (const file of present) if (file.suffix === '.log') bases.add(file.offset)
  const snapshots: number[] = []
  const others = new Set<string>()
  for (const file of present) {
    const name = segmentFile(file.offset, file.suffix)
    if (file.suffix === '.snapshot') snapshots.push(file.offset)
    else if (bases.has(file.offset)) others.add(name)
    else disk.remove(path(name))
  }
  const sizeOf = (offset: number, suffix: '.index' | '.timeindex' | '.txnindex') => {
    const name = segmentFile(offset, suffix)
    return others.has(name) ? disk.stat(path(name))?.size : undefined
  }
  const segments = [...bases].sort(rising).map((baseOffset): FoundSegment => {
    const log = disk.stat(path(segmentFile(baseOffset, '.log')))
    const indexBytes = sizeOf(baseOffset, '.index')
    const timeIndexBytes = sizeOf(baseOffset, '.timeindex')
    const transactionIndexBytes = sizeOf(baseOffset, '.txnindex') ?? 0
    const facts = {
      sizeBytes: log?.size ?? 0,
      modifiedMs: log?.modifiedMs ?? 0,
      indexEntries: Math.floor((indexBytes ?? 0) / offsetEntryBytes),
      timeEntries: Math.floor((timeIndexBytes ?? 0) / timeEntryBytes),
      transactionEntries: Math.floor(transactionIndexBytes / transactionEntryBytes),
    }
    return { baseOffset, facts, indexBytes, timeIndexBytes, transactionIndexBytes }
  })
  return { segments, snapshots: snapshots.sort(rising) }
}

function listFiles(disk: Disk, directory: string): SegmentFile[] {
  return disk
    .list(directory)
    .map((entry) => parseSegmentFile(entry.name))
    .filter((file) => file !== undefined)
}

/**
 * `.deleted` and `.cleaned` files go. `.swap` files were complete when they got that name: they replace
 * the segments they were made from, unless a `.cleaned` file at or before them tells that the swap of a
 * split had not begun.
 */
async function finishTemporaries(
  disk: Disk,
  place: SegmentPlace,
  present: readonly SegmentFile[],
): Promise<void> {
  const nameOf = (file: SegmentFile) =>
    `${place.directory}/${segmentFile(file.offset, file.suffix)}${file.temporary}`
  const cleaned = present.filter((file) => file.temporary === '.cleaned')
  const firstCleaned = Math.min(...cleaned.map((file) => file.offset), Number.MAX_SAFE_INTEGER)
  const swaps: SegmentFile[] = []
  for (const file of present) {
    if (file.temporary === '') continue
    if (file.temporary === '.swap' && file.offset < firstCleaned) swaps.push(file)
    else disk.remove(nameOf(file))
  }
  const swapped = swaps.filter((file) => file.suffix === '.log')
  if (swapped.length > 0) {
    const first = Math.min(...swapped.map((file) => file.offset))
    let end = first
    for (const file of swapped) end = Math.max(end, await endOf(place, nameOf(file), file.offset))
    for (const file of present) {
      const replaced = file.offset >= first && file.offset < end
      if (file.temporary === '' && file.suffix !== '.snapshot' && replaced)
        disk.remove(nameOf(file))
    }
  }
  for (const file of swaps) disk.rename(nameOf(file), nameOf({ ...file, temporary: '' }))
}

/** The offset after the last entry of a log file. */
async function endOf(place: SegmentPlace, path: string, baseOffset: number): Promise<number> {
  const file = new LogFile(place.files, path)
  let end = baseOffset
  await scan(file, { from: 0, end: file.size(), verify: false }, (buffer, at) => {
    end = entryLastOffset(buffer, at) + 1
    return false
  })
  file.closeHandle()
  return end
}

function rising(one: number, other: number): number {
  return one - other
}
