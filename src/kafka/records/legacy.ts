// Formats 0 and 1: every message has its own offset, size and checksum. A compressed set is one
// message, the wrapper, whose value is the set; its offset is that of the last message inside.
// Inside a wrapper, format 0 keeps absolute offsets and format 1 counts from 0.
import { crc32 } from '../../wire/crc32c.ts'
import { isInt64, readInt32, readInt64, writeInt32, writeInt64 } from '../../wire/integers.ts'
import { Errors } from '../errors.ts'
import { CODEC_MASK, LENGTH_MIN, LOG_APPEND_TIME_BIT, LOG_OVERHEAD, NONE } from './batch.ts'
import type { CodecName } from './compression.ts'
import { codecIdOf, codecName, compress, decompress } from './compression.ts'
import { RecordsError } from './failure.ts'
import type { LogRecord } from './record.ts'

export type LegacyMagic = 0 | 1

const AT = { size: 8, crc: 12, magic: 16, attributes: 17, timestamp: 18 } as const
const ATTRIBUTES_CODEC_NONE = 0

/** A record of any format, with what validation asks about messages of formats 0 and 1. */
export interface SourceRecord extends LogRecord {
  readonly magic: number
  /** The broker has stamped the record or its wrapper. */
  readonly logAppendTime: boolean
  /** False when a message does not have the checksum it states. */
  readonly sound: boolean
  /** What a message of format 0 or 1 states; format 2 has one for the whole batch. */
  readonly checksum?: number
}

const NO_HEADERS: LogRecord['headers'] = []

export const legacyCodecId = (bytes: Buffer, at: number): number =>
  bytes[at + AT.attributes]! & CODEC_MASK
export const legacyIsLogAppendTime = (bytes: Buffer, at: number): boolean =>
  bytes[at + AT.magic] === 1 && (bytes[at + AT.attributes]! & LOG_APPEND_TIME_BIT) !== 0
/** -1 in format 0. In a wrapper the largest of the messages inside. */
export const legacyTimestamp = (bytes: Buffer, at: number): number =>
  bytes[at + AT.magic] === 0 ? NONE : readInt64(bytes, at + AT.timestamp)

function computeCrc(bytes: Buffer, at: number): number {
  return crc32(bytes, at + AT.magic, at + LOG_OVERHEAD + readInt32(bytes, at + AT.size))
}

/** Whether a whole message has the checksum it states. */
export function verifyLegacyCrc(bytes: Buffer, at: number): boolean {
  if (readInt32(bytes, at + AT.size) < LENGTH_MIN) return false
  return readInt32(bytes, at + AT.crc) >>> 0 === computeCrc(bytes, at)
}

/** Stamps a message of format 1; its checksum is renewed if anything changed. */
export function setLegacyTimestamp(
  bytes: Buffer,
  at: number,
  timestamp: number,
  logAppendTime: boolean,
): void {
  const before = bytes[at + AT.attributes]!
  const after = logAppendTime ? before | LOG_APPEND_TIME_BIT : before & ~LOG_APPEND_TIME_BIT
  if (before === after && isInt64(bytes, at + AT.timestamp, timestamp)) return
  bytes[at + AT.attributes] = after
  writeInt64(bytes, at + AT.timestamp, timestamp)
  writeInt32(bytes, at + AT.crc, computeCrc(bytes, at))
}

/** The bytes that an int32 length at `at` announces, null for -1, and where they end. */
function sized(bytes: Buffer, at: number, end: number): Buffer | null | undefined {
  if (end - at < 4) return undefined
  const length = readInt32(bytes, at)
  if (length === -1) return null
  return length < 0 || length > end - at - 4 ? undefined : bytes.subarray(at + 4, at + 4 + length)
}

/** One message by itself, whose whole size is there. */
function message(bytes: Buffer, at: number): SourceRecord {
  const end = at + LOG_OVERHEAD + readInt32(bytes, at + AT.size)
  const sound = verifyLegacyCrc(bytes, at)
  const magic = bytes[at + AT.magic]!
  const keyAt = at + (magic === 0 ? AT.timestamp : AT.timestamp + 8)
  const key = sized(bytes, keyAt, end)
  const value = key === undefined ? undefined : sized(bytes, keyAt + 4 + (key?.length ?? 0), end)
  if (key === undefined || value === undefined) {
    if (!sound) throw new RecordsError(Errors.CORRUPT_MESSAGE, 'a message fails its checksum', at)
    throw new RecordsError(Errors.UNKNOWN_SERVER_ERROR, 'a length reaches beyond its message', at)
  }
  return {
    offset: readInt64(bytes, at),
    timestamp: magic === 0 ? NONE : readInt64(bytes, at + AT.timestamp),
    key,
    value,
    headers: NO_HEADERS,
    magic,
    logAppendTime: legacyIsLogAppendTime(bytes, at),
    sound,
    checksum: readInt32(bytes, at + AT.crc) >>> 0,
  }
}

