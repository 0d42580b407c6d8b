// Goal: containers, nodes with a time to live and quotas behave as in Apache ZooKeeper 3.8. What is
// expected here was seen there, by the same calls.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isZooKeeperError } from '../../src/zookeeper/client/client.ts'
import type { ZooKeeperSession } from '../../src/zookeeper/client/session.ts'
import { excesses, LimitedPaths, parseLimits } from '../../src/zookeeper/server/quotas.ts'
import type { CoordinationSettings } from '../../src/zookeeper/server/settings.ts'
import { World } from './world.ts'

const data = (text: string): Buffer => Buffer.from(text)

async function started(settings: Partial<CoordinationSettings> = {}) {
  const world = new World()
  await world.startServer(settings)
  const client = await world.client('a', { timeoutMs: 20_000 })
  const refusal = async (promise: Promise<unknown>): Promise<string> => {
    try {
      await world.wait(promise)
    } catch (error) {
      if (isZooKeeperError(error)) return error.name
      throw error
    }
    return 'OK'
  }
  return { world, client, refusal }
}

test('a container goes once its last child has gone, not before it had one', async () => {
  const { world, client } = await started({ containerCheckMs: 1000 })
  const { stat } = await world.wait(client.create('/c', null, { container: true }))
  assert.equal(stat?.ephemeralOwner, 0n)
  await world.clock.advance(3000)
  assert.notEqual(await world.wait(client.exists('/c')), null)
  await world.wait(client.create('/c/x', null))
  await world.clock.advance(3000)
  await world.wait(client.delete('/c/x'))
  assert.notEqual(await world.wait(client.exists('/c')), null)
  await world.clock.advance(2000)
  assert.equal(await world.wait(client.exists('/c')), null)
})

test('a container that is never used goes when it is told to', async () => {
  const { world, client } = await started({ containerCheckMs: 1000, containerNeverUsedMs: 5000 })
  await world.wait(client.create('/c', null, { container: true }))
  await world.clock.advance(4000)
  assert.notEqual(await world.wait(client.exists('/c')), null)
  await world.clock.advance(4000)
  assert.equal(await world.wait(client.exists('/c')), null)
})

test('a node with a time to live goes that long after it was last set', async () => {
  const { world, client, refusal } = await started({ containerCheckMs: 100, extendedTypes: true })
  await world.wait(client.create('/t', null, { ttlMs: 5000 }))
  const { path } = await world.wait(client.create('/t-', null, { ttlMs: 90_000, sequential: true }))
  assert.equal(path, '/t-0000000001')
  await world.clock.advance(4000)
  await world.wait(client.setData('/t', data('again')))
  await world.clock.advance(4500)
  assert.notEqual(await world.wait(client.exists('/t')), null)
  await world.clock.advance(1000)
  assert.equal(await world.wait(client.exists('/t')), null)
  assert.notEqual(await world.wait(client.exists(path)), null)
  assert.equal(await refusal(client.create('/zero', null, { ttlMs: 0 })), 'BADARGUMENTS')
  assert.equal(await refusal(client.create('/ages', null, { ttlMs: 2 ** 41 })), 'BADARGUMENTS')
})

test('nodes with a time to live are unknown unless extended types are enabled', async () => {
  const { client, refusal } = await started()
  assert.equal(await refusal(client.create('/t', null, { ttlMs: 500 })), 'UNIMPLEMENTED')
})

test('containers and times to live survive a restart and go afterwards', async () => {
  for (const snapCount of [2, 100_000]) {
    const settings = { extendedTypes: true, snapCount, containerCheckMs: 60_000 }
    const { world, client } = await started(settings)
    await world.wait(client.create('/c', null, { container: true }))
    await world.wait(client.create('/c/x', null))
    await world.wait(client.create('/t', null, { ttlMs: 1000 }))
    await world.wait(client.delete('/c/x'))
    await world.clock.advance(100)
    world.crashServer()
    await world.startServer({ ...settings, containerCheckMs: 100 })
    await world.wait(client.connected())
    await world.clock.advance(2000)
    assert.deepEqual((await world.wait(client.getChildren('/'))).children, ['zookeeper'])
  }
})

test('many containers are removed a portion at a time', async () => {
  const settings = { containerCheckMs: 1000, containersPerMinuteMax: 200 }
  const { world, client } = await started(settings)
  for (let index = 0; index < 20; index++) {
    await world.wait(client.create(`/c${index}`, null, { container: true }))
    await world.wait(client.create(`/c${index}/x`, null))
  }
  const before = world.clock.now()
  for (let index = 0; index < 20; index++) await world.wait(client.delete(`/c${index}/x`))
  assert.ok(world.clock.now() - before < 900)
  await world.clock.advance(3000)
  const left = (await world.wait(client.getChildren('/'))).children.length - 1
  assert.ok(left > 0 && left < 20, `${left} left`)
  await world.clock.advance(8000)
  assert.deepEqual((await world.wait(client.getChildren('/'))).children, ['zookeeper'])
})

