/** Behaviours of kafka.md F that no other file here is about. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Errors } from '../../src/kafka/errors.ts'
import { encodeRequest } from '../../src/kafka/header.ts'
import { CreateTopics } from '../../src/kafka/messages/create-topics.ts'
import { Fetch } from '../../src/kafka/messages/fetch.ts'
import { Metadata } from '../../src/kafka/messages/metadata.ts'
import { RecordBatchBuilder } from '../../src/kafka/records/builder.ts'
import { crc32c } from '../../src/wire/crc32c.ts'
import { batchOf, valuesIn, World, type TestClient } from './world.ts'

async function open(properties: Readonly<Record<string, string>> = {}) {
  const world = await new World().start(properties)
  const client = await world.connect()
  await client.createTopic('t')
  return { world, client }
}

test('min_bytes counts what each partition may give, not what lies there (F9)', async () => {
  const { world, client } = await open()
  await client.produceBytes('t', batchOf(['x'.repeat(400)]))
  await client.produceBytes('t', batchOf(['x'.repeat(400)]))
  const started = world.clock.now()
  const ask = (partitionMaxBytes: number, minBytes: number) =>
    client.ask(Fetch, 11, {
      ...{ maxWaitMs: 5000, minBytes, maxBytes: 1_000_000, sessionEpoch: -1 },
      topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes }] }],
    })
  await ask(1_000_000, 900)
  assert.equal(world.clock.now() - started < 5000, true)
  const before = world.clock.now()
  const { responses } = await ask(500, 900)
  assert.equal(world.clock.now() - before >= 5000, true)
  assert.equal(valuesIn(responses[0]?.partitions[0]?.records ?? null).length, 1)
})

test('topics are made by the controller alone; whoever does not wait has them made all the same (F19)', async () => {
  const { world, client } = await open()
  const topic = { name: 'u', numPartitions: 1, replicationFactor: 1 }
  const { topics } = await client.ask(CreateTopics, 5, { topics: [topic], timeoutMs: 0 })
  assert.ok([Errors.NONE, Errors.REQUEST_TIMED_OUT].some((one) => one === topics[0]?.errorCode))
  await world.clock.advance(1000)
  assert.equal((await client.produce('u', ['a'])).errorCode, Errors.NONE)
})

function numbered(values: readonly string[], baseSequence: number): Buffer {
  const builder = new RecordBatchBuilder()
  for (const value of values) builder.add(1000, null, Buffer.from(value), [])
  return builder.build({ producerId: 7, producerEpoch: 0, baseSequence })
}

test("after a restart a producer's last batch alone is known to be a duplicate (F33, F34)", async () => {
  for (const end of ['stop', 'kill'] as const) {
    const { world, client } = await open()
    await client.produceBytes('t', numbered(['a'], 0))
    await client.produceBytes('t', numbered(['b', 'c'], 1))
    assert.equal((await client.produceBytes('t', numbered(['a'], 0))).baseOffset, 0)
    if (end === 'stop') await world.restartBroker()
    else {
      world.killBroker()
      await world.startBroker()
    }
    const again = await world.connect()
    const last = await again.produceBytes('t', numbered(['b', 'c'], 1))
    assert.deepEqual([last.errorCode, last.baseOffset], [Errors.NONE, 1])
    const next = await again.produceBytes('t', numbered(['d'], 3))
    assert.deepEqual([next.errorCode, next.baseOffset], [Errors.NONE, 3])
    const gap = await again.produceBytes('t', numbered(['f'], 5))
    assert.equal(gap.errorCode, Errors.OUT_OF_ORDER_SEQUENCE_NUMBER)
  }
})

test('a timestamp from the future keeps its segment, and those after it, from going (F47)', async () => {
  const properties = { 'log.retention.ms': '1000', 'log.segment.bytes': '300' }
  const { world, client } = await open(properties)
  const now = world.clock.now()
  const send = (value: string, timestamp: number) =>
    client.produceBytes('t', batchOf([value.padEnd(200, '.')], timestamp))
  await send('old', now)
  await send('future', now + 24 * 3600 * 1000)
  for (let count = 0; count < 3; count += 1) await send('old too', now)
  await world.clock.advance(900_000)
  const { logStartOffset } = await client.fetch('t', 1)
  assert.equal(logStartOffset, 1)
})

/** What compaction leaves of a batch whose records are all gone: its header. */
function emptied(baseOffset: number, lastOffsetDelta: number): Buffer {
  const bytes = new RecordBatchBuilder().build({ baseOffset })
  bytes.writeInt32BE(lastOffsetDelta, 23)
  bytes.writeUInt32BE(crc32c(bytes, 21, bytes.length) >>> 0, 17)
  return bytes
}

