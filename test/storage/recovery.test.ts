/**
 * Goal: after any crash a log holds exactly the whole batches before the first damaged or missing
 * byte, and never less than what was made durable. Method: cut, flip and crash at generated places,
 * open, compare with a list of what was appended.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { MemoryDisk } from '../../src/memory/disk.ts'
import { SeededRandom } from '../../src/memory/random.ts'
import type { PartitionLog } from '../../src/storage/partition-log.ts'
import { append, memoryWorld, readValues, type World } from './harness.ts'

/** Appends `count` batches of one to three records; returns the first offset of each, and the end. */
function fill(log: PartitionLog, count: number, seed: number): number[] {
  const random = new SeededRandom(seed)
  const starts: number[] = []
  for (let index = 0; index < count; index++) {
    const lines = Array.from({ length: 1 + random.below(3) }, (_, at) => ({
      value: `${index}/${at} `.padEnd(1 + random.below(120), '.'),
      timestamp: 1000 + index * 10 + random.below(30),
    }))
    starts.push(append(log, lines).baseOffset)
  }
  starts.push(log.logEndOffset)
  return starts
}

interface Stored {
  readonly path: string
  readonly size: number
}

function logFiles(world: World<MemoryDisk>): Stored[] {
  return world.disk
    .list('/logs/t-0')
    .filter((entry) => entry.name.endsWith('.log'))
    .map((entry) => `/logs/t-0/${entry.name}`)
    .sort()
    .map((path) => ({ path, size: world.disk.stat(path)?.size ?? 0 }))
}

/** Every record is found by reading, and by its time. */
async function checkWhole(log: PartitionLog, expected: readonly string[]): Promise<void> {
  assert.deepEqual(readValues(log, log.logStartOffset), expected)
  for (const timestamp of [0, 1105, 1333, 1600]) {
    const found = await log.offsetForTimestamp(timestamp, log.logEndOffset)
    if (found !== undefined) assert.ok(found.timestamp >= timestamp)
  }
}

