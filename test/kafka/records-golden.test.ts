import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchesJson } from '../../src/kafka/json/batches.ts'
import type { JsonObject } from '../../src/kafka/json/values.ts'
import { RecordBatchBuilder } from '../../src/kafka/records/builder.ts'
import { downConvert } from '../../src/kafka/records/convert.ts'
import { RecordsError } from '../../src/kafka/records/failure.ts'
import { buildMessageSet } from '../../src/kafka/records/legacy.ts'
import type { Accepted, ValidationOptions } from '../../src/kafka/records/validate.ts'
import { checkProduceRecords, validateBatches } from '../../src/kafka/records/validate.ts'
import { vectors } from '../wire/support/vectors.ts'

// Method: every file holds what Kafka's own classes did with the same bytes.

interface RecordListing {
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly headers?: readonly { key: string; value: string | null }[]
}

interface BatchListing extends JsonObject {
  readonly magic: number
  readonly baseOffset: number
  readonly timestampType: string
  readonly control: boolean
  readonly transactional: boolean
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly partitionLeaderEpoch: number
  readonly lastOffset: number
  readonly attributes: number
  readonly count: number
  readonly records: readonly (RecordListing & JsonObject)[]
}

const bytesOf = (text: string): Buffer => Buffer.from(text, 'base64')
const maybeBytes = (text: string | null): Buffer | null => (text === null ? null : bytesOf(text))

interface BatchVector {
  readonly case: string
  readonly magic: number
  readonly codec: string
  readonly bytes: string
  readonly batches: readonly BatchListing[]
}

const batchVectors = vectors<BatchVector>('records/batches.ndjson.gz')

test('batches of every format and codec are listed as Kafka lists them', () => {
  assert.equal(batchVectors.length, 221)
  for (const { case: title, codec, bytes, batches } of batchVectors) {
    assert.deepEqual(batchesJson(bytesOf(bytes)), batches, `${title} ${codec}`)
  }
})

function logRecord(record: RecordListing): {
  offset: number
  timestamp: number
  key: Buffer | null
  value: Buffer | null
  headers: { key: string; value: Buffer | null }[]
} {
  const headers = record.headers ?? []
  return {
    offset: record.offset,
    timestamp: record.timestamp,
    key: maybeBytes(record.key),
    value: maybeBytes(record.value),
    headers: headers.map(({ key, value }) => ({ key, value: maybeBytes(value) })),
  }
}

test('uncompressed batches of format 2 are built byte by byte', () => {
  let built = 0
  for (const { case: title, magic, codec, bytes, batches } of batchVectors) {
    const [listing] = batches
    if (magic !== 2 || codec !== 'none' || batches.length !== 1 || listing === undefined) continue
    // Stamped batches do not tell the producer's times any more; the others are a cleaner's work.
    if (['logAppendTime', 'emptyRetained', 'deleteHorizon', 'largeOffset'].includes(title)) continue
    if (title.startsWith('sequence')) continue
    const builder = new RecordBatchBuilder()
    for (const record of listing.records) {
      builder.addRecord(logRecord(record), record.offset - listing.baseOffset)
    }
    const batch = builder.build({
      baseOffset: listing.baseOffset,
      leaderEpoch: listing.partitionLeaderEpoch,
      producerId: listing.producerId,
      producerEpoch: listing.producerEpoch,
      baseSequence: listing.baseSequence,
      transactional: listing.transactional,
      control: listing.control,
    })
    assert.equal(batch.toString('base64'), bytes, title)
    built += 1
  }
  assert.ok(built >= 15, String(built))
})

test('uncompressed messages of formats 0 and 1 are built byte by byte', () => {
  let built = 0
  for (const { case: title, magic, codec, bytes, batches } of batchVectors) {
    if (magic > 1 || magic < 0 || codec !== 'none') continue
    const stamp = batches[0]?.timestampType === 'LogAppendTime'
    const records = batches.flatMap((listing) => listing.records.map(logRecord))
    const set = buildMessageSet(records, {
      magic: magic === 0 ? 0 : 1,
      logAppendTime: stamp ? records[0]?.timestamp : undefined,
    })
    assert.equal(set.toString('base64'), bytes, title)
    built += 1
  }
  assert.ok(built >= 20, String(built))
})

interface Verdict {
  readonly error: number
  readonly recordErrorIndexes?: readonly number[]
}

interface DamagedVector {
  readonly case: string
  readonly magic: number
  readonly codec: string
  readonly bytes: string
  readonly verdict: { readonly produce: Readonly<Record<'v2' | 'v3' | 'v9', Verdict>> }
}

const plainTopic: ValidationOptions = {
  now: 1_700_000_100_000,
  firstOffset: 0,
  leaderEpoch: 0,
  maxMessageBytes: 100_000_000,
}

