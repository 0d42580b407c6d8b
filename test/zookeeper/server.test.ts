// Goal: client and server keep the promises of ZooKeeper. Method: both run over a network and a disk in
// memory under a virtual clock, so that lost connections, silent hosts, expired sessions and power
// failures happen when the test says so.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isZooKeeperError, MultiError, type WatchEvent } from '../../src/zookeeper/client/client.ts'
import { ZooKeeperSession } from '../../src/zookeeper/client/session.ts'
import { SERVER, TICK_MS, World } from './world.ts'

const data = (text: string): Buffer => Buffer.from(text)

async function started(seed?: number): Promise<World> {
  const world = new World(seed)
  await world.startServer()
  return world
}

/** The name of the error a promise rejects with. */
async function refusal(world: World, promise: Promise<unknown>): Promise<string> {
  try {
    await world.wait(promise)
  } catch (error) {
    if (isZooKeeperError(error)) return error.name
    throw error
  }
  return 'OK'
}

function eventsOf(client: ZooKeeperSession): string[] {
  const events: string[] = []
  client.onState((event) => events.push(event))
  return events
}

test('nodes are created, read, changed by version and deleted', async () => {
  const world = await started()
  const client = await world.client('a')
  const before = BigInt(world.clock.now())
  const made = await world.wait(client.create('/a', data('one')))
  assert.equal(made.path, '/a')
  assert.equal(made.stat?.czxid, made.stat?.mzxid)
  const ctime = made.stat?.ctime ?? 0n
  assert.ok(ctime > before && ctime < BigInt(world.clock.now()))
  const read = await world.wait(client.getData('/a'))
  assert.deepEqual([read.data.toString(), read.stat.version], ['one', 0])
  assert.equal(await refusal(world, client.create('/a', data(''))), 'NODEEXISTS')
  assert.equal((await world.wait(client.setData('/a', data('two'), 0))).version, 1)
  assert.equal(await refusal(world, client.setData('/a', data('x'), 0)), 'BADVERSION')
  const old = await world.wait(client.create('/a/b', null, { stat: false }))
  assert.deepEqual(old, { path: '/a/b', stat: null })
  assert.deepEqual((await world.wait(client.getChildren('/a'))).children, ['b'])
  assert.equal(await refusal(world, client.delete('/a')), 'NOTEMPTY')
  await world.wait(client.delete('/a/b', 0))
  await world.wait(client.delete('/a'))
  assert.equal(await world.wait(client.exists('/a')), null)
  assert.equal(await refusal(world, client.getData('/a')), 'NONODE')
  assert.equal(await refusal(world, client.getData('a')), 'NONODE')
})

test('sequential names count all creations below the parent, deleted ones too', async () => {
  const world = await started()
  const client = await world.client('a')
  await world.wait(client.makePath('/q/r'))
  const create = async () =>
    (await world.wait(client.create('/q/r/n-', null, { sequential: true }))).path
  assert.equal(await create(), '/q/r/n-0000000000')
  await world.wait(client.delete('/q/r/n-0000000000'))
  assert.equal(await create(), '/q/r/n-0000000001')
  // Pipelined, so that each is prepared before the one before it is on disk.
  const pipelined = await world.wait(
    Promise.all(['x', 'y'].map((text) => client.create('/q/r/', data(text), { sequential: true }))),
  )
  assert.deepEqual(
    pipelined.map(({ path }) => path),
    ['/q/r/0000000002', '/q/r/0000000003'],
  )
})

test('ephemeral nodes go when their session is closed, and cannot have children', async () => {
  const world = await started()
  const [one, other] = [await world.client('a'), await world.client('b')]
  const { stat } = await world.wait(one.create('/e', data('mine'), { ephemeral: true }))
  assert.equal(stat?.ephemeralOwner, one.sessionId)
  assert.equal(await refusal(world, other.create('/e/x', null)), 'NOCHILDRENFOREPHEMERALS')
  const seen: WatchEvent[] = []
  await world.wait(other.exists('/e', (event) => seen.push(event)))
  await world.wait(one.close())
  await world.clock.advance(10)
  assert.deepEqual(seen, [{ type: 'deleted', path: '/e' }])
  assert.equal(await world.wait(other.exists('/e')), null)
  assert.equal(one.state, 'closed')
})

