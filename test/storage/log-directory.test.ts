import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { UserError } from '../../src/runtime/service.ts'
import { readFile, type Disk } from '../../src/runtime/disk.ts'
import { append, memoryWorld, readValues } from './harness.ts'

function text(disk: Disk, path: string): string {
  return readFile(disk, path).toString('utf8')
}

function put(disk: Disk, path: string, content: string): void {
  const file = disk.open(path, 'replace')
  file.write(Buffer.from(content), 0, content.length, 0)
  file.close()
}

describe('a log directory', () => {
  it('is claimed by its first broker and refused to others', async () => {
    const world = memoryWorld()
    await (await world.open()).close(true)
    assert.equal(
      text(world.disk, '/logs/meta.properties'),
      'broker.id=1\nversion=0\ncluster.id=c\n',
    )
    await assert.rejects(world.open({}, { brokerId: 2 }), /Configured broker.id 2 doesn't match/)
    await assert.rejects(world.open({}, { clusterId: 'd' }), /The Cluster ID d doesn't match/)
    put(world.disk, '/logs/meta.properties', 'version=1\nnode.id=1\ncluster.id=c\n')
    await assert.rejects(world.open(), (error: Error) => {
      return error instanceof UserError && /KRaft/.test(error.message)
    })
  })

  it('is locked while it is open', async () => {
    const world = memoryWorld()
    const directory = await world.open()
    await assert.rejects(world.open(), /Failed to acquire lock on file .lock in \/logs/)
    await directory.close(true)
    await (await world.open()).close(true)
  })

  it('refuses what is no log, and leaves stray and future replicas alone', async () => {
    const world = memoryWorld()
    await (await world.open()).close(true)
    const id = 'c41e7ba7f2c44e2c9ddf2f2a0a3ad1e7'
    world.disk.makeDirectory(`/logs/t-0.${id}-stray`)
    const directory = await world.open()
    assert.equal(directory.logs.size, 0)
    await directory.close(true)
    assert.ok(world.disk.stat(`/logs/t-0.${id}-stray`) !== undefined)
    world.disk.makeDirectory('/logs/lost+found')
    await assert.rejects(world.open(), /'lost\+found' is not in the form of topic-partition/)
  })

  it('keeps topic ids, offsets and marks over a clean restart', async () => {
    const world = memoryWorld()
    const directory = await world.open()
    const topicId = 'AAECAwQFBgcICQoLDA0ODw'
    const log = directory.create('a-b', 3, { topicId })
    for (let at = 0; at < 40; at++) append(log, [`${at}`.padEnd(70)])
    log.advanceHighWatermark(30)
    log.deleteRecordsBefore(7)
    await directory.close(true)
    assert.equal(
      text(world.disk, '/logs/a-b-3/partition.metadata'),
      `version: 0\ntopic_id: ${topicId}`,
    )
    assert.equal(text(world.disk, '/logs/replication-offset-checkpoint'), '0\n1\na-b 3 30\n')
    assert.equal(text(world.disk, '/logs/log-start-offset-checkpoint'), '0\n1\na-b 3 7\n')
    assert.equal(text(world.disk, '/logs/recovery-point-offset-checkpoint'), '0\n1\na-b 3 40\n')
    assert.ok(world.disk.stat('/logs/.kafka_cleanshutdown') !== undefined)
    const again = (await world.open()).get('a-b', 3)
    assert.equal(world.disk.stat('/logs/.kafka_cleanshutdown'), undefined)
    assert.ok(again !== undefined)
    assert.equal(again.topicId, topicId)
    assert.deepEqual(
      [again.logStartOffset, again.highWatermark, again.logEndOffset, again.recoveryPoint],
      [7, 30, 40, 40],
    )
    assert.equal(readValues(again, 7).length, 33)
  })

  it('renames a removed log at once and removes its files later, also after a restart', async () => {
    const world = memoryWorld()
    const directory = await world.open()
    const log = directory.create('t', 0)
    append(log, ['a'])
    directory.remove('t', 0)
    assert.equal(directory.get('t', 0), undefined)
    assert.equal(log.offline, true)
    const names = () => world.disk.list('/logs').map((entry) => entry.name)
    assert.equal(names().filter((name) => /^t-0\.[0-9a-f]{32}-delete$/.test(name)).length, 1)
    assert.equal(directory.create('t', 0).logEndOffset, 0)
    await directory.close(true)
    await world.open()
    assert.equal(names().filter((name) => name.endsWith('-delete')).length, 1)
    await world.clock.advance(60_001)
    assert.equal(names().filter((name) => name.endsWith('-delete')).length, 0)
    assert.ok(names().includes('t-0'))
  })

  it('checks retention and writes its checkpoints by the clock', async () => {
    const world = memoryWorld()
    const directory = await world.open({ retentionMs: 1000 })
    const log = directory.create('t', 0)
    append(log, ['a'])
    log.advanceHighWatermark(1)
    await world.clock.advance(5001)
    assert.equal(text(world.disk, '/logs/replication-offset-checkpoint'), '0\n1\nt 0 1\n')
    assert.equal(log.logStartOffset, 0)
    await world.clock.advance(25_000)
    assert.equal(log.logStartOffset, 1)
    assert.equal(text(world.disk, '/logs/recovery-point-offset-checkpoint'), '0\n1\nt 0 1\n')
  })

  it('flushes by flush.ms where the scheduler is on', async () => {
    const world = memoryWorld()
    const directory = await world.open({ flushMs: 500 }, { flushSchedulerIntervalMs: 100 })
    const log = directory.create('t', 0)
    append(log, ['a'])
    await world.clock.advance(101)
    assert.equal(log.recoveryPoint, 1)
    append(log, ['b'])
    await world.clock.advance(400)
    assert.equal(log.recoveryPoint, 1)
    await world.clock.advance(200)
    assert.equal(log.recoveryPoint, 2)
  })

  it('recovers everything where the checkpoints are damaged or gone', async () => {
    const world = memoryWorld()
    const directory = await world.open()
    const log = directory.create('t', 0)
    for (let at = 0; at < 40; at++) append(log, [`${at}`.padEnd(70)])
    const before = readValues(log, 0)
    await directory.close(false)
    put(world.disk, '/logs/recovery-point-offset-checkpoint', 'nonsense')
    put(world.disk, '/logs/replication-offset-checkpoint', '')
    const again = (await world.open()).get('t', 0)
    assert.ok(again !== undefined)
    assert.deepEqual(readValues(again, 0), before)
    assert.equal(again.highWatermark, 0)
  })

  it('goes offline when a flush fails, keeps its lock, and leaves no clean marker', async () => {
    const world = memoryWorld()
    const directory = await world.open()
    const log = directory.create('t', 0)
    append(log, ['a'])
    log.flushGathered()
    const stop = world.disk.inject({ operations: ['sync'], code: 'EIO' })
    await assert.rejects(log.sync(), /EIO/)
    stop()
    assert.match(directory.offlineBecause?.message ?? '', /EIO/)
    assert.throws(() => directory.create('other', 0), /EIO/)
    await directory.close(true)
    assert.equal(world.disk.stat('/logs/.kafka_cleanshutdown'), undefined)
  })

  it('goes offline when the disk is full, and what was acknowledged before is still there', async () => {
    const world = memoryWorld()
    const directory = await world.open()
    const log = directory.create('t', 0)
    append(log, ['a'])
    log.flushGathered()
    assert.equal(log.offline, false)
    world.disk.limitSpace(0)
    append(log, ['b'])
    log.flushGathered()
    assert.equal(log.offline, true)
    await directory.close(true)
    world.disk.limitSpace(Number.MAX_SAFE_INTEGER)
    const again = (await world.open()).create('t', 0)
    assert.deepEqual(readValues(again, 0), ['0:a'])
  })

  it('opens a thousand logs and closes them cleanly', async () => {
    const world = memoryWorld()
    const directory = await world.open({}, { openFilesMax: 20 })
    for (let partition = 0; partition < 1000; partition++) {
      append(directory.create('t', partition), [`${partition}`])
    }
    directory.flushGathered()
    await directory.close(true)
    const again = await world.open({}, { openFilesMax: 20 })
    assert.equal(again.logs.size, 1000)
    for (const log of again.logs.values()) {
      assert.deepEqual(readValues(log, 0), [`0:${log.partition}`])
    }
  })
})
