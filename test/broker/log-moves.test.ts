import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Errors } from '../../src/kafka/errors.ts'
import { AlterReplicaLogDirs } from '../../src/kafka/messages/alter-replica-log-dirs.ts'
import { DeleteRecords } from '../../src/kafka/messages/delete-records.ts'
import { DeleteTopics } from '../../src/kafka/messages/delete-topics.ts'
import { DescribeLogDirs } from '../../src/kafka/messages/describe-log-dirs.ts'
import { groupWorld } from './group-client.ts'
import { batchOf, World, type TestClient } from './world.ts'

const twoDirectories = { 'log.dirs': '/one,/two' }

function placesOf(world: World, name: string): string[] {
  return ['/one', '/two'].filter((path) => world.disk.stat(`${path}/${name}`) !== undefined)
}

const other = (path: string | undefined): string => (path === '/one' ? '/two' : '/one')

async function move(client: TestClient, path: string, topic = 't', partition = 0) {
  const topics = [{ name: topic, partitions: [partition] }]
  const { results } = await client.ask(AlterReplicaLogDirs, 2, { dirs: [{ path, topics }] })
  return results[0]?.partitions[0]?.errorCode
}

async function open(properties: Readonly<Record<string, string>> = {}) {
  const world = await new World().start({ ...twoDirectories, ...properties })
  const client = await world.connect()
  await client.createTopic('t')
  return { world, client, from: placesOf(world, 't-0')[0] ?? '' }
}

test('a replica moves to another directory, with its records, and goes on there', async () => {
  const { world, client, from } = await open({ 'log.segment.bytes': '2000' })
  for (let count = 0; count < 20; count += 1)
    await client.produceBytes('t', batchOf([`${count} ${'x'.repeat(500)}`]))
  const before = await client.values('t')
  assert.equal(await move(client, other(from)), Errors.NONE)
  await world.clock.advance(1000)
  assert.deepEqual(placesOf(world, 't-0'), [other(from)])
  assert.deepEqual(await client.values('t'), before)
  assert.equal((await client.produceBytes('t', batchOf(['after']))).baseOffset, 20)
  assert.deepEqual(await client.values('t', 20), ['after'])
  await world.restartBroker(twoDirectories)
  assert.deepEqual(await (await world.connect()).values('t', 20), ['after'])
  assert.deepEqual(placesOf(world, 't-0'), [other(from)])
})

test('while records come in a replica moves all the same; readers that wait are answered', async () => {
  const { world, client, from } = await open()
  const reader = await world.connect()
  await client.produce('t', ['first'])
  assert.equal(await move(client, other(from)), Errors.NONE)
  for (let count = 0; count < 50; count += 1) await client.produce('t', [String(count)])
  await world.clock.advance(1000)
  assert.deepEqual(placesOf(world, 't-0'), [other(from)])
  const waiting = reader.beginFetch('t', 51, { maxWaitMs: 60_000 })
  assert.equal(await move(client, from), Errors.NONE)
  await world.clock.advance(1000)
  assert.deepEqual(placesOf(world, 't-0'), [from])
  await client.produce('t', ['last'])
  const { responses } = await world.clock.until(waiting)
  assert.equal(responses[0]?.partitions[0]?.highWatermark, 52)
  assert.equal((await client.values('t')).length, 52)
})

test('moves that cannot be are refused; one to where the replica lies is none', async () => {
  const { world, client, from } = await open()
  assert.equal(await move(client, '/nope'), Errors.LOG_DIR_NOT_FOUND)
  assert.equal(await move(client, from, 'nope'), Errors.UNKNOWN_TOPIC_OR_PARTITION)
  assert.equal(await move(client, from, 't', 99), Errors.UNKNOWN_TOPIC_OR_PARTITION)
  assert.equal(await move(client, from, 'x'.repeat(240)), Errors.INVALID_TOPIC_EXCEPTION)
  assert.equal(await move(client, from), Errors.NONE)
  await world.clock.advance(1000)
  assert.deepEqual(placesOf(world, 't-0'), [from])
})

