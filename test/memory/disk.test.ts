// What a crash leaves on the in-memory disk, and its faults.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { VirtualClock } from '../../src/memory/clock.ts'
import { MemoryDisk } from '../../src/memory/disk.ts'
import { SeededRandom } from '../../src/memory/random.ts'
import { DiskError, readFile, readFileIfThere, replaceFile } from '../../src/runtime/disk.ts'
import type { Disk } from '../../src/runtime/disk.ts'

const hasCode = (code: string) => (error: unknown) =>
  error instanceof DiskError && error.code === code

function put(disk: Disk, path: string, text: string, position = 0): void {
  const file = disk.open(path, 'readWrite')
  file.write(Buffer.from(text), 0, text.length, position)
  file.close()
}

function syncFile(disk: Disk, path: string): void {
  const file = disk.open(path, 'readWrite')
  file.syncNow()
  file.close()
}

describe('a crash of the in-memory disk', () => {
  test('without a seed leaves exactly what was synced', () => {
    const disk = new MemoryDisk()
    put(disk, '/log', 'durable')
    disk.syncAll()
    put(disk, '/log', 'REPLACED and longer')
    put(disk, '/new', 'never synced')
    put(disk, '/named', 'synced but its name is not')
    syncFile(disk, '/named')
    disk.crash()
    assert.equal(readFile(disk, '/log').toString(), 'durable')
    assert.deepEqual(
      disk.list('/').map((entry) => entry.name),
      ['log'],
    )
  })

  test('undoes cuts and removals that were not synced', () => {
    const disk = new MemoryDisk()
    put(disk, '/log', 'durable')
    put(disk, '/gone', 'still there')
    disk.syncAll()
    const file = disk.open('/log', 'readWrite')
    file.truncate(2)
    file.truncate(20)
    file.close()
    disk.remove('/gone')
    disk.crash()
    assert.equal(readFile(disk, '/log').toString(), 'durable')
    assert.equal(readFile(disk, '/gone').toString(), 'still there')
  })

  test('never loses synced bytes and never invents any', () => {
    const step = fc.record({
      kind: fc.constantFrom('append', 'append', 'append', 'sync'),
      size: fc.integer({ min: 1, max: 2000 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), fc.nat(), (steps, seed) => {
        const disk = new MemoryDisk()
        const file = disk.open('/log', 'readWrite')
        disk.syncDirectory('/')
        const written: number[] = []
        let syncedSize = 0
        for (const [index, { kind, size }] of steps.entries()) {
          if (kind === 'sync') {
            file.syncNow()
            syncedSize = written.length
            continue
          }
          const bytes = Buffer.alloc(size, (index % 255) + 1)
          file.write(bytes, 0, size, written.length)
          written.push(...bytes)
        }
        disk.crash(new SeededRandom(seed))
        const left = readFile(disk, '/log')
        assert.ok(left.length >= syncedSize && left.length <= written.length)
        for (const [at, byte] of left.entries()) {
          if (at < syncedSize) assert.equal(byte, written[at])
          else assert.ok(byte === written[at] || byte === 0)
        }
      }),
    )
  })

  test('keeps different subsets under different seeds, the same under the same, torn ones too', () => {
    const outcome = (seed: number): string => {
      const disk = new MemoryDisk()
      const file = disk.open('/log', 'readWrite')
      disk.syncDirectory('/')
      file.write(Buffer.alloc(2048, 'a'), 0, 2048, 0)
      disk.crash(new SeededRandom(seed))
      return readFile(disk, '/log').toString('latin1')
    }
    const outcomes = Array.from({ length: 60 }, (_, seed) => outcome(seed))
    assert.ok(outcomes.includes(''))
    assert.ok(outcomes.includes('a'.repeat(2048)))
    assert.ok(outcomes.includes('\0'.repeat(2048)))
    assert.ok(outcomes.some((text) => text.includes('a') && text.length < 2048))
    assert.ok(outcomes.some((text) => text.includes('a') && text.includes('\0')))
    assert.deepEqual(outcomes.slice(0, 5), [0, 1, 2, 3, 4].map(outcome))
  })

  test('replaceFile leaves the old or the new content whole, wherever the crash comes', () => {
    const old = 'o'.repeat(3000)
    const young = 'y'.repeat(5000)
    for (let seed = 0; seed < 50; seed += 1) {
      for (const operation of ['open', 'write', 'sync', 'rename', 'syncDirectory'] as const) {
        const disk = new MemoryDisk()
        replaceFile(disk, '/checkpoint', old)
        const end = disk.inject({ operations: [operation], code: 'EIO' })
        assert.throws(() => replaceFile(disk, '/checkpoint', young), hasCode('EIO'))
        end()
        disk.crash(new SeededRandom(seed))
        const left = readFileIfThere(disk, '/checkpoint')?.toString()
        assert.ok(left === old || left === young)
      }
      const disk = new MemoryDisk()
      replaceFile(disk, '/checkpoint', young)
      disk.crash(new SeededRandom(seed))
      assert.equal(readFile(disk, '/checkpoint').toString(), young)
    }
  })

  test('a rename is whole: never in both directories, never in none', () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const disk = new MemoryDisk()
      disk.makeDirectory('/a')
      disk.makeDirectory('/b')
      put(disk, '/a/x', 'content')
      disk.syncAll()
      disk.rename('/a/x', '/b/y')
      if (seed % 2 === 0) disk.syncDirectory(seed % 4 === 0 ? '/a' : '/b')
      disk.crash(new SeededRandom(seed))
      const places = ['/a/x', '/b/y'].filter((path) => disk.stat(path) !== undefined)
      assert.equal(places.length, 1)
      if (seed % 2 === 0) assert.deepEqual(places, ['/b/y'])
    }
  })

  test('kills open files and frees locks; the death of the process alone loses nothing', () => {
    const disk = new MemoryDisk()
    disk.lock('/.lock')
    const file = disk.open('/log', 'readWrite')
    file.write(Buffer.from('abc'), 0, 3, 0)
    disk.killProcess()
    assert.throws(() => file.write(Buffer.from('d'), 0, 1, 3), hasCode('EIO'))
    assert.equal(readFile(disk, '/log').toString(), 'abc')
    disk.lock('/.lock')
    disk.crash()
    assert.deepEqual(disk.list('/'), [])
    disk.lock('/.lock').release()
  })

  test('a sync that is under way covers what was written before it and nothing after', async () => {
    const disk = new MemoryDisk()
    const file = disk.open('/log', 'readWrite')
    disk.syncDirectory('/')
    file.write(Buffer.from('before'), 0, 6, 0)
    disk.holdSyncs()
    const sync = file.sync()
    file.write(Buffer.from(' after'), 0, 6, 6)
    const unsynced = disk.snapshot()
    disk.releaseSyncs()
    await sync
    disk.crash()
    assert.equal(readFile(disk, '/log').toString(), 'before')
    disk.restore(unsynced)
    assert.equal(readFile(disk, '/log').toString(), 'before after')
    disk.crash()
    assert.equal(readFile(disk, '/log').length, 0)
  })
})

