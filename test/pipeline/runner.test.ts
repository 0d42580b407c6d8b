// Goal: events are acknowledged once and in whole pieces, memory is bounded, order is kept. Method:
// outputs that answer when told to.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PipelineEvent } from '../../src/events/event.ts'
import { Timestamp } from '../../src/events/values.ts'
import { type Sink, defineInput, defineOutput } from '../../src/pipeline/plugin.ts'
import { testPorts } from './support/ports.ts'
import { prepare } from './support/run.ts'

function eventsOf(from: number, count: number): PipelineEvent[] {
  return Array.from({ length: count }, (_, index) =>
    PipelineEvent.ofData({ n: from + index }, new Timestamp(0)),
  )
}

function inputOf(run: (sink: Sink) => Promise<void>) {
  return new Map([
    ['given', defineInput({ name: 'given', options: {}, build: () => ({ run, stop() {} }) })],
  ])
}

/** Keeps batches until they are released. */
function heldOutput() {
  const batches: { readonly numbers: unknown[]; readonly release: () => void }[] = []
  const held = defineOutput({
    name: 'held',
    options: {},
    build: () => ({
      write(events) {
        const { promise, resolve } = Promise.withResolvers<void>()
        batches.push({ numbers: events.map(({ data }) => data['n']), release: resolve })
        return promise
      },
    }),
  })
  return { batches, output: new Map([['held', held]]) }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a full queue holds the input back until outputs take batches', async () => {
  const { batches, output } = heldOutput()
  let offered = 0
  const input = inputOf(async (sink) => {
    for (; offered < 20; offered += 1) await sink.offer(eventsOf(offered * 500, 500))
  })
  const runner = prepare('input { given {} } output { held {} }', testPorts(), {
    table: { input, output },
    settings: { workers: 1, batchSize: 500 },
  })
  const running = runner.run()
  await turn()
  assert.ok(offered < 5, `${offered} chunks of 500 were taken while nothing was acknowledged`)
  assert.ok(runner.unacknowledged <= 2500)
  for (let released = 0; offered < 20 || runner.unacknowledged > 0; ) {
    for (; released < batches.length; released += 1) batches[released]?.release()
    await turn()
  }
  assert.equal(await running, 0)
  assert.deepEqual(
    batches.flatMap(({ numbers }) => numbers),
    Array.from({ length: 10_000 }, (_, index) => index),
  )
  assert.equal(runner.counts.out, 10_000)
})

test('a piece is acknowledged when its last event is, dropped ones included', async () => {
  const { batches, output } = heldOutput()
  const acknowledged: string[] = []
  const input = inputOf(async (sink) => {
    await sink.offer(eventsOf(0, 3), () => acknowledged.push('first'))
    await sink.offer(eventsOf(3, 1), () => acknowledged.push('dropped'))
    await sink.offer([], () => acknowledged.push('empty'))
  })
  const runner = prepare(
    'input { given {} } filter { if [n] == 3 { drop {} } } output { held {} }',
    testPorts(),
    { table: { input, output }, settings: { batchSize: 2 } },
  )
  const running = runner.run()
  await turn()
  assert.equal(acknowledged.includes('first'), false)
  for (const { release } of batches) release()
  assert.equal(await running, 0)
  assert.deepEqual(acknowledged.toSorted(), ['dropped', 'empty', 'first'])
})

test('an output that fails for good ends the pipeline with its error', async () => {
  const failing = defineOutput({
    name: 'failing',
    options: {},
    build: () => ({ write: () => Promise.reject(new Error('for good')) }),
  })
  const input = inputOf(async (sink) => {
    await sink.offer(eventsOf(0, 1))
  })
  const runner = prepare('input { given {} } output { failing {} }', testPorts(), {
    table: { input, output: new Map([['failing', failing]]) },
  })
  await assert.rejects(runner.run(), /for good/)
})

test('events keep their order through branches, and reach the outputs of theirs', async () => {
  const ports = testPorts()
  ports.stdin.end([1, 2, 3, 4, 5, 6].map((n) => `{"n":${n}}\n`).join(''))
  await prepare(
    `input { stdin { codec => json } }
     filter {
       if [n] < 3 { mutate { add_field => { "size" => "small" } } }
       else if [n] == 4 { drop {} }
       else { mutate { add_field => { "size" => "large" } } }
     }
     output { stdout { codec => line { format => "%{n} %{size}" } } if [n] > 4 { stdout { codec => dots } } }`,
    ports,
  ).run()
  assert.equal(ports.written(), '1 small\n2 small\n3 large\n5 large\n6 large\n..')
})

test('the generator makes as many events as it is told to', async () => {
  const ports = testPorts()
  const runner = prepare(
    'input { generator { lines => ["a", "b"] count => 300 type => "g" } } output { null {} }',
    ports,
  )
  await runner.run()
  assert.deepEqual([runner.counts.in, runner.counts.out], [600, 600])
})

test('an output that fails while it is handed the last events fails the run, with its own error', async () => {
  const failing = defineOutput({
    name: 'failing',
    options: {},
    build: () => ({
      write() {
        throw new RangeError('cannot be printed')
      },
    }),
  })
  const input = inputOf(async (sink) => {
    await sink.offer(eventsOf(0, 1))
  })
  const runner = prepare('input { given {} } output { failing {} }', testPorts(), {
    table: { input, output: new Map([['failing', failing]]) },
  })
  await assert.rejects(runner.run(), { name: 'RangeError', message: 'cannot be printed' })
})
