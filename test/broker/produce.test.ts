import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Errors } from '../../src/kafka/errors.ts'
import { Produce } from '../../src/kafka/messages/produce.ts'
import * as batch from '../../src/kafka/records/batch.ts'
import { RecordBatchBuilder } from '../../src/kafka/records/builder.ts'
import type { BatchSettings } from '../../src/kafka/records/builder.ts'
import { downConvert } from '../../src/kafka/records/convert.ts'
import { InitProducerId } from '../../src/kafka/messages/init-producer-id.ts'
import { batchOf, valuesIn, World, type TestClient } from './world.ts'

function built(values: readonly string[], settings: BatchSettings): Buffer {
  const builder = new RecordBatchBuilder()
  for (const value of values) builder.add(1000, null, Buffer.from(value), [])
  return builder.build(settings)
}

/** As clients of Kafka before 0.11 send them. */
function oldSet(values: readonly string[], magic: 0 | 1, codec: 'none' | 'gzip' = 'none'): Buffer {
  const bytes = built(values, { codec })
  return downConvert(bytes, 0, bytes.length, { magic, firstOffset: 0 }).bytes
}

async function open(
  configs: Readonly<Record<string, string>> = {},
  properties: Readonly<Record<string, string>> = {},
): Promise<{ world: World; client: TestClient }> {
  const world = await new World().start(properties)
  const client = await world.connect()
  await client.createTopic('t', 1, configs)
  return { world, client }
}

const failure = (errorCode: number) => ({ errorCode, baseOffset: -1, logAppendTimeMs: -1 })

test('every version appends, in the format of its time', async () => {
  const { client } = await open()
  for (let version = 0; version <= 11; version += 1) {
    const records = version < 2 ? oldSet(['a'], 0) : version < 3 ? oldSet(['a'], 1) : batchOf(['a'])
    const answer = await client.produceBytes('t', records, { version, acks: 1 })
    assert.deepEqual([answer.errorCode, answer.baseOffset], [Errors.NONE, version])
  }
  assert.equal((await client.values('t')).length, 12)
})

test('acks other than -1, 0 and 1 are refused (F4)', async () => {
  const { client } = await open()
  const answer = await client.produce('t', ['a'], 2)
  assert.partialDeepStrictEqual(answer, failure(Errors.INVALID_REQUIRED_ACKS))
})

test('min.insync.replicas above the number of replicas counts as that number, as in 3.9.1 (F4)', async () => {
  const { client } = await open({ 'min.insync.replicas': '2' })
  const answer = await client.produce('t', ['a'], -1)
  assert.deepEqual([answer.errorCode, answer.baseOffset], [Errors.NONE, 0])
  assert.deepEqual(await client.values('t'), ['a'])
})

test('internal topics are for the admin client alone (F6)', async () => {
  const { client } = await open()
  await client.metadata(['__consumer_offsets'])
  const answer = await client.produce('__consumer_offsets', ['a'])
  assert.equal(answer.errorCode, Errors.INVALID_TOPIC_EXCEPTION)
})

test('what is wrong with one partition does not touch the others', async () => {
  const { client } = await open({ 'max.message.bytes': '200' })
  const rows = (index: number, records: Buffer) => ({ index, records })
  const corrupt = batchOf(['x'])
  corrupt[corrupt.length - 1]! ^= 1
  const { responses } = await client.ask(Produce, 9, {
    acks: -1,
    timeoutMs: 1000,
    topicData: [
      { name: 'unknown', partitionData: [rows(0, batchOf(['a']))] },
      { name: 't', partitionData: [rows(7, batchOf(['a'])), rows(0, corrupt)] },
      { name: 't', partitionData: [rows(0, batchOf(['b'])), rows(0, batchOf(['x'.repeat(300)]))] },
    ],
  })
  assert.deepEqual(
    responses.map((one) => one.partitionResponses.map((row) => [row.errorCode, row.baseOffset])),
    [
      [[Errors.UNKNOWN_TOPIC_OR_PARTITION, -1]],
      [
        [Errors.UNKNOWN_TOPIC_OR_PARTITION, -1],
        [Errors.CORRUPT_MESSAGE, -1],
      ],
      [
        [Errors.NONE, 0],
        [Errors.MESSAGE_TOO_LARGE, -1],
      ],
    ],
  )
  assert.deepEqual(await client.values('t'), ['b'])
})

