import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeIgnoreNode } from '../../src/broker/controller/unreadable.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { Rig } from './controller-rig.ts'

async function rigOf(...ids: number[]): Promise<Rig> {
  const rig = await new Rig().start()
  await rig.join(...ids)
  await rig.controller(ids[0] ?? 0)
  rig.told()
  return rig
}

test('a topic of a name that none may have is led by nobody, and holds up no other', async () => {
  const rig = await rigOf(1)
  await rig.createTopic('..%2f', { 0: [1] })
  await rig.createTopic('t', { 0: [1] })
  assert.equal(await rig.state('..%2f'), undefined)
  assert.deepEqual(rig.toldOf('lead'), ['lead 1 t-0 1/0 [1] new'])
})

test('registrations that make no sense count as no brokers', async () => {
  const rig = await rigOf(1)
  await rig.write('/brokers/ids/7', 'nonsense')
  await rig.write('/brokers/ids/abc', {})
  await rig.createTopic('t', { 0: [7, 1] })
  assert.deepEqual(await rig.state('t'), [1, 0, [1]])
})

test('a state that makes no sense leaves its partition alone; the others of the topic get new leaders', async () => {
  const rig = await rigOf(1, 2)
  await rig.createTopic('t', { 0: [2, 1], 1: [2, 1] })
  await rig.write('/brokers/topics/t/partitions/0/state', 'garbage')
  rig.told()
  await rig.leave(2)
  assert.deepEqual(rig.toldOf('lead'), ['lead 1 t-1 1/1 [1]'])
})

test('the log says once of each node that it is ignored, and why', () => {
  const lines: string[] = []
  const ignore = makeIgnoreNode({ ...silentLogger, warn: (text: string) => void lines.push(text) })
  ignore('/brokers/ids/7')
  ignore('/brokers/ids/7')
  ignore('/brokers/ids/abc', 'its name is no broker id')
  assert.deepEqual(lines, [
    'Ignoring /brokers/ids/7: what it holds is not to be read',
    'Ignoring /brokers/ids/abc: its name is no broker id',
  ])
})
