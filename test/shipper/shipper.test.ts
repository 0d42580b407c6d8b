import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaError } from '../../src/client/errors.ts'
import { World } from './support/world.ts'

const logs = 'filebeat.inputs: [{ type: log, paths: [/logs/*.log] }]\n'
const rotating = 'filebeat.inputs: [{ type: log, paths: ["/logs/a.log*"] }]\n'

function numbered(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `line ${from + index}`)
}

function text(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}

test('lines are sent in order, as they come, without the unfinished one', async () => {
  const world = new World()
  world.append('/logs/a.log', 'one\ntwo\n\nthr')
  await world.start(logs)
  await world.run(1000)
  assert.deepEqual(world.messages, ['one', 'two'])
  world.append('/logs/a.log', 'ee\r\nfour\n')
  await world.run(1100)
  assert.deepEqual(world.messages, ['one', 'two', 'three', 'four'])
  assert.deepEqual(
    world.kept.map(({ offset }) => offset),
    [0, 4, 9, 16],
  )
})

test('a new file is found within scan_frequency', async () => {
  const world = new World()
  await world.start(logs)
  await world.run(3000)
  world.append('/logs/new.log', 'hello\n')
  await world.run(10_000)
  assert.deepEqual(world.messages, ['hello'])
})

test('a renamed file is read to its end under its new name while the new one starts at 0', async () => {
  const world = new World()
  world.append('/logs/a.log', 'old 1\n')
  await world.start(rotating)
  await world.run(1000)
  world.append('/logs/a.log', 'old 2\n')
  world.disk.rename('/logs/a.log', '/logs/a.log.1')
  world.append('/logs/a.log.1', 'old 3\n')
  world.append('/logs/a.log', 'new 1\n')
  await world.run(12_000)
  assert.deepEqual(world.messages.toSorted(), ['new 1', 'old 1', 'old 2', 'old 3'])
  assert.deepEqual(
    world.messages.filter((message) => message.startsWith('old')),
    ['old 1', 'old 2', 'old 3'],
  )
})

test('a file renamed out of the pattern is read to its end', async () => {
  const world = new World()
  world.append('/logs/a.log', 'one\n')
  await world.start(logs)
  await world.run(1000)
  world.disk.rename('/logs/a.log', '/logs/a.old')
  world.append('/logs/a.old', 'two\n')
  await world.run(25_000)
  assert.deepEqual(world.messages, ['one', 'two'])
})

test('a file that shrank is read from its beginning', async () => {
  const world = new World()
  world.append('/logs/a.log', 'one\ntwo\n')
  await world.start(logs)
  await world.run(1000)
  world.truncate('/logs/a.log')
  world.append('/logs/a.log', 'new\n')
  await world.run(1500)
  assert.deepEqual(world.messages, ['one', 'two', 'new'])
  await world.stop()
  assert.deepEqual(Object.values(world.registry()), [4])
  assert.ok(world.logger.texts().some((line) => line.includes('File was truncated')))
})

test('a file that shrank while nobody looked is read from its beginning', async () => {
  const world = new World()
  world.append('/logs/a.log', 'one\ntwo\n')
  await world.start(logs)
  await world.run(1000)
  await world.stop()
  world.truncate('/logs/a.log')
  world.append('/logs/a.log', 'new\n')
  await world.start(logs)
  await world.run(1000)
  assert.deepEqual(world.messages, ['one', 'two', 'new'])
})

test('after a restart reading goes on where it was acknowledged', async () => {
  const world = new World()
  world.append('/logs/a.log', 'one\ntwo\n')
  await world.start(logs)
  await world.run(1000)
  await world.stop()
  world.append('/logs/a.log', 'three\n')
  await world.start(logs)
  await world.run(1000)
  assert.deepEqual(world.messages, ['one', 'two', 'three'])
})

test('files that were rotated while the shipper was down are found by identity', async () => {
  const world = new World()
  world.append('/logs/a.log', 'one\n')
  await world.start(rotating)
  await world.run(1000)
  await world.stop()
  world.append('/logs/a.log', 'two\n')
  world.disk.rename('/logs/a.log', '/logs/a.log.1')
  world.append('/logs/a.log', 'three\n')
  await world.start(rotating)
  await world.run(1000)
  assert.deepEqual(world.messages.toSorted(), ['one', 'three', 'two'])
})

