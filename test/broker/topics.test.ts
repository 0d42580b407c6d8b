import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Errors } from '../../src/kafka/errors.ts'
import { CreateTopics } from '../../src/kafka/messages/create-topics.ts'
import { DeleteTopics } from '../../src/kafka/messages/delete-topics.ts'
import { DescribeCluster } from '../../src/kafka/messages/describe-cluster.ts'
import { DescribeConfigs } from '../../src/kafka/messages/describe-configs.ts'
import { Metadata } from '../../src/kafka/messages/metadata.ts'
import type { RequestInputOf } from '../../src/wire/schema.ts'
import { World, type TestClient } from './world.ts'

type Wanted = NonNullable<RequestInputOf<typeof CreateTopics>['topics']>

async function open(properties: Readonly<Record<string, string>> = {}) {
  const world = await new World().start(properties)
  return { world, client: await world.connect() }
}

function creation(name: string, numPartitions = 1, replicationFactor = 1) {
  return { name, numPartitions, replicationFactor }
}

async function create(
  client: TestClient,
  topics: Wanted,
  options: { version?: number; timeoutMs?: number; validateOnly?: boolean } = {},
) {
  const { version = 7, timeoutMs = 5000, validateOnly = false } = options
  const validation = version >= 1 ? { validateOnly } : {}
  const answer = await client.ask(CreateTopics, version, { topics, timeoutMs, ...validation })
  return answer.topics
}

const codes = (rows: readonly { readonly errorCode: number }[]): number[] =>
  rows.map((row) => row.errorCode)

test('every version creates a topic, and the answer says what was made', async () => {
  const { client } = await open()
  for (let version = 0; version <= 7; version += 1) {
    const [row] = await create(client, [creation(`t${version}`, 3)], { version })
    assert.equal(row?.errorCode, Errors.NONE)
    const { topics } = await client.metadata([`t${version}`])
    assert.deepEqual(
      topics[0]?.partitions.map((one) => [one.partitionIndex, one.leaderId, one.isrNodes]),
      [0, 1, 2].map((index) => [index, 0, [0]]),
    )
  }
  const [row] = await create(client, [creation('u', -1, -1)])
  assert.deepEqual([row?.numPartitions, row?.replicationFactor], [1, 1])
  assert.ok(row?.configs?.some((one) => one.name === 'retention.ms' && one.value === '-1'))
})

test('what cannot be created is refused, in the codes of the original', async () => {
  const { client } = await open()
  const code = async (wanted: Wanted[number], version = 7) =>
    codes(await create(client, [wanted], { version }))[0]
  assert.equal(await code(creation('')), Errors.INVALID_TOPIC_EXCEPTION)
  assert.equal(await code(creation('..')), Errors.INVALID_TOPIC_EXCEPTION)
  assert.equal(await code(creation('a/b')), Errors.INVALID_TOPIC_EXCEPTION)
  assert.equal(await code(creation('x'.repeat(250))), Errors.INVALID_TOPIC_EXCEPTION)
  assert.equal(await code(creation('x'.repeat(32_000))), Errors.INVALID_TOPIC_EXCEPTION)
  assert.equal(await code(creation('t', 0)), Errors.INVALID_PARTITIONS)
  assert.equal(await code(creation('t', 2 ** 31 - 1)), Errors.INVALID_PARTITIONS)
  assert.equal(await code(creation('t', -1), 3), Errors.INVALID_PARTITIONS)
  assert.equal(await code(creation('t', 1, 2)), Errors.INVALID_REPLICATION_FACTOR)
  assert.equal(await code(creation('t', 1, 0)), Errors.INVALID_REPLICATION_FACTOR)
  const bad = { configs: [{ name: 'retention.ms', value: 'soon' }] }
  assert.equal(await code({ ...creation('t'), ...bad }), Errors.INVALID_CONFIG)
  const compact = { configs: [{ name: 'cleanup.policy', value: 'compact' }] }
  assert.equal(await code({ ...creation('t'), ...compact }), Errors.INVALID_CONFIG)
  await client.createTopic('a.b')
  assert.equal(await code(creation('a_b')), Errors.INVALID_TOPIC_EXCEPTION)
  assert.equal(await code(creation('a.b')), Errors.TOPIC_ALREADY_EXISTS)
})

