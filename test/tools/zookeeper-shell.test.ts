// zookeeper-shell: its words, its texts, and its commands against our own coordination server.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realPorts } from '../../src/node/ports.ts'
import { startCluster } from '../../src/testing/cluster.ts'
import { shellOrder, zookeeperShellMain } from '../../src/tools/commands/zookeeper-shell.ts'
import {
  aclLines,
  parseAcl,
  parseQuota,
  quotaText,
  statLines,
} from '../../src/tools/shell/texts.ts'
import { parseWords, splitWords } from '../../src/tools/shell/words.ts'
import { fakeContext, input } from './support.ts'

test('words are cut at spaces outside of quotes', () => {
  assert.deepEqual(splitWords(`create -e  /a "b c" 'd "e'`), ['create', '-e', '/a', 'b c', 'd "e'])
  assert.deepEqual(splitWords('   '), [])
})

test('flags may stand anywhere, unknown ones are refused', () => {
  const { flags, rest } = parseWords(['/a', '-v', '3', 'x', '-s', '-5'], { s: false, v: true })
  assert.deepEqual(
    [[...flags], rest],
    [
      [
        ['v', '3'],
        ['s', ''],
      ],
      ['/a', 'x', '-5'],
    ],
  )
  assert.throws(
    () => parseWords(['-x'], {}),
    /UnrecognizedOptionException: Unrecognized option: -x/,
  )
})

test('a server is named with or without a flag; what follows is the command', () => {
  const command = ['ls', '-R', '/']
  const expected = { connect: 'h:1/c', timeoutMs: 30_000, command }
  assert.deepEqual(shellOrder(['h:1/c', ...command]), expected)
  assert.deepEqual(shellOrder(['-server', 'h:1/c', ...command]), expected)
  assert.equal(shellOrder([]), undefined)
})

test('access lists are read and shown in the shell’s letters', () => {
  const acl = parseAcl('world:anyone:cdrwa,digest:u:p=:r')
  assert.deepEqual(acl, [
    { perms: 31, id: { scheme: 'world', id: 'anyone' } },
    { perms: 1, id: { scheme: 'digest', id: 'u:p=' } },
  ])
  assert.deepEqual(aclLines(acl), ["'world,'anyone", ': cdrwa', "'digest,'u:p=", ': r'])
  assert.throws(() => parseAcl('foo'), /^ShellError: foo does not have the form scheme:id:perm$/)
})

test('a stat has eleven lines, numbers in hexadecimal where ZooKeeper has them so', () => {
  const stat = {
    czxid: 22n,
    mzxid: 23n,
    ctime: 0n,
    mtime: 0n,
    version: 1,
    cversion: 2,
    aversion: 3,
    ephemeralOwner: -1n,
    dataLength: 4,
    numChildren: 5,
    pzxid: 22n,
  }
  const lines = statLines(stat)
  assert.equal(lines.length, 11)
  assert.deepEqual([lines[0], lines[8]], ['cZxid = 0x16', 'ephemeralOwner = 0xffffffffffffffff'])
})

test('a quota is read back from its text', () => {
  const quota = { count: 5, bytes: -1, countHard: -1, bytesHard: 9 }
  assert.equal(quotaText(quota), 'count=5,bytes=-1=;byteHardLimit=9;countHardLimit=-1')
  assert.deepEqual(parseQuota(quotaText(quota)), quota)
})

const connected = '\nWATCHER::\n\nWatchedEvent state:SyncConnected type:None path:null\n'

test('commands do what they do in the original, and say so in its words', async () => {
  await using cluster = await startCluster()
  const connect = cluster.zookeeperConnect
  const main = zookeeperShellMain({
    ports: ({ stderr }) => realPorts({ logStream: stderr, logLevel: 'WARN' }),
    productVersion: () => '0',
  })
  const shell = async (...words: readonly string[]): Promise<readonly [string, string, number]> => {
    const context = fakeContext([connect, ...words])
    const code = await main(context)
    const head = `Connecting to ${connect}\n${connected}`
    return [context.stdout.text.replace(head, ''), context.stderr.text, code]
  }
  assert.deepEqual(await shell('create', '/a', 'hello'), ['', 'Created /a\n', 0])
  assert.deepEqual(await shell('create', '/a', 'hello'), ['', 'Node already exists: /a\n', 1])
  assert.deepEqual(await shell('get', '/a'), ['hello\n', '', 0])
  assert.deepEqual(await shell('set', '-v', '9', '/a', 'x'), [
    '',
    'version No is not valid : /a\n',
    1,
  ])
  assert.deepEqual(await shell('create', '/a/b', 'x'), ['', 'Created /a/b\n', 0])
  assert.deepEqual(await shell('create', '/a/b/d', 'x'), ['', 'Created /a/b/d\n', 0])
  assert.deepEqual(await shell('create', '/a/c', 'x'), ['', 'Created /a/c\n', 0])
  assert.deepEqual(await shell('ls', '-R', '/a'), ['/a\n/a/b\n/a/c\n/a/b/d\n', '', 0])
  assert.deepEqual(await shell('ls', '/a'), ['[b, c]\n', '', 0])
  assert.deepEqual(await shell('delete', '/a'), ['', 'Node not empty: /a\n', 1])
  assert.deepEqual(await shell('getAcl', '/a'), ["'world,'anyone\n: cdrwa\n", '', 0])
  assert.deepEqual(await shell('deleteall', '/a'), ['', '', 0])
  assert.deepEqual(await shell('get', '/a'), ['', 'Node does not exist: /a\n', 1])
  assert.deepEqual(await shell('get'), [`Connecting to ${connect}\n`, 'get [-s] [-w] path\n', 1])
  assert.equal((await shell('foo'))[2], 127)
})

test('lines of standard input are commands; the last one’s code is the exit code', async () => {
  await using cluster = await startCluster()
  const lines = ['create /w one', 'get -w /w', 'set /w two', 'history', 'ls /nope', 'quit', 'ls /']
  const context = fakeContext([cluster.zookeeperConnect], input([`${lines.join('\n')}\n`]))
  const main = zookeeperShellMain({
    ports: ({ stderr }) => realPorts({ logStream: stderr, logLevel: 'WARN' }),
    productVersion: () => '0',
  })
  assert.equal(await main(context), 1)
  assert.equal(
    context.stdout.text,
    `Connecting to ${cluster.zookeeperConnect}\nWelcome to ZooKeeper!\n${connected}one\n` +
      '\nWATCHER::\n\nWatchedEvent state:SyncConnected type:NodeDataChanged path:/w\n' +
      '0 - create /w one\n1 - get -w /w\n2 - set /w two\n3 - history\n',
  )
  assert.equal(context.stderr.text, 'Created /w\nNode does not exist: /nope\n')
})