test('a name that changed while the shipper was down is recorded, lines or not', async () => {
  const world = new World()
  world.append('/logs/a.log', 'one\n')
  await world.start(rotating)
  await world.run(1000)
  await world.stop()
  world.disk.rename('/logs/a.log', '/logs/a.log.1')
  await world.start(rotating)
  await world.run(1000)
  assert.deepEqual(world.registrySources(), ['/logs/a.log.1'])
  assert.deepEqual(world.messages, ['one'])
})

test('a file that one scan misses is not forgotten', async () => {
  const world = new World()
  world.append('/logs/a.log', 'one\n')
  await world.start('filebeat.inputs: [{ type: log, paths: [/logs/*.log], close_inactive: 1s }]\n')
  await world.run(9000)
  world.disk.rename('/logs/a.log', '/logs/elsewhere')
  await world.run(3000)
  world.disk.rename('/logs/elsewhere', '/logs/a.log')
  await world.run(60_000)
  assert.deepEqual(world.messages, ['one'])
})

test('two patterns that name one file send it once; two inputs too, with a warning', async () => {
  const world = new World()
  world.append('/logs/a.log', 'one\n')
  await world.start(
    'filebeat.inputs: [{ type: log, paths: [/logs/*.log, /logs/a*] }, { type: log, paths: [/logs/a.log] }]\n',
  )
  await world.run(12_000)
  assert.deepEqual(world.messages, ['one'])
  assert.deepEqual(
    world.logger.texts('WARN').filter((line) => line.includes('two inputs')).length,
    1,
  )
})

test('the state of a removed file is removed, and a new file of that name starts at 0', async () => {
  const world = new World()
  world.append('/logs/a.log', 'one\n')
  await world.start(logs)
  await world.run(1000)
  world.disk.remove('/logs/a.log')
  await world.run(120_000)
  assert.deepEqual(world.registry(), {})
  world.append('/logs/a.log', 'two\n')
  await world.run(12_000)
  assert.deepEqual(world.messages, ['one', 'two'])
  assert.equal(world.shipper.gauges.files, 1)
})

test('an idle file is closed, and read on when it grows', async () => {
  const world = new World()
  world.append('/logs/a.log', 'one\n')
  await world.start(logs)
  await world.run(310_000)
  assert.equal(world.shipper.gauges.open, 0)
  world.append('/logs/a.log', 'two\n')
  await world.run(11_000)
  assert.deepEqual(world.messages, ['one', 'two'])
})

test('ignore_older leaves old files out until they change', async () => {
  const world = new World()
  world.append('/logs/a.log', 'old\n')
  await world.run(3_600_000)
  world.append('/logs/b.log', 'young\n')
  await world.start('filebeat.inputs: [{ type: log, paths: [/logs/*], ignore_older: 10m }]\n')
  await world.run(2000)
  assert.deepEqual(world.messages, ['young'])
  world.append('/logs/a.log', 'now\n')
  await world.run(11_000)
  assert.deepEqual(world.messages, ['young', 'now'])
})

test('tail_files starts at the end of what is there, and at 0 of what comes later', async () => {
  const world = new World()
  world.append('/logs/a.log', 'before\n')
  await world.start('filebeat.inputs: [{ type: log, paths: [/logs/*], tail_files: true }]\n')
  await world.run(1000)
  world.append('/logs/a.log', 'after\n')
  world.append('/logs/b.log', 'later\n')
  await world.run(12_000)
  assert.deepEqual(world.messages.toSorted(), ['after', 'later'])
})

test('include_lines runs before exclude_lines, and what is left out still moves the offset', async () => {
  const world = new World()
  world.append('/logs/a.log', 'ERR 1\nDBG\nERR 2\nWARN\nDBG\n')
  await world.start(
    'filebeat.inputs: [{ type: log, paths: [/logs/*], include_lines: ["^ERR", "^WARN"], exclude_lines: ["2$"] }]\n',
  )
  await world.run(1000)
  assert.deepEqual(world.messages, ['ERR 1', 'WARN'])
  await world.stop()
  assert.deepEqual(Object.values(world.registry()), [25])
})

test('excluded files are not read', async () => {
  const world = new World()
  world.append('/logs/a.log', 'a\n')
  world.append('/logs/a.log.gz', 'zipped\n')
  await world.start(
    'filebeat.inputs: [{ type: log, paths: ["/logs/**"], exclude_files: [\'\\.gz$\'] }]\n',
  )
  await world.run(1000)
  assert.deepEqual(world.messages, ['a'])
})

