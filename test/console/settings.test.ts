import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildSettings, parseArguments } from '../../src/console/settings.ts'
import { UserError } from '../../src/runtime/service.ts'

function settingsOf(args: readonly string[], file?: string) {
  const outcome = parseArguments(args)
  assert.equal(outcome.kind, 'run')
  return buildSettings(outcome.kind === 'run' ? outcome.parsed.values : new Map(), file)
}

test('without flags and file the console binds loopback and asks the local search', () => {
  assert.deepEqual(settingsOf([]).settings, {
    host: '127.0.0.1',
    port: 5601,
    allowedHosts: [],
    elasticsearch: {
      urls: ['http://127.0.0.1:9200'],
      authorization: undefined,
      requestTimeoutMs: 30_000,
    },
    bootstrapServers: [],
  })
})

test('the keys of kibana.yml are understood, nested or dotted, old or new', () => {
  const nested =
    'server:\n  port: 5602\n  host: "0.0.0.0"\nelasticsearch:\n  hosts: ["http://a:1", "b:2/es/"]\n'
  const { settings } = settingsOf([], nested)
  assert.equal(settings.port, 5602)
  assert.equal(settings.host, '0.0.0.0')
  assert.deepEqual(settings.elasticsearch.urls, ['http://a:1', 'http://b:2/es'])
  const old = settingsOf(
    [],
    'elasticsearch.url: http://old:9200\nserver.publicBaseUrl: https://Logs.x/\n',
  )
  assert.deepEqual(old.settings.elasticsearch.urls, ['http://old:9200'])
  assert.deepEqual(old.settings.allowedHosts, ['logs.x'])
})

test('flags win over the file, and unknown keys only warn', () => {
  const file =
    'server.port: 5602\nxpack.security.enabled: true\nkafka.bootstrap.servers: [a:9092]\n'
  const { settings, warnings } = settingsOf(['-p', '5700', '--bootstrap-server', 'b:1, c:2'], file)
  assert.equal(settings.port, 5700)
  assert.deepEqual(settings.bootstrapServers, ['b:1', 'c:2'])
  assert.deepEqual(warnings, ['setting xpack.security.enabled is not known here and has no effect'])
})

test('credentials become a header and leave the URL', () => {
  const { settings } = settingsOf(['-e', 'http://me:s%40cret@es:9200/'])
  assert.deepEqual(settings.elasticsearch.urls, ['http://es:9200'])
  assert.equal(
    settings.elasticsearch.authorization,
    `Basic ${Buffer.from('me:s@cret').toString('base64')}`,
  )
})

test('mistakes name the setting and what is allowed', () => {
  const cases: [readonly string[], string | undefined, RegExp][] = [
    [['--port', '70000'], undefined, /port/],
    [['--nonsense'], undefined, /unknown option/],
    [['stray'], undefined, /too many arguments/],
    [[], 'server.port: http', /server\.port: expected a whole number/],
    [[], '- a\n- b', /key: value/],
    [[], 'a: [', /not valid YAML/],
    [['-e', 'ftp://es'], undefined, /elasticsearch\.hosts: expected a URL/],
    [['--bootstrap-server', 'broker'], undefined, /broker is not of the form host:port/],
  ]
  for (const [args, file, expected] of cases) {
    assert.throws(
      () => settingsOf(args, file),
      (error) => error instanceof UserError && expected.test(error.message),
      `${args.join(' ')} ${file}`,
    )
  }
})

test('--help is printed and nothing is started', () => {
  const outcome = parseArguments(['--help'])
  assert.equal(outcome.kind, 'print')
  assert.match(outcome.kind === 'print' ? outcome.text : '', /--bootstrap-server/)
})
