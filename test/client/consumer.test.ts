// The consumer against fake brokers: what poll() gives, what gets committed, what a group does to
// it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConsumedRecord, Consumer } from '../../src/client/consumer/types.ts'
import { Fetch } from '../../src/kafka/messages/fetch.ts'
import { FindCoordinator } from '../../src/kafka/messages/find-coordinator.ts'
import { Heartbeat } from '../../src/kafka/messages/heartbeat.ts'
import { JoinGroup } from '../../src/kafka/messages/join-group.ts'
import { LeaveGroup } from '../../src/kafka/messages/leave-group.ts'
import { OffsetCommit } from '../../src/kafka/messages/offset-commit.ts'
import { OffsetFetch } from '../../src/kafka/messages/offset-fetch.ts'
import { delay } from '../../src/runtime/clock.ts'
import { RecordBatchBuilder } from '../../src/kafka/records/builder.ts'
import type { FakeBroker } from './support/fake-broker.ts'
import { createWorld, type World, type WorldSettings } from './support/fake-log.ts'

function append(world: World, partition: number, ...values: string[]): void {
  const builder = new RecordBatchBuilder()
  for (const value of values) builder.add(1, null, Buffer.from(value))
  world.log('t', partition).append(builder.build())
}

async function worldWith(partitions: number, more: Partial<WorldSettings> = {}): Promise<World> {
  return createWorld({ topics: { t: partitions }, splitChunks: true, ...more })
}

function first(world: World): FakeBroker {
  const [broker] = world.brokers
  assert.ok(broker !== undefined)
  return broker
}

async function poll(world: World, consumer: Consumer, timeoutMs = 2000): Promise<string[]> {
  const records = await world.clock.until(consumer.poll(timeoutMs))
  return texts(records)
}

const texts = (records: readonly ConsumedRecord[]): string[] =>
  records.map(({ value }) => String(value))

test('assigned partitions of all leaders are read from where the policy says', async () => {
  const world = await worldWith(2, { brokers: 2 })
  append(world, 0, 'a', 'b')
  append(world, 1, 'c')
  const consumer = world.client.consumer({ autoOffsetReset: 'earliest' })
  consumer.assign([0, 1].map((partition) => ({ topic: 't', partition })))
  const got = [...(await poll(world, consumer)), ...(await poll(world, consumer))]
  assert.deepEqual(got.sort(), ['a', 'b', 'c'])
  assert.equal(consumer.position({ topic: 't', partition: 0 }), 2)
  assert.equal(consumer.lag({ topic: 't', partition: 0 }), 0)
})

test('poll returns nothing when its time is up, and at once when it is woken', async () => {
  const world = await worldWith(1)
  const consumer = world.client.consumer()
  consumer.assign([{ topic: 't', partition: 0 }])
  assert.deepEqual(await poll(world, consumer, 3000), [])
  assert.ok(world.clock.monotonicMs() >= 3000)
  const waiting = consumer.poll(60_000)
  await world.clock.advance(1000)
  consumer.wakeup()
  const startMs = world.clock.monotonicMs()
  assert.deepEqual(await world.clock.until(waiting), [])
  assert.ok(world.clock.monotonicMs() - startMs < 1000)
})

test('latest skips what was there, and new records are given', async () => {
  const world = await worldWith(1)
  append(world, 0, 'old')
  const consumer = world.client.consumer()
  consumer.assign([{ topic: 't', partition: 0 }])
  assert.deepEqual(await poll(world, consumer, 100), [])
  append(world, 0, 'new')
  assert.deepEqual(await poll(world, consumer), ['new'])
})

test('poll gives no more than asked for, and seek throws away what was fetched', async () => {
  const world = await worldWith(1)
  append(world, 0, 'a', 'b', 'c')
  append(world, 0, 'd')
  const consumer = world.client.consumer({ autoOffsetReset: 'earliest', maxPollRecords: 2 })
  consumer.assign([{ topic: 't', partition: 0 }])
  assert.deepEqual(await poll(world, consumer), ['a', 'b'])
  consumer.seek('t', 0, 1)
  assert.deepEqual(await poll(world, consumer), ['b', 'c'])
  assert.deepEqual(await poll(world, consumer), ['d'])
  consumer.seekToBeginning()
  assert.deepEqual(await poll(world, consumer), ['a', 'b'])
})

