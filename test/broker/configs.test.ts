import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Errors } from '../../src/kafka/errors.ts'
import { AlterConfigs } from '../../src/kafka/messages/alter-configs.ts'
import { DescribeConfigs } from '../../src/kafka/messages/describe-configs.ts'
import { IncrementalAlterConfigs } from '../../src/kafka/messages/incremental-alter-configs.ts'
import { World, batchOf, type TestClient } from './world.ts'

const topic = 2
const broker = 4
const [set, remove, append, subtract] = [0, 1, 2, 3] as const

async function open(properties: Readonly<Record<string, string>> = {}) {
  const world = await new World().start(properties)
  const client = await world.connect()
  await client.createTopic('t')
  return { world, client }
}

type Change = readonly [name: string, operation: number, value: string | null]

async function change(
  client: TestClient,
  [resourceType, resourceName]: readonly [number, string],
  changes: readonly Change[],
  validateOnly = false,
) {
  const configs = changes.map(([name, configOperation, value]) => ({
    ...{ name, configOperation, value },
  }))
  const request = { resources: [{ resourceType, resourceName, configs }], validateOnly }
  const { responses } = await client.ask(IncrementalAlterConfigs, 1, request)
  return [responses[0]?.errorCode, responses[0]?.errorMessage]
}

async function replace(
  client: TestClient,
  [resourceType, resourceName]: readonly [number, string],
  settings: Readonly<Record<string, string | null>>,
  validateOnly = false,
) {
  const configs = Object.entries(settings).map(([name, value]) => ({ name, value }))
  const request = { resources: [{ resourceType, resourceName, configs }], validateOnly }
  const { responses } = await client.ask(AlterConfigs, 2, request)
  return [responses[0]?.errorCode, responses[0]?.errorMessage]
}

async function describe(client: TestClient, of: readonly [number, string], name: string) {
  const [resourceType, resourceName] = of
  const resources = [{ resourceType, resourceName, configurationKeys: [name] }]
  const request = { resources, includeSynonyms: true, includeDocumentation: true }
  const { results } = await client.ask(DescribeConfigs, 4, request)
  const row = results[0]?.configs[0]
  const synonyms = row?.synonyms.map((one) => `${one.name}=${one.value}:${one.source}`)
  return [row?.value, row?.configSource, synonyms]
}

const done = [Errors.NONE, null]
const invalid = (message: string) => [Errors.INVALID_REQUEST, message]
const t = [topic, 't'] as const
const own = [broker, '0'] as const
const all = [broker, ''] as const

test('settings of a topic are set, deleted, added to and taken from', async () => {
  const { world, client } = await open()
  const name = 'follower.replication.throttled.replicas'
  assert.deepEqual(await change(client, t, [['retention.ms', set, '1000']]), done)
  assert.deepEqual(await change(client, t, [[name, append, '0:0']]), done)
  assert.deepEqual(await change(client, t, [[name, append, '1:0,0:0']]), done)
  assert.deepEqual(await describe(client, t, name), ['0:0,1:0', 1, [`${name}=0:0,1:0:1`]])
  assert.deepEqual(await change(client, t, [[name, subtract, '0:0']]), done)
  assert.deepEqual(
    await world.readNode('/config/topics/t'),
    `{"version":1,"config":{"retention.ms":"1000","${name}":"1:0"}}`,
  )
  assert.deepEqual(await change(client, t, [['retention.ms', remove, null]]), done)
  assert.deepEqual(await describe(client, t, 'retention.ms'), [
    '-1',
    4,
    ['log.retention.ms=-1:4', 'log.retention.hours=168:5'],
  ])
})

