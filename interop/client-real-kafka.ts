// Our client against a real broker: node interop/client-real-kafka.ts --bootstrap HOST:PORT
// Creates topics, produces with every codec the broker knows, consumes as two members of a group
// with every assignor, as static members and by pattern, commits, resumes, seeks, looks up offsets
// by time, and asks what an admin client can ask. What a broker is too old for is said and left out:
// 0.10.0 takes --codecs none,gzip,snappy,lz4 --no-headers --no-times --no-create (and
// auto.create.topics.enable with num.partitions=3). Prints what it did; exits 1 on the first surprise.
import assert from 'node:assert/strict'
import { parseArgs } from 'node:util'
import { KafkaClient } from '../src/client/client.ts'
import type { AssignorName, ConsumedRecord, Consumer } from '../src/client/consumer/types.ts'
import type { CompressionName } from '../src/client/types.ts'
import { realPorts } from '../src/node/ports.ts'
import { adminRound, step, unlessOld } from './client-real-admin.ts'

const { values } = parseArgs({
  options: {
    bootstrap: { type: 'string', default: '127.0.0.1:9092' },
    records: { type: 'string', default: '10000' },
    codecs: { type: 'string', default: 'none,gzip,snappy,lz4,zstd' },
    headers: { type: 'boolean', default: true },
    times: { type: 'boolean', default: true },
    create: { type: 'boolean', default: true },
  },
  allowNegative: true,
})
const count = Number(values.records)
const ports = realPorts({ logLevel: 'WARN', logStream: process.stderr })
// Timers of the clock keep no process alive; this one does until all is done.
const alive = setInterval(() => undefined, 1000)
const client = new KafkaClient(ports, { bootstrapServers: [values.bootstrap], clientId: 'interop' })
const admin = client.clusterAdmin()
const run = Date.now()

const keyOf = (index: number): Buffer => Buffer.from(`key-${index % 100}`)
const valueOf = (index: number): Buffer => Buffer.from(`value ${index} ${'x'.repeat(index % 200)}`)

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
  await step(`${codec}: create topic`, async () => {
    if (!values.create) return await createBySending(topic)
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

/** Brokers before 0.10.1 create topics for whoever asks; the record has the time of the run. */
async function createBySending(topic: string): Promise<void> {
  const consumer = client.consumer({ autoOffsetReset: 'earliest' })
  consumer.assign([0, 1, 2].map((partition) => ({ topic, partition })))
  const deadline = Date.now() + 20_000
  const isThere = (): boolean =>
    [0, 1, 2].every((partition) => consumer.position({ topic, partition }) === 0)
  while (!isThere() && Date.now() < deadline) await consumer.poll(200)
  assert.ok(isThere(), 'the broker created the topic')
  await consumer.close()
}

async function until(wanted: () => boolean, consumers: readonly Consumer[]): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!wanted() && Date.now() < deadline) {
    await Promise.all(consumers.map((consumer) => consumer.poll(100)))
  }
  assert.ok(wanted())
}

async function assignorRound(topic: string, assignors: readonly AssignorName[]): Promise<void> {
  const name = assignors.join('+')
  const settings = { groupId: `interop-${name}-${run}`, assignors, heartbeatIntervalMs: 200 }
  const one = client.consumer(settings)
  const two = client.consumer(settings)
  const told: string[] = []
  one.onRevoked((partitions) => void told.push(`-${partitions.length}`))
  one.onAssigned((partitions) => void told.push(`+${partitions.length}`))
  await step(`assignor ${name}: one, two, one members`, async () => {
    one.subscribe([topic])
    await until(() => one.assignment().length === 3, [one])
    const before = one.assignment().map(({ partition }) => partition)
    two.subscribe([topic])
    const shared = (): boolean =>
      one.assignment().length + two.assignment().length === 3 && two.assignment().length > 0
    await until(shared, [one, two])
    const kept = one.assignment().map(({ partition }) => partition)
    assert.ok(kept.every((partition) => before.includes(partition)))
    await two.close()
    await until(() => one.assignment().length === 3, [one])
    await one.close()
  })
  console.log(`   the first member was told ${told.join(' ')}`)
}

