// Groups of several members: what is given up, what is kept, who is told, which topics are meant.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type Subscription,
} from '../../src/client/consumer/protocol.ts'
import type { Consumer, ConsumerSettings } from '../../src/client/consumer/types.ts'
import { Heartbeat } from '../../src/kafka/messages/heartbeat.ts'
import { JoinGroup } from '../../src/kafka/messages/join-group.ts'
import { LeaveGroup } from '../../src/kafka/messages/leave-group.ts'
import { OffsetCommit } from '../../src/kafka/messages/offset-commit.ts'
import { OffsetFetch } from '../../src/kafka/messages/offset-fetch.ts'
import { SyncGroup } from '../../src/kafka/messages/sync-group.ts'
import { RecordBatchBuilder } from '../../src/kafka/records/builder.ts'
import type { FakeBroker } from './support/fake-broker.ts'
import { createWorld, type World } from './support/fake-log.ts'

function first(world: World): FakeBroker {
  const [broker] = world.brokers
  assert.ok(broker !== undefined)
  return broker
}

function append(world: World, partition: number, ...values: string[]): void {
  const builder = new RecordBatchBuilder()
  for (const value of values) builder.add(1, null, Buffer.from(value))
  world.log('t', partition).append(builder.build())
}

async function poll(world: World, consumer: Consumer, timeoutMs = 1000): Promise<string[]> {
  const records = await world.clock.until(consumer.poll(timeoutMs))
  return records.map(({ value }) => String(value))
}

/** A follower of a group whose leader gives it these partitions, one list a generation. */
function follow(broker: FakeBroker, generations: readonly (readonly number[])[]): void {
  let generationId = 0
  broker.on(JoinGroup, (request) => {
    generationId += 1
    const memberId = request.memberId === '' ? 'member-1' : request.memberId
    const protocolName = request.protocols[0]?.name ?? ''
    return { generationId, protocolName, leader: 'another', memberId, members: [] }
  })
  broker.on(SyncGroup, () => {
    const numbers = generations[Math.min(generationId, generations.length) - 1] ?? []
    const partitions = numbers.map((partition) => ({ topic: 't', partition }))
    return { assignment: encodeAssignment(partitions) }
  })
}

function listen(consumer: Consumer): string[] {
  const told: string[] = []
  const text = (partitions: readonly { partition: number }[]): string =>
    partitions.map(({ partition }) => partition).join('')
  consumer.onAssigned((partitions) => void told.push(`+${text(partitions)}`))
  consumer.onRevoked((partitions) => void told.push(`-${text(partitions)}`))
  return told
}

function subscriptions(broker: FakeBroker): Subscription[] {
  return broker.requests(JoinGroup).map(({ protocols }) => {
    return decodeSubscription(protocols[0]?.metadata ?? Buffer.alloc(2))
  })
}

const cooperative: ConsumerSettings = {
  groupId: 'g',
  autoOffsetReset: 'earliest',
  assignors: ['cooperative-sticky'],
}

test('a cooperative member keeps what stays with it, and joins once more after giving up', async () => {
  const world = await createWorld({ topics: { t: 3 } })
  const broker = first(world)
  follow(broker, [
    [0, 1, 2],
    [0, 1],
    [0, 1],
  ])
  const consumer = world.client.consumer(cooperative)
  const told = listen(consumer)
  consumer.subscribe(['t'])
  append(world, 0, 'a')
  assert.deepEqual(await poll(world, consumer), ['a'])
  broker.once(Heartbeat, () => ({ errorCode: 27 }))
  await world.clock.advance(4000)
  append(world, 1, 'b')
  assert.deepEqual(await poll(world, consumer), ['b'])
  await poll(world, consumer)
  assert.deepEqual(told, ['+012', '-2', '+', '+'])
  assert.deepEqual(
    consumer.assignment().map(({ partition }) => partition),
    [0, 1],
  )
  const seen = subscriptions(broker)
  assert.deepEqual(
    seen.map(({ ownedPartitions, generationId, userData }) => {
      return [ownedPartitions.length, generationId, userData?.toString('hex')]
    }),
    [
      [0, -1, 'ffffffff'],
      [3, 1, '00000001'],
      [2, 2, '00000002'],
    ],
  )
})

