// kafka-topics: its command line, its columns, its errors.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Admin, ConfigEntry, TopicDescription } from '../../src/client/admin/types.ts'
import { brokerError } from '../../src/client/errors.ts'
import { runTopicAction } from '../../src/tools/commands/topics.ts'
import { describeLines, type DescribeWhat } from '../../src/tools/describe-topics.ts'
import { type Options, parseOptions } from '../../src/tools/options.ts'
import {
  checkOptions,
  newTopic,
  parseAssignment,
  topicOptions,
} from '../../src/tools/topic-options.ts'
import { fakeAdmin, fakeTool } from './support.ts'

const broker = ['--bootstrap-server', 'h:1']
const given = (...words: readonly string[]): Options<typeof topicOptions> =>
  parseOptions(topicOptions, words)

const refusals: readonly (readonly [readonly string[], string])[] = [
  [
    ['--list', '--create', ...broker],
    'Command must include exactly one action: --list, --describe, --create, --alter or --delete',
  ],
  [
    broker,
    'Command must include exactly one action: --list, --describe, --create, --alter or --delete',
  ],
  [['--list'], '--bootstrap-server must be specified'],
  [['--create', ...broker], 'Missing required argument "[topic]"'],
  [['--alter', '--topic', 't', ...broker], 'Missing required argument "[partitions]"'],
  [
    ['--list', '--partitions', '2', ...broker],
    'Option "[partitions]" can\'t be used with option "[list]"',
  ],
  [
    ['--create', '--topic', 't', '--replica-assignment', '0', '--partitions', '1', ...broker],
    'Option "[replica-assignment]" can\'t be used with option "[partitions]"',
  ],
  [
    ['--describe', '--unavailable-partitions', '--topics-with-overrides', ...broker],
    'Option "[topics-with-overrides]" can\'t be used with option "[unavailable-partitions]"',
  ],
  [['--create', '--topic', 't', '--zookeeper', 'z:1'], 'Missing required argument "[partitions]"'],
]

for (const [words, message] of refusals) {
  test(`refused: ${words.join(' ')}`, () => {
    assert.throws(() => checkOptions(given(...words)), { name: 'OptionError', message })
  })
}

test('numbers that make no topic are refused before any broker is asked', () => {
  assert.throws(() => newTopic(given('--topic', 't', '--partitions', '0')), {
    message: 'The partitions must be greater than 0',
  })
  assert.throws(() => newTopic(given('--topic', 't', '--replication-factor', '32768')), {
    message: 'The replication factor must be between 1 and 32767 inclusive',
  })
  assert.throws(() => newTopic(given('--topic', 't', '--config', 'novalue')), /format "key=val"/)
})

test('what is left out of a new topic is left to the broker', () => {
  assert.deepEqual(newTopic(given('--topic', 't', '--config', 'a=b=c')), {
    name: 't',
    configs: { a: 'b=c' },
  })
})

test('an assignment lists the brokers of each partition', () => {
  const expected = new Map([
    [0, [0, 1]],
    [1, [1, 0]],
  ])
  assert.deepEqual(parseAssignment('0:1,1:0'), expected)
  assert.throws(() => parseAssignment('0:0'), /may not contain duplicate entries: 0/)
  assert.throws(() => parseAssignment('0:1,1'), /different replication factor/)
  assert.throws(() => parseAssignment('a'), /For input string: "a"/)
})

function topicOf(name: string, partitions: readonly Partial<TopicDescription['partitions'][0]>[]) {
  return {
    name,
    error: undefined,
    topicId: 'LWeRVO_STMuboFUsJHPORw',
    internal: false,
    partitions: partitions.map((partition, index) => ({
      partition: index,
      leader: 0,
      leaderEpoch: 0,
      replicas: [0, 1],
      inSyncReplicas: [0, 1],
      offlineReplicas: [],
      ...partition,
    })),
  }
}

function config(name: string, value: string, isDefault: boolean): ConfigEntry {
  return {
    name,
    value,
    isDefault,
    readOnly: false,
    sensitive: false,
    source: 'topic',
    synonyms: [],
  }
}

