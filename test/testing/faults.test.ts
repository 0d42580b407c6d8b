// Faults: what a client sees, and what the broker has done.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BrokerConnection } from '../../src/client/connection.ts'
import { Errors } from '../../src/kafka/errors.ts'
import { Heartbeat } from '../../src/kafka/messages/heartbeat.ts'
import { ListGroups } from '../../src/kafka/messages/list-groups.ts'
import { Metadata } from '../../src/kafka/messages/metadata.ts'
import { Produce } from '../../src/kafka/messages/produce.ts'
import { RecordBatchBuilder } from '../../src/kafka/records/builder.ts'
import { systemClock } from '../../src/node/clock.ts'
import { createNodeNetwork } from '../../src/node/network.ts'
import { startCluster, type TestCluster } from '../../src/testing/cluster.ts'

const network = createNodeNetwork()

async function connect(cluster: TestCluster): Promise<BrokerConnection> {
  const [host = '', port] = cluster.bootstrapServers.split(':')
  const settings = { host, port: Number(port), clientId: 'test', requestTimeoutMs: 20_000 }
  const connection = new BrokerConnection({ clock: systemClock, network }, settings)
  await connection.connect()
  return connection
}

function produceBody(topic: string, value: string, acks = -1) {
  const builder = new RecordBatchBuilder()
  builder.add(systemClock.now(), null, Buffer.from(value), [])
  const partitionData = [{ index: 0, records: builder.build({}) }]
  return { acks, timeoutMs: 1000, topicData: [{ name: topic, partitionData }] }
}

async function values(cluster: TestCluster, topic: string): Promise<(string | null)[]> {
  return (await cluster.records(topic)).map(({ value }) => value)
}

test('an error is answered instead of the broker, so often as asked', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }] })
  const connection = await connect(cluster)
  const fault = cluster.fault({ api: 'Produce', error: 'NOT_LEADER_OR_FOLLOWER', times: 2 })
  const codes: (number | undefined)[] = []
  for (const value of ['a', 'b', 'c']) {
    const { responses } = await connection.request(Produce, 9, produceBody('t', value))
    codes.push(responses[0]?.partitionResponses[0]?.errorCode)
  }
  assert.deepEqual(codes, [6, 6, 0])
  assert.equal(fault.hits, 2)
  assert.deepEqual(await values(cluster, 't'), ['c'])
  connection.close()
})

test('an error at the answer comes after the broker has done its work', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }] })
  const connection = await connect(cluster)
  const fault = cluster.fault({ api: 'Produce', error: 7, times: 1, at: 'answer' })
  const { responses } = await connection.request(Produce, 9, produceBody('t', 'a'))
  assert.equal(responses[0]?.partitionResponses[0]?.errorCode, Errors.REQUEST_TIMED_OUT)
  assert.equal(fault.hits, 1)
  assert.deepEqual(await values(cluster, 't'), ['a'])
  connection.close()
})

test('refusals and answers leave in the order of the requests', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }] })
  const connection = await connect(cluster)
  cluster.fault({ api: 'Heartbeat', error: 'REBALANCE_IN_PROGRESS' })
  cluster.fault({ api: 'Metadata', delayMs: 20 })
  // BrokerConnection itself refuses answers out of order.
  const beat = { groupId: 'g', memberId: 'm', generationId: 1 }
  const answers = await Promise.all([
    connection.request(Metadata, 9, { topics: null }),
    connection.request(Heartbeat, 4, beat),
    connection.request(Produce, 9, produceBody('t', 'a')),
    connection.request(Heartbeat, 4, beat),
    connection.request(ListGroups, 3, {}),
  ])
  assert.equal(answers[1].errorCode, 27)
  assert.equal(answers[2].responses[0]?.partitionResponses[0]?.errorCode, 0)
  assert.equal(answers[3].errorCode, 27)
  assert.equal(answers[4].errorCode, 0)
  connection.close()
})

test('when picks requests by what they say', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }, { name: 'u' }] })
  const connection = await connect(cluster)
  const fault = cluster.fault({
    api: 'Produce',
    error: 'TOPIC_AUTHORIZATION_FAILED',
    when: ({ topics, clientId, version, body }) =>
      topics.includes('u') && clientId === 'test' && version === 9 && body?.['acks'] === -1,
  })
  const codeOf = async (topic: string): Promise<number | undefined> => {
    const { responses } = await connection.request(Produce, 9, produceBody(topic, 'x'))
    return responses[0]?.partitionResponses[0]?.errorCode
  }
  assert.equal(await codeOf('t'), 0)
  assert.equal(await codeOf('u'), 29)
  assert.equal(fault.hits, 1)
  fault.remove()
  assert.equal(await codeOf('u'), 0)
  connection.close()
})

test('a closed connection loses the request, or only its answer', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }] })
  cluster.fault({ api: 'Produce', close: true, times: 1 })
  const first = await connect(cluster)
  await assert.rejects(first.request(Produce, 9, produceBody('t', 'lost')), {
    errorName: 'CONNECTION_LOST',
  })
  cluster.fault({ api: 'Produce', close: true, times: 1, at: 'answer' })
  const second = await connect(cluster)
  await assert.rejects(second.request(Produce, 9, produceBody('t', 'written')), {
    errorName: 'CONNECTION_LOST',
  })
  assert.deepEqual(await values(cluster, 't'), ['written'])
})

test('a lost acknowledgement makes an idempotent producer send again, and no duplicate', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }] })
  const producer = cluster.client().producer()
  await producer.send({ topic: 't', value: Buffer.from('a') })
  const fault = cluster.fault({ api: 'Produce', close: true, times: 1, at: 'answer' })
  await producer.send({ topic: 't', value: Buffer.from('b') })
  assert.equal(fault.hits, 1)
  assert.deepEqual(await values(cluster, 't'), ['a', 'b'])
})

