// Builds one batch of format 2.
import { varintSize, varlongSize, writeVarint, writeVarlong } from '../../wire/varint.ts'
import * as batch from './batch.ts'
import type { CodecName } from './compression.ts'
import { codecIdOf, compress } from './compression.ts'
import type { LogRecord, RecordHeader } from './record.ts'

export interface BatchSettings {
  /** none by default. */
  readonly codec?: CodecName
  /** -1, no producer id, by default. */
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly transactional?: boolean
  readonly control?: boolean
  /** 0 by default, as producers send it. */
  readonly baseOffset?: number
  /** -1 by default. */
  readonly leaderEpoch?: number
  /** Stamps the whole batch: LogAppendTime. */
  readonly logAppendTime?: number
}

const NO_HEADERS: readonly RecordHeader[] = []
const FIRST_BYTES = 1024

/** Bytes of one record without its own length. */
function bodySize(
  key: Uint8Array | null,
  value: Uint8Array | null,
  headers: readonly RecordHeader[],
): number {
  let size = 1 + varintSize(headers.length)
  size += key === null ? 1 : varintSize(key.length) + key.length
  size += value === null ? 1 : varintSize(value.length) + value.length
  for (const header of headers) {
    const keyLength = Buffer.byteLength(header.key)
    const valueLength = header.value === null ? 0 : header.value.length
    size += varintSize(keyLength) + keyLength
    size += header.value === null ? 1 : varintSize(valueLength) + valueLength
  }
  return size
}

/** Most bytes that a record of these parts can add to a batch. */
export function recordBytesMax(
  key: Uint8Array | null,
  value: Uint8Array | null,
  headers: readonly RecordHeader[] = NO_HEADERS,
): number {
  // Length and offset delta take at most 5 bytes each, the timestamp delta 10.
  return bodySize(key, value, headers) + 20
}

/**
 * Records are copied in as they are added; `build` may be called once.
 * Offsets follow each other unless `addRecord` is used.
 */
export class RecordBatchBuilder {
  private buffer = Buffer.allocUnsafe(FIRST_BYTES)
  private position = batch.HEADER_BYTES
  private baseTimestamp = batch.NONE
  private maxTimestamp = batch.NONE
  private nextDelta = 0
  private records = 0

  get count(): number {
    return this.records
  }

  /** Bytes of the batch so far, before compression. */
  get size(): number {
    return this.position
  }

  /** Returns the size of the batch so far, before compression. */
  add(
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[] = NO_HEADERS,
  ): number {
    return this.put(this.nextDelta, timestamp, { key, value, headers })
  }

  /** Adds a record whose offset stands this far behind the base offset, gaps allowed. */
  addRecord(record: LogRecord, offsetDelta: number): number {
    return this.put(offsetDelta, record.timestamp, record)
  }

  private put(
    offsetDelta: number,
    timestamp: number,
    record: {
      readonly key: Uint8Array | null
      readonly value: Uint8Array | null
      readonly headers: readonly RecordHeader[]
    },
  ): number {
    if (this.records === 0) this.baseTimestamp = timestamp
    const delta = timestamp - this.baseTimestamp
    const { key, value, headers } = record
    const body = bodySize(key, value, headers) + varlongSize(delta) + varintSize(offsetDelta)
    this.reserve(body + 5)
    const bytes = this.buffer
    let at = writeVarint(bytes, this.position, body)
    bytes[at++] = 0
    at = writeVarlong(bytes, at, delta)
    at = writeVarint(bytes, at, offsetDelta)
    at = putBytes(bytes, at, key)
    at = putBytes(bytes, at, value)
    at = writeVarint(bytes, at, headers.length)
    for (const header of headers) {
      const length = Buffer.byteLength(header.key)
      at = writeVarint(bytes, at, length)
      bytes.write(header.key, at, length)
      at = putBytes(bytes, at + length, header.value)
    }
    this.position = at
    this.maxTimestamp = Math.max(this.maxTimestamp, timestamp)
    this.nextDelta = offsetDelta + 1
    this.records += 1
    return at
  }

  private reserve(count: number): void {
    const wanted = this.position + count
    if (wanted <= this.buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(wanted, this.buffer.length * 2))
    this.buffer.copy(larger, 0, 0, this.position)
    this.buffer = larger
  }

  build(settings: BatchSettings = {}): Buffer {
    const { codec = 'none', logAppendTime } = settings
    let bytes = this.buffer.subarray(0, this.position)
    if (codec !== 'none') {
      const compressed = compress(codec, bytes.subarray(batch.HEADER_BYTES))
      bytes = Buffer.allocUnsafe(batch.HEADER_BYTES + compressed.length)
      compressed.copy(bytes, batch.HEADER_BYTES)
    }
    batch.writeHeader(bytes, 0, {
      size: bytes.length,
      baseOffset: settings.baseOffset ?? 0,
      leaderEpoch: settings.leaderEpoch ?? batch.NONE,
      attributes:
        codecIdOf(codec) |
        (logAppendTime === undefined ? 0 : batch.LOG_APPEND_TIME_BIT) |
        (settings.transactional === true ? batch.TRANSACTIONAL_BIT : 0) |
        (settings.control === true ? batch.CONTROL_BIT : 0),
      lastOffsetDelta: this.nextDelta - 1,
      baseTimestamp: this.baseTimestamp,
      maxTimestamp: logAppendTime ?? this.maxTimestamp,
      producerId: settings.producerId ?? batch.NONE,
      producerEpoch: settings.producerEpoch ?? batch.NONE,
      baseSequence: settings.baseSequence ?? batch.NONE,
      recordCount: this.records,
    })
    return bytes
  }
}

function putBytes(bytes: Buffer, start: number, value: Uint8Array | null): number {
  if (value === null) {
    bytes[start] = 1
    return start + 1
  }
  const at = writeVarint(bytes, start, value.length)
  bytes.set(value, at)
  return at + value.length
}