test('the forms that a leader refuses, and the ones it lets pass (kafka.md B, I)', async () => {
  const { client } = await open()
  const code = async (records: Buffer | null, version = 9) =>
    (await client.produceBytes('t', records, { version })).errorCode
  const two = Buffer.concat([batchOf(['a']), batchOf(['b'])])
  assert.equal(await code(two), Errors.INVALID_RECORD)
  assert.equal(await code(null), Errors.INVALID_RECORD)
  assert.equal(await code(Buffer.alloc(0)), Errors.INVALID_RECORD)
  assert.equal(await code(oldSet(['a'], 1)), Errors.INVALID_RECORD)
  assert.equal(await code(built(['a'], { control: true })), Errors.INVALID_RECORD)
  assert.equal(await code(built(['a'], { baseOffset: 5 })), Errors.INVALID_RECORD)
  const zstd = built(['a'.repeat(100)], { codec: 'zstd' })
  assert.equal(await code(zstd, 6), Errors.UNSUPPORTED_COMPRESSION_TYPE)
  assert.equal(await code(zstd, 7), Errors.NONE)
  const unknownCodec = batchOf(['a'])
  unknownCodec[22] = 7
  batch.renewCrc(unknownCodec, 0)
  assert.equal(await code(unknownCodec), Errors.UNKNOWN_SERVER_ERROR)
  // A trailing piece of another batch.
  assert.equal(await code(two.subarray(0, two.length - 5)), Errors.NONE)
})

test('a lone batch that is cut off is nothing to old versions and an error to new ones (I8)', async () => {
  const { client } = await open()
  await client.produce('t', ['a'])
  const cut = batchOf(['b']).subarray(0, 65)
  const old = oldSet(['b'], 1)
  const lax = await client.produceBytes('t', old.subarray(0, old.length - 1), { version: 2 })
  assert.deepEqual([lax.errorCode, lax.baseOffset], [Errors.NONE, -1])
  const strict = await client.produceBytes('t', cut, { version: 3 })
  assert.equal(strict.errorCode, Errors.INVALID_RECORD)
  assert.deepEqual(await client.values('t'), ['a'])
})

test('the records at fault are named from version 8 on (KIP-467)', async () => {
  const { client } = await open({ 'message.timestamp.after.max.ms': '1000' })
  const builder = new RecordBatchBuilder()
  builder.add(1000, null, Buffer.from('a'), [])
  builder.add(Date.UTC(2030, 0, 1), null, Buffer.from('b'), [])
  const answer = await client.produceBytes('t', builder.build({}), { version: 8 })
  assert.equal(answer.errorCode, Errors.INVALID_TIMESTAMP)
  assert.deepEqual(
    answer.recordErrors.map((one) => one.batchIndex),
    [1],
  )
  assert.ok(answer.errorMessage !== null && answer.errorMessage.length > 0)
})

test('a log append time is told where the topic has it (F7)', async () => {
  const { world, client } = await open({ 'message.timestamp.type': 'LogAppendTime' })
  const answer = await client.produce('t', ['a'])
  assert.equal(answer.logAppendTimeMs, world.clock.now())
})

test('a batch that expands beyond all measure is refused and harms nobody', async () => {
  const { client } = await open()
  const bomb = new RecordBatchBuilder()
  bomb.add(1000, null, Buffer.alloc(140 * 1024 * 1024), [])
  const packed = bomb.build({ codec: 'gzip' })
  assert.ok(packed.length < 1_000_000)
  assert.notEqual((await client.produceBytes('t', packed)).errorCode, Errors.NONE)
  assert.equal((await client.produce('t', ['a'])).baseOffset, 0)
})

