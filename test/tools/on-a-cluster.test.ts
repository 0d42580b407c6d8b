// The tools as users run them, one after another, on a cluster within this process.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { realPorts } from '../../src/node/ports.ts'
import { startCluster, type TestCluster } from '../../src/testing/cluster.ts'
import { apiVersionsCommand } from '../../src/tools/commands/broker-api-versions.ts'
import { configsCommand } from '../../src/tools/commands/configs.ts'
import { consoleConsumerCommand } from '../../src/tools/commands/console-consumer.ts'
import { consoleProducerCommand } from '../../src/tools/commands/console-producer.ts'
import { consumerGroupsCommand } from '../../src/tools/commands/consumer-groups.ts'
import { logDirsCommand } from '../../src/tools/commands/log-dirs.ts'
import { topicsCommand } from '../../src/tools/commands/topics.ts'
import { verifiableConsumerCommand } from '../../src/tools/commands/verifiable-consumer.ts'
import type { OptionTable } from '../../src/tools/options.ts'
import { type Command, toolMain } from '../../src/tools/tool.ts'
import { fakeContext, input } from './support.ts'

let cluster: TestCluster
before(async () => {
  cluster = await startCluster({ topics: [{ name: 'alpha', partitions: 2 }] })
})
after(() => cluster.stop())

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function run<T extends OptionTable>(
  command: Command<T>,
  words: readonly string[],
  stdin: readonly string[] = [],
): Promise<Ran> {
  const main = toolMain(command, {
    ports: ({ stderr }) => realPorts({ logStream: stderr, logLevel: 'WARN' }),
    productVersion: () => '0',
  })
  const context = fakeContext(words, input(stdin))
  const code = await main(context)
  return { code, out: context.stdout.text, err: context.stderr.text }
}

const brokers = (): readonly string[] => ['--bootstrap-server', cluster.bootstrapServers]
const lines = Array.from({ length: 100 }, (_, n) => `line ${n}`)

test('a group that printed some records has committed just those, and is moved back', async () => {
  const stdin = [`${lines.join('\n')}\n`]
  const sent = await run(consoleProducerCommand, [...brokers(), '--topic', 'alpha'], stdin)
  assert.equal(sent.code, 0)
  const reading = ['--topic', 'alpha', '--group', 'g', '--from-beginning', '--max-messages', '60']
  // The misspelling of a how-to page.
  const read = await run(consoleConsumerCommand, [
    ...['--bootrap-server', cluster.bootstrapServers],
    ...reading,
  ])
  assert.equal(read.out.trimEnd().split('\n').length, 60)
  assert.match(read.err, /^WARNING: --bootrap-server is taken for --bootstrap-server$/m)
  const describe = [...brokers(), '--describe', '--group', 'g']
  const described = await run(consumerGroupsCommand, describe)
  const offsets = [...described.out.matchAll(/^g +alpha +\d +(\d+) +(\d+) +(\d+) /gm)]
  const sum = (column: number): number =>
    offsets.reduce((total, match) => total + Number(match[column]), 0)
  assert.deepEqual([sum(1), sum(2), sum(3)], [60, 100, 40])
  const reset = [...brokers(), '--reset-offsets', '--group', 'g', '--all-topics', '--to-earliest']
  assert.equal((await run(consumerGroupsCommand, [...reset, '--execute'])).code, 0)
  const again = await run(consumerGroupsCommand, describe)
  assert.match(again.out, /^g +alpha +0 +0 /m)
  const deleted = await run(consumerGroupsCommand, [...brokers(), '--delete', '--group', 'g'])
  assert.equal(deleted.out, "Deletion of requested consumer groups ('g') was successful.\n")
})

test('through ZooKeeper brokers are found, also where it is two words', async () => {
  const zookeeper = ['--zookeeper', cluster.zookeeperConnect, cluster.zookeeperConnect]
  const listed = await run(topicsCommand, ['--list', ...zookeeper, '--exclude-internal'])
  assert.equal(listed.out, 'alpha\n')
  assert.match(listed.err, /^WARNING: --zookeeper is deprecated/)
})

test('settings of a topic are added, shown and taken away', async () => {
  const topic = [...brokers(), '--entity-type', 'topics', '--entity-name', 'alpha']
  const added = await run(configsCommand, [...topic, '--alter', '--add-config', 'retention.ms=99'])
  assert.equal(added.out, 'Completed updating config for topic alpha.\n')
  const shown = await run(configsCommand, [...topic, '--describe'])
  assert.match(
    shown.out,
    /^Dynamic configs for topic alpha are:\n {2}retention\.ms=99 sensitive=false/,
  )
  const deletion = [...topic, '--alter', '--delete-config', 'retention.ms']
  assert.equal((await run(configsCommand, deletion)).code, 0)
  const wrong = await run(configsCommand, deletion)
  assert.equal(wrong.code, 1)
  assert.match(wrong.err, /^Invalid config\(s\): retention\.ms$/m)
})

test('versions and log directories are told of each broker', async () => {
  const versions = await run(apiVersionsCommand, brokers())
  assert.match(
    versions.out,
    /\(id: 0 rack: null\) -> \(\n\tProduce\(0\): 0 to 11 \[usable: \d+\],\n/,
  )
  const dirs = await run(logDirsCommand, [...brokers(), '--describe', '--topic-list', 'alpha'])
  assert.match(dirs.out, /^Querying brokers for log directories information\nReceived/)
  assert.match(dirs.out, /"partition":"alpha-1","size":\d+,"offsetLag":0,"isFuture":false/)
  const none = await run(logDirsCommand, [...brokers(), '--describe', '--broker-list', '0,9'])
  assert.equal(none.code, 1)
  assert.match(none.err, /do not exist from --broker-list: 9\. Current existent brokers: 0/)
})

test('a verifiable consumer tells all it does', async () => {
  const words = [...brokers(), '--topic', 'alpha', '--group-id', 'v', '--max-messages', '10']
  const { out, code } = await run(verifiableConsumerCommand, words)
  const names = out
    .trim()
    .split('\n')
    .map((line) => String(/"name":"(\w+)"/.exec(line)?.[1]))
  assert.equal(code, 0)
  assert.deepEqual(names.slice(0, 4), [
    'startup_complete',
    'partitions_assigned',
    'records_consumed',
    'offsets_committed',
  ])
  assert.equal(names.at(-1), 'shutdown_complete')
})
