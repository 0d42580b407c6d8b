import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Errors } from '../../src/kafka/errors.ts'
import { Metadata } from '../../src/kafka/messages/metadata.ts'
import { DescribeConfigs } from '../../src/kafka/messages/describe-configs.ts'
import { World, type TestClient } from './world.ts'

const node = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

async function json(world: World, path: string): Promise<Record<string, unknown>> {
  const value: unknown = JSON.parse(await world.readNode(path))
  assert.ok(typeof value === 'object' && value !== null)
  return { ...value }
}

/** Writes znodes as tools do that know nothing of brokers. */
async function withTool(
  world: World,
  action: (tool: Awaited<ReturnType<World['zookeeper']>>) => Promise<void>,
): Promise<void> {
  const tool = await world.zookeeper()
  await world.clock.until(action(tool))
  await world.clock.until(tool.close())
  await world.clock.advance(100)
}

async function topicId(client: TestClient, name: string): Promise<string | undefined> {
  const { topics } = await client.ask(Metadata, 10, { topics: [{ name }] })
  return topics[0]?.topicId
}

async function leaders(client: TestClient, name: string): Promise<(number | string)[]> {
  const { topics } = await client.ask(Metadata, 5, {
    topics: [{ name }],
    allowAutoTopicCreation: false,
  })
  const [topic] = topics
  if (topic === undefined || topic.errorCode !== Errors.NONE) return [`error ${topic?.errorCode}`]
  return topic.partitions.map((one) => one.leaderId)
}

test('the znodes are those of a 3.9 broker at level 2.3', async () => {
  const world = await new World().start({ 'broker.rack': 'r1' })
  const client = await world.connect()
  const id = await client.createTopic('t', 1, { 'retention.ms': '5' })
  const { timestamp: _, ...registration } = await json(world, '/brokers/ids/0')
  assert.deepEqual(registration, {
    listener_security_protocol_map: { PLAINTEXT: 'PLAINTEXT' },
    endpoints: ['PLAINTEXT://localhost:9092'],
    rack: 'r1',
    ...{ jmx_port: -1, port: 9092, host: 'localhost', version: 4 },
  })
  assert.deepEqual(await json(world, '/brokers/topics/t'), {
    ...{ removing_replicas: {}, partitions: { 0: [0] }, topic_id: id },
    ...{ adding_replicas: {}, version: 3 },
  })
  assert.deepEqual(await json(world, '/brokers/topics/t/partitions/0/state'), {
    ...{ controller_epoch: 1, leader: 0, version: 1, leader_epoch: 0, isr: [0] },
  })
  assert.deepEqual(await json(world, '/config/topics/t'), {
    version: 1,
    config: { 'retention.ms': '5' },
  })
  const { brokerid, version, kraftControllerEpoch } = await json(world, '/controller')
  assert.deepEqual([brokerid, version, kraftControllerEpoch], [0, 2, -1])
  assert.equal(await world.readNode('/controller_epoch'), '1')
})

test('a topic that an old tool wrote into ZooKeeper is led, with its settings and an id', async () => {
  const world = await new World().start()
  const client = await world.connect()
  await withTool(world, async (tool) => {
    const config = { version: 1, config: { 'max.message.bytes': '100' } }
    await tool.create('/config/topics/old', node(config), { stat: false })
    const topic = { version: 1, partitions: { 0: [0], 1: [0] } }
    await tool.create('/brokers/topics/old', node(topic), { stat: false })
  })
  assert.deepEqual(await leaders(client, 'old'), [0, 0])
  const id = await topicId(client, 'old')
  assert.equal((await json(world, '/brokers/topics/old'))['topic_id'], id)
  const large = await client.produce('old', ['x'.repeat(200)])
  assert.equal(large.errorCode, Errors.MESSAGE_TOO_LARGE)
  await client.produce('old', ['a'])
  await world.restartBroker()
  const later = await world.connect()
  assert.deepEqual(await later.values('old'), ['a'])
  assert.equal(await topicId(later, 'old'), id)
})