test('a cooperative member reads on while the others join', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const broker = first(world)
  follow(broker, [[0]])
  const consumer = world.client.consumer(cooperative)
  consumer.subscribe(['t'])
  await poll(world, consumer)
  broker.once(Heartbeat, () => ({ errorCode: 27 }))
  await world.clock.advance(4000)
  broker.once(JoinGroup, () => 'silence')
  append(world, 0, 'a')
  assert.deepEqual(await poll(world, consumer, 10_000), ['a'])
  append(world, 0, 'b')
  assert.deepEqual(await poll(world, consumer, 10_000), ['b'])
})

test('a cooperative member that was forgotten gives all up before it comes back', async () => {
  const world = await createWorld({ topics: { t: 2 } })
  const broker = first(world)
  follow(broker, [[0, 1]])
  const consumer = world.client.consumer(cooperative)
  const told = listen(consumer)
  consumer.subscribe(['t'])
  await poll(world, consumer)
  broker.once(Heartbeat, () => ({ errorCode: 25 }))
  await world.clock.advance(4000)
  await poll(world, consumer)
  assert.deepEqual(told, ['+01', '-01', '+01'])
  const last = subscriptions(broker).at(-1)
  assert.deepEqual([last?.ownedPartitions, last?.generationId], [[], -1])
})

test('a cooperative member forgotten while it joins holds on to nothing', async () => {
  const world = await createWorld({ topics: { t: 2 } })
  const broker = first(world)
  follow(broker, [[0, 1]])
  const consumer = world.client.consumer(cooperative)
  const told = listen(consumer)
  consumer.subscribe(['t'])
  await poll(world, consumer)
  broker.once(Heartbeat, () => ({ errorCode: 27 }))
  await world.clock.advance(4000)
  broker.once(JoinGroup, () => ({ errorCode: 25, protocolName: '' }))
  await poll(world, consumer)
  await poll(world, consumer)
  assert.deepEqual(told, ['+01', '-01', '+01'])
  const last = subscriptions(broker).at(-1)
  assert.deepEqual([last?.ownedPartitions, last?.generationId], [[], -1])
})

test('members of an eager sticky group tell what they had', async () => {
  const world = await createWorld({ topics: { t: 2 } })
  const broker = first(world)
  follow(broker, [[0, 1]])
  const consumer = world.client.consumer({ ...cooperative, assignors: ['sticky'] })
  const told = listen(consumer)
  consumer.subscribe(['t'])
  await poll(world, consumer)
  broker.once(Heartbeat, () => ({ errorCode: 27 }))
  await world.clock.advance(4000)
  await poll(world, consumer)
  assert.deepEqual(told, ['+01', '-01', '+01'])
  const [, again] = subscriptions(broker)
  assert.deepEqual(again?.ownedPartitions, [])
  // One topic, t, partitions 0 and 1, generation 1.
  const expected = '00000001' + '0001' + '74' + '00000002' + '00000000' + '00000001' + '00000001'
  assert.equal(again?.userData?.toString('hex'), expected)
})

test('a static member names its instance everywhere and does not leave', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const broker = first(world)
  const consumer = world.client.consumer({ groupId: 'g', groupInstanceId: 'i', autoCommit: true })
  consumer.subscribe(['t'])
  await poll(world, consumer)
  await world.clock.advance(4000)
  await world.clock.until(consumer.commit([{ topic: 't', partition: 0, offset: 0 }]))
  await world.clock.until(consumer.close())
  for (const api of [JoinGroup, SyncGroup, Heartbeat, OffsetCommit]) {
    assert.ok(broker.count(api) > 0, api.name)
    for (const request of broker.requests(api)) {
      assert.equal((request as { groupInstanceId: string }).groupInstanceId, 'i', api.name)
    }
  }
  assert.equal(broker.count(LeaveGroup), 0)
})

