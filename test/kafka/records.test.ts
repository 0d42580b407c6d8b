import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { Errors } from '../../src/kafka/errors.ts'
import * as batch from '../../src/kafka/records/batch.ts'
import { RecordBatchBuilder, recordBytesMax } from '../../src/kafka/records/builder.ts'
import type { CodecName } from '../../src/kafka/records/compression.ts'
import { CODEC_NAMES, compress, decompress } from '../../src/kafka/records/compression.ts'
import { RecordsError } from '../../src/kafka/records/failure.ts'
import { buildMessageSet } from '../../src/kafka/records/legacy.ts'
import { readAllRecords } from '../../src/kafka/records/read.ts'
import type { LogRecord } from '../../src/kafka/records/record.ts'
import { checkRecords, readRecords } from '../../src/kafka/records/record.ts'
import type { ValidationOptions } from '../../src/kafka/records/validate.ts'
import { validateBatches } from '../../src/kafka/records/validate.ts'
import { xxhash32 } from '../../src/kafka/records/xxhash32.ts'
import { WireError } from '../../src/wire/errors.ts'

const bytes = fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array))
const part = fc.option(bytes, { freq: 4 })
const header = fc.record(
  { key: fc.string({ maxLength: 20 }), value: part },
  { noNullPrototype: true },
)
const record = fc.record({
  timestamp: fc.integer({ min: -1, max: 2_000_000_000_000 }),
  key: part,
  value: part,
  headers: fc.array(header, { maxLength: 3 }),
})
const records = fc.array(record, { minLength: 1, maxLength: 20 })
type Content = Omit<LogRecord, 'offset'>

function build(contents: readonly Content[], codec: CodecName = 'none'): Buffer {
  const builder = new RecordBatchBuilder()
  for (const { timestamp, key, value, headers } of contents) {
    builder.add(timestamp, key, value, headers)
  }
  return builder.build({ codec })
}

const topic: ValidationOptions = {
  now: 1_700_000_000_000,
  firstOffset: 1000,
  leaderEpoch: 3,
  maxMessageBytes: 10_000_000,
}

test('records come back from a batch as they were added, with every codec', () => {
  for (const codec of CODEC_NAMES) {
    const property = fc.property(records, (contents) => {
      const built = build(contents, codec)
      assert.ok(batch.verifyCrc(built, 0))
      assert.equal(batch.recordCount(built, 0), contents.length)
      const expected = contents.map((content, offset) => ({ offset, ...content }))
      assert.deepEqual(readRecords(built), expected)
    })
    fc.assert(property, { numRuns: 50 })
  }
})

test('a builder states its size, and no record adds more than announced', () => {
  const property = fc.property(records, (contents) => {
    const builder = new RecordBatchBuilder()
    let before = builder.size
    for (const { timestamp, key, value, headers } of contents) {
      const size = builder.add(timestamp, key, value, headers)
      assert.ok(size - before <= recordBytesMax(key, value, headers))
      before = size
    }
    assert.equal(builder.build().length, before)
  })
  fc.assert(property)
})

test('the quick walk accepts exactly the records that can be read', () => {
  const damage = fc.record({ at: fc.nat(), byte: fc.nat(255), cut: fc.nat(3) })
  const property = fc.property(records, damage, (contents, { at, byte, cut }) => {
    const built = build(contents)
    const body = built.length - batch.HEADER_BYTES
    built[batch.HEADER_BYTES + (at % body)] = byte
    const shorter = Buffer.from(built.subarray(0, built.length - Math.min(cut, body)))
    shorter.writeInt32BE(shorter.length - batch.LOG_OVERHEAD, 8)
    const { error, maxTimestamp } = checkRecords(shorter, 0)
    let read: LogRecord[] | undefined
    try {
      read = readRecords(shorter)
    } catch (refusal) {
      assert.ok(refusal instanceof WireError, String(refusal))
    }
    assert.equal(error === Errors.NONE, read !== undefined)
    if (read === undefined) return
    assert.equal(maxTimestamp, Math.max(...read.map(({ timestamp }) => timestamp)))
  })
  fc.assert(property, { numRuns: 3000 })
})