const troubled = topicOf('t', [
  {},
  { inSyncReplicas: [0] },
  { leader: -1, inSyncReplicas: [] },
  { leader: 7 },
])
const troubledConfigs = [
  config('retention.ms', '1000', false),
  config('segment.bytes', '1048576', false),
  config('min.insync.replicas', '1', true),
]

function linesOf(what: DescribeWhat, isOldWay = false): string[] {
  const described = { topic: troubled, configs: troubledConfigs }
  return describeLines(described, { what, liveBrokers: new Set([0, 1]), isOldWay })
}

test('a topic is described in the columns of 3.9.1', () => {
  assert.deepEqual(linesOf('all'), [
    'Topic: t\tTopicId: LWeRVO_STMuboFUsJHPORw\tPartitionCount: 4\tReplicationFactor: 2\tConfigs: retention.ms=1000,segment.bytes=1048576',
    '\tTopic: t\tPartition: 0\tLeader: 0\tReplicas: 0,1\tIsr: 0,1\tElr: N/A\tLastKnownElr: N/A',
    '\tTopic: t\tPartition: 1\tLeader: 0\tReplicas: 0,1\tIsr: 0\tElr: N/A\tLastKnownElr: N/A',
    '\tTopic: t\tPartition: 2\tLeader: none\tReplicas: 0,1\tIsr: \tElr: N/A\tLastKnownElr: N/A',
    '\tTopic: t\tPartition: 3\tLeader: 7\tReplicas: 0,1\tIsr: 0,1\tElr: N/A\tLastKnownElr: N/A',
  ])
})

test('through ZooKeeper a topic is described in the columns of 0.10.1', () => {
  assert.deepEqual(linesOf('all', true).slice(0, 2), [
    'Topic:t\tPartitionCount:4\tReplicationFactor:2\tConfigs:retention.ms=1000,segment.bytes=1048576',
    '\tTopic: t\tPartition: 0\tLeader: 0\tReplicas: 0,1\tIsr: 0,1',
  ])
})

test('partitions in trouble are listed by the kind of trouble', () => {
  const partitions = (what: DescribeWhat): (string | undefined)[] =>
    linesOf(what).map((line) => /^\tTopic: t\tPartition: (\d)/.exec(line)?.[1])
  assert.deepEqual(partitions('underReplicated'), ['1', '2'])
  assert.deepEqual(partitions('unavailable'), ['2', '3'])
  assert.deepEqual(partitions('underMinInSync'), ['2'])
  assert.deepEqual(partitions('atMinInSync'), ['1'])
  assert.equal(linesOf('overrides').length, 1)
})

async function outputOf(admin: Partial<Admin>, ...words: readonly string[]): Promise<string> {
  const tool = fakeTool()
  const options = given(...words)
  await runTopicAction(checkOptions(options), options, fakeAdmin(admin), tool)
  return tool.context.stdout.text
}

const create = ['--create', '--topic', 'a.b', ...broker]
const warning =
  "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could" +
  ' collide. To avoid issues it is best to use either, but not both.\n'

test('a created topic is named, and one whose metrics may collide draws a warning', async () => {
  const createTopics: Admin['createTopics'] = (topics) =>
    Promise.resolve(topics.map(({ name }) => ({ name, error: undefined })))
  assert.equal(await outputOf({ createTopics }, ...create), `${warning}Created topic a.b.\n`)
  const old = ['--create', '--topic', 't', '--zookeeper', 'z:1', '--partitions', '1']
  const text = await outputOf({ createTopics }, ...old, '--replication-factor', '1')
  assert.equal(text, 'Created topic "t".\n')
})

test('a topic that exists is an error, unless it was expected', async () => {
  const error = brokerError(36, 'a.b', "Topic 'a.b' already exists.")
  const createTopics: Admin['createTopics'] = () => Promise.resolve([{ name: 'a.b', error }])
  await assert.rejects(outputOf({ createTopics }, ...create), { errorName: 'TOPIC_ALREADY_EXISTS' })
  assert.equal(await outputOf({ createTopics }, ...create, '--if-not-exists'), warning)
})

