// Goal: writes prepared ahead of the disk decide as if each had been carried out before the next came.
// Method: random requests go to a preparer whose changes reach the tree late and in batches, and to a
// model, a plain map that does everything at once; answers and trees must agree.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { errorCodes } from '../../src/zookeeper/protocol/errors.ts'
import type { MultiOperation } from '../../src/zookeeper/protocol/multi.ts'
import { opcodes } from '../../src/zookeeper/protocol/opcodes.ts'
import { Preparer } from '../../src/zookeeper/server/prepare.ts'
import { StatRows } from '../../src/zookeeper/server/stat-rows.ts'
import { type Change, CONTAINER_OWNER } from '../../src/zookeeper/server/transactions.ts'
import { statOf } from '../../src/zookeeper/server/node.ts'
import { DataTree } from '../../src/zookeeper/server/tree.ts'

interface ModelNode {
  data: string
  version: number
  creates: number
  owner: bigint
}

type Model = Map<string, ModelNode>

const OPEN = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]

const paths = fc.constantFrom('/a', '/b', '/a/x', '/a/y', '/a/x/1', '/b/x', '/c/none')
const versions = fc.constantFrom(-1, -1, 0, 1, 2)

const operation: fc.Arbitrary<MultiOperation> = fc.oneof(
  fc.record({ path: paths, flags: fc.constantFrom(0, 0, 1, 2, 3), data: fc.string() }).map(
    ({ path, flags, data }): MultiOperation => ({
      type: opcodes.create,
      request: { path, data: Buffer.from(data), acl: OPEN, flags },
    }),
  ),
  fc
    .record({ path: paths, version: versions })
    .map((request): MultiOperation => ({ type: opcodes.delete, request })),
  fc.record({ path: paths, version: versions, data: fc.string() }).map(
    ({ path, version, data }): MultiOperation => ({
      type: opcodes.setData,
      request: { path, version, data: Buffer.from(data) },
    }),
  ),
  fc
    .record({ path: paths, version: versions })
    .map((request): MultiOperation => ({ type: opcodes.check, request })),
)

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      operation,
      session: fc.constantFrom(1n, 2n),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('multi' as const),
      operations: fc.array(operation, { maxLength: 5 }),
      session: fc.constantFrom(1n, 2n),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('close' as const), session: fc.constantFrom(1n, 2n) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('apply' as const), count: fc.nat(6) }) },
)

function parent(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')))
}

function hasChildren(model: Model, path: string): boolean {
  return [...model.keys()].some((one) => one.startsWith(`${path}/`))
}

/** Carries the operation out on the model, or returns why not. */
function onModel(model: Model, { type, request }: MultiOperation, session: bigint): number {
  const path = request.path ?? ''
  if (type === opcodes.create) {
    const above = model.get(parent(path))
    if (above === undefined) return errorCodes.NONODE
    const name = (request.flags & 2) !== 0 ? path + String(above.creates).padStart(10, '0') : path
    if (model.has(name)) return errorCodes.NODEEXISTS
    if (above.owner !== 0n) return errorCodes.NOCHILDRENFOREPHEMERALS
    above.creates += 1
    const owner = (request.flags & 1) !== 0 ? session : 0n
    model.set(name, { data: String(request.data), version: 0, creates: 0, owner })
    return errorCodes.OK
  }
  const node = model.get(path)
  if (node === undefined) return errorCodes.NONODE
  const version = 'version' in request ? request.version : -1
  if (version !== -1 && version !== node.version) return errorCodes.BADVERSION
  if (type === opcodes.delete) {
    if (hasChildren(model, path)) return errorCodes.NOTEMPTY
    model.delete(path)
  } else if (type === opcodes.setData) {
    node.data = String(request.data)
    node.version += 1
  }
  return errorCodes.OK
}

function copyOf(model: Model): Model {
  return new Map([...model].map(([path, node]) => [path, { ...node }]))
}