test('replicas may be assigned by hand, completely and to live brokers only', async () => {
  const { client } = await open()
  const code = async (assignment: Record<number, number[]>, counts = creation('t', -1, -1)) => {
    const assignments = Object.entries(assignment).map(([index, brokerIds]) => ({
      ...{ partitionIndex: Number(index), brokerIds },
    }))
    return codes(await create(client, [{ ...counts, assignments }]))[0]
  }
  assert.equal(await code({ 0: [1] }), Errors.INVALID_REPLICA_ASSIGNMENT)
  assert.equal(await code({ 0: [] }), Errors.INVALID_REPLICA_ASSIGNMENT)
  assert.equal(await code({ 0: [0, 0] }), Errors.INVALID_REPLICA_ASSIGNMENT)
  assert.equal(await code({ 0: [0], 2: [0] }), Errors.INVALID_REPLICA_ASSIGNMENT)
  assert.equal(await code({ 0: [0] }, creation('t', 1, 1)), Errors.INVALID_REQUEST)
  assert.equal(await code({ 0: [0], 1: [0] }), Errors.NONE)
})

test('a name that comes twice in a request is refused once; the others are made', async () => {
  const { client } = await open()
  const rows = await create(client, [creation('a'), creation('b'), creation('a')])
  assert.deepEqual(
    rows.map((row) => [row.name, row.errorCode]),
    [
      ['a', Errors.INVALID_REQUEST],
      ['b', Errors.NONE],
    ],
  )
})

test('validation alone makes nothing', async () => {
  const { client } = await open()
  const configs = [{ name: 'retention.ms', value: '5' }]
  const [row] = await create(client, [{ ...creation('t'), configs }], { validateOnly: true })
  assert.equal(row?.errorCode, Errors.NONE)
  assert.equal(row.configs?.find((one) => one.name === 'retention.ms')?.value, '5')
  assert.deepEqual((await client.metadata(null)).topics, [])
})

test('of hundreds of topics in one request every one is made', async () => {
  const { world, client } = await open()
  const names = Array.from({ length: 300 }, (_, at) => `topic-${at}`)
  const rows = await create(
    client,
    names.map((name) => creation(name)),
    { timeoutMs: 60_000 },
  )
  assert.deepEqual(new Set(codes(rows)), new Set([Errors.NONE]))
  const { topics } = await client.metadata(null)
  assert.equal(topics.length, 300)
  await world.restartBroker()
  const later = await (await world.connect()).metadata(null)
  assert.ok(later.topics.every((one) => one.partitions[0]?.leaderId === 0))
})

test('a topic is deleted by name or by id; afterwards it can be made again, with another id', async () => {
  const { world, client } = await open()
  const topicId = await client.createTopic('t')
  await client.produce('t', ['a'])
  const remove = (topics: RequestInputOf<typeof DeleteTopics>['topics']) =>
    client.ask(DeleteTopics, 6, { topics: topics ?? [], timeoutMs: 5000 })
  const byId = await remove([{ name: null, topicId }])
  assert.deepEqual(
    byId.responses.map((row) => [row.name, row.errorCode]),
    [['t', Errors.NONE]],
  )
  const unknown = await remove([{ name: null, topicId }, { name: 't' }])
  assert.deepEqual(codes(unknown.responses), [
    Errors.UNKNOWN_TOPIC_ID,
    Errors.UNKNOWN_TOPIC_OR_PARTITION,
  ])
  assert.notEqual(await client.createTopic('t'), topicId)
  assert.deepEqual(await client.values('t'), [])
  const byName = await client.ask(DeleteTopics, 0, { topicNames: ['t'], timeoutMs: 5000 })
  assert.deepEqual(codes(byName.responses), [Errors.NONE])
  await world.clock.advance(120_000)
  assert.deepEqual(
    world.disk.list('/kafka').filter(({ kind }) => kind === 'directory'),
    [],
  )
})

test('where deletion is switched off it is refused', async () => {
  const { client } = await open({ 'delete.topic.enable': 'false' })
  await client.createTopic('t')
  const code = async (version: number) =>
    codes(
      (await client.ask(DeleteTopics, version, { topicNames: ['t'], timeoutMs: 1000 })).responses,
    )[0]
  assert.equal(await code(1), Errors.INVALID_REQUEST)
  assert.equal(await code(3), Errors.TOPIC_DELETION_DISABLED)
})

