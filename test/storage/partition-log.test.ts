import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Errors } from '../../src/kafka/errors.ts'
import { append, asClient, batchOf, memoryWorld, readValues } from './harness.ts'

const everything = { maxBytes: 1_000_000, upTo: 1_000_000, minOneBatch: true }

describe('a partition log', () => {
  it('gives records rising offsets and reads back what was appended', async () => {
    const directory = await memoryWorld().open()
    const log = directory.create('t', 0)
    const first = append(log, ['a', 'b'])
    const second = append(log, ['c'])
    assert.deepEqual(
      [first.error, first.baseOffset, first.lastOffset, first.logAppendTimeMs],
      [0, 0, 1, -1],
    )
    assert.deepEqual([second.baseOffset, second.lastOffset], [2, 2])
    assert.equal(log.logEndOffset, 3)
    assert.deepEqual(readValues(log, 0), ['0:a', '1:b', '2:c'])
    assert.deepEqual(readValues(log, 1), ['1:b', '2:c'])
  })

  it('gathers small appends of a turn and writes them when the turn ends', async () => {
    const world = memoryWorld()
    const log = (await world.open()).create('t', 0)
    const size = () => world.disk.stat('/logs/t-0/00000000000000000000.log')?.size
    append(log, ['a'])
    append(log, ['b'])
    assert.equal(size(), 0)
    await world.clock.settle()
    assert.equal(size(), log.segments.sizeBytes())
    assert.deepEqual(readValues(log, 0), ['0:a', '1:b'])
  })

  it('writes large appends at once, after what was gathered before', async () => {
    const world = memoryWorld()
    const log = (await world.open({ segmentBytes: 1_000_000 })).create('t', 0)
    append(log, ['small'])
    append(log, ['x'.repeat(40_000)])
    assert.equal(
      world.disk.stat('/logs/t-0/00000000000000000000.log')?.size,
      log.segments.sizeBytes(),
    )
    assert.deepEqual(readValues(log, 0), ['0:small', `1:${'x'.repeat(40_000)}`])
  })

  it('answers OFFSET_OUT_OF_RANGE outside the log and nothing at its end', async () => {
    const log = (await memoryWorld().open()).create('t', 0)
    append(log, ['a', 'b'])
    assert.equal(log.read(3, everything).error, Errors.OFFSET_OUT_OF_RANGE)
    assert.equal(log.read(-1, everything).error, Errors.OFFSET_OUT_OF_RANGE)
    assert.deepEqual(log.read(2, everything), { error: 0, slice: undefined })
  })

  it('reads only batches that begin below the bound', async () => {
    const log = (await memoryWorld().open()).create('t', 0)
    append(log, ['a', 'b'])
    append(log, ['c'])
    append(log, ['d'])
    assert.deepEqual(readValues(log, 0, 2), ['0:a', '1:b'])
    assert.deepEqual(readValues(log, 0, 3), ['0:a', '1:b', '2:c'])
    assert.equal(log.read(2, { ...everything, upTo: 2 }).slice, undefined)
    assert.equal(log.read(0, { ...everything, upTo: 1 }).slice, undefined)
  })

  it('cuts at maxBytes, but gives the first batch whole when asked to', async () => {
    const log = (await memoryWorld().open()).create('t', 0)
    append(log, ['a'.repeat(100)])
    const size = log.segments.sizeBytes()
    append(log, ['b'.repeat(100)])
    const read = (maxBytes: number, minOneBatch: boolean) =>
      log.read(0, { maxBytes, upTo: 9, minOneBatch }).slice
    assert.equal(read(10, true)?.length, size)
    assert.equal(read(10, false)?.length, 10)
    assert.equal(read(10, false)?.firstBatchIncomplete, true)
    assert.equal(read(size + 7, false)?.length, size + 7)
    assert.equal(read(size + 7, false)?.firstBatchIncomplete, false)
    assert.equal(read(0, false), undefined)
  })

  it('moves the high watermark forwards only and never beyond the end', async () => {
    const log = (await memoryWorld().open()).create('t', 0)
    append(log, ['a', 'b', 'c'])
    assert.equal(log.highWatermark, 0)
    assert.equal(log.advanceHighWatermark(2), true)
    assert.equal(log.advanceHighWatermark(1), false)
    assert.equal(log.advanceHighWatermark(9), true)
    assert.equal(log.highWatermark, 3)
    assert.equal(log.lastStableOffset, 3)
  })

  it('rolls segments by size, named by their base offsets, and reads across them', async () => {
    const world = memoryWorld()
    const log = (await world.open()).create('t', 0)
    const expected: string[] = []
    for (let index = 0; index < 60; index++) {
      append(log, [`value ${index}`.padEnd(60, '.')])
      expected.push(`${index}:${`value ${index}`.padEnd(60, '.')}`)
    }
    const bases = log.segmentBaseOffsets()
    assert.ok(bases.length > 3)
    for (const base of bases) {
      const name = `/logs/t-0/${String(base).padStart(20, '0')}.log`
      assert.ok((world.disk.stat(name)?.size ?? 0) <= 2000)
    }
    for (const from of [0, 1, 13, 14, 15, 30, 59]) {
      assert.deepEqual(readValues(log, from), expected.slice(from))
    }
  })

  it('preallocates the active indexes and trims sealed ones', async () => {
    const world = memoryWorld()
    const log = (await world.open()).create('t', 0)
    const size = (base: number, suffix: string) =>
      world.disk.stat(`/logs/t-0/${String(base).padStart(20, '0')}${suffix}`)?.size ?? -1
    while (log.segmentBaseOffsets().length < 2) append(log, ['x'.repeat(60)])
    const [sealed, active] = log.segmentBaseOffsets()
    assert.ok(sealed !== undefined && active !== undefined)
    assert.equal(size(active, '.index'), 1200)
    assert.equal(size(active, '.timeindex'), 1200)
    assert.ok(size(sealed, '.index') > 0 && size(sealed, '.index') < 200)
    assert.equal(size(sealed, '.index') % 8, 0)
    assert.equal(size(sealed, '.timeindex') % 12, 0)
  })

  it('rolls by record time when segment.ms has passed between records', async () => {
    const log = (await memoryWorld().open({ segmentMs: 1000 })).create('t', 0)
    append(log, [{ value: 'a', timestamp: 10_000 }])
    append(log, [{ value: 'b', timestamp: 11_000 }])
    assert.deepEqual(log.segmentBaseOffsets(), [0])
    append(log, [{ value: 'c', timestamp: 11_001 }])
    assert.deepEqual(log.segmentBaseOffsets(), [0, 2])
  })

  it('refuses what the produce rules refuse, and appends nothing of it', async () => {
    const log = (await memoryWorld().open({ maxMessageBytes: 500 })).create('t', 0)
    assert.equal(append(log, ['x'.repeat(600)]).error, Errors.MESSAGE_TOO_LARGE)
    const bytes = batchOf(['a'])
    bytes[bytes.length - 2] = 1
    const damaged = log.appendAsLeader(bytes, 0, bytes.length, asClient)
    assert.equal(damaged.error, Errors.CORRUPT_MESSAGE)
    assert.equal(damaged.baseOffset, -1)
    assert.equal(log.logEndOffset, 0)
    assert.equal(log.segments.sizeBytes(), 0)
  })

  it('refuses a batch that does not fit a segment', async () => {
    const log = (await memoryWorld().open({ segmentBytes: 300 })).create('t', 0)
    assert.equal(append(log, ['x'.repeat(600)]).error, Errors.RECORD_LIST_TOO_LARGE)
  })

  it('stamps records with its own time where the topic says so', async () => {
    const log = (await memoryWorld().open({ messageTimestampType: 'LogAppendTime' })).create('t', 0)
    const result = append(log, [{ value: 'a', timestamp: 7 }], {}, { nowMs: 123_456 })
    assert.equal(result.logAppendTimeMs, 123_456)
    assert.deepEqual(await log.offsetForTimestamp(123_456, 1), {
      offset: 0,
      timestamp: 123_456,
      leaderEpoch: 0,
    })
    assert.equal(await log.offsetForTimestamp(123_457, 1), undefined)
  })

  it('appends the leader\u2019s bytes unchanged as a follower, and passes over what it has', async () => {
    const world = memoryWorld()
    const directory = await world.open()
    const leader = directory.create('leader', 0)
    const follower = directory.create('follower', 0)
    for (const value of ['a', 'b', 'c']) append(leader, [value], {}, { leaderEpoch: 7 })
    leader.flushGathered()
    const slice = leader.read(0, everything).slice
    assert.ok(slice !== undefined)
    const bytes = Buffer.alloc(slice.length)
    leader.readInto(slice, bytes, 0)
    assert.equal(follower.appendAsFollower(bytes, 0, bytes.length - 5, 1).lastOffset, 1)
    assert.equal(follower.appendAsFollower(bytes, 0, bytes.length, 1).lastOffset, 2)
    follower.flushGathered()
    assert.deepEqual(readValues(follower, 0), ['0:a', '1:b', '2:c'])
    assert.equal(follower.leaderEpochs.latestEpoch, 7)
    bytes[bytes.length - 3] = 0xff
    const other = directory.create('other', 0)
    assert.equal(other.appendAsFollower(bytes, 0, bytes.length, 1).error, Errors.CORRUPT_MESSAGE)
    assert.equal(other.logEndOffset, 0)
  })

  it('deletes records before an offset, not above the high watermark', async () => {
    const log = (await memoryWorld().open()).create('t', 0)
    for (let index = 0; index < 60; index++) append(log, ['x'.repeat(60)])
    assert.equal(log.deleteRecordsBefore(10), Errors.OFFSET_OUT_OF_RANGE)
    log.advanceHighWatermark(60)
    assert.equal(log.deleteRecordsBefore(40), Errors.NONE)
    assert.equal(log.logStartOffset, 40)
    assert.equal(log.read(39, everything).error, Errors.OFFSET_OUT_OF_RANGE)
    const before = log.segmentBaseOffsets()
    const gone = log.applyRetention(5000)
    const kept = log.segmentBaseOffsets()
    assert.deepEqual(kept, before.slice(gone))
    assert.ok(kept[0] !== undefined && kept[0] <= 40 && (kept[1] ?? 61) > 40)
    assert.equal(readValues(log, 40).length, 20)
  })

  it('applies retention by time and by size, and rolls an expired active segment', async () => {
    const world = memoryWorld()
    const log = (await world.open()).create('t', 0)
    for (let index = 0; index < 60; index++)
      append(log, [{ value: 'x'.repeat(60), timestamp: index }])
    log.advanceHighWatermark(60)
    log.settings = { ...log.settings, retentionBytes: 4000 }
    assert.ok(log.applyRetention(5000) > 0)
    assert.ok(log.segments.sizeBytes() >= 4000 && log.segments.sizeBytes() < 6000)
    log.settings = { ...log.settings, retentionBytes: -1, retentionMs: 100 }
    log.applyRetention(10_000)
    assert.deepEqual(log.segmentBaseOffsets(), [60])
    assert.deepEqual([log.logStartOffset, log.logEndOffset, log.segments.sizeBytes()], [60, 60, 0])
    assert.equal(append(log, ['next']).baseOffset, 60)
    await world.clock.advance(60_000)
    const logs = world.disk.list('/logs/t-0').filter((entry) => entry.name.includes('.log'))
    assert.deepEqual(
      logs.map((entry) => entry.name),
      ['00000000000000000060.log'],
    )
  })

  it('shares one flush between all who ask while it runs', async () => {
    const world = memoryWorld()
    const log = (await world.open()).create('t', 0)
    append(log, ['a'])
    log.flushGathered()
    world.disk.holdSyncs()
    const first = log.sync()
    append(log, ['b'])
    const second = log.sync()
    const third = log.sync()
    assert.equal(second, third)
    world.disk.releaseSyncs()
    await first
    assert.equal(log.recoveryPoint, 1)
    await second
    assert.equal(log.recoveryPoint, 2)
  })

  it('goes offline with its directory when a write fails, and acknowledges nothing', async () => {
    const world = memoryWorld()
    const directory = await world.open()
    const log = directory.create('t', 0)
    const other = directory.create('other', 0)
    const reasons: string[] = []
    directory.onOffline((error) => reasons.push(error.message))
    world.disk.inject({ operations: ['write'], code: 'EIO', path: '/logs/t-0/0' })
    assert.equal(append(log, ['a']).error, 0)
    directory.flushGathered()
    assert.equal(log.offline, true)
    assert.equal(other.offline, true)
    assert.equal(append(other, ['a']).error, Errors.KAFKA_STORAGE_ERROR)
    assert.equal(other.read(0, everything).error, Errors.KAFKA_STORAGE_ERROR)
    await assert.rejects(log.sync(), /EIO/)
    assert.equal(reasons.length, 1)
    assert.match(reasons[0] ?? '', /EIO/)
  })
})
