import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Errors } from '../../src/kafka/errors.ts'
import { encodeRequest } from '../../src/kafka/header.ts'
import { ApiVersions } from '../../src/kafka/messages/api-versions.ts'
import { Fetch } from '../../src/kafka/messages/fetch.ts'
import { Heartbeat } from '../../src/kafka/messages/heartbeat.ts'
import { Metadata } from '../../src/kafka/messages/metadata.ts'
import { Produce } from '../../src/kafka/messages/produce.ts'
import type { AnyApi, RequestInputOf } from '../../src/wire/schema.ts'
import { GroupClient, groupWorld } from './group-client.ts'
import { batchOf, World, type RawClient } from './world.ts'

function requestBytes<A extends AnyApi>(
  api: A,
  version: number,
  body: RequestInputOf<A>,
  correlationId = 1,
): Buffer {
  return Buffer.from(encodeRequest(api, version, { correlationId, clientId: 'raw' }, body))
}

function fetchOf(topic: string, maxWaitMs: number, limits = {}) {
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 2 ** 31 - 1 }]
  return {
    maxWaitMs,
    minBytes: 1,
    maxBytes: 2 ** 31 - 1,
    topics: [{ topic, partitions }],
    ...limits,
  }
}

/** Correlation ids of the whole answers that came. */
function answered(client: RawClient): number[] {
  const { received } = client
  const ids: number[] = []
  for (let at = 0; at + 8 <= received.length; at += 4 + received.readInt32BE(at))
    ids.push(received.readInt32BE(at + 4))
  return ids
}

