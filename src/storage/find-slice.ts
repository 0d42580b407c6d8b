// Finds the bytes that answer a read: segment by binary search, position by index, whole batches from
// the one that holds the offset. Copies nothing.
import { Errors } from '../kafka/errors.ts'
import { type LogSlice, noSlice, type ReadOptions, type ReadResult } from './results.ts'
import { damageFound, nothingFound } from './scan.ts'
import type { Segment } from './segment.ts'
import type { Segments } from './segments.ts'

/** Bytes this near the end of the log are taken to be in the page cache. */
const hotBytes = 64 * 1024 * 1024

const nothing = noSlice(Errors.NONE)
const damaged = noSlice(Errors.CORRUPT_MESSAGE)

/** `offset` lies within the log. @throws DiskError */
export function findSlice(segments: Segments, offset: number, options: ReadOptions): ReadResult {
  if (options.maxBytes <= 0 && !options.minOneBatch) return nothing
  for (let index = segments.floorIndex(offset); index < segments.all.length; index++) {
    const segment = segments.at(index)
    if (segment.baseOffset >= options.upTo) return nothing
    const position = segment.positionOf(offset)
    if (position === damageFound) return damaged
    // Compaction may have emptied the segment from here on: the next one goes on.
    if (position < 0) continue
    const end = endPosition(segments, index, options.upTo)
    if (end === damageFound) return damaged
    if (position >= end) return nothing
    return { error: Errors.NONE, slice: slice(segments, segment, position, end, options) }
  }
  return nothing
}

/** Where the batches of a segment end that begin below `upTo`. */
function endPosition(segments: Segments, index: number, upTo: number): number {
  const segment = segments.at(index)
  const next = segments.endOf(index)
  if (upTo >= (next ?? Number.POSITIVE_INFINITY)) return segment.sizeBytes
  const position = segment.positionOf(upTo)
  return position === nothingFound ? segment.sizeBytes : position
}

function slice(
  segments: Segments,
  segment: Segment,
  position: number,
  end: number,
  options: ReadOptions,
): LogSlice {
  const available = end - position
  let length = Math.min(available, options.maxBytes)
  let firstBatchIncomplete = false
  if (length < available) {
    const first = segment.entrySizeAt(position)
    if (first > length) {
      if (options.minOneBatch) length = Math.min(first, available)
      else firstBatchIncomplete = true
    }
  }
  const { active } = segments
  return {
    file: segment.log,
    position,
    length,
    segmentBaseOffset: segment.baseOffset,
    firstBatchIncomplete,
    hot: segment === active && active.sizeBytes - position <= hotBytes,
  }
}