describe('recovery', () => {
  it('keeps exactly the whole batches before a cut at any byte', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 0, max: 2 ** 31 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (count, seed, where) => {
          const world = memoryWorld()
          const directory = await world.open()
          const log = directory.create('t', 0)
          const starts = fill(log, count, seed)
          const before = readValues(log, 0)
          directory.flushGathered()
          const files = logFiles(world)
          const total = files.reduce((sum, file) => sum + file.size, 0)
          let cut = Math.floor(where * total)
          world.disk.killProcess()
          let victim = 0
          while ((files[victim]?.size ?? 0) < cut) {
            cut -= files[victim]?.size ?? 0
            victim += 1
          }
          // A kill at that byte: later segments did not exist yet, though their indexes may linger.
          for (const later of files.slice(victim + 1)) world.disk.remove(later.path)
          const file = world.disk.open(files[victim]?.path ?? '', 'readWrite')
          file.truncate(cut)
          file.close()
          const again = (await world.open()).get('t', 0)
          assert.ok(again !== undefined)
          const end = again.logEndOffset
          // The end is where a batch begins, and all before it is there.
          assert.equal(
            logFiles(world).reduce((sum, each) => sum + each.size, 0),
            again.segments.sizeBytes(),
          )
          await checkWhole(again, before.slice(0, end))
          // Nothing whole was given up: what is missing of the bytes is less than the next batch.
          assert.ok(starts.includes(end) && again.segments.sizeBytes() <= Math.floor(where * total))
          const lost = Math.floor(where * total) - again.segments.sizeBytes()
          assert.equal(
            lost > 0,
            world.logger.lines.some((line) => /invalid messages/.test(line.message)),
          )
          assert.equal(append(again, ['more']).baseOffset, end)
          assert.equal(readValues(again, end).join(), `${end}:more`)
        },
      ),
      { numRuns: 150 },
    )
  })

  it('cuts at the first batch with a flipped bit and drops the segments after it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 10, max: 60 }),
        fc.integer({ min: 0, max: 2 ** 31 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        async (count, seed, where) => {
          const world = memoryWorld()
          const directory = await world.open()
          const log = directory.create('t', 0)
          fill(log, count, seed)
          const before = readValues(log, 0)
          directory.flushGathered()
          world.disk.killProcess()
          const files = logFiles(world)
          const victim = files[Math.floor(where * files.length)]
          assert.ok(victim !== undefined)
          // Bytes 12 to 15 of a batch, its leader epoch, are under no checksum.
          const position = Math.floor(where * 7919 * victim.size) % victim.size
          world.disk.flipBits(victim.path, position, 4)
          const again = (await world.open()).get('t', 0)
          assert.ok(again !== undefined)
          const kept = readValues(again, 0)
          assert.deepEqual(kept, before.slice(0, kept.length))
          assert.equal(again.logEndOffset, kept.length)
          assert.equal(append(again, ['more']).baseOffset, kept.length)
        },
      ),
      { numRuns: 100 },
    )
  })

  it('never loses what was synced when the power fails', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 0, max: 2 ** 31 }),
        async (synced, more, seed) => {
          const world = memoryWorld()
          const directory = await world.open()
          const log = directory.create('t', 0)
          fill(log, synced, seed)
          await log.sync()
          const durable = log.recoveryPoint
          assert.equal(durable, log.logEndOffset)
          if (seed % 2 === 0) await directory.checkpoint()
          fill(log, more, seed + 1)
          const before = readValues(log, 0)
          world.disk.crash(new SeededRandom(seed))
          const again = (await world.open()).get('t', 0)
          assert.ok(again !== undefined)
          const kept = readValues(again, 0)
          assert.ok(kept.length >= durable, `${kept.length} of ${durable} durable records`)
          assert.deepEqual(kept, before.slice(0, kept.length))
        },
      ),
      { numRuns: 150 },
    )
  })

  it('opens a cleanly closed log without reading its segments', async () => {
    const world = memoryWorld()
    const directory = await world.open()
    fill(directory.create('t', 0), 60, 1)
    const before = readValues(directory.create('t', 0), 0)
    await directory.close(true)
    world.disk.syncAll()
    // Only the walk from the last index entry to the end reads a log file.
    const [first] = logFiles(world)
    const stop = world.disk.inject({ operations: ['read'], path: first?.path ?? '', code: 'EIO' })
    const again = await world.open()
    stop()
    assert.deepEqual(readValues(again.create('t', 0), 0), before)
  })

  it('rebuilds indexes that are missing, cut short or never trimmed', async () => {
    for (const damage of ['missing', 'short', 'padded'] as const) {
      const world = memoryWorld()
      const directory = await world.open()
      fill(directory.create('t', 0), 60, 1)
      const before = readValues(directory.create('t', 0), 0)
      await directory.close(true)
      const indexes = world.disk
        .list('/logs/t-0')
        .filter((entry) => /index$/.test(entry.name))
        .map((entry) => `/logs/t-0/${entry.name}`)
      assert.ok(indexes.length > 6)
      for (const path of indexes) {
        if (damage === 'missing') world.disk.remove(path)
        else {
          const file = world.disk.open(path, 'readWrite')
          file.truncate(damage === 'short' ? Math.max(file.size() - 3, 0) : 1200)
          file.close()
        }
      }
      const again = (await world.open()).create('t', 0)
      await checkWhole(again, before)
    }
  })

  it('finishes what a crash interrupted: deleted, cleaned and swap files', async () => {
    const world = memoryWorld()
    const directory = await world.open()
    fill(directory.create('t', 0), 60, 1)
    const before = readValues(directory.create('t', 0), 0)
    const bases = directory.create('t', 0).segmentBaseOffsets()
    await directory.close(true)
    const name = (base: number) => `/logs/t-0/${String(base).padStart(20, '0')}`
    const [, second, third] = bases
    assert.ok(second !== undefined && third !== undefined)
    world.disk.rename(`${name(second)}.log`, `${name(second)}.log.swap`)
    world.disk.open(`${name(third)}.log.deleted`, 'readWrite').close()
    world.disk.open(`${name(9999)}.log.cleaned`, 'readWrite').close()
    const again = (await world.open()).create('t', 0)
    assert.deepEqual(readValues(again, 0), before)
    const left = world.disk.list('/logs/t-0').map((entry) => entry.name)
    assert.deepEqual(
      left.filter((each) => /swap|deleted|cleaned/.test(each)),
      [],
    )
  })
})