test('metadata makes a missing topic when it may, and says that its leader is not known yet', async () => {
  const world = await new World().start()
  const client = await world.connect()
  const first = await client.metadata(['made'])
  assert.equal(first.topics[0]?.errorCode, Errors.LEADER_NOT_AVAILABLE)
  await world.clock.advance(100)
  const second = await client.metadata(['made'])
  assert.equal(second.topics[0]?.errorCode, Errors.NONE)
  assert.equal(second.topics[0]?.partitions[0]?.leaderId, 0)
  const bad = await client.metadata(['not/legal'])
  assert.equal(bad.topics[0]?.errorCode, Errors.INVALID_TOPIC_EXCEPTION)
})

test('an empty list means all topics in version 0 and none later; null means all (F16)', async () => {
  const { client } = await open()
  await client.createTopic('a')
  await client.createTopic('b')
  const count = async (version: number, topics: readonly { name: string }[] | null) =>
    (await client.ask(Metadata, version, { topics })).topics.length
  assert.equal(await count(0, []), 2)
  assert.equal(await count(1, []), 0)
  assert.equal(await count(1, null), 2)
})

test('a topic is made only when it is allowed to be (F16, F17)', async () => {
  const { client } = await open()
  const ask = (version: number, name: string, rest = {}) =>
    client.ask(Metadata, version, { topics: [{ name }], ...rest })
  const forbidden = await ask(4, 'a', { allowAutoTopicCreation: false })
  assert.deepEqual(codes(forbidden.topics), [Errors.UNKNOWN_TOPIC_OR_PARTITION])
  assert.deepEqual(codes((await ask(1, 'a')).topics), [Errors.LEADER_NOT_AVAILABLE])
  const off = await open({ 'auto.create.topics.enable': 'false' })
  assert.deepEqual(codes((await off.client.metadata(['a'])).topics), [
    Errors.UNKNOWN_TOPIC_OR_PARTITION,
  ])
})

test('a topic that would need more brokers than there are is not made (F18)', async () => {
  const { client } = await open({ 'default.replication.factor': '3' })
  assert.deepEqual(codes((await client.metadata(['a'])).topics), [
    Errors.INVALID_REPLICATION_FACTOR,
  ])
})

test('the cluster is described with its brokers, controller and id', async () => {
  const { client } = await open({ 'broker.rack': 'r1' })
  const { brokers, controllerId, clusterId } = await client.metadata(null)
  assert.deepEqual(
    brokers.map(({ nodeId, host, port, rack }) => [nodeId, host, port, rack]),
    [[0, 'localhost', 9092, 'r1']],
  )
  assert.equal(controllerId, 0)
  assert.match(clusterId ?? '', /^[A-Za-z0-9_-]{22}$/)
  const described = await client.ask(DescribeCluster, 1, {})
  assert.deepEqual([described.clusterId, described.brokers.length], [clusterId, 1])
  const controllers = await client.ask(DescribeCluster, 1, { endpointType: 2 })
  assert.equal(controllers.errorCode, Errors.MISMATCHED_ENDPOINT_TYPE)
})

test('settings are described with where they come from', async () => {
  const { client } = await open({ 'log.roll.hours': '2' })
  await client.createTopic('t', 1, { 'segment.bytes': '2000' })
  const resources = [
    { resourceType: 2, resourceName: 't' },
    { resourceType: 2, resourceName: 'unknown' },
    { resourceType: 4, resourceName: '0' },
    { resourceType: 4, resourceName: '7' },
    { resourceType: 99, resourceName: 'x' },
  ].map((one) => ({ ...one, configurationKeys: null }))
  const { results } = await client.ask(DescribeConfigs, 2, { resources })
  assert.deepEqual(codes(results), [
    Errors.NONE,
    Errors.UNKNOWN_TOPIC_OR_PARTITION,
    Errors.NONE,
    Errors.INVALID_REQUEST,
    Errors.INVALID_REQUEST,
  ])
  const find = (at: number, name: string) => {
    const row = results[at]?.configs.find((one) => one.name === name)
    return [row?.value, row?.configSource]
  }
  assert.deepEqual(find(0, 'segment.bytes'), ['2000', 1])
  // As in the original, a coarser spelling is not told as the source of the finest one's value.
  assert.deepEqual(find(0, 'segment.ms'), ['7200000', 5])
  assert.deepEqual(find(0, 'max.message.bytes'), ['1048588', 5])
  assert.deepEqual(find(2, 'log.roll.hours'), ['2', 4])
})
