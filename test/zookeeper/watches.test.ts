// Goal: watches tell those who wait, once or for as long as they asked, and nobody who may not read.
// Method: the table against a plain list of watches as a model; then client and server over a network in
// memory.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isZooKeeperError, type WatchEvent } from '../../src/zookeeper/client/client.ts'
import { PERSISTENT, RECURSIVE, STANDARD, WatchTable } from '../../src/zookeeper/server/watches.ts'
import { World } from './world.ts'

const data = (text: string): Buffer => Buffer.from(text)

interface ModelWatch {
  kind: 'data' | 'child'
  path: string
  watcher: string
  mode: number
}

const paths = fc.constantFrom('/', '/a', '/a/b', '/a/b/c', '/ab')
const watchers = fc.constantFrom('one', 'two')
const kinds = fc.constantFrom('data' as const, 'child' as const)
const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), kind: kinds, path: paths, watcher: watchers }),
  fc.record({ do: fc.constant('persistent' as const), path: paths, watcher: watchers }),
  fc.record({ do: fc.constant('recursive' as const), path: paths, watcher: watchers }),
  fc.record({ do: fc.constant('remove' as const), kind: kinds, path: paths, watcher: watchers }),
  fc.record({ do: fc.constant('leave' as const), watcher: watchers }),
  fc.record({
    do: fc.constant('trigger' as const),
    type: fc.constantFrom('created', 'deleted', 'dataChanged', 'childrenChanged'),
    path: paths,
  }),
)

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** What the step does to a list of watches; for a trigger, whom it tells. */
function onModel(model: ModelWatch[], one: Step): { model: ModelWatch[]; told: string[] } {
  const same = (other: ModelWatch, added: ModelWatch): boolean =>
    JSON.stringify(other) === JSON.stringify(added)
  const add = (...added: ModelWatch[]): ModelWatch[] =>
    added.reduce((all, it) => (all.some((other) => same(other, it)) ? all : [...all, it]), model)
  switch (one.do) {
    case 'add': {
      const { kind, path, watcher } = one
      return { model: add({ kind, path, watcher, mode: STANDARD }), told: [] }
    }
    case 'persistent': {
      const watch = { path: one.path, watcher: one.watcher, mode: PERSISTENT }
      return { model: add({ kind: 'data', ...watch }, { kind: 'child', ...watch }), told: [] }
    }
    case 'recursive': {
      const watch = { path: one.path, watcher: one.watcher, mode: RECURSIVE }
      return { model: add({ kind: 'data', ...watch }, { kind: 'child', ...watch }), told: [] }
    }
    case 'remove':
      return {
        model: model.filter(
          ({ kind, path, watcher }) =>
            kind !== one.kind || path !== one.path || watcher !== one.watcher,
        ),
        told: [],
      }
    case 'leave':
      return { model: model.filter(({ watcher }) => watcher !== one.watcher), told: [] }
    case 'trigger': {
      const kindsTold = one.type === 'childrenChanged' ? ['child'] : ['data']
      if (one.type === 'deleted') kindsTold.push('child')
      const hears = ({ kind, path, mode }: ModelWatch): boolean => {
        if (mode !== RECURSIVE) return kindsTold.includes(kind) && path === one.path
        const isBelow = path === '/' || path === one.path || one.path.startsWith(`${path}/`)
        return kind === 'data' && one.type !== 'childrenChanged' && isBelow
      }
      const told = new Set(model.filter(hears).map(({ watcher }) => watcher))
      const left = model.filter((watch) => watch.mode !== STANDARD || !hears(watch))
      return { model: left, told: [...told].toSorted() }
    }
  }
}

function onTable(table: WatchTable<string>, one: Step): string[] {
  switch (one.do) {
    case 'add':
      table.add(one.kind, one.path, one.watcher)
      return []
    case 'persistent':
      table.addPersistent(one.path, one.watcher)
      return []
    case 'recursive':
      table.addRecursive(one.path, one.watcher)
      return []
    case 'remove':
      table.remove(one.kind, one.path, one.watcher)
      return []
    case 'leave':
      table.removeWatcher(one.watcher)
      return []
    case 'trigger': {
      const type = one.type as WatchEvent['type']
      return [...table.trigger({ type, path: one.path, acl: [] })].toSorted()
    }
  }
}

test('the table tells whom a list of watches would tell, and keeps what that keeps', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const table = new WatchTable<string>()
      let model: ModelWatch[] = []
      for (const one of steps) {
        const expected = onModel(model, one)
        model = expected.model
        assert.deepEqual(onTable(table, one), expected.told, JSON.stringify(one))
        const places = model.map(({ kind, path, watcher }) => `${kind} ${path} ${watcher}`)
        assert.equal(table.size, new Set(places).size)
      }
    }),
    { numRuns: 500 },
  )
})

