// What a consumer sees of the bytes it fetched.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FetchedChunk } from '../../src/client/consumer/chunk.ts'
import type { ConsumedRecord } from '../../src/client/consumer/types.ts'
import { type BatchSettings, RecordBatchBuilder } from '../../src/kafka/records/builder.ts'
import { buildMessageSet } from '../../src/kafka/records/legacy.ts'

function batchOf(
  baseOffset: number,
  values: readonly string[],
  settings: BatchSettings = {},
): Buffer {
  const builder = new RecordBatchBuilder()
  for (const value of values) builder.add(1000, null, Buffer.from(value))
  return builder.build({ baseOffset, leaderEpoch: 3, ...settings })
}

function marker(baseOffset: number, producerId: number, type: 0 | 1): Buffer {
  const builder = new RecordBatchBuilder()
  builder.add(1000, Buffer.from([0, 0, 0, type]), Buffer.alloc(6))
  return builder.build({
    baseOffset,
    producerId,
    producerEpoch: 0,
    transactional: true,
    control: true,
  })
}

function chunkOf(
  bytes: Buffer,
  fetchOffset = 0,
  aborted?: readonly { producerId: number; firstOffset: number }[],
): FetchedChunk {
  const source = { topic: 't', partition: 0, bytes, fetchOffset, aborted }
  return new FetchedChunk({ ...source, decompressedBytesMax: 10_000 })
}

function takeAll(chunk: FetchedChunk, max = 1000): ConsumedRecord[] {
  const records: ConsumedRecord[] = []
  chunk.take(max, records)
  return records
}

const texts = (records: readonly ConsumedRecord[]): string[] =>
  records.map(({ value }) => String(value))

test('records before the fetch offset are skipped, a cut-off last batch is left for later', () => {
  const bytes = Buffer.concat([batchOf(10, ['a', 'b', 'c']), batchOf(13, ['d'])])
  const chunk = chunkOf(bytes.subarray(0, bytes.length - 1), 11)
  assert.equal(chunk.endOffset, 13)
  const records = takeAll(chunk)
  assert.deepEqual(
    records.map(({ offset }) => offset),
    [11, 12],
  )
  assert.equal(records[0]?.leaderEpoch, 3)
  assert.equal(chunk.position, 13)
  assert.ok(chunk.isDone)
})

test('poll takes what it wants and goes on where it stopped', () => {
  const chunk = chunkOf(Buffer.concat([batchOf(0, ['a', 'b', 'c']), batchOf(3, ['d', 'e'])]))
  assert.deepEqual(texts(takeAll(chunk, 2)), ['a', 'b'])
  assert.equal(chunk.position, 2)
  assert.deepEqual(texts(takeAll(chunk, 2)), ['c', 'd'])
  assert.ok(!chunk.isDone)
  assert.deepEqual(texts(takeAll(chunk, 2)), ['e'])
  assert.ok(chunk.isDone)
})

test('aborted transactions and markers are left out for readers of committed records only', () => {
  const transactional = { producerId: 5, producerEpoch: 0, baseSequence: 0, transactional: true }
  const bytes = Buffer.concat([
    batchOf(0, ['bad'], transactional),
    batchOf(1, ['other'], { ...transactional, producerId: 6 }),
    marker(2, 5, 0),
    batchOf(3, ['good'], transactional),
    marker(4, 5, 1),
  ])
  const committed = chunkOf(bytes, 0, [{ producerId: 5, firstOffset: 0 }])
  assert.deepEqual(texts(takeAll(committed)), ['other', 'good'])
  assert.equal(committed.position, 5)
  assert.deepEqual(texts(takeAll(chunkOf(bytes))), ['bad', 'other', 'good'])
})

test('a chunk of markers alone still moves the position', () => {
  const chunk = chunkOf(marker(7, 5, 1), 7)
  assert.deepEqual(takeAll(chunk), [])
  assert.equal(chunk.position, 8)
})

test('message sets of format v1 are read, compressed or not', () => {
  for (const codec of ['none', 'gzip', 'lz4'] as const) {
    const messages = ['a', 'b'].map((value, index) => {
      return { offset: 20 + index, timestamp: 5, key: null, value: Buffer.from(value) }
    })
    const chunk = chunkOf(buildMessageSet(messages, { magic: 1, codec }), 21)
    assert.equal(chunk.endOffset, 22)
    assert.deepEqual(texts(takeAll(chunk)), ['b'])
  }
})

test('a record larger than the fetch from an old broker is told apart from an empty answer', () => {
  assert.ok(chunkOf(batchOf(0, ['abc']).subarray(0, 30)).isCutOff)
  assert.ok(!chunkOf(Buffer.alloc(0)).isCutOff)
})

test('a damaged batch is an error at its offset; the records before it are given out first', () => {
  const good = batchOf(0, ['a'])
  const bad = batchOf(1, ['b'])
  bad.writeUInt8((bad.at(-2) ?? 0) ^ 1, bad.length - 2)
  const chunk = chunkOf(Buffer.concat([good, bad]))
  const records: ConsumedRecord[] = []
  assert.throws(() => chunk.take(10, records), { code: 2, message: /t-0 at offset 1/ })
  assert.deepEqual(texts(records), ['a'])
  assert.equal(chunk.position, 1)
  assert.throws(() => chunk.take(10, records), { code: 2 })
})

test('a small batch that would become huge is refused', () => {
  const bomb = batchOf(0, ['x'.repeat(100_000)], { codec: 'gzip' })
  assert.throws(() => takeAll(chunkOf(bomb)), { errorName: 'CORRUPT_MESSAGE' })
})

test('whatever the bytes are, there are records or one clear error', () => {
  const valid = Buffer.concat([batchOf(0, ['a', 'b']), batchOf(2, ['c'], { codec: 'snappy' })])
  const changes = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 5 })
  fc.assert(
    fc.property(changes, fc.nat(valid.length), (edits, length) => {
      const bytes = Buffer.from(valid.subarray(0, length))
      for (const [at, byte] of edits) if (at < bytes.length) bytes[at] = byte
      try {
        const chunk = chunkOf(bytes)
        assert.ok(takeAll(chunk).length <= 3)
      } catch (error) {
        assert.equal((error as { errorName?: string }).errorName, 'CORRUPT_MESSAGE', String(error))
      }
    }),
  )
})

test('a record tells whose time it has', () => {
  const message = { offset: 0, timestamp: 1000, key: null, value: Buffer.from('a') }
  const withoutTime = { ...message, timestamp: -1 }
  const formats: readonly (readonly [Buffer, string])[] = [
    [batchOf(0, ['a']), 'CreateTime'],
    [batchOf(0, ['a'], { logAppendTime: 2000 }), 'LogAppendTime'],
    [buildMessageSet([message], { magic: 1 }), 'CreateTime'],
    [buildMessageSet([message], { magic: 1, logAppendTime: 2000 }), 'LogAppendTime'],
    [buildMessageSet([withoutTime], { magic: 0 }), 'NoTimestampType'],
  ]
  for (const [bytes, type] of formats) {
    const [record] = takeAll(chunkOf(bytes))
    const timestamp = { CreateTime: 1000, LogAppendTime: 2000, NoTimestampType: -1 }[type]
    assert.deepEqual([record?.timestampType, record?.timestamp], [type, timestamp])
  }
})
