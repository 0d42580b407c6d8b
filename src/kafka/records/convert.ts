// Down-conversion for consumers that ask with an old version of Fetch.
import { Errors } from '../errors.ts'
import * as batch from './batch.ts'
import { codecName } from './compression.ts'
import { RecordsError } from './failure.ts'
import type { LegacyMagic, SourceRecord } from './legacy.ts'
import { buildMessageSet, legacyCodecId, legacyIsLogAppendTime, legacyTimestamp } from './legacy.ts'
import { sourceRecords } from './read.ts'

export interface Converted {
  readonly bytes: Buffer
  readonly recordsConverted: number
}

export interface DownConversion {
  readonly magic: LegacyMagic
  /** The offset asked for: uncompressed records below it are left out. */
  readonly firstOffset: number
}

/**
 * The whole batches of `bytes[start, end)` in a format not newer than `magic`. Headers, control
 * batches and empty batches fall away. Throws RecordsError: UNSUPPORTED_COMPRESSION_TYPE for zstd.
 */
export function downConvert(
  bytes: Buffer,
  start: number,
  end: number,
  to: DownConversion,
): Converted {
  const parts: Buffer[] = []
  let recordsConverted = 0
  for (const at of batch.batches(bytes, start, end)) {
    const from = batch.magic(bytes, at)
    if (from === 2 && batch.isControl(bytes, at)) continue
    const codec = codecName(from === 2 ? batch.codecId(bytes, at) : legacyCodecId(bytes, at))
    if (codec === 'zstd') {
      throw new RecordsError(Errors.UNSUPPORTED_COMPRESSION_TYPE, 'zstd in an old format', at)
    }
    if (from <= to.magic) {
      parts.push(bytes.subarray(at, at + batch.batchSize(bytes, at)))
      continue
    }
    const records = wanted(sourceRecords(bytes, at), codec === 'none', to.firstOffset)
    if (records.length === 0) continue
    const logAppendTime = stampOf(bytes, at)
    const { magic } = to
    parts.push(buildMessageSet(records, { magic, codec: codec ?? 'none', logAppendTime }))
    recordsConverted += records.length
  }
  return { bytes: parts.length === 1 ? parts[0]! : Buffer.concat(parts), recordsConverted }
}

function wanted(
  records: SourceRecord[],
  uncompressed: boolean,
  firstOffset: number,
): SourceRecord[] {
  // A wrapper stands or falls as a whole, so its records below the offset stay.
  return uncompressed ? records.filter((record) => record.offset >= firstOffset) : records
}

function stampOf(bytes: Buffer, at: number): number | undefined {
  if (batch.magic(bytes, at) === 2) {
    return batch.isLogAppendTime(bytes, at) ? batch.maxTimestamp(bytes, at) : undefined
  }
  return legacyIsLogAppendTime(bytes, at) ? legacyTimestamp(bytes, at) : undefined
}
