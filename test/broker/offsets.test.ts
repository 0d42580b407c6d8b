import assert from 'node:assert/strict'
import { test } from 'node:test'
import { internalPartitionFor, javaHashCode } from '../../src/broker/topic-names.ts'
import { Errors } from '../../src/kafka/errors.ts'
import { ConsumerProtocolSubscription } from '../../src/kafka/internal/consumer-protocol.ts'
import { DeleteTopics } from '../../src/kafka/messages/delete-topics.ts'
import { ListGroups } from '../../src/kafka/messages/list-groups.ts'
import { OffsetCommit } from '../../src/kafka/messages/offset-commit.ts'
import { OffsetFetch } from '../../src/kafka/messages/offset-fetch.ts'
import { compile } from '../../src/wire/compile.ts'
import { Writer } from '../../src/wire/writer.ts'
import { awaitCoordinator, GroupClient, groupWorld } from './group-client.ts'
import { World } from './world.ts'

const minuteMs = 60_000

async function again(world: World, groupId = 'g'): Promise<GroupClient> {
  const member = new GroupClient(await world.connect(), groupId)
  await awaitCoordinator(world, member.client)
  return member
}

test('groups are spread over __consumer_offsets as Java hashes their names', () => {
  assert.equal(javaHashCode('hello'), 99162322)
  assert.equal(javaHashCode('polygenelubricants'), -2147483648)
  assert.equal(internalPartitionFor('polygenelubricants', 50), 0)
})

test('a commit is fetched, in every version, with its metadata and epoch', async () => {
  const world = new World()
  const member = await groupWorld(world)
  await member.enter()
  assert.equal(await member.commit(42), Errors.NONE)
  for (let version = 1; version <= 7; version += 1)
    assert.equal(await member.committed(version), 42)
  const groups = [{ groupId: 'g', topics: [{ name: 't', partitionIndexes: [0, 1] }] }]
  const answer = await member.client.ask(OffsetFetch, 9, { groups })
  assert.deepEqual(
    answer.groups[0]?.topics[0]?.partitions.map((row) => [row.committedOffset, row.metadata]),
    [
      [42, 'note'],
      [-1, ''],
    ],
  )
})

test('null for the topics asks for all that was committed (F21)', async () => {
  const world = new World()
  const member = await groupWorld(world)
  await member.client.createTopic('u')
  await member.commit(1)
  await member.commit(2, { topic: 'u' })
  const { topics } = await member.client.ask(OffsetFetch, 2, { groupId: 'g', topics: null })
  assert.deepEqual(
    topics.map(({ name, partitions }) => [name, partitions[0]?.committedOffset]),
    [
      ['t', 1],
      ['u', 2],
    ],
  )
})

test('who may commit (F29)', async () => {
  const world = new World()
  const member = await groupWorld(world)
  const early = { generation: 3, memberId: 'm' }
  assert.equal(await member.commit(1, early), Errors.ILLEGAL_GENERATION)
  assert.equal(await member.commit(1, { generation: -1, memberId: '' }), Errors.NONE)
  await member.enter()
  const simple = { generation: -1, memberId: '' }
  assert.equal(await member.commit(2, simple), Errors.UNKNOWN_MEMBER_ID)
  assert.equal(await member.commit(2, { generation: 9 }), Errors.ILLEGAL_GENERATION)
  assert.equal(await member.commit(2, { memberId: 'other' }), Errors.UNKNOWN_MEMBER_ID)
  const two = new GroupClient(await world.connect())
  const joining = two.beginJoinForSure()
  await world.clock.advance(10)
  // While the others still have to join, a member of the old generation may commit.
  assert.equal(await member.commit(3), Errors.NONE)
  await world.clock.until(Promise.all([member.beginJoinForSure(), joining]))
  assert.equal(await member.commit(4), Errors.REBALANCE_IN_PROGRESS)
  assert.equal(await member.committed(), 3)
})

test('a commit keeps its member alive', async () => {
  const world = new World()
  const member = await groupWorld(world)
  await member.enter()
  for (let number = 0; number < 4; number += 1) {
    await world.clock.advance(8000)
    assert.equal(await member.commit(number), Errors.NONE)
  }
})

test('what cannot be committed is refused alone, the rest is committed', async () => {
  const world = new World()
  const member = await groupWorld(world)
  await member.enter()
  const { memberId, generation: generationIdOrMemberEpoch } = member
  const row = (
    partitionIndex: number,
    committedOffset: number | bigint,
    committedMetadata = '',
  ) => ({
    ...{ partitionIndex, committedOffset, committedMetadata },
  })
  const { topics } = await member.client.ask(OffsetCommit, 5, {
    ...{ groupId: 'g', memberId, generationIdOrMemberEpoch },
    topics: [
      { name: 'unknown', partitions: [row(0, 1)] },
      {
        name: 't',
        partitions: [row(0, 5), row(1, 1), row(0, 6, 'x'.repeat(4097)), row(0, 2n ** 62n)],
      },
    ],
  })
  assert.deepEqual(
    topics.map(({ partitions }) => partitions.map((one) => one.errorCode)),
    [
      [Errors.UNKNOWN_TOPIC_OR_PARTITION],
      [
        Errors.NONE,
        Errors.UNKNOWN_TOPIC_OR_PARTITION,
        Errors.OFFSET_METADATA_TOO_LARGE,
        Errors.OFFSET_OUT_OF_RANGE,
      ],
    ],
  )
  assert.equal(await member.committed(), 5)
})