test('hostile frames close their connection and nothing else (F2)', async () => {
  const world = await new World().start()
  const client = await world.connect()
  await client.createTopic('t')
  const frames = ['7fffffff', 'ffffffff', '0000000400', '00000008 0000 0063 00000001', '00000000']
  for (const hex of frames) {
    const connection = await world.clock.until(
      world.network.connect({ host: 'localhost', port: 9092 }),
    )
    let isClosed = false
    connection.start({ onData() {}, onClose: () => void (isClosed = true) })
    connection.write(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
    await world.clock.advance(180000)
    assert.equal(isClosed, true, hex)
  }
  await client.produce('t', ['still here'])
})

test('a request that makes no sense ends its connection after the answers before it', async () => {
  const world = await new World().start()
  const raw = await world.connectRaw()
  const good = requestBytes(ApiVersions, 0, {}, 7)
  const unknownKey = Buffer.from('00000008 03e7 0000 00000008'.replaceAll(' ', ''), 'hex')
  raw.write(Buffer.concat([good, unknownKey, requestBytes(ApiVersions, 0, {}, 9)]))
  await world.clock.advance(3000)
  assert.deepEqual(answered(raw), [7])
  assert.ok(raw.isClosed)
})

test('an unsupported version ends the connection without a word, as in Kafka', async () => {
  const world = await new World().start()
  const raw = await world.connectRaw()
  raw.write('0000000a 0003 0063 00000007 ffff')
  await world.clock.advance(3000)
  assert.deepEqual([raw.received.length, raw.isClosed], [0, true])
})

test('many requests in one go are answered in order, one at a time (F1)', async () => {
  const world = await new World().start()
  const client = await world.connect()
  await client.createTopic('t')
  await client.produce('t', ['x'.repeat(100_000)])
  const raw = await world.connectRaw()
  const count = 200
  const requests = Array.from({ length: count }, (_, at) =>
    at % 3 === 0
      ? requestBytes(Fetch, 4, fetchOf('t', 0), at)
      : requestBytes(Metadata, 1, { topics: null }, at),
  )
  raw.write(Buffer.concat(requests))
  await world.clock.advance(60_000)
  assert.deepEqual(
    answered(raw),
    Array.from({ length: count }, (_, at) => at),
  )
})

test('a reader that does not read makes the broker hold one answer for it, not all', async () => {
  const world = await new World().start()
  const client = await world.connect()
  await client.createTopic('t')
  for (let count = 0; count < 4; count += 1) await client.produce('t', ['x'.repeat(900_000)])
  const raw = await world.connectRaw()
  raw.connection.pause()
  const requests = Array.from({ length: 50 }, (_, at) =>
    requestBytes(Fetch, 4, fetchOf('t', 0), at),
  )
  raw.write(Buffer.concat(requests))
  await world.clock.advance(5000)
  assert.ok(world.broker.pendingAnswerBytes < 8 * 1024 * 1024)
  raw.connection.resume()
  await world.clock.advance(60_000)
  assert.equal(answered(raw).length, 50)
})

test('a fetch whose client has gone is let go at once', async () => {
  const world = await new World().start()
  const client = await world.connect()
  await client.createTopic('t')
  for (const leave of ['end', 'destroy'] as const) {
    const raw = await world.connectRaw()
    raw.write(requestBytes(Fetch, 4, fetchOf('t', 2 ** 31 - 1)))
    await world.clock.advance(100)
    const before = world.broker.connectionCount
    raw.connection[leave]()
    await world.clock.advance(5000)
    assert.equal(world.broker.connectionCount, before - 1, leave)
  }
  await client.produce('t', ['a'])
})

test('idle connections are ended after connections.max.idle.ms, with an answer to what waits (F43)', async () => {
  const world = await new World().start({ 'connections.max.idle.ms': '60000' })
  const client = await world.connect()
  await client.createTopic('t')
  const idle = await world.connectRaw()
  const waiting = client.beginFetch('t', 0, { maxWaitMs: 2 ** 31 - 1 })
  await world.clock.advance(130_000)
  assert.ok(idle.isClosed)
  const { responses } = await world.clock.until(waiting)
  assert.equal(responses[0]?.partitions[0]?.errorCode, Errors.NONE)
  assert.equal(client.connection.isOpen, false)
})

test('connections above the limits are closed on arrival (F43)', async () => {
  const world = await new World().start({ 'max.connections.per.ip': '2' })
  const clients = [await world.connectRaw(), await world.connectRaw(), await world.connectRaw()]
  await world.clock.advance(100)
  assert.deepEqual(
    clients.map((client) => client.isClosed),
    [false, false, true],
  )
  clients[0]?.connection.destroy()
  await world.clock.advance(100)
  const next = await world.connectRaw()
  await world.clock.advance(100)
  assert.equal(next.isClosed, false)
})

test('a stop answers what is under way, and every acknowledged record is there afterwards', async () => {
  for (let seed = 1; seed <= 10; seed += 1) {
    const world = await new World(seed, 1).start()
    const admin = await world.connect()
    await admin.createTopic('t')
    await admin.createTopic('empty')
    const acknowledged: string[] = []
    const clients = [await world.connect(), await world.connect(), await world.connect()]
    const reader = await world.connect()
    const parked = reader.beginFetch('empty', 0, { maxWaitMs: 600_000 }).catch(() => undefined)
    const busy = clients.map(async (client, who) => {
      for (let count = 0; count < 1000; count += 1) {
        const value = `${who}-${count}`
        const request = {
          ...{ acks: -1, timeoutMs: 1000 },
          topicData: [{ name: 't', partitionData: [{ index: 0, records: batchOf([value]) }] }],
        }
        const answer = await client.begin(Produce, 9, request).catch(() => undefined)
        if (answer === undefined) return
        if (answer.responses[0]?.partitionResponses[0]?.errorCode === 0) acknowledged.push(value)
      }
    })
    await world.clock.advance(20 + seed)
    await world.stopBroker()
    await world.clock.until(Promise.all(busy))
    const fetched = await world.clock.until(parked)
    assert.equal(fetched?.responses[0]?.partitions[0]?.errorCode, Errors.NONE)
    assert.ok(acknowledged.length > 0)
    await world.startBroker()
    const stored = new Set(await (await world.connect()).values('t'))
    for (const value of acknowledged) assert.ok(stored.has(value), value)
  }
})

test('a stop does not wait for members that wait for each other', async () => {
  const world = new World()
  const one = await groupWorld(world)
  await one.enter()
  const two = new GroupClient(await world.connect())
  const joining = two.beginJoin({ version: 3 }).catch(() => 'gone')
  await world.clock.advance(100)
  const startMs = world.clock.monotonicMs()
  await world.stopBroker()
  assert.ok(world.clock.monotonicMs() - startMs < 5000)
  await world.clock.until(joining)
})

test('a broken request of one connection does not touch another', async () => {
  const world = await new World().start()
  const client = await world.connect()
  const raw = await world.connectRaw()
  raw.write('00000010 000c 0000 00000001 ffff 7fff 6161 6161')
  await world.clock.advance(3000)
  assert.ok(raw.isClosed)
  const identity = { groupId: 'g', memberId: 'm', generationId: 1 }
  const answer = await client.ask(Heartbeat, 0, identity)
  assert.equal(answer.errorCode, Errors.NOT_COORDINATOR)
})