test('a static leader that comes back finds the assignment as it was, and watches on', async () => {
  const topics: Record<string, number> = { t: 2 }
  const world = await createWorld({ topics, client: { metadataMaxAgeMs: 10_000 } })
  const broker = first(world)
  const metadata = encodeSubscription({
    topics: ['t'],
    userData: null,
    ownedPartitions: [],
    generationId: -1,
    rackId: null,
  })
  broker.once(JoinGroup, () => ({
    generationId: 5,
    protocolName: 'range',
    leader: 'm',
    memberId: 'm',
    skipAssignment: true,
    members: [{ memberId: 'm', groupInstanceId: 'i', metadata }],
  }))
  const partitions = [{ topic: 't', partition: 1 }]
  broker.once(SyncGroup, () => ({ assignment: encodeAssignment(partitions) }))
  const consumer = world.client.consumer({ groupId: 'g', groupInstanceId: 'i' })
  consumer.subscribe(['t'])
  for (let round = 0; round < 3; round++) await poll(world, consumer)
  assert.deepEqual(consumer.assignment(), partitions)
  assert.equal(broker.count(JoinGroup), 1)
  assert.deepEqual(broker.requests(SyncGroup)[0]?.assignments, [])
  topics['t'] = 3
  await world.clock.advance(11_000)
  await poll(world, consumer)
  assert.equal(broker.count(JoinGroup), 2)
})

test('an instance that another one replaced is told so by poll', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const consumer = world.client.consumer({ groupId: 'g', groupInstanceId: 'i' })
  const told = listen(consumer)
  consumer.subscribe(['t'])
  await poll(world, consumer)
  first(world).on(Heartbeat, () => ({ errorCode: 82 }))
  await world.clock.advance(4000)
  const fenced = assert.rejects(consumer.poll(1000), { errorName: 'FENCED_INSTANCE_ID' })
  await world.clock.until(fenced)
  assert.deepEqual(told, ['+0', '-0'])
})

test('a pattern follows topics as they come and go', async () => {
  const topics: Record<string, number> = { 'log-a': 1, other: 1, '__log-internal': 1 }
  const world = await createWorld({ topics, client: { metadataMaxAgeMs: 10_000 } })
  const consumer = world.client.consumer({ groupId: 'g' })
  const gone: string[] = []
  consumer.onRevoked((partitions) => void gone.push(...partitions.map(({ topic }) => topic)))
  // One that remembers where it stopped would miss every other name.
  consumer.subscribe(/log-/g)
  await poll(world, consumer)
  assert.deepEqual(consumer.subscription(), ['log-a'])
  assert.deepEqual(consumer.assignment(), [{ topic: 'log-a', partition: 0 }])
  topics['log-b'] = 2
  await world.clock.advance(11_000)
  await poll(world, consumer)
  await poll(world, consumer)
  assert.deepEqual(consumer.subscription(), ['log-a', 'log-b'])
  assert.equal(consumer.assignment().length, 3)
  delete topics['log-a']
  await world.clock.advance(11_000)
  await poll(world, consumer)
  await poll(world, consumer)
  assert.deepEqual(
    consumer.assignment().map(({ topic }) => topic),
    ['log-b', 'log-b'],
  )
  assert.ok(gone.includes('log-a'))
})

test('a pattern may be asked to mean internal topics, and one that means none waits', async () => {
  const world = await createWorld({ topics: { t: 1, __log: 1 } })
  const settings = { groupId: 'g', excludeInternalTopics: false }
  const consumer = world.client.consumer(settings)
  consumer.subscribe(/^__/)
  await poll(world, consumer)
  assert.deepEqual(consumer.subscription(), ['__log'])
  const waiting = world.client.consumer({ groupId: 'h' })
  waiting.subscribe({ test: () => false })
  assert.deepEqual(await poll(world, waiting), [])
  assert.deepEqual(waiting.assignment(), [])
})