test('a validated batch holds the same records at the offsets of the log', () => {
  const property = fc.property(records, fc.constantFrom(...CODEC_NAMES), (contents, codec) => {
    const built = build(contents, codec)
    const result = validateBatches(built, 0, built.length, topic)
    assert.ok(result.error === 0)
    assert.equal(result.bytes, built)
    assert.equal(result.lastOffset, 1000 + contents.length - 1)
    assert.ok(batch.verifyCrc(built, 0))
    assert.equal(batch.partitionLeaderEpoch(built, 0), 3)
    const expected = contents.map((content, index) => ({ offset: 1000 + index, ...content }))
    assert.deepEqual(readRecords(built), expected)
  })
  fc.assert(property)
})

test('validation answers for any bytes, and what it accepts can be read', () => {
  const damage = fc.record({ at: fc.nat(), bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }) })
  const codecs = fc.constantFrom(...CODEC_NAMES)
  const property = fc.property(records, codecs, damage, (contents, codec, { at, bytes: noise }) => {
    const built = build(contents, codec)
    built.set(noise.subarray(0, built.length), at % Math.max(1, built.length - 4))
    if (batch.batchSize(built, 0) === built.length) batch.renewCrc(built, 0)
    const result = validateBatches(built, 0, built.length, { ...topic, compressionType: 'gzip' })
    if (result.error !== 0 || result.recordCount === 0) return
    const read = readAllRecords(result.bytes, result.start, result.end)
    assert.equal(read.length, result.recordCount)
    assert.equal(read.at(-1)?.offset, result.lastOffset)
  })
  fc.assert(property, { numRuns: 1500 })
})

test('a refused batch is left as it came', () => {
  const built = build([{ timestamp: 1, key: null, value: Buffer.from('x'), headers: [] }])
  const before = Buffer.from(built)
  const result = validateBatches(built, 0, built.length, { ...topic, compacted: true })
  assert.equal(result.error, Errors.INVALID_RECORD)
  assert.deepEqual(built, before)
})

test('times outside the limits of the topic are refused by their index', () => {
  const at = (timestamp: number): Content => ({ timestamp, key: null, value: null, headers: [] })
  const { now } = topic
  const limits = { ...topic, beforeMaxMs: 1000, afterMaxMs: 500 }
  const good = build([at(now - 1000), at(now + 500), at(-1)])
  assert.equal(validateBatches(good, 0, good.length, limits).error, Errors.NONE)
  const bad = build([at(now), at(now - 1001), at(now), at(now + 501)])
  const result = validateBatches(bad, 0, bad.length, limits)
  assert.ok(result.error !== 0)
  assert.equal(result.error, Errors.INVALID_TIMESTAMP)
  assert.deepEqual(
    result.records.map(({ index }) => index),
    [1, 3],
  )
})

test('a batch larger than the topic accepts is refused, also when rewriting made it so', () => {
  const value = Buffer.alloc(5000)
  const built = build([{ timestamp: 1, key: null, value, headers: [] }], 'gzip')
  const small = { ...topic, maxMessageBytes: built.length }
  const kept = Buffer.from(built)
  assert.equal(validateBatches(kept, 0, kept.length, small).error, Errors.NONE)
  const unpacked = { ...small, compressionType: 'uncompressed' } as const
  const refused = validateBatches(built, 0, built.length, unpacked)
  assert.equal(refused.error, Errors.MESSAGE_TOO_LARGE)
  const tight = { ...small, maxMessageBytes: built.length - 1 }
  assert.equal(validateBatches(built, 0, built.length, tight).error, Errors.MESSAGE_TOO_LARGE)
})

test('offsets and time are set between other bytes of a shared buffer', () => {
  const built = build([{ timestamp: 5, key: null, value: null, headers: [] }])
  const shared = Buffer.concat([Buffer.alloc(7, 0xaa), built, Buffer.alloc(9, 0xbb)])
  const end = 7 + built.length
  const stamped = { ...topic, timestampType: 'LogAppendTime' } as const
  const result = validateBatches(shared, 7, end, stamped)
  assert.ok(result.error === 0)
  assert.deepEqual([result.start, result.end], [7, end])
  assert.equal(batch.baseOffset(shared, 7), 1000)
  assert.equal(batch.maxTimestamp(shared, 7), topic.now)
  assert.ok(batch.verifyCrc(shared, 7))
  assert.deepEqual(shared.subarray(0, 7), Buffer.alloc(7, 0xaa))
  assert.deepEqual(shared.subarray(end), Buffer.alloc(9, 0xbb))
})

