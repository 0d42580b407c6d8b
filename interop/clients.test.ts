/** Clients of others against ours, and our client against the originals. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { freePorts, root, temporaryDirectory } from '../test/platform/chain.ts'
import { cache, runTool, startKafka, startZooKeeper, toolClass } from './support/kafka.ts'
import { CoordinationOnly } from './support/coordination.ts'
import { startMillrace } from './support/millrace.ts'

const run = promisify(execFile)

test('kcat writes and reads back every codec, and resumes where its group stopped', async (t) => {
  const broker = await startMillrace(join(temporaryDirectory(t), 'broker'))
  t.after(() => broker.stop())
  const kcat = async (args: string[], input = ''): Promise<string> => {
    const child = run('kcat', ['-b', broker.address, ...args], { maxBuffer: 1 << 26 })
    child.child.stdin?.end(input)
    return (await child).stdout
  }
  const text = Array.from({ length: 5000 }, (_, n) => `record ${n}\n`).join('')
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    const compression = codec === 'none' ? [] : ['-z', codec]
    await kcat(['-P', '-t', codec, ...compression], text)
    assert.equal(await kcat(['-C', '-t', codec, '-e', '-q']), text, codec)
  }
  const group = ['-X', 'auto.offset.reset=earliest', '-e', '-q', '-G', 'g', 'gzip']
  assert.equal(await kcat(group), text)
  await kcat(['-P', '-t', 'gzip'], 'one more\n')
  assert.equal(await kcat(group), 'one more\n')
})

test('kazoo works against our coordination server', async (t) => {
  const broker = await startMillrace(join(temporaryDirectory(t), 'broker'))
  t.after(() => broker.stop())
  const python = join(cache, 'python', 'bin', 'python')
  const script = join(root, 'interop', 'zookeeper-kazoo.py')
  const { stdout } = await run(python, [script, `127.0.0.1:${broker.coordinationPort}`])
  assert.doesNotMatch(stdout, /FAIL/)
})

test('a real 3.9.1 broker runs on our coordination server', async (t) => {
  const directory = temporaryDirectory(t)
  const coordination = new CoordinationOnly(join(directory, 'zookeeper'))
  await coordination.start()
  t.after(() => coordination.stop())
  const [port = 0] = await freePorts(1)
  const kafka = await startKafka('3.9.1', join(directory, 'kafka'), {
    broker: port,
    zookeeper: coordination.port,
  })
  t.after(() => kafka.stop())
  const result = await runTool('3.9.1', toolClass('3.9.1', 'topics'), [
    ...['--bootstrap-server', `127.0.0.1:${port}`],
    ...['--create', '--topic', 'there', '--partitions', '2', '--replication-factor', '1'],
  ])
  assert.match(result.stdout, /Created topic there\./)
})

for (const version of ['3.9.1', '0.10.1.0']) {
  test(`our client works against a real ${version}`, async (t) => {
    const directory = temporaryDirectory(t)
    const [brokerPort = 0, zookeeperPort = 0] = await freePorts(2)
    const zookeeper = await startZooKeeper(version, join(directory, 'zookeeper'), zookeeperPort)
    t.after(() => zookeeper.stop())
    const ports = { broker: brokerPort, zookeeper: zookeeperPort }
    const kafka = await startKafka(version, join(directory, 'kafka'), ports)
    t.after(() => kafka.stop())
    const script = join(root, 'interop', 'client-real-kafka.ts')
    // 0.10.1 knows neither zstd nor headers.
    const old = ['--codecs', 'none,gzip,snappy,lz4', '--no-headers']
    const limits = version.startsWith('0.10') ? old : []
    const args = [script, '--bootstrap', `127.0.0.1:${brokerPort}`, ...limits]
    const { stdout } = await run(process.execPath, args, { maxBuffer: 1 << 26 })
    assert.doesNotMatch(stdout, /FAIL|failed/)
  })
}