test('what a topic cannot have is refused in the words of the original', async () => {
  const { client } = await open()
  const prefix = "Invalid config value for resource ConfigResource(type=TOPIC, name='t'): "
  const refused = async (one: Change, message: string): Promise<void> => {
    assert.deepEqual(await change(client, t, [one]), [Errors.INVALID_CONFIG, message])
  }
  await refused(
    ['retention.ms', set, 'abc'],
    `${prefix}Invalid value abc for configuration retention.ms: Not a number of type LONG`,
  )
  await refused(
    ['min.insync.replicas', set, '0'],
    `${prefix}Invalid value 0 for configuration min.insync.replicas: Value must be at least 1`,
  )
  await refused(['nope.x', set, '1'], 'Unknown topic config name: nope.x')
  await refused(
    ['retention.ms', append, '5'],
    'Config value append is not allowed for config key: retention.ms',
  )
  const name = 'leader.replication.throttled.replicas'
  await refused(
    [name, set, 'junk'],
    `${prefix}Invalid value [junk] for configuration ${name}: ${name} must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...`,
  )
  await refused(
    ['message.format.version', set, 'x'],
    `${prefix}Invalid value x for configuration message.format.version: Version x is not a valid version`,
  )
  assert.deepEqual(
    await change(client, t, [
      ['max.compaction.lag.ms', set, '1'],
      ['min.compaction.lag.ms', set, '2'],
    ]),
    [
      Errors.INVALID_CONFIG,
      'conflict topic config setting min.compaction.lag.ms (2) > max.compaction.lag.ms (1)',
    ],
  )
})

test('requests that make no sense are refused as a whole resource', async () => {
  const { client } = await open()
  assert.deepEqual(
    await change(client, t, [['retention.ms', set, null]]),
    invalid('Null value not supported for : retention.ms'),
  )
  const twice: Change = ['retention.ms', set, '5']
  assert.deepEqual(
    await change(client, t, [twice, twice]),
    invalid('Error due to duplicate config keys'),
  )
  assert.deepEqual(await change(client, t, [['retention.ms', 9, '5']]), [-1, null])
  const unknown = [Errors.UNKNOWN_TOPIC_OR_PARTITION, "The topic 'a b' does not exist."]
  assert.deepEqual(await change(client, [topic, 'a b'], [twice]), unknown)
  assert.deepEqual(
    await change(client, [topic, ''], [twice]),
    invalid('Default topic resources are not allowed.'),
  )
  assert.deepEqual(await change(client, [3, 'x'], []), invalid('Unknown resource type 3'))
  const same = { resourceType: topic, resourceName: 't', configs: [] }
  const request = { resources: [same, same], validateOnly: true }
  const { responses } = await client.ask(IncrementalAlterConfigs, 1, request)
  const once = 'Each resource must appear at most once.'
  assert.deepEqual(
    responses.map(({ errorMessage }) => errorMessage),
    [once, once],
  )
})

test('validation alone changes nothing', async () => {
  const { client } = await open()
  assert.deepEqual(await change(client, t, [['segment.ms', set, '777']], true), done)
  assert.deepEqual(await replace(client, t, { 'segment.ms': '777' }, true), done)
  assert.deepEqual(await describe(client, t, 'segment.ms'), ['604800000', 5, []])
})

test('the older API replaces all that was set', async () => {
  const { client } = await open()
  assert.deepEqual(await replace(client, t, { 'segment.ms': '5000', 'flush.ms': '7' }), done)
  assert.deepEqual(await replace(client, t, { 'flush.ms': '8' }), done)
  assert.deepEqual((await describe(client, t, 'segment.ms'))[1], 5)
  assert.deepEqual((await describe(client, t, 'flush.ms'))[0], '8')
  assert.deepEqual(
    await replace(client, t, { 'flush.ms': null }),
    invalid('Null value not supported for : flush.ms'),
  )
  assert.deepEqual(await replace(client, [8, '0'], {}), invalid('Unknown resource type 8'))
})

test("a topic's setting acts from the answer on", async () => {
  const { client } = await open()
  assert.equal((await client.produceBytes('t', batchOf(['x'.repeat(500)]))).errorCode, 0)
  await change(client, t, [['max.message.bytes', set, '100']])
  const { errorCode } = await client.produceBytes('t', batchOf(['x'.repeat(500)]))
  assert.equal(errorCode, Errors.MESSAGE_TOO_LARGE)
})