test('an idempotent producer gets an id, its duplicates their first offset, gaps an error (F33, F35)', async () => {
  const { client } = await open()
  const { producerId, producerEpoch } = await client.ask(InitProducerId, 4, {
    transactionalId: null,
  })
  const other = await client.ask(InitProducerId, 4, { transactionalId: null })
  assert.notEqual(other.producerId, producerId)
  const send = (values: string[], baseSequence: number) =>
    client.produceBytes(
      't',
      built(values, { producerId: Number(producerId), producerEpoch, baseSequence }),
    )
  assert.equal((await send(['a', 'b'], 0)).baseOffset, 0)
  assert.equal((await send(['c'], 2)).baseOffset, 2)
  const again = await send(['a', 'b'], 0)
  assert.deepEqual([again.errorCode, again.baseOffset], [Errors.NONE, 0])
  assert.equal((await send(['e'], 4)).errorCode, Errors.OUT_OF_ORDER_SEQUENCE_NUMBER)
  assert.deepEqual(await client.values('t'), ['a', 'b', 'c'])
})

test('transactions, which are not built, are refused rather than left open for ever', async () => {
  const { client } = await open()
  const init = await client.ask(InitProducerId, 4, {
    transactionalId: 'x',
    transactionTimeoutMs: 1,
  })
  assert.equal(init.errorCode, Errors.UNSUPPORTED_VERSION)
  const open1 = built(['a'], {
    transactional: true,
    producerId: 1,
    producerEpoch: 0,
    baseSequence: 0,
  })
  assert.equal((await client.produceBytes('t', open1)).errorCode, Errors.INVALID_TXN_STATE)
})

test('what a client sent in one go is written in one go and answered in order', async () => {
  const { world, client } = await open()
  const request = (value: string) => ({
    ...{ acks: -1, timeoutMs: 1000 },
    topicData: [{ name: 't', partitionData: [{ index: 0, records: batchOf([value]) }] }],
  })
  const pending = ['a', 'b', 'c'].map((value) => client.begin(Produce, 9, request(value)))
  const done = await world.clock.until(Promise.all(pending))
  assert.deepEqual(
    done.map(({ responses }) => responses[0]?.partitionResponses[0]?.baseOffset),
    [0, 1, 2],
  )
})

test('with flush.messages the disk has the records before the client has its answer', async () => {
  for (const acks of [-1, 1]) {
    const { world, client } = await open({ 'flush.messages': '2' })
    await client.produce('t', ['a'], acks)
    world.disk.holdSyncs()
    let isAnswered = false
    const second = client
      .begin(Produce, 9, {
        ...{ acks, timeoutMs: 1000 },
        topicData: [{ name: 't', partitionData: [{ index: 0, records: batchOf(['b']) }] }],
      })
      .then(() => void (isAnswered = true))
    await world.clock.advance(100)
    assert.equal(isAnswered, false)
    world.disk.releaseSyncs()
    await world.clock.until(second)
  }
})

test('a flush that fails fails the produce, and its directory goes offline', async () => {
  const { world, client } = await open({ 'flush.messages': '1' })
  world.disk.inject({ operations: ['sync'], path: '/kafka', code: 'EIO' })
  const answer = await client.produce('t', ['a'])
  assert.equal(answer.errorCode, Errors.KAFKA_STORAGE_ERROR)
  assert.match(await world.broker.failed, /all log dirs in \/kafka have failed/)
})

test("records are served as they came: sarama's maxTimestamp of -1 is put right on the way", async () => {
  const { client } = await open()
  const records = batchOf(['a'], 5000)
  records.writeBigInt64BE(-1n, 35)
  batch.renewCrc(records, 0)
  assert.equal((await client.produceBytes('t', records)).errorCode, Errors.NONE)
  const answer = await client.fetch('t', 0)
  assert.equal(batch.maxTimestamp(answer.records ?? Buffer.alloc(0), 0), 5000)
  assert.deepEqual(valuesIn(answer.records), ['a'])
})
