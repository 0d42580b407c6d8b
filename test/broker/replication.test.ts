import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodePartitionState, paths } from '../../src/broker/znodes.ts'
import { Errors } from '../../src/kafka/errors.ts'
import { Fetch } from '../../src/kafka/messages/fetch.ts'
import { LeaderAndIsr } from '../../src/kafka/messages/leader-and-isr.ts'
import { ListOffsets } from '../../src/kafka/messages/list-offsets.ts'
import { Produce } from '../../src/kafka/messages/produce.ts'
import { batchOf, valuesIn, type TestClient } from './world.ts'
import { ReplicaWorld } from './replica-world.ts'

const pair = { topic: 't', replicas: [0, 1] }

/** Broker 0 leads t-0, broker 1 follows. */
async function openPair(properties: Readonly<Record<string, string>> = {}) {
  const world = await new ReplicaWorld(properties).start(2)
  await world.decide({ ...pair, leader: 0, leaderEpoch: 0, isr: [0, 1], isNew: true })
  return { world, client: await world.client(0) }
}

/** Broker 0 leads t-0; the test is its follower, broker 7. */
async function openAlone(properties: Readonly<Record<string, string>> = {}, isr = [0, 7]) {
  const world = await new ReplicaWorld(properties).start(1)
  world.pretend(7)
  await world.decide({ topic: 't', replicas: [0, 7], leader: 0, leaderEpoch: 0, isr, isNew: true })
  return { world, client: await world.client(0), follower: await world.client(0) }
}

async function fetchAs(client: TestClient, replicaId: number, fetchOffset: number, epoch = 0) {
  const partition = { partition: 0, fetchOffset, currentLeaderEpoch: epoch, logStartOffset: 0 }
  const { responses } = await client.ask(Fetch, 11, {
    ...{ replicaId, maxWaitMs: 0, minBytes: 1, maxBytes: 1_000_000, sessionEpoch: -1 },
    topics: [{ topic: 't', partitions: [{ ...partition, partitionMaxBytes: 1_000_000 }] }],
  })
  const answer = responses[0]?.partitions[0]
  assert.ok(answer)
  return answer
}

function beginProduce(client: TestClient, value: string, timeoutMs = 1000) {
  return client.begin(Produce, 9, {
    ...{ acks: -1, timeoutMs },
    topicData: [{ name: 't', partitionData: [{ index: 0, records: batchOf([value]) }] }],
  })
}

async function offsetOf(client: TestClient, timestamp: number, replicaId = -1, version = 5) {
  const partitions = [{ partitionIndex: 0, timestamp }]
  const { topics } = await client.ask(ListOffsets, version, {
    replicaId,
    topics: [{ name: 't', partitions }],
  })
  const row = topics[0]?.partitions[0]
  return [row?.errorCode, row?.offset]
}

test('what is acknowledged by all is there when the leader is killed and its follower leads', async () => {
  const { world, client } = await openPair()
  for (const value of ['a', 'b', 'c'])
    assert.equal((await client.produce('t', [value], -1)).errorCode, Errors.NONE)
  assert.deepEqual(world.logBytes(0, 't'), world.logBytes(1, 't'))
  world.kill(0)
  await world.tellBrokers()
  await world.decide({ ...pair, leader: 1, leaderEpoch: 1, isr: [1] })
  const other = await world.client(1)
  assert.deepEqual(await other.values('t'), ['a', 'b', 'c'])
  assert.equal((await other.produce('t', ['d'], -1)).baseOffset, 3)
})

test('a broker that comes back follows, catches up and is in sync again, its log the same byte for byte', async () => {
  const { world, client } = await openPair()
  await client.produce('t', ['a'], -1)
  world.kill(1)
  await world.tellBrokers()
  await world.decide({ ...pair, leader: 0, leaderEpoch: 1, isr: [0] })
  for (let index = 0; index < 20; index += 1) await client.produce('t', [`${index}`], -1)
  await world.startBroker(1)
  await world.tellBrokers()
  await world.decide({ ...pair, leader: 0, leaderEpoch: 2, isr: [0] })
  await world.clock.advance(3000)
  assert.deepEqual(await world.isr('t'), [0, 1])
  assert.deepEqual(world.logBytes(1, 't'), world.logBytes(0, 't'))
})

