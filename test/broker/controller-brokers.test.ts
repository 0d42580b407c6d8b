import assert from 'node:assert/strict'
import { test } from 'node:test'
import { node, Rig } from './controller-rig.ts'

async function twoBrokers(): Promise<Rig> {
  const rig = await new Rig().start()
  await rig.join(1, 2)
  await rig.controller(1)
  rig.told()
  return rig
}

test('a new topic is led by its first replica, and both brokers are told once', async () => {
  const rig = await twoBrokers()
  await rig.createTopic('t', { 0: [1, 2], 1: [2, 1] })
  assert.deepEqual(await rig.state('t', 0), [1, 0, [1, 2]])
  assert.deepEqual(await rig.state('t', 1), [2, 0, [2, 1]])
  assert.deepEqual(rig.told(), [
    'lead 1 t-0 1/0 [1,2] new',
    'lead 1 t-1 2/0 [2,1] new',
    'tell 1 {1,2} t-0 1/0 [1,2] t-1 2/0 [2,1]',
    'lead 2 t-0 1/0 [1,2] new',
    'lead 2 t-1 2/0 [2,1] new',
    'tell 2 {1,2} t-0 1/0 [1,2] t-1 2/0 [2,1]',
  ])
})

test('when a leader dies the other replica in sync leads in a new epoch; back, it only follows', async () => {
  const rig = await twoBrokers()
  await rig.createTopic('t', { 0: [2, 1], 1: [1, 2] })
  rig.told()
  await rig.leave(2)
  assert.deepEqual(await rig.state('t', 0), [1, 1, [1]])
  assert.deepEqual(await rig.state('t', 1), [1, 1, [1]])
  assert.deepEqual(rig.told(), [
    'lead 1 t-0 1/1 [1]',
    'lead 1 t-1 1/1 [1]',
    'tell 1 {1} t-0 1/1 [1] t-1 1/1 [1]',
  ])
  await rig.join(2)
  assert.deepEqual(await rig.state('t', 0), [1, 1, [1]])
  assert.deepEqual(rig.told(), [
    'tell 1 {1,2}',
    'tell 2 {1,2} t-0 1/1 [1] t-1 1/1 [1]',
    'tell 1 {1,2} t-0 1/1 [1] t-1 1/1 [1]',
    'lead 2 t-0 1/1 [1]',
    'lead 2 t-1 1/1 [1]',
    'tell 2 {1,2} t-0 1/1 [1] t-1 1/1 [1]',
  ])
})

test('a follower that fell out of sync does not lead when the leader dies: nobody does (Jepsen 2013)', async () => {
  const rig = await twoBrokers()
  await rig.createTopic('t', { 0: [2, 1] })
  await rig.setIsr('t', [2])
  await rig.leave(2)
  assert.deepEqual(await rig.state('t'), [-1, 1, [2]])
  await rig.join(2)
  assert.deepEqual(await rig.state('t'), [2, 2, [2]])
})

test('where the topic allows it, a replica out of sync leads alone', async () => {
  const rig = await twoBrokers()
  const config = { 'unclean.leader.election.enable': 'true' }
  await rig.write('/config/topics/t', { version: 1, config })
  await rig.createTopic('t', { 0: [2, 1] })
  await rig.setIsr('t', [2])
  await rig.leave(2)
  const [leader, , isr] = (await rig.state('t')) ?? []
  assert.deepEqual([leader, isr], [1, [1]])
})

test('an in-sync set that grew a moment ago is honoured though no notice came yet', async () => {
  const rig = await twoBrokers()
  await rig.createTopic('t', { 0: [2, 1] })
  await rig.setIsr('t', [2])
  await rig.write('/isr_change_notification/isr_change_0000000000', {
    ...{ version: 1, partitions: [{ topic: 't', partition: 0 }] },
  })
  assert.ok(rig.told().includes('tell 1 {1,2} t-0 2/0 [2]'))
  assert.deepEqual(await rig.read('/isr_change_notification/isr_change_0000000000'), undefined)
  await rig.setIsr('t', [2, 1])
  await rig.leave(2)
  assert.deepEqual(await rig.state('t'), [1, 1, [1]])
})

test('a broker that bounced within one look is taken for gone and come back', async () => {
  const rig = await twoBrokers()
  await rig.createTopic('t', { 0: [2, 1] })
  rig.told()
  // Its session ends and a new one registers before the controller looks.
  const { clock } = rig.world
  const data = await clock.until(rig.tool.getData('/brokers/ids/2'))
  await clock.until(
    rig.tool.multi([
      { type: 'delete', path: '/brokers/ids/2' },
      { type: 'create', path: '/brokers/ids/2', data: data.data, ephemeral: true },
    ]),
  )
  await rig.settle()
  assert.deepEqual(await rig.state('t'), [1, 1, [1]])
  assert.ok(rig.told().includes('lead 2 t-0 1/1 [1]'))
})

test('replicas in a failed log directory are taken for gone', async () => {
  const rig = await twoBrokers()
  await rig.createTopic('t', { 0: [2, 1], 1: [2, 1] })
  rig.failed.add('t-0@2')
  await rig.write('/log_dir_event_notification/log_dir_event_0000000000', {
    ...{ version: 1, broker: 2, event: 1 },
  })
  assert.deepEqual(await rig.state('t', 0), [1, 1, [1]])
  assert.deepEqual(await rig.state('t', 1), [2, 0, [2, 1]])
  assert.equal(await rig.read('/log_dir_event_notification/log_dir_event_0000000000'), undefined)
})

