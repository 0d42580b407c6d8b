// The admin client against fake brokers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AlterConfigs } from '../../src/kafka/messages/alter-configs.ts'
import { AlterReplicaLogDirs } from '../../src/kafka/messages/alter-replica-log-dirs.ts'
import { CreateTopics } from '../../src/kafka/messages/create-topics.ts'
import { DeleteRecords } from '../../src/kafka/messages/delete-records.ts'
import { DescribeConfigs } from '../../src/kafka/messages/describe-configs.ts'
import { DescribeLogDirs } from '../../src/kafka/messages/describe-log-dirs.ts'
import { DescribeProducers } from '../../src/kafka/messages/describe-producers.ts'
import { IncrementalAlterConfigs } from '../../src/kafka/messages/incremental-alter-configs.ts'
import { LeaveGroup } from '../../src/kafka/messages/leave-group.ts'
import { ListGroups } from '../../src/kafka/messages/list-groups.ts'
import { Metadata } from '../../src/kafka/messages/metadata.ts'
import { OffsetDelete } from '../../src/kafka/messages/offset-delete.ts'
import type { FakeBroker } from './support/fake-broker.ts'
import { createWorld } from './support/fake-log.ts'

function pair(brokers: readonly FakeBroker[]): [FakeBroker, FakeBroker] {
  const [one, two] = brokers
  assert.ok(one !== undefined && two !== undefined)
  return [one, two]
}

test('topics are created at the controller, which is looked for where it has moved', async () => {
  const world = await createWorld({ topics: { t: 1 }, brokers: 2 })
  const [one, two] = pair(world.brokers)
  one.on(CreateTopics, () => ({ topics: [{ name: 'new', errorCode: 41 }] }))
  two.on(CreateTopics, (request) => ({
    // In another order than asked, one of them refused.
    topics: request.topics.toReversed().map(({ name }) => {
      return { name, errorCode: name === 'old' ? 36 : 0, errorMessage: 'it is there' }
    }),
  }))
  const moved = (): object => ({
    controllerId: 2,
    brokers: world.brokers.map(({ nodeId, host, port }) => ({ nodeId, host, port })),
  })
  await world.clock.until(world.client.connect())
  for (const broker of world.brokers) broker.on(Metadata, moved, { max: 9 })
  const created = world.client.admin().createTopics([{ name: 'old' }, { name: 'new' }])
  const outcomes = await world.clock.until(created)
  assert.deepEqual(
    outcomes.map(({ name, error }) => [name, error?.errorName]),
    [
      ['old', 'TOPIC_ALREADY_EXISTS'],
      ['new', undefined],
    ],
  )
  assert.match(outcomes[0]?.error?.message ?? '', /it is there/)
  assert.equal(one.count(CreateTopics), 1)
  assert.equal(two.requests(CreateTopics)[0]?.topics[0]?.numPartitions, -1)
})

test('a creation that may have happened is not tried again', async () => {
  const world = await createWorld({ topics: {}, client: { requestTimeoutMs: 1000 } })
  const [broker] = world.brokers
  broker?.on(CreateTopics, () => 'silence')
  const created = world.client.admin().createTopics([{ name: 'new' }], { timeoutMs: 1000 })
  await world.clock.until(assert.rejects(created, { errorName: 'REQUEST_TIMEOUT' }))
  assert.equal(broker?.count(CreateTopics), 1)
})

test('offsets are answered for each partition, errors included', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const listed = world.client.admin().listOffsets([
    { topic: 't', partition: 0, at: 'latest' },
    { topic: 'missing', partition: 0, at: 'earliest' },
  ])
  const [found, missing] = await world.clock.until(listed)
  assert.equal(found?.offset, 0)
  assert.equal(found?.error, undefined)
  assert.equal(missing?.error?.errorName, 'UNKNOWN_TOPIC_OR_PARTITION')
})

test('where changes cannot be sent alone, overrides that stay are sent along', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const [broker] = world.brokers
  assert.ok(broker !== undefined)
  const entry = (name: string, value: string, configSource: number): object => {
    return { name, value, configSource }
  }
  const configs = [entry('kept', '1', 1), entry('gone', '2', 1), entry('default', '3', 5)]
  const resource = { resourceType: 2, resourceName: 't', errorMessage: null }
  broker.on(DescribeConfigs, () => ({ results: [{ ...resource, configs }] }), { max: 1 })
  broker.on(AlterConfigs, () => ({ responses: [resource] }))
  const change = { type: 'topic', name: 't', set: { gone: null, added: '4' } } as const
  const [outcome] = await world.clock.until(world.client.admin().alterConfigs([change]))
  assert.equal(outcome?.error, undefined)
  const sent = broker.requests(AlterConfigs)[0]?.resources[0]?.configs
  assert.deepEqual(
    sent?.map(({ name, value }) => [name, value]),
    [
      ['kept', '1'],
      ['added', '4'],
    ],
  )
})