function closeOnModel(model: Model, session: bigint): void {
  for (const [path, { owner }] of model) if (owner === session) model.delete(path)
}

function shownTree(tree: DataTree) {
  const shown = [...tree.paths()].filter((path) => !path.startsWith('/zookeeper'))
  return shown.toSorted().map((path) => {
    const node = tree.get(path)
    assert.ok(node)
    const { version, cversion, ephemeralOwner, numChildren } = statOf(node)
    return {
      path,
      data: String(node.data),
      version,
      creates: (cversion + numChildren) / 2,
      owner: ephemeralOwner,
    }
  })
}

function shownModel(model: Model) {
  const shown = [...model].map(([path, node]) => ({ path, ...node }))
  return shown.toSorted((one, other) => (one.path < other.path ? -1 : 1))
}

class Run {
  readonly tree = new DataTree()
  readonly preparer = new Preparer(this.tree)
  model: Model = new Map([['/', { data: '', version: 0, creates: 0, owner: 0n }]])
  private zxid = 0n
  private waiting: { session: bigint; zxid: bigint; change: Change }[] = []

  write(asked: MultiOperation, session: bigint): void {
    const prepared = this.preparer.write(asked, { session, identities: [] }, this.zxid + 1n)
    const expected = onModel(this.model, asked, session)
    assert.equal('code' in prepared ? prepared.code : errorCodes.OK, expected)
    if (!('code' in prepared)) this.submit(session, prepared)
  }

  multi(operations: MultiOperation[], session: bigint): void {
    const prepared = this.preparer.multi(operations, { session, identities: [] }, this.zxid + 1n)
    const model = copyOf(this.model)
    const codes = operations.map((one) => onModel(model, one, session))
    const index = codes.findIndex((code) => code !== errorCodes.OK)
    if (index === -1) {
      assert.ok(!('code' in prepared))
      this.model = model
      this.submit(session, prepared)
    } else {
      assert.deepEqual(prepared, { code: codes[index], index })
    }
  }

  close(session: bigint): void {
    this.submit(session, this.preparer.closeSession(session, this.zxid + 1n))
    closeOnModel(this.model, session)
  }

  private submit(session: bigint, change: Change): void {
    this.zxid += 1n
    this.waiting.push({ session, zxid: this.zxid, change })
  }

  apply(count: number): void {
    for (const { session, zxid, change } of this.waiting.splice(0, count)) {
      this.tree.apply({ clientId: session, cxid: 0, zxid, time: 0n }, change)
      this.preparer.applied(zxid)
    }
  }
}

test('writes prepared ahead decide and end as if carried out one by one', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const run = new Run()
      for (const one of steps) {
        if (one.kind === 'write') run.write(one.operation, one.session)
        else if (one.kind === 'multi') run.multi(one.operations, one.session)
        else if (one.kind === 'close') run.close(one.session)
        else run.apply(one.count)
      }
      run.apply(Infinity)
      assert.deepEqual(shownTree(run.tree), shownModel(run.model))
      const owned = [1n, 2n].flatMap((session) => [...run.tree.ephemeralsOf(session)])
      assert.equal(owned.length, run.tree.ephemeralCount)
      assert.equal(owned.length, [...run.model.values()].filter(({ owner }) => owner !== 0n).length)
    }),
    { numRuns: 300 },
  )
})

test('the end of a session spares a node that another one has made anew meanwhile', () => {
  const run = new Run()
  const request = { path: '/a', data: Buffer.from(''), acl: OPEN, flags: 1 }
  run.write({ type: opcodes.create, request }, 1n)
  run.apply(1)
  run.write({ type: opcodes.delete, request: { path: '/a', version: -1 } }, 2n)
  run.write({ type: opcodes.create, request }, 2n)
  run.close(1n)
  run.apply(Infinity)
  assert.deepEqual(shownTree(run.tree), shownModel(run.model))
  assert.equal(run.tree.get('/a')?.owner, 2n)
})