test('a broker that asks to stop leads nothing any more, and leaves the in-sync sets', async () => {
  const rig = await new Rig().start()
  await rig.join(1, 2)
  const controller = await rig.controller(1)
  await rig.createTopic('t', { 0: [2, 1], 1: [1, 2], 2: [2] })
  rig.told()
  const { clock } = rig.world
  const relief = await clock.until(controller.relieve(2, -1n))
  // Partition 2 has nowhere to go, and does not count.
  assert.deepEqual(relief, { kind: 'relieved', remaining: [] })
  assert.deepEqual(await rig.state('t', 0), [1, 1, [1]])
  assert.deepEqual(await rig.state('t', 1), [1, 1, [1]])
  assert.deepEqual(await rig.state('t', 2), [2, 0, [2]])
  assert.deepEqual(rig.toldOf('lead', 'stop'), [
    'lead 1 t-0 1/1 [1]',
    'lead 1 t-1 1/1 [1]',
    'lead 2 t-0 1/1 [1]',
    'stop 2 t-1',
  ])
  await rig.setIsr('t', [2], 0)
  assert.deepEqual(await clock.until(controller.relieve(7, -1n)), { kind: 'unknown broker' })
  assert.deepEqual(await clock.until(controller.relieve(2, 0n)), { kind: 'stale epoch' })
})

test('a second controller takes over with a higher epoch when the first goes', async () => {
  const rig = await new Rig().start()
  await rig.join(1, 2)
  const first = await rig.controller(1)
  const second = await rig.controller(2)
  await rig.createTopic('t', { 0: [1, 2] })
  assert.deepEqual([first.isActive, second.isActive], [true, false])
  rig.told()
  rig.world.network.cut('controller1', 'zookeeper')
  rig.world.network.cut('zookeeper', 'controller1')
  await rig.world.clock.advance(10_000)
  assert.deepEqual([first.isActive, second.isActive], [false, true])
  const epochs = new Set(rig.orders.map(({ request }) => request.controllerEpoch))
  assert.deepEqual([...epochs], [2])
  assert.ok(rig.told().includes('lead 2 t-0 1/0 [1,2]'))
  rig.world.network.healAll()
  await rig.world.clock.advance(10_000)
  assert.deepEqual([first.isActive, second.isActive], [false, true])
})

test('znodes that make no sense are passed over', async () => {
  const rig = await twoBrokers()
  await rig.write('/brokers/topics/broken', 7)
  await rig.write('/brokers/ids/x', { version: 4 })
  await rig.write('/brokers/topics/odd', { version: 1, partitions: { 0: [1], 1: [], 2: ['x'] } })
  await rig.write('/brokers/topics/odd/partitions/0/state', 'nonsense')
  await rig.write('/isr_change_notification/isr_change_0000000000', 'nonsense')
  await rig.write('/log_dir_event_notification/log_dir_event_0000000000', [])
  await rig.write('/admin/preferred_replica_election', { partitions: 3 })
  await rig.write('/admin/reassign_partitions', { partitions: 3 })
  await rig.createTopic('t', { 0: [1, 2] })
  assert.deepEqual(await rig.state('t'), [1, 0, [1, 2]])
  assert.equal(await rig.read('/admin/preferred_replica_election'), undefined)
  assert.equal(await rig.read('/admin/reassign_partitions'), undefined)
  // Nor do they stand in the way of the next controller, or of a loss.
  await rig.world.clock.until(rig.tool.delete('/controller'))
  await rig.settle()
  await rig.leave(1)
  assert.deepEqual(await rig.state('t'), [2, 1, [2]])
})

test('a controller that was overtaken while it slept can write nothing, whatever it is woken by', async () => {
  const writes: readonly (readonly [string, unknown])[] = [
    ['/brokers/topics/new', { version: 1, partitions: { 0: [1] } }],
    ['/brokers/topics/t', { version: 1, partitions: { 0: [2, 1], 1: [1] } }],
    ['/admin/delete_topics/t', {}],
    ['/admin/reassign_partitions', { partitions: [{ topic: 't', partition: 0, replicas: [1] }] }],
    ['/admin/preferred_replica_election', { partitions: [{ topic: 't', partition: 0 }] }],
    ['/isr_change_notification/isr_change_0000000000', { partitions: [] }],
    ['/log_dir_event_notification/log_dir_event_0000000000', { version: 1, broker: 2, event: 1 }],
  ]
  for (const [path, value] of writes) {
    const rig = await twoBrokers()
    await rig.createTopic('t', { 0: [2, 1] })
    const { clock } = rig.world
    const office = { version: 2, brokerid: 7, timestamp: '0', kraftControllerEpoch: -1 }
    await clock.until(
      rig.tool.multi([
        { type: 'delete', path: '/controller' },
        { type: 'create', path: '/controller', data: node(office), ephemeral: true },
        { type: 'setData', path: '/controller_epoch', data: Buffer.from('2') },
        { type: 'delete', path: '/brokers/ids/2' },
      ]),
    )
    const state = await rig.state('t')
    await rig.write(path, value)
    await clock.advance(5000)
    assert.deepEqual(await rig.state('t'), state, path)
    assert.deepEqual(await rig.read(path), value, path)
    assert.equal(await rig.state('new'), undefined)
    assert.equal((await rig.read('/controller'))?.['brokerid'], 7)
  }
})
