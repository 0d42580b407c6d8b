import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Errors } from '../../src/kafka/errors.ts'
import { groupWorld } from './group-client.ts'
import { World, type TestClient } from './world.ts'

const twoDirectories = { 'log.dirs': '/one,/two' }

/** Which of the two directories holds partition 0 of a topic. */
function placeOf(world: World, topic: string): string {
  return world.disk.stat(`/one/${topic}-0`) === undefined ? '/two' : '/one'
}

/** Topics a and b, each in a directory of its own. */
async function open(): Promise<{ world: World; client: TestClient }> {
  const world = await new World().start(twoDirectories)
  const client = await world.connect()
  await client.createTopic('a')
  await client.createTopic('b')
  assert.notEqual(placeOf(world, 'a'), placeOf(world, 'b'))
  return { world, client }
}

test('new logs go where the fewest are', async () => {
  const { world, client } = await open()
  await client.createTopic('c', 4)
  const count = (path: string) =>
    world.disk.list(path).filter(({ name }) => /^c-\d$/.test(name)).length
  assert.deepEqual([count('/one'), count('/two')], [2, 2])
})

test('a directory that fails goes offline alone: 56 for what is in it, the rest goes on (F13)', async () => {
  const { world, client } = await open()
  world.disk.inject({ operations: ['write'], path: placeOf(world, 'a'), code: 'EIO' })
  const failed = await client.produce('a', ['x'])
  assert.equal(failed.errorCode, Errors.KAFKA_STORAGE_ERROR)
  assert.equal(failed.baseOffset, -1)
  assert.equal((await client.produce('b', ['x'])).errorCode, Errors.NONE)
  const fetched = await client.fetch('a', 0)
  assert.equal(fetched.errorCode, Errors.KAFKA_STORAGE_ERROR)
  // Clients before 1.0 do not know that error (F13).
  const old = await client.fetch('a', 0, { version: 5 })
  assert.equal(old.errorCode, Errors.NOT_LEADER_OR_FOLLOWER)
  await client.createTopic('c')
  assert.equal(placeOf(world, 'c'), placeOf(world, 'b'))
  assert.equal((await client.produce('c', ['x'])).errorCode, Errors.NONE)
})

test('acks 0 to a failed directory closes the connection', async () => {
  const { world, client } = await open()
  world.disk.inject({ operations: ['write'], path: placeOf(world, 'a'), code: 'EIO' })
  await client.produce('a', ['x'])
  const { Produce } = await import('../../src/kafka/messages/produce.ts')
  const { batchOf } = await import('./world.ts')
  const partitionData = [{ index: 0, records: batchOf(['y']) }]
  const request = { acks: 0, timeoutMs: 1000, topicData: [{ name: 'a', partitionData }] }
  client.connection.sendUnanswered(Produce, 9, request)
  await world.clock.advance(3000)
  assert.equal(client.connection.isOpen, false)
})

test('a fetch that waits at a failing directory is answered at once (F8)', async () => {
  const { world, client } = await open()
  const waiting = client.beginFetch('a', 0, { maxWaitMs: 600_000 })
  const writer = await world.connect()
  world.disk.inject({ operations: ['write'], path: placeOf(world, 'a'), code: 'EIO' })
  await writer.produce('a', ['x'])
  const { responses } = await world.clock.until(waiting, 10_000)
  assert.equal(responses[0]?.partitions[0]?.errorCode, Errors.KAFKA_STORAGE_ERROR)
})

test('the last directory that fails takes the broker with it', async () => {
  const { world, client } = await open()
  let reason = ''
  void world.broker.failed.then((text) => {
    reason = text
  })
  world.disk.inject({ operations: ['write'], code: 'ENOSPC' })
  await client.produce('a', ['x'])
  assert.equal(reason, '')
  await client.produce('b', ['x'])
  await world.clock.settle()
  assert.equal(reason, 'all log dirs in /one, /two have failed')
  await world.stopBroker()
})

