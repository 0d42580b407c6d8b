import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { VirtualClock } from '../../src/memory/clock.ts'
import { MemoryDisk } from '../../src/memory/disk.ts'
import { MemoryLogger } from '../../src/memory/logger.ts'
import { readFile } from '../../src/runtime/disk.ts'
import { UserError } from '../../src/runtime/service.ts'
import {
  type State,
  applyLog,
  decodeCheckpoint,
  encodeChange,
  encodeCheckpoint,
} from '../../src/shipper/registry/format.ts'
import { Registry } from '../../src/shipper/registry/registry.ts'
import { offsetOf, sourceOf, stateOf } from '../../src/shipper/registry/states.ts'

const folder = new URL('../golden/shipper/', import.meta.url)
const filebeatLog = readFileSync(new URL('registry-log.json', folder))
const home = '/data/registry/filebeat'

function setting(): {
  clock: VirtualClock
  disk: MemoryDisk
  logger: MemoryLogger
  open: (logBytesMax?: number) => Registry
} {
  const clock = new VirtualClock()
  const disk = new MemoryDisk({ clock })
  const logger = new MemoryLogger()
  const open = (logBytesMax?: number): Registry =>
    Registry.open(
      { clock, disk, logger },
      {
        directory: '/data/registry',
        flushMs: 10,
        ...(logBytesMax === undefined ? {} : { logBytesMax }),
      },
    )
  return { clock, disk, logger, open }
}

function put(disk: MemoryDisk, path: string, content: string | Buffer): void {
  const file = disk.open(path, 'replace')
  const bytes = Buffer.from(content)
  file.write(bytes, 0, bytes.length, 0)
  file.close()
}

test("Filebeat's own registry is read: offsets and sources of both kinds of input", () => {
  const states = new Map<string, State>()
  const { lastId, validBytes } = applyLog(filebeatLog, 0, states)
  assert.equal(lastId, 27)
  assert.equal(validBytes, filebeatLog.length)
  const found = [...states].map(([key, state]) => [key, offsetOf(state), sourceOf(state)])
  assert.deepEqual(found, [
    ['filebeat::logs::native::5573166-65024', 585, '/var/log/test/access.log'],
    ['filebeat::logs::native::5573167-65024', 147, '/var/log/test/app.log'],
    ['filebeat::logs::native::5573168-65024', 52, '/var/log/test/j.log'],
    ['filestream::fs1::native::5573166-65024', 585, '/var/log/test/access.log'],
  ])
})

test('what is written has the fields Filebeat writes', () => {
  const states = new Map<string, State>()
  applyLog(filebeatLog, 0, states)
  const position = {
    inode: 5573168,
    device: 65024,
    source: '/var/log/test/j.log',
    offset: 52,
    timestampMs: 1795393977727,
  }
  const log = states.get('filebeat::logs::native::5573168-65024')
  assert.deepEqual(stateOf('log', position), { ...log, timestamp: [727000000, 1795393977] })
  const stream = states.get('filestream::fs1::native::5573166-65024') ?? {}
  const keys = Object.keys(stateOf('filestream', position)).toSorted()
  assert.deepEqual(keys, Object.keys(stream).toSorted())
})

test('any cut of the log leaves a valid state of its past', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: filebeatLog.length }), (cut) => {
      const states = new Map<string, State>()
      const { lastId, validBytes } = applyLog(filebeatLog.subarray(0, cut), 0, states)
      assert.ok(validBytes <= cut)
      const again = new Map<string, State>()
      const whole = applyLog(filebeatLog.subarray(0, validBytes), 0, again)
      assert.deepEqual([whole.lastId, whole.validBytes], [lastId, validBytes])
      assert.deepEqual(again, states)
    }),
  )
})

test('changes and checkpoints come back as they went', () => {
  const key = fc.string()
  const state = fc.dictionary(fc.string(), fc.jsonValue()) as fc.Arbitrary<State>
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.option(state, { nil: undefined }))), (changes) => {
      const expected = new Map<string, State>()
      let text = ''
      changes.forEach(([name, value], index) => {
        text += encodeChange(index + 8, { key: name, state: value })
        if (value === undefined) expected.delete(name)
        else expected.set(name, JSON.parse(JSON.stringify(value)) as State)
      })
      const states = new Map<string, State>()
      assert.equal(applyLog(Buffer.from(text), 7, states).lastId, 7 + changes.length)
      assert.deepEqual(states, expected)
      for (const value of expected.values()) Reflect.deleteProperty(value, '_key')
      assert.deepEqual(decodeCheckpoint(encodeCheckpoint(expected)), expected)
    }),
  )
})

