// Goal: a server starts only where it can keep what it acknowledges, makes no directory but its own, and
// refuses files that it cannot make sense of. Method: a disk in memory with failures on demand.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readFile } from '../../src/runtime/disk.ts'
import { UserError } from '../../src/runtime/service.ts'
import { DataDirectoryError } from '../../src/zookeeper/server/data-directory.ts'
import { World } from './world.ts'

const V2 = '/data/zookeeper/version-2'

test('a relative data directory makes itself and its parents, and nothing else', async () => {
  const world = new World()
  for (const directory of ['data', 'deep/er/down', './here', 'with/slash/']) {
    const settings = { dataDirectory: directory, logDirectory: directory }
    await world.startServer(settings)
    await world.stopServer()
  }
  const top = world.disk.list('.').map(({ name }) => name)
  assert.deepEqual(top.toSorted(), ['data', 'deep', 'here', 'with'])
  assert.deepEqual(
    world.disk.list('deep').map(({ name }) => name),
    ['er'],
  )
})

test('a directory that cannot be written is an error of the data directory', async () => {
  const world = new World()
  const heal = world.disk.inject({ operations: ['open', 'makeDirectory'], code: 'EROFS' })
  await assert.rejects(world.startServer(), DataDirectoryError)
  heal()
  await world.startServer()
})

test('a disk without room for the first snapshot is an error at the start', async () => {
  const world = new World()
  world.disk.limitSpace(20)
  await assert.rejects(world.startServer(), DataDirectoryError)
})

test('when the disk is full nothing more is acknowledged, and what was stays', async () => {
  const world = new World()
  const server = await world.startServer({ preallocateBytes: 0 })
  const client = await world.client('c')
  await world.wait(client.create('/kept', Buffer.alloc(100)))
  world.disk.limitSpace(2000)
  const refused = world.wait(client.create('/lost', Buffer.alloc(20_000)))
  await assert.rejects(refused)
  assert.ok(await world.wait(server.failed))
  world.disk.limitSpace(Infinity)
  const again = await world.startServer()
  assert.ok(again.shown()?.tree.get('/kept'))
  assert.equal(again.shown()?.tree.get('/lost'), undefined)
})

async function withTwoSnapshots(): Promise<World> {
  const world = new World()
  await world.startServer({ snapCount: 10 })
  const client = await world.client('c')
  for (let index = 0; index < 40; index++) {
    await world.wait(client.create(`/n${index}`, null))
    await world.clock.advance(5)
  }
  await world.wait(client.close())
  await world.stopServer()
  return world
}

function namesOf(world: World, prefix: string): string[] {
  const numberOf = (name: string): number => Number.parseInt(name.split('.')[1] ?? '', 16)
  const names = world.disk.list(V2).map(({ name }) => name)
  return names
    .filter((name) => name.startsWith(prefix))
    .toSorted((one, other) => numberOf(one) - numberOf(other))
}

test('a newest snapshot that is cut short is passed over for the one before it', async () => {
  const world = await withTwoSnapshots()
  const newest = namesOf(world, 'snapshot').at(-1) ?? ''
  const file = world.disk.open(`${V2}/${newest}`, 'readWrite')
  file.truncate(Math.floor(file.size() / 2))
  file.close()
  const server = await world.startServer()
  assert.ok(server.shown()?.tree.get('/n39'))
})

test('where the log does not go on from the older snapshot, the server refuses to start', async () => {
  const world = await withTwoSnapshots()
  const snapshots = namesOf(world, 'snapshot')
  const newest = snapshots.at(-1) ?? ''
  for (const name of snapshots.slice(1, -1)) world.disk.remove(`${V2}/${name}`)
  for (const name of namesOf(world, 'log').slice(0, -1)) world.disk.remove(`${V2}/${name}`)
  const bytes = readFile(world.disk, `${V2}/${newest}`)
  bytes.writeUInt8(bytes.readUInt8(40) ^ 0xff, 40)
  const file = world.disk.open(`${V2}/${newest}`, 'replace')
  file.write(bytes, 0, bytes.length, 0)
  file.close()
  await assert.rejects(
    world.startServer(),
    (error) => error instanceof UserError && /what was between is missing/.test(error.message),
  )
})