test('an answer to a fetch from before a seek is thrown away', async () => {
  const world = await worldWith(1)
  const consumer = world.client.consumer({ autoOffsetReset: 'latest' })
  append(world, 0, 'a', 'b')
  consumer.assign([{ topic: 't', partition: 0 }])
  first(world).once(Fetch, async (request) => {
    await delay(world.clock, 3000)
    const partitions = request.topics[0]?.partitions ?? []
    const fetchOffset = Number(partitions[0]?.fetchOffset)
    assert.equal(fetchOffset, 2)
    append(world, 0, 'c')
    const records = world.log('t', 0).from(2)
    return { responses: [{ topic: 't', partitions: [{ partitionIndex: 0, records }] }] }
  })
  assert.deepEqual(await poll(world, consumer, 1000), [])
  consumer.seek('t', 0, 0)
  assert.deepEqual(await poll(world, consumer, 10_000), ['a', 'b', 'c'])
})

test('paused partitions give nothing and keep their place', async () => {
  const world = await worldWith(2)
  append(world, 0, 'a')
  append(world, 1, 'b')
  const consumer = world.client.consumer({ autoOffsetReset: 'earliest' })
  consumer.assign([0, 1].map((partition) => ({ topic: 't', partition })))
  consumer.pause([{ topic: 't', partition: 0 }])
  assert.deepEqual(await poll(world, consumer), ['b'])
  assert.deepEqual(await poll(world, consumer, 100), [])
  consumer.resume([{ topic: 't', partition: 0 }])
  assert.deepEqual(await poll(world, consumer), ['a'])
})

test('an offset that is gone leads to the reset policy, or to an error without one', async () => {
  const world = await worldWith(1)
  append(world, 0, 'a')
  const lenient = world.client.consumer({ autoOffsetReset: 'earliest' })
  lenient.assign([{ topic: 't', partition: 0 }])
  lenient.seek('t', 0, 99)
  assert.deepEqual(await poll(world, lenient), ['a'])
  const strict = world.client.consumer({ autoOffsetReset: 'none' })
  strict.assign([{ topic: 't', partition: 0 }])
  await world.clock.until(assert.rejects(strict.poll(1000), { errorName: 'NO_OFFSET' }))
  strict.seek('t', 0, 99)
  const outside = assert.rejects(strict.poll(1000), { errorName: 'OFFSET_OUT_OF_RANGE' })
  await world.clock.until(outside)
})

test('lost connections and moved leaders are waited out', async () => {
  const world = await worldWith(1, { brokers: 2 })
  append(world, 0, 'a')
  const consumer = world.client.consumer({ autoOffsetReset: 'earliest' })
  consumer.assign([{ topic: 't', partition: 0 }])
  first(world).once(Fetch, () => 'reset')
  assert.deepEqual(await poll(world, consumer, 5000), ['a'])
  world.log('t', 0).leader = 2
  append(world, 0, 'b')
  assert.deepEqual(await poll(world, consumer, 5000), ['b'])
})

test('a member joins, reads from the committed offset, commits and leaves', async () => {
  const world = await worldWith(2)
  append(world, 0, 'a', 'b')
  append(world, 1, 'c')
  world.committed.set('t-0', 1)
  const consumer = world.client.consumer({ groupId: 'g', autoOffsetReset: 'earliest' })
  const told: string[] = []
  consumer.onAssigned((partitions) => void told.push(`+${partitions.length}`))
  consumer.onRevoked((partitions) => void told.push(`-${partitions.length}`))
  consumer.subscribe(['t'])
  const got = [...(await poll(world, consumer)), ...(await poll(world, consumer, 100))]
  assert.deepEqual(got.sort(), ['b', 'c'])
  await world.clock.until(consumer.commit())
  assert.deepEqual([...world.committed].toSorted(byName), [
    ['t-0', 2],
    ['t-1', 1],
  ])
  const [committed] = await world.clock.until(consumer.committed([{ topic: 't', partition: 0 }]))
  assert.equal(committed?.offset, 2)
  await world.clock.until(consumer.close())
  assert.deepEqual(told, ['+2', '-2'])
  assert.equal(first(world).count(LeaveGroup), 1)
})