test('the session of a silent client expires within its time and a tick, not before', async () => {
  const world = await started()
  const [one, other] = [await world.client('a'), await world.client('b')]
  await world.wait(one.create('/e', null, { ephemeral: true }))
  world.network.cut('a', SERVER)
  await world.clock.advance(6000 - 2000 - 10)
  assert.notEqual(await world.wait(other.exists('/e')), null)
  await world.clock.advance(2000 + TICK_MS + 20)
  assert.equal(await world.wait(other.exists('/e')), null)
})

test('a client that hears nothing says suspended and lost before its session can expire', async () => {
  const world = await started()
  const client = await world.client('a')
  const events = eventsOf(client)
  const at = (): number => world.clock.monotonicMs()
  const times: number[] = []
  client.onState(() => times.push(at()))
  await world.clock.advance(10_000)
  assert.deepEqual(events, [])
  const cutAt = at()
  world.network.cut('a', SERVER)
  world.network.cut(SERVER, 'a')
  await world.clock.advance(5000)
  assert.deepEqual(events, ['suspended', 'lost'])
  // At most two thirds of 6 s after the last answered heartbeat, at least a heartbeat less.
  const lostAt = (times[1] ?? 0) - cutAt
  assert.ok(lostAt <= 4000 && lostAt >= 1900, `lost after ${lostAt} ms`)
  assert.equal(client.state, 'suspended')
  assert.equal(await refusal(world, client.getData('/')), 'CONNECTIONLOSS')
  await world.clock.advance(20_000)
  world.network.healAll()
  await world.clock.advance(20_000)
  assert.deepEqual(events, ['suspended', 'lost', 'expired'])
  assert.equal(await refusal(world, client.getData('/')), 'SESSIONEXPIRED')
  assert.equal(await refusal(world, client.connected()), 'SESSIONEXPIRED')
})

test('a reset connection is replaced, the session and its ephemerals stay', async () => {
  const world = await started()
  const client = await world.client('a')
  const events = eventsOf(client)
  const session = client.sessionId
  await world.wait(client.create('/e', null, { ephemeral: true }))
  const lost = refusal(world, client.setData('/e', data('x')))
  world.network.reset('a')
  assert.equal(await lost, 'CONNECTIONLOSS')
  await world.wait(client.connected())
  assert.deepEqual(events, ['suspended', 'connected'])
  assert.equal(client.sessionId, session)
  assert.equal((await world.wait(client.exists('/e')))?.ephemeralOwner, session)
})

test('a watch tells once, to each who set it', async () => {
  const world = await started()
  const [one, other] = [await world.client('a'), await world.client('b')]
  await world.wait(one.create('/w', data('0')))
  const seen: string[] = []
  const watcher = (name: string) => (event: WatchEvent) =>
    void seen.push(`${name} ${event.type} ${event.path}`)
  await world.wait(other.getData('/w', watcher('data')))
  await world.wait(other.getChildren('/w', watcher('child')))
  await world.wait(other.exists('/w/x', watcher('exist')))
  await world.wait(one.create('/w/x', null))
  await world.wait(one.create('/w/y', null))
  await world.wait(one.setData('/w', data('1')))
  await world.wait(one.setData('/w', data('2')))
  await world.clock.advance(10)
  assert.deepEqual(seen, ['exist created /w/x', 'child childrenChanged /w', 'data dataChanged /w'])
})

test('the event of a change comes before any answer that shows the change', async () => {
  const world = await started()
  const [one, other] = [await world.client('a'), await world.client('b')]
  await world.wait(one.create('/w', data('0')))
  const order: string[] = []
  await world.wait(other.getData('/w', () => order.push('event')))
  const write = one.setData('/w', data('1'))
  const polls = Array.from({ length: 20 }, async (_, index) => {
    await new Promise<void>((resolve) => world.clock.schedule(index, resolve))
    const { stat } = await other.getData('/w')
    if (stat.version === 1) order.push('answer')
  })
  await world.wait(Promise.all([write, ...polls]))
  assert.equal(order[0], 'event')
  assert.ok(order.includes('answer'))
})

