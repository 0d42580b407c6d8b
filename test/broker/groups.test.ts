import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Errors } from '../../src/kafka/errors.ts'
import { DeleteTopics } from '../../src/kafka/messages/delete-topics.ts'
import { DescribeGroups } from '../../src/kafka/messages/describe-groups.ts'
import { FindCoordinator } from '../../src/kafka/messages/find-coordinator.ts'
import { Heartbeat } from '../../src/kafka/messages/heartbeat.ts'
import { JoinGroup } from '../../src/kafka/messages/join-group.ts'
import { LeaveGroup } from '../../src/kafka/messages/leave-group.ts'
import { ListGroups } from '../../src/kafka/messages/list-groups.ts'
import { SyncGroup } from '../../src/kafka/messages/sync-group.ts'
import { internalPartitionFor } from '../../src/broker/topic-names.ts'
import { awaitCoordinator, GroupClient, groupWorld } from './group-client.ts'
import { World } from './world.ts'

test('the first look for a coordinator makes __consumer_offsets and says to ask again (F32)', async () => {
  const world = await new World().start()
  const client = await world.connect()
  const first = await client.ask(FindCoordinator, 3, { key: 'g' })
  assert.equal(first.errorCode, Errors.COORDINATOR_NOT_AVAILABLE)
  await awaitCoordinator(world, client)
  const second = await client.ask(FindCoordinator, 4, { coordinatorKeys: ['g', 'h'] })
  assert.deepEqual(
    second.coordinators.map(({ key, errorCode, nodeId, port }) => [key, errorCode, nodeId, port]),
    [
      ['g', 0, 0, 9092],
      ['h', 0, 0, 9092],
    ],
  )
  const transactional = await client.ask(FindCoordinator, 2, { key: 'x', keyType: 1 })
  assert.equal(transactional.errorCode, Errors.UNSUPPORTED_VERSION)
})

test('two members share a group: both join, the leader assigns, both get their part', async () => {
  const world = new World()
  const one = await groupWorld(world)
  const two = new GroupClient(await world.connect())
  await one.enter()
  const joining = two.beginJoinForSure()
  await world.clock.advance(100)
  assert.equal(await one.heartbeat(), Errors.REBALANCE_IN_PROGRESS)
  await world.clock.until(Promise.all([one.beginJoinForSure(), joining]))
  assert.equal(one.generation, two.generation)
  const synced = Promise.all([
    one.beginSync({ [one.memberId]: 'left', [two.memberId]: 'right' }),
    two.beginSync(),
  ])
  const [left, right] = await world.clock.until(synced)
  assert.equal(left.assignment.toString(), 'left')
  assert.equal(right.assignment.toString(), 'right')
  assert.equal(await one.heartbeat(), Errors.NONE)
})

test('requests of a group are checked (F22)', async () => {
  const world = new World()
  const member = await groupWorld(world)
  const code = async (options: Parameters<GroupClient['join']>[0]) =>
    (await member.join({ version: 3, ...options })).errorCode
  assert.equal(await code({ groupId: '' }), Errors.INVALID_GROUP_ID)
  assert.equal(await code({ sessionTimeoutMs: 5999 }), Errors.INVALID_SESSION_TIMEOUT)
  assert.equal(await code({ sessionTimeoutMs: 1_800_001 }), Errors.INVALID_SESSION_TIMEOUT)
  assert.equal(await code({ memberId: 'nobody' }), Errors.UNKNOWN_MEMBER_ID)
  assert.equal(await code({ protocolType: '' }), Errors.INCONSISTENT_GROUP_PROTOCOL)
  await member.enter()
  const identity = { groupId: 'g', memberId: member.memberId, generationId: 77 }
  const { client } = member
  assert.equal((await client.ask(Heartbeat, 0, identity)).errorCode, Errors.ILLEGAL_GENERATION)
  assert.equal((await client.ask(SyncGroup, 0, identity)).errorCode, Errors.ILLEGAL_GENERATION)
  const stranger = { ...identity, memberId: 'nobody' }
  assert.equal((await client.ask(Heartbeat, 0, stranger)).errorCode, Errors.UNKNOWN_MEMBER_ID)
  const elsewhere = { ...identity, groupId: 'unknown' }
  assert.equal((await client.ask(Heartbeat, 0, elsewhere)).errorCode, Errors.UNKNOWN_MEMBER_ID)
})