test('single offsets can be committed, as they are processed', async () => {
  const world = await worldWith(1)
  append(world, 0, 'a', 'b', 'c')
  const consumer = world.client.consumer({ groupId: 'g', autoOffsetReset: 'earliest' })
  consumer.subscribe(['t'])
  assert.equal((await poll(world, consumer)).length, 3)
  await world.clock.until(consumer.commit([{ topic: 't', partition: 0, offset: 1 }]))
  assert.equal(world.committed.get('t-0'), 1)
})

test('auto-commit commits what earlier polls returned, and on closing all that was', async () => {
  const world = await worldWith(1)
  const settings = { groupId: 'g', autoOffsetReset: 'earliest', autoCommit: true } as const
  const consumer = world.client.consumer({
    ...settings,
    autoCommitIntervalMs: 0,
    maxPollRecords: 2,
  })
  append(world, 0, 'a', 'b', 'c', 'd', 'e')
  consumer.subscribe(['t'])
  assert.deepEqual(await poll(world, consumer), ['a', 'b'])
  await world.clock.advance(60_000)
  assert.equal(world.committed.get('t-0'), undefined)
  assert.deepEqual(await poll(world, consumer), ['c', 'd'])
  await world.clock.advance(1000)
  assert.equal(world.committed.get('t-0'), 2)
  await world.clock.until(consumer.close())
  assert.equal(world.committed.get('t-0'), 4)
})

test('a rebalance gives the partitions up within poll, which may commit them first', async () => {
  const world = await worldWith(1)
  const broker = first(world)
  append(world, 0, 'a')
  const consumer = world.client.consumer({ groupId: 'g', autoOffsetReset: 'earliest' })
  const told: string[] = []
  consumer.onRevoked(async () => {
    told.push('revoked')
    await consumer.commit()
  })
  consumer.onAssigned(() => void told.push('assigned'))
  consumer.subscribe(['t'])
  assert.deepEqual(await poll(world, consumer), ['a'])
  broker.once(Heartbeat, () => ({ errorCode: 27 }))
  await world.clock.advance(10_000)
  assert.deepEqual(told, ['assigned'])
  assert.deepEqual(await poll(world, consumer, 1000), [])
  assert.deepEqual(told, ['assigned', 'revoked', 'assigned'])
  assert.equal(world.committed.get('t-0'), 1)
  assert.equal(broker.requests(JoinGroup).at(-1)?.memberId, 'member-1')
})

test('a member that the coordinator forgot loses its partitions and comes back anew', async () => {
  const world = await worldWith(1)
  const broker = first(world)
  append(world, 0, 'a')
  const consumer = world.client.consumer({ groupId: 'g', autoOffsetReset: 'earliest' })
  consumer.subscribe(['t'])
  assert.deepEqual(await poll(world, consumer), ['a'])
  broker.once(Heartbeat, () => ({ errorCode: 25 }))
  await world.clock.advance(5000)
  // It was not committed, so it comes again.
  assert.deepEqual(await poll(world, consumer), ['a'])
  assert.equal(broker.requests(JoinGroup).at(-1)?.memberId, '')
})