/** The messages of a decompressed set; one that is cut off ends it. */
function innerMessages(set: Buffer): SourceRecord[] {
  const messages: SourceRecord[] = []
  for (let at = 0; set.length - at >= LOG_OVERHEAD; ) {
    const size = readInt32(set, at + AT.size)
    if (size < LENGTH_MIN) {
      throw new RecordsError(Errors.CORRUPT_MESSAGE, `a message states ${size} bytes`, at)
    }
    if (size > set.length - at - LOG_OVERHEAD) break
    if (legacyCodecId(set, at) !== ATTRIBUTES_CODEC_NONE) {
      throw new RecordsError(Errors.INVALID_RECORD, 'a compressed message inside another', at)
    }
    messages.push(message(set, at))
    at += LOG_OVERHEAD + size
  }
  return messages
}

/** What to add to the offsets inside a wrapper of format 1. */
function offsetOfFirst(wrapper: SourceRecord, messages: readonly SourceRecord[]): number {
  // Some versions of librdkafka leave the offset of the wrapper at 0.
  if (wrapper.offset === 0) return 0
  const last = messages.at(-1)?.offset ?? 0
  if (wrapper.offset >= last) return wrapper.offset - last
  throw new RecordsError(Errors.INVALID_RECORD, 'a wrapper with too small an offset')
}

/**
 * The records of the whole message at `at`: itself, or what it wraps, with absolute offsets.
 * Throws RecordsError.
 */
export function readLegacy(
  bytes: Buffer,
  at: number,
  decompressedBytesMax: number,
): SourceRecord[] {
  const codec = legacyCodecId(bytes, at)
  const wrapper = message(bytes, at)
  if (codec === 0) return [wrapper]
  if (codecName(codec) === 'zstd' || wrapper.value === null) {
    throw new RecordsError(Errors.INVALID_RECORD, 'a wrapper that formats 0 and 1 do not have', at)
  }
  const set = decompress(codec, wrapper.value, decompressedBytesMax, wrapper.magic)
  const messages = innerMessages(set)
  if (messages.length === 0) {
    throw new RecordsError(Errors.INVALID_RECORD, 'a wrapper without messages', at)
  }
  if (wrapper.magic === 0) return messages
  const first = offsetOfFirst(wrapper, messages)
  return messages.map((inner) => ({
    ...inner,
    offset: first + inner.offset,
    timestamp: wrapper.logAppendTime && inner.magic === 1 ? wrapper.timestamp : inner.timestamp,
    logAppendTime: inner.magic === 1 && wrapper.logAppendTime,
  }))
}

interface MessageParts {
  readonly magic: LegacyMagic
  readonly attributes: number
  readonly offset: number
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
}

function messageSize(magic: LegacyMagic, key: Uint8Array | null, value: Uint8Array | null): number {
  const header = magic === 0 ? AT.timestamp : AT.timestamp + 8
  return header + 8 + (key?.length ?? 0) + (value?.length ?? 0)
}

function putSized(bytes: Buffer, at: number, value: Uint8Array | null): number {
  writeInt32(bytes, at, value === null ? -1 : value.length)
  if (value !== null) bytes.set(value, at + 4)
  return at + 4 + (value?.length ?? 0)
}

/** Writes one message at `at` and returns the position after it. */
function putMessage(bytes: Buffer, at: number, parts: MessageParts): number {
  const { magic, key, value } = parts
  writeInt64(bytes, at, parts.offset)
  writeInt32(bytes, at + AT.size, messageSize(magic, key, value) - LOG_OVERHEAD)
  bytes[at + AT.magic] = magic
  bytes[at + AT.attributes] = parts.attributes
  if (magic === 1) writeInt64(bytes, at + AT.timestamp, parts.timestamp)
  const keyAt = at + (magic === 0 ? AT.timestamp : AT.timestamp + 8)
  const end = putSized(bytes, putSized(bytes, keyAt, key), value)
  writeInt32(bytes, at + AT.crc, computeCrc(bytes, at))
  return end
}

export interface MessageSetSettings {
  readonly magic: LegacyMagic
  readonly codec?: CodecName
  /** Stamps every message: LogAppendTime. Format 1 only. */
  readonly logAppendTime?: number | undefined
}

type Message = Pick<LogRecord, 'offset' | 'timestamp' | 'key' | 'value'>

/**
 * A set of messages in format 0 or 1, as one wrapper if there is a codec.
 * Headers do not exist in these formats and are left out.
 */
export function buildMessageSet(records: readonly Message[], settings: MessageSetSettings): Buffer {
  const { magic, codec = 'none', logAppendTime } = settings
  const stamped = magic === 1 && logAppendTime !== undefined
  const stampBit = stamped ? LOG_APPEND_TIME_BIT : 0
  let size = 0
  for (const { key, value } of records) size += messageSize(magic, key, value)
  const set = Buffer.allocUnsafe(size)
  const base = magic === 1 && codec !== 'none' ? (records[0]?.offset ?? 0) : 0
  let at = 0
  let timestamp: number = NONE
  for (const record of records) {
    const stamp = stamped ? logAppendTime : record.timestamp
    timestamp = Math.max(timestamp, stamp)
    const { key, value } = record
    const offset = record.offset - base
    at = putMessage(set, at, { magic, attributes: stampBit, offset, timestamp: stamp, key, value })
  }
  if (codec === 'none' || records.length === 0) return set
  const value = compress(codec, set, magic)
  const wrapper = Buffer.allocUnsafe(messageSize(magic, null, value))
  const offset = records.at(-1)?.offset ?? 0
  const attributes = codecIdOf(codec) | stampBit
  putMessage(wrapper, 0, { magic, attributes, offset, timestamp, key: null, value })
  return wrapper
}