/** Brokers that speak like 2.3 ask where the logs part; those like 2.7 are told with the records. */
for (const level of ['2.3', '2.7'])
  test(`what only the old leader had goes when it comes back, and the new one's takes its place (${level})`, async () => {
    const { world, client } = await openPair({ 'inter.broker.protocol.version': level })
    await client.produce('t', ['a'], -1)
    world.part(0, 1)
    await client.produce('t', ['lost'], 1)
    world.kill(0)
    world.network.healAll()
    await world.tellBrokers()
    await world.decide({ ...pair, leader: 1, leaderEpoch: 1, isr: [1] })
    const other = await world.client(1)
    await other.produce('t', ['b'], -1)
    await world.startBroker(0)
    await world.tellBrokers()
    await world.decide({ ...pair, leader: 1, leaderEpoch: 2, isr: [1] })
    await world.clock.advance(3000)
    assert.deepEqual(await world.isr('t'), [1, 0])
    assert.deepEqual(await other.values('t'), ['a', 'b'])
    assert.deepEqual(world.logBytes(0, 't'), world.logBytes(1, 't'))
  })

test('Jepsen 2013: nothing is acknowledged by all while the follower is cut off and counts as in sync', async () => {
  const { world, client } = await openPair()
  await client.produce('t', ['a'], -1)
  world.part(0, 1)
  assert.equal((await client.produce('t', ['b'], -1)).errorCode, Errors.REQUEST_TIMED_OUT)
  assert.deepEqual(await client.values('t'), ['a'], 'and nobody reads it')
  // Only when the znode says that the leader is alone does it go on alone.
  await world.clock.advance(50_000)
  assert.deepEqual(await world.isr('t'), [0])
  assert.equal((await client.produce('t', ['c'], -1)).errorCode, Errors.NONE)
  assert.deepEqual(await client.values('t'), ['a', 'b', 'c'])
  world.network.healAll()
  await world.clock.advance(40_000)
  assert.deepEqual(await world.isr('t'), [0, 1])
  assert.deepEqual(world.logBytes(0, 't'), world.logBytes(1, 't'))
})

test('many partitions are followed by several connections, each partition by one', async () => {
  const world = await new ReplicaWorld({ 'num.replica.fetchers': '3' }).start(2)
  const replicas = [0, 1]
  for (const topic of ['t', 'u', 'v', 'w', 'x'])
    await world.decide({ topic, replicas, leader: 0, leaderEpoch: 0, isr: [0, 1], isNew: true })
  const client = await world.client(0)
  for (const topic of ['t', 'u', 'v', 'w', 'x']) {
    assert.equal((await client.produce(topic, [topic], -1)).errorCode, Errors.NONE)
    assert.deepEqual(world.logBytes(1, topic), world.logBytes(0, topic))
  }
})

test('a follower whose log directory fails drops out; the leader goes on without it', async () => {
  const { world, client } = await openPair()
  await client.produce('t', ['a'], -1)
  world.failDisk(1)
  assert.equal((await client.produce('t', ['b'], 1)).errorCode, Errors.NONE)
  await world.clock.advance(50_000)
  assert.deepEqual(await world.isr('t'), [0])
  assert.equal((await client.produce('t', ['c'], -1)).errorCode, Errors.NONE)
})

test('below min.insync.replicas acks=all is refused, and what acks=1 wrote is not seen (3.7)', async () => {
  const { world, client } = await openPair({ 'min.insync.replicas': '2' })
  await client.produce('t', ['a'], -1)
  world.kill(1)
  await world.tellBrokers()
  await world.decide({ ...pair, leader: 0, leaderEpoch: 1, isr: [0] })
  assert.equal((await client.produce('t', ['b'], -1)).errorCode, Errors.NOT_ENOUGH_REPLICAS)
  assert.equal((await client.produce('t', ['c'], 1)).errorCode, Errors.NONE)
  assert.deepEqual(await client.values('t'), ['a'])
  await world.startBroker(1)
  await world.tellBrokers()
  await world.decide({ ...pair, leader: 0, leaderEpoch: 2, isr: [0] })
  await world.clock.advance(3000)
  assert.deepEqual(await client.values('t'), ['a', 'c'])
})

