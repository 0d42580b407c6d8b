// Our client against a real broker: node interop/client-real-kafka.ts --bootstrap HOST:PORT
// Creates topics, produces with every codec the broker knows, consumes as two members of a group,
// commits, resumes, seeks, looks up offsets by time. Prints what it did; exits 1 on the first
// surprise.
import assert from 'node:assert/strict'
import { parseArgs } from 'node:util'
import { KafkaClient } from '../src/client/client.ts'
import type { ConsumedRecord, Consumer } from '../src/client/consumer/types.ts'
import type { CompressionName } from '../src/client/types.ts'
import { realPorts } from '../src/node/ports.ts'

const { values } = parseArgs({
  options: {
    bootstrap: { type: 'string', default: '127.0.0.1:9092' },
    records: { type: 'string', default: '10000' },
    codecs: { type: 'string', default: 'none,gzip,snappy,lz4,zstd' },
    headers: { type: 'boolean', default: true },
  },
  allowNegative: true,
})
const count = Number(values.records)
const ports = realPorts({ logLevel: 'WARN', logStream: process.stderr })
// Timers of the clock keep no process alive; this one does until all is done.
const alive = setInterval(() => undefined, 1000)
const client = new KafkaClient(ports, { bootstrapServers: [values.bootstrap], clientId: 'interop' })
const run = Date.now()

const keyOf = (index: number): Buffer => Buffer.from(`key-${index % 100}`)
const valueOf = (index: number): Buffer => Buffer.from(`value ${index} ${'x'.repeat(index % 200)}`)

async function step<T>(name: string, action: () => Promise<T>): Promise<T> {
  const startMs = performance.now()
  const result = await action()
  console.log(`ok ${name} (${Math.round(performance.now() - startMs)} ms)`)
  return result
}

async function produce(topic: string, codec: CompressionName): Promise<void> {
  const producer = client.producer({ compression: codec, lingerMs: 5 })
  const sent: Promise<{ partition: number; offset: number }>[] = []
  for (let index = 0; index < count; index++) {
    await producer.ready()
    const headers = values.headers ? [{ key: 'n', value: Buffer.from(String(index)) }] : []
    const record = { topic, key: keyOf(index), value: valueOf(index), timestamp: run + index }
    sent.push(producer.send({ ...record, headers }))
  }
  await producer.flush()
  const offsets = await Promise.all(sent)
  const seen = new Set(offsets.map(({ partition, offset }) => `${partition}:${offset}`))
  assert.equal(seen.size, count, 'every record has an offset of its own')
  await producer.close()
}

async function consumeAll(consumer: Consumer, wanted: number): Promise<ConsumedRecord[]> {
  const records: ConsumedRecord[] = []
  const deadline = Date.now() + 60_000
  while (records.length < wanted && Date.now() < deadline) {
    records.push(...(await consumer.poll(500)))
  }
  return records
}

function check(records: readonly ConsumedRecord[]): void {
  assert.equal(records.length, count)
  const indexes = new Set<number>()
  const lastOffset = new Map<number, number>()
  for (const record of records) {
    const index = record.timestamp - run
    indexes.add(index)
    assert.deepEqual(record.key, keyOf(index))
    assert.deepEqual(record.value, valueOf(index))
    if (values.headers) assert.equal(record.headers[0]?.value?.toString(), String(index))
    const last = lastOffset.get(record.partition) ?? -1
    assert.equal(record.offset, last + 1, 'offsets follow each other')
    lastOffset.set(record.partition, record.offset)
  }
  assert.equal(indexes.size, count)
}

async function codecRound(codec: CompressionName): Promise<void> {
  const topic = `interop-${codec}-${run}`
  const admin = client.admin()
  await step(`${codec}: create topic`, async () => {
    const [outcome] = await admin.createTopics([
      { name: topic, partitions: 3, replicationFactor: 1 },
    ])
    assert.equal(outcome?.error, undefined)
  })
  await step(`${codec}: produce ${count}`, () => produce(topic, codec))
  await step(`${codec}: consume ${count}`, async () => {
    const consumer = client.consumer()
    consumer.assign([0, 1, 2].map((partition) => ({ topic, partition })))
    consumer.seekToBeginning()
    check(await consumeAll(consumer, count))
    await consumer.close()
  })
}

