import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isThrottled, RateQuota } from '../../src/broker/replication/rate-quota.ts'
import { encodeConfig, paths } from '../../src/broker/znodes.ts'
import { ReplicaWorld } from './replica-world.ts'

const pair = { topic: 't', replicas: [0, 1] }

test('a rate is that of the last windows, those without bytes among them', () => {
  const quota = new RateQuota({ windowCount: 11, windowMs: 1000, limit: () => 100 })
  assert.equal(quota.rate(0), 0)
  quota.record(1000, 0)
  assert.equal(quota.rate(0), 100)
  assert.equal(quota.isExceeded(0), false)
  quota.record(1, 500)
  assert.equal(quota.isExceeded(500), false, 'half a second more to share it')
  quota.record(500, 900)
  assert.equal(quota.isExceeded(900), true)
  assert.equal(quota.rate(10_900), 1501 / 10.9)
  assert.equal(quota.rate(12_000), 0)
})

test('a list of throttled replicas names them one by one, or all', () => {
  assert.equal(isThrottled([], 0, 1), false)
  assert.equal(isThrottled(['0:1', '1:2'], 1, 2), true)
  assert.equal(isThrottled(['0:1', '1:2'], 1, 1), false)
  assert.equal(isThrottled(['*'], 7, 7), true)
})

/** How long broker 1 takes to get 400 KB, at 20 KB/s by the rate of the given side. */
async function catchUpMs(side: 'leader' | 'follower', list: string): Promise<number> {
  const world = await new ReplicaWorld({
    [`${side}.replication.throttled.rate`]: '20000',
    'replica.fetch.max.bytes': '10000',
  }).start(2)
  const config = encodeConfig({ [`${side}.replication.throttled.replicas`]: list })
  await world.clock.until(world.zookeeper.makePath(paths.config('topics', 't'), config))
  await world.decide({ ...pair, leader: 0, leaderEpoch: 0, isr: [0], told: [0] })
  const client = await world.client(0)
  for (let index = 0; index < 40; index += 1) await client.produce('t', ['x'.repeat(10_000)], 1)
  await world.decide({ ...pair, leader: 0, leaderEpoch: 1, isr: [0] })
  const from = world.clock.monotonicMs()
  while ((await world.isr('t')).length < 2) {
    await world.clock.advance(500)
    assert.ok(world.clock.monotonicMs() - from < 60_000)
  }
  assert.deepEqual(world.logBytes(0, 't'), world.logBytes(1, 't'))
  return world.clock.monotonicMs() - from
}

test('throttled replicas are copied at their rate, given or fetched; others as fast as may be', async () => {
  for (const side of ['leader', 'follower'] as const) {
    const throttledMs = await catchUpMs(side, '0:0,0:1')
    assert.ok(throttledMs > 5000 && throttledMs < 25_000, `${side}: ${throttledMs}`)
    assert.ok((await catchUpMs(side, '1:0,1:1')) < 3000)
  }
})
