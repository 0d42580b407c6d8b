import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Errors } from '../../src/kafka/errors.ts'
import type { Controller } from '../../src/broker/controller/controller.ts'
import { node, Rig } from './controller-rig.ts'

async function cluster(...ids: number[]): Promise<{ rig: Rig; controller: Controller }> {
  const rig = await new Rig().start()
  await rig.join(...ids)
  const controller = await rig.controller(ids[0] ?? 0)
  rig.told()
  return { rig, controller }
}

test('a topic goes when every replica has confirmed that its data is gone', async () => {
  const { rig } = await cluster(1, 2)
  await rig.createTopic('t', { 0: [1, 2] })
  await rig.write('/config/topics/t', { version: 1, config: {} })
  rig.told()
  await rig.write('/admin/delete_topics/t', {})
  assert.deepEqual(rig.told(), [
    'tell 1 {1,2} t-0 -2/0 [1,2]',
    'tell 2 {1,2} t-0 -2/0 [1,2]',
    ...['stop 1 t-0', 'stop 2 t-0', 'stop 1 t-0 delete', 'stop 2 t-0 delete'],
  ])
  for (const path of ['/brokers/topics/t', '/config/topics/t', '/admin/delete_topics/t'])
    assert.equal(await rig.read(path), undefined, path)
  await rig.createTopic('t', { 0: [2, 1] })
  assert.deepEqual(await rig.state('t'), [2, 0, [2, 1]])
})

test('a broker that is down holds a deletion up until it is back', async () => {
  const { rig } = await cluster(1, 2)
  await rig.createTopic('t', { 0: [1, 2] })
  await rig.leave(2)
  await rig.write('/admin/delete_topics/t', {})
  assert.notEqual(await rig.read('/brokers/topics/t'), undefined)
  rig.told()
  await rig.join(2)
  assert.deepEqual(rig.toldOf('lead', 'stop'), ['stop 2 t-0', 'stop 2 t-0 delete'])
  assert.equal(await rig.read('/brokers/topics/t'), undefined)
})

test('a broker that goes before it answers is asked again when it is back', async () => {
  const { rig } = await cluster(1, 2)
  await rig.createTopic('t', { 0: [1, 2] })
  rig.silent.add(2)
  await rig.write('/admin/delete_topics/t', {})
  assert.notEqual(await rig.read('/brokers/topics/t'), undefined)
  await rig.leave(2)
  rig.silent.delete(2)
  await rig.join(2)
  assert.equal(await rig.read('/brokers/topics/t'), undefined)
})

test('a new controller takes a deletion up where it stands', async () => {
  const { rig } = await cluster(1, 2)
  await rig.controller(2)
  await rig.createTopic('t', { 0: [1, 2] })
  rig.silent.add(2)
  await rig.write('/admin/delete_topics/t', {})
  rig.silent.delete(2)
  await rig.world.clock.until(rig.tool.delete('/controller'))
  await rig.settle()
  assert.equal(await rig.read('/brokers/topics/t'), undefined)
  assert.equal(await rig.read('/admin/delete_topics/t'), undefined)
})

test('partitions grow, and what an old tool drops from the node is put back', async () => {
  const { rig } = await cluster(1, 2)
  await rig.createTopic('t', { 0: [1, 2] })
  const id = (await rig.read('/brokers/topics/t'))?.['topic_id']
  assert.equal(typeof id, 'string')
  rig.told()
  await rig.createTopic('t', { 0: [1, 2], 1: [2, 1] })
  assert.equal((await rig.read('/brokers/topics/t'))?.['topic_id'], id)
  assert.deepEqual(rig.toldOf('lead'), ['lead 1 t-1 2/0 [2,1] new', 'lead 2 t-1 2/0 [2,1] new'])
})

