// The virtual clock, seeded chance, and the faults of the in-memory network.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { VirtualClock } from '../../src/memory/clock.ts'
import { MemoryLogger } from '../../src/memory/logger.ts'
import { MemoryNetwork } from '../../src/memory/network.ts'
import { SeededRandom } from '../../src/memory/random.ts'
import { delay } from '../../src/runtime/clock.ts'
import { NetworkError } from '../../src/runtime/network.ts'
import type { Connection, Network } from '../../src/runtime/network.ts'
import { uuidText } from '../../src/runtime/random.ts'

describe('the virtual clock', () => {
  test('shows each action its own time, and ends where it was told', async () => {
    const clock = new VirtualClock({ startMs: 1000 })
    const seen: number[] = []
    const tick = (): void => {
      seen.push(clock.now())
      if (seen.length < 3) clock.schedule(10, tick)
    }
    clock.schedule(10, tick)
    await clock.advance(25)
    assert.deepEqual(seen, [1010, 1020])
    assert.equal(clock.now(), 1025)
    await clock.runUntilIdle()
    assert.deepEqual(seen, [1010, 1020, 1030])
    assert.equal(clock.now(), 1030)
  })

  test('runs ten thousand actions in the order of time, then number', async () => {
    const clock = new VirtualClock({ startMs: 0 })
    const random = new SeededRandom(1)
    const ran: { at: number; number: number }[] = []
    for (let number = 0; number < 10_000; number += 1) {
      const at = random.below(50)
      const timer = clock.schedule(at, () => ran.push({ at: clock.now(), number }))
      if (number % 10 === 0) timer.cancel()
    }
    await clock.runUntilIdle()
    assert.equal(ran.length, 9000)
    const sorted = ran.toSorted((x, y) => x.at - y.at || x.number - y.number)
    assert.deepEqual(ran, sorted)
  })

  test('until gives the outcome, and says when nothing is left that could bring it', async () => {
    const clock = new VirtualClock()
    assert.equal(await clock.until(delay(clock, 5000).then(() => 'done')), 'done')
    await assert.rejects(clock.until(Promise.reject(new Error('failed'))), /failed/)
    await assert.rejects(clock.until(new Promise(() => {})), /nothing is left to happen/)
  })

  test('the wall clock may jump while durations go on', async () => {
    const clock = new VirtualClock({ startMs: 1000 })
    clock.shiftWallClock(-500)
    await clock.advance(10)
    assert.equal(clock.now(), 510)
    assert.equal(clock.monotonicMs(), 10)
  })
})

test('seeded chance repeats under one seed, differs under another, and covers its range', () => {
  const draw = (seed: number): number[] => {
    const random = new SeededRandom(seed)
    return Array.from({ length: 1000 }, () => random.below(10))
  }
  assert.deepEqual(draw(1), draw(1))
  assert.notDeepEqual(draw(1), draw(2))
  assert.equal(new Set(draw(3)).size, 10)
  const large = Array.from({ length: 100 }, (_, seed) => new SeededRandom(seed).below(2 ** 48))
  assert.ok(large.some((value) => value > 2 ** 47) && large.every((value) => value < 2 ** 48))
  assert.match(uuidText(new SeededRandom(4)), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]/)
})

test('the memory logger keeps what its children say', () => {
  const logger = new MemoryLogger()
  logger.named('kafka.server.KafkaServer', 'KafkaServer id=0').info('started')
  logger.debug('detail')
  assert.deepEqual(logger.texts(), ['INFO [KafkaServer id=0] started'])
  assert.equal(logger.lines[0]?.name, 'kafka.server.KafkaServer')
})

interface World {
  readonly clock: VirtualClock
  readonly network: MemoryNetwork
  readonly one: Network
  readonly two: Network
}

function world(): World {
  const clock = new VirtualClock()
  const network = new MemoryNetwork({ clock, random: new SeededRandom(1) }, { latencyMs: 2 })
  return { clock, network, one: network.host('one'), two: network.host('two') }
}

