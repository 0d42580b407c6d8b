// Framing: over a connection of the test's own, and over the in-memory network.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { VirtualClock } from '../../src/memory/clock.ts'
import { MemoryNetwork } from '../../src/memory/network.ts'
import { SeededRandom } from '../../src/memory/random.ts'
import { ByteBudget } from '../../src/runtime/byte-budget.ts'
import { Framing } from '../../src/runtime/framing.ts'
import { bodies, deliverSplit, framed, rig } from './support/framing-rig.ts'

describe('framing', () => {
  test('gives the same frames however the input is split', () => {
    fc.assert(
      fc.property(bodies, fc.array(fc.nat(400_000), { maxLength: 12 }), (wanted, cuts) => {
        const { connection, frames } = rig()
        deliverSplit(connection, framed(...wanted), cuts)
        assert.deepEqual(frames, wanted)
      }),
    )
  })

  test('gives the same frames byte by byte', () => {
    const wanted = ['', 'a', 'hello', '', 'x'.repeat(700)]
    const { connection, frames } = rig()
    for (const byte of framed(...wanted)) connection.deliver(Buffer.of(byte))
    assert.deepEqual(frames, wanted)
  })

  test('loses nothing when the owner holds after each frame and releases later', () => {
    fc.assert(
      fc.property(bodies, fc.array(fc.nat(400_000), { maxLength: 12 }), (wanted, cuts) => {
        const made = rig({ onFrame: ({ framing }) => framing.hold() })
        const { connection, framing, frames } = made
        const bytes = framed(...wanted)
        const ends = cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b)
        let at = 0
        for (const end of [...ends, bytes.length]) {
          while (connection.paused) {
            const before = frames.length
            framing.release()
            assert.ok(frames.length <= before + 1)
          }
          connection.deliver(bytes.subarray(at, end))
          at = end
        }
        for (let round = 0; round <= wanted.length; round += 1) framing.release()
        assert.deepEqual(frames, wanted)
        assert.equal(connection.paused, false)
      }),
    )
  })

  test('hands whole frames out in place, and split ones in memory of their own', () => {
    const { connection, owned } = rig()
    connection.deliver(framed('whole', 'whole too'))
    deliverSplit(connection, framed('split'), [6])
    deliverSplit(connection, framed('y'.repeat(90_000)), [50])
    assert.deepEqual(owned, [false, false, true, true])
  })

  test('one request in flight: the next frame waits for the release', () => {
    const { connection, framing, frames } = rig({ onFrame: (made) => made.framing.hold() })
    connection.deliver(framed('one', 'two', 'three'))
    assert.deepEqual(frames, ['one'])
    framing.release()
    assert.deepEqual(frames, ['one', 'two'])
    framing.release()
    framing.release()
    assert.deepEqual(frames, ['one', 'two', 'three'])
    assert.equal(connection.paused, false)
  })

  test('behind a held frame a little is read, so that the end of the peer is heard of', () => {
    const { connection, framing, frames } = rig({ onFrame: (made) => made.framing.hold() })
    connection.deliver(framed('one', 'two'))
    assert.equal(connection.paused, false)
    connection.deliver(framed('y'.repeat(20_000)))
    assert.equal(connection.paused, true)
    framing.release()
    framing.release()
    framing.release()
    assert.equal(frames.length, 3)
    assert.equal(connection.paused, false)
    // In many pieces it is not much to read, but much to copy.
    connection.deliver(framed('held'))
    for (let piece = 0; piece < 17; piece += 1) connection.deliver(Buffer.from([0]))
    assert.equal(connection.paused, true)
  })

  test('a release within the call is no hold at all', () => {
    const { connection, frames } = rig({
      onFrame: ({ framing }) => {
        framing.hold()
        framing.release()
      },
    })
    connection.deliver(framed('one', 'two'))
    assert.deepEqual(frames, ['one', 'two'])
    assert.equal(connection.paused, false)
  })

  test('the peer that ended its side still gets its answer first', () => {
    const { connection, framing } = rig({ onFrame: (made) => made.framing.hold() })
    connection.deliver(framed('one'))
    connection.receiver?.onEnd?.()
    assert.deepEqual(connection.calls, [])
    framing.release()
    assert.deepEqual(connection.calls, ['end'])
  })

  test('an oversize or negative size closes before anything is allocated', () => {
    for (const [size, kind] of [
      [1_000_001, 'oversize'],
      [0x73727672, 'oversize'],
      [-1, 'negative'],
      [-(2 ** 31), 'negative'],
    ] as const) {
      for (const cut of [0, 2]) {
        const budget = new ByteBudget(10)
        const { connection, frames, problems } = rig({ budget })
        const bytes = framed('fine', 'x')
        bytes.writeInt32BE(size, 8)
        deliverSplit(connection, bytes, [8 + cut])
        assert.deepEqual(frames, ['fine'])
        assert.deepEqual(problems, [{ kind, sizeBytes: size }])
        assert.deepEqual(connection.calls, ['end'])
        assert.equal(budget.usedBytes, 0)
        connection.deliver(framed('ignored'))
        assert.deepEqual(frames, ['fine'])
      }
    }
  })

  test('no input whatever makes it throw, and the frames never exceed the input', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 10 }), (chunks) => {
        const { connection, frames } = rig({ limitBytes: 64 })
        for (const chunk of chunks) connection.deliver(Buffer.from(chunk))
        const received = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
        assert.ok(frames.reduce((sum, frame) => sum + frame.length + 4, 0) <= received)
      }),
    )
  })

  test('a handler that closes in the middle of a chunk hears no more of it', () => {
    const { connection, frames } = rig({ onFrame: (made) => made.framing.destroy() })
    connection.deliver(framed('one', 'two'))
    assert.deepEqual(frames, ['one'])
    assert.deepEqual(connection.calls, ['destroy'])
  })
})