test('what is dropped is never answered, nor what comes after it; what came before is', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }] })
  const connection = await connect(cluster)
  const fault = cluster.fault({ api: 'Produce', drop: true, times: 1 })
  const before = connection.request(ListGroups, 3, {})
  const dropped = connection.request(Produce, 9, produceBody('t', 'a'))
  const after = connection.request(Produce, 9, produceBody('t', 'b'))
  const outcomes = Promise.allSettled([dropped, after])
  await before
  await fault.struck()
  const other = await connect(cluster)
  await other.request(Produce, 9, produceBody('t', 'c'))
  assert.equal(connection.inFlight, 2)
  connection.close()
  for (const { status } of await outcomes) assert.equal(status, 'rejected')
  assert.deepEqual(await values(cluster, 't'), ['c'])
  other.close()
})

test('a dropped answer is one to something that was done', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }] })
  const connection = await connect(cluster)
  const fault = cluster.fault({ api: 'Produce', drop: true, at: 'answer', times: 1 })
  const outcome = assert.rejects(connection.request(Produce, 9, produceBody('t', 'a')))
  await fault.struck()
  assert.deepEqual(await values(cluster, 't'), ['a'])
  connection.close()
  await outcome
})

test("a delay ends by the cluster's time", async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }] })
  const connection = await connect(cluster)
  const hour = 3_600_000
  for (const at of ['request', 'answer'] as const) {
    const fault = cluster.fault({ api: 'Produce', delayMs: hour, at, times: 1 })
    const answer = connection.request(Produce, 9, produceBody('t', at))
    await fault.struck()
    assert.equal(connection.inFlight, 1)
    await cluster.advance(hour)
    assert.equal((await answer).responses[0]?.partitionResponses[0]?.errorCode, 0)
  }
  assert.deepEqual(await values(cluster, 't'), ['request', 'answer'])
  connection.close()
})

test('a refused Produce without acknowledgement closes the connection', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }] })
  cluster.fault({ api: 'Produce', error: 'NOT_LEADER_OR_FOLLOWER' })
  const connection = await connect(cluster)
  const closed = new Promise<void>((resolve) => connection.onClose(() => resolve()))
  connection.sendUnanswered(Produce, 9, produceBody('t', 'a', 0))
  await closed
})

test('unacknowledged records do not confuse the order of the answers', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }] })
  cluster.fault({ api: 'Heartbeat', error: 'REBALANCE_IN_PROGRESS' })
  const connection = await connect(cluster)
  connection.sendUnanswered(Produce, 9, produceBody('t', 'a', 0))
  const beat = { groupId: 'g', memberId: 'm', generationId: 1 }
  const answers = await Promise.all([
    connection.request(Heartbeat, 4, beat),
    connection.request(ListGroups, 3, {}),
  ])
  assert.equal(answers[0].errorCode, 27)
  assert.deepEqual(await values(cluster, 't'), ['a'])
  connection.close()
})

test('what the test itself does by the cluster meets no faults', async () => {
  await using cluster = await startCluster()
  for (const api of ['Produce', 'Fetch', 'Metadata', 'CreateTopics', 'ListOffsets', 'ApiVersions'])
    cluster.fault({ api, close: true })
  await cluster.createTopics([{ name: 't' }])
  await cluster.produce('t', ['a'])
  assert.deepEqual(await values(cluster, 't'), ['a'])
  const client = cluster.client({ callTimeoutMs: 50 })
  await assert.rejects(client.connect(), { errorName: 'NO_BROKER_REACHABLE' })
  cluster.removeFaults()
  await client.connect()
})

test('a client survives the errors of a moved leader', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }] })
  const consumer = cluster.client().consumer({ autoOffsetReset: 'earliest' })
  consumer.assign([{ topic: 't', partition: 0 }])
  await cluster.produce('t', ['a'])
  const faults = [
    cluster.fault({ api: 'ListOffsets', error: 'UNKNOWN_TOPIC_OR_PARTITION', times: 1 }),
    cluster.fault({ api: 'Fetch', error: 'NOT_LEADER_OR_FOLLOWER', times: 1 }),
    cluster.fault({ api: 'Metadata', error: 'LEADER_NOT_AVAILABLE', times: 1 }),
  ]
  const seen: string[] = []
  while (seen.length === 0)
    for (const { value } of await consumer.poll(1000)) seen.push(String(value))
  assert.deepEqual(seen, ['a'])
  assert.deepEqual(
    faults.map(({ hits }) => hits),
    [1, 1, 1],
  )
})

test('faults that make no sense are refused', async () => {
  await using cluster = await startCluster()
  assert.throws(() => cluster.fault({ api: 'Prodcue', close: true }), /Prodcue is none of Produce/)
  const fault = (given: object): void => {
    Reflect.apply(Reflect.get(cluster, 'fault'), cluster, [given])
  }
  assert.throws(() => fault({ api: 'Produce' }), /missing/)
  assert.throws(() => fault({ api: 'Produce', drop: true, close: true }), /only one/)
  assert.throws(() => fault({ api: 'Produce', error: 'NO_SUCH_ERROR' }), /NO_SUCH_ERROR/)
})

test('what is no Kafka request reaches the broker, which closes the connection', async () => {
  await using cluster = await startCluster()
  const [host = '', port] = cluster.bootstrapServers.split(':')
  const connection = await network.connect({ host, port: Number(port) })
  const closed = new Promise<void>((resolve) => {
    connection.start({ onData() {}, onClose: () => resolve() })
  })
  connection.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
  await closed
})