test('groups of all brokers are listed; a broker that cannot be reached is left out', async () => {
  const world = await createWorld({
    topics: { t: 2 },
    brokers: 2,
    client: { callTimeoutMs: 2000 },
  })
  const [one, two] = pair(world.brokers)
  const protocolType = 'consumer'
  one.on(ListGroups, () => ({ groups: [{ groupId: 'b', protocolType, groupState: 'Stable' }] }))
  two.on(ListGroups, () => ({ groups: [{ groupId: 'a', protocolType }] }), { max: 3 })
  const admin = world.client.admin()
  const listed = await world.clock.until(admin.listGroups())
  assert.deepEqual(
    listed.map(({ groupId, state }) => [groupId, state]),
    [
      ['a', undefined],
      ['b', 'Stable'],
    ],
  )
  await two.stop()
  const fewer = await world.clock.until(admin.listGroups())
  assert.deepEqual(
    fewer.map(({ groupId }) => groupId),
    ['b'],
  )
})

test('configurations are asked for together, each broker for its own', async () => {
  const world = await createWorld({ topics: { t: 1 }, brokers: 2 })
  const [one, two] = pair(world.brokers)
  for (const broker of [one, two]) {
    broker.on(DescribeConfigs, (request) => ({
      results: request.resources.toReversed().map(({ resourceType, resourceName }) => {
        const synonyms = [{ name: 's', value: null, source: 5 }]
        const config = { name: 'n', value: `${broker.nodeId}`, configSource: 4, configType: 5 }
        const configs = [{ ...config, synonyms, documentation: 'about' }]
        return { errorMessage: null, resourceType, resourceName, configs }
      }),
    }))
  }
  await world.clock.until(world.client.connect())
  const described = world.client.admin().describeConfigs(
    [
      { type: 'topic', name: 't', names: ['n'] },
      { type: 'broker', name: '2' },
      { type: 'topic', name: 'u' },
      { type: 'broker', name: '1' },
    ],
    { synonyms: true, documentation: true },
  )
  const answers = await world.clock.until(described)
  assert.deepEqual(
    answers.map(({ type, name, entries }) => [type, name, entries[0]?.isDefault]),
    [
      ['topic', 't', true],
      ['broker', '2', false],
      ['topic', 'u', true],
      ['broker', '1', false],
    ],
  )
  assert.equal(answers[1]?.entries[0]?.value, '2')
  assert.equal(answers[3]?.entries[0]?.value, '1')
  const [entry] = answers[0]?.entries ?? []
  assert.equal(entry?.type, 'long')
  assert.equal(entry?.documentation, 'about')
  assert.deepEqual(entry?.synonyms, [{ name: 's', value: null, source: 'default' }])
  assert.equal(one.count(DescribeConfigs) + two.count(DescribeConfigs), 3)
})

test('changes of configuration say what is set, removed, added to lists and taken out', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const [broker] = world.brokers
  assert.ok(broker !== undefined)
  const resource = { resourceType: 2, resourceName: 't', errorMessage: null }
  broker.on(IncrementalAlterConfigs, () => ({ responses: [{ ...resource, errorCode: 40 }] }))
  const change = { set: { a: '1', b: null }, append: { c: '2' }, subtract: { d: '3' } }
  const altered = world.client
    .admin()
    .alterConfigs([{ type: 'topic', name: 't', ...change }], { validateOnly: true })
  const [outcome] = await world.clock.until(altered)
  assert.equal(outcome?.error?.errorName, 'INVALID_CONFIG')
  const [request] = broker.requests(IncrementalAlterConfigs)
  assert.equal(request?.validateOnly, true)
  assert.deepEqual(
    request?.resources[0]?.configs.map(({ name, value, configOperation }) => {
      return [name, value, configOperation]
    }),
    [
      ['a', '1', 0],
      ['b', null, 1],
      ['c', '2', 2],
      ['d', '3', 3],
    ],
  )
})

test('leaders are asked once for all of their partitions, and again where they moved', async () => {
  const world = await createWorld({ topics: { t: 4 }, brokers: 2 })
  for (const broker of world.brokers) {
    broker.on(DeleteRecords, (request) => ({
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, offset }) => {
          const moved = world.log(name, partitionIndex).leader !== broker.nodeId
          const lowWatermark = moved ? -1 : Number(offset)
          return { partitionIndex, lowWatermark, errorCode: moved ? 6 : 0 }
        }),
      })),
    }))
  }
  const [one, two] = pair(world.brokers)
  one.once(DeleteRecords, () => {
    world.log('t', 0).leader = 2
    world.log('t', 2).leader = 2
    return 'reset'
  })
  const before = [0, 1, 2, 3].map((partition) => ({ topic: 't', partition, offset: partition + 5 }))
  const unknown = { topic: 'missing', partition: 0, offset: 1 }
  const client = world.client.clusterAdmin()
  const deleted = await world.clock.until(client.deleteRecords([...before, unknown]))
  assert.deepEqual(
    deleted.map(({ offset, error }) => error?.errorName ?? offset),
    [5, 6, 7, 8, 'UNKNOWN_TOPIC_OR_PARTITION'],
  )
  assert.deepEqual([one.count(DeleteRecords), two.count(DeleteRecords)], [1, 2])
})