test('watches are set again after a reconnect, and tell what happened meanwhile', async () => {
  const world = await started()
  const [one, other] = [await world.client('a'), await world.client('b')]
  for (const path of ['/changed', '/same', '/gone']) await world.wait(one.create(path, null))
  const seen: string[] = []
  const watcher = (event: WatchEvent): void => void seen.push(`${event.type} ${event.path}`)
  for (const path of ['/changed', '/same', '/gone']) {
    await world.wait(other.getData(path, watcher))
  }
  await world.wait(other.exists('/later', watcher))
  await world.wait(other.getChildren('/changed', watcher))
  world.network.cut('b', SERVER)
  world.network.reset('b')
  await world.wait(one.setData('/changed', data('1')))
  await world.wait(one.delete('/gone'))
  await world.wait(one.create('/later', null))
  assert.deepEqual(seen, [])
  world.network.healAll()
  await world.wait(other.connected())
  await world.wait(other.sync('/'))
  assert.deepEqual(
    new Set(seen),
    new Set(['created /later', 'dataChanged /changed', 'deleted /gone']),
  )
  await world.wait(one.setData('/same', data('1')))
  await world.wait(one.create('/changed/x', null))
  await world.clock.advance(10)
  assert.deepEqual(seen.slice(3), ['dataChanged /same', 'childrenChanged /changed'])
})

test('a multi does all of its operations or none', async () => {
  const world = await started()
  const client = await world.client('a')
  const results = await world.wait(
    client.multi([
      { type: 'create', path: '/m', data: data('1') },
      { type: 'setData', path: '/m', data: data('22'), version: 0 },
      { type: 'create', path: '/m/e', data: null, ephemeral: true, stat: true },
      { type: 'check', path: '/m', version: 1 },
      { type: 'create', path: '/m/s-', data: null, sequential: true },
      { type: 'delete', path: '/m/e' },
    ]),
  )
  assert.deepEqual(
    results.map(({ type }) => type),
    ['create', 'setData', 'create', 'check', 'create', 'delete'],
  )
  const [, set, ephemeral, , sequential] = results
  assert.ok(set?.type === 'setData' && set.stat.version === 1 && set.stat.dataLength === 2)
  assert.ok(ephemeral?.type === 'create' && ephemeral.stat?.ephemeralOwner === client.sessionId)
  assert.ok(sequential?.type === 'create' && sequential.path === '/m/s-0000000001')
  const failed = client.multi([
    { type: 'setData', path: '/m', data: data('x') },
    { type: 'create', path: '/m/new', data: null },
    { type: 'check', path: '/m', version: 1 },
    { type: 'create', path: '/m/other', data: null },
  ])
  await assert.rejects(world.wait(failed), (error) => {
    assert.ok(error instanceof MultiError)
    assert.deepEqual([error.name, error.index, error.path], ['BADVERSION', 2, '/m'])
    return true
  })
  assert.equal((await world.wait(client.getData('/m'))).stat.version, 1)
  assert.equal(await world.wait(client.exists('/m/new')), null)
})

test('a client reads its own writes, though it did not wait for their answers', async () => {
  const world = await started()
  const client = await world.client('a')
  await world.wait(client.create('/r', data('0')))
  world.disk.holdSyncs()
  const order: string[] = []
  const write = client.setData('/r', data('1')).then(() => order.push('write'))
  const read = client.getData('/r').then(({ stat }) => order.push(`read ${stat.version}`))
  await world.clock.advance(500)
  assert.deepEqual(order, [])
  world.disk.releaseSyncs()
  await world.wait(Promise.all([write, read]))
  assert.deepEqual(order, ['write', 'read 1'])
})