test('a controller that does not know the id that a tool dropped makes up none (KAFKA-14190)', async () => {
  const { rig } = await cluster(1, 2)
  await rig.createTopic('t', { 0: [1, 2] })
  const other = await rig.controller(2)
  const { clock } = rig.world
  // Both at once: the first one does not come to put it back.
  const written = node({ version: 1, partitions: { 0: [1, 2] } })
  await clock.until(
    rig.tool.multi([
      { type: 'delete', path: '/controller' },
      { type: 'setData', path: '/brokers/topics/t', data: written },
      { type: 'create', path: '/controller', data: node({ brokerid: 2 }), ephemeral: true },
      { type: 'setData', path: '/controller_epoch', data: Buffer.from('2') },
    ]),
  )
  await clock.until(other.start())
  assert.equal(other.isActive, true)
  assert.equal((await rig.read('/brokers/topics/t'))?.['topic_id'], undefined)
  assert.deepEqual(await rig.state('t'), [1, 0, [1, 2]])
  const orders = rig.orders.filter(({ request }) => request.controllerEpoch === 3)
  assert.ok(orders.some(({ kind }) => kind === 'lead'))
})

test('a topic none of whose brokers lives is led as soon as one comes', async () => {
  const { rig } = await cluster(1)
  await rig.createTopic('t', { 0: [2, 3] })
  assert.equal(await rig.state('t'), undefined)
  await rig.join(3)
  assert.deepEqual(await rig.state('t'), [3, 0, [3]])
})

test('a reassignment spreads, waits for the new replicas, and then takes the old ones away', async () => {
  const { rig, controller } = await cluster(1, 2, 3)
  const { clock } = rig.world
  await rig.createTopic('t', { 0: [1, 2] })
  rig.told()
  const wanted = { topic: 't', partition: 0, replicas: [3, 2] }
  const outcomes = await clock.until(controller.alterReassignments([wanted]))
  assert.equal(outcomes?.get(wanted)?.error, Errors.NONE)
  await rig.settle()
  const {
    adding_replicas: adding,
    removing_replicas: removing,
    partitions,
  } = (await rig.read('/brokers/topics/t')) ?? {}
  assert.deepEqual([partitions, adding, removing], [{ 0: [3, 2, 1] }, { 0: [3] }, { 0: [1] }])
  assert.deepEqual(await rig.state('t'), [1, 1, [1, 2]])
  assert.deepEqual(rig.toldOf('lead', 'stop'), [
    ...['lead 1 t-0 1/1 [1,2]', 'lead 2 t-0 1/1 [1,2]', 'lead 3 t-0 1/1 [1,2] new'],
  ])
  const [ongoing] = (await clock.until(controller.listReassignments())) ?? []
  assert.deepEqual(ongoing, {
    ...{ topic: 't', partition: 0, replicas: [3, 2, 1], adding: [3], removing: [1] },
  })
  await rig.setIsr('t', [1, 2, 3])
  assert.deepEqual(await rig.state('t'), [3, 2, [2, 3]])
  const done = (await rig.read('/brokers/topics/t')) ?? {}
  assert.deepEqual(
    [done['partitions'], done['adding_replicas'], done['removing_replicas']],
    [{ 0: [3, 2] }, {}, {}],
  )
  assert.deepEqual(rig.toldOf('lead', 'stop'), [
    ...['lead 2 t-0 3/2 [2,3]', 'lead 3 t-0 3/2 [2,3]', 'stop 1 t-0', 'stop 1 t-0 delete'],
  ])
  assert.deepEqual(await clock.until(controller.listReassignments()), [])
})

test('a reassignment that is cancelled leaves the partition where it was', async () => {
  const { rig, controller } = await cluster(1, 2, 3)
  const { clock } = rig.world
  await rig.createTopic('t', { 0: [1, 2] })
  const row = { topic: 't', partition: 0 }
  const none = { ...row, replicas: null }
  const refused = await clock.until(controller.alterReassignments([none]))
  assert.equal(refused?.get(none)?.error, Errors.NO_REASSIGNMENT_IN_PROGRESS)
  await clock.until(controller.alterReassignments([{ ...row, replicas: [1, 3] }]))
  rig.told()
  await clock.until(controller.alterReassignments([none]))
  await rig.settle()
  assert.deepEqual((await rig.read('/brokers/topics/t'))?.['partitions'], { 0: [1, 2] })
  assert.deepEqual(rig.toldOf('stop'), ['stop 3 t-0', 'stop 3 t-0 delete'])
  assert.deepEqual(await rig.state('t'), [1, 2, [1, 2]])
})