test('a directory that cannot be opened is left out, and its partitions are not begun anew elsewhere', async () => {
  const { world, client } = await open()
  await client.produce('a', ['x'])
  const broken = placeOf(world, 'a')
  await world.stopBroker()
  const heal = world.disk.inject({ operations: ['list'], path: broken, code: 'EIO' })
  await world.startBroker(twoDirectories)
  let later = await world.connect()
  assert.equal((await later.produce('b', ['y'])).errorCode, Errors.NONE)
  const refused = await later.produce('a', ['y'])
  assert.ok(
    refused.errorCode === Errors.KAFKA_STORAGE_ERROR ||
      refused.errorCode === Errors.NOT_LEADER_OR_FOLLOWER,
  )
  heal()
  await world.restartBroker(twoDirectories)
  later = await world.connect()
  assert.deepEqual(await later.values('a'), ['x'])
})

test('without any directory there is no broker', async () => {
  const world = new World()
  await world.startCoordination()
  world.disk.inject({ operations: ['makeDirectory'], code: 'EACCES' })
  const broker = world.makeBroker(twoDirectories)
  await assert.rejects(
    world.clock.until(broker.start()),
    /^UserError: log\.dirs: none of \/one, \/two can be used$/,
  )
})

test('a directory of another cluster is a start error, and frees what was locked before it', async () => {
  const world = await new World().start({ 'log.dirs': '/two' })
  await world.stopBroker()
  const strange = world.makeBroker({ 'broker.id': '7', 'log.dirs': '/one,/two' })
  await assert.rejects(world.clock.until(strange.start()), (error) => {
    assert.ok(error instanceof Error && error.name === 'UserError')
    return true
  })
  await world.startBroker({ 'broker.id': '7', 'log.dirs': '/one' })
})

test('commits and groups in a failed directory are told to look for another coordinator', async () => {
  const world = new World()
  const member = await groupWorld(world)
  await member.enter()
  world.disk.inject({ operations: ['write'], path: '/kafka', code: 'EIO' })
  assert.equal(await member.commit(1), Errors.NOT_COORDINATOR)
})

test('a directory that fails is told to the controller, once per failure', async () => {
  const { world, client } = await open()
  const tool = await world.zookeeper()
  const seen: string[] = []
  const watch = async (): Promise<void> => {
    const { children } = await tool.getChildren('/log_dir_event_notification', () => void watch())
    for (const child of children) {
      // The controller may have taken it away again.
      const found = await tool
        .getData(`/log_dir_event_notification/${child}`)
        .catch(() => undefined)
      if (found !== undefined) seen.push(found.data.toString())
    }
  }
  await world.clock.until(watch())
  world.disk.inject({ operations: ['write'], path: placeOf(world, 'a'), code: 'EIO' })
  await client.produce('a', ['x'])
  await world.clock.advance(1000)
  assert.ok(seen.includes('{"version":1,"broker":0,"event":1}'))
  assert.equal((await client.produce('b', ['x'])).errorCode, Errors.NONE)
  assert.equal((await client.fetch('a', 0)).errorCode, Errors.KAFKA_STORAGE_ERROR)
})

test('a full disk takes its directory offline; with room again the next start is clean', async () => {
  const world = await new World().start({ 'log.dirs': '/one' })
  const client = await world.connect()
  await client.createTopic('a')
  await client.produce('a', ['kept'])
  world.disk.limitSpace(1)
  const refused = await client.produce('a', ['x'.repeat(1000)])
  assert.equal(refused.errorCode, Errors.KAFKA_STORAGE_ERROR)
  await world.stopBroker()
  world.disk.limitSpace(Infinity)
  await world.startBroker({ 'log.dirs': '/one' })
  const later = await world.connect()
  assert.deepEqual(await later.values('a'), ['kept'])
  assert.equal((await later.produce('a', ['more'])).errorCode, Errors.NONE)
  assert.deepEqual(await later.values('a'), ['kept', 'more'])
})

test('a partition that lies in two directories is a start error that names both', async () => {
  const { world } = await open()
  await world.stopBroker()
  world.disk.makeDirectory('/one/a-0')
  world.disk.makeDirectory('/two/a-0')
  const broker = world.makeBroker(twoDirectories)
  await assert.rejects(
    world.clock.until(broker.start()),
    /Duplicate log directories found for a-0 in both \/one and \/two; remove one of them\.$/,
  )
})