test('a produce waits for the follower, is answered in the turn of its fetch, and times out without', async () => {
  const { world, client, follower } = await openAlone()
  const answer = beginProduce(client, 'a')
  await world.clock.settle()
  const fetched = await fetchAs(follower, 7, 0)
  assert.deepEqual([fetched.errorCode, fetched.highWatermark], [Errors.NONE, 0])
  assert.deepEqual(valuesIn(fetched.records), ['a'])
  assert.deepEqual(await offsetOf(await world.client(0), -1), [Errors.NONE, 0])
  assert.equal((await fetchAs(follower, 7, 1)).highWatermark, 1)
  const { responses } = await world.clock.until(answer)
  assert.equal(responses[0]?.partitionResponses[0]?.baseOffset, 0)
  assert.equal((await client.produce('t', ['b'], -1)).errorCode, Errors.REQUEST_TIMED_OUT)
})

test('produces of one connection are replicated together, up to a bound, and answered in their order (F1)', async () => {
  const { world, client, follower } = await openAlone()
  const offsets: (number | bigint | undefined)[] = []
  const answers = Array.from({ length: 10 }, async (_, index) => {
    const { responses } = await beginProduce(client, `${index}`, 60_000)
    offsets.push(responses[0]?.partitionResponses[0]?.baseOffset)
  })
  await world.clock.settle()
  const fetched = await fetchAs(follower, 7, 0)
  assert.deepEqual(valuesIn(fetched.records), ['0', '1', '2', '3', '4', '5', '6', '7'])
  await fetchAs(follower, 7, 8)
  await world.clock.settle()
  assert.deepEqual(offsets, [0, 1, 2, 3, 4, 5, 6, 7])
  await fetchAs(follower, 7, 10)
  await world.clock.until(Promise.all(answers))
  assert.deepEqual(offsets.slice(8), [8, 9])
})

test('a produce that waits is told when the leadership moves (F5)', async () => {
  const { world, client } = await openAlone({ 'min.insync.replicas': '2' })
  const answer = beginProduce(client, 'a', 60_000)
  await world.clock.settle()
  await world.decide({ topic: 't', replicas: [0, 7], leader: 7, leaderEpoch: 1, isr: [7] })
  const { responses } = await world.clock.until(answer)
  assert.equal(responses[0]?.partitionResponses[0]?.errorCode, Errors.NOT_LEADER_OR_FOLLOWER)
})

test('a follower is fenced by the epoch, and a stranger is no follower', async () => {
  const { world, client } = await openAlone()
  assert.equal((await fetchAs(client, 7, 0, 1)).errorCode, Errors.UNKNOWN_LEADER_EPOCH)
  await world.decide({ topic: 't', replicas: [0, 7], leader: 0, leaderEpoch: 1, isr: [0, 7] })
  assert.equal((await fetchAs(client, 7, 0, 0)).errorCode, Errors.FENCED_LEADER_EPOCH)
  assert.equal((await fetchAs(client, 8, 0, 1)).errorCode, Errors.UNKNOWN_LEADER_EPOCH)
  assert.equal((await fetchAs(client, 8, 0, -1)).errorCode, Errors.NOT_LEADER_OR_FOLLOWER)
  assert.equal((await fetchAs(client, 7, 5, 1)).errorCode, Errors.OFFSET_OUT_OF_RANGE)
})

