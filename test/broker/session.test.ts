import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Errors } from '../../src/kafka/errors.ts'
import { CreateTopics } from '../../src/kafka/messages/create-topics.ts'
import { DeleteTopics } from '../../src/kafka/messages/delete-topics.ts'
import { InitProducerId } from '../../src/kafka/messages/init-producer-id.ts'
import { UserError } from '../../src/runtime/service.ts'
import { groupWorld } from './group-client.ts'
import { World } from './world.ts'

const node = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

async function exists(world: World, path: string): Promise<boolean> {
  const tool = await world.zookeeper()
  const stat = await world.clock.until(tool.exists(path))
  await world.clock.until(tool.close())
  return stat !== null
}

test('without coordination for a minute the broker serves, and is registered again afterwards', async () => {
  const world = new World()
  const member = await groupWorld(world)
  const { client } = member
  await member.enter()
  world.cutCoordination()
  for (let second = 0; second < 60; second += 2) {
    await client.produce('t', [String(second)])
    assert.equal(await member.heartbeat(), Errors.NONE)
    assert.equal(await member.commit(second), Errors.NONE)
    await world.clock.advance(2000)
  }
  assert.equal((await client.values('t')).length, 30)
  world.healCoordination()
  for (let second = 0; second < 20; second += 5) {
    assert.equal(await member.heartbeat(), Errors.NONE)
    await world.clock.advance(5000)
  }
  assert.ok(await exists(world, '/brokers/ids/0'))
  assert.equal(await world.readNode('/controller_epoch'), '2')
  await client.createTopic('u')
  assert.equal((await client.produce('u', ['a'])).errorCode, Errors.NONE)
  assert.equal(await member.heartbeat(), Errors.NONE)
})

test('an interruption shorter than the session changes nothing, but the office is taken anew', async () => {
  const world = await new World().start()
  const client = await world.connect()
  await client.createTopic('t')
  world.cutCoordination()
  // Two thirds of the session of 18 seconds, so that the broker thinks it lost.
  await world.clock.advance(14_000)
  world.healCoordination()
  await world.clock.advance(20_000)
  assert.ok(await exists(world, '/brokers/ids/0'))
  await client.createTopic('u')
  assert.equal((await client.produce('u', ['a'])).errorCode, Errors.NONE)
})

test('an interruption of a moment goes by unnoticed', async () => {
  const world = await new World().start()
  const client = await world.connect()
  world.network.reset('localhost', 'zookeeper')
  await world.clock.advance(5000)
  await client.createTopic('t')
  assert.equal(await world.readNode('/controller_epoch'), '1')
})

test('requests that need coordination say that it is away, and can be repeated', async () => {
  const world = await new World().start()
  const client = await world.connect()
  await client.createTopic('t')
  world.cutCoordination()
  await world.clock.advance(30_000)
  const topics = [{ name: 'u', numPartitions: 1, replicationFactor: 1 }]
  const made = await client.ask(CreateTopics, 5, { topics, timeoutMs: 1000 })
  assert.equal(made.topics[0]?.errorCode, Errors.REQUEST_TIMED_OUT)
  const removed = await client.ask(DeleteTopics, 5, { topicNames: ['t'], timeoutMs: 1000 })
  assert.equal(removed.responses[0]?.errorCode, Errors.REQUEST_TIMED_OUT)
  const producer = await client.ask(InitProducerId, 1, { transactionalId: null })
  assert.equal(producer.errorCode, Errors.COORDINATOR_LOAD_IN_PROGRESS)
  const { topics: rows } = await client.metadata(['v'])
  assert.equal(rows[0]?.errorCode, Errors.LEADER_NOT_AVAILABLE)
  assert.ok(client.connection.isOpen)
  world.healCoordination()
  await world.clock.advance(30_000)
  assert.equal((await client.ask(InitProducerId, 1, { transactionalId: null })).errorCode, 0)
  await client.createTopic('u')
})

