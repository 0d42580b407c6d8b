/** Kafka's own tools for administrators, of 3.9.1, against our broker. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { temporaryDirectory } from '../test/platform/chain.ts'
import { runTool } from './support/kafka.ts'
import { startMillrace } from './support/millrace.ts'

/** A broker, and a tool that has to end well: what it printed. */
async function open(t: TestContext) {
  const directory = temporaryDirectory(t)
  const broker = await startMillrace(join(directory, 'broker'))
  t.after(() => broker.stop())
  const run = async (className: string, args: string[], input = ''): Promise<string> => {
    const server = ['--bootstrap-server', broker.address]
    const result = await runTool('3.9.1', className, [...server, ...args], input)
    assert.equal(result.code, 0, `${result.stdout}\n${result.stderr}`)
    return result.stdout
  }
  const file = (name: string, content: unknown): string => {
    const path = join(directory, name)
    writeFileSync(path, JSON.stringify(content))
    return path
  }
  return { run, file }
}

const configs = 'kafka.admin.ConfigCommand'
const topics = 'org.apache.kafka.tools.TopicCommand'

test('settings of topics and brokers are changed and described by kafka-configs', async (t) => {
  const { run } = await open(t)
  await run(topics, ['--create', '--topic', 't', '--partitions', '1'])
  const topic = ['--entity-type', 'topics', '--entity-name', 't']
  await run(configs, ['--alter', ...topic, '--add-config', 'retention.ms=9999'])
  assert.match(
    await run(configs, ['--describe', ...topic]),
    /retention\.ms=9999 sensitive=false synonyms=\{DYNAMIC_TOPIC_CONFIG:retention\.ms=9999\}/,
  )
  const all = ['--entity-type', 'brokers', '--entity-default']
  await run(configs, ['--alter', ...all, '--add-config', 'message.max.bytes=2000000'])
  assert.match(
    await run(configs, ['--describe', ...topic, '--all']),
    /max\.message\.bytes=2000000 sensitive=false synonyms=\{DYNAMIC_DEFAULT_BROKER_CONFIG:message\.max\.bytes=2000000, DEFAULT_CONFIG:message\.max\.bytes=1048588\}/,
  )
  await run(configs, ['--alter', ...all, '--delete-config', 'message.max.bytes'])
  assert.doesNotMatch(await run(configs, ['--describe', ...all]), /message\.max\.bytes/)
})

test('records and groups are deleted, partitions added, directories described by its tools', async (t) => {
  const { run, file } = await open(t)
  await run(topics, ['--create', '--topic', 't', '--partitions', '1'])
  await run(topics, ['--alter', '--topic', 't', '--partitions', '3'])
  assert.match(await run(topics, ['--describe', '--topic', 't']), /PartitionCount: 3/)
  await run('kafka.tools.ConsoleProducer', ['--topic', 't'], 'a\nb\nc\n')
  const read = ['--topic', 't', '--from-beginning', '--group', 'g', '--max-messages', '3']
  const printed = await run('org.apache.kafka.tools.consumer.ConsoleConsumer', read)
  assert.deepEqual(printed.split('\n').filter(Boolean).sort(), ['a', 'b', 'c'])
  const partitions = [0, 1, 2].map((partition) => ({ topic: 't', partition, offset: -1 }))
  const offsets = file('offsets.json', { version: 1, partitions })
  const deletion = ['--offset-json-file', offsets]
  const deleted = await run('org.apache.kafka.tools.DeleteRecordsCommand', deletion)
  const marks = [...deleted.matchAll(/low_watermark: (\d+)/g)].map((match) => Number(match[1]))
  assert.equal(
    marks.reduce((sum, one) => sum + one, 0),
    3,
  )
  const directories = await run('org.apache.kafka.tools.LogDirsCommand', ['--describe'])
  assert.match(directories, /"partition":"t-2","size":\d+,"offsetLag":0,"isFuture":false/)
  const groups = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand'
  assert.match(
    await run(groups, ['--delete', '--group', 'g']),
    /Deletion of requested consumer groups \('g'\) was successful/,
  )
  assert.doesNotMatch(await run(groups, ['--list']), /^g$/m)
})
