import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConnectString } from '../../src/zookeeper/client/connect-string.ts'
import { allowed, effectiveAcl } from '../../src/zookeeper/server/access.ts'
import { pathError } from '../../src/zookeeper/server/paths.ts'
import { parseZooCfg } from '../../src/zookeeper/server/settings.ts'

test("Kafka's own zookeeper.properties is understood without a warning", () => {
  const text =
    '# comment\ndataDir=/tmp/zookeeper\nclientPort=2181\nmaxClientCnxns=0\nadmin.enableServer=false\n'
  const { settings, warnings } = parseZooCfg(text)
  assert.deepEqual(warnings, [])
  assert.equal(settings.dataDirectory, '/tmp/zookeeper')
  assert.equal(settings.logDirectory, '/tmp/zookeeper')
  assert.equal(settings.connectionsPerAddressMax, 0)
  assert.deepEqual([settings.sessionTimeoutMsMin, settings.sessionTimeoutMsMax], [6000, 60_000])
  assert.deepEqual(settings.fourLetterWords, new Set(['srvr']))
  assert.equal(settings.preallocateBytes, 64 * 1024 * 1024)
})

test('session bounds, words and directories follow the file', () => {
  const { settings } = parseZooCfg(
    'dataDir=/d\ndataLogDir=/l\ntickTime=500\nmaxSessionTimeout=7000\n4lw.commands.whitelist=*\n' +
      'autopurge.purgeInterval=2\nautopurge.snapRetainCount=1\nserver.1=here:2888:3888\n',
  )
  assert.equal(settings.logDirectory, '/l')
  assert.deepEqual([settings.sessionTimeoutMsMin, settings.sessionTimeoutMsMax], [1000, 7000])
  assert.equal(settings.fourLetterWords, 'all')
  assert.deepEqual([settings.purgeIntervalMs, settings.snapshotsRetained], [7_200_000, 3])
})

test('what cannot be kept is refused by name', () => {
  const refused = (text: string) => () => parseZooCfg(`dataDir=/d\n${text}`)
  assert.throws(
    refused('server.1=a:1:2\nserver.2=b:1:2'),
    /server\.1, server\.2: an ensemble needs/,
  )
  assert.throws(refused('secureClientPort=2182'), /secureClientPort/)
  assert.throws(refused('authProvider.1=org.apache.zookeeper.server.auth.SASL'), /authProvider\.1/)
  assert.throws(refused('clientPort=x'), /Invalid value x for configuration clientPort/)
  assert.throws(() => parseZooCfg('clientPort=2181'), /dataDir/)
})

test('connect strings name servers and a chroot', () => {
  assert.deepEqual(parseConnectString('a:1,b ,[::1]:3/kafka/x/'), {
    servers: [
      { host: 'a', port: 1 },
      { host: 'b', port: 2181 },
      { host: '::1', port: 3 },
    ],
    chroot: '/kafka/x',
  })
  assert.equal(parseConnectString('a/').chroot, '')
  assert.throws(() => parseConnectString('/x'), RangeError)
  assert.throws(() => parseConnectString('a:b'), RangeError)
  assert.throws(() => parseConnectString('a:70000'), RangeError)
})

test('paths are as ZooKeeper allows them', () => {
  for (const path of ['/', '/a', '/a/b', '/a.b/..c', '/ü', '/a b'])
    assert.equal(pathError(path), undefined)
  for (const path of [
    '',
    'a',
    '/a/',
    '//',
    '/a//b',
    '/./a',
    '/a/..',
    '/a\u0000',
    '/\ue000',
    '/\ufff0',
  ]) {
    assert.notEqual(pathError(path), undefined, JSON.stringify(path))
  }
})

test('access by address works on networks', () => {
  const can = (id: string, address: string): boolean =>
    allowed([{ perms: 1, id: { scheme: 'ip', id } }], 1, [{ scheme: 'ip', id: address }])
  assert.ok(can('10.0.0.0/8', '10.255.1.2') && !can('10.0.0.0/8', '11.0.0.1'))
  assert.ok(can('127.0.0.1', '127.0.0.1') && !can('127.0.0.1', '::1'))
  assert.ok(can('192.168.4.0/23', '192.168.5.9') && !can('192.168.4.0/23', '192.168.6.1'))
})

test('lists that name nobody, nonsense or an unproved self are refused', () => {
  const acl = (scheme: string, id: string) => [{ perms: 31, id: { scheme, id } }]
  assert.equal(effectiveAcl([], []), undefined)
  for (const [scheme, id] of [
    ['world', 'me'],
    ['ip', '300.1.1.1'],
    ['ip', '1.2.3.4/33'],
    ['ip', '::1'],
    ['digest', 'x'],
    ['sasl', 'a'],
    ['auth', ''],
  ] as const) {
    assert.equal(
      effectiveAcl(acl(scheme, id), [{ scheme: 'ip', id: '1.2.3.4' }]),
      undefined,
      `${scheme}:${id}`,
    )
  }
  assert.deepEqual(
    effectiveAcl(acl('auth', ''), [{ scheme: 'digest', id: 'joe:h' }]),
    acl('digest', 'joe:h'),
  )
})
