import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UserError } from '../../src/runtime/service.ts'
import { parseArguments } from '../../src/shipper/arguments.ts'
import { parseBytes, parseDurationMs } from '../../src/shipper/settings/units.ts'
import { settingsOf } from './support/world.ts'

const inputs = 'filebeat.inputs: [{ type: log, paths: [/a] }]\n'
const output = 'output.kafka: { hosts: [h], topic: t }\n'

function refusal(text: string, flags: readonly string[] = []): string {
  try {
    settingsOf(text, flags)
  } catch (error) {
    assert.ok(error instanceof UserError, String(error))
    return error.message
  }
  return 'accepted'
}

test('dotted keys and nested ones are the same', () => {
  const dotted = settingsOf(`${inputs}output.kafka.hosts: [h]\noutput.kafka.topic: t\n`)
  const nested = settingsOf(
    'filebeat:\n  inputs:\n  - type: log\n    paths: /a\noutput:\n  kafka:\n    hosts: h:9092\n    topic: t\n',
  )
  assert.deepEqual(nested.settings, dotted.settings)
  assert.deepEqual(nested.warnings, [])
})

test('defaults are those of Filebeat 7.17', () => {
  const { settings } = settingsOf(inputs + output)
  const { output: kafka } = settings
  assert.deepEqual(kafka, {
    kind: 'kafka',
    hosts: ['h:9092'],
    topic: 't',
    key: undefined,
    partition: { kind: 'hash', groupEvents: 1, hashFields: [] },
    clientId: 'beats',
    compression: 'gzip',
    requiredAcks: 1,
    bulkMaxSize: 2048,
    maxMessageBytes: 1_000_000,
    timeoutMs: 30_000,
    brokerTimeoutMs: 10_000,
    metadataRefreshMs: 600_000,
    retryBackoffMs: 250,
    backoffInitMs: 1000,
    backoffMaxMs: 60_000,
    pretty: false,
  })
  const [input] = settings.inputs
  assert.equal(input?.scanFrequencyMs, 10_000)
  assert.equal(input?.closeInactiveMs, 300_000)
  assert.equal(input?.maxBytes, 10 * 1024 * 1024)
  assert.equal(settings.queue.events, 4096)
  assert.equal(settings.dataDirectory, '/home/data')
  assert.equal(settings.registryDirectory, '/home/data/registry')
  assert.deepEqual(settings.http, { enabled: false, host: 'localhost', port: 5066 })
  assert.equal(settings.name, 'host-1')
})

test('variables come from other settings and the environment, with defaults', () => {
  const text = `${inputs}name: \${WHO}\noutput.kafka:\n  hosts: \${HOSTS}\n  topic: \${TOPIC:logs}-\${name}\n  key: $\${x}\n`
  const { settings } = settingsOf(text, [], { WHO: 'web-1', HOSTS: 'a:1, b:2' })
  assert.equal(settings.name, 'web-1')
  assert.equal(settings.output.kind, 'kafka')
  if (settings.output.kind !== 'kafka') return
  assert.deepEqual(settings.output.hosts, ['a:1', 'b:2'])
  assert.equal(settings.output.topic, 'logs-web-1')
  assert.equal(settings.output.key, '${x}')
  assert.match(refusal(`${inputs}name: \${NOPE}\n${output}`), /:2: name: missing field accessing/)
})

test('-E goes over the file, path flags over path settings', () => {
  const flags = ['-E', 'output.kafka.hosts=x:1,y:2', '-E', 'http.enabled=true', '--path.data', '/d']
  const { settings } = settingsOf(inputs + output, flags)
  assert.deepEqual(settings.output.kind === 'kafka' && settings.output.hosts, ['x:1', 'y:2'])
  assert.equal(settings.http.enabled, true)
  assert.equal(settings.dataDirectory, '/d')
})

test('mistakes are named with file, line and key', () => {
  const cases: readonly (readonly [text: string, message: RegExp])[] = [
    [
      `filebeat.inputs:\n- type: log\n  paths: [/a]\n  max_bytes: lots\n${output}`,
      /^filebeat\.yml:4: filebeat\.inputs\.0\.max_bytes: 'lots' is not a size/,
    ],
    [
      `${inputs}output.kafka:\n  hosts: [h]\n  topic: t\n  required_acks: 3\n`,
      /:5: output\.kafka\.required_acks: 3 is more than 1/,
    ],
    ['filebeat.inputs:\n- type: log\n  paths: [/a\n', /^filebeat\.yml:\d+: not valid YAML/],
    [`${inputs}`, /^No outputs are defined/],
    [`${inputs}${output}output.console: {}\n`, /more than one output is defined: kafka, console/],
    [
      `${inputs}output.elasticsearch: { hosts: [x] }\n`,
      /:2: output\.elasticsearch: this output is not built/,
    ],
    [output, /names no enabled input/],
    [`filebeat.inputs: [{ type: log }]\n${output}`, /no paths were defined/],
    [`filebeat.inputs: [{ type: udp }]\n${output}`, /'udp' is none of log, filestream/],
    [
      `filebeat.inputs: [{ type: log, paths: [/a], encoding: gbk }]\n${output}`,
      /'gbk' is not built yet/,
    ],
    [
      `filebeat.inputs: [{ type: log, paths: [/a], include_lines: ["("] }]\n${output}`,
      /include_lines: error parsing regexp/,
    ],
    [
      `filebeat.inputs: [{ type: log, paths: [/a], clean_inactive: 1s }]\n${output}`,
      /must be > ignore_older \+ scan_frequency/,
    ],
    [
      `${inputs}output.kafka: { hosts: [h], topic: t, username: u, password: secret }\n`,
      /username: encrypted and authenticated connections are not built/,
    ],
    [
      `${inputs}output.kafka: { hosts: [h], topic: t, ssl.certificate: x }\n`,
      /output\.kafka\.ssl: encrypted/,
    ],
    [
      `${inputs}${output}processors:\n- drop_event.when.contains.message: x\n`,
      /drop_event: this processor is not built/,
    ],
    [`${inputs}${output}queue.disk.max_size: 1GB\n`, /queue\.disk: is not built/],
    [
      `filebeat.inputs: [{ type: filestream, id: a, paths: [/a] }, { type: filestream, id: a, paths: [/b] }]\n${output}`,
      /ID 'a' already exists/,
    ],
  ]
  for (const [text, message] of cases) assert.match(refusal(text), message)
})