async function joined({ clock, one, two }: World): Promise<{
  near: Connection
  far: Connection
  heard: string[]
  nearEvents: string[]
}> {
  const heard: string[] = []
  const nearEvents: string[] = []
  const accepted: Connection[] = []
  await two.listen({ host: '', port: 9092 }, (connection) => {
    accepted.push(connection)
    connection.start({
      onData: (chunk) => void heard.push(chunk.toString()),
      onClose: (error) => void heard.push(`close ${error?.code ?? ''}`),
    })
  })
  const near = await clock.until(one.connect({ host: 'two', port: 9092 }))
  near.start({
    onData: (chunk) => void nearEvents.push(chunk.toString()),
    onClose: (error) => void nearEvents.push(`close ${error?.code ?? ''}`),
  })
  const [far] = accepted
  assert.ok(far !== undefined)
  return { near, far, heard, nearEvents }
}

describe('the in-memory network', () => {
  test('hosts reach each other by name and address, not each other as localhost', async () => {
    const { clock, one, two } = world()
    await two.listen({ host: '0.0.0.0', port: 9092 }, (connection) => connection.destroy())
    const connection = await clock.until(one.connect({ host: 'two', port: 9092 }))
    await clock.until(one.connect({ host: connection.remoteAddress, port: 9092 }))
    const refused = (code: string) => (error: unknown) =>
      error instanceof NetworkError && error.code === code
    for (const [host, code] of [
      ['localhost', 'ECONNREFUSED'],
      ['nowhere', 'ENOTFOUND'],
    ] as const) {
      await assert.rejects(clock.until(one.connect({ host, port: 9092 })), refused(code))
    }
  })

  test('a one-way cut holds one direction back, and healing brings all of it', async () => {
    const made = world()
    const { near, far, heard, nearEvents } = await joined(made)
    made.network.cut('one', 'two')
    near.write(Buffer.from('a'))
    far.write(Buffer.from('b'))
    await made.clock.advance(60_000)
    assert.deepEqual(heard, [])
    assert.deepEqual(nearEvents, ['b'])
    await assert.rejects(
      made.clock.until(made.one.connect({ host: 'two', port: 9092, timeoutMs: 100 })),
      (error) => error instanceof NetworkError && error.code === 'ETIMEDOUT',
    )
    near.write(Buffer.from('c'))
    made.network.heal('one', 'two')
    await made.clock.advance(10)
    assert.equal(heard.join(''), 'ac')
  })

  test('a reset breaks both ends; a dead host is reset for its peers and hears nothing', async () => {
    const first = world()
    const broken = await joined(first)
    first.network.reset('one', 'two')
    await first.clock.settle()
    assert.deepEqual(broken.heard, ['close ECONNRESET'])
    assert.deepEqual(broken.nearEvents, ['close ECONNRESET'])
    const second = world()
    const killed = await joined(second)
    second.network.killHost('two')
    await second.clock.settle()
    assert.deepEqual(killed.heard, [])
    assert.deepEqual(killed.nearEvents, ['close ECONNRESET'])
  })

  test('what a turn writes arrives as one chunk, and a kept chunk is overwritten', async () => {
    const { clock, one, two } = world()
    const kept: Buffer[] = []
    await two.listen({ host: '', port: 9092 }, (connection) => {
      connection.start({ onData: (chunk) => void kept.push(chunk), onClose() {} })
    })
    const near = await clock.until(one.connect({ host: 'two', port: 9092 }))
    near.start({ onData() {}, onClose() {} })
    for (const part of ['a', 'bc', 'd']) near.write(Buffer.from(part))
    await clock.advance(10)
    assert.deepEqual(
      kept.map((chunk) => chunk.length),
      [4],
    )
    assert.deepEqual(kept[0], Buffer.alloc(4, 0xdb))
  })

  test('the same seed splits the same stream at the same places', async () => {
    const lengths = async (seed: number): Promise<number[]> => {
      const clock = new VirtualClock()
      const network = new MemoryNetwork(
        { clock, random: new SeededRandom(seed) },
        { splitChunks: true },
      )
      const found: number[] = []
      await network.listen({ host: '', port: 1 }, (connection) => {
        connection.start({ onData: (chunk) => void found.push(chunk.length), onClose() {} })
      })
      const near = await clock.until(network.connect({ host: 'localhost', port: 1 }))
      near.start({ onData() {}, onClose() {} })
      near.write(Buffer.alloc(100_000))
      await clock.runUntilIdle()
      return found
    }
    const first = await lengths(1)
    assert.ok(first.length > 3)
    assert.deepEqual(await lengths(1), first)
    assert.notDeepEqual(await lengths(2), first)
  })
})
