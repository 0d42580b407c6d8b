import assert from 'node:assert/strict'
import { test } from 'node:test'
import { World } from './support/world.ts'

test('a message of several lines is sent when the next begins or the time is over', async () => {
  const world = new World()
  world.append('/logs/a.log', 'start\n  more\n  and more\nsecond\n')
  await world.start(
    "filebeat.inputs: [{ type: log, paths: [/logs/*], multiline: { pattern: '^\\s', match: after } }]\n",
  )
  await world.run(1000)
  assert.deepEqual(world.messages, ['start\n  more\n  and more'])
  world.append('/logs/a.log', '  late\n')
  await world.run(4000)
  assert.equal(world.messages.length, 1)
  await world.run(4000)
  assert.deepEqual(world.messages[1], 'second\n  late')
  await world.stop()
  assert.deepEqual(Object.values(world.registry()), [38])
})

test('a message that waits for more lines at a stop is read again', async () => {
  const world = new World()
  const config =
    "filebeat.inputs: [{ type: log, paths: [/logs/*], multiline: { pattern: '^\\s', match: after } }]\n"
  world.append('/logs/a.log', 'start\n  more\n')
  await world.start(config)
  await world.run(1000)
  await world.stop()
  assert.deepEqual(Object.values(world.registry()), [0])
  await world.start(config)
  await world.run(8000)
  assert.deepEqual(world.messages, ['start\n  more'])
})

test('a message that waits for more lines is sent before its file is closed', async () => {
  const world = new World()
  world.append('/logs/a.log', 'start\n  more\n')
  await world.start(
    "filebeat.inputs: [{ type: log, paths: [/logs/*], close_inactive: 2s, multiline: { pattern: '^\\s', match: after, timeout: 1h } }]\n",
  )
  await world.run(5000)
  assert.deepEqual(world.messages, ['start\n  more'])
  assert.equal(world.shipper.gauges.open, 0)
})

test('a read error in the middle of a message loses none of its lines', async () => {
  const world = new World()
  world.append('/logs/a.log', 'start\n  one\n')
  await world.start(
    "filebeat.inputs: [{ type: log, paths: [/logs/*], multiline: { pattern: '^\\s', match: after } }]\n",
  )
  await world.run(1000)
  world.disk.inject({ operations: ['read'], path: '/logs/a.log', code: 'EIO', times: 1 })
  world.append('/logs/a.log', '  two\n')
  await world.run(30_000)
  assert.deepEqual(world.messages, ['start\n  one\n  two'])
})

test('topic and key come from the event', async () => {
  const world = new World()
  world.append('/logs/a.log', '{"kind":"x","n":1}\n{"n":2}\n')
  await world.start(
    [
      'filebeat.inputs:',
      '- { type: log, paths: [/logs/*], json.keys_under_root: true, fields: { t: app } }',
      "output.kafka: { hosts: [h], topic: '%{[fields.t]}-%{[kind]:other}', key: '%{[n]}' }",
      '',
    ].join('\n'),
  )
  await world.run(1000)
  assert.deepEqual(
    world.kept.map(({ topic, key }) => [topic, key]),
    [
      ['app-x', '1'],
      ['app-other', '2'],
    ],
  )
})

test('a line as deep as it is hostile becomes an event, not the end of the process', async () => {
  const world = new World()
  const deep = 200_000
  world.append('/logs/a.log', `{"a":${'['.repeat(deep)}${']'.repeat(deep)}}\nplain\n`)
  await world.start(
    'filebeat.inputs: [{ type: log, paths: [/logs/*], json: { keys_under_root: true, add_error_key: true } }]\n',
  )
  await world.run(1000)
  assert.equal(world.kept.length, 2)
  assert.match(world.kept[0]?.json ?? '', /Error decoding JSON: exceeded max depth/)
})
