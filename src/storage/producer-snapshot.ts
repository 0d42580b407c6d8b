/**
 * `.snapshot`: the producers' state as of the offset in the file's name. Version i16 1, CRC-32C u32 of
 * the rest, count i32; then per producer id i64, epoch i16, last sequence i32, last offset i64, offset
 * delta i32, timestamp i64, coordinator epoch i32, first offset of the open transaction i64 (-1).
 * Only each producer's last batch is kept, as the original does.
 */
import { crc32c } from '../wire/crc32c.ts'
import { readInt64, writeInt64 } from './int64.ts'
import type { ProducerState } from './producers.ts'

const headerBytes = 10
const crcEnd = 6
const entryBytes = 46
const snapshotVersion = 1

export function encodeSnapshot(states: Iterable<ProducerState>): Buffer {
  const list = [...states]
  const bytes = Buffer.alloc(headerBytes + list.length * entryBytes)
  bytes.writeInt16BE(snapshotVersion, 0)
  bytes.writeInt32BE(list.length, crcEnd)
  let at = headerBytes
  for (const state of list) {
    const last = state.batches.at(-1)
    writeInt64(bytes, at, state.producerId)
    bytes.writeInt16BE(state.epoch, at + 8)
    bytes.writeInt32BE(last?.lastSequence ?? -1, at + 10)
    writeInt64(bytes, at + 14, last?.lastOffset ?? -1)
    bytes.writeInt32BE(last?.offsetDelta ?? 0, at + 22)
    writeInt64(bytes, at + 26, state.lastTimestamp)
    bytes.writeInt32BE(state.coordinatorEpoch, at + 34)
    writeInt64(bytes, at + 38, state.transactionFirstOffset)
    at += entryBytes
  }
  bytes.writeUInt32BE(crc32c(bytes, crcEnd, bytes.length), 2)
  return bytes
}

/** Undefined where the file is cut short, of another version or does not fit its checksum. */
export function decodeSnapshot(bytes: Buffer): ProducerState[] | undefined {
  if (bytes.length < headerBytes || bytes.readInt16BE(0) !== snapshotVersion) return undefined
  if (crc32c(bytes, crcEnd, bytes.length) !== bytes.readUInt32BE(2)) return undefined
  const count = bytes.readInt32BE(crcEnd)
  if (bytes.length !== headerBytes + count * entryBytes) return undefined
  const states: ProducerState[] = []
  for (let at = headerBytes; at < bytes.length; at += entryBytes)
    states.push(decodeEntry(bytes, at))
  return states
}

function decodeEntry(bytes: Buffer, at: number): ProducerState {
  const lastSequence = bytes.readInt32BE(at + 10)
  const lastOffset = readInt64(bytes, at + 14)
  const offsetDelta = bytes.readInt32BE(at + 22)
  const timestamp = readInt64(bytes, at + 26)
  const firstSequence = lastSequence - offsetDelta
  const wrapped = firstSequence < 0 ? firstSequence + 2 ** 31 : firstSequence
  return {
    producerId: readInt64(bytes, at),
    epoch: bytes.readInt16BE(at + 8),
    coordinatorEpoch: bytes.readInt32BE(at + 34),
    lastTimestamp: timestamp,
    transactionFirstOffset: readInt64(bytes, at + 38),
    batches:
      lastOffset < 0
        ? []
        : [{ firstSequence: wrapped, lastSequence, lastOffset, offsetDelta, timestamp }],
  }
}