test('topics and settings that changed while the session was gone are found afterwards', async () => {
  const world = await new World().start()
  const client = await world.connect()
  await client.createTopic('t', 1, { 'max.message.bytes': '100' })
  world.cutCoordination()
  const tool = await world.zookeeperAt('elsewhere')
  await world.clock.advance(30_000)
  await world.clock.until(tool.setData('/config/topics/t', node({ version: 1, config: {} })))
  await world.clock.until(
    tool.create('/brokers/topics/u', node({ version: 1, partitions: { 0: [0] } })),
  )
  world.healCoordination()
  await world.clock.advance(30_000)
  assert.equal((await client.produce('t', ['x'.repeat(200)])).errorCode, Errors.NONE)
  assert.equal((await client.produce('u', ['a'])).errorCode, Errors.NONE)
})

test('a broker that cannot register again keeps trying', async () => {
  const world = await new World().start()
  world.cutCoordination()
  const tool = await world.zookeeperAt('elsewhere')
  await world.clock.advance(30_000)
  const other = { version: 4, host: 'h', port: 1, endpoints: ['PLAINTEXT://h:1'] }
  await world.clock.until(tool.create('/brokers/ids/0', node(other), { ephemeral: true }))
  world.healCoordination()
  await world.clock.advance(30_000)
  await world.clock.until(tool.close())
  await world.clock.advance(10_000)
  assert.match(await world.readNode('/brokers/ids/0'), /localhost:9092/)
  await (await world.connect()).createTopic('t')
})

test('a broker killed a moment ago is followed by its next life without a wait', async () => {
  const world = await new World().start()
  await (await world.connect()).createTopic('t')
  world.killBroker()
  const startMs = world.clock.monotonicMs()
  await world.startBroker()
  assert.ok(world.clock.monotonicMs() - startMs < 5000)
  const client = await world.connect()
  assert.equal((await client.produce('t', ['a'])).errorCode, Errors.NONE)
  // The old session ends; what it made has an owner of its own by now.
  await world.clock.advance(60_000)
  assert.ok(await exists(world, '/brokers/ids/0'))
  assert.ok(await exists(world, '/controller'))
})

test('a taken broker id and another live broker are start errors of one line', async () => {
  const world = await new World().start()
  await world.stopBroker()
  const tool = await world.zookeeper()
  const register = async (id: number, version: number) => {
    const other = { version, host: 'h', port: 1, endpoints: ['PLAINTEXT://h:1'] }
    await world.clock.until(tool.create(`/brokers/ids/${id}`, node(other), { ephemeral: true }))
  }
  await register(0, 4)
  const taken = world.makeBroker()
  await assert.rejects(world.clock.until(taken.start()), (error) => {
    assert.ok(error instanceof UserError)
    assert.equal(error.message, 'broker.id=0 is registered already, at h:1')
    return true
  })
  await register(5, 5)
  await assert.rejects(world.clock.until(world.makeBroker().start()), /inter\.broker\.protocol/)
  await world.clock.until(tool.close())
  // Nothing is left of them: ports and directories are free.
  await world.startBroker()
})

test('no coordination server at all is a start error', async () => {
  const world = new World()
  const broker = world.makeBroker()
  await assert.rejects(world.clock.until(broker.start()), /no coordination server answered/)
})

test('a broker without an id gets one above the reserved, and keeps it', async () => {
  const world = await new World().start({ 'broker.id': '-1' })
  assert.equal(world.broker.id, 1001)
  await world.restartBroker({ 'broker.id': '-1' })
  assert.equal(world.broker.id, 1001)
})

test('a stop ends the session, so that the registration goes at once', async () => {
  const world = await new World().start()
  await world.stopBroker()
  assert.equal(await exists(world, '/brokers/ids/0'), false)
  assert.equal(await exists(world, '/controller'), false)
})

test('a broker stops without coordination, within its time', async () => {
  const world = await new World().start()
  world.cutCoordination()
  const startMs = world.clock.monotonicMs()
  await world.stopBroker()
  assert.ok(world.clock.monotonicMs() - startMs < 15_000)
})