async function started() {
  const world = new World()
  await world.startServer()
  const one = await world.client('a')
  const other = await world.client('b')
  const seen: string[] = []
  const watcher =
    (name: string) =>
    ({ type, path }: WatchEvent): void =>
      void seen.push(`${name} ${type} ${path}`)
  /** What was told since the last call, once all that was done has been heard of. */
  const heard = async (): Promise<string[]> => {
    await world.wait(other.sync('/'))
    return seen.splice(0)
  }
  return { world, one, other, watcher, heard }
}

test('a persistent watch tells of its node and its children, each time', async () => {
  const { world, one, other, watcher, heard } = await started()
  await world.wait(other.addWatch('/w', 'persistent', watcher('w')))
  await world.wait(one.create('/w', null))
  await world.wait(one.setData('/w', data('1')))
  await world.wait(one.create('/w/x', null))
  await world.wait(one.setData('/w/x', data('1')))
  await world.wait(one.delete('/w/x'))
  await world.wait(one.delete('/w'))
  await world.wait(one.create('/w', null))
  assert.deepEqual(await heard(), [
    'w created /w',
    'w dataChanged /w',
    'w childrenChanged /w',
    'w childrenChanged /w',
    'w deleted /w',
    'w created /w',
  ])
})

test('a recursive watch tells of all below it, also after a reconnect', async () => {
  const { world, one, other, watcher, heard } = await started()
  await world.wait(one.create('/w', null))
  await world.wait(other.addWatch('/w', 'recursive', watcher('w')))
  await world.wait(one.create('/w/x', null))
  await world.wait(one.create('/wide', null))
  assert.deepEqual(await heard(), ['w created /w/x'])
  world.network.reset('b')
  await world.clock.advance(1000)
  await world.wait(one.create('/w/x/y', null))
  await world.wait(one.setData('/w/x/y', data('1')))
  await world.wait(one.delete('/w/x/y'))
  assert.deepEqual(await heard(), ['w created /w/x/y', 'w dataChanged /w/x/y', 'w deleted /w/x/y'])
})

test('a one-time watch beside a persistent one ends alone', async () => {
  const { world, one, other, watcher, heard } = await started()
  await world.wait(one.create('/w', null))
  await world.wait(other.addWatch('/w', 'persistent', watcher('always')))
  await world.wait(other.getData('/w', watcher('once')))
  await world.wait(one.setData('/w', data('1')))
  await world.wait(one.setData('/w', data('2')))
  assert.deepEqual((await heard()).toSorted(), [
    'always dataChanged /w',
    'always dataChanged /w',
    'once dataChanged /w',
  ])
})

test('a watch that was taken back tells nothing, others of the node stay', async () => {
  const { world, one, other, watcher, heard } = await started()
  await world.wait(one.create('/w', null))
  const [first, second, child] = [watcher('first'), watcher('second'), watcher('child')]
  await world.wait(other.getData('/w', first))
  await world.wait(other.getData('/w', second))
  await world.wait(other.getChildren('/w', child))
  await world.wait(other.removeWatches('/w', 'data', first))
  const again = other.removeWatches('/w', 'data', first)
  await assert.rejects(world.wait(again), (error) => isZooKeeperError(error, 'NOWATCHER'))
  await world.wait(one.setData('/w', data('1')))
  assert.deepEqual(await heard(), ['second dataChanged /w'])
  await world.wait(other.addWatch('/w', 'recursive', first))
  await world.wait(other.removeWatches('/w', 'any'))
  await world.wait(one.create('/w/x', null))
  await world.wait(one.setData('/w', data('2')))
  assert.deepEqual(await heard(), [])
})

test('nobody hears of nodes that he may not read', async () => {
  const { world, one, other, watcher, heard } = await started()
  await world.wait(one.addAuth('digest', data('joe:secret')))
  await world.wait(other.addWatch('/', 'recursive', watcher('w')))
  const acl = [{ perms: 31, id: { scheme: 'auth', id: '' } }]
  await world.wait(one.create('/secret', null, { acl }))
  await world.wait(one.create('/open', null))
  await world.wait(one.setData('/secret', data('1')))
  assert.deepEqual(await heard(), ['w created /open'])
  await world.wait(other.addAuth('digest', data('joe:secret')))
  await world.wait(one.delete('/secret'))
  assert.deepEqual(await heard(), ['w deleted /secret'])
})
