// Settings: types, bounds, synonyms, and errors in the words of Kafka's ConfigException.
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseProperties } from '../../src/runtime/properties.ts'
import { UserError } from '../../src/runtime/service.ts'
import {
  Password,
  boolean,
  className,
  defineSettings,
  describeSettings,
  double,
  int,
  list,
  long,
  password,
  string,
} from '../../src/runtime/settings.ts'
import type { SettingsOf } from '../../src/runtime/settings.ts'

const hourMs = 3_600_000

const definition = defineSettings(
  {
    'broker.id': int({ default: -1, min: -1, importance: 'high' }),
    'zookeeper.connect': string({ required: true, about: 'Hosts of the coordination.' }),
    'log.dirs': list({ default: '/tmp/kafka-logs', nonEmpty: true }),
    'log.flush.interval.messages': long({ default: 2 ** 63, min: 1 }),
    'log.retention.ms': long({
      default: null,
      mode: 'cluster-wide',
      synonyms: [
        { name: 'log.retention.minutes', factor: 60_000 },
        { name: 'log.retention.hours', factor: hourMs },
      ],
    }),
    'log.retention.minutes': int({ default: null }),
    'log.retention.hours': int({ default: 168 }),
    'auto.create.topics.enable': boolean({ default: true }),
    'log.cleaner.min.cleanable.ratio': double({ default: 0.5, min: 0, max: 1 }),
    'compression.type': string({ default: 'producer', oneOf: ['producer', 'gzip', 'none'] }),
    'ssl.key.password': password({ default: null }),
    'authorizer.class.name': className({ default: '', support: 'refused' }),
    'metric.reporters': list({ default: '', support: 'ignored' }),
  },
  { foreignPrefixes: ['listener.name.'] },
)
type Values = SettingsOf<typeof definition>

const least = { 'zookeeper.connect': 'localhost:2181' }
const parse = (input: Record<string, string>): Values =>
  definition.parse({ ...least, ...input }).values

function messageOf(input: Record<string, string>): string {
  try {
    definition.parse(input)
  } catch (error) {
    assert.ok(error instanceof UserError)
    return error.message
  }
  return 'no error'
}

