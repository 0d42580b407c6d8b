// Other people's clients, as they are published: the cluster is on real ports, so they need no mocking.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  Consumer as PlatformaticConsumer,
  MessagesStreamModes,
  Producer as PlatformaticProducer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import { Kafka, logLevel, type Consumer } from 'kafkajs'
import { startCluster, type TestCluster } from '../../src/testing/cluster.ts'

function kafkajs(cluster: TestCluster): Kafka {
  return new Kafka({
    brokers: [...cluster.addresses],
    clientId: 'kafkajs',
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 10, retries: 20 },
  })
}

/** Starts a consumer; resolves to its records as they come, and to the end of the first join. */
async function consume(consumer: Consumer, topic: string) {
  const seen: string[] = []
  const waiting: { readonly count: number; readonly resolve: () => void }[] = []
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const joined = new Promise<void>((resolve) => {
    consumer.on(consumer.events.GROUP_JOIN, () => resolve())
  })
  await consumer.run({
    eachMessage: ({ message }) => {
      seen.push(String(message.value))
      for (const { count, resolve } of waiting) if (seen.length >= count) resolve()
      return Promise.resolve()
    },
  })
  const until = (count: number): Promise<string[]> =>
    new Promise((resolve) => {
      waiting.push({ count, resolve: () => resolve(seen) })
      if (seen.length >= count) resolve(seen)
    })
  return { seen, joined, until }
}

test('kafkajs writes and reads, and a jump in time costs it no rebalance', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't', partitions: 2 }] })
  const kafka = kafkajs(cluster)
  const consumer = kafka.consumer({ groupId: 'g', maxWaitTimeInMs: 50 })
  let joins = 0
  consumer.on(consumer.events.GROUP_JOIN, () => {
    joins += 1
  })
  const { joined, until } = await consume(consumer, 't')
  await joined
  const producer = kafka.producer()
  await producer.connect()
  const sent = await producer.send({
    topic: 't',
    messages: [
      { key: 'k', value: 'a', partition: 0 },
      { value: 'b', partition: 0 },
    ],
  })
  assert.equal(sent[0]?.errorCode, 0)
  assert.deepEqual(await until(2), ['a', 'b'])
  await cluster.advance(3_600_000)
  await producer.send({ topic: 't', messages: [{ value: 'c', partition: 1 }] })
  assert.deepEqual(await until(3), ['a', 'b', 'c'])
  assert.equal(joins, 1)
  await producer.disconnect()
  await consumer.disconnect()
  const [committed] = await cluster
    .client()
    .admin()
    .groupOffsets('g', [{ topic: 't', partition: 0 }])
  assert.equal(committed?.offset, 2)
})

test('kafkajs survives a lost acknowledgement, by writing twice as it is not idempotent', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }] })
  const producer = kafkajs(cluster).producer()
  await producer.connect()
  cluster.fault({ api: 'Produce', close: true, times: 1, at: 'answer' })
  await producer.send({ topic: 't', messages: [{ value: 'a' }] })
  const records = await cluster.records('t')
  assert.deepEqual(
    records.map(({ value }) => value),
    ['a', 'a'],
  )
  await producer.disconnect()
})

test('kafkajs joins anew when the group has forgotten it, and reads on from its commits', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }] })
  const kafka = kafkajs(cluster)
  const consumer = kafka.consumer({ groupId: 'g', heartbeatInterval: 20, maxWaitTimeInMs: 20 })
  const { joined, until } = await consume(consumer, 't')
  await joined
  await cluster.produce('t', ['a'])
  await until(1)
  await consumer.commitOffsets([{ topic: 't', partition: 0, offset: '1' }])
  const joining = cluster.fault({ api: 'JoinGroup', delayMs: 1 })
  cluster.fault({ api: 'Heartbeat', error: 'UNKNOWN_MEMBER_ID', times: 1 })
  await cluster.produce('t', ['b'])
  // Its first join only gets it a member id; the second one waits for the member it was.
  await joining.struck(2)
  await cluster.advance(60_000)
  assert.equal((await until(2)).at(-1), 'b')
  await consumer.disconnect()
})