describe('faults of the in-memory disk', () => {
  test('a full disk takes what fits, says so, and works again when there is room', () => {
    const disk = new MemoryDisk()
    put(disk, '/other', '12345')
    disk.limitSpace(10)
    assert.throws(() => put(disk, '/log', '1234567'), hasCode('ENOSPC'))
    assert.equal(readFile(disk, '/log').toString(), '12345')
    disk.remove('/other')
    put(disk, '/log', '67', 5)
    assert.equal(readFile(disk, '/log').toString(), '1234567')
  })

  test('an injected fault strikes its operations, under its path, so many times', async () => {
    const disk = new MemoryDisk()
    put(disk, '/a', 'abc')
    put(disk, '/b', 'abc')
    disk.inject({ operations: ['read', 'sync'], path: '/a', code: 'EIO', times: 2 })
    assert.throws(() => readFile(disk, '/a'), hasCode('EIO'))
    assert.equal(readFile(disk, '/b').toString(), 'abc')
    await assert.rejects(disk.open('/a', 'readWrite').sync(), hasCode('EIO'))
    assert.equal(readFile(disk, '/a').toString(), 'abc')
  })

  test('a flipped bit is read back flipped', () => {
    const disk = new MemoryDisk()
    put(disk, '/a', 'abc')
    disk.flipBits('/a', 1, 0x20)
    assert.equal(readFile(disk, '/a').toString(), 'aBc')
  })

  test('with a clock, calls off the loop end in a later turn', async () => {
    const clock = new VirtualClock()
    const disk = new MemoryDisk({ clock })
    const file = disk.open('/log', 'readWrite')
    let ended = false
    const sync = file.sync().then(() => {
      ended = true
    })
    await Promise.resolve()
    assert.equal(ended, false)
    await clock.until(sync)
    assert.equal(ended, true)
  })
})
