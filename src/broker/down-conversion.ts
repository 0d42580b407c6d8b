/** Records for clients that do not know the format they are stored in (kafka.md B, "Fetch rules"). */
import { Errors } from '../kafka/errors.ts'
import * as batch from '../kafka/records/batch.ts'
import { downConvert, type DownConversion } from '../kafka/records/convert.ts'
import { RecordsError } from '../kafka/records/failure.ts'
import { WireError } from '../wire/errors.ts'
import type { RecordsSource } from '../wire/schema.ts'
import type { PartitionLog } from '../storage/partition-log.ts'
import type { LogSlice } from '../storage/results.ts'
import type { TopicConfig } from './config/topic.ts'

const zstdVersionMin = 10

/** The newest format that clients of this version of Fetch read; undefined: any. */
export function conversionTarget(apiVersion: number): 0 | 1 | undefined {
  if (apiVersion <= 1) return 0
  return apiVersion <= 3 ? 1 : undefined
}

/** Why a topic is not for clients of this version, whatever is in it. */
export function conversionProblem(config: TopicConfig, apiVersion: number): number {
  const isZstd = config.log.compressionType === 'zstd'
  return isZstd && apiVersion < zstdVersionMin ? Errors.UNSUPPORTED_COMPRESSION_TYPE : Errors.NONE
}

export interface ConversionSettings extends DownConversion {
  /** message.downconversion.enable */
  readonly isAllowed: boolean
}

interface Result {
  readonly problem: number
  readonly bytes: Buffer
}

/**
 * The records of a slice, read and converted before the answer is made. No more bytes than the slice has,
 * but for a first batch that grew above that; the client comes for the rest.
 */
export class ConvertedRecords implements RecordsSource {
  readonly #log: PartitionLog
  readonly #slice: LogSlice
  readonly #settings: ConversionSettings
  #result: Result = { problem: Errors.NONE, bytes: Buffer.alloc(0) }

  constructor(log: PartitionLog, slice: LogSlice, settings: ConversionSettings) {
    this.#log = log
    this.#slice = slice
    this.#settings = settings
  }

  /** To be awaited before anything is asked for. */
  async load(): Promise<void> {
    const slice = this.#slice
    const buffer = Buffer.allocUnsafe(slice.length)
    const read = await this.#log.readIntoAsync(slice, buffer, 0)
    const bytes = buffer.subarray(0, read)
    // A batch that was cut off tells the client to ask for more bytes: in whatever format.
    this.#result = slice.firstBatchIncomplete
      ? { problem: Errors.NONE, bytes }
      : convert(bytes, this.#settings)
  }

  /** NONE, or why there are no records. */
  get problem(): number {
    return this.#result.problem
  }

  get byteLength(): number {
    return this.#result.bytes.length
  }

  fill(target: Buffer, at: number): void {
    this.#result.bytes.copy(target, at)
  }
}

function convert(bytes: Buffer, settings: ConversionSettings): Result {
  const { magic, firstOffset } = settings
  const parts: Buffer[] = []
  let length = 0
  try {
    for (const at of batch.batches(bytes, 0, bytes.length)) {
      const isForeign = batch.magic(bytes, at) > magic
      if (isForeign && !settings.isAllowed)
        throw new RecordsError(Errors.UNSUPPORTED_VERSION, 'down-conversion is disabled', at)
      const end = at + batch.batchSize(bytes, at)
      const converted = downConvert(bytes, at, end, { magic, firstOffset })
      if (length > 0 && length + converted.bytes.length > bytes.length) break
      parts.push(converted.bytes)
      length += converted.bytes.length
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    // What came before it is served; the next request begins with it, and gets the error.
    if (length === 0)
      return { problem: error instanceof RecordsError ? error.code : Errors.CORRUPT_MESSAGE, bytes }
  }
  return { problem: Errors.NONE, bytes: Buffer.concat(parts, length) }
}
