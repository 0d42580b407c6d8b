import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { append, memoryWorld, readValues } from './harness.ts'

describe('truncation', () => {
  it('leaves what lies before the offset, and lets the log go on there', async () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({
          append: fc.integer({ min: 1, max: 3 }),
          epochs: fc.integer({ min: 0, max: 1 }),
        }),
        fc.record({ truncate: fc.double({ min: 0, max: 1, noNaN: true }) }),
      ),
      { minLength: 1, maxLength: 80 },
    )
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), async (plan, clean) => {
        const world = memoryWorld()
        const directory = await world.open()
        const log = directory.create('t', 0)
        let model: { line: string; base: number; epoch: number }[] = []
        let epoch = 0
        for (const [number, step] of plan.entries()) {
          if ('append' in step) {
            epoch += step.epochs
            const base = log.logEndOffset
            const lines = Array.from({ length: step.append }, (_, at) =>
              `${number}.${at}`.padEnd(90),
            )
            append(log, lines, {}, { leaderEpoch: epoch })
            lines.forEach((value, at) => model.push({ line: `${base + at}:${value}`, base, epoch }))
          } else {
            const target = Math.floor(step.truncate * log.logEndOffset)
            const end = log.logEndOffset
            await log.truncateTo(target)
            if (target >= end) continue
            // The batch that holds the offset goes as a whole, so that no gap remains.
            const offsetOf = (line: string) => Number(line.split(':')[0])
            const cut = model.find((entry) => offsetOf(entry.line) >= target)?.base ?? target
            model = model.filter((entry) => offsetOf(entry.line) < cut)
            assert.equal(log.logEndOffset, cut)
          }
        }
        const lines = model.map((entry) => entry.line)
        assert.deepEqual(readAll(log), lines)
        assert.equal(log.logEndOffset, lines.length)
        const latest = model.at(-1)?.epoch ?? -1
        assert.ok(log.leaderEpochs.latestEpoch >= latest)
        await directory.close(clean)
        const again = (await world.open()).create('t', 0)
        assert.deepEqual(readAll(again), lines)
        const next = append(again, ['next'], {}, { leaderEpoch: epoch + 1 })
        assert.equal(readAll(again).at(-1), `${next.baseOffset}:next`)
        assert.equal(again.leaderEpochs.latestEpoch, epoch + 1)
      }),
      { numRuns: 150 },
    )
  })

  it('starts anew at an offset and keeps nothing', async () => {
    const world = memoryWorld()
    const directory = await world.open()
    const log = directory.create('t', 0)
    for (let index = 0; index < 60; index++) append(log, ['x'.repeat(60)])
    await log.truncateFullyAndStartAt(500)
    assert.deepEqual([log.logStartOffset, log.logEndOffset, log.highWatermark], [500, 500, 500])
    assert.equal(log.leaderEpochs.latestEpoch, -1)
    assert.equal(append(log, ['a'], {}, { leaderEpoch: 4 }).baseOffset, 500)
    await directory.close(true)
    const again = (await world.open()).create('t', 0)
    assert.deepEqual(readValues(again, 500), ['500:a'])
    assert.equal(again.logStartOffset, 500)
  })

  it('forgets an epoch that saw no record, even where nothing is to be cut (KAFKA-10706)', async () => {
    const log = (await memoryWorld().open()).create('t', 0)
    append(log, ['a'], {}, { leaderEpoch: 2 })
    log.beginEpoch(5)
    assert.equal(log.leaderEpochs.latestEpoch, 5)
    await log.truncateTo(log.logEndOffset)
    assert.equal(log.leaderEpochs.latestEpoch, 2)
  })

  it('notes no epochs where records cannot carry them (KAFKA-7897)', async () => {
    const log = (await memoryWorld().open()).create('t', 0)
    append(log, ['a'], {}, { leaderEpoch: 2 })
    log.settings = { ...log.settings, messageFormat: 1 }
    log.beginEpoch(3)
    assert.equal(log.leaderEpochs.latestEpoch, -1)
    assert.equal(log.logEndOffset, 1)
  })
})

function readAll(log: Parameters<typeof readValues>[0]): string[] {
  return readValues(log, log.logStartOffset)
}