test('replicas are told the end of the log, consumers what is committed, and of a new leader nothing yet', async () => {
  const { world, client, follower } = await openAlone()
  await client.produce('t', ['a'], 1)
  assert.deepEqual(await offsetOf(client, -1), [Errors.NONE, 0])
  assert.deepEqual(await offsetOf(client, -1, 7), [Errors.NONE, 1])
  await world.decide({ topic: 't', replicas: [0, 7], leader: 0, leaderEpoch: 1, isr: [0, 7] })
  assert.deepEqual(await offsetOf(client, -1), [Errors.OFFSET_NOT_AVAILABLE, -1])
  assert.deepEqual(await offsetOf(client, -1, -1, 4), [Errors.LEADER_NOT_AVAILABLE, -1])
  assert.deepEqual(await offsetOf(client, -2), [Errors.NONE, 0])
  await fetchAs(follower, 7, 1, 1)
  assert.deepEqual(await offsetOf(client, -1), [Errors.NONE, 1])
})

test('an in-sync set that somebody else wrote in our name is taken over; another leader is waited for', async () => {
  const { world, client, follower } = await openAlone({}, [0])
  const path = paths.partitionState('t', 0)
  const state = { leader: 0, leaderEpoch: 0, controllerEpoch: 1, isr: [0] }
  await world.clock.until(world.zookeeper.setData(path, encodePartitionState(state)))
  await fetchAs(follower, 7, 0)
  await world.clock.advance(10)
  assert.deepEqual(await world.isr('t'), [0], 'the first write was refused')
  await fetchAs(follower, 7, 0)
  await world.clock.advance(10)
  assert.deepEqual(await world.isr('t'), [0, 7], 'the second one names the version that was found')
  const other = { ...state, leader: 7, leaderEpoch: 1, isr: [7] }
  await world.clock.until(world.zookeeper.setData(path, encodePartitionState(other)))
  await world.clock.advance(60_000)
  assert.deepEqual(await world.isr('t'), [7])
  assert.equal((await client.produce('t', ['a'], -1)).errorCode, Errors.REQUEST_TIMED_OUT)
})

test('the controller is told of a changed in-sync set by a notice', async () => {
  const { world, follower } = await openAlone({}, [0])
  await fetchAs(follower, 7, 0)
  await world.clock.advance(70_000)
  const { children } = await world.clock.until(
    world.zookeeper.getChildren('/isr_change_notification'),
  )
  const notices = await Promise.all(
    children.map((name) =>
      world.clock.until(world.zookeeper.getData(`/isr_change_notification/${name}`)),
    ),
  )
  assert.equal(
    notices[0]?.data.toString(),
    '{"version":1,"partitions":[{"topic":"t","partition":0}]}',
  )
})

test('orders of an older controller, of an older epoch, or for others are refused', async () => {
  const { world, client } = await openAlone()
  const order = (controllerEpoch: number, leaderEpoch: number, brokerEpoch = -1) => {
    const state = { controllerEpoch, leader: 0, leaderEpoch, isr: [0], partitionEpoch: 9 }
    const partitionStates = [{ ...state, partitionIndex: 0, replicas: [0, 7], isNew: false }]
    return client.ask(LeaderAndIsr, 2, {
      ...{ controllerId: 99, controllerEpoch, brokerEpoch },
      topicStates: [{ topicName: 't', partitionStates }],
    })
  }
  const codes = async (answer: ReturnType<typeof order>) => {
    const { errorCode, partitionErrors } = await answer
    return [errorCode, partitionErrors[0]?.errorCode]
  }
  assert.deepEqual(await codes(order(3, 5)), [Errors.NONE, Errors.NONE])
  assert.deepEqual(await codes(order(2, 6)), [Errors.STALE_CONTROLLER_EPOCH, undefined])
  assert.deepEqual(await codes(order(3, 6, 0)), [Errors.STALE_BROKER_EPOCH, undefined])
  assert.deepEqual(await codes(order(3, 4)), [Errors.NONE, Errors.STALE_CONTROLLER_EPOCH])
  assert.deepEqual(await codes(order(3, 5)), [Errors.NONE, Errors.STALE_CONTROLLER_EPOCH])
  world.controllerEpoch = 3
  const foreign = { topic: 'u', replicas: [1, 2], leader: 1, leaderEpoch: 0, isr: [1] }
  const answers = await world.decide({ ...foreign, told: [0] })
  assert.deepEqual([...answers], [[0, Errors.UNKNOWN_TOPIC_OR_PARTITION]])
})