test('reconfig is refused as a server that stands alone does', async () => {
  const { client, refusal } = await started()
  // By its number: there is no such call.
  assert.equal(await refusal(reconfig(client)), 'RECONFIGDISABLED')
  const enabled = await started({ reconfigEnabled: true })
  assert.equal(await enabled.refusal(reconfig(enabled.client)), 'UNIMPLEMENTED')
})

function reconfig(client: ZooKeeperSession): Promise<unknown> {
  return client.reconfig(null, null, 'server.1=a:1:2', -1n)
}

const LIMITS = '/zookeeper/quota/q/zookeeper_limits'
const STATS = '/zookeeper/quota/q/zookeeper_stats'

async function withQuota(settings: Partial<CoordinationSettings>) {
  const rig = await started(settings)
  const { world, client } = rig
  await world.wait(client.makePath('/q'))
  await world.wait(client.makePath('/zookeeper/quota/q'))
  const limits = 'count=2,bytes=-1=;byteHardLimit=20;countHardLimit=4'
  await world.wait(client.create(LIMITS, data(limits)))
  await world.wait(client.create(STATS, data('count=0,bytes=0')))
  const stats = async (): Promise<string> =>
    (await world.wait(client.getData(STATS))).data.toString()
  return { ...rig, stats }
}

test('what a limited subtree holds is counted, and hard limits are kept when enforced', async () => {
  const { world, client, refusal, stats } = await withQuota({ enforceQuota: true })
  assert.equal(await stats(), 'count=1,bytes=0')
  for (const name of ['1', '2', '3']) await world.wait(client.create(`/q/${name}`, data('12345')))
  assert.equal(await refusal(client.create('/q/4', null)), 'QUOTAEXCEEDED')
  assert.equal(await refusal(client.setData('/q/1', data('12345678901'))), 'QUOTAEXCEEDED')
  await world.wait(client.setData('/q/1', data('1234567890')))
  assert.equal(await stats(), 'count=4,bytes=20')
  await world.wait(client.delete('/q/2'))
  assert.equal(await stats(), 'count=3,bytes=15')
  assert.equal((await world.wait(client.getData(STATS))).stat.version, 0)
  await world.wait(client.delete(LIMITS))
  await world.wait(client.create('/q/5', data('12345678901234567890')))
  assert.equal(await stats(), 'count=3,bytes=15')
})

test('quotas are only counted, not kept, unless enforced', async () => {
  const { world, client, stats } = await withQuota({})
  for (const name of ['1', '2', '3', '4']) {
    await world.wait(client.create(`/q/${name}`, data('1234567890')))
  }
  assert.equal(await stats(), 'count=5,bytes=40')
})

test('a soft limit that is exceeded is told of in the log', async () => {
  const { world, client } = await withQuota({ enforceQuota: true })
  await world.wait(client.setData(LIMITS, data('count=1,bytes=3')))
  await world.wait(client.create('/q/1', data('1234')))
  const told = world.logger.texts('WARN').filter((text) => text.includes('Quota exceeded'))
  assert.equal(told.length, 2)
  assert.match(told[0] ?? '', /Quota exceeded: \/q \[current count=2, softCountLimit=1\]/)
})

test('the books are right after a restart, from log or snapshot', async () => {
  for (const snapCount of [3, 100_000]) {
    const { world, client, refusal, stats } = await withQuota({ enforceQuota: true, snapCount })
    await world.wait(client.create('/q/1', data('12345')))
    await world.wait(client.create('/q/2', data('12345')))
    await world.clock.advance(100)
    world.crashServer()
    await world.startServer({ enforceQuota: true })
    await world.wait(client.connected())
    assert.equal(await stats(), 'count=3,bytes=10')
    await world.wait(client.create('/q/3', null))
    assert.equal(await refusal(client.create('/q/4', null)), 'QUOTAEXCEEDED')
  }
})

test('limits are read in every form that ZooKeeper has written them', () => {
  const none = { count: -1, bytes: -1, countHardLimit: -1, byteHardLimit: -1 }
  assert.deepEqual(parseLimits('count=5,bytes=-1'), { ...none, count: 5 })
  const all = 'count=1,bytes=2=;byteHardLimit=4;countHardLimit=3'
  assert.deepEqual(parseLimits(all), { count: 1, bytes: 2, countHardLimit: 3, byteHardLimit: 4 })
  assert.deepEqual(parseLimits('nonsense'), none)
  assert.deepEqual(parseLimits(''), none)
  const usage = { count: 3, bytes: 10 }
  const limits = { ...none, count: 1, countHardLimit: 4 }
  assert.deepEqual(excesses('/q', limits, usage, { count: 1, bytes: 5 }), [])
  assert.deepEqual(
    excesses('/q', limits, usage, { count: 2, bytes: 0 }).map(({ isHard }) => isHard),
    [true],
  )
})

test('a path belongs to the innermost limited subtree', () => {
  const limited = new LimitedPaths()
  limited.add('/a')
  limited.add('/a/b')
  assert.equal(limited.of('/a/b/c'), '/a/b')
  assert.equal(limited.of('/a/b'), '/a/b')
  assert.equal(limited.of('/a/bc'), '/a')
  assert.equal(limited.of('/b'), undefined)
  assert.equal(limited.of('/'), undefined)
})
