import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Errors } from '../../src/kafka/errors.ts'
import { CreateTopics } from '../../src/kafka/messages/create-topics.ts'
import { Metadata } from '../../src/kafka/messages/metadata.ts'
import { ReplicaWorld } from './replica-world.ts'
import type { TestClient } from './world.ts'

/** The session of a dead broker ends after this long. */
const sessionMs = 20_000

async function create(
  client: TestClient,
  name: string,
  assignments: readonly (readonly number[])[],
): Promise<number | undefined> {
  const rows = assignments.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }))
  const topic = { name, numPartitions: -1, replicationFactor: -1, assignments: rows }
  const { topics } = await client.ask(CreateTopics, 5, { topics: [topic], timeoutMs: 10_000 })
  return topics[0]?.errorCode
}

/** Leader, in-sync set, and the controller, as a broker tells them. */
async function describe(client: TestClient, name: string) {
  const { topics, controllerId } = await client.ask(Metadata, 9, { topics: [{ name }] })
  const [partition] = topics[0]?.partitions ?? []
  return [partition?.leaderId, partition?.isrNodes, controllerId]
}

async function produceSoon(client: TestClient, world: ReplicaWorld, value: string) {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const answer = await client.produce('t', [value], -1)
    if (answer.errorCode === Errors.NONE) return answer
    await world.clock.advance(1000)
  }
  throw new Error('nothing is taken')
}

test('two brokers: the leader is killed, its follower leads, producing goes on, and back again', async () => {
  const world = await new ReplicaWorld().start(2, 'by a broker')
  const zero = await world.client(0)
  assert.equal(await create(zero, 't', [[1, 0]]), Errors.NONE)
  const one = await world.client(1)
  await world.clock.advance(1000)
  assert.deepEqual(await describe(one, 't'), [1, [1, 0], 0])
  assert.equal((await one.produce('t', ['a'], -1)).errorCode, Errors.NONE)
  world.kill(1)
  await world.clock.advance(sessionMs)
  assert.deepEqual(await describe(zero, 't'), [0, [0], 0])
  assert.equal((await produceSoon(zero, world, 'b')).baseOffset, 1)
  await world.startBroker(1)
  await world.clock.advance(10_000)
  const again = await world.client(1)
  assert.deepEqual(await describe(again, 't'), [0, [0, 1], 0])
  // The controller itself goes this time.
  world.kill(0)
  await world.clock.advance(sessionMs)
  assert.deepEqual(await describe(again, 't'), [1, [1], 1])
  assert.equal((await produceSoon(again, world, 'c')).baseOffset, 2)
  assert.deepEqual(await again.values('t'), ['a', 'b', 'c'])
})

test('a broker that stops hands its leaders over first: no time without a leader', async () => {
  const world = await new ReplicaWorld().start(2, 'by a broker')
  const zero = await world.client(0)
  await create(zero, 't', [[1, 0]])
  await world.clock.advance(1000)
  const before = world.clock.now()
  await world.stopBroker(1)
  assert.ok(world.clock.now() - before < 5000)
  assert.deepEqual(await describe(zero, 't'), [0, [0], 0])
  assert.equal((await zero.produce('t', ['a'], -1)).errorCode, Errors.NONE)
})

test('the controller stops too, and the other broker takes over its leaders and its office', async () => {
  const world = await new ReplicaWorld().start(2, 'by a broker')
  const zero = await world.client(0)
  await create(zero, 't', [[0, 1]])
  await world.clock.advance(1000)
  await world.stopBroker(0)
  await world.clock.advance(1000)
  const one = await world.client(1)
  assert.deepEqual(await describe(one, 't'), [1, [1], 1])
})

test('a replication factor above the live brokers is refused with 38', async () => {
  const world = await new ReplicaWorld().start(2, 'by a broker')
  const client = await world.client(0)
  const topic = { name: 't', numPartitions: 1, replicationFactor: 3 }
  const { topics } = await client.ask(CreateTopics, 5, { topics: [topic], timeoutMs: 1000 })
  assert.equal(topics[0]?.errorCode, Errors.INVALID_REPLICATION_FACTOR)
  const other = await world.client(1)
  const elsewhere = { name: 't', numPartitions: 1, replicationFactor: 2 }
  const answer = await other.ask(CreateTopics, 5, { topics: [elsewhere], timeoutMs: 1000 })
  assert.equal(answer.topics[0]?.errorCode, Errors.NOT_CONTROLLER)
})

test('at a level given as 2.3, as for a real Kafka beside it, topics have no ids', async () => {
  const properties = { 'inter.broker.protocol.version': '2.3' }
  const world = await new ReplicaWorld(properties).start(2, 'by a broker')
  const client = await world.client(0)
  assert.equal(await create(client, 't', [[0, 1]]), Errors.NONE)
  const { topics } = await client.ask(Metadata, 10, { topics: [{ name: 't' }] })
  assert.equal(topics[0]?.topicId, 'AAAAAAAAAAAAAAAAAAAAAA')
  const { data } = await world.clock.until(world.zookeeper.getData('/brokers/topics/t'))
  assert.equal(data.toString().includes('topic_id'), false)
})

test('a broker of a newer level, or at the same address, rules this one out with one line', async () => {
  const world = await new ReplicaWorld().start(1, 'by a broker')
  const register = async (value: unknown) => {
    const data = Buffer.from(JSON.stringify(value))
    await world.clock.until(
      world.zookeeper.create('/brokers/ids/7', data, { ephemeral: true, stat: false }),
    )
  }
  const refusal = async () => {
    await world.stopBroker(0)
    const failed = await world.startBroker(0).then(
      () => undefined,
      (error: unknown) => error,
    )
    await world.clock.until(world.zookeeper.delete('/brokers/ids/7'))
    return failed instanceof Error ? failed.message : failed
  }
  await register({ version: 5, endpoints: ['PLAINTEXT://other:1'], features: {} })
  assert.match(String(await refusal()), /broker 7 .* inter\.broker\.protocol\.version/)
  await world.startBroker(0)
  await register({ version: 4, endpoints: ['PLAINTEXT://broker0:9092'] })
  assert.equal(await refusal(), 'listeners: broker0:9092 is registered already by broker 7')
})