test('refused joins leave no group behind', async () => {
  const world = new World()
  const member = await groupWorld(world)
  for (let number = 0; number < 20; number += 1)
    await member.join({ version: 3, groupId: `g${number}`, protocolType: '' })
  assert.deepEqual((await member.client.ask(ListGroups, 4, {})).groups, [])
})

test('the id that a member is told begins with its client id (F23), a static one with its instance', async () => {
  const world = new World()
  const member = await groupWorld(world)
  const told = await member.join({ version: 4 })
  assert.equal(told.errorCode, Errors.MEMBER_ID_REQUIRED)
  assert.match(told.memberId, /^test-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-/)
  const fixed = await member.join({ instanceId: 'host-7', groupId: 'fixed' })
  assert.match(fixed.memberId, /^host-7-/)
})

test('a client id too long for a member id is refused and harms nobody', async () => {
  const world = new World()
  const member = await groupWorld(world)
  const instanceId = 'i'.repeat(0x7fff)
  assert.equal((await member.join({ instanceId })).errorCode, Errors.INVALID_REQUEST)
  assert.equal((await member.enter()).generation, 1)
})

test('members wait together for the initial delay (F24)', async () => {
  const world = new World()
  const one = await groupWorld(world, { 'group.initial.rebalance.delay.ms': '3000' })
  const two = new GroupClient(await world.connect())
  const startMs = world.clock.monotonicMs()
  const first = one.beginJoinForSure()
  await world.clock.advance(1000)
  const second = two.beginJoinForSure()
  await world.clock.until(Promise.all([first, second]))
  assert.equal(Math.round((world.clock.monotonicMs() - startMs) / 1000), 6)
  assert.deepEqual([one.generation, two.generation], [1, 1])
})

test('a member whose connection is gone is removed when its session ends', async () => {
  const world = new World()
  const one = await groupWorld(world)
  const two = new GroupClient(await world.connect())
  await two.enter()
  two.client.connection.close()
  const joining = one.beginJoinForSure()
  await world.clock.advance(9000)
  assert.equal(one.memberId, '')
  await world.clock.until(joining)
  const { groups } = await one.client.ask(DescribeGroups, 5, { groups: ['g'] })
  assert.deepEqual(
    groups[0]?.members.map(({ memberId }) => memberId),
    [one.memberId],
  )
})

test('a wall clock that jumps ends no session', async () => {
  const world = new World()
  const member = await groupWorld(world)
  await member.enter()
  world.clock.shiftWallClock(3_600_000)
  await world.clock.advance(5000)
  assert.equal(await member.heartbeat(), Errors.NONE)
})

test('leaving says of each member how it went from version 3 on, and as a whole before', async () => {
  const world = new World()
  const member = await groupWorld(world)
  await member.enter()
  const { client, memberId } = member
  const members = [{ memberId: 'nobody' }, { memberId }]
  const answer = await client.ask(LeaveGroup, 5, { groupId: 'g', members })
  assert.equal(answer.errorCode, Errors.NONE)
  assert.deepEqual(
    answer.members.map((row) => row.errorCode),
    [Errors.UNKNOWN_MEMBER_ID, Errors.NONE],
  )
  const single = await client.ask(LeaveGroup, 0, { groupId: 'g', memberId })
  assert.equal(single.errorCode, Errors.UNKNOWN_MEMBER_ID)
  const nameless = await client.ask(LeaveGroup, 4, { groupId: '', members })
  assert.deepEqual([nameless.errorCode, nameless.members], [Errors.INVALID_GROUP_ID, []])
})

test('groups are described in their state, unknown ones as Dead without an error (F44)', async () => {
  const world = new World()
  const member = await groupWorld(world)
  await member.enter()
  const { groups } = await member.client.ask(DescribeGroups, 5, { groups: ['g', 'unknown'] })
  const [known, unknown] = groups
  assert.deepEqual(
    [known?.groupState, known?.protocolType, known?.protocolData],
    ['Stable', 'consumer', 'range'],
  )
  const [row] = known?.members ?? []
  assert.equal(row?.memberAssignment.toString(), 'mine')
  assert.equal(row?.memberMetadata.toString(), 'metadata')
  assert.equal(row?.clientHost, '/127.0.0.1')
  assert.deepEqual([unknown?.groupState, unknown?.errorCode], ['Dead', 0])
  const listed = await member.client.ask(ListGroups, 4, { statesFilter: ['stable'] })
  assert.deepEqual(
    listed.groups.map(({ groupId, groupState }) => [groupId, groupState]),
    [['g', 'Stable']],
  )
  const none = await member.client.ask(ListGroups, 4, { statesFilter: ['Empty'] })
  assert.deepEqual(none.groups, [])
})

