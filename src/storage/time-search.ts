/** Finds records by their timestamps: time index, then batch headers, then the records of one batch. */
import { WireError } from '../wire/errors.ts'
import { sourceRecords } from '../kafka/records/read.ts'
import {
  entryBaseOffset,
  entryLastOffset,
  entryLeaderEpoch,
  entryMagic,
  entryMaxTimestamp,
} from './entry.ts'
import type { TimestampOffset } from './results.ts'
import { scan } from './scan.ts'
import type { Segment } from './segment.ts'

/** A batch that holds a record young enough. */
interface Candidate {
  readonly position: number
  readonly size: number
}

/** Only records within [from, upTo) count. */
export interface SearchRange {
  readonly from: number
  readonly upTo: number
}

/** The first record whose timestamp is at least `timestamp`. @throws DiskError */
export async function searchLog(
  segments: readonly Segment[],
  timestamp: number,
  range: SearchRange,
): Promise<TimestampOffset | undefined> {
  for (const segment of segments) {
    if (segment.baseOffset >= range.upTo) return undefined
    if (segment.maxTimestamp < timestamp) continue
    const found = await searchSegment(segment, timestamp, range)
    if (found !== undefined) return found
  }
  return undefined
}

/** The first record that has the largest timestamp of all. @throws DiskError */
export async function searchMaxTimestamp(
  segments: readonly Segment[],
  range: SearchRange,
): Promise<TimestampOffset | undefined> {
  let newest: Segment | undefined
  for (const segment of segments) {
    if (segment.maxTimestamp > (newest?.maxTimestamp ?? -1)) newest = segment
  }
  if (newest === undefined) return undefined
  return searchSegment(newest, newest.maxTimestamp, range)
}

async function searchSegment(
  segment: Segment,
  timestamp: number,
  range: SearchRange,
): Promise<TimestampOffset | undefined> {
  segment.flushGathered()
  const begin = Math.max(range.from, segment.timeIndex.floorOffset(timestamp))
  let position = segment.positionOf(begin)
  while (position >= 0 && position < segment.sizeBytes) {
    const candidate = await nextCandidate(segment, position, timestamp, range)
    if (candidate === undefined) return undefined
    const found = await searchBatch(segment, candidate, timestamp, range)
    if (found !== undefined) return found
    position = candidate.position + candidate.size
  }
  return undefined
}

async function nextCandidate(
  segment: Segment,
  from: number,
  timestamp: number,
  range: SearchRange,
): Promise<Candidate | undefined> {
  let candidate: Candidate | undefined
  const part = { from, end: segment.sizeBytes, verify: false }
  await scan(segment.log, part, (buffer, at, position, size) => {
    if (entryMagic(buffer, at) >= 2 && entryBaseOffset(buffer, at) >= range.upTo) return true
    const young = entryMaxTimestamp(buffer, at) >= timestamp
    if (!young || entryLastOffset(buffer, at) < range.from) return false
    candidate = { position, size }
    return true
  })
  return candidate
}

async function searchBatch(
  segment: Segment,
  candidate: Candidate,
  timestamp: number,
  range: SearchRange,
): Promise<TimestampOffset | undefined> {
  const bytes = Buffer.allocUnsafeSlow(candidate.size)
  const filled = await segment.log.read(bytes, 0, candidate.size, candidate.position)
  if (filled < candidate.size) return undefined
  for (const record of recordsOf(bytes)) {
    if (record.timestamp < timestamp) continue
    if (record.offset < range.from || record.offset >= range.upTo) continue
    return {
      offset: record.offset,
      timestamp: record.timestamp,
      leaderEpoch: entryLeaderEpoch(bytes, 0),
    }
  }
  return undefined
}

/** Records that cannot be read are passed over: the consumer that asks will meet them itself. */
function recordsOf(bytes: Buffer): readonly { offset: number; timestamp: number }[] {
  try {
    return sourceRecords(bytes, 0)
  } catch (error) {
    if (error instanceof WireError) return []
    throw error
  }
}