test('a replica that is dropped again is not in sync any more, and comes back as a new one', async () => {
  const { rig, controller } = await cluster(1, 2, 3)
  const { clock } = rig.world
  await rig.createTopic('t', { 0: [1, 2] })
  const row = { topic: 't', partition: 0 }
  await rig.setIsr('t', [1])
  await clock.until(controller.alterReassignments([{ ...row, replicas: [2, 3] }]))
  await rig.setIsr('t', [1, 3])
  await clock.until(controller.alterReassignments([{ ...row, replicas: null }]))
  assert.deepEqual((await rig.state('t'))?.[2], [1])
  rig.told()
  await clock.until(controller.alterReassignments([{ ...row, replicas: [3] }]))
  await rig.settle()
  // Its data was removed: it leads nothing before it has caught up again.
  assert.equal((await rig.state('t'))?.[0], 1)
  assert.ok(rig.told().some((line) => /^lead 3 t-0 1\/\d+ \[1\] new$/.test(line)))
})

test('a cancellation that would remove the only replica in sync is refused', async () => {
  const { rig, controller } = await cluster(1, 2, 3)
  const { clock } = rig.world
  await rig.createTopic('t', { 0: [1, 2] })
  const row = { topic: 't', partition: 0 }
  await clock.until(controller.alterReassignments([{ ...row, replicas: [2, 3] }]))
  await rig.leave(1)
  await rig.setIsr('t', [3])
  const none = { ...row, replicas: null }
  const outcomes = await clock.until(controller.alterReassignments([none]))
  assert.equal(outcomes?.get(none)?.error, Errors.INVALID_REPLICA_ASSIGNMENT)
  assert.deepEqual((await rig.state('t'))?.[2], [3])
})

test('what cannot be reassigned is refused in the words of the original', async () => {
  const { rig, controller } = await cluster(1, 2)
  await rig.createTopic('t', { 0: [1, 2] })
  const ask = async (topic: string, replicas: number[]) => {
    const wanted = { topic, partition: 0, replicas }
    const outcomes = await rig.world.clock.until(controller.alterReassignments([wanted]))
    return outcomes?.get(wanted)
  }
  assert.deepEqual(await ask('u', [1]), {
    error: Errors.UNKNOWN_TOPIC_OR_PARTITION,
    message: 'The partition does not exist.',
  })
  const message = async (replicas: number[]) => (await ask('t', replicas))?.message
  assert.match((await message([])) ?? '', /^Empty replica list/)
  assert.match((await message([1, 1])) ?? '', /^Duplicate replica ids/)
  assert.match((await message([-1])) ?? '', /^Invalid broker id/)
  assert.match((await message([1, 9])) ?? '', /not alive. Replica list: List\(9\)/)
})

test('a reassignment goes on under a new controller, and when its broker comes', async () => {
  const { rig, controller } = await cluster(1, 2, 3)
  const second = await rig.controller(2)
  await rig.createTopic('t', { 0: [1] })
  const wanted = { topic: 't', partition: 0, replicas: [2] }
  await rig.world.clock.until(controller.alterReassignments([wanted]))
  rig.silent.add(1)
  await rig.world.clock.until(rig.tool.delete('/controller'))
  await rig.settle()
  const active = second.isActive ? second : controller
  assert.equal((await rig.world.clock.until(active.listReassignments()))?.length, 1)
  await rig.setIsr('t', [1, 2])
  const [leader, , isr] = (await rig.state('t')) ?? []
  assert.deepEqual([leader, isr], [2, [2]])
  assert.deepEqual((await rig.read('/brokers/topics/t'))?.['partitions'], { 0: [2] })
})

test('the node of old tools is taken up, shrinks, and goes with its last partition', async () => {
  const { rig } = await cluster(1, 2)
  await rig.createTopic('t', { 0: [1], 1: [1] })
  const row = (partition: number, replicas: number[]) => ({ topic: 't', partition, replicas })
  await rig.write('/admin/reassign_partitions', {
    version: 1,
    partitions: [row(0, [2]), row(1, [1, 2]), row(7, [1])],
  })
  const listed = await rig.read('/admin/reassign_partitions')
  assert.deepEqual(listed?.['partitions'], [row(0, [2]), row(1, [1, 2])])
  await rig.setIsr('t', [1, 2], 0)
  const left = await rig.read('/admin/reassign_partitions')
  assert.deepEqual(left?.['partitions'], [row(1, [1, 2])])
  await rig.setIsr('t', [1, 2], 1)
  assert.equal(await rig.read('/admin/reassign_partitions'), undefined)
  assert.deepEqual((await rig.read('/brokers/topics/t'))?.['partitions'], { 0: [2], 1: [1, 2] })
})

