/** Goal: faults do what they say. Method: small processes on simulated hosts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isEcho } from '../../src/memory/life.ts'
import { World } from '../../src/simulation/world.ts'
import { readFile } from '../../src/runtime/disk.ts'
import type { Ports } from '../../src/runtime/service.ts'

function newWorld(): World {
  return new World(1, { splitChunks: false, latencyMs: 1, jitterMs: 0 })
}

function write({ disk }: Ports, path: string, text: string) {
  const file = disk.open(path, 'readWrite')
  file.write(Buffer.from(text), 0, text.length, 0)
  return file
}

test('a killed process runs no timer, and what it wrote stays', async () => {
  const world = newWorld()
  const host = world.addHost('a')
  const { ports } = host.boot()
  let ran = false
  ports.clock.schedule(10, () => {
    ran = true
  })
  write(ports, '/f', 'kept')
  host.kill()
  await world.run(50)
  assert.equal(ran, false)
  assert.equal(readFile(host.boot().ports.disk, '/f').toString(), 'kept')
})

test('a power loss takes what was not synced', async () => {
  const world = newWorld()
  const host = world.addHost('a')
  const { ports } = host.boot()
  write(ports, '/f', 'lost').close()
  write(ports, '/g', 'kept').syncNow()
  ports.disk.syncDirectory('/')
  host.losePower(false)
  const { disk } = host.boot().ports
  assert.equal(readFile(disk, '/f').toString(), '')
  assert.equal(readFile(disk, '/g').toString(), 'kept')
})

test('a process that dies at a change of its disk makes neither this nor any later one', () => {
  const world = newWorld()
  const host = world.addHost('a')
  const { ports } = host.boot()
  const file = write(ports, '/f', 'one')
  host.dieAt({ operations: 1, onDeath: () => host.kill() })
  file.write(Buffer.from('two'), 0, 3, 0)
  assert.throws(() => file.write(Buffer.from('six'), 0, 3, 0), isEcho)
  assert.throws(() => file.syncNow(), isEcho)
  assert.equal(readFile(host.boot().ports.disk, '/f').toString(), 'two')
})

test('a frozen process goes on where it was when it thaws', async () => {
  const world = newWorld()
  const host = world.addHost('a')
  const { ports } = host.boot()
  const ran: number[] = []
  ports.clock.schedule(10, () => ran.push(world.nowMs))
  host.freeze()
  await world.run(100)
  assert.deepEqual(ran, [])
  host.thaw()
  assert.deepEqual(ran, [100])
})

test('peers of a killed process see a reset, those of a machine without power nothing', async () => {
  const world = newWorld()
  const server = world.addHost('server')
  const { ports } = world.addHost('client').boot()
  const closedAt: number[] = []
  for (const end of [() => server.kill(), () => server.losePower(false)]) {
    await server.boot().ports.network.listen({ host: '', port: 1 }, (connection) => {
      connection.start({ onData() {}, onClose() {} })
    })
    const connecting = ports.network.connect({ host: 'server', port: 1 })
    await world.run(50)
    const connection = await connecting
    connection.start({ onData() {}, onClose: () => void closedAt.push(world.nowMs) })
    end()
    await world.run(50)
  }
  assert.deepEqual(closedAt, [50])
  server.boot()
  await world.run(50)
  assert.deepEqual(closedAt, [50, 200])
})

test('what two faults cut stays cut until both have ended', async () => {
  const world = newWorld()
  const [near, far] = [world.addHost('near').boot().ports, world.addHost('far').boot().ports]
  const received: string[] = []
  await far.network.listen({ host: '', port: 1 }, (connection) => {
    connection.start({ onData: (chunk) => void received.push(chunk.toString()), onClose() {} })
  })
  const connecting = near.network.connect({ host: 'far', port: 1 })
  await world.run(50)
  const connection = await connecting
  connection.start({ onData() {}, onClose() {} })
  const ends = [world.links.cut('near', 'far'), world.links.cut('near', 'far')]
  connection.write(Buffer.from('late'))
  await world.run(50)
  ends[0]?.()
  ends[0]?.()
  await world.run(50)
  assert.deepEqual(received, [])
  ends[1]?.()
  await world.run(50)
  assert.deepEqual(received, ['late'])
})

test('clocks of a host drift and jump, and no timer fires early by them', async () => {
  const world = newWorld()
  const host = world.addHost('a', { clockRate: 0.9 })
  const { clock } = host.boot().ports
  const before = clock.now()
  let waitedMs = 0
  const startMs = clock.monotonicMs()
  clock.schedule(90, () => {
    waitedMs = clock.monotonicMs() - startMs
  })
  await world.run(200)
  assert.ok(waitedMs >= 90 && waitedMs < 90.1)
  assert.equal(clock.now() - before, 180)
  host.clockErrors.wallShiftMs -= 1000
  assert.equal(clock.now() - before, -820)
  assert.equal(clock.monotonicMs() - startMs, 180)
})

test('a rejection that nobody hears is a violation, unless it is the echo of a kill', async () => {
  const world = newWorld()
  const host = world.addHost('a')
  const { ports } = host.boot()
  ports.clock.schedule(10, () => {
    host.kill()
    void Promise.resolve().then(() => ports.disk.list('/'))
  })
  await world.run(50)
  assert.deepEqual(world.violations, [])
  host.boot().ports.clock.schedule(10, () => void Promise.reject(new Error('unheard')))
  await world.run(50)
  assert.deepEqual(
    world.violations.map(({ number }) => number),
    ['I17'],
  )
})