test('kafkajs finds the cluster again after a restore', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }] })
  const snapshot = await cluster.snapshot()
  const producer = kafkajs(cluster).producer()
  await producer.connect()
  await producer.send({ topic: 't', messages: [{ value: 'a' }] })
  await cluster.restore(snapshot)
  await producer.send({ topic: 't', messages: [{ value: 'b' }] })
  assert.deepEqual(
    (await cluster.records('t')).map(({ value, offset }) => [value, offset]),
    [['b', 0]],
  )
  await producer.disconnect()
})

test('@platformatic/kafka writes and reads, and retries what a fault refused', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }] })
  const bootstrapBrokers = [...cluster.addresses]
  const producer = new PlatformaticProducer({
    clientId: 'platformatic',
    bootstrapBrokers,
    serializers: stringSerializers,
    retryDelay: 10,
  })
  const fault = cluster.fault({ api: 'Produce', error: 'NOT_LEADER_OR_FOLLOWER', times: 1 })
  await producer.send({ messages: [{ topic: 't', key: 'k', value: 'a' }] })
  assert.equal(fault.hits, 1)
  const consumer = new PlatformaticConsumer({
    clientId: 'platformatic',
    groupId: 'g',
    bootstrapBrokers,
    deserializers: stringDeserializers,
    maxWaitTime: 50,
  })
  const stream = await consumer.consume({
    topics: ['t'],
    mode: MessagesStreamModes.EARLIEST,
    autocommit: false,
  })
  for await (const { key, value } of stream) {
    assert.deepEqual([key, value], ['k', 'a'])
    break
  }
  await consumer.close(true)
  await producer.close()
})

test('@platformatic/kafka goes on with another leader when its broker is killed', async () => {
  const topics = [{ name: 't', replicas: [[1, 2, 0]] }]
  await using cluster = await startCluster({ brokers: 3, topics })
  const producer = new PlatformaticProducer({
    clientId: 'platformatic',
    bootstrapBrokers: [...cluster.addresses],
    serializers: stringSerializers,
    retries: 20,
    retryDelay: 10,
  })
  await producer.send({ messages: [{ topic: 't', value: 'a' }] })
  await cluster.broker(1).kill()
  await cluster.advance(30_000)
  await cluster.leaderOf('t', 0, (leader) => leader !== 1)
  await producer.send({ messages: [{ topic: 't', value: 'b' }] })
  assert.deepEqual(
    (await cluster.records('t')).map(({ value }) => value),
    ['a', 'b'],
  )
  await producer.close()
})

test('our own client goes on with another leader, without a gap and without a duplicate', async () => {
  const topics = [{ name: 't', replicas: [[1, 2, 0]] }]
  await using cluster = await startCluster({ brokers: 3, topics })
  const producer = cluster.client().producer()
  const send = (value: string) => producer.send({ topic: 't', value: Buffer.from(value) })
  await send('a')
  await cluster.broker(1).kill()
  const waiting = send('b')
  await cluster.advance(30_000)
  assert.equal((await waiting).offset, 1)
  assert.deepEqual(
    (await cluster.records('t')).map(({ value }) => value),
    ['a', 'b'],
  )
})

test('a fault finds a topic by its name where a client names it by its id', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }] })
  await cluster.produce('t', ['a'])
  const consumer = new PlatformaticConsumer({
    clientId: 'platformatic',
    groupId: 'g',
    bootstrapBrokers: [...cluster.addresses],
    deserializers: stringDeserializers,
    maxWaitTime: 50,
    retryDelay: 10,
  })
  const named: string[][] = []
  const fault = cluster.fault({
    api: 'Fetch',
    delayMs: 1,
    when: ({ topics }) => named.push([...topics]) > 0,
  })
  const stream = await consumer.consume({ topics: ['t'], mode: MessagesStreamModes.EARLIEST })
  for await (const { value } of stream) {
    assert.equal(value, 'a')
    break
  }
  assert.ok(fault.hits > 0)
  assert.deepEqual(named[0], ['t'])
  await consumer.close(true)
})