test('a subscription that changes while a join is under way is joined with next', async () => {
  const world = await createWorld({ topics: { t: 1, u: 1 } })
  const consumer = world.client.consumer({ groupId: 'g' })
  consumer.subscribe(['t'])
  const polling = consumer.poll(2000)
  await world.clock.advance(2)
  consumer.subscribe(['t', 'u'])
  await world.clock.until(polling)
  await poll(world, consumer)
  assert.deepEqual(
    consumer.assignment().map(({ topic }) => topic),
    ['t', 'u'],
  )
})

test('unsubscribing leaves the group, and another way of reading may follow', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const broker = first(world)
  const consumer = world.client.consumer({ groupId: 'g', autoOffsetReset: 'earliest' })
  const told = listen(consumer)
  consumer.subscribe(['t'])
  await poll(world, consumer)
  assert.throws(() => consumer.assign([]), /unsubscribe/)
  await world.clock.until(consumer.unsubscribe())
  assert.deepEqual(told, ['+0', '-0'])
  assert.equal(broker.count(LeaveGroup), 1)
  append(world, 0, 'a')
  consumer.assign([{ topic: 't', partition: 0 }])
  assert.deepEqual(await poll(world, consumer), ['a'])
})

test('closing does not wait behind a join that waits for others', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const broker = first(world)
  broker.once(JoinGroup, () => ({ errorCode: 79, protocolName: '', memberId: 'given' }))
  broker.once(JoinGroup, () => 'silence')
  const consumer = world.client.consumer({ groupId: 'g' })
  consumer.subscribe(['t'])
  await poll(world, consumer)
  await world.clock.until(consumer.close(), 5000)
  assert.equal(broker.requests(LeaveGroup)[0]?.members[0]?.memberId, 'given')
})

test('closing ends in time where the coordinator does not answer', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const broker = first(world)
  append(world, 0, 'a')
  const consumer = world.client.consumer({
    groupId: 'g',
    autoOffsetReset: 'earliest',
    autoCommit: true,
  })
  consumer.subscribe(['t'])
  assert.deepEqual(await poll(world, consumer), ['a'])
  broker.on(OffsetCommit, () => 'silence')
  const startMs = world.clock.monotonicMs()
  await world.clock.until(consumer.close({ timeoutMs: 2000 }))
  assert.ok(world.clock.monotonicMs() - startMs <= 2001)
  await world.clock.until(world.client.close())
})

test('offsets that an open transaction may change are not begun at', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const broker = first(world)
  broker.once(OffsetFetch, () => ({
    topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 88, metadata: '' }] }],
  }))
  world.committed.set('t-0', 1)
  append(world, 0, 'a', 'b')
  const consumer = world.client.consumer({ groupId: 'g' })
  consumer.subscribe(['t'])
  assert.deepEqual(await poll(world, consumer, 5000), ['b'])
  assert.ok(broker.requests(OffsetFetch).every(({ requireStable }) => requireStable))
})

test('an application may be asked before anything is tried again', async () => {
  const tried: string[] = []
  const world = await createWorld({
    topics: { t: 1 },
    client: {
      onRetry: ({ what, error, failures }) => {
        tried.push(`${what} ${error.errorName} ${failures}`)
        return failures >= 2 ? 'giveUp' : undefined
      },
    },
  })
  const broker = first(world)
  const refusal = { topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 14 }] }] }
  broker.on(OffsetCommit, () => refusal)
  const consumer = world.client.consumer({ groupId: 'g' })
  const committed = consumer.commit([{ topic: 't', partition: 0, offset: 1 }])
  const refused = assert.rejects(committed, { errorName: 'COORDINATOR_LOAD_IN_PROGRESS' })
  await world.clock.until(refused)
  assert.deepEqual(tried, [
    'call COORDINATOR_LOAD_IN_PROGRESS 1',
    'call COORDINATOR_LOAD_IN_PROGRESS 2',
  ])
})