test('a topic that is being reassigned is deleted when that is done', async () => {
  const { rig, controller } = await cluster(1, 2)
  await rig.createTopic('t', { 0: [1] })
  const wanted = { topic: 't', partition: 0, replicas: [2] }
  await rig.world.clock.until(controller.alterReassignments([wanted]))
  await rig.write('/admin/delete_topics/t', {})
  assert.notEqual(await rig.read('/brokers/topics/t'), undefined)
  await rig.setIsr('t', [1, 2])
  assert.equal(await rig.read('/brokers/topics/t'), undefined)
})

test('leaders go back to where they are preferred: by node, by request, by the timer', async () => {
  const rig = await new Rig().start()
  await rig.join(1, 2)
  const { clock } = rig.world
  const rebalance = { intervalMs: 300_000, imbalancePercentMax: 10 }
  const controller = await rig.controller(1, { rebalance })
  await rig.createTopic('t', { 0: [2, 1] })
  const displace = async () => {
    await rig.leave(2)
    await rig.join(2)
    await rig.setIsr('t', [1, 2])
    assert.equal((await rig.state('t'))?.[0], 1)
  }
  await displace()
  const partitions = [{ topic: 't', partition: 0 }]
  await rig.write('/admin/preferred_replica_election', { version: 1, partitions })
  assert.deepEqual((await rig.state('t'))?.[0], 2)
  assert.equal(await rig.read('/admin/preferred_replica_election'), undefined)
  await displace()
  const [outcome] = (await clock.until(controller.electLeaders(partitions, 'preferred'))) ?? []
  assert.deepEqual([outcome?.error, outcome?.leader], [Errors.NONE, 2])
  const [again] = (await clock.until(controller.electLeaders(null, 'preferred'))) ?? []
  assert.equal(again?.error, Errors.ELECTION_NOT_NEEDED)
  await displace()
  // The timer goes by what was last told.
  await rig.write('/isr_change_notification/isr_change_0000000000', { version: 1, partitions })
  await clock.advance(310_000)
  assert.equal((await rig.state('t'))?.[0], 2)
})

test('elections on request say why they fail', async () => {
  const { rig, controller } = await cluster(1, 2)
  const { clock } = rig.world
  await rig.createTopic('t', { 0: [2, 1] })
  await rig.setIsr('t', [2])
  await rig.leave(2)
  const elect = async (topic: string, type: 'preferred' | 'unclean') => {
    const partitions = [{ topic, partition: 0 }]
    const [outcome] = (await clock.until(controller.electLeaders(partitions, type))) ?? []
    return outcome?.error
  }
  assert.equal(await elect('u', 'preferred'), Errors.UNKNOWN_TOPIC_OR_PARTITION)
  assert.equal(await elect('t', 'preferred'), Errors.PREFERRED_LEADER_NOT_AVAILABLE)
  assert.equal(await elect('t', 'unclean'), Errors.NONE)
  assert.deepEqual((await rig.state('t'))?.[0], 1)
  assert.equal(await elect('t', 'unclean'), Errors.ELECTION_NOT_NEEDED)
})

test('unclean election switched on brings up what was offline', async () => {
  const { rig, controller } = await cluster(1, 2)
  await rig.createTopic('t', { 0: [2, 1] })
  await rig.setIsr('t', [2])
  await rig.leave(2)
  assert.equal((await rig.state('t'))?.[0], -1)
  const config = { 'unclean.leader.election.enable': 'true' }
  await rig.write('/config/topics/t', { version: 1, config })
  controller.uncleanElectionAllowed('t')
  await rig.settle()
  const [leader, , isr] = (await rig.state('t')) ?? []
  assert.deepEqual([leader, isr], [1, [1]])
})
