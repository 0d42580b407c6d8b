/** What moves with the leadership of a partition, and what readers see of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeTopic, paths } from '../../src/broker/znodes.ts'
import { Errors } from '../../src/kafka/errors.ts'
import { Fetch } from '../../src/kafka/messages/fetch.ts'
import { FindCoordinator } from '../../src/kafka/messages/find-coordinator.ts'
import { OffsetCommit } from '../../src/kafka/messages/offset-commit.ts'
import { OffsetFetch } from '../../src/kafka/messages/offset-fetch.ts'
import { ReplicaWorld } from './replica-world.ts'
import { valuesIn, type TestClient } from './world.ts'

const groups = '__consumer_offsets'
const data = { topic: 't', replicas: [0] }
const pair = { topic: groups, replicas: [0, 1] }

async function commit(client: TestClient, offset: number): Promise<number | undefined> {
  const partitions = [{ partitionIndex: 0, committedOffset: offset }]
  const { topics } = await client.ask(OffsetCommit, 7, {
    ...{ groupId: 'g', generationIdOrMemberEpoch: -1, memberId: '' },
    topics: [{ name: 't', partitions }],
  })
  return topics[0]?.partitions[0]?.errorCode
}

async function committed(client: TestClient): Promise<unknown> {
  const { errorCode, topics } = await client.ask(OffsetFetch, 5, {
    groupId: 'g',
    topics: [{ name: 't', partitionIndexes: [0] }],
  })
  return errorCode === Errors.NONE ? topics[0]?.partitions[0]?.committedOffset : errorCode
}

async function coordinator(client: TestClient): Promise<number> {
  return (await client.ask(FindCoordinator, 2, { key: 'g', keyType: 0 })).nodeId
}

test('a group and its offsets move with the leadership of its partition, back and forth (14, 16)', async () => {
  const world = await new ReplicaWorld().start(2)
  await world.decide({ ...pair, leader: 0, leaderEpoch: 0, isr: [0, 1], isNew: true })
  await world.decide({ ...data, leader: 0, leaderEpoch: 0, isr: [0] })
  const [zero, one] = [await world.client(0), await world.client(1)]
  assert.deepEqual([await coordinator(zero), await coordinator(one)], [0, 0])
  assert.equal(await commit(zero, 5), Errors.NONE)
  assert.equal(await commit(one, 6), Errors.NOT_COORDINATOR)
  await world.decide({ ...pair, leader: 1, leaderEpoch: 1, isr: [0, 1] })
  await world.clock.advance(2000)
  assert.deepEqual([await coordinator(zero), await coordinator(one)], [1, 1])
  assert.equal(await committed(zero), Errors.NOT_COORDINATOR)
  assert.equal(await committed(one), 5)
  assert.equal(await commit(one, 7), Errors.NONE)
  await world.decide({ ...pair, leader: 0, leaderEpoch: 2, isr: [0, 1] })
  await world.clock.advance(2000)
  assert.equal(await committed(zero), 7)
})

test('what is not known to be committed is no state: the new coordinator loads until its followers agree', async () => {
  const world = await new ReplicaWorld().start(1)
  world.pretend(7)
  const order = { topic: groups, replicas: [0, 7], isr: [0, 7] }
  await world.decide({ ...order, leader: 0, leaderEpoch: 0, isr: [0], isNew: true })
  await world.decide({ ...data, leader: 0, leaderEpoch: 0, isr: [0] })
  const client = await world.client(0)
  assert.equal(await commit(client, 5), Errors.NONE)
  await world.decide({ ...order, leader: 7, leaderEpoch: 1 })
  await world.decide({ ...order, leader: 0, leaderEpoch: 2 })
  await world.clock.advance(1000)
  // The high watermark covers the first commit, since it was acknowledged.
  assert.equal(await committed(client), 5)
  assert.equal(await commit(client, 6), Errors.COORDINATOR_NOT_AVAILABLE, 'nobody follows')
  await world.decide({ ...order, leader: 7, leaderEpoch: 3 })
  await world.decide({ ...order, leader: 0, leaderEpoch: 4 })
  await world.clock.advance(1000)
  assert.equal(await committed(client), Errors.COORDINATOR_LOAD_IN_PROGRESS)
  const partition = { partition: 0, fetchOffset: 2, currentLeaderEpoch: 4, logStartOffset: 0 }
  await (await world.client(0)).ask(Fetch, 11, {
    ...{ replicaId: 7, maxWaitMs: 0, minBytes: 1, sessionEpoch: -1 },
    topics: [{ topic: groups, partitions: [{ ...partition, partitionMaxBytes: 1000 }] }],
  })
  await world.clock.advance(10)
  assert.equal(await committed(client), 6)
})

async function fetchFrom(client: TestClient, version: number, rackId = '') {
  const partition = { partition: 0, fetchOffset: 0, partitionMaxBytes: 100_000 }
  const { responses } = await client.ask(Fetch, version, {
    ...{ maxWaitMs: 0, minBytes: 1, sessionEpoch: -1, rackId },
    topics: [{ topic: 't', partitions: [partition] }],
  })
  const answer = responses[0]?.partitions[0]
  assert.ok(answer)
  return answer
}

test('from Fetch 11 on a follower may be read, up to its high watermark; before, only the leader (F15)', async () => {
  const world = await new ReplicaWorld().start(2)
  await world.decide({ topic: 't', replicas: [0, 1], leader: 0, leaderEpoch: 0, isr: [0, 1] })
  await (await world.client(0)).produce('t', ['a'], -1)
  await world.clock.advance(1000)
  const follower = await world.client(1)
  assert.deepEqual(valuesIn((await fetchFrom(follower, 11)).records), ['a'])
  assert.equal((await fetchFrom(follower, 10)).errorCode, Errors.NOT_LEADER_OR_FOLLOWER)
})

test('a consumer is sent to the replica in its rack, and stays where there is none (KIP-392)', async () => {
  const world = await new ReplicaWorld({
    'replica.selector.class': 'org.apache.kafka.common.replica.RackAwareReplicaSelector',
  }).start(2)
  world.rack(0, 'a')
  world.rack(1, 'b')
  await world.tellBrokers()
  await world.decide({ topic: 't', replicas: [0, 1], leader: 0, leaderEpoch: 0, isr: [0, 1] })
  const client = await world.client(0)
  await client.produce('t', ['x'], -1)
  await world.clock.advance(1000)
  const sent = await fetchFrom(client, 11, 'b')
  assert.deepEqual([sent.preferredReadReplica, sent.records?.length], [1, 0])
  for (const rack of ['a', 'c', '']) {
    const { preferredReadReplica, records } = await fetchFrom(client, 11, rack)
    assert.deepEqual([preferredReadReplica, valuesIn(records)], [-1, ['x']])
  }
})

test("a topic's id is learnt from its znode where orders do not tell it, and kept with the data", async () => {
  const world = await new ReplicaWorld().start(1)
  const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ'
  const assignment = { partitions: new Map([[0, [0]]]), topicId }
  await world.clock.until(world.zookeeper.makePath(paths.topic('t'), encodeTopic(assignment)))
  await world.decide({ topic: 't', replicas: [0], leader: 0, leaderEpoch: 0, isr: [0] })
  const { topics } = await (await world.client(0)).metadata(['t'])
  assert.equal(topics[0]?.name, 't')
  assert.match(world.fileText(0, 't-0/partition.metadata') ?? '', new RegExp(topicId))
})
