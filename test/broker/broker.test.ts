import assert from 'node:assert/strict'
import { test } from 'node:test'
import { handlers } from '../../src/broker/handlers/index.ts'
import { Errors } from '../../src/kafka/errors.ts'
import { ApiVersions } from '../../src/kafka/messages/api-versions.ts'
import { ListOffsets } from '../../src/kafka/messages/list-offsets.ts'
import { Produce } from '../../src/kafka/messages/produce.ts'
import { defaults } from '../../src/wire/schema.ts'
import { batchOf, valuesIn, World } from './world.ts'

test('every API answers every version that it lists', async () => {
  const world = await new World().start()
  const client = await world.connect()
  await client.createTopic('t')
  let asked = 0
  for (const { api, versions } of handlers) {
    for (let version = versions[0]; version <= versions[1]; version += 1) {
      // acks 0, the default of Produce, is not answered.
      const extra = api.key === Produce.key ? { acks: 1 } : {}
      const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
      const named = api.key === ApiVersions.key ? software : {}
      await client.ask(api, version, { ...defaults(api.request), ...extra, ...named })
      asked += 1
    }
  }
  assert.ok(asked > 100)
  assert.deepEqual(
    world.logger.texts().filter((line) => line.includes('Cannot answer')),
    [],
  )
})

test('an unknown version of ApiVersions is answered in version 0 with what is known', async () => {
  const world = await new World().start()
  const connection = await world.clock.until(
    world.network.connect({ host: 'localhost', port: 9092 }),
  )
  const chunks: Buffer[] = []
  connection.start({ onData: (chunk) => void chunks.push(Buffer.from(chunk)), onClose() {} })
  connection.write(Buffer.from('0000000b 0012 00ff 00000007 ffff 00'.replaceAll(' ', ''), 'hex'))
  await world.clock.advance(10)
  // Size, correlation id 7, error 35, one entry: key 18, versions 0 to 4.
  assert.equal(
    Buffer.concat(chunks).toString('hex'),
    '00000010 00000007 0023 00000001 0012 0000 0004'.replaceAll(' ', ''),
  )
})

test('records that were produced are fetched, in order, with their offsets', async () => {
  const world = await new World().start()
  const client = await world.connect()
  await client.createTopic('t')
  assert.equal((await client.produce('t', ['a', 'b'])).baseOffset, 0)
  assert.equal((await client.produce('t', ['c'], 1)).baseOffset, 2)
  assert.deepEqual(await client.values('t'), ['a', 'b', 'c'])
  const answer = await client.fetch('t', 2)
  assert.equal(answer.highWatermark, 3)
  assert.deepEqual(valuesIn(answer.records), ['c'])
})

test('a fetch beyond the end is refused, one at the end is empty', async () => {
  const world = await new World().start()
  const client = await world.connect()
  await client.createTopic('t')
  await client.produce('t', ['a'])
  assert.equal((await client.fetch('t', 1)).errorCode, Errors.NONE)
  assert.equal((await client.fetch('t', 1)).records?.length, 0)
  assert.equal((await client.fetch('t', 2)).errorCode, Errors.OFFSET_OUT_OF_RANGE)
})

test('a waiting fetch is answered in the turn of the append, not at its time limit', async () => {
  const world = await new World().start()
  const reader = await world.connect()
  const writer = await world.connect()
  await writer.createTopic('t')
  const startMs = world.clock.monotonicMs()
  const waiting = reader.beginFetch('t', 0, { maxWaitMs: 30000 })
  await world.clock.advance(100)
  await writer.produce('t', ['a'])
  const { responses } = await world.clock.until(waiting)
  assert.deepEqual(valuesIn(responses[0]?.partitions[0]?.records ?? null), ['a'])
  assert.ok(world.clock.monotonicMs() - startMs < 1000)
})

test('a waiting fetch is answered empty when its time is up (F8)', async () => {
  const world = await new World().start()
  const client = await world.connect()
  await client.createTopic('t')
  const startMs = world.clock.monotonicMs()
  const answer = await client.fetch('t', 0, { maxWaitMs: 700 })
  assert.equal(answer.records?.length, 0)
  assert.equal(Math.floor(world.clock.monotonicMs() - startMs), 700)
})

test('answers leave in the order of the requests although a fetch waits (F1)', async () => {
  const world = await new World().start()
  const client = await world.connect()
  await client.createTopic('t')
  const order: string[] = []
  const first = client.beginFetch('t', 0, { maxWaitMs: 500 }).then(() => order.push('fetch'))
  const second = client.begin(ListOffsets, 5, {}).then(() => order.push('offsets'))
  await world.clock.until(Promise.all([first, second]))
  assert.deepEqual(order, ['fetch', 'offsets'])
})

test('acks 0 is not answered, and an error of it closes the connection (F3)', async () => {
  const world = await new World().start()
  const client = await world.connect()
  await client.createTopic('t')
  const produce = (name: string) => ({
    acks: 0,
    timeoutMs: 1000,
    topicData: [{ name, partitionData: [{ index: 0, records: batchOf(['a']) }] }],
  })
  client.connection.sendUnanswered(Produce, 9, produce('t'))
  await world.clock.advance(10)
  assert.deepEqual(await client.values('t'), ['a'])
  client.connection.sendUnanswered(Produce, 9, produce('unknown'))
  await world.clock.advance(10)
  assert.equal(client.connection.isOpen, false)
})

test('records survive a clean restart of the broker, with topic ids and offsets', async () => {
  const world = await new World().start()
  let client = await world.connect()
  const topicId = await client.createTopic('t', 2)
  await client.produce('t', ['a', 'b'])
  await world.stopBroker()
  await world.startBroker()
  client = await world.connect()
  assert.deepEqual(await client.values('t'), ['a', 'b'])
  assert.equal((await client.produce('t', ['c'])).baseOffset, 2)
  const { topics } = await client.metadata(['t'])
  assert.equal(topics[0]?.partitions.length, 2)
  const described = await client.ask(
    (await import('../../src/kafka/messages/metadata.ts')).Metadata,
    12,
    { topics: [{ name: 't' }] },
  )
  assert.equal(described.topics[0]?.topicId, topicId)
})

test('with a flush per message, what was acknowledged survives a power loss', async () => {
  for (let seed = 1; seed <= 5; seed += 1) {
    const world = await new World(seed).start({ 'log.flush.interval.messages': '1' })
    let client = await world.connect()
    await client.createTopic('t')
    await client.produce('t', ['a'])
    await client.produce('t', ['b', 'c'])
    world.crash()
    await world.start({ 'log.flush.interval.messages': '1' })
    client = await world.connect()
    assert.deepEqual((await client.values('t')).slice(0, 3), ['a', 'b', 'c'])
  }
})
