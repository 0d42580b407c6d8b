import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  firstSessionId,
  sessionPassword,
  SessionTable,
} from '../../src/zookeeper/server/sessions.ts'
import { WatchTable } from '../../src/zookeeper/server/watches.ts'

const TICK_MS = 100

test('a session expires after its timeout and within a tick, counted from its last touch', () => {
  const touches = fc.array(fc.record({ id: fc.constantFrom(1n, 2n, 3n), after: fc.nat(150) }), {
    maxLength: 40,
  })
  fc.assert(
    fc.property(touches, (steps) => {
      const table = new SessionTable(TICK_MS)
      const timeouts = new Map([
        [1n, 200],
        [2n, 350],
        [3n, 1000],
      ])
      const lastTouch = new Map<bigint, number>()
      let now = 0
      const expire = (): void => {
        for (const { id } of table.expire(now)) {
          const silentMs = now - (lastTouch.get(id) ?? 0)
          assert.ok(silentMs >= (timeouts.get(id) ?? 0), 'too early')
          lastTouch.delete(id)
          table.remove(id)
        }
        for (const [id, touchedAt] of lastTouch) {
          const limit = (timeouts.get(id) ?? 0) + TICK_MS
          assert.ok(now - touchedAt < limit, 'too late')
        }
      }
      for (const { id, after } of steps) {
        now += after
        expire()
        const session = table.get(id)
        if (session === undefined) table.add(id, timeouts.get(id) ?? 0, now)
        else table.touch(session, now)
        lastTouch.set(id, now)
      }
      now += 5000
      for (const { id } of table.expire(now)) table.remove(id)
      assert.equal(table.size, 0)
      assert.equal(table.nextExpiry(), undefined)
    }),
  )
})

test('a closing session is not touched back to life', () => {
  const table = new SessionTable(TICK_MS)
  const session = table.add(1n, 200, 0)
  table.setClosing(session)
  table.touch(session, 100)
  assert.equal(table.nextExpiry(), undefined)
  assert.deepEqual(table.expire(10_000), [])
})

test('session ids carry the server and the time, and fit 64 signed bits', () => {
  // Seen from a ZooKeeper 3.4.8 that was started at this time.
  assert.equal(firstSessionId(0x1a205db47e6, 1n), 0x01a205db47e60000n)
  assert.ok(firstSessionId(2 ** 47, 0xffn) < 0n)
})

test('passwords are those that Apache ZooKeeper derives from the id', () => {
  // Taken from the connect responses of ZooKeeper 3.8.4 and 3.4.8.
  const passwords = [
    [0x100003103c80002n, '248721d3cfca2d724e80c55cc92cb6ba'],
    [0x1a2066234b80002n, '1494e92fffec3abcbe2e54d579126f2f'],
  ] as const
  for (const [id, password] of passwords) {
    assert.equal(sessionPassword(id).toString('hex'), password)
  }
})

test('a watcher of both data and children of a node is told of its end once', () => {
  const table = new WatchTable<string>()
  table.add('data', '/a', 'one')
  table.add('child', '/a', 'one')
  table.add('child', '/a', 'two')
  table.add('data', '/a', 'one')
  assert.equal(table.size, 3)
  const told = table.trigger({ type: 'deleted', path: '/a', acl: [] })
  assert.deepEqual([...told].toSorted(), ['one', 'two'])
  assert.equal(table.size, 0)
  assert.equal(table.trigger({ type: 'deleted', path: '/a', acl: [] }).size, 0)
})

test('a watcher that goes takes its watches along and nobody else his', () => {
  const table = new WatchTable<string>()
  table.add('data', '/a', 'one')
  table.add('data', '/a', 'two')
  table.add('child', '/b', 'one')
  table.removeWatcher('one')
  assert.equal(table.size, 1)
  assert.equal(table.summary().paths, 1)
  const told = table.trigger({ type: 'dataChanged', path: '/a', acl: [] })
  assert.deepEqual([...told], ['two'])
})
