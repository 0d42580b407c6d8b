// Where and how a consumer fetches: sessions, topic ids, followers near by, logs that were cut off.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Consumer } from '../../src/client/consumer/types.ts'
import { Fetch } from '../../src/kafka/messages/fetch.ts'
import { OffsetForLeaderEpoch } from '../../src/kafka/messages/offset-for-leader-epoch.ts'
import { RecordBatchBuilder } from '../../src/kafka/records/builder.ts'
import type { FakeBroker } from './support/fake-broker.ts'
import { createWorld, topicIdOf, type World } from './support/fake-log.ts'

function append(world: World, partition: number, ...values: string[]): void {
  const builder = new RecordBatchBuilder()
  for (const value of values) builder.add(1, null, Buffer.from(value))
  world.log('t', partition).append(builder.build())
}

async function poll(world: World, consumer: Consumer, timeoutMs = 2000): Promise<string[]> {
  const records = await world.clock.until(consumer.poll(timeoutMs))
  return records.map(({ value }) => String(value))
}

function broker(world: World, nodeId: number): FakeBroker {
  const found = world.brokers.find((one) => one.nodeId === nodeId)
  assert.ok(found !== undefined)
  return found
}

const partitions = (...numbers: number[]): { topic: string; partition: number }[] =>
  numbers.map((partition) => ({ topic: 't', partition }))

test('once there is a session, a fetch names only the partitions that moved', async () => {
  const world = await createWorld({ topics: { t: 50 } })
  const consumer = world.client.consumer({ autoOffsetReset: 'earliest' })
  consumer.assign(Array.from({ length: 50 }, (_, partition) => ({ topic: 't', partition })))
  assert.deepEqual(await poll(world, consumer, 1500), [])
  append(world, 7, 'a')
  assert.deepEqual(await poll(world, consumer, 3000), ['a'])
  await poll(world, consumer, 1500)
  const asked = broker(world, 1)
    .requests(Fetch)
    .map(({ sessionEpoch, topics }) => [sessionEpoch, topics[0]?.partitions.length ?? 0])
  assert.deepEqual(asked[0], [0, 50])
  const later = asked.slice(1).map(([, count]) => count)
  assert.deepEqual(
    later.filter((count) => count !== 0),
    [1],
  )
})

test('a session that the broker dropped is begun anew, and nothing is lost', async () => {
  const world = await createWorld({ topics: { t: 2 } })
  const consumer = world.client.consumer({ autoOffsetReset: 'earliest' })
  consumer.assign(partitions(0, 1))
  await poll(world, consumer, 1000)
  broker(world, 1).once(Fetch, () => ({ errorCode: 70 }))
  append(world, 0, 'a')
  append(world, 1, 'b')
  const got = [...(await poll(world, consumer, 5000)), ...(await poll(world, consumer, 2000))]
  assert.deepEqual(got.sort(), ['a', 'b'])
  const epochs = broker(world, 1)
    .requests(Fetch)
    .map(({ sessionEpoch }) => sessionEpoch)
  assert.equal(epochs.filter((epoch) => epoch === 0).length, 2)
})

test('brokers with topic ids are asked by id', async () => {
  const world = await createWorld({ topics: { t: 1 }, topicIds: true })
  append(world, 0, 'a')
  const consumer = world.client.consumer({ autoOffsetReset: 'earliest' })
  consumer.assign(partitions(0))
  assert.deepEqual(await poll(world, consumer), ['a'])
  const seen = broker(world, 1).seen.find(({ name }) => name === 'Fetch')
  assert.equal(seen?.version, 17)
  assert.equal(broker(world, 1).requests(Fetch)[0]?.topics[0]?.topicId, topicIdOf('t'))
  append(world, 0, 'b')
  assert.deepEqual(await poll(world, consumer), ['b'])
})

test('a broker that speaks of topic ids but knows none is asked by name', async () => {
  const world = await createWorld({ topics: { t: 1 }, topicIds: true })
  append(world, 0, 'a')
  const unknown = {
    responses: [{ topicId: topicIdOf('t'), partitions: [{ partitionIndex: 0, errorCode: 100 }] }],
  }
  broker(world, 1).once(Fetch, () => unknown)
  broker(world, 1).once(Fetch, () => unknown)
  const consumer = world.client.consumer({ autoOffsetReset: 'earliest' })
  consumer.assign(partitions(0))
  assert.deepEqual(await poll(world, consumer, 10_000), ['a'])
  const versions = broker(world, 1)
    .seen.filter(({ name }) => name === 'Fetch')
    .map(({ version }) => version)
  assert.deepEqual(versions.slice(0, 3), [17, 17, 12])
})

test('brokers before sessions are asked for all partitions each time', async () => {
  const world = await createWorld({ topics: { t: 3 } })
  const old = broker(world, 1)
  old.on(
    Fetch,
    async (request) => {
      const responses = request.topics.flatMap(({ topic, partitions: asked }) =>
        asked.flatMap(({ partition, fetchOffset }) => {
          const records = world.log(topic, partition).from(Number(fetchOffset))
          return { topic, partitions: [{ partitionIndex: partition, records }] }
        }),
      )
      return { responses }
    },
    { max: 6 },
  )
  append(world, 2, 'a')
  const consumer = world.client.consumer({ autoOffsetReset: 'earliest' })
  consumer.assign(partitions(0, 1, 2))
  assert.deepEqual(await poll(world, consumer), ['a'])
  append(world, 0, 'b')
  assert.deepEqual(await poll(world, consumer), ['b'])
  for (const { topics } of old.requests(Fetch)) assert.equal(topics[0]?.partitions.length, 3)
})