test('what is on its way is told as such, and a stopped broker goes on with it', async () => {
  const { world, client, from } = await open()
  await client.produceBytes('t', batchOf(['x'.repeat(500)]))
  world.disk.holdSyncs()
  assert.equal(await move(client, other(from)), Errors.NONE)
  await world.clock.advance(100)
  const { results } = await client.ask(DescribeLogDirs, 4, { topics: null })
  const rows = results.flatMap(({ logDir, topics }) =>
    topics.flatMap(({ partitions }) => partitions.map((row) => [logDir, row.isFutureKey])),
  )
  assert.deepEqual(
    new Map(rows as [string, boolean][]),
    new Map([
      [from, false],
      [other(from), true],
    ]),
  )
  world.killBroker()
  await world.startBroker(twoDirectories)
  await world.clock.advance(120_000)
  assert.deepEqual(placesOf(world, 't-0'), [other(from)])
  const left = [...world.disk.list('/one'), ...world.disk.list('/two')]
  assert.deepEqual(
    left.filter(({ name }) => name.endsWith('-future')),
    [],
  )
  assert.equal((await (await world.connect()).values('t')).length, 1)
})

test('a move of a topic that is deleted ends with it', async () => {
  const { world, client, from } = await open()
  await client.produce('t', ['a'])
  world.disk.holdSyncs()
  await move(client, other(from))
  await world.clock.advance(100)
  await client.ask(DeleteTopics, 1, { topicNames: ['t'], timeoutMs: 5000 })
  world.disk.releaseSyncs()
  await world.clock.advance(120_000)
  assert.deepEqual(placesOf(world, 't-0'), [])
  const left = [...world.disk.list('/one'), ...world.disk.list('/two')]
  assert.deepEqual(
    left.filter(({ kind }) => kind === 'directory'),
    [],
  )
})

test('deleted records stay deleted where the replica moves', async () => {
  const { world, client, from } = await open()
  for (const value of ['a', 'b', 'c']) await client.produce('t', [value])
  const partitions = [{ partitionIndex: 0, offset: 2 }]
  await client.ask(DeleteRecords, 2, { topics: [{ name: 't', partitions }], timeoutMs: 1000 })
  await move(client, other(from))
  await world.clock.advance(1000)
  assert.deepEqual(placesOf(world, 't-0'), [other(from)])
  const row = await client.fetch('t', 2)
  assert.equal(row.logStartOffset, 2)
  world.killBroker()
  await world.startBroker(twoDirectories)
  const again = await world.connect()
  assert.equal((await again.fetch('t', 1)).errorCode, Errors.OFFSET_OUT_OF_RANGE)
})

test('with a flush per message a replica that has moved is as durable as before', async () => {
  const { world, client, from } = await open({ 'log.flush.interval.messages': '1' })
  await client.produce('t', ['a', 'b'])
  await move(client, other(from))
  await world.clock.advance(1000)
  assert.deepEqual(placesOf(world, 't-0'), [other(from)])
  world.crash()
  await world.startCoordination()
  await world.startBroker(twoDirectories)
  assert.deepEqual(await (await world.connect()).values('t'), ['a', 'b'])
})

test('a group goes on whose coordinator has moved to another directory', async () => {
  const world = new World()
  const member = await groupWorld(world, { ...twoDirectories, 'offsets.topic.num.partitions': '1' })
  await member.enter()
  const from = placesOf(world, '__consumer_offsets-0')[0]
  assert.equal(await member.commit(1), Errors.NONE)
  assert.equal(await move(member.client, other(from), '__consumer_offsets'), Errors.NONE)
  await world.clock.advance(1000)
  assert.deepEqual(placesOf(world, '__consumer_offsets-0'), [other(from)])
  assert.equal(await member.commit(2), Errors.NONE)
  assert.equal(await member.heartbeat(), Errors.NONE)
  assert.equal(await member.committed(), 2)
})
