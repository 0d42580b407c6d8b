import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Admin, PartitionTimeQuery, TopicDescription } from '../../src/client/admin/types.ts'
import type { Consumer } from '../../src/client/consumer/types.ts'
import { brokerError, clientError } from '../../src/client/errors.ts'
import { ClientTopicReader } from '../../src/console/client-topic-reader.ts'
import { KafkaDownError, UnknownTopicError } from '../../src/console/kafka.ts'

const description = (name: string, leaders: readonly number[]): TopicDescription => ({
  name,
  error: undefined,
  topicId: undefined,
  internal: name.startsWith('__'),
  partitions: leaders.map((leader, partition) => ({
    partition,
    leader,
    leaderEpoch: 0,
    replicas: [1, 2],
    inSyncReplicas: leader < 0 ? [2] : [1, 2],
    offlineReplicas: [],
  })),
})

/** Ends are 100 + partition, beginnings 10; the calls a test does not script must not happen. */
function reader(changes: Partial<Admin>): ClientTopicReader {
  const unscripted = (): never => {
    throw new Error('not scripted')
  }
  const admin = {
    listOffsets: async (queries: readonly PartitionTimeQuery[]) =>
      queries.map(({ topic, partition, at }) => ({
        topic,
        partition,
        offset: at === 'earliest' ? 10 : 100 + partition,
        timestamp: -1,
        leaderEpoch: -1,
        error: undefined,
      })),
    ...changes,
  }
  const client = {
    admin: () =>
      new Proxy({}, { get: (_, name) => Reflect.get(admin, name) ?? unscripted }) as Admin,
    consumer: (): Consumer => unscripted(),
    close: async () => {},
  }
  return new ClientTopicReader({ client }, ['a:1', 'b:2'])
}

test('partitions without a leader are counted as offline and never asked for offsets', async () => {
  const topics = reader({ describeTopics: async () => [description('t', [1, -1, 2])] })
  assert.deepEqual(await topics.topics(), [
    {
      name: 't',
      internal: false,
      partitions: 3,
      replicas: 2,
      underReplicated: 1,
      offline: 1,
      messageCount: 90 + 92,
      sizeBytes: undefined,
    },
  ])
  const { partitions } = await reader({
    describeTopics: async () => [description('t', [1, -1])],
    describeConfigs: async () => [],
  }).topic('t')
  assert.deepEqual(partitions[1], {
    partition: 1,
    leader: undefined,
    replicas: [1, 2],
    inSync: [2],
    begin: undefined,
    end: undefined,
  })
})

test('secret settings are hidden, and brokers that tell no settings do not hide the topic', async () => {
  const flags = { readOnly: false, isDefault: false, sensitive: false }
  const entry = { ...flags, source: 'topic' as const, synonyms: [] }
  const entries = [
    { ...entry, name: 'retention.ms', value: '1' },
    { ...entry, name: 'secret', value: 'x', sensitive: true },
  ]
  const describeTopics = async () => [description('t', [1])]
  const told = reader({
    describeTopics,
    describeConfigs: async () => [{ type: 'topic', name: 't', error: undefined, entries }],
  })
  assert.deepEqual((await told.topic('t')).configs, [
    { name: 'retention.ms', value: '1', isDefault: false },
    { name: 'secret', value: null, isDefault: false },
  ])
  const untold = reader({
    describeTopics,
    describeConfigs: () => Promise.reject(brokerError(35)),
  })
  assert.equal((await untold.topic('t')).configs, undefined)
})

test('an unknown topic and a silent cluster have errors of their own, others stay what they are', async () => {
  const unknown = { ...description('t', []), error: brokerError(3) }
  await assert.rejects(
    reader({ describeTopics: async () => [unknown] }).topic('t'),
    UnknownTopicError,
  )
  const gone = clientError('NO_BROKER_REACHABLE', 'x')
  await assert.rejects(
    reader({ describeTopics: () => Promise.reject(gone) }).topics(),
    (error) => error instanceof KafkaDownError && /a:1, b:2/.test(error.message),
  )
  const refused = brokerError(29)
  await assert.rejects(
    reader({ describeTopics: () => Promise.reject(refused) }).topics(),
    (error) => error === refused,
  )
})

test('a time that no record of a partition reaches is left out', async () => {
  const topics = reader({
    describeTopics: async () => [description('t', [1, 1])],
    listOffsets: async (queries) =>
      queries.map(({ topic, partition }) => ({
        topic,
        partition,
        offset: partition === 0 ? -1 : 42,
        timestamp: -1,
        leaderEpoch: -1,
        error: undefined,
      })),
  })
  assert.deepEqual([...(await topics.offsetsForTime('t', 5))], [[1, 42]])
})