test('message sets of formats 0 and 1 come back with absolute offsets', () => {
  for (const magic of [0, 1] as const) {
    for (const codec of ['none', 'gzip', 'snappy', 'lz4'] as const) {
      const property = fc.property(records, (contents) => {
        const given = contents.map((content, index) => ({ ...content, offset: 50 + index * 2 }))
        const set = buildMessageSet(given, { magic, codec })
        const expected = given.map((one) => ({
          offset: one.offset,
          timestamp: magic === 0 ? -1 : one.timestamp,
          key: one.key,
          value: one.value,
        }))
        const read = readAllRecords(set).map(({ offset, timestamp, key, value }) => {
          return { offset, timestamp, key, value }
        })
        assert.deepEqual(read, expected)
      })
      fc.assert(property, { numRuns: 20 })
    }
  }
})

test('what would decompress to more than the limit is refused before it is there', () => {
  const large = Buffer.alloc(3_000_000)
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const packed = compress(codec, large)
    assert.ok(packed.length < 200_000, codec)
    assert.deepEqual(decompress(codec, packed, large.length), large, codec)
    const tooLarge = (error: unknown): boolean =>
      error instanceof RecordsError && error.code === Errors.MESSAGE_TOO_LARGE
    assert.throws(() => decompress(codec, packed, large.length - 1), tooLarge, codec)
  }
})

test('a batch that would decompress to too much is answered as too large', () => {
  const value = Buffer.alloc(100_000)
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const built = build([{ timestamp: 1, key: null, value, headers: [] }], codec)
    const limited = { ...topic, decompressedBytesMax: 50_000 }
    const result = validateBatches(built, 0, built.length, limited)
    assert.equal(result.error, Errors.MESSAGE_TOO_LARGE, codec)
  }
})

test('any bytes are decompressed or refused with WireError', () => {
  const noise = fc.uint8Array({ maxLength: 300 })
  const property = fc.property(
    fc.integer({ min: 1, max: 7 }),
    noise,
    fc.nat(),
    (codec, array, at) => {
      const random = Buffer.from(array)
      const damaged = codec <= 4 ? compress(codec, Buffer.concat([random, random])) : random
      if (array.length > 0) damaged[at % damaged.length] = array[0] ?? 0
      for (const packed of [random, damaged]) {
        try {
          assert.ok(decompress(codec, packed, 1_000_000).length <= 1_000_000)
        } catch (error) {
          assert.ok(error instanceof WireError, String(error))
        }
      }
    },
  )
  fc.assert(property, { numRuns: 2000 })
})

test('gzip members that follow each other are read through', () => {
  const two = Buffer.concat([gzipSync('one '), gzipSync('two')])
  assert.equal(decompress('gzip', two, 100).toString(), 'one two')
})

test('known answers of xxHash with 32 bits', () => {
  const hash = (text: string): number => xxhash32(Buffer.from(text), 0, text.length)
  assert.equal(hash(''), 0x02cc5d05)
  assert.equal(hash('a'), 0x550d7456)
  assert.equal(hash('abc'), 0x32d153ff)
  assert.equal(hash('Nobody inspects the spammish repetition'), 0xe2293b2f)
})

test('sequences of a batch wrap after 2^31 - 1', () => {
  const builder = new RecordBatchBuilder()
  for (let index = 0; index < 4; index++) builder.add(0, null, null)
  const built = builder.build({ producerId: 1, producerEpoch: 0, baseSequence: 2 ** 31 - 2 })
  assert.equal(batch.lastSequence(built, 0), 1)
})

test('the walk over batches ends at one that is cut off, and refuses what cannot be one', () => {
  const one = build([{ timestamp: 1, key: null, value: null, headers: [] }])
  const set = Buffer.concat([one, one, one.subarray(0, 40)])
  assert.deepEqual([...batch.batches(set, 0, set.length)], [0, one.length])
  one[16] = 3
  assert.throws(() => [...batch.batches(one, 0, one.length)], WireError)
})