test('a secret does not appear in the refusal', () => {
  const text = `${inputs}output.kafka: { hosts: [h], topic: t, password: hush }\n`
  assert.ok(!refusal(text).includes('hush'))
})

test('unknown keys and processors that only enrich are warned of', () => {
  const { warnings } = settingsOf(
    `${inputs}${output}nonsense.key: 1\nprocessors:\n- add_host_metadata: ~\nlogging.to_files: true\nsetup.template.enabled: false\n`,
  )
  assert.deepEqual(warnings, [
    'filebeat.yml:5: processors.0.add_host_metadata: is not built; events go without it',
    'filebeat.yml:3: nonsense.key: not known, and ignored',
  ])
})

test('tags and fields of an input are added to the general ones', () => {
  const { settings } = settingsOf(
    `tags: [a]\nfields: { x: 1, y: 2 }\nfilebeat.inputs: [{ type: log, paths: [/a], tags: [b], fields: { y: 3, z.w: 4 } }]\n${output}`,
  )
  const [input] = settings.inputs
  assert.deepEqual(input?.event.tags, ['a', 'b'])
  assert.deepEqual(input?.event.fields, { x: 1, y: 3, z: { w: 4 } })
})

test('filestream keys mean what their log counterparts mean', () => {
  const { settings, warnings } = settingsOf(
    [
      'filebeat.inputs:',
      '- type: filestream',
      '  id: s',
      '  paths: [/a]',
      '  prospector.scanner: { check_interval: 3s, exclude_files: ["gz$"] }',
      '  close.on_state_change: { inactive: 2m, renamed: true, removed: false }',
      '  close.reader.on_eof: true',
      '  message_max_bytes: 1KiB',
      '  parsers:',
      "  - multiline: { type: pattern, pattern: '^ ', negate: true, match: before, max_lines: 3 }",
      output,
    ].join('\n'),
  )
  assert.deepEqual(warnings, [])
  const [input] = settings.inputs
  assert.equal(input?.scanFrequencyMs, 3000)
  assert.equal(input?.closeInactiveMs, 120_000)
  assert.deepEqual([input?.closeRenamed, input?.closeRemoved, input?.closeEof], [true, false, true])
  assert.equal(input?.maxBytes, 1024)
  assert.deepEqual(
    [input?.multiline?.negate, input?.multiline?.match, input?.multiline?.maxLines],
    [true, 'before', 3],
  )
})

test('durations and sizes', () => {
  assert.equal(parseDurationMs('1h30m'), 5_400_000)
  assert.equal(parseDurationMs('250ms'), 250)
  assert.equal(parseDurationMs('10'), 10_000)
  assert.equal(parseDurationMs('ten'), undefined)
  assert.equal(parseBytes('10MiB'), 10_485_760)
  assert.equal(parseBytes('1 MB'), 1_000_000)
  assert.equal(parseBytes('7'), 7)
  assert.equal(parseBytes('7 parsecs'), undefined)
})

test('the command line is that of Filebeat', () => {
  const parsed = parseArguments([
    '-e',
    '-c',
    'a.yml',
    '-c=b.yml',
    '-E',
    'x=1=2',
    '--strict.perms=false',
    '-d',
    '*',
    '--path.data=/d',
    '--once',
  ])
  assert.deepEqual(parsed, {
    command: 'run',
    configFiles: ['a.yml', 'b.yml'],
    overrides: [{ key: 'x', value: '1=2' }],
    paths: { 'path.data': '/d' },
    once: true,
    debug: true,
  })
  assert.equal(parseArguments(['test', 'config', '-c', 'a.yml']).command, 'test config')
  assert.throws(() => parseArguments(['--nope']), /unknown flag: --nope/)
  assert.throws(() => parseArguments(['modules']), /unknown command "modules"/)
  assert.throws(() => parseArguments(['-c']), /flag needs an argument/)
})