test('a commit of a generation that passed is refused, and the next poll rejoins', async () => {
  const world = await worldWith(1)
  const broker = first(world)
  append(world, 0, 'a')
  const consumer = world.client.consumer({ groupId: 'g', autoOffsetReset: 'earliest' })
  consumer.subscribe(['t'])
  await poll(world, consumer)
  broker.once(OffsetCommit, () => ({
    topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 22 }] }],
  }))
  await world.clock.until(assert.rejects(consumer.commit(), { errorName: 'ILLEGAL_GENERATION' }))
  const joins = broker.count(JoinGroup)
  assert.deepEqual(await poll(world, consumer), ['a'])
  assert.equal(broker.count(JoinGroup), joins + 1)
})

test('a member that does not poll for too long leaves, and joins again when it polls', async () => {
  const world = await worldWith(1)
  const broker = first(world)
  const consumer = world.client.consumer({ groupId: 'g', maxPollIntervalMs: 20_000 })
  const told: string[] = []
  consumer.onRevoked(() => void told.push('revoked'))
  consumer.subscribe(['t'])
  await poll(world, consumer, 100)
  await world.clock.advance(30_000)
  assert.equal(broker.count(LeaveGroup), 1)
  await poll(world, consumer, 100)
  assert.deepEqual(told, ['revoked'])
  assert.equal(broker.count(JoinGroup), 2)
})

test('a coordinator that is loading or elsewhere is waited for', async () => {
  const world = await worldWith(1)
  const broker = first(world)
  append(world, 0, 'a')
  broker.once(FindCoordinator, () => ({ errorCode: 15 }))
  broker.once(JoinGroup, () => ({ errorCode: 14, protocolName: '' }))
  broker.once(JoinGroup, () => ({ errorCode: 16, protocolName: '' }))
  broker.once(JoinGroup, () => 'reset')
  broker.once(JoinGroup, () => ({ errorCode: 79, protocolName: '', memberId: 'given' }))
  broker.once(OffsetFetch, () => ({
    topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 14, metadata: '' }] }],
  }))
  const consumer = world.client.consumer({ groupId: 'g', autoOffsetReset: 'earliest' })
  consumer.subscribe(['t'])
  assert.deepEqual(await poll(world, consumer, 20_000), ['a'])
  assert.equal(broker.requests(JoinGroup).at(-1)?.memberId, 'given')
})

test('what a group refuses for good is thrown by poll', async () => {
  const world = await worldWith(1)
  const broker = first(world)
  broker.on(JoinGroup, () => ({ errorCode: 30, protocolName: '' }))
  const consumer = world.client.consumer({ groupId: 'g' })
  consumer.subscribe(['t'])
  const refused = assert.rejects(consumer.poll(1000), { errorName: 'GROUP_AUTHORIZATION_FAILED' })
  await world.clock.until(refused)
})

test('a session that an old broker finds too long is shortened', async () => {
  const world = await worldWith(1)
  const broker = first(world)
  broker.once(JoinGroup, () => ({ errorCode: 26, protocolName: '' }))
  const consumer = world.client.consumer({ groupId: 'g' })
  consumer.subscribe(['t'])
  await poll(world, consumer, 100)
  const timeouts = broker.requests(JoinGroup).map(({ sessionTimeoutMs }) => sessionTimeoutMs)
  assert.deepEqual(timeouts, [45_000, 30_000])
  assert.equal(consumer.assignment().length, 1)
})

test('calls that make no sense are refused', async () => {
  const world = await worldWith(1)
  const alone = world.client.consumer()
  assert.throws(() => alone.subscribe(['t']), /needs a groupId/)
  assert.throws(() => alone.seek('t', 0, 1), /not assigned/)
  await assert.rejects(alone.commit(), /groupId/)
  alone.assign([{ topic: 't', partition: 0 }])
  assert.throws(() => alone.seek('t', 0, -1), /no offset/)
  const polling = alone.poll(10)
  await assert.rejects(alone.poll(10), /running already/)
  await world.clock.until(polling)
  await world.clock.until(world.client.close())
  await assert.rejects(alone.poll(10), { errorName: 'CLIENT_CLOSED' })
})

function byName([one]: [string, number], [other]: [string, number]): number {
  return one < other ? -1 : 1
}