async function staticRound(topic: string): Promise<void> {
  const groupId = `interop-static-${run}`
  const settings = { groupId, heartbeatIntervalMs: 200, sessionTimeoutMs: 10_000 }
  const make = (groupInstanceId: string): Consumer => {
    const consumer = client.consumer({ ...settings, groupInstanceId })
    consumer.subscribe([topic])
    return consumer
  }
  await unlessOld('static members: a restart moves nothing', async () => {
    const [one, two] = [make('one'), make('two')]
    const shared = (): boolean => one.assignment().length > 0 && two.assignment().length > 0
    await until(shared, [one, two])
    const held = one.assignment()
    const others = two.assignment()
    let rebalanced = false
    two.onRevoked(() => void (rebalanced = true))
    await one.close()
    const again = make('one')
    await until(() => again.assignment().length > 0, [again, two])
    assert.deepEqual(again.assignment(), held)
    for (let round = 0; round < 10; round++) await Promise.all([again.poll(100), two.poll(100)])
    assert.deepEqual(two.assignment(), others)
    assert.equal(rebalanced, false)
    const [described] = await admin.describeGroups([groupId])
    const instances = described?.members.map(({ groupInstanceId }) => groupInstanceId).sort()
    assert.deepEqual(instances, ['one', 'two'])
    const usurper = make('one')
    await until(() => usurper.assignment().length > 0, [usurper])
    await assert.rejects(
      async () => {
        for (let round = 0; round < 100; round++) await again.poll(100)
      },
      { errorName: 'FENCED_INSTANCE_ID' },
    )
    await Promise.all([usurper.close(), again.close(), two.close()])
    const members = ['one', 'two'].map((groupInstanceId) => ({ groupInstanceId }))
    const removed = await admin.removeGroupMembers(groupId, members)
    assert.ok(removed.every(({ error }) => error === undefined))
  })
}

async function patternRound(topic: string): Promise<void> {
  const young = new KafkaClient(ports, {
    bootstrapServers: [values.bootstrap],
    metadataMaxAgeMs: 500,
  })
  await step('pattern: topics are followed', async () => {
    const consumer = young.consumer({ groupId: `interop-pattern-${run}`, heartbeatIntervalMs: 200 })
    consumer.subscribe(new RegExp(`^(${topic}|late-${run})$`))
    await until(() => consumer.assignment().length === 3, [consumer])
    if (values.create)
      await admin.createTopics([{ name: `late-${run}`, partitions: 2, replicationFactor: 1 }])
    else await createBySending(`late-${run}`)
    await until(() => consumer.assignment().length > 3, [consumer])
    assert.deepEqual(consumer.subscription(), [topic, `late-${run}`].sort())
    await consumer.close()
  })
  await young.close()
}

async function callbackRound(topic: string): Promise<void> {
  await step('callbacks: acknowledged one by one, in order', async () => {
    const producer = client.producer({ lingerMs: 2 })
    const offsets: number[] = []
    for (let index = 0; index < count; index++) {
      await producer.ready()
      producer.sendWithCallback(
        { topic, partition: 1, value: valueOf(index) },
        (error, metadata) => {
          if (error !== undefined) throw error
          offsets.push(metadata?.offset ?? -1)
        },
      )
    }
    await producer.close()
    assert.equal(offsets.length, count)
    assert.ok(offsets.every((offset, index) => offset === (offsets[0] ?? 0) + index))
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
    await admin.setGroupOffsets(groupId, [{ topic, partition: 0, offset: 10 }])
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
    if (!values.times) return
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

const codecs = values.codecs.split(',') as CompressionName[]
await step('connect', () => client.connect())
for (const codec of codecs) await codecRound(codec)
const first = `interop-${codecs[0]}-${run}`
await groupRound(first)
await offsetsRound(first)
for (const name of ['range', 'roundrobin', 'sticky', 'cooperative-sticky'] as const) {
  await assignorRound(first, [name])
}
await assignorRound(first, ['cooperative-sticky', 'range'])
await staticRound(first)
await patternRound(first)
await callbackRound(first)
await adminRound({ admin, topic: first, run })
await client.close()
clearInterval(alive)
console.log('all well')
