import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { nodeDisk } from '../../src/node/disk.ts'
import { checkOwnFiles } from '../../src/platform/check.ts'
import { asksForHelp, parseUpArguments } from '../../src/platform/arguments.ts'
import { lockData, missingFiles, ownFiles } from '../../src/platform/files.ts'
import { addressesOf, configFiles, flagsOfConsole, stages } from '../../src/platform/stages.ts'
import { StatusScreen } from '../../src/platform/status.ts'
import { createHttpClient } from '../../src/node/http.ts'
import { Writable } from 'node:stream'
import { temporaryDirectory } from './chain.ts'

const disk = nodeDisk

test('an option with one dash is no file, and what follows -- is one', () => {
  assert.throws(() => parseUpArguments(['-x'], '/w'), /there is no option -x; --help lists them/)
  assert.deepEqual(parseUpArguments(['--', '-x', '/y'], '/w').files, ['/w/-x', '/y'])
  assert.equal(asksForHelp(['some.log', '-h']), true)
  assert.equal(asksForHelp(['--', '--help']), false)
})

test('a directory of configuration that is not there, or holds none, is refused by name', (t) => {
  const directory = temporaryDirectory(t)
  const asked = (folder: string) => parseUpArguments(['--config', folder], directory)
  const nowhere = `${directory}/nowhere`
  assert.throws(() => ownFiles(asked(nowhere), { disk }), {
    message: `up: --config ${nowhere}: there is no such directory`,
  })
  assert.throws(() => ownFiles(asked(directory), { disk }), /holds none of server\.properties, /)
  mkdirSync(join(directory, 'console.yml'))
  assert.throws(() => ownFiles(asked(directory), { disk }), {
    message: `up: --config ${directory} cannot be read: EISDIR`,
  })
})

test('files to ship may be missing, but a directory is refused', (t) => {
  const directory = temporaryDirectory(t)
  writeFileSync(join(directory, 'a.log'), 'line\n')
  const up = parseUpArguments(['a.log', 'b.log', '*.log'], directory)
  assert.deepEqual(missingFiles(up, { disk }), [`${directory}/b.log`])
  const wrong = parseUpArguments([directory], directory)
  assert.throws(() => missingFiles(wrong, { disk }), /is a directory: name its files, as in /)
})

test("ports that the user's files name reach every other stage", () => {
  const up = parseUpArguments(['--config', '/c', '--search-port', '9201'], '/w')
  const { ports, hosts } = addressesOf(up, [
    { name: 'server.properties', text: '#listeners=A://:1\nlisteners=PLAINTEXT://:9393\n' },
    { name: 'zookeeper.properties', text: 'tickTime=2000\nclientPort=2282\n' },
    { name: 'filebeat.yml', text: 'http.port: 5067\n' },
    { name: 'console.yml', text: 'server:\n  host: 127.0.0.1\n  port: 5602\n' },
  ])
  const expected = { broker: 9393, coordination: 2282, search: 9201, pipeline: 9600 }
  assert.deepEqual(ports, { ...expected, console: 5602, shipper: 5067 })
  assert.deepEqual(hosts, {})
  const text = configFiles({ ...up, ports })
    .map((file) => file.text)
    .join('')
  assert.match(text, /bootstrap_servers => "127\.0\.0\.1:9393"/)
  const malformed = [{ name: 'console.yml', text: 'server: [\n' }]
  assert.equal(addressesOf(up, malformed).ports.console, 5601)
})

