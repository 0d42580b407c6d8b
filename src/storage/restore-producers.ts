/** The producers' state as of an offset: from the newest usable snapshot, and from there by replay. */
import { entryLastOffset, entryMagic } from './entry.ts'
import { Producers } from './producers.ts'
import { replayEntry } from './replay.ts'
import { headerAt, scan } from './scan.ts'
import type { Segment } from './segment.ts'
import type { Snapshots } from './snapshots.ts'

/** @throws DiskError */
export async function restoreProducers(
  segments: readonly Segment[],
  snapshots: Snapshots,
  offset: number,
): Promise<Producers> {
  const producers = new Producers()
  let from = snapshots.restore(producers, offset)
  if (from < 0) {
    // Old formats know no producers: a log that ends in one has none to remember.
    if (endsInOldFormat(segments)) return producers
    from = 0
  }
  for (const [index, segment] of segments.entries()) {
    const next = segments[index + 1]
    if (segment.baseOffset >= offset) break
    if (next !== undefined && next.baseOffset <= from) continue
    const start = from > segment.baseOffset ? segment.positionOf(from) : 0
    if (start < 0) continue
    const part = { from: start, end: segment.sizeBytes, verify: false }
    await scan(segment.log, part, (buffer, at) => {
      if (entryLastOffset(buffer, at) >= offset) return true
      replayEntry(producers, buffer, at)
      return false
    })
  }
  return producers
}

function endsInOldFormat(segments: readonly Segment[]): boolean {
  const last = segments.findLast((segment) => segment.sizeBytes > 0)
  const header = last && headerAt(last.log, 0, last.sizeBytes)
  return header === undefined || entryMagic(header, 0) < 2
}