test('nothing is answered before its transaction is on disk', async () => {
  const world = await started()
  const [one, other] = [await world.client('a'), await world.client('b')]
  world.disk.holdSyncs()
  let answered = 0
  const writes = ['/x', '/y'].map(async (path) => {
    await one.create(path, null)
    answered += 1
  })
  await world.clock.advance(1000)
  assert.equal(answered, 0)
  // Nor does anybody see it.
  assert.equal(await world.wait(other.exists('/x')), null)
  world.disk.releaseSyncs()
  await world.wait(Promise.all(writes))
  assert.equal(answered, 2)
})

test('what was acknowledged survives power failure, sessions included', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const keepsSome = seed % 4 !== 0
    const world = await started(seed)
    const client = await world.client('a')
    await world.wait(client.create('/kept', data('1')))
    await world.wait(client.create('/e', null, { ephemeral: true }))
    await world.wait(client.setData('/kept', data('2')))
    world.disk.holdSyncs()
    const lost = client.setData('/kept', data('3')).catch(() => 'lost')
    await world.clock.advance(100)
    world.crashServer({ keepsSome })
    await world.startServer()
    await world.wait(client.connected())
    await world.wait(lost)
    const { data: value, stat } = await world.wait(client.getData('/kept'))
    assert.ok(stat.version === 1 || (keepsSome && stat.version === 2))
    assert.equal(value.toString(), String(stat.version + 1))
    assert.equal((await world.wait(client.exists('/e')))?.ephemeralOwner, client.sessionId)
    assert.deepEqual(world.logger.texts('ERROR'), [])
  }
})

test('after many transactions a snapshot is taken and a restart needs only what followed', async () => {
  const world = new World()
  await world.startServer({ snapCount: 20 })
  const client = await world.client('a')
  for (let index = 0; index < 100; index++) {
    await world.wait(client.create(`/n${index}`, data(String(index))))
  }
  await world.clock.advance(100)
  const names = world.disk.list('/data/zookeeper/version-2').map(({ name }) => name)
  assert.ok(names.filter((name) => name.startsWith('snapshot.')).length >= 4, names.join(' '))
  assert.ok(names.filter((name) => name.startsWith('log.')).length >= 4)
  world.crashServer()
  world.logger.lines.length = 0
  await world.startServer()
  const read = world.logger.texts().find((text) => text.includes('Read '))
  const replayed = Number(/\((\d+) transactions/.exec(read ?? '')?.[1])
  assert.ok(replayed < 20, read)
  await world.wait(client.connected())
  assert.equal((await world.wait(client.getChildren('/'))).children.length, 101)
  assert.equal((await world.wait(client.getData('/n57'))).data.toString(), '57')
})

test('a chroot is invisible from within, and makePath creates it', async () => {
  const world = await started()
  const inside = await world.client('a', { chroot: '/kafka/one/' })
  const outside = await world.client('b')
  await world.wait(inside.makePath('/brokers/ids'))
  const seen: WatchEvent[] = []
  await world.wait(inside.getChildren('/brokers/ids', (event) => seen.push(event)))
  const { path } = await world.wait(inside.create('/brokers/ids/0', null))
  assert.equal(path, '/brokers/ids/0')
  assert.notEqual(await world.wait(outside.exists('/kafka/one/brokers/ids/0')), null)
  await world.clock.advance(10)
  assert.deepEqual(seen, [{ type: 'childrenChanged', path: '/brokers/ids' }])
  assert.deepEqual((await world.wait(inside.getChildren('/'))).children, ['brokers'])
})

test('access lists bind those they name', async () => {
  const world = await started()
  const [owner, other] = [await world.client('a'), await world.client('b')]
  await world.wait(owner.addAuth('digest', data('joe:secret')))
  const creatorAll = [{ perms: 31, id: { scheme: 'auth', id: '' } }]
  await world.wait(owner.create('/secret', data('s'), { acl: creatorAll }))
  assert.equal(await refusal(world, other.getData('/secret')), 'NOAUTH')
  assert.equal(await refusal(world, other.create('/secret/x', null)), 'NOAUTH')
  const open = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]
  assert.equal(await refusal(world, other.setAcl('/secret', open)), 'NOAUTH')
  assert.equal(await refusal(world, other.setAcl('/secret', creatorAll)), 'INVALIDACL')
  assert.equal(await refusal(world, other.create('/n', null, { acl: creatorAll })), 'INVALIDACL')
  const { acl } = await world.wait(owner.getAcl('/secret'))
  assert.deepEqual(
    acl.map(({ id }) => [id.scheme, id.id.split(':')[0]]),
    [['digest', 'joe']],
  )
  world.network.reset('a')
  await world.clock.advance(1000)
  assert.equal((await world.wait(owner.getData('/secret'))).data.toString(), 's')
  const readable = [...acl, { perms: 1, id: { scheme: 'world', id: 'anyone' } }]
  assert.equal((await world.wait(owner.setAcl('/secret', readable, 0))).aversion, 1)
  assert.equal((await world.wait(other.getData('/secret'))).data.toString(), 's')
  assert.equal(await refusal(world, other.setData('/secret', data('t'))), 'NOAUTH')
})