async function groupRound(topic: string): Promise<void> {
  const groupId = `interop-group-${run}`
  const settings = { groupId, autoOffsetReset: 'earliest', sessionTimeoutMs: 10_000 } as const
  const one = client.consumer({ ...settings, heartbeatIntervalMs: 300 })
  const two = client.consumer({ ...settings, heartbeatIntervalMs: 300 })
  one.subscribe([topic])
  two.subscribe([topic])
  await step('group: two members share three partitions', async () => {
    const total = (): number => one.assignment().length + two.assignment().length
    const both = (): boolean => one.assignment().length > 0 && two.assignment().length > 0
    one.pause([])
    const deadline = Date.now() + 60_000
    while (!(both() && total() === 3) && Date.now() < deadline) {
      await Promise.all([one.poll(200), two.poll(200)])
    }
    assert.equal(total(), 3)
    assert.ok(both())
  })
  one.seekToBeginning()
  two.seekToBeginning()
  await step('group: they read everything once', async () => {
    const records: ConsumedRecord[] = []
    const deadline = Date.now() + 60_000
    while (records.length < count && Date.now() < deadline) {
      const polled = await Promise.all([one.poll(200), two.poll(200)])
      records.push(...polled.flat())
    }
    check(records)
  })
  await step('group: commit, describe', async () => {
    await one.commit()
    await two.commit()
    const admin = client.admin()
    const [description] = await admin.describeGroups([groupId])
    assert.equal(description?.state, 'Stable')
    assert.equal(description?.members.length, 2)
    assert.ok((await admin.listGroups()).some((group) => group.groupId === groupId))
    const offsets = await admin.groupOffsets(groupId, topicPartitions(topic))
    const sum = offsets.reduce((total, { offset }) => total + offset, 0)
    assert.equal(sum, count)
  })
  await step('group: one leaves, the other takes over', async () => {
    await two.close()
    const deadline = Date.now() + 60_000
    while (one.assignment().length < 3 && Date.now() < deadline) await one.poll(200)
    assert.equal(one.assignment().length, 3)
  })
  await step('group: nothing is read again after the commit', async () => {
    assert.equal((await one.poll(1000)).length, 0)
    await one.close()
  })
  await step('group: a new member resumes at a commit in the middle', async () => {
    await client.admin().setGroupOffsets(groupId, [{ topic, partition: 0, offset: 10 }])
    const three = client.consumer(settings)
    three.subscribe([topic])
    const records = await consumeAll(three, 1)
    assert.equal(records[0]?.offset, 10)
    assert.equal(records[0]?.partition, 0)
    await three.close()
  })
}

const topicPartitions = (topic: string): { topic: string; partition: number }[] =>
  [0, 1, 2].map((partition) => ({ topic, partition }))

async function offsetsRound(topic: string): Promise<void> {
  const consumer = client.consumer()
  const partitions = topicPartitions(topic)
  consumer.assign(partitions)
  await step('offsets: beginning, end, by time', async () => {
    const begin = await consumer.beginningOffsets(partitions)
    assert.deepEqual(
      begin.map(({ offset }) => offset),
      [0, 0, 0],
    )
    const end = await consumer.endOffsets(partitions)
    assert.equal(
      end.reduce((sum, { offset }) => sum + offset, 0),
      count,
    )
    const middle = run + count / 2
    const times = partitions.map((partition) => ({ ...partition, timestamp: middle }))
    for (const found of await consumer.offsetsForTimes(times)) {
      assert.ok(found.timestamp >= middle, `${found.timestamp} is at or after ${middle}`)
      consumer.seek(topic, found.partition, found.offset)
    }
    const records = await consumeAll(consumer, count / 2)
    assert.equal(records.length, count / 2)
    assert.ok(records.every(({ timestamp }) => timestamp >= middle))
    const future = partitions.map((partition) => ({ ...partition, timestamp: run + count + 1 }))
    assert.ok((await consumer.offsetsForTimes(future)).every(({ offset }) => offset === -1))
  })
  await consumer.close()
}

async function adminRound(topic: string): Promise<void> {
  const admin = client.admin()
  await step('admin: cluster, topics, configs', async () => {
    const cluster = await admin.describeCluster()
    assert.ok(cluster.brokers.length > 0)
    assert.ok((await admin.listTopics()).includes(topic))
    const [description] = await admin.describeTopics([topic])
    assert.equal(description?.partitions.length, 3)
    const [missing] = await admin.describeTopics([`missing-${run}`])
    assert.equal(missing?.error?.errorName, 'UNKNOWN_TOPIC_OR_PARTITION')
    console.log(`   cluster ${cluster.clusterId}, topic id ${description?.topicId}`)
    const [again] = await admin.createTopics([{ name: topic, partitions: 1, replicationFactor: 1 }])
    assert.equal(again?.error?.errorName, 'TOPIC_ALREADY_EXISTS')
    try {
      const [configs] = await admin.describeConfigs([{ type: 'topic', name: topic }])
      assert.ok(configs?.entries.some(({ name }) => name === 'retention.ms'))
      await admin.alterConfigs([{ type: 'topic', name: topic, set: { 'retention.ms': '100000' } }])
      const [changed] = await admin.describeConfigs([{ type: 'topic', name: topic }])
      const retention = changed?.entries.find(({ name }) => name === 'retention.ms')
      assert.equal(retention?.value, '100000')
      assert.equal(retention?.isDefault, false)
      await admin.createPartitions([{ name: topic, count: 4 }])
      const [larger] = await admin.describeTopics([topic])
      assert.equal(larger?.partitions.length, 4)
    } catch (error) {
      if (!(error instanceof Error && error.message.includes('UNSUPPORTED_VERSION'))) throw error
      console.log('   (configs are not known to this broker)')
    }
  })
}

const codecs = values.codecs.split(',') as CompressionName[]
await step('connect', () => client.connect())
for (const codec of codecs) await codecRound(codec)
const first = `interop-${codecs[0]}-${run}`
await groupRound(first)
await offsetsRound(first)
await adminRound(first)
await client.close()
clearInterval(alive)
console.log('all well')
