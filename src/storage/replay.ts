// Pure.
// Carries entries that are in the log into the producers' state: after appends as a follower, while
// recovering, and from a snapshot onwards.

import { WireError } from '../wire/errors.ts'
import { Reader } from '../wire/reader.ts'
import {
  entryBaseOffset,
  entryLastOffset,
  entryMagic,
  entryMaxTimestamp,
  entryProducerId,
  entrySize,
  isControl,
  isTransactional,
} from './entry.ts'
import type { Entries } from './entry.ts'
import {
  type CompletedTransaction,
  type IncomingBatch,
  lastSequenceOf,
  type Marker,
  type Producers,
} from './producers.ts'
import type { AbortedEntry } from './transaction-index.ts'

/** A transaction that ended with an entry; `aborted` is what its segment's index has to note. */
export interface Ended {
  readonly completed: CompletedTransaction
  readonly aborted: AbortedEntry | undefined
}

/** What the header of a data batch with a producer id says. */
export function incomingBatch(buffer: Buffer, at: number): IncomingBatch {
  const firstSequence = buffer.readInt32BE(at + 53)
  const baseOffset = entryBaseOffset(buffer, at)
  const lastOffset = entryLastOffset(buffer, at)
  return {
    producerId: entryProducerId(buffer, at),
    epoch: buffer.readInt16BE(at + 51),
    firstSequence,
    lastSequence:
      firstSequence < 0 ? -1 : lastSequenceOf(firstSequence, lastOffset - baseOffset + 1),
    baseOffset,
    lastOffset,
    timestamp: entryMaxTimestamp(buffer, at),
    transactional: isTransactional(buffer, at),
  }
}

/**
 * What a control batch says, undefined where it is no transaction marker. Key: version i16, type i16
 * (0 abort, 1 commit); value: version i16, coordinator epoch i32.
 */
export function markerOf(
  buffer: Buffer,
  at: number,
): { marker: Marker; commits: boolean } | undefined {
  try {
    const reader = new Reader(buffer, at + 61)
    reader.varint()
    reader.skip(1)
    reader.varlong()
    reader.varint()
    const key = reader.bytes(reader.varint())
    const value = reader.bytes(reader.varint())
    const type = key.length >= 4 ? key.readInt16BE(2) : -1
    if ((type !== 0 && type !== 1) || value.length < 6) return undefined
    const marker = {
      producerId: entryProducerId(buffer, at),
      epoch: buffer.readInt16BE(at + 51),
      coordinatorEpoch: value.readInt32BE(2),
      offset: entryLastOffset(buffer, at),
      timestamp: entryMaxTimestamp(buffer, at),
    }
    return { marker, commits: type === 1 }
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

/** Takes in the entry at `at`, whatever it is. */
export function replayEntry(producers: Producers, buffer: Buffer, at: number): Ended | undefined {
  if (entryMagic(buffer, at) < 2 || entryProducerId(buffer, at) < 0) return undefined
  if (!isControl(buffer, at)) {
    producers.append(incomingBatch(buffer, at))
    return undefined
  }
  const control = markerOf(buffer, at)
  if (control === undefined) return undefined
  const completed = producers.endTransaction(control.marker)
  if (completed === undefined) return undefined
  if (control.commits) return { completed, aborted: undefined }
  return {
    completed,
    aborted: { ...completed, lastStableOffset: producers.stableOffsetAfter(completed) },
  }
}

const noneAborted: readonly AbortedEntry[] = []

/** Takes in whole entries; returns the transactions that ended aborted, for the transaction index. */
export function replayEntries(
  producers: Producers,
  { buffer, start, end }: Entries,
): readonly AbortedEntry[] {
  let aborted = noneAborted
  for (let at = start; at < end; at += entrySize(buffer, at)) {
    const ended = replayEntry(producers, buffer, at)
    if (ended?.aborted !== undefined) aborted = [...aborted, ended.aborted]
  }
  return aborted
}