test('partitions grow by a rewrite of the topic, and an id that it drops is put back (KAFKA-14190)', async () => {
  const world = await new World().start()
  const client = await world.connect()
  const id = await client.createTopic('t')
  await client.produce('t', ['a'])
  await withTool(world, async (tool) => {
    const grown = { version: 1, partitions: { 0: [0], 1: [0], 2: [0] } }
    await tool.setData('/brokers/topics/t', node(grown))
  })
  assert.deepEqual(await leaders(client, 't'), [0, 0, 0])
  assert.equal(await topicId(client, 't'), id)
  assert.equal((await json(world, '/brokers/topics/t'))['topic_id'], id)
  assert.deepEqual(await client.values('t'), ['a'])
})

test('an id that was dropped while no controller was there comes back from the data', async () => {
  const world = await new World().start()
  const id = await (await world.connect()).createTopic('t')
  await world.stopBroker()
  await withTool(world, async (tool) => {
    await tool.setData('/brokers/topics/t', node({ version: 1, partitions: { 0: [0] } }))
  })
  await world.startBroker()
  assert.equal(await topicId(await world.connect(), 't'), id)
})

test('a change of settings that a tool wrote is followed', async () => {
  const world = await new World().start()
  const client = await world.connect()
  await client.createTopic('t')
  // The first notice ever, and one of the older form.
  for (const [bytes, notice] of [
    [100, { version: 2, entity_path: 'topics/t' }],
    [2000, { version: 1, entity_type: 'topics', entity_name: 't' }],
  ] as const) {
    await withTool(world, async (tool) => {
      const config = { version: 1, config: { 'max.message.bytes': String(bytes) } }
      await tool.setData('/config/topics/t', node(config))
      const options = { sequential: true, stat: false }
      await tool.create('/config/changes/config_change_', node(notice), options)
    })
    const resources = [{ resourceType: 2, resourceName: 't', configurationKeys: null }]
    const { results } = await client.ask(DescribeConfigs, 1, { resources })
    const row = results[0]?.configs.find((one) => one.name === 'max.message.bytes')
    assert.equal(row?.value, String(bytes))
  }
  assert.equal((await client.produce('t', ['x'.repeat(500)])).errorCode, Errors.NONE)
})

test('notices of changes are removed when they are old', async () => {
  const world = await new World().start()
  const notice = async () =>
    withTool(world, async (tool) => {
      const options = { sequential: true, stat: false }
      const data = node({ version: 2, entity_path: 'topics/t' })
      await tool.create('/config/changes/config_change_', data, options)
    })
  await notice()
  await world.clock.advance(16 * 60_000)
  await notice()
  const tool = await world.zookeeper()
  const { children } = await world.clock.until(tool.getChildren('/config/changes'))
  assert.deepEqual(children, ['config_change_0000000001'])
})

test('a deletion that was asked for while the broker was down is done before the topic is led again', async () => {
  const world = await new World().start()
  const client = await world.connect()
  await client.createTopic('t', 3)
  await client.produce('t', ['a'])
  await world.stopBroker()
  await withTool(world, async (tool) => {
    await tool.create('/admin/delete_topics/t', null, { stat: false })
  })
  const before = world.logger.lines.length
  await world.startBroker()
  const later = await world.connect()
  assert.deepEqual(await leaders(later, 't'), [`error ${Errors.UNKNOWN_TOPIC_OR_PARTITION}`])
  assert.ok(
    !world.logger
      .texts()
      .slice(before)
      .some((line) => line.includes('Created log')),
  )
  const tool = await world.zookeeper()
  for (const path of ['/brokers/topics/t', '/config/topics/t', '/admin/delete_topics/t'])
    assert.equal(await world.clock.until(tool.exists(path)), null, path)
})

