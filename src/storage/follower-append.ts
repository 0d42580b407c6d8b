// Pure.
// What a follower checks before it appends what its leader sent: whole entries, sound, in order.
import { Errors } from '../kafka/errors.ts'
import {
  checksum,
  checksumStart,
  entryLastOffset,
  entryMagic,
  entrySize,
  isPlausible,
  storedChecksum,
} from './entry.ts'
import type { Entries } from './entry.ts'

export interface FollowerPreparation extends Entries {
  readonly error: number
  readonly message: string
}

const leastBytes = 17

/** Leaves out what is below the log's end, which was there already, and an entry cut off at the end. */
export function prepareFollowerAppend(given: Entries, logEndOffset: number): FollowerPreparation {
  const { buffer, start, end } = given
  let from = start
  let last = logEndOffset - 1
  let at = start
  while (end - at >= leastBytes) {
    if (!isPlausible(buffer, at)) return damaged(given, 'no entry')
    const size = entrySize(buffer, at)
    if (at + size > end) break
    if (!isSound(buffer, at, size)) return damaged(given, 'an entry fails its checksum')
    const lastOffset = entryLastOffset(buffer, at)
    if (lastOffset < logEndOffset && at === from) from = at + size
    else if (lastOffset <= last) return damaged(given, `offset ${lastOffset} after ${last}`)
    else last = lastOffset
    at += size
  }
  return { error: Errors.NONE, message: '', buffer, start: from, end: at }
}

function isSound(buffer: Buffer, at: number, size: number): boolean {
  const magic = entryMagic(buffer, at)
  const actual = checksum(magic, buffer, at + checksumStart(magic), at + size, 0)
  return actual === storedChecksum(buffer, at)
}

function damaged(given: Entries, message: string): FollowerPreparation {
  return { ...given, error: Errors.CORRUPT_MESSAGE, message }
}