for (const [file, count] of [
  ['corrupt', 484],
  ['foreign-codecs', 40],
] as const) {
  test(`a leader accepts or refuses the batches of ${file} with Kafka's error`, () => {
    const all = vectors<DamagedVector>(`records/${file}.ndjson.gz`)
    assert.equal(all.length, count)
    for (const { case: title, magic, codec, bytes, verdict } of all) {
      for (const [name, version] of [
        ['v2', 2],
        ['v3', 3],
        ['v9', 9],
      ] as const) {
        const expected = verdict.produce[name]
        const buffer = bytesOf(bytes)
        let error: number = checkProduceRecords(buffer, 0, buffer.length, version)
        let indexes: number[] = []
        if (error === 0) {
          const result = validateBatches(buffer, 0, buffer.length, plainTopic)
          error = result.error
          if (result.error !== 0) indexes = result.records.map((record) => record.index)
        }
        const where = `${title} magic ${magic} ${codec} ${name}`
        assert.equal(error, expected.error, where)
        assert.deepEqual(indexes, expected.recordErrorIndexes ?? [], where)
      }
    }
  })
}

/** Listings without what depends on the compressor: sizes and checksums. */
function decodedForm(batches: readonly unknown[]): unknown[] {
  return batches.map((listing) => {
    const { sizeInBytes, crc, position, ...rest } = listing as JsonObject
    assert.ok(sizeInBytes !== undefined && crc !== undefined && position !== undefined)
    return rest
  })
}

interface ValidateVector {
  readonly from: number
  readonly toMagic: 0 | 1 | 2
  readonly sourceCodec: string
  readonly targetCodec: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  readonly compacted: boolean
  readonly beforeMaxMs: number | string
  readonly afterMaxMs: number | string
  readonly leaderEpoch: number
  readonly now: number
  readonly firstOffset: number
  readonly input: string
  readonly output: string
  readonly outputBatches: readonly BatchListing[]
  readonly nextOffset: number
  readonly maxTimestamp: number
  readonly recordsConverted: number
  readonly failure?: Verdict
}

function validateVector(vector: ValidateVector): ReturnType<typeof validateBatches> {
  const input = bytesOf(vector.input)
  return validateBatches(input, 0, input.length, {
    now: vector.now,
    firstOffset: vector.firstOffset,
    leaderEpoch: vector.leaderEpoch,
    magic: vector.toMagic,
    compacted: vector.compacted,
    timestampType: vector.timestampType,
    beforeMaxMs: Number(vector.beforeMaxMs),
    afterMaxMs: Number(vector.afterMaxMs),
    compressionType: vector.targetCodec === 'none' ? 'uncompressed' : vector.targetCodec,
    maxMessageBytes: 100_000_000,
  })
}

function checkAccepted(vector: ValidateVector, result: Accepted, where: string): void {
  const output = result.bytes.subarray(result.start, result.end)
  assert.equal(result.lastOffset + 1, vector.nextOffset, where)
  assert.equal(result.maxTimestamp, vector.maxTimestamp, where)
  assert.equal(result.recordsConverted, vector.recordsConverted, where)
  const listing = batchesJson(output)
  assert.deepEqual(decodedForm(listing), decodedForm(vector.outputBatches), where)
  if (vector.targetCodec === 'none') assert.equal(output.toString('base64'), vector.output, where)
}

test('produced records get offsets, times, format and codec as from a leader of Kafka', () => {
  const all = vectors<ValidateVector>('records/produce-validate.ndjson.gz')
  assert.equal(all.length, 332)
  for (const vector of all) {
    const { from, toMagic, sourceCodec, targetCodec, timestampType, failure } = vector
    const where = [from, toMagic, sourceCodec, targetCodec, timestampType].join(' ')
    const result = validateVector(vector)
    assert.equal(result.error, failure?.error ?? 0, where)
    if (result.error === 0) {
      checkAccepted(vector, result, where)
    } else {
      const indexes = result.records.map((record) => record.index)
      assert.deepEqual(indexes, failure?.recordErrorIndexes ?? [], where)
    }
  }
})

interface ConvertVector {
  readonly from: number
  readonly to: 0 | 1 | 2
  readonly codec: string
  readonly firstOffset: number
  readonly input: string
  readonly output: string
  readonly outputBatches: readonly BatchListing[]
  readonly recordsConverted: number
  readonly error?: unknown
}

test('batches are converted down for old consumers as Kafka does', () => {
  let converted = 0
  for (const vector of vectors<ConvertVector>('records/down-convert.ndjson.gz')) {
    const { to, firstOffset, codec } = vector
    if (to === 2) continue
    const input = bytesOf(vector.input)
    const convert = (): ReturnType<typeof downConvert> =>
      downConvert(input, 0, input.length, { magic: to, firstOffset })
    const where = `${vector.from} to ${to}, ${codec}`
    if (vector.error !== undefined) {
      const isUnsupported = (error: unknown): boolean =>
        error instanceof RecordsError && error.code === 76
      assert.throws(convert, isUnsupported, where)
      continue
    }
    const { bytes, recordsConverted } = convert()
    assert.equal(recordsConverted, vector.recordsConverted, where)
    assert.deepEqual(decodedForm(batchesJson(bytes)), decodedForm(vector.outputBatches), where)
    if (codec === 'none') assert.equal(bytes.toString('base64'), vector.output, where)
    converted += 1
  }
  assert.ok(converted > 50, String(converted))
})