test('operations that a checkpoint holds already are passed over, a gap ends the reading', () => {
  const text = [5, 6, 7, 9].map((id) => encodeChange(id, { key: `k${id}`, state: { id } })).join('')
  const states = new Map<string, State>()
  const { lastId } = applyLog(Buffer.from(text), 6, states)
  assert.equal(lastId, 7)
  assert.deepEqual([...states.keys()], ['k7'])
})

test('a state is there after the process dies once it was flushed', async () => {
  const { clock, disk, open } = setting()
  const registry = open()
  registry.set('a', { offset: 1 })
  registry.set('b', { offset: 2 })
  registry.remove('a')
  await clock.until(registry.flush())
  disk.crash()
  const again = open()
  assert.deepEqual([again.get('a'), again.get('b')], [undefined, { offset: 2 }])
  assert.equal(readFile(disk, `${home}/meta.json`).toString(), '{"version":"1"}')
})

test('a torn last line is cut off and the log goes on behind it', async () => {
  const { clock, disk, logger, open } = setting()
  const first = open()
  first.set('a', { offset: 1 })
  await clock.until(first.close())
  const whole = readFile(disk, `${home}/log.json`)
  put(disk, `${home}/log.json`, Buffer.concat([whole, Buffer.from('{"op":"set","id":2}\n{"k":"a')]))
  const second = open()
  assert.deepEqual(second.get('a'), { offset: 1 })
  assert.equal(logger.texts('WARN').length, 1)
  second.set('a', { offset: 3 })
  await clock.until(second.close())
  assert.equal(
    readFile(disk, `${home}/log.json`).toString(),
    '{"op":"set","id":1}\n{"k":"a","v":{"offset":1}}\n{"op":"set","id":2}\n{"k":"a","v":{"offset":3}}\n',
  )
})

test('a long log becomes a checkpoint, named in active.dat, and the log begins anew', async () => {
  const { clock, disk, open } = setting()
  const registry = open(200)
  for (let offset = 1; offset <= 30; offset += 1) {
    registry.set('a', { offset })
    registry.set('b', { offset: offset * 2 })
    await clock.until(registry.flush())
  }
  await clock.until(registry.close())
  const names = disk
    .list(home)
    .map(({ name }) => name)
    .filter((name) => /^\d+\.json$/.test(name))
  assert.equal(names.length, 1)
  assert.equal(readFile(disk, `${home}/active.dat`).toString(), `${home}/${names[0]}`)
  assert.ok(readFile(disk, `${home}/log.json`).length < 400)
  const again = open()
  assert.deepEqual([again.get('a'), again.get('b')], [{ offset: 30 }, { offset: 60 }])
  again.set('c', { offset: 7 })
  await clock.until(again.close())
  assert.deepEqual(open().get('c'), { offset: 7 })
})

test('a crash at any write of a checkpoint keeps all that was flushed', async () => {
  for (let failing = 0; failing < 12; failing += 1) {
    const { clock, disk, open } = setting()
    const registry = open(100)
    let flushed = 0
    let left = failing
    for (let offset = 1; offset <= 12; offset += 1) {
      registry.set('a', { offset, filler: 'x'.repeat(60) })
      const operations = ['rename', 'syncDirectory', 'sync', 'truncate'] as const
      const heal =
        left === 0
          ? disk.inject({ operations: [operations[failing % 4] ?? 'sync'], code: 'EIO' })
          : undefined
      left -= 1
      try {
        await clock.until(registry.flush())
        flushed = offset
      } catch (error) {
        assert.match(String(error), /EIO/)
      }
      heal?.()
    }
    disk.crash()
    assert.ok(offsetOf(open().get('a') ?? {}) >= flushed, `failing at ${failing}`)
  }
})

test('a checkpoint that cannot be read is put aside', () => {
  const { disk, logger, open } = setting()
  disk.makeDirectory(home)
  put(disk, `${home}/9.json`, '[{"_key":"a"')
  const registry = open()
  assert.equal(registry.size, 0)
  assert.equal(disk.stat(`${home}/9.json.corrupted`)?.kind, 'file')
  assert.match(logger.texts('WARN')[0] ?? '', /9\.json cannot be read/)
})

test('registries of other versions are refused with a line', () => {
  const old = setting()
  old.disk.makeDirectory('/data')
  put(old.disk, '/data/registry', '[]')
  assert.throws(() => old.open(), UserError)
  const other = setting()
  other.disk.makeDirectory(home)
  put(other.disk, `${home}/meta.json`, '{"version":"0"}')
  assert.throws(() => other.open(), /meta\.json: a registry of this version is not read/)
})