test('the row of a deleted node serves the next one, and starts from nothing', () => {
  const rows = new StatRows()
  const row = rows.take()
  const other = rows.take()
  row.chunk.fill(0xff, row.at, row.at + 60)
  rows.give(row)
  const again = rows.take()
  assert.ok(again.chunk === row.chunk && again.at === row.at)
  assert.ok(again.chunk.subarray(again.at, again.at + 60).every((byte) => byte === 0))
  assert.ok(rows.take().at !== other.at)
  const tree = new DataTree()
  const header = { clientId: 1n, cxid: 0, zxid: 5n, time: 7n }
  const make = { type: 'create', path: '/a', data: 'x', acl: OPEN, parentCversion: -1 } as const
  tree.apply(header, { ...make, owner: 1n })
  const first = tree.get('/a')
  assert.ok(first)
  const { chunk, at } = first
  tree.apply(header, { type: 'setData', path: '/a', data: 'y', version: 3 })
  tree.apply(header, { type: 'delete', path: '/a' })
  assert.equal(first.at, -1)
  tree.apply(header, { ...make, owner: 0n })
  const second = tree.get('/a')
  assert.ok(second?.chunk === chunk && second.at === at)
  assert.deepEqual([second.version, second.owner], [0, 0n])
})

test('a container that gets a child on its way to the disk is spared', () => {
  const tree = new DataTree()
  const preparer = new Preparer(tree)
  const header = { clientId: 1n, cxid: 0, zxid: 1n, time: 7n }
  const content = { data: null, acl: OPEN, parentCversion: -1 }
  tree.apply(header, { type: 'create', path: '/c', owner: CONTAINER_OWNER, ...content })
  tree.apply(header, { type: 'create', path: '/n', owner: 0n, ...content })
  assert.deepEqual([...tree.containers], ['/c'])
  const request = { path: '/c/x', data: null, acl: OPEN, flags: 0 }
  const asker = { session: 1n, identities: [] }
  preparer.write({ type: opcodes.create, request }, asker, 2n)
  assert.deepEqual(preparer.deleteExpired('/c', 3n), { code: errorCodes.NOTEMPTY })
  const removal = { type: opcodes.delete, request: { path: '/c/x', version: -1 } }
  preparer.write(removal, asker, 3n)
  assert.deepEqual(preparer.deleteExpired('/c', 4n), { type: 'delete', path: '/c' })
  assert.deepEqual(preparer.deleteExpired('/c', 5n), { code: errorCodes.NONODE })
  assert.deepEqual(preparer.deleteExpired('/n', 5n), { code: errorCodes.BADVERSION })
  tree.apply(header, { type: 'delete', path: '/c' })
  assert.equal(tree.containers.size, 0)
})

test('a fresh tree has what a fresh Apache ZooKeeper has', () => {
  const tree = new DataTree()
  const shown = [...tree.paths()].map((path) => {
    const node = tree.get(path)
    assert.ok(node)
    return [path, statOf(node).cversion, statOf(node).numChildren, node.aversion]
  })
  assert.deepEqual(shown, [
    ['/', -1, 1, 0],
    ['/zookeeper', -2, 2, 0],
    ['/zookeeper/quota', 0, 0, 0],
    ['/zookeeper/config', 0, 0, -1],
  ])
})

test('what every server has cannot be deleted, nor the root created', () => {
  const preparer = new Preparer(new DataTree())
  const asker = { session: 1n, identities: [] }
  const remove = (path: string) =>
    preparer.write({ type: opcodes.delete, request: { path, version: -1 } }, asker, 1n)
  for (const path of ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config']) {
    assert.deepEqual(remove(path), { code: errorCodes.BADARGUMENTS })
  }
  const request = { path: '/', data: null, acl: OPEN, flags: 0 }
  const created = preparer.write({ type: opcodes.create, request }, asker, 1n)
  assert.deepEqual(created, { code: errorCodes.NODEEXISTS })
})