function at(baseOffset: number, value: string): Buffer {
  const builder = new RecordBatchBuilder()
  builder.add(1000, null, Buffer.from(value), [])
  return builder.build({ baseOffset, leaderEpoch: 0 })
}

test('batches without records, and gaps between offsets, are served as they are (F48)', async () => {
  const { world, client } = await open()
  await client.produce('t', ['gone'])
  await world.stopBroker()
  const log = Buffer.concat([at(0, 'a'), emptied(1, 3), at(9, 'b')])
  const file = world.disk.open('/kafka/t-0/00000000000000000000.log', 'replace')
  file.write(log, 0, log.length, 0)
  file.close()
  await world.startBroker()
  const again = await world.connect()
  const whole = await again.fetch('t', 0)
  assert.equal(whole.records?.length, log.length)
  assert.deepEqual(valuesIn(whole.records), ['a', 'b'])
  assert.equal(whole.highWatermark, 10)
  assert.deepEqual(valuesIn((await again.fetch('t', 5)).records), ['b'])
  assert.equal((await again.produce('t', ['c'])).baseOffset, 10)
})

async function ask(
  client: TestClient,
  version: number,
  topics: readonly { readonly name: string | null; readonly topicId?: string }[],
) {
  const answer = await client.ask(Metadata, version, { topics: [...topics] })
  return answer.topics.map(({ errorCode, name }) => [errorCode, name])
}

test('a topic without a name, or named by an id too early, is an error of its row (F16)', async () => {
  const { world, client } = await open()
  const unknown = 'AAAAAAAAAAAAAAAAAAAAAQ'
  for (const version of [10, 11]) {
    const refused = [[Errors.INVALID_REQUEST, '']]
    assert.deepEqual(await ask(client, version, [{ name: null }]), refused)
    assert.deepEqual(await ask(client, version, [{ name: 't', topicId: unknown }]), [
      [Errors.INVALID_REQUEST, 't'],
    ])
  }
  assert.deepEqual(await ask(client, 12, [{ name: null }]), [[Errors.UNKNOWN_SERVER_ERROR, '']])
  const both = [{ name: null, topicId: unknown }, { name: 't' }]
  assert.deepEqual(await ask(client, 12, both), [[Errors.UNKNOWN_TOPIC_ID, null]])
  assert.deepEqual(await ask(client, 12, [{ name: '' }]), [[Errors.INVALID_TOPIC_EXCEPTION, '']])
  assert.deepEqual(world.complaints(), [])
})

test('a client that is gone while its first request waits, and others are behind it, is let go (F1)', async () => {
  const { world } = await open()
  const raw = await world.connectRaw()
  const body = {
    ...{ maxWaitMs: 2_000_000, minBytes: 1, maxBytes: 1000, sessionEpoch: -1 },
    topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 10 }] }],
  }
  for (const correlationId of [1, 2])
    raw.write(Buffer.from(encodeRequest(Fetch, 11, { correlationId, clientId: null }, body)))
  await world.clock.advance(1000)
  const { connectionCount } = world.broker
  raw.connection.end()
  await world.clock.advance(1000)
  assert.equal(world.broker.connectionCount, connectionCount - 1)
})
