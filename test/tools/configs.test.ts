// kafka-configs: which entities a command line means, what changes, how settings are shown.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { configLine } from '../../src/tools/commands/configs.ts'
import {
  configOptions,
  configOrder,
  configsToAdd,
  configsToDelete,
} from '../../src/tools/config-options.ts'
import { javaDouble } from '../../src/tools/java-numbers.ts'
import { parseOptions } from '../../src/tools/options.ts'
import { changeConfigs } from '../../src/tools/znode-configs.ts'

const order = (line: string) =>
  configOrder(parseOptions(configOptions, ['--bootstrap-server', 'h:1', ...line.split(' ')]))

const refusals: readonly (readonly [string, string | RegExp])[] = [
  ['--entity-type topics', 'Command must include exactly one action: --describe, --alter'],
  ['--describe', 'At least one entity type must be specified'],
  ['--describe --entity-type nope', /^Invalid entity type nope, the entity type must be one of/],
  ['--describe --entity-type users --entity-type ips', /may be specified together/],
  ['--describe --entity-type brokers --entity-name a', /must be a valid integer broker id/],
  [
    '--alter --entity-type topics --add-config a=b',
    'an entity name must be specified with --alter of topics',
  ],
  [
    '--alter --topic t',
    'At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter',
  ],
  [
    '--alter --topic t --add-config a=b --add-config-file f',
    'Only one of --add-config or --add-config-file must be specified',
  ],
]

for (const [line, message] of refusals) {
  test(`refused: ${line}`, () => {
    assert.throws(() => order(line), { name: 'OptionError', message })
  })
}

test('names and defaults belong to types by their order', () => {
  const line =
    '--describe --entity-type users --entity-default --entity-type clients --entity-name c'
  assert.deepEqual(order(line).entities, [
    { type: 'users', name: null },
    { type: 'clients', name: 'c' },
  ])
  assert.deepEqual(order('--describe --user u --client-defaults').entities, [
    { type: 'users', name: 'u' },
    { type: 'clients', name: null },
  ])
  assert.deepEqual(order('--describe --entity-type topics').entities, [
    { type: 'topics', name: undefined },
  ])
})

test('brackets hold values with commas together', () => {
  assert.deepEqual(
    [...configsToAdd('cleanup.policy=[compact,delete],retention.ms=99,a=b=c')],
    [
      ['cleanup.policy', 'compact,delete'],
      ['retention.ms', '99'],
      ['a', 'b=c'],
    ],
  )
  assert.throws(() => configsToAdd('retention.ms'), /must be in the format "key=val"/)
  assert.deepEqual(configsToDelete('a, b,'), ['a', 'b'])
})

test('what is added is read back whatever its values hold', () => {
  const name = fc.stringMatching(/^[a-z][a-z.]{0,9}$/)
  const value = fc.stringMatching(/^[a-z0-9,=:]{1,12}$/)
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(name, value), { selector: ([one]) => one }), (pairs) => {
      const text = pairs.map(([key, one]) => `${key}=[${one}]`).join(',')
      assert.deepEqual([...configsToAdd(text)], pairs)
    }),
  )
})

test('a setting is shown with what it overrides', () => {
  const entry = {
    name: 'cleanup.policy',
    value: 'compact',
    readOnly: false,
    isDefault: false,
    sensitive: false,
    source: 'topic',
    synonyms: [
      { name: 'cleanup.policy', value: 'compact', source: 'topic' },
      { name: 'log.cleanup.policy', value: 'delete', source: 'default' },
    ],
  } as const
  assert.equal(
    configLine(entry),
    '  cleanup.policy=compact sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:cleanup.policy=compact, DEFAULT_CONFIG:log.cleanup.policy=delete}',
  )
})

test('numbers are shown as Java shows them', () => {
  const shown: readonly (readonly [number, string])[] = [
    [0, '0.0'],
    [1024, '1024.0'],
    [0.5, '0.5'],
    [9_999_999, '9999999.0'],
    [1e7, '1.0E7'],
    [12_345_678.5, '1.23456785E7'],
    [0.001, '0.001'],
    [0.0005, '5.0E-4'],
  ]
  for (const [value, text] of shown) assert.equal(javaDouble(value), text)
})

test('through ZooKeeper a node is changed and the brokers are told', async () => {
  const nodes = new Map([['/config/topics/t', '{"version":1,"config":{"a":"1","b":"2"}}']])
  const created: unknown[] = []
  const stat = noStat
  await changeConfigs(
    {
      getData: (path) => Promise.resolve({ data: Buffer.from(nodes.get(path) ?? ''), stat }),
      exists: (path) => Promise.resolve(nodes.has(path) ? stat : null),
      setData: (path, data) => {
        nodes.set(path, Buffer.from(data).toString())
        return Promise.resolve(stat)
      },
      makePath: () => Promise.reject(new Error('it is there')),
      create: (path, data, options) => {
        created.push([path, Buffer.from(data ?? []).toString(), options?.sequential])
        return Promise.resolve({ path, stat: null })
      },
    },
    'topics/t',
    new Map([
      ['a', undefined],
      ['c', '3'],
    ]),
  )
  assert.equal(nodes.get('/config/topics/t'), '{"version":1,"config":{"b":"2","c":"3"}}')
  assert.deepEqual(created, [
    ['/config/changes/config_change_', '{"version":2,"entity_path":"topics/t"}', true],
  ])
})

const noStat = {
  czxid: 0n,
  mzxid: 0n,
  ctime: 0n,
  mtime: 0n,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0n,
  dataLength: 0,
  numChildren: 0,
  pzxid: 0n,
}
