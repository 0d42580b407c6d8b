import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { append, memoryWorld } from './harness.ts'
import { searchMaxTimestamp } from '../../src/storage/time-search.ts'

describe('look-up by time', () => {
  it('finds the first record at or above a timestamp, in any order of timestamps', async () => {
    const batches = fc.array(
      fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 4 }),
      {
        minLength: 1,
        maxLength: 60,
      },
    )
    const codec = fc.constantFrom('none' as const, 'gzip' as const, 'zstd' as const)
    await fc.assert(
      fc.asyncProperty(batches, codec, fc.boolean(), async (plan, compression, restart) => {
        const world = memoryWorld()
        const directory = await world.open()
        let log = directory.create('t', 0)
        const times: number[] = []
        for (const timestamps of plan) {
          times.push(...timestamps)
          const lines = timestamps.map((timestamp) => ({ value: 'v'.repeat(50), timestamp }))
          append(log, lines, { codec: compression })
        }
        if (restart) {
          await directory.close(true)
          log = (await world.open()).create('t', 0)
        }
        for (const timestamp of [0, 1, 57, 200, 399, 400, 401]) {
          const expected = times.findIndex((time) => time >= timestamp)
          const found = await log.offsetForTimestamp(timestamp, times.length)
          assert.deepEqual(
            found,
            expected < 0
              ? undefined
              : { offset: expected, timestamp: times[expected], leaderEpoch: 0 },
          )
          const bound = Math.floor(times.length / 2)
          const bounded = await log.offsetForTimestamp(timestamp, bound)
          assert.equal(bounded?.offset, expected >= 0 && expected < bound ? expected : undefined)
        }
        const latest = Math.max(...times)
        const newest = await searchMaxTimestamp([...log.segments.all], {
          from: log.logStartOffset,
          upTo: log.logEndOffset,
        })
        assert.deepEqual(newest, {
          offset: times.indexOf(latest),
          timestamp: latest,
          leaderEpoch: 0,
        })
      }),
      { numRuns: 100 },
    )
  })
})