test('producers and ends of epochs are told by the leaders', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const [broker] = world.brokers
  const producer = { producerId: 7, producerEpoch: 1, lastSequence: 4, coordinatorEpoch: -1 }
  const partitions = [{ partitionIndex: 0, activeProducers: [producer] }]
  broker?.on(DescribeProducers, () => ({ topics: [{ name: 't', partitions }] }))
  const admin = world.client.clusterAdmin()
  const [described] = await world.clock.until(
    admin.describeProducers([{ topic: 't', partition: 0 }]),
  )
  assert.deepEqual(described?.producers, [
    { ...producer, lastTimestamp: -1, currentTransactionStartOffset: -1 },
  ])
  const ends = admin.offsetsForLeaderEpochs([{ topic: 't', partition: 0, leaderEpoch: 0 }])
  assert.deepEqual(await world.clock.until(ends), [
    { topic: 't', partition: 0, leaderEpoch: 0, endOffset: 0, error: undefined },
  ])
})

test('log directories are told by each broker, one that cannot in its place', async () => {
  const world = await createWorld({
    topics: { t: 2 },
    brokers: 2,
    client: { callTimeoutMs: 1000 },
  })
  const [one, two] = pair(world.brokers)
  const replica = { partitionIndex: 0, partitionSize: 12, offsetLag: 3, isFutureKey: true }
  const dir = { logDir: '/d', totalBytes: 9, usableBytes: 5 }
  const results = [{ ...dir, topics: [{ name: 't', partitions: [replica] }] }]
  one.on(DescribeLogDirs, () => ({ results }))
  one.on(AlterReplicaLogDirs, (request) => ({
    results: request.dirs.flatMap(({ topics }) =>
      topics.map(({ name, partitions }) => ({
        topicName: name,
        partitions: partitions.map((partitionIndex) => ({ partitionIndex, errorCode: 57 })),
      })),
    ),
  }))
  const admin = world.client.clusterAdmin()
  const [first, second] = await world.clock.until(admin.describeLogDirs())
  assert.equal(first?.nodeId, 1)
  assert.deepEqual(first?.logDirs, [
    {
      path: '/d',
      error: undefined,
      totalBytes: 9,
      usableBytes: 5,
      replicas: [{ topic: 't', partition: 0, sizeBytes: 12, offsetLag: 3, isFuture: true }],
    },
  ])
  assert.equal(second?.error?.errorName, 'UNSUPPORTED_VERSION')
  const move = { topic: 't', partition: 0, path: '/e' }
  const moves = [
    { ...move, brokerId: 1 },
    { ...move, brokerId: 2 },
  ]
  const outcomes = await world.clock.until(admin.alterReplicaLogDirs(moves))
  assert.deepEqual(
    outcomes.map(({ brokerId, error }) => [brokerId, error?.errorName]),
    [
      [1, 'LOG_DIR_NOT_FOUND'],
      [2, 'UNSUPPORTED_VERSION'],
    ],
  )
  assert.equal(two.count(AlterReplicaLogDirs), 0)
})

test('offsets and members of a group are removed at its coordinator', async () => {
  const world = await createWorld({ topics: { t: 2 } })
  const [broker] = world.brokers
  assert.ok(broker !== undefined)
  broker.on(OffsetDelete, (request) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => {
        return { partitionIndex, errorCode: partitionIndex === 0 ? 86 : 0 }
      }),
    })),
  }))
  broker.once(OffsetDelete, () => ({ errorCode: 16 }))
  const admin = world.client.clusterAdmin()
  const partitions = [0, 1].map((partition) => ({ topic: 't', partition }))
  const deleted = await world.clock.until(admin.deleteGroupOffsets('g', partitions))
  assert.deepEqual(
    deleted.map(({ error }) => error?.errorName),
    ['GROUP_SUBSCRIBED_TO_TOPIC', undefined],
  )
  broker.on(OffsetDelete, () => ({ errorCode: 69 }))
  const unknown = assert.rejects(admin.deleteGroupOffsets('x', partitions), { code: 69 })
  await world.clock.until(unknown)
  broker.on(LeaveGroup, (request) => ({
    members: request.members.map((member) => {
      return { ...member, errorCode: member.memberId === 'm' ? 25 : 0 }
    }),
  }))
  const members = [{ groupInstanceId: 'i' }, { memberId: 'm' }]
  const removed = await world.clock.until(admin.removeGroupMembers('g', members))
  assert.deepEqual(
    removed.map(({ name, error }) => [name, error?.errorName]),
    [
      ['i', undefined],
      ['m', 'UNKNOWN_MEMBER_ID'],
    ],
  )
})