test('requests to delete what is not there, or may not be deleted, are taken away', async () => {
  for (const properties of [{}, { 'delete.topic.enable': 'false' }]) {
    const world = await new World().start(properties)
    const client = await world.connect()
    await client.createTopic('t')
    const name = 'delete.topic.enable' in properties ? 't' : 'unknown'
    await withTool(world, async (tool) => {
      await tool.create(`/admin/delete_topics/${name}`, null, { stat: false })
    })
    const tool = await world.zookeeper()
    const { children } = await world.clock.until(tool.getChildren('/admin/delete_topics'))
    assert.deepEqual(children, [])
    assert.deepEqual(await leaders(client, 't'), [0])
  }
})

test('a topic of many partitions is deleted though it takes several multis, even with a crash between', async () => {
  const world = await new World().start()
  const client = await world.connect()
  await client.createTopic('t', 450)
  await world.stopBroker()
  await withTool(world, async (tool) => {
    // What a controller leaves that died after its first multi.
    for (let index = 0; index < 200; index += 1) {
      await tool.delete(`/brokers/topics/t/partitions/${index}/state`)
      await tool.delete(`/brokers/topics/t/partitions/${index}`)
    }
    await tool.create('/admin/delete_topics/t', null, { stat: false })
  })
  await world.startBroker()
  const tool = await world.zookeeper()
  assert.equal(await world.clock.until(tool.exists('/brokers/topics/t')), null)
  assert.deepEqual(world.complaints(), [])
})

test('partitions are led though another controller died while it made their nodes', async () => {
  const world = await new World().start()
  await world.stopBroker()
  await withTool(world, async (tool) => {
    const topic = { version: 1, partitions: { 0: [0], 1: [0] } }
    await tool.create('/brokers/topics/t', node(topic), { stat: false })
    await tool.makePath('/brokers/topics/t/partitions/0')
  })
  await world.startBroker()
  assert.deepEqual(await leaders(await world.connect(), 't'), [0, 0])
  assert.deepEqual(world.complaints(), [])
})

test('a topic whose node makes no sense does not hold up the others', async () => {
  const world = await new World().start()
  const client = await world.connect()
  await withTool(world, async (tool) => {
    await tool.create('/brokers/topics/broken', Buffer.from('{'), { stat: false })
    await tool.create('/brokers/topics/empty', null, { stat: false })
  })
  await client.createTopic('t')
  assert.deepEqual(await leaders(client, 't'), [0])
})

test('an operator who deletes /controller gets a new election and a new epoch', async () => {
  const world = await new World().start()
  const client = await world.connect()
  await client.createTopic('t')
  await withTool(world, (tool) => tool.delete('/controller'))
  assert.equal(await world.readNode('/controller_epoch'), '2')
  await client.createTopic('u')
  const state = await json(world, '/brokers/topics/u/partitions/0/state')
  assert.equal(state['controller_epoch'], 2)
})

test('a controller that was overtaken writes nothing, and makes way', async () => {
  const world = await new World().start()
  const client = await world.connect()
  const tool = await world.zookeeper()
  const other = { version: 2, brokerid: 7, timestamp: '0', kraftControllerEpoch: -1 }
  await world.clock.until(
    tool.multi([
      { type: 'delete', path: '/controller' },
      { type: 'create', path: '/controller', data: node(other), ephemeral: true },
      { type: 'setData', path: '/controller_epoch', data: Buffer.from('2') },
    ]),
  )
  await world.clock.until(
    tool.create('/brokers/topics/t', node({ version: 1, partitions: { 0: [0] } })),
  )
  await world.clock.advance(10_000)
  assert.equal(await world.clock.until(tool.exists('/brokers/topics/t/partitions')), null)
  // When the other one goes, this broker takes the office back.
  await world.clock.until(tool.close())
  await world.clock.advance(10_000)
  assert.deepEqual(await leaders(client, 't'), [0])
  assert.equal(await world.readNode('/controller_epoch'), '3')
})