test('a stable group lives through a restart of the broker: same generation, same assignment', async () => {
  const world = new World()
  const member = await groupWorld(world)
  await member.enter({ instanceId: 'i' })
  await world.restartBroker()
  const again = new GroupClient(await world.connect())
  Object.assign(again, { memberId: member.memberId, generation: member.generation })
  await awaitCoordinator(world, again.client)
  assert.equal(await again.heartbeat(), Errors.NONE)
  const synced = await world.clock.until(again.beginSync())
  assert.equal(synced.assignment.toString(), 'mine')
  const fenced = await again.join({ memberId: 'other', instanceId: 'i' })
  assert.equal(fenced.errorCode, Errors.FENCED_INSTANCE_ID)
})

test('members of a group read from the log have their whole session time to be heard of', async () => {
  const world = new World()
  const member = await groupWorld(world)
  await member.enter()
  await world.stopBroker()
  await world.clock.advance(3_600_000)
  await world.startBroker()
  const again = new GroupClient(await world.connect())
  await awaitCoordinator(world, again.client)
  Object.assign(again, { memberId: member.memberId, generation: member.generation })
  await world.clock.advance(9000)
  assert.equal(await again.heartbeat(), Errors.NONE)
  await world.clock.advance(10_001)
  assert.equal(await again.heartbeat(), Errors.UNKNOWN_MEMBER_ID)
})

test('deleting __consumer_offsets answers the members that wait', async () => {
  const world = new World()
  const one = await groupWorld(world)
  await one.enter()
  const two = new GroupClient(await world.connect())
  const waiting = two.beginJoin({ version: 3 })
  await world.clock.advance(10)
  const names = { topicNames: ['__consumer_offsets'], timeoutMs: 5000 }
  await one.client.ask(DeleteTopics, 5, names)
  assert.equal((await world.clock.until(waiting)).errorCode, Errors.NOT_COORDINATOR)
  assert.equal(await one.heartbeat(), Errors.NOT_COORDINATOR)
})

test('an old member without a rebalance timeout has its session time for it (JoinGroup 0, F25)', async () => {
  const world = new World()
  const one = await groupWorld(world)
  const two = new GroupClient(await world.connect())
  await one.enter({ version: 0, sessionTimeoutMs: 6000 })
  const startMs = world.clock.monotonicMs()
  const body = { groupId: 'g', sessionTimeoutMs: 6000, memberId: '', protocolType: 'consumer' }
  const protocols = [{ name: 'range', metadata: Buffer.from('m') }]
  await two.client.ask(JoinGroup, 0, { ...body, protocols })
  assert.equal(Math.round((world.clock.monotonicMs() - startMs) / 1000), 6)
})

test('groups that cannot be read whole stay unread: 14 for most, 0 for heartbeats, 27 for syncs (F27)', async () => {
  const world = new World()
  const member = await groupWorld(world)
  await member.enter()
  await world.stopBroker()
  const partition = internalPartitionFor('g', 3)
  const path = `/kafka/__consumer_offsets-${partition}/00000000000000000000.log`
  const file = world.disk.open(path, 'readWrite')
  // A codec that nobody knows, in the attributes of the first batch.
  file.write(Buffer.from([7]), 0, 1, 22)
  file.close()
  await world.startBroker()
  const again = new GroupClient(await world.connect())
  await awaitCoordinator(world, again.client)
  assert.equal((await again.join()).errorCode, Errors.COORDINATOR_LOAD_IN_PROGRESS)
  assert.equal(await again.committed(), `error ${Errors.COORDINATOR_LOAD_IN_PROGRESS}`)
  assert.equal(await again.heartbeat(), Errors.NONE)
  const synced = await world.clock.until(again.beginSync())
  assert.equal(synced.errorCode, Errors.REBALANCE_IN_PROGRESS)
  const listed = await again.client.ask(ListGroups, 4, {})
  assert.equal(listed.errorCode, Errors.COORDINATOR_LOAD_IN_PROGRESS)
  assert.ok(world.complaints().some((line) => line.includes('Error loading offsets')))
})