test('nothing is recorded before it is acknowledged', async () => {
  const world = new World()
  world.append('/logs/a.log', text(numbered(0, 10)))
  await world.start(logs, { answers: 'when told' })
  await world.run(2000)
  assert.equal(world.producer.waiting, 10)
  assert.deepEqual(Object.values(world.registry()), [0])
  world.producer.keep(10)
  await world.run(200)
  assert.deepEqual(Object.values(world.registry()), [70])
})

test('reading waits while too much is not acknowledged', async () => {
  const world = new World()
  world.append('/logs/a.log', text(numbered(0, 5000)))
  await world.start(`queue.mem.events: 1024\n${logs}`, { answers: 'when told' })
  await world.run(5000)
  assert.equal(world.producer.waiting, 1024)
  for (let round = 0; round < 10; round += 1) {
    world.producer.keep(512)
    await world.run(100)
    assert.ok(world.producer.waiting <= 1024)
  }
  assert.deepEqual(world.messages, numbered(0, 5000))
})

test('a stop waits for acknowledgements within its limit', async () => {
  const world = new World()
  world.append('/logs/a.log', 'one\n')
  await world.start(`filebeat.shutdown_timeout: 3s\n${logs}`, { answers: 'when told' })
  await world.run(1000)
  const { producer } = world
  const stopped = world.shipper.stop()
  await world.run(1000)
  producer.keep(1)
  await world.clock.until(stopped)
  assert.deepEqual(Object.values(world.registry()), [4])
})

test('a broker that refuses for a while gets everything, in order', async () => {
  const world = new World()
  world.append('/logs/a.log', text(numbered(0, 4)))
  await world.start(logs, { answers: 'when told' })
  const row = { code: 29, errorName: 'TOPIC_AUTHORIZATION_FAILED', retriable: false }
  for (let count = 0; count < 6; count += 1) {
    world.producer.failures.push(new KafkaError(row, 'not allowed'))
  }
  await world.run(500)
  world.append('/logs/a.log', text(numbered(4, 6)))
  world.producer.answers = 'at once'
  await world.run(20_000)
  assert.deepEqual(world.messages, numbered(0, 6))
})

test('an event that no broker takes is dropped with a line in the log, and the next go on', async () => {
  const world = new World()
  world.append('/logs/a.log', `small\n${'x'.repeat(2000)}\nlast\n`)
  const output = 'output.kafka: { hosts: [h], topic: t, max_message_bytes: 1500 }\n'
  await world.start(logs + output)
  await world.run(1000)
  assert.deepEqual(world.messages, ['small', 'last'])
  const errors = world.logger.texts('ERROR')
  assert.equal(errors.length, 1)
  assert.match(errors[0] ?? '', /Dropped an event of \/logs\/a\.log at offset 6: its \d+ bytes/)
  await world.stop()
  assert.deepEqual(Object.values(world.registry()), [2012])
})

test('a file that cannot be opened is named once and tried again', async () => {
  const world = new World()
  world.append('/logs/a.log', 'secret\n')
  const heal = world.disk.inject({ operations: ['open'], path: '/logs/a.log', code: 'EACCES' })
  await world.start(logs)
  await world.run(60_000)
  assert.equal(world.logger.texts('ERROR').length, 1)
  heal()
  await world.run(11_000)
  assert.deepEqual(world.messages, ['secret'])
})

test('a file that fails while it is read is tried again', async () => {
  const world = new World()
  world.append('/logs/a.log', 'one\n')
  world.disk.inject({ operations: ['read'], path: '/logs/a.log', code: 'EIO', times: 1 })
  await world.start(logs)
  await world.run(15_000)
  assert.deepEqual(world.messages, ['one'])
  assert.equal(world.logger.texts('ERROR').length, 1)
})

test('a registry that cannot be written for a while is written later', async () => {
  const world = new World()
  await world.start(logs)
  await world.run(1000)
  const registry = '/home/data/registry/filebeat/log.json'
  const heal = world.disk.inject({ operations: ['write'], path: registry, code: 'ENOSPC' })
  world.append('/logs/a.log', 'one\n')
  await world.run(12_000)
  assert.deepEqual(world.messages, ['one'])
  assert.deepEqual(world.registry(), {})
  heal()
  await world.run(2000)
  assert.deepEqual(Object.values(world.registry()), [4])
})