test('a replica that is stopped follows no more; one that is removed leaves nothing', async () => {
  const { world, client } = await openPair()
  await client.produce('t', ['a'], -1)
  assert.equal(await world.stopReplica(1, 't', false), Errors.NONE)
  await client.produce('t', ['b'], 1)
  await world.clock.advance(2000)
  assert.notDeepEqual(world.logBytes(1, 't'), world.logBytes(0, 't'))
  assert.equal(await world.stopReplica(1, 't', true), Errors.NONE)
  assert.equal(world.logBytes(1, 't'), undefined)
  assert.equal(await world.stopReplica(1, 't', true), Errors.NONE, 'as often as it is ordered')
})

test('a follower whose data the leader has deleted begins anew where the leader begins', async () => {
  const { world, client } = await openPair({ 'log.segment.bytes': '200' })
  await client.produce('t', ['a'], -1)
  world.kill(1)
  await world.tellBrokers()
  await world.decide({ ...pair, leader: 0, leaderEpoch: 1, isr: [0] })
  for (let index = 0; index < 10; index += 1) await client.produce('t', ['x'.repeat(90)], -1)
  await world.deleteRecords(client, 't', 8)
  await world.startBroker(1)
  await world.tellBrokers()
  await world.decide({ ...pair, leader: 0, leaderEpoch: 2, isr: [0] })
  await world.clock.advance(5000)
  assert.deepEqual(await world.isr('t'), [0, 1])
  world.kill(0)
  await world.tellBrokers()
  await world.decide({ ...pair, leader: 1, leaderEpoch: 3, isr: [1] })
  const other = await world.client(1)
  assert.deepEqual(
    [await offsetOf(other, -2), await offsetOf(other, -1)],
    [
      [0, 8],
      [0, 11],
    ],
  )
})

test('KAFKA-7897: with the format of 0.10.1 elections cut nothing that is committed', async () => {
  const { world, client } = await openPair({
    'inter.broker.protocol.version': '0.10.1',
    'log.message.format.version': '0.10.1',
  })
  for (const value of ['a', 'b', 'c', 'd']) await client.produce('t', [value], -1)
  // A round later the follower knows the high watermark as well.
  await world.clock.advance(1000)
  for (let epoch = 1; epoch <= 4; epoch += 1) {
    await world.decide({ ...pair, leader: epoch % 2, leaderEpoch: epoch, isr: [0, 1] })
    await world.clock.advance(1500)
  }
  const other = await world.client(0)
  assert.deepEqual(await other.values('t'), ['a', 'b', 'c', 'd'])
  assert.deepEqual(world.logBytes(0, 't'), world.logBytes(1, 't'))
  const epochs = world.fileText(0, 't-0/leader-epoch-checkpoint')
  assert.ok(epochs === undefined || epochs === '0\n0\n')
})

test('KIP-101: restarts and quick elections lose nothing acknowledged and leave one log', async () => {
  const { world, client } = await openPair()
  const acknowledged: string[] = []
  const produce = async (on: TestClient, value: string): Promise<void> => {
    const { errorCode } = await on.produce('t', [value], -1)
    if (errorCode === Errors.NONE) acknowledged.push(value)
  }
  await produce(client, 'a')
  let epoch = 0
  for (const leader of [1, 0, 1, 1, 0]) {
    // The one that is to lead is restarted first: its high watermark is behind its log.
    world.kill(leader)
    await world.startBroker(leader)
    await world.tellBrokers()
    epoch += 1
    await world.decide({ ...pair, leader, leaderEpoch: epoch, isr: [0, 1] })
    await produce(await world.client(leader), `in epoch ${epoch}`)
  }
  await world.clock.advance(2000)
  const values = await (await world.client(0)).values('t')
  assert.deepEqual(values, acknowledged)
  assert.equal(acknowledged.length, 6)
  assert.deepEqual(world.logBytes(0, 't'), world.logBytes(1, 't'))
})