test('a client finds the server that appears later, or says in time that there is none', async () => {
  const world = new World()
  const patient = world.newClient('a')
  const connecting = patient.start()
  await world.clock.advance(5000)
  await world.startServer()
  await world.wait(connecting)
  assert.equal(patient.state, 'connected')
  await world.stopServer()
  const impatient = world.newClient('b')
  await assert.rejects(world.wait(impatient.start()), /Timed out waiting for connection.*30000 ms/)
  assert.equal(impatient.state, 'closed')
})

test('a client of several servers goes on to the next when one is gone or refuses', async () => {
  const world = await started()
  world.network.host('dead')
  const session = new ZooKeeperSession(
    {
      clock: world.clock,
      network: world.network.host('a'),
      random: world.random,
      logger: world.logger,
    },
    {
      connect: `dead:2181,${SERVER}:2182,${SERVER}:2181`,
      sessionTimeoutMs: 6000,
      connectTimeoutMs: 30_000,
    },
  )
  await world.wait(session.start())
  assert.equal(session.state, 'connected')
  world.network.reset('a')
  await world.clock.advance(3000)
  assert.equal(session.state, 'connected')
})

test('a session that appears on a new connection is taken from the old one', async () => {
  const world = await started()
  const client = await world.client('a')
  const session = client.sessionId
  world.network.cut(SERVER, 'a')
  world.network.cut('a', SERVER)
  // The client gives its silent connection up; the server still has it.
  await world.clock.advance(4500)
  assert.equal(client.state, 'suspended')
  world.network.healAll()
  await world.wait(client.connected())
  assert.equal(client.sessionId, session)
  await world.clock.advance(20_000)
  assert.equal(client.state, 'connected')
})

test('two servers cannot have one port', async () => {
  const world = await started()
  await assert.rejects(world.startServer(), /cannot listen on 0.0.0.0:2181/)
})

test('two servers cannot have one directory, until the first has stopped', async () => {
  const world = await started()
  await assert.rejects(world.startServer({ port: 2182 }), /zookeeper is in use by another/)
  await assert.rejects(
    world.startServer({ port: 2182, dataDirectory: '/other', logDirectory: '/data/zookeeper' }),
    /zookeeper is in use by another/,
  )
  // The refused one has let go of what it had.
  await world.startServer({ port: 2182, dataDirectory: '/other', logDirectory: '/other' })
  await world.stopServer()
  await world.startServer({ port: 2182, dataDirectory: '/other', logDirectory: '/other' })
})

test('a disk that fails stops the server without an answer', async () => {
  const world = new World()
  const server = await world.startServer()
  const client = await world.client('a')
  world.disk.inject({ operations: ['sync'], code: 'EIO' })
  assert.equal(await refusal(world, client.create('/x', null)), 'CONNECTIONLOSS')
  assert.match(String(await world.wait(server.failed)), /EIO/)
})