test('a broker and a coordination server of other addresses are where every stage looks for them', () => {
  const up = parseUpArguments(['--config', '/c'], '/w')
  const own = [
    { name: 'server.properties', text: 'listeners = PLAINTEXT://127.0.0.2:9393,B://:9394\n' },
    { name: 'zookeeper.properties', text: 'clientPort=2282\nclientPortAddress=127.0.0.3\n' },
  ]
  const there = { ...up, ...addressesOf(up, own) }
  assert.deepEqual(there.hosts, { broker: '127.0.0.2', coordination: '127.0.0.3' })
  const made = configFiles(there).map(({ name, text }) => [name, text] as const)
  const textOf = (name: string): string => new Map(made).get(name) ?? ''
  assert.match(textOf('logstash.conf'), /bootstrap_servers => "127\.0\.0\.2:9393"/)
  assert.match(textOf('filebeat.yml'), /- 127\.0\.0\.2:9393/)
  assert.match(textOf('console.yml'), /- 127\.0\.0\.2:9393/)
  assert.match(textOf('server.properties'), /^zookeeper\.connect=127\.0\.0\.3:2282$/m)
  const [broker, search] = stages(there, {
    fileOf: (name) => name,
    shipsFiles: false,
    consoleFlags: [],
  })
  assert.deepEqual([broker?.host, broker?.port, search?.host], ['127.0.0.2', 9393, '127.0.0.1'])
  const everywhere = [{ name: 'server.properties', text: 'listeners=PLAINTEXT://0.0.0.0:9393\n' }]
  assert.deepEqual(addressesOf(up, everywhere).hosts, {})
})

test("a malformed file of the user's own is named before anything is started", async () => {
  const up = parseUpArguments(['--config', '/c'], '/w')
  const refusal = (name: string, text: string) => checkOwnFiles(up, [{ name, text }])
  await assert.rejects(
    refusal('server.properties', 'zookeeper.connect=a:1\nlog.retention.hours=zzz\n'),
    /^UserError: \/c\/server\.properties: Invalid value zzz for configuration log\.retention\.hours/,
  )
  await assert.rejects(refusal('zookeeper.properties', 'clientPort=1\n'), {
    message: '/c/zookeeper.properties: dataDir is not set',
  })
  await assert.rejects(refusal('console.yml', 'server: [\n'), /^UserError: \/c\/console\.yml: /)
})

test('the shipper runs where there is something to ship, and its port always answers', () => {
  const up = parseUpArguments(['--shipper-port', '5067'], '/w')
  const planned = (shipsFiles: boolean) =>
    stages(up, { fileOf: (name) => name, shipsFiles, consoleFlags: [] })
  assert.equal(
    planned(false).some(({ name }) => name === 'shipper'),
    false,
  )
  const shipper = planned(true).find(({ name }) => name === 'shipper')
  assert.ok(shipper?.arguments.includes('http.enabled=true'))
  assert.ok(shipper?.arguments.includes('http.port=5067'))
})

test('a line above the block of the terminal begins in the first column', async () => {
  const written: string[] = []
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk.toString())
      done()
    },
  })
  const up = parseUpArguments([], '/w')
  const stage = stages(up, { fileOf: (name) => name, shipsFiles: false, consoleFlags: [] })[0]
  assert.ok(stage)
  const shown = { stage, state: 'starting', pid: 7, restarts: 0, startedAtMs: 1 } as const
  const screen = new StatusScreen(output, true, [shown], createHttpClient(), up)
  await screen.draw(0)
  screen.say('Stopping')
  assert.equal(written.slice(-2).join(''), '\r\u001b[1A\u001b[0JStopping\n')
})

test('a data directory serves one chain at a time', (t) => {
  const up = parseUpArguments(['--data', temporaryDirectory(t)], '/w')
  const lock = lockData(up, { disk })
  assert.throws(() => lockData(up, { disk }), {
    message: `up: ${up.dataDirectory} is in use; --data DIR gives another place`,
  })
  lock.release()
  lockData(up, { disk }).release()
})

test('the pages find the search and the broker that a console.yml does not name', () => {
  const up = parseUpArguments(['--search-port', '9201'], '/w')
  const flags = (text: string): string =>
    flagsOfConsole(up, [{ name: 'console.yml', text }]).join(' ')
  const search = '--elasticsearch http://127.0.0.1:9201'
  const broker = '--bootstrap-server 127.0.0.1:9092'
  assert.equal(flags('server.port: 5602\n'), `${search} ${broker}`)
  assert.equal(flags('elasticsearch.hosts: ["http://a:1"]\n'), broker)
  assert.equal(flags('kafka:\n  bootstrap.servers: [a:1]\n'), search)
  assert.equal(flagsOfConsole(up, configFiles(up)).length, 0)
})
