// Pure.
// The records of one partition out of one fetch, read batch by batch as poll() asks for them. What
// the application must not see is left out: records before the fetch offset, control records, and
// records of aborted transactions where only committed ones are wanted.
import { Errors } from '../../kafka/errors.ts'
import * as batch from '../../kafka/records/batch.ts'
import { RecordsError } from '../../kafka/records/failure.ts'
import { legacyIsLogAppendTime, readLegacy, verifyLegacyCrc } from '../../kafka/records/legacy.ts'
import { type LogRecord, readRecords } from '../../kafka/records/record.ts'
import { WireError } from '../../wire/errors.ts'
import { brokerError, type KafkaError } from '../errors.ts'
import type { TopicPartition } from '../types.ts'
import type { ConsumedRecord, TimestampType } from './types.ts'

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export interface ChunkSource extends TopicPartition {
  readonly bytes: Buffer
  readonly fetchOffset: number
  /** Undefined: uncommitted records are wanted too. */
  readonly aborted: readonly AbortedTransaction[] | undefined
  readonly decompressedBytesMax: number
}

/** A control record's key is int16 version, int16 type. */
const abortMarker = 0
const noKey = Buffer.alloc(0)

export class FetchedChunk {
  readonly #source: ChunkSource
  readonly #aborted: readonly AbortedTransaction[]
  readonly #activeAborted = new Set<number>()
  readonly #end: number
  /** Offset after the last whole batch: where the next fetch goes on. */
  readonly endOffset: number
  #abortedSeen = 0
  #at = 0
  #records: readonly LogRecord[] = []
  #recordsTaken = 0
  #epoch = -1
  #timestampType: TimestampType = 'CreateTime'
  #position: number

  /** @throws KafkaError CORRUPT_MESSAGE where the bytes are no batches. */
  constructor(source: ChunkSource) {
    this.#source = source
    this.#position = source.fetchOffset
    const { bytes, aborted = [] } = source
    this.#aborted = [...aborted].sort((one, other) => one.firstOffset - other.firstOffset)
    let end = 0
    let endOffset = source.fetchOffset
    try {
      for (const at of batch.batches(bytes, 0, bytes.length)) {
        end = at + batch.batchSize(bytes, at)
        endOffset = lastOffsetOf(bytes, at) + 1
      }
    } catch (cause) {
      throw this.#corrupt(String(cause))
    }
    this.#end = end
    this.endOffset = Math.max(endOffset, source.fetchOffset)
  }

  /** There are bytes, but not one whole batch: brokers before 0.10.1 cut off what does not fit. */
  get isCutOff(): boolean {
    return this.#source.bytes.length > 0 && this.#end === 0
  }

  /** Memory it holds. */
  get heldBytes(): number {
    return this.#source.bytes.length
  }

  get isDone(): boolean {
    return this.#recordsTaken >= this.#records.length && this.#at >= this.#end
  }

  /** Offset of the record that comes next. */
  get position(): number {
    return this.#position
  }

  /** Leader epoch of the batch read last, -1 in old formats. */
  get epoch(): number {
    return this.#epoch
  }

  /**
   * Appends up to `max` records to `target`; returns how many. Fewer means that the chunk is done.
   * @throws KafkaError CORRUPT_MESSAGE; what was appended before stays
   */
  take(max: number, target: ConsumedRecord[]): number {
    const { topic, partition, fetchOffset } = this.#source
    let taken = 0
    while (taken < max) {
      const record = this.#records[this.#recordsTaken]
      if (record === undefined) {
        if (this.#at >= this.#end) break
        this.#nextBatch()
        continue
      }
      this.#recordsTaken += 1
      if (record.offset >= fetchOffset) {
        const { offset, timestamp, key, value, headers } = record
        target.push({
          topic,
          partition,
          offset,
          timestamp,
          timestampType: this.#timestampType,
          key,
          value,
          headers,
          leaderEpoch: this.#epoch,
        })
        this.#position = offset + 1
        taken += 1
      }
    }
    // Compaction and control records leave gaps behind the last record of a batch.
    if (this.isDone) this.#position = this.endOffset
    return taken
  }

  #nextBatch(): void {
    const { bytes, decompressedBytesMax } = this.#source
    const at = this.#at
    this.#recordsTaken = 0
    this.#records = []
    try {
      const old = batch.magic(bytes, at) < 2
      const sound = old ? verifyLegacyCrc(bytes, at) : batch.verifyCrc(bytes, at)
      if (!sound) throw this.#corrupt('the checksum does not fit')
      this.#timestampType = timestampTypeOf(bytes, at)
      this.#epoch = old ? -1 : batch.partitionLeaderEpoch(bytes, at)
      if (old) this.#records = readLegacy(bytes, at, decompressedBytesMax)
      else if (this.#isVisible(bytes, at)) {
        this.#records = readRecords(bytes, at, decompressedBytesMax)
      }
    } catch (cause) {
      throw cause instanceof WireError || cause instanceof RecordsError
        ? this.#corrupt(cause.message)
        : cause
    }
    this.#at = at + batch.batchSize(bytes, at)
  }

  #isVisible(bytes: Buffer, at: number): boolean {
    const control = batch.isControl(bytes, at)
    if (this.#source.aborted === undefined) return !control
    const lastOffset = batch.lastOffset(bytes, at)
    for (let next = this.#aborted[this.#abortedSeen]; next !== undefined; ) {
      if (next.firstOffset > lastOffset) break
      this.#activeAborted.add(next.producerId)
      this.#abortedSeen += 1
      next = this.#aborted[this.#abortedSeen]
    }
    const producerId = batch.producerId(bytes, at)
    if (control) {
      const key = readRecords(bytes, at)[0]?.key ?? noKey
      const isAbort = key.length >= 4 && key.readInt16BE(2) === abortMarker
      if (isAbort) this.#activeAborted.delete(producerId)
      return false
    }
    return !(batch.isTransactional(bytes, at) && this.#activeAborted.has(producerId))
  }

  #corrupt(reason: string): KafkaError {
    const { topic, partition } = this.#source
    const detail = `${topic}-${partition} at offset ${this.#position}: ${reason}`
    return brokerError(Errors.CORRUPT_MESSAGE, detail)
  }
}

function timestampTypeOf(bytes: Buffer, at: number): TimestampType {
  const magic = batch.magic(bytes, at)
  if (magic === 0) return 'NoTimestampType'
  const isLogAppendTime =
    magic === 1 ? legacyIsLogAppendTime(bytes, at) : batch.isLogAppendTime(bytes, at)
  return isLogAppendTime ? 'LogAppendTime' : 'CreateTime'
}

/** In formats v0 and v1 the offset field is that of a compressed set's last message. */
function lastOffsetOf(bytes: Buffer, at: number): number {
  return batch.magic(bytes, at) < 2 ? batch.baseOffset(bytes, at) : batch.lastOffset(bytes, at)
}