describe('settings', () => {
  test('have the types of their declarations, and defaults where nothing is given', () => {
    const values = parse({})
    const brokerId: number = values['broker.id']
    const retentionMs: number | null = values['log.retention.ms']
    const compression: 'producer' | 'gzip' | 'none' = values['compression.type']
    const directories: readonly string[] = values['log.dirs']
    const secret: Password | null = values['ssl.key.password']
    assert.deepEqual(
      [brokerId, retentionMs, compression, directories, secret],
      [-1, 168 * hourMs, 'producer', ['/tmp/kafka-logs'], null],
    )
    assert.equal(values['auto.create.topics.enable'], true)
    assert.equal(values['log.flush.interval.messages'], 2 ** 63)
  })

  test('are read as Java reads them: spaces, signs, case, lists', () => {
    const values = parse({
      'broker.id': ' +7 ',
      'log.dirs': '/a , /b,/c',
      'auto.create.topics.enable': 'FALSE',
      'log.cleaner.min.cleanable.ratio': '1e-1',
      'log.flush.interval.messages': '9223372036854775807',
    })
    assert.equal(values['broker.id'], 7)
    assert.deepEqual(values['log.dirs'], ['/a', '/b', '/c'])
    assert.equal(values['auto.create.topics.enable'], false)
    assert.equal(values['log.cleaner.min.cleanable.ratio'], 0.1)
    assert.equal(values['log.flush.interval.messages'], 2 ** 63)
  })

  test('fall back on their synonyms in order, in their own unit; negative means no limit', () => {
    const retention = (input: Record<string, string>): number | null =>
      parse(input)['log.retention.ms']
    assert.equal(retention({ 'log.retention.hours': '2' }), 2 * hourMs)
    assert.equal(retention({ 'log.retention.hours': '2', 'log.retention.minutes': '3' }), 180_000)
    assert.equal(retention({ 'log.retention.minutes': '3', 'log.retention.ms': '5' }), 5)
    assert.equal(retention({ 'log.retention.hours': '-1' }), -1)
  })

  test('name the setting, the value and what is allowed when they are wrong', () => {
    const cases: [Record<string, string>, string][] = [
      [{}, 'Missing required configuration "zookeeper.connect" which has no default value.'],
      [
        { ...least, 'broker.id': 'x' },
        'Invalid value x for configuration broker.id: Not a number of type INT',
      ],
      [
        { ...least, 'broker.id': '2147483648' },
        'Invalid value 2147483648 for configuration broker.id: Not a number of type INT',
      ],
      [
        { ...least, 'log.flush.interval.messages': '9223372036854775808' },
        'Invalid value 9223372036854775808 for configuration log.flush.interval.messages: ' +
          'Not a number of type LONG',
      ],
      [
        { ...least, 'broker.id': '-2' },
        'Invalid value -2 for configuration broker.id: Value must be at least -1',
      ],
      [
        { ...least, 'log.cleaner.min.cleanable.ratio': '1.5' },
        'Invalid value 1.5 for configuration log.cleaner.min.cleanable.ratio: ' +
          'Value must be no more than 1',
      ],
      [
        { ...least, 'auto.create.topics.enable': 'yes' },
        'Invalid value yes for configuration auto.create.topics.enable: ' +
          'Expected value to be either true or false',
      ],
      [
        { ...least, 'compression.type': 'rar' },
        'Invalid value rar for configuration compression.type: ' +
          'String must be one of: producer, gzip, none',
      ],
      [
        { ...least, 'authorizer.class.name': 'kafka.security.authorizer.AclAuthorizer' },
        'authorizer.class.name=kafka.security.authorizer.AclAuthorizer is not supported yet; ' +
          'remove it to start without it.',
      ],
    ]
    for (const [input, message] of cases) assert.equal(messageOf(input), message)
  })

  test('warn of what is unknown or not acted on, and leave others their prefixes', () => {
    const { warnings, given } = definition.parse({
      ...least,
      'log.dir': '/a',
      'listener.name.sasl.jaas': 'x',
      'metric.reporters': 'a.B',
      'authorizer.class.name': '',
      constructor: 'x',
    })
    assert.deepEqual(warnings, [
      "The configuration 'log.dir' was supplied but is not a known setting.",
      "The configuration 'constructor' was supplied but is not a known setting.",
      "The configuration 'metric.reporters' is not acted on yet.",
    ])
    assert.ok(given.has('zookeeper.connect') && !given.has('broker.id'))
  })

  test('print secrets as [hidden], whatever prints them', () => {
    const secret = parse({ 'ssl.key.password': 'hunter2' })['ssl.key.password']
    assert.ok(secret instanceof Password)
    assert.equal(secret.reveal(), 'hunter2')
    assert.equal(
      `${String(secret)} ${JSON.stringify({ secret })}`,
      '[hidden] {"secret":"[hidden]"}',
    )
    assert.ok(!inspect({ secret }, { showHidden: true }).includes('hunter2'))
  })

  test('are described one row each', () => {
    const text = describeSettings(definition)
    assert.ok(text.includes('| `broker.id` | int | `-1` | [-1, …] | read-only |  |\n'))
    assert.ok(text.includes('| `zookeeper.connect` | string | (required) |  | read-only | Hosts'))
    assert.ok(text.includes('`9223372036854775807`'))
    assert.ok(text.includes('Not acted on yet.'))
    assert.equal(text.split('\n').length, Object.keys(definition.settings).length + 3)
  })

  test('of whole numbers round-trip within their bounds', () => {
    const limits = defineSettings({ n: long({ required: true }), i: int({ default: 0 }) })
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.integer(), (wide, narrow) => {
        const { values } = limits.parse({ n: String(wide), i: String(narrow) })
        assert.deepEqual(values, { n: wide, i: narrow })
      }),
    )
  })
})

test('properties are read as java.util.Properties reads them', () => {
  const text = [
    '# a comment',
    '! another',
    'broker.id=0',
    'log.dirs = /tmp/a,\\',
    '    /tmp/b',
    'zookeeper.connect:localhost\\:2181',
    'key\\ with\\ spaces value here',
    'unicode=\\u00e4\\t|',
    'empty',
    'broker.id=1',
    '',
  ].join('\r\n')
  assert.deepEqual(
    { ...parseProperties(text) },
    {
      'broker.id': '1',
      'log.dirs': '/tmp/a,/tmp/b',
      'zookeeper.connect': 'localhost:2181',
      'key with spaces': 'value here',
      unicode: 'ä\t|',
      empty: '',
    },
  )
})