describe('the slow-frame guard', () => {
  test('closes a connection that begins a frame and does not complete it', async () => {
    for (const partial of [framed('hello').subarray(0, 3), framed('hello').subarray(0, 6)]) {
      const { connection, clock, problems } = rig({ slowFrameMs: 1000 })
      connection.deliver(partial)
      await clock.advance(999)
      assert.equal(problems.length, 0)
      await clock.advance(1)
      assert.equal(problems[0]?.kind, 'slow')
      assert.deepEqual(connection.calls, ['end'])
    }
  })

  test('leaves a connection alone that completes its frames, and one that is idle', async () => {
    const { connection, clock, problems, frames } = rig({ slowFrameMs: 1000 })
    for (let round = 0; round < 10; round += 1) {
      connection.deliver(framed('hello').subarray(0, 5))
      await clock.advance(600)
      connection.deliver(framed('hello').subarray(5))
      await clock.advance(100)
    }
    await clock.advance(10_000)
    assert.equal(frames.length, 10)
    assert.deepEqual(problems, [])
  })

  test('does not count the time in which we held the connection back', async () => {
    const { connection, clock, framing, problems, frames } = rig({
      slowFrameMs: 1000,
      onFrame: (made) => made.framing.hold(),
    })
    connection.deliver(Buffer.concat([framed('one'), framed('two').subarray(0, 5)]))
    await clock.advance(5000)
    framing.release()
    await clock.advance(900)
    connection.deliver(framed('two').subarray(5))
    assert.deepEqual(frames, ['one', 'two'])
    assert.deepEqual(problems, [])
  })
})

test('framing and the in-memory network: requests are answered in order, one in flight', async () => {
  for (let seed = 0; seed < 20; seed += 1) {
    const clock = new VirtualClock()
    const random = new SeededRandom(seed)
    const network = new MemoryNetwork({ clock, random }, { splitChunks: true })
    const ports = { clock, budget: new ByteBudget(50_000) }
    const settings = { limitBytes: 100_000, slowFrameMs: 10_000 }
    const listener = await network.listen({ host: '', port: 9092 }, (connection) => {
      const framing = new Framing(connection, ports, settings, {
        onFrame(buffer, start, end) {
          const answer = Buffer.from(buffer.subarray(start, end))
          framing.hold()
          clock.schedule(random.below(5), () => {
            connection.write(framed(answer.toString('latin1')))
            framing.release()
          })
        },
        onClose() {},
      })
    })
    const client = await clock.until(network.connect({ host: 'localhost', port: listener.port }))
    const wanted = Array.from({ length: 30 }, (_, index) => `${index}:`.repeat(random.below(9000)))
    const answers: string[] = []
    const done = new Promise<void>((resolve) => {
      new Framing(client, ports, settings, {
        onFrame(buffer, start, end) {
          answers.push(buffer.toString('latin1', start, end))
          if (answers.length === wanted.length) resolve()
        },
        onClose() {},
      })
    })
    for (const body of wanted) client.write(framed(body))
    await clock.until(done)
    assert.deepEqual(answers, wanted)
    assert.equal(ports.budget.usedBytes, 0)
  }
})
