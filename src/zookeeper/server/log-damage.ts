/**
 * Tells what a crash leaves behind from what has been damaged later. Bytes that were never synced are
 * zeroes after a crash, whole sectors of them, since a log is written over zeroes and never twice; and
 * nobody was told that they were kept. Bytes that are wrong in another way were written and have
 * changed: then what follows may have been acknowledged, and cutting it off would lose it in silence.
 */
import type { Clock } from '../../runtime/clock.ts'
import type { DiskFile } from '../../runtime/disk.ts'
import { adler32 } from './adler32.ts'
import { ENTRY_END, ENTRY_HEAD_BYTES } from './log.ts'

const SECTOR_BYTES = 512
/** How far behind the damage a whole entry is looked for. */
const SEARCH_BYTES = 64 << 20
const SLICE_BYTES = 512 * 1024
/** TxnHeader; no transaction is shorter. */
const TRANSACTION_BYTES_MIN = 32
/** A checksum begins with four bytes of zero, which are no hole. */
const HOLE_BYTES_MIN = 5

export type Damage = 'torn' | 'changed'

/** What the bytes from `position` on are, where no whole entry stands. @throws DiskError */
export async function judgeDamage(clock: Clock, file: DiskFile, position: number): Promise<Damage> {
  const length = Math.min(file.size() - position, SEARCH_BYTES)
  const bytes = Buffer.alloc(length)
  const filled = await file.read(bytes, 0, length, position)
  const rest = bytes.subarray(0, filled)
  const next = await nextEntry(clock, rest)
  const end = next ?? wholeLength(rest)
  // Without an end in sight the last write was cut short.
  if (end === undefined) return 'torn'
  return hasHole(rest, { end, position }) ? 'torn' : 'changed'
}

/** Where the next whole entry begins. */
async function nextEntry(clock: Clock, bytes: Buffer): Promise<number | undefined> {
  for (let start = 1; start < bytes.length; start += SLICE_BYTES) {
    const stop = Math.min(start + SLICE_BYTES, bytes.length)
    for (let at = start; at < stop; at++) if (isEntry(bytes, at)) return at
    await new Promise<void>((resolve) => clock.atEndOfTurn(resolve))
  }
  return undefined
}

function isEntry(bytes: Buffer, at: number): boolean {
  // The byte that is most often not zero first: this runs for every byte.
  if (bytes[at] !== 0 || at + ENTRY_HEAD_BYTES + TRANSACTION_BYTES_MIN >= bytes.length) return false
  if (bytes.readInt32BE(at) !== 0) return false
  const length = bytes.readInt32BE(at + 8)
  if (length < TRANSACTION_BYTES_MIN) return false
  const start = at + ENTRY_HEAD_BYTES
  if (bytes[start + length] !== ENTRY_END) return false
  return adler32(bytes, start, start + length) === bytes.readUInt32BE(at + 4)
}

/** The length of an entry that is all there, though its sum is wrong. */
function wholeLength(bytes: Buffer): number | undefined {
  if (bytes.length < ENTRY_HEAD_BYTES) return undefined
  const end = ENTRY_HEAD_BYTES + bytes.readInt32BE(8)
  return end > ENTRY_HEAD_BYTES && bytes[end] === ENTRY_END ? end + 1 : undefined
}

/**
 * Whether a sector that begins before `end`, or the part of one that is behind the start, is all zeroes.
 * It may reach a little beyond, since the next entry begins with zeroes too.
 */
function hasHole(
  bytes: Buffer,
  { end, position }: { readonly end: number; readonly position: number },
): boolean {
  for (let start = 0; start < end; ) {
    const sectorEnd = start + SECTOR_BYTES - ((position + start) % SECTOR_BYTES)
    const part = bytes.subarray(start, sectorEnd)
    if (part.length >= HOLE_BYTES_MIN && part.every((byte) => byte === 0)) return true
    start = sectorEnd
  }
  return false
}
