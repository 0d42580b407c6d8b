import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConsumerProtocolSubscription } from '../../src/kafka/internal/consumer-protocol.ts'
import { Errors } from '../../src/kafka/errors.ts'
import { DeleteGroups } from '../../src/kafka/messages/delete-groups.ts'
import { ListGroups } from '../../src/kafka/messages/list-groups.ts'
import { OffsetDelete } from '../../src/kafka/messages/offset-delete.ts'
import { compile } from '../../src/wire/compile.ts'
import { Writer } from '../../src/wire/writer.ts'
import { GroupClient, groupWorld } from './group-client.ts'
import { World, type TestClient } from './world.ts'

async function deleteOffsets(
  client: TestClient,
  groupId: string,
  topics: Readonly<Record<string, readonly number[]>>,
) {
  const request = {
    groupId,
    topics: Object.entries(topics).map(([name, partitions]) => ({
      ...{ name, partitions: partitions.map((partitionIndex) => ({ partitionIndex })) },
    })),
  }
  const answer = await client.ask(OffsetDelete, 0, request)
  const rows = answer.topics.flatMap(({ name, partitions }) =>
    partitions.map((row) => [name, row.partitionIndex, row.errorCode]),
  )
  return answer.errorCode === Errors.NONE ? rows : answer.errorCode
}

async function deleteGroups(client: TestClient, ...groupsNames: string[]) {
  const { results } = await client.ask(DeleteGroups, 2, { groupsNames })
  return results.map(({ groupId, errorCode }) => [groupId, errorCode])
}

function subscription(topics: readonly string[]): Buffer {
  const writer = new Writer()
  writer.int16(0)
  compile(ConsumerProtocolSubscription, 0).encode({ topics: [...topics] }, writer)
  return Buffer.from(writer.bytes())
}

test('a group without members is deleted with what it committed, for good', async () => {
  const world = new World()
  const member = await groupWorld(world)
  await member.enter()
  assert.equal(await member.commit(5), Errors.NONE)
  assert.deepEqual(await deleteGroups(member.client, 'g'), [['g', Errors.NON_EMPTY_GROUP]])
  await member.leave()
  const expected = [
    ['gone', Errors.GROUP_ID_NOT_FOUND],
    ['g', Errors.NONE],
    ['', Errors.GROUP_ID_NOT_FOUND],
  ]
  assert.deepEqual(await deleteGroups(member.client, 'gone', 'g', '', 'g'), expected)
  assert.equal(await member.committed(), -1)
  await world.restartBroker({})
  const client = await world.connect()
  await world.clock.advance(1000)
  const { groups } = await client.ask(ListGroups, 4, { statesFilter: [] })
  assert.deepEqual(groups, [])
  assert.equal(await new GroupClient(client).committed(), -1)
})

test('offsets are deleted one by one, of partitions that are there', async () => {
  const world = new World()
  const member = await groupWorld(world)
  assert.equal(await member.commit(5), Errors.NONE)
  const { client } = member
  assert.deepEqual(await deleteOffsets(client, 'g', { t: [7], nope: [0] }), [
    ['t', 7, Errors.UNKNOWN_TOPIC_OR_PARTITION],
    ['nope', 0, Errors.UNKNOWN_TOPIC_OR_PARTITION],
  ])
  assert.equal(await member.committed(), 5)
  assert.deepEqual(await deleteOffsets(client, 'g', { t: [0] }), [['t', 0, Errors.NONE]])
  assert.equal(await member.committed(), -1)
  // Nothing was left of the group then.
  assert.equal(await deleteOffsets(client, 'g', { t: [0] }), Errors.GROUP_ID_NOT_FOUND)
  assert.equal(await deleteOffsets(client, '', { t: [0] }), Errors.INVALID_GROUP_ID)
})

test('offsets of topics that members read stay; others of the group may go', async () => {
  const world = new World()
  const member = await groupWorld(world)
  await member.client.createTopic('other')
  await member.enter({ metadata: subscription(['t']) })
  assert.equal(await member.commit(5), Errors.NONE)
  assert.equal(await member.commit(6, { topic: 'other' }), Errors.NONE)
  assert.deepEqual(await deleteOffsets(member.client, 'g', { t: [0], other: [0] }), [
    ['t', 0, Errors.GROUP_SUBSCRIBED_TO_TOPIC],
    ['other', 0, Errors.NONE],
  ])
  assert.equal(await member.committed(), 5)
  assert.equal(await member.committed(5, 'other'), -1)
})

test('of a group of another kind nothing is deleted while it has members', async () => {
  const world = new World()
  const member = await groupWorld(world)
  await member.enter({ protocolType: 'connect' })
  assert.equal(await member.commit(5), Errors.NONE)
  assert.equal(await deleteOffsets(member.client, 'g', { t: [0] }), Errors.NON_EMPTY_GROUP)
  assert.equal(await member.committed(), 5)
})

test('groups are listed by state and kind, in any case of letters', async () => {
  const world = new World()
  const member = await groupWorld(world)
  await member.enter()
  const other = new GroupClient(member.client, 'idle')
  assert.equal(await other.commit(1), Errors.NONE)
  const list = async (statesFilter: string[], typesFilter: string[]) => {
    const answer = await member.client.ask(ListGroups, 5, { statesFilter, typesFilter })
    return answer.groups.map(({ groupId }) => groupId).sort()
  }
  assert.deepEqual(await list([], []), ['g', 'idle'])
  assert.deepEqual(await list(['empty'], ['CLASSIC']), ['idle'])
  assert.deepEqual(await list(['Stable', 'Dead'], []), ['g'])
  assert.deepEqual(await list([], ['consumer']), [])
  assert.deepEqual(await list(['nonsense'], []), [])
})
