import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Errors } from '../../src/kafka/errors.ts'
import { ReplicaWorld } from './replica-world.ts'

const pair = { topic: 't', replicas: [0, 1], isr: [0, 1] }

test('at 0.10.1 a follower whose leader stays keeps what it has acknowledged, and may lead at once', async () => {
  const world = await new ReplicaWorld({
    'inter.broker.protocol.version': '0.10.1',
    'log.message.format.version': '0.10.1',
  }).start(2)
  await world.decide({ ...pair, leader: 0, leaderEpoch: 0, isNew: true })
  const client = await world.client(0)
  const values = ['a', 'b', 'c', 'd']
  for (const value of values)
    assert.equal((await client.produce('t', [value], -1)).errorCode, Errors.NONE)
  const written = world.logBytes(0, 't')
  assert.deepEqual(world.logBytes(1, 't'), written)
  // The follower has not heard that the last one is committed, and will not hear it.
  world.part(0, 1)
  await world.decide({ ...pair, leader: 0, leaderEpoch: 1, told: [1] })
  await world.decide({ ...pair, leader: 1, leaderEpoch: 2, told: [1] })
  assert.deepEqual(world.logBytes(1, 't'), written)
  world.network.healAll()
  await world.decide({ ...pair, leader: 1, leaderEpoch: 3 })
  await world.clock.advance(5000)
  assert.deepEqual(await (await world.client(1)).values('t'), values)
})