test('the leader may send a consumer to a follower near by, and back when that one fails', async () => {
  const world = await createWorld({ topics: { t: 1 }, brokers: 2, racks: ['a', 'b'] })
  append(world, 0, 'x')
  const leader = broker(world, 1)
  leader.once(Fetch, (request) => {
    assert.equal(request.rackId, 'b')
    const data = { partitionIndex: 0, preferredReadReplica: 2, highWatermark: 1, records: null }
    return { sessionId: 7, responses: [{ topic: 't', partitions: [data] }] }
  })
  const consumer = world.client.consumer({ autoOffsetReset: 'earliest', rackId: 'b' })
  consumer.assign(partitions(0))
  assert.deepEqual(await poll(world, consumer), ['x'])
  assert.equal(leader.count(Fetch), 1)
  const follower = broker(world, 2)
  assert.ok(follower.count(Fetch) >= 1)
  // It lags behind: the leader decides whether the offset exists.
  const behind = { partitionIndex: 0, errorCode: 1, records: null }
  follower.once(Fetch, () => ({ sessionId: 8, responses: [{ topic: 't', partitions: [behind] }] }))
  append(world, 0, 'y')
  const got = [...(await poll(world, consumer, 5000)), ...(await poll(world, consumer, 2000))]
  assert.deepEqual(got, ['y'])
  assert.equal(consumer.position({ topic: 't', partition: 0 }), 2)
})

test('after a change of leader, a log that was cut off is gone back in', async () => {
  const world = await createWorld({ topics: { t: 1 }, brokers: 2 })
  append(world, 0, 'a')
  append(world, 0, 'b')
  append(world, 0, 'c')
  const consumer = world.client.consumer({ autoOffsetReset: 'earliest' })
  consumer.assign(partitions(0))
  assert.deepEqual(await poll(world, consumer), ['a', 'b', 'c'])
  // The new leader has only the first record of the old epoch.
  world.log('t', 0).elect(2, 1)
  append(world, 0, 'B')
  append(world, 0, 'C')
  append(world, 0, 'D')
  const got: string[] = []
  for (let round = 0; round < 5; round++) got.push(...(await poll(world, consumer, 1000)))
  assert.deepEqual(got, ['B', 'C', 'D'])
  const [asked] = broker(world, 2).requests(OffsetForLeaderEpoch)
  assert.deepEqual(
    asked?.topics[0]?.partitions.map(({ leaderEpoch }) => leaderEpoch),
    [0],
  )
})

test('without a reset policy, a log that was cut off is an error of poll', async () => {
  const world = await createWorld({ topics: { t: 1 }, brokers: 2 })
  append(world, 0, 'a')
  append(world, 0, 'b')
  const consumer = world.client.consumer({ autoOffsetReset: 'none' })
  consumer.assign(partitions(0))
  consumer.seek('t', 0, 0)
  assert.deepEqual(await poll(world, consumer), ['a', 'b'])
  world.log('t', 0).elect(2, 1)
  await world.clock.until(assert.rejects(consumer.poll(20_000), { errorName: 'LOG_TRUNCATED' }))
})

test('brokers that do not tell where epochs end are believed', async () => {
  const world = await createWorld({ topics: { t: 1 }, brokers: 2 })
  for (const one of world.brokers) one.on(OffsetForLeaderEpoch, () => 'reset', { max: 2 })
  append(world, 0, 'a')
  const consumer = world.client.consumer({ autoOffsetReset: 'earliest' })
  consumer.assign(partitions(0))
  assert.deepEqual(await poll(world, consumer), ['a'])
  world.log('t', 0).elect(2)
  append(world, 0, 'b')
  assert.deepEqual(await poll(world, consumer, 10_000), ['b'])
})

test('a partition without a leader does not keep others from finding their place', async () => {
  const world = await createWorld({ topics: { t: 2 } })
  world.log('t', 0).leader = -1
  append(world, 1, 'a')
  const consumer = world.client.consumer({ autoOffsetReset: 'earliest' })
  consumer.assign(partitions(0))
  assert.deepEqual(await poll(world, consumer, 1000), [])
  consumer.assign(partitions(0, 1))
  assert.deepEqual(await poll(world, consumer, 1000), ['a'])
  world.log('t', 0).leader = 1
  append(world, 0, 'b')
  assert.deepEqual(await poll(world, consumer, 10_000), ['b'])
})

test('what is buffered of a paused partition comes when it goes on, in order', async () => {
  const world = await createWorld({ topics: { t: 2 } })
  append(world, 0, 'a', 'b', 'c')
  append(world, 1, 'x')
  const consumer = world.client.consumer({ autoOffsetReset: 'earliest', maxPollRecords: 1 })
  consumer.assign(partitions(0, 1))
  const got = [...(await poll(world, consumer)), ...(await poll(world, consumer))]
  assert.deepEqual(got, ['x', 'a'])
  consumer.pause(partitions(0))
  append(world, 0, 'd')
  append(world, 1, 'y')
  assert.deepEqual(await poll(world, consumer), ['y'])
  assert.deepEqual(await poll(world, consumer, 1000), [])
  consumer.resume(partitions(0))
  const rest: string[] = []
  for (let round = 0; round < 3; round++) rest.push(...(await poll(world, consumer)))
  assert.deepEqual(rest, ['b', 'c', 'd'])
})
