// Kills the shipper at any moment of a scripted run, again and again: what the files held is in the
// topic, in order; some of it perhaps twice.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { World, seeded } from './support/world.ts'

const config = [
  'filebeat.inputs:',
  '- { type: log, paths: ["/logs/*.log*"], scan_frequency: 1s }',
  'queue.mem.events: 32',
  '',
].join('\n')

type Step =
  | { readonly kind: 'write'; readonly file: number; readonly lines: number }
  | { readonly kind: 'partial'; readonly file: number }
  | { readonly kind: 'rotate'; readonly file: number }
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'keep'; readonly count: number; readonly isAnswered: boolean }
  | { readonly kind: 'kill' }
  | { readonly kind: 'stop' }

const file = fc.integer({ min: 0, max: 2 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      file,
      lines: fc.integer({ min: 1, max: 60 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('partial' as const), file }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rotate' as const), file }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('time' as const),
      ms: fc.integer({ min: 0, max: 1500 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('keep' as const),
      count: fc.integer({ min: 1, max: 50 }),
      isAnswered: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'kill' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'stop' as const }) },
)

/** Each generation of a log file is one stream of lines. */
class Writer {
  readonly #world: World
  readonly written = new Map<string, string[]>()
  readonly #generation = [0, 0, 0]
  #number = 0

  constructor(world: World) {
    this.#world = world
  }

  #stream(index: number): string {
    return `${index}.${this.#generation[index]}`
  }

  write(index: number, lines: number): void {
    for (let count = 0; count < lines; count += 1) {
      this.#number += 1
      const stream = this.#stream(index)
      const message = `${stream} ${this.#number}`
      this.written.set(stream, [...(this.written.get(stream) ?? []), message])
      this.#world.append(`/logs/${index}.log`, `${message}\n`)
    }
  }

  /** Half a line now, the other half with the rest of a line. */
  partial(index: number): void {
    this.#number += 1
    const stream = this.#stream(index)
    const message = `${stream} ${this.#number}`
    this.written.set(stream, [...(this.written.get(stream) ?? []), message])
    this.#world.append(`/logs/${index}.log`, message.slice(0, 3))
    this.#world.append(`/logs/${index}.log`, `${message.slice(3)}\n`)
  }

  rotate(index: number): void {
    const path = `/logs/${index}.log`
    if (this.#world.disk.stat(path) === undefined) return
    this.#world.disk.rename(path, `${path}.${this.#generation[index]}`)
    this.#generation[index] = (this.#generation[index] ?? 0) + 1
  }
}

async function take(world: World, writer: Writer, next: Step): Promise<void> {
  switch (next.kind) {
    case 'write':
      return writer.write(next.file, next.lines)
    case 'partial':
      return writer.partial(next.file)
    case 'rotate':
      return writer.rotate(next.file)
    case 'time':
      return world.run(next.ms)
    case 'keep':
      // An answer that is lost stands for one that is still on its way at the next kill.
      return world.producer.keep(next.count, next.isAnswered)
    case 'kill':
      world.kill()
      return world.start(config, { answers: 'when told', chunkBytes: 512 })
    case 'stop': {
      const { producer } = world
      const stopped = world.shipper.stop()
      await world.run(10)
      producer.keep(1000)
      await world.clock.until(stopped)
      world.kill()
      return world.start(config, { answers: 'when told', chunkBytes: 512 })
    }
  }
}

test('no line is lost and none overtakes another of its file, whenever the process dies', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const world = new World()
      const writer = new Writer(world)
      await world.start(config, { answers: 'when told', chunkBytes: 512 })
      for (const next of steps) await take(world, writer, next)
      // Lost answers: only a new process sends those again.
      world.kill()
      await world.start(config, { chunkBytes: 512 })
      await world.run(5000)
      assert.deepEqual(world.logger.texts('ERROR'), [])
      for (const [stream, expected] of writer.written) {
        const sent = world.messages.filter((message) => message.startsWith(`${stream} `))
        // A repeat goes back and comes again; first sight is in order.
        assert.deepEqual([...new Set(sent)], expected)
        let last = 0
        for (const message of sent) {
          const place = expected.indexOf(message)
          assert.ok(place <= last, `${message} was sent before what stands in front of it`)
          last = Math.max(last, place + 1)
        }
      }
    }),
    { numRuns: 60 },
  )
})

test('what was acknowledged and recorded is not sent again', async () => {
  const world = new World()
  const writer = new Writer(world)
  writer.write(0, 500)
  await world.start(config)
  await world.run(3000)
  world.kill()
  await world.start(config)
  await world.run(3000)
  assert.deepEqual(world.messages, writer.written.get('0.0'))
})

test('after a power loss the registry is an earlier one, and no line is lost', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const world = new World()
    const writer = new Writer(world)
    writer.write(0, 300)
    world.disk.syncAll()
    await world.start(config, { answers: 'when told', chunkBytes: 512 })
    for (let round = 0; round < seed; round += 1) {
      await world.run(37)
      world.producer.keep(16)
    }
    world.kill()
    world.disk.crash(seeded(seed))
    await world.start(config)
    await world.run(3000)
    assert.deepEqual([...new Set(world.messages)], writer.written.get('0.0'))
  }
})