test('brokers change while they run, one before all, and topics follow (KIP-226)', async () => {
  const { world, client } = await open({ 'message.max.bytes': '1000' })
  await change(client, all, [['message.max.bytes', set, '300']])
  assert.deepEqual(await describe(client, t, 'max.message.bytes'), [
    ...['300', 3],
    ['message.max.bytes=300:3', 'message.max.bytes=1000:4', 'message.max.bytes=1048588:5'],
  ])
  const tooLarge = await client.produceBytes('t', batchOf(['x'.repeat(500)]))
  assert.equal(tooLarge.errorCode, Errors.MESSAGE_TOO_LARGE)
  await change(client, own, [['message.max.bytes', set, '900']])
  assert.deepEqual((await describe(client, own, 'message.max.bytes')).slice(0, 2), ['900', 2])
  assert.equal((await client.produceBytes('t', batchOf(['x'.repeat(500)]))).errorCode, 0)
  const kept = '{"version":1,"config":{"message.max.bytes":"300"}}'
  assert.equal(await world.readNode('/config/brokers/<default>'), kept)
  await world.restartBroker({ 'message.max.bytes': '1000' })
  const again = await world.connect()
  assert.deepEqual((await describe(again, own, 'message.max.bytes')).slice(0, 2), ['900', 2])
  await change(again, own, [['message.max.bytes', remove, null]])
  await change(again, all, [['message.max.bytes', remove, null]])
  assert.deepEqual((await describe(again, own, 'message.max.bytes')).slice(0, 2), ['1000', 4])
})

test('connections are limited by what the broker was told last', async () => {
  const { world, client } = await open()
  await change(client, all, [['max.connections', set, '1']])
  const second = await world.connectRaw()
  await world.clock.advance(1000)
  assert.equal(second.isClosed, true)
  await change(client, all, [['max.connections', set, '5']])
  const third = await world.connectRaw()
  await world.clock.advance(1000)
  assert.equal(third.isClosed, false)
})

test('what a broker cannot change while it runs is refused in the words of the original', async () => {
  const { client } = await open()
  const refused = async (
    of: readonly [number, string],
    name: string,
    value: string,
    message: string,
  ): Promise<void> => {
    assert.deepEqual(await change(client, of, [[name, set, value]]), invalid(message))
  }
  await refused(own, 'broker.id', '5', 'Cannot update these configs dynamically: Set(broker.id)')
  const atDefault =
    'Cannot update these configs at default cluster level, broker id must be specified: Set(listeners)'
  await refused(all, 'listeners', 'PLAINTEXT://:1', atDefault)
  await refused(
    own,
    'log.retention.ms',
    'x',
    'Invalid value x for configuration log.retention.ms: Not a number of type LONG',
  )
  await refused(
    own,
    'ssl.keystore.password',
    'x',
    'These security configs can be dynamically updated only per-listener using the listener prefix: HashSet(ssl.keystore.password)',
  )
  const other = [broker, '7'] as const
  await refused(other, 'log.retention.ms', '5', 'Unexpected broker id, expected 0, but received 7')
  const text = [broker, 'x'] as const
  await refused(text, 'log.retention.ms', '5', 'Node id must be an integer, but it is: x')
})

test('notices of changes by other tools are followed, and what cannot be is left out', async () => {
  const { world, client } = await open()
  const tool = await world.zookeeper()
  const config = { 'log.segment.bytes': '5000', 'num.partitions': '7', 'log.roll.ms': 'junk' }
  const data = Buffer.from(JSON.stringify({ version: 1, config }))
  await world.clock.until(tool.create('/config/brokers/0', data))
  const notice = Buffer.from('{"version":2,"entity_path":"brokers/0"}')
  const made = tool.create('/config/changes/config_change_', notice, { sequential: true })
  await world.clock.until(made)
  await world.clock.advance(1000)
  assert.deepEqual((await describe(client, t, 'segment.bytes')).slice(0, 2), ['5000', 2])
  assert.deepEqual((await describe(client, own, 'num.partitions')).slice(0, 2), ['1', 5])
  const complaints = world.complaints().filter((line) => line.includes('is left out'))
  assert.equal(complaints.length, 2)
})

test('a change that another one overtakes is decided anew, so that both stay', async () => {
  const { world, client } = await open()
  const second = await world.connect()
  const request = (name: string) => ({
    resources: [
      {
        resourceType: topic,
        resourceName: 't',
        configs: [{ name, configOperation: set, value: '9' }],
      },
    ],
    validateOnly: false,
  })
  const both = Promise.all([
    client.begin(IncrementalAlterConfigs, 1, request('flush.ms')),
    second.begin(IncrementalAlterConfigs, 1, request('segment.ms')),
  ])
  await world.clock.until(both)
  assert.equal((await describe(client, t, 'flush.ms'))[0], '9')
  assert.equal((await describe(client, t, 'segment.ms'))[0], '9')
})
