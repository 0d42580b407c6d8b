/** Kafka's own console tools, old and new, against our broker. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../test/platform/chain.ts'
import { runTool, toolClass, type ToolResult } from './support/kafka.ts'
import { startMillrace } from './support/millrace.ts'

const lines = Array.from({ length: 2000 }, (_, n) => `line ${n} äöü`)

function ok(result: ToolResult): string {
  assert.equal(result.code, 0, `${result.stdout}\n${result.stderr}`)
  return result.stdout
}

function readBack(output: string): string[] {
  return output.split('\n').filter((line) => line.startsWith('line '))
}

test('the console tools of 3.9.1 create, write, read with a group, describe and delete', async (t) => {
  const broker = await startMillrace(join(temporaryDirectory(t), 'broker'))
  t.after(() => broker.stop())
  const run = (tool: string, args: string[], input = '') =>
    runTool(
      '3.9.1',
      toolClass('3.9.1', tool),
      ['--bootstrap-server', broker.address, ...args],
      input,
    )
  const created = ok(await run('topics', ['--create', '--topic', 'new', '--partitions', '1']))
  assert.match(created, /Created topic new\./)
  ok(await run('consoleProducer', ['--topic', 'new'], `${lines.join('\n')}\n`))
  const read = await run('consoleConsumer', [
    ...['--topic', 'new', '--from-beginning', '--group', 'g', '--max-messages', '2000'],
  ])
  assert.deepEqual(readBack(ok(read)), lines)
  const group = ok(await run('consumerGroups', ['--describe', '--group', 'g']))
  assert.match(group, /g\s+new\s+0\s+2000\s+2000\s+0/)
  const described = ok(await run('topics', ['--describe', '--topic', 'new']))
  assert.match(described, /Topic: new\s+TopicId: \S{22}\s+PartitionCount: 1\s+ReplicationFactor: 1/)
  ok(await run('topics', ['--delete', '--topic', 'new']))
  assert.equal(ok(await run('topics', ['--list', '--exclude-internal'])).trim(), '')
})

test('the console tools of 0.10.1.0 write and read, through ZooKeeper and brokers', async (t) => {
  const broker = await startMillrace(join(temporaryDirectory(t), 'broker'))
  t.after(() => broker.stop())
  const run = (tool: string, args: string[], input = '') =>
    runTool('0.10.1.0', toolClass('0.10.1.0', tool), args, input)
  const zookeeper = ['--zookeeper', `127.0.0.1:${broker.coordinationPort}`]
  const create = ['--create', '--topic', 'old', '--partitions', '1', '--replication-factor', '1']
  assert.match(ok(await run('topics', [...zookeeper, ...create])), /Created topic "old"\./)
  const listed = ok(await run('topics', [...zookeeper, '--describe', '--topic', 'old']))
  assert.match(listed, /Topic: old\s+Partition: 0\s+Leader: 0\s+Replicas: 0\s+Isr: 0/)
  const brokerList = ['--broker-list', broker.address, '--topic', 'old']
  ok(await run('consoleProducer', brokerList, `${lines.join('\n')}\n`))
  const from = ['--bootstrap-server', broker.address, '--topic', 'old', '--from-beginning']
  const read = await run('consoleConsumer', [...from, '--new-consumer', '--max-messages', '2000'])
  assert.deepEqual(readBack(ok(read)), lines)
})

test('the logs that a killed broker left open clean in a real 3.9.1 dump', async (t) => {
  const broker = await startMillrace(join(temporaryDirectory(t), 'broker'))
  t.after(() => broker.stop())
  const producer = ['--bootstrap-server', broker.address, '--topic', 'kept']
  const className = toolClass('3.9.1', 'consoleProducer')
  ok(await runTool('3.9.1', className, producer, `${lines.join('\n')}\n`))
  await broker.stop('SIGKILL')
  const file = `${broker.directory}/kafka/kept-0/00000000000000000000.log`
  const dump = await runTool('3.9.1', 'kafka.tools.DumpLogSegments', [
    '--deep-iteration',
    '--files',
    file,
  ])
  const offsets = [...ok(dump).matchAll(/^\| offset: (\d+)/gm)].map((match) => Number(match[1]))
  assert.deepEqual(
    offsets,
    lines.map((_, n) => n),
  )
  await broker.start()
  const consumer = ['--bootstrap-server', broker.address, '--topic', 'kept', '--from-beginning']
  const read = await runTool('3.9.1', toolClass('3.9.1', 'consoleConsumer'), [
    ...consumer,
    ...['--max-messages', '2000'],
  ])
  assert.deepEqual(readBack(ok(read)), lines)
})