test('commits survive a restart, and a power loss where every append is flushed', async () => {
  const properties = { 'log.flush.interval.messages': '1' }
  const world = new World(3)
  const member = await groupWorld(world, properties)
  await member.enter()
  await member.commit(7)
  await world.restartBroker(properties)
  const second = await again(world)
  assert.equal(await second.committed(), 7)
  Object.assign(second, { memberId: member.memberId, generation: member.generation })
  assert.equal(await second.commit(8), Errors.NONE)
  world.crash()
  await world.start(properties)
  assert.equal(await (await again(world)).committed(), 8)
})

test('version 0 keeps offsets in ZooKeeper, apart from the others (F21)', async () => {
  const world = new World()
  const member = await groupWorld(world)
  assert.equal(await member.committed(0), `error ${Errors.UNKNOWN_TOPIC_OR_PARTITION}`)
  assert.equal(await member.commit(11, { version: 0 }), Errors.NONE)
  assert.equal(await world.readNode('/consumers/g/offsets/t/0'), '11')
  assert.equal(await member.commit(12, { version: 0 }), Errors.NONE)
  assert.equal(await member.committed(0), 12)
  assert.equal(await member.committed(1), -1)
  const topic = 'unknown'
  const unknown = await member.commit(1, { version: 0, topic })
  assert.equal(unknown, Errors.UNKNOWN_TOPIC_OR_PARTITION)
  const astray = new GroupClient(member.client, '../../brokers')
  assert.equal(await astray.commit(1, { version: 0 }), Errors.INVALID_GROUP_ID)
})

test('version 0 says that something is wrong while ZooKeeper is away', async () => {
  const world = new World()
  const member = await groupWorld(world)
  world.cutCoordination()
  await world.clock.advance(30_000)
  assert.equal(await member.commit(11, { version: 0 }), Errors.UNKNOWN_SERVER_ERROR)
  assert.equal(await member.committed(0), `error ${Errors.UNKNOWN_SERVER_ERROR}`)
})

/** Offsets are kept for an hour, and looked at each minute. */
const shortLived = {
  'offsets.retention.minutes': '60',
  'offsets.retention.check.interval.ms': '60000',
  'connections.max.idle.ms': String(30 * 24 * 3_600_000),
}

test('offsets go when the retention time has passed since their group became empty, not before (F31)', async () => {
  const world = new World()
  const member = await groupWorld(world, shortLived)
  await member.enter({ sessionTimeoutMs: 1_800_000 })
  await member.commit(1)
  // A member that is there keeps the offsets however old they are.
  for (let round = 0; round < 3; round += 1) {
    await world.clock.advance(1_700_000)
    assert.equal(await member.heartbeat(), Errors.NONE)
  }
  await member.leave()
  await world.clock.advance(30 * minuteMs)
  await world.restartBroker(shortLived)
  const second = await again(world)
  await world.clock.advance(28 * minuteMs)
  assert.equal(await second.committed(), 1)
  await world.clock.advance(4 * minuteMs)
  assert.equal(await second.committed(), -1)
  assert.deepEqual((await second.client.ask(ListGroups, 4, {})).groups, [])
  await world.restartBroker()
  assert.equal(await (await again(world)).committed(), -1)
})

test('offsets without a group go when the retention time has passed since their commit', async () => {
  const world = new World()
  const member = await groupWorld(world, shortLived)
  await member.commit(1)
  await world.clock.advance(58 * minuteMs)
  assert.equal(await member.committed(), 1)
  await world.clock.advance(4 * minuteMs)
  assert.equal(await member.committed(), -1)
})

test('a retention or commit time that the client gave is honoured (F21)', async () => {
  const world = new World()
  const member = await groupWorld(world, shortLived)
  await member.commit(1, { version: 3, retentionMs: 10 * minuteMs })
  await world.restartBroker(shortLived)
  const second = await again(world)
  await world.clock.advance(8 * minuteMs)
  assert.equal(await second.committed(), 1)
  await world.clock.advance(4 * minuteMs)
  assert.equal(await second.committed(), -1)
  await second.commit(2, { version: 1, timestampMs: world.clock.now() - 50 * minuteMs })
  assert.equal(await second.committed(), 2)
  await world.clock.advance(12 * minuteMs)
  assert.equal(await second.committed(), -1)
})

test('of a group with members only the offsets of unsubscribed topics go (KIP-211)', async () => {
  const world = new World()
  const member = await groupWorld(world, shortLived)
  await member.client.createTopic('u')
  const writer = new Writer()
  writer.int16(0)
  compile(ConsumerProtocolSubscription, 0).encode({ topics: ['t'] }, writer)
  const metadata = Buffer.from(writer.bytes())
  await member.enter({ metadata, sessionTimeoutMs: 1_800_000 })
  await member.commit(1)
  await member.commit(2, { topic: 'u' })
  for (let round = 0; round < 3; round += 1) {
    await world.clock.advance(25 * minuteMs)
    assert.equal(await member.heartbeat(), Errors.NONE)
  }
  assert.equal(await member.committed(5, 't'), 1)
  assert.equal(await member.committed(5, 'u'), -1)
})

test('what was committed for a topic goes with the topic', async () => {
  const world = new World()
  const member = await groupWorld(world)
  await member.commit(5)
  await member.client.ask(DeleteTopics, 5, { topicNames: ['t'], timeoutMs: 5000 })
  await member.client.createTopic('t')
  assert.equal(await member.committed(), -1)
  await world.restartBroker()
  assert.equal(await (await again(world)).committed(), -1)
})

test('a group that used a coordinator that is gone is sent to look for it', async () => {
  const world = await new World().start()
  const member = new GroupClient(await world.connect())
  await member.client.createTopic('t')
  assert.equal(await member.committed(1), `error ${Errors.NOT_COORDINATOR}`)
  assert.equal(await member.committed(5), `error ${Errors.NOT_COORDINATOR}`)
  assert.equal(await member.commit(1), Errors.NOT_COORDINATOR)
})
