import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Errors } from '../../src/kafka/errors.ts'
import * as batch from '../../src/kafka/records/batch.ts'
import { RecordBatchBuilder } from '../../src/kafka/records/builder.ts'
import type { CodecName } from '../../src/kafka/records/compression.ts'
import { batchOf, valuesIn, World, type TestClient } from './world.ts'

async function open(configs: Readonly<Record<string, string>> = {}): Promise<TestClient> {
  const world = await new World().start()
  const client = await world.connect()
  await client.createTopic('t', 1, configs)
  return client
}

function packed(values: readonly string[], codec: CodecName): Buffer {
  const builder = new RecordBatchBuilder()
  for (const value of values) builder.add(1000, null, Buffer.from(value), [])
  return builder.build({ codec })
}

const magics = (records: Buffer | null): number[] =>
  [...batch.batches(records ?? Buffer.alloc(0), 0, records?.length ?? 0)].map((at) =>
    batch.magic(records ?? Buffer.alloc(0), at),
  )

test('clients get the newest format that they know: 0 up to version 1, 1 up to 3, then 2', async () => {
  const client = await open()
  await client.produce('t', ['a', 'b'])
  for (const [version, magic] of [
    [0, 0],
    [1, 0],
    [2, 1],
    [3, 1],
    [4, 2],
  ] as const) {
    const row = await client.fetch('t', 0, { version })
    assert.deepEqual(valuesIn(row.records), ['a', 'b'])
    assert.deepEqual(new Set(magics(row.records)), new Set([magic]), `version ${version}`)
  }
})

test('offsets are kept, and uncompressed records before the asked one are left out', async () => {
  const client = await open()
  await client.produce('t', ['a', 'b', 'c'])
  const row = await client.fetch('t', 1, { version: 3 })
  assert.deepEqual(valuesIn(row.records), ['b', 'c'])
  assert.equal(batch.baseOffset(row.records ?? Buffer.alloc(0), 0), 1)
  assert.equal(row.highWatermark, 3)
})

test('compressed batches stay compressed, in the codecs that old clients know', async () => {
  for (const codec of ['gzip', 'snappy', 'lz4'] as const) {
    const client = await open()
    await client.produceBytes('t', packed(['a'.repeat(100), 'b'], codec))
    const row = await client.fetch('t', 0, { version: 2 })
    assert.deepEqual(valuesIn(row.records), ['a'.repeat(100), 'b'])
    assert.deepEqual(magics(row.records), [1])
  }
})

test('zstd, which they do not know, is refused; what comes before it is served', async () => {
  const client = await open()
  await client.produce('t', ['a'])
  await client.produceBytes('t', packed(['b'.repeat(100)], 'zstd'))
  assert.deepEqual(valuesIn((await client.fetch('t', 0, { version: 3 })).records), ['a'])
  const row = await client.fetch('t', 1, { version: 3 })
  assert.equal(row.errorCode, Errors.UNSUPPORTED_COMPRESSION_TYPE)
  assert.deepEqual([row.highWatermark, row.records?.length], [-1, 0])
})

test('a topic that is set to zstd is for clients of version 10 and above', async () => {
  const client = await open({ 'compression.type': 'zstd' })
  await client.produce('t', ['a'])
  const old = await client.fetch('t', 0, { version: 9 })
  assert.equal(old.errorCode, Errors.UNSUPPORTED_COMPRESSION_TYPE)
  assert.deepEqual(valuesIn((await client.fetch('t', 0, { version: 10 })).records), ['a'])
})

test('where conversion is switched off, old clients are refused new formats and no others', async () => {
  const client = await open({ 'message.downconversion.enable': 'false' })
  await client.produce('t', ['a'])
  const row = await client.fetch('t', 0, { version: 3 })
  assert.equal(row.errorCode, Errors.UNSUPPORTED_VERSION)
  assert.equal((await client.fetch('t', 1, { version: 3 })).errorCode, Errors.NONE)
  assert.deepEqual(valuesIn((await client.fetch('t', 0, { version: 4 })).records), ['a'])
})

test('a converted answer is no larger than was asked for, but for its first batch', async () => {
  const client = await open()
  const values = Array.from({ length: 100 }, (_, at) => String(at))
  for (let at = 0; at < 100; at += 10) await client.produce('t', values.slice(at, at + 10))
  const seen: string[] = []
  while (seen.length < 100) {
    const row = await client.fetch('t', seen.length, { version: 3, partitionMaxBytes: 400 })
    assert.ok((row.records?.length ?? 0) <= 400)
    assert.ok(valuesIn(row.records).length > 0)
    seen.push(...valuesIn(row.records))
  }
  assert.deepEqual(seen, values)
})

test('a batch too large for a hard limit comes cut off, so that the client asks for more', async () => {
  const client = await open()
  await client.produceBytes('t', batchOf(['x'.repeat(500)]))
  const row = await client.fetch('t', 0, { version: 2, partitionMaxBytes: 100 })
  const records = row.records ?? Buffer.alloc(0)
  assert.equal(records.length, 100)
  assert.ok(batch.batchSize(records, 0) > 100)
})

test('cold records are converted as well', async () => {
  const client = await open({ 'segment.bytes': '1000' })
  for (let count = 0; count < 5; count += 1) await client.produce('t', ['x'.repeat(600)])
  const row = await client.fetch('t', 0, { version: 3 })
  assert.deepEqual(magics(row.records), [1])
})
