/**
 * Walks the entries of a log file by their headers: in short synchronous steps for look-ups near an
 * index entry, asynchronously in pieces for recovery and for searches by time, so that no walk holds
 * the loop.
 */
import {
  checksum,
  checksumStart,
  entryLastOffset,
  entryMagic,
  entrySize,
  headerBytes,
  isPlausible,
  markerBytesMax,
  storedChecksum,
} from './entry.ts'
import type { LogFile } from './log-file.ts'

const stepBytes = 8192
const pieceBytes = 512 * 1024
/** Magic is the last byte that every look at an entry needs. */
const leastBytes = 17

/** Used only within one synchronous call, so one serves all. */
const step = Buffer.allocUnsafeSlow(stepBytes)

/** No entry from there on ends at or above the offset. */
export const nothingFound = -1
/** The bytes there are no entry. */
export const damageFound = -2

/**
 * Position of the first entry at or after `from` that ends at or above `offset`, or one of the two
 * above. @throws DiskError
 */
export function positionOf(file: LogFile, from: number, end: number, offset: number): number {
  let position = from
  while (position < end) {
    const filled = file.readNow(step, 0, Math.min(stepBytes, end - position), position)
    // An entry cut off by the end of the step is looked at again at the beginning of the next.
    if (filled < Math.min(headerBytes, end - position)) return damageFound
    for (let at = 0; at + Math.min(headerBytes, end - position) <= filled; ) {
      if (end - position < leastBytes || !isPlausible(step, at)) return damageFound
      if (entryLastOffset(step, at) >= offset) return position
      const size = entrySize(step, at)
      at += size
      position += size
      if (position >= end) return nothingFound
    }
  }
  return nothingFound
}

/** The first bytes of the entry at `position`, valid until the next call. @throws DiskError */
export function headerAt(file: LogFile, position: number, end: number): Buffer | undefined {
  const filled = file.readNow(step, 0, Math.min(headerBytes, end - position), position)
  return filled >= leastBytes && isPlausible(step, 0) ? step.subarray(0, filled) : undefined
}

export interface ScanOptions {
  readonly from: number
  /** Exclusive; entries that reach beyond it are not whole. */
  readonly end: number
  /** Also reads each entry to its end and checks its checksum. */
  readonly verify: boolean
}

export interface ScanResult {
  /** Where the first entry begins that is not whole or not sound, or `end`. */
  readonly validEnd: number
  readonly stoppedBy: 'end' | 'visitor' | 'damage'
}

/**
 * Shown each sound entry: its header stands in `buffer` at `at` (a transaction marker is there whole).
 * True stops the scan before this entry.
 */
export type Visitor = (buffer: Buffer, at: number, position: number, size: number) => boolean

/** Yields to the loop after every piece of half a megabyte. @throws DiskError */
export async function scan(
  file: LogFile,
  options: ScanOptions,
  visit: Visitor,
): Promise<ScanResult> {
  const piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, Math.max(options.end, markerBytesMax)))
  let position = options.from
  while (position < options.end) {
    const wanted = Math.min(piece.length, options.end - position)
    const filled = await file.read(piece, 0, wanted, position)
    let at = 0
    while (at < filled) {
      const rest = options.end - position
      if (rest < leastBytes) return { validEnd: position, stoppedBy: 'damage' }
      // Too little of this entry is here: the next piece begins with it.
      if (filled - at < Math.min(markerBytesMax, rest)) break
      if (!isPlausible(piece, at)) return { validEnd: position, stoppedBy: 'damage' }
      const size = entrySize(piece, at)
      if (size > rest) return { validEnd: position, stoppedBy: 'damage' }
      const sound = !options.verify || verify(file, piece, at, filled, position, size)
      if (!(typeof sound === 'boolean' ? sound : await sound)) {
        return { validEnd: position, stoppedBy: 'damage' }
      }
      if (visit(piece, at, position, size)) return { validEnd: position, stoppedBy: 'visitor' }
      at += size
      position += size
    }
    // The file is shorter than it should be.
    if (filled < wanted && at < filled) return { validEnd: position, stoppedBy: 'damage' }
    if (filled === 0) return { validEnd: position, stoppedBy: 'damage' }
  }
  return { validEnd: position, stoppedBy: 'end' }
}

/** Synchronous where the whole entry is in the piece; else the rest is read in pieces of its own. */
function verify(
  file: LogFile,
  piece: Buffer,
  at: number,
  filled: number,
  position: number,
  size: number,
): boolean | Promise<boolean> {
  const magic = entryMagic(piece, at)
  const expected = storedChecksum(piece, at)
  const from = at + checksumStart(magic)
  if (at + size <= filled) return checksum(magic, piece, from, at + size, 0) === expected
  const begun = checksum(magic, piece, from, filled, 0)
  const rest = { position: position + filled - at, end: position + size }
  return verifyRest(file, magic, begun, rest).then((actual) => actual === expected)
}

async function verifyRest(
  file: LogFile,
  magic: number,
  begun: number,
  rest: { position: number; end: number },
): Promise<number> {
  const piece = Buffer.allocUnsafeSlow(pieceBytes)
  let crc = begun
  for (let position = rest.position; position < rest.end; ) {
    const filled = await file.read(piece, 0, Math.min(pieceBytes, rest.end - position), position)
    if (filled === 0) return -1
    crc = checksum(magic, piece, 0, filled, crc)
    position += filled
  }
  return crc
}

/**
 * Walks the last few entries: their last offset, -1 where there is none, and where the whole ones end.
 * @throws DiskError
 */
export function walkToEnd(
  file: LogFile,
  from: number,
  end: number,
): { lastOffset: number; end: number } {
  let lastOffset = -1
  let position = from
  while (position < end) {
    const header = headerAt(file, position, end)
    if (header === undefined || position + entrySize(header, 0) > end) break
    lastOffset = entryLastOffset(header, 0)
    position += entrySize(header, 0)
  }
  return { lastOffset, end: position }
}
