// What framing holds in memory: the pool of large frames and the budget of half-received ones.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ByteBudget } from '../../src/runtime/byte-budget.ts'
import { FramePool } from '../../src/runtime/frame-pool.ts'
import { bodies, deliverSplit, framed, rig } from './support/framing-rig.ts'

describe('the pool of large frames', () => {
  const large = (fill: string): string => fill.repeat(90_000)

  test('changes nothing in what arrives, over several connections in turns', () => {
    fc.assert(
      fc.property(
        fc.array(bodies, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1000, max: 100_000 }),
        (wanted, step) => {
          const pool = new FramePool()
          const rigs = wanted.map(() => rig({ pool }))
          const inputs = wanted.map((some) => framed(...some))
          const longest = Math.max(...inputs.map((input) => input.length))
          for (let at = 0; at < longest; at += step) {
            for (const [index, { connection }] of rigs.entries()) {
              const part = inputs[index]?.subarray(at, at + step)
              if (part !== undefined && part.length > 0) connection.deliver(part)
            }
          }
          assert.deepEqual(
            rigs.map(({ frames }) => frames),
            wanted,
          )
        },
      ),
    )
  })

  test('uses the memory of a finished frame again, within its bounds', () => {
    const pool = new FramePool({ freeBytesMax: 200_000 })
    const { connection, owned } = rig({ pool })
    deliverSplit(connection, framed(large('a')), [50])
    assert.equal(pool.freeBytes, 131_072)
    connection.deliver(framed(large('b')).subarray(0, 50))
    assert.equal(pool.freeBytes, 0)
    connection.deliver(framed(large('b')).subarray(50))
    assert.deepEqual(owned, [false, false])
    const two = [pool.take(90_000), pool.take(90_000)]
    for (const buffer of two) if (buffer !== undefined) pool.giveBack(buffer)
    assert.equal(pool.freeBytes, 131_072)
    assert.equal(pool.take(1000), undefined)
    assert.equal(pool.take(100_000_000), undefined)
  })

  test('gives nothing out again that a closing connection may still read into', () => {
    const pool = new FramePool()
    const { connection, framing } = rig({ pool })
    connection.deliver(framed(large('a')).subarray(0, 50))
    framing.destroy()
    assert.equal(pool.freeBytes, 0)
  })
})

describe('the budget of half-received frames', () => {
  const large = 'x'.repeat(50_000)

  test('makes a connection wait while others use it up, and loses nothing', () => {
    const budget = new ByteBudget(60_000)
    const one = rig({ budget })
    const two = rig({ budget })
    const three = rig({ budget })
    for (const { connection } of [one, two, three])
      connection.deliver(framed(large).subarray(0, 100))
    // The second still found something left; the third did not.
    assert.deepEqual(
      [one, two, three].map((made) => made.connection.paused),
      [false, false, true],
    )
    assert.equal(budget.usedBytes, 100_000)
    one.connection.deliver(framed(large).subarray(100))
    assert.deepEqual(one.frames, [large])
    assert.equal(three.connection.paused, false)
    for (const { connection } of [two, three]) connection.deliver(framed(large).subarray(100))
    assert.deepEqual([two.frames, three.frames], [[large], [large]])
    assert.equal(budget.usedBytes, 0)
  })

  test('lets small frames pass', () => {
    const budget = new ByteBudget(1)
    const one = rig({ budget })
    const two = rig({ budget })
    one.connection.deliver(framed(large).subarray(0, 100))
    deliverSplit(two.connection, framed('small'), [6])
    assert.deepEqual(two.frames, ['small'])
  })

  test('counts a frame until its work is done, or its bytes are dropped', () => {
    const budget = new ByteBudget(60_000)
    const { connection, framing } = rig({ budget, onFrame: (made) => made.framing.hold() })
    deliverSplit(connection, framed(large), [100])
    assert.equal(budget.usedBytes, 50_000)
    framing.dropFrame()
    assert.equal(budget.usedBytes, 0)
    framing.release()
    deliverSplit(connection, framed(large), [100])
    assert.equal(budget.usedBytes, 50_000)
    framing.release()
    assert.equal(budget.usedBytes, 0)
  })

  test('gets everything back from a connection that closes, wherever it stood', () => {
    const budget = new ByteBudget(10_000)
    const partial = rig({ budget })
    const held = rig({ budget, onFrame: (made) => made.framing.hold() })
    const waiting = rig({ budget })
    deliverSplit(held.connection, framed(large), [100])
    partial.connection.deliver(framed(large).subarray(0, 100))
    waiting.connection.deliver(framed(large).subarray(0, 100))
    for (const { connection } of [waiting, held, partial]) connection.receiver?.onClose()
    assert.equal(budget.usedBytes, 0)
    assert.deepEqual(waiting.closes, [undefined])
  })
})
