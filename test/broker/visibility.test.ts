import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Errors } from '../../src/kafka/errors.ts'
import { groupWorld } from './group-client.ts'
import { Produce } from '../../src/kafka/messages/produce.ts'
import { batchOf, World, type TestClient } from './world.ts'

function beginProduce(client: TestClient, value: string) {
  const partitionData = [{ index: 0, records: batchOf([value]) }]
  const topicData = [{ name: 't', partitionData }]
  return client.begin(Produce, 9, { acks: -1, timeoutMs: 60_000, topicData })
}

const perMessage = { 'log.flush.interval.messages': '1' }

test('with a flush per message nobody reads what is not durable yet', async () => {
  const world = await new World().start(perMessage)
  const [writer, reader] = [await world.connect(), await world.connect()]
  await writer.createTopic('t')
  await writer.produce('t', ['a'])
  world.disk.holdSyncs()
  let answers = 0
  const writing = beginProduce(writer, 'b').then((answer) => {
    answers += 1
    return answer
  })
  await world.clock.advance(1000)
  const before = await reader.fetch('t', 0)
  assert.deepEqual([answers, before.highWatermark, await reader.values('t')], [0, 1, ['a']])
  const waiting = reader.beginFetch('t', 1, { maxWaitMs: 60_000 })
  await world.clock.advance(1000)
  world.disk.releaseSyncs()
  const written = await world.clock.until(writing)
  assert.equal(written.responses[0]?.partitionResponses[0]?.errorCode, Errors.NONE)
  const { responses } = await world.clock.until(waiting)
  assert.equal(responses[0]?.partitions[0]?.highWatermark, 2)
  assert.deepEqual(await reader.values('t', 1), ['b'])
})

test('with a flush every other message one that is not durable may be read, two may not', async () => {
  const world = await new World().start({ 'log.flush.interval.messages': '2' })
  const [writer, second] = [await world.connect(), await world.connect()]
  const reader = await world.connect()
  await writer.createTopic('t')
  world.disk.holdSyncs()
  assert.equal((await writer.produce('t', ['a'])).errorCode, Errors.NONE)
  const waiting = beginProduce(second, 'b')
  await world.clock.advance(1000)
  assert.equal((await reader.fetch('t', 0)).highWatermark, 1)
  world.disk.releaseSyncs()
  await world.clock.until(waiting)
  assert.equal((await reader.fetch('t', 0)).highWatermark, 2)
})

test('what a dead process left is made durable before it is read, where every message is', async () => {
  const world = await new World().start(perMessage)
  const client = await world.connect()
  await client.createTopic('t')
  world.disk.holdSyncs()
  void beginProduce(client, 'a').catch(() => undefined)
  await world.clock.advance(100)
  world.killBroker()
  world.disk.holdSyncs()
  await world.startBroker(perMessage)
  const reader = await world.connect()
  await world.clock.advance(1000)
  assert.equal((await reader.fetch('t', 0)).highWatermark, 0)
  world.disk.releaseSyncs()
  await world.clock.advance(1000)
  assert.deepEqual(await reader.values('t'), ['a'])
  world.crash()
  await world.startCoordination()
  await world.startBroker(perMessage)
  assert.deepEqual(await (await world.connect()).values('t'), ['a'])
})

test('groups are written and offsets committed with a flush per message', async () => {
  const world = new World()
  const member = await groupWorld(world, perMessage)
  await member.enter()
  assert.equal(await member.commit(5), Errors.NONE)
  assert.equal(await member.committed(), 5)
})
