// Pure.
/** What a partition of __consumer_offsets says, read from its beginning to its end. */
import * as batch from '../../kafka/records/batch.ts'
import { sourceRecords } from '../../kafka/records/read.ts'
import { WireError } from '../../wire/errors.ts'
import {
  readInternalRecord,
  type CommittedOffset,
  type Offsets,
  type ReadRecord,
  type StoredGroup,
} from './offsets.ts'

const commitMarker = 1

export class Replay {
  /** Undefined values do not occur: a group that is gone is not there. */
  readonly groups = new Map<string, StoredGroup>()
  readonly offsets = new Map<string, Offsets>()
  /** Records that could not be understood, in words. */
  readonly problems: string[] = []
  /** Commits of transactions whose marker has not been read yet, by producer id. */
  readonly #undecided = new Map<number, ReadRecord[]>()

  /**
   * Takes the whole batches of `bytes`, of any format. Returns the offset after the last, -1 where not
   * one is whole. @throws WireError for bytes that are no batches
   */
  add(bytes: Buffer): number {
    let next = -1
    for (const at of batch.batches(bytes, 0, bytes.length)) {
      const isNew = batch.magic(bytes, at) >= 2
      // The wrapper of an old compressed set has the offset of its last message.
      next = (isNew ? batch.lastOffset(bytes, at) : batch.baseOffset(bytes, at)) + 1
      if (isNew && batch.isControl(bytes, at)) this.#decide(bytes, at)
      else this.#take(bytes, at, isNew && batch.isTransactional(bytes, at))
    }
    return next
  }

  #take(bytes: Buffer, at: number, isTransactional: boolean): void {
    for (const { key, value } of sourceRecords(bytes, at)) {
      const record = key === null ? undefined : this.#understand(key, value)
      if (record === undefined) continue
      if (isTransactional) this.#postpone(batch.producerId(bytes, at), record)
      else this.#apply(record)
    }
  }

  #understand(key: Buffer, value: Buffer | null): ReadRecord | undefined {
    try {
      return readInternalRecord(key, value)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      if (this.problems.length < 10) this.problems.push(error.message)
      return undefined
    }
  }

  #postpone(producerId: number, record: ReadRecord): void {
    const records = this.#undecided.get(producerId)
    if (records === undefined) this.#undecided.set(producerId, [record])
    else records.push(record)
  }

  #decide(bytes: Buffer, at: number): void {
    const producerId = batch.producerId(bytes, at)
    const [marker] = sourceRecords(bytes, at)
    const isCommitted = marker?.key?.length === 4 && marker.key.readInt16BE(2) === commitMarker
    const records = this.#undecided.get(producerId) ?? []
    this.#undecided.delete(producerId)
    if (isCommitted) for (const record of records) this.#apply(record)
  }

  #apply(record: ReadRecord): void {
    if (record.type === 'offset') {
      let offsets = this.offsets.get(record.group)
      if (offsets === undefined) {
        if (record.value === null) return
        this.offsets.set(record.group, (offsets = new Map()))
      }
      applyOffset(offsets, record.topic, record.partition, record.value)
      if (offsets.size === 0) this.offsets.delete(record.group)
    } else if (record.value === null) this.groups.delete(record.group)
    else this.groups.set(record.group, record.value)
  }
}

/** Null: the offset is gone. */
export function applyOffset(
  offsets: Offsets,
  topic: string,
  partition: number,
  committed: CommittedOffset | null,
): void {
  let ofTopic = offsets.get(topic)
  if (committed === null) {
    ofTopic?.delete(partition)
    if (ofTopic?.size === 0) offsets.delete(topic)
    return
  }
  if (ofTopic === undefined) offsets.set(topic, (ofTopic = new Map()))
  ofTopic.set(partition, committed)
}