const listTopics: Admin['listTopics'] = (options) =>
  Promise.resolve(
    options?.internal === true ? ['__consumer_offsets', 'five', 'one'] : ['five', 'one'],
  )

test('topics are listed one a line, by expression, without internal ones if asked', async () => {
  const list = ['--list', ...broker]
  assert.equal(await outputOf({ listTopics }, ...list), '__consumer_offsets\nfive\none\n')
  assert.equal(await outputOf({ listTopics }, ...list, '--exclude-internal'), 'five\none\n')
  assert.equal(await outputOf({ listTopics }, ...list, '--topic', 'f.*'), 'five\n')
})

test('a topic that is not there is an error, unless --if-exists allows it', async () => {
  const missing = { name: 'TopicCommandError', message: "Topic 'nope' does not exist as expected" }
  for (const action of ['--delete', '--describe']) {
    const words = [action, '--topic', 'nope', ...broker]
    await assert.rejects(outputOf({ listTopics }, ...words), missing)
  }
  const allowed = ['--delete', '--topic', 'nope', '--if-exists', ...broker]
  assert.equal(await outputOf({ listTopics }, ...allowed), '')
  await assert.rejects(
    outputOf({ listTopics }, '--delete', '--topic', 'nope', '--zookeeper', 'z:1'),
    {
      message: 'Topic nope does not exist on ZK path z:1',
    },
  )
})

test('all topics that match are deleted or grown', async () => {
  const asked: unknown[] = []
  const admin: Partial<Admin> = {
    listTopics,
    deleteTopics: (names) => {
      asked.push(names)
      return Promise.resolve(names.map((name) => ({ name, error: undefined })))
    },
    createPartitions: (topics) => {
      asked.push(topics)
      return Promise.resolve([{ name: 'one', error: brokerError(37, 'one', 'too few') }])
    },
  }
  assert.equal(await outputOf(admin, '--delete', '--topic', 'one,five', ...broker), '')
  const alter = ['--alter', '--topic', 'one', '--partitions', '2', ...broker]
  await assert.rejects(outputOf(admin, ...alter), { errorName: 'INVALID_PARTITIONS' })
  assert.deepEqual(asked, [['five', 'one'], [{ name: 'one', count: 2 }]])
})

test('with --alter an assignment names all partitions, and brokers hear of those added', async () => {
  const asked: unknown[] = []
  const admin: Partial<Admin> = {
    listTopics,
    describeTopics: () => Promise.resolve([topicOf('one', [{}])]),
    createPartitions: (topics) => {
      asked.push(...topics)
      return Promise.resolve([])
    },
  }
  const words = ['--alter', '--topic', 'one', '--partitions', '3', '--replica-assignment', '0,1,0']
  await outputOf(admin, ...words, ...broker)
  assert.deepEqual(asked, [{ name: 'one', count: 3, assignments: [[1], [0]] }])
})

test('settings of topics are changed through ZooKeeper only', () => {
  const words = ['--alter', '--topic', 't', '--config', 'a=b']
  assert.throws(() => checkOptions(given(...words, ...broker)), /the kafka-configs CLI supports/)
  assert.equal(checkOptions(given(...words, '--zookeeper', 'z:1')), 'alter')
})

test('brokers that tell no settings are described without', async () => {
  const text = await outputOf(
    {
      listTopics,
      describeTopics: () => Promise.resolve([topicOf('one', [{}])]),
      describeConfigs: () => Promise.reject(brokerError(35, 'DescribeConfigs of broker h:1')),
      describeCluster: () =>
        Promise.resolve({ clusterId: undefined, controllerId: 0, brokers: [] }),
    },
    '--describe',
    '--topic',
    'one',
    ...broker,
  )
  assert.match(text, /^Topic: one\t.*Configs: \n\tTopic: one\tPartition: 0\t/)
})
