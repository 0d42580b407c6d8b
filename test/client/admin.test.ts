// The admin client against fake brokers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AlterConfigs } from '../../src/kafka/messages/alter-configs.ts'
import { CreateTopics } from '../../src/kafka/messages/create-topics.ts'
import { DescribeConfigs } from '../../src/kafka/messages/describe-configs.ts'
import { ListGroups } from '../../src/kafka/messages/list-groups.ts'
import { Metadata } from '../../src/kafka/messages/metadata.ts'
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
