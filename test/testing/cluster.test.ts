// The cluster as a test uses it: starting, writing, reading, resetting, ending.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startCluster, type TestRecord } from '../../src/testing/cluster.ts'

function values(records: readonly TestRecord[]): (string | null)[] {
  return records.map(({ value }) => value)
}

test('records are read back as they were written', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't', partitions: 2 }] })
  const written = await cluster.produce('t', [
    { value: 'a', partition: 0 },
    { key: 'k', value: 'b', headers: { h: '1' }, partition: 1, timestamp: 1234 },
    { value: null, key: Buffer.from([0xff]), partition: 1 },
  ])
  assert.deepEqual(
    written.map(({ partition, offset }) => [partition, offset]),
    [
      [0, 0],
      [1, 0],
      [1, 1],
    ],
  )
  const records = await cluster.records('t')
  assert.deepEqual(values(records), ['a', 'b', null])
  const [, second, third] = records
  assert.deepEqual(second?.headers, { h: '1' })
  assert.equal(second?.key, 'k')
  assert.equal(second?.timestamp, 1234)
  assert.deepEqual(third?.raw.key, Buffer.from([0xff]))
})

test('an empty topic has no records, and a missing one is an error', async () => {
  await using cluster = await startCluster({ topics: [{ name: 'empty' }] })
  assert.deepEqual(await cluster.records('empty'), [])
  await assert.rejects(cluster.records('missing'), { errorName: 'UNKNOWN_TOPIC_OR_PARTITION' })
})

test('topics are made with their partitions and settings, properties reach the broker', async () => {
  await using cluster = await startCluster({
    topics: [{ name: 't', partitions: 3, configs: { 'retention.ms': '5000' } }],
    properties: { 'message.max.bytes': '2000', 'auto.create.topics.enable': 'false' },
  })
  const admin = cluster.client().admin()
  const [topic] = await admin.describeTopics(['t'])
  assert.equal(topic?.partitions.length, 3)
  const [configs] = await admin.describeConfigs([{ type: 'topic', name: 't' }])
  const found = new Map(configs?.entries.map(({ name, value }) => [name, value]))
  assert.equal(found.get('retention.ms'), '5000')
  assert.equal(found.get('max.message.bytes'), '2000')
  await assert.rejects(cluster.createTopics([{ name: 't' }]), { errorName: 'TOPIC_ALREADY_EXISTS' })
  await assert.rejects(cluster.produce('t', ['x'.repeat(3000)]), {
    errorName: 'MESSAGE_TOO_LARGE',
  })
})

test('options that make no sense are refused in a sentence', async () => {
  await assert.rejects(startCluster({ brokers: 0 }), { name: 'UserError', message: /^brokers: 0 / })
  await assert.rejects(startCluster({ properties: { 'log.dirs': '/x' } }), /log\.dirs/)
  await assert.rejects(startCluster({ properties: { 'num.partitions': 'x' } }), /num\.partitions/)
})

test('several clusters live side by side and know nothing of each other', async () => {
  await using one = await startCluster({ topics: [{ name: 't' }] })
  await using other = await startCluster({ topics: [{ name: 't' }] })
  assert.notEqual(one.bootstrapServers, other.bootstrapServers)
  await one.produce('t', ['one'])
  await other.produce('t', ['other'])
  await one.advance(60_000)
  assert.deepEqual(values(await one.records('t')), ['one'])
  assert.deepEqual(values(await other.records('t')), ['other'])
  assert.ok(one.now() - other.now() >= 59_000)
})

test('a snapshot brings back topics, records and offsets, more than once', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }] })
  const address = cluster.bootstrapServers
  await cluster.produce('t', ['a'])
  const admin = cluster.client().admin()
  await admin.setGroupOffsets('g', [{ topic: 't', partition: 0, offset: 1 }])
  const snapshot = await cluster.snapshot()
  for (let round = 0; round < 2; round += 1) {
    await cluster.produce('t', ['b'])
    await cluster.createTopics([{ name: 'u' }])
    await admin.setGroupOffsets('g', [{ topic: 't', partition: 0, offset: 2 }])
    cluster.fault({ api: 'Metadata', close: true })
    await cluster.restore(snapshot)
    assert.equal(cluster.bootstrapServers, address)
    assert.deepEqual(values(await cluster.records('t')), ['a'])
    assert.deepEqual(await admin.listTopics(), ['t'])
    const [committed] = await admin.groupOffsets('g')
    assert.equal(committed?.offset, 1)
  }
})

test('a snapshot brings back groups: a consumer that was a member stays one', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }] })
  const client = cluster.client()
  const consumer = client.consumer({ groupId: 'g', autoOffsetReset: 'earliest' })
  let assignments = 0
  consumer.onAssigned(() => {
    assignments += 1
  })
  consumer.subscribe(['t'])
  const next = async (): Promise<string> => {
    for (;;) {
      const [record] = await consumer.poll(1000)
      if (record !== undefined) return String(record.value)
    }
  }
  await cluster.produce('t', ['a'])
  assert.equal(await next(), 'a')
  await consumer.commit()
  const snapshot = await cluster.snapshot()
  await cluster.restore(snapshot)
  await cluster.produce('t', ['b'])
  assert.equal(await next(), 'b')
  await consumer.commit()
  assert.equal(assignments, 1)
  const [group] = await client.admin().describeGroups(['g'])
  assert.equal(group?.state, 'Stable')
  assert.equal(group.members.length, 1)
})

test('a snapshot brings back the time', async () => {
  await using cluster = await startCluster()
  const snapshot = await cluster.snapshot()
  const before = cluster.now()
  await cluster.advance(86_400_000)
  assert.ok(cluster.now() - before >= 86_400_000)
  await cluster.restore(snapshot)
  assert.ok(cluster.now() - before < 80_000_000)
})

test('a snapshot belongs to its cluster, and needs files in memory', async () => {
  await using one = await startCluster()
  await using other = await startCluster({ storage: 'directory' })
  const snapshot = await one.snapshot()
  await assert.rejects(other.restore(snapshot), /another cluster/)
  await assert.rejects(other.snapshot(), /memory/)
})

test('a restart keeps address and records; a client only notices that its connection broke', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }] })
  const producer = cluster.client().producer()
  await producer.send({ topic: 't', value: Buffer.from('a') })
  const address = cluster.bootstrapServers
  await cluster.restart()
  assert.equal(cluster.bootstrapServers, address)
  const { offset } = await producer.send({ topic: 't', value: Buffer.from('b') })
  assert.equal(offset, 1)
  assert.deepEqual(values(await cluster.records('t')), ['a', 'b'])
})

test('files in a directory of your own outlive the cluster', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-test-'))
  try {
    {
      await using cluster = await startCluster({ storage: { directory }, topics: [{ name: 't' }] })
      await cluster.produce('t', ['a'])
    }
    assert.ok(readdirSync(join(directory, 'broker-0')).includes('t-0'))
    // The topic is not missing any more, so it is not made again.
    const options = { storage: { directory }, topics: [{ name: 't' }] }
    await using again = await startCluster(options)
    assert.deepEqual(values(await again.records('t')), ['a'])
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a temporary directory goes with the cluster', async () => {
  const ours = (): string[] =>
    readdirSync(tmpdir()).filter((name) => /^millrace-[0-9a-f-]{36}$/.test(name))
  const before = new Set(ours())
  const cluster = await startCluster({ storage: 'directory', topics: [{ name: 't' }] })
  const [made] = ours().filter((name) => existsSync(join(tmpdir(), name)) && !before.has(name))
  assert.ok(made)
  await cluster.stop()
  assert.equal(existsSync(join(tmpdir(), made)), false)
})

test('a stopped cluster answers nobody, and says so', async () => {
  const cluster = await startCluster()
  const client = cluster.client({ callTimeoutMs: 100 })
  await client.connect()
  await cluster.stop()
  await cluster.stop()
  await assert.rejects(cluster.advance(1), /stopped/)
  await assert.rejects(cluster.snapshot(), /stopped/)
})

test('the servers say nothing unless asked', async () => {
  const lines: string[] = []
  await using cluster = await startCluster({ log: (line) => void lines.push(line) })
  assert.ok(cluster.bootstrapServers)
  assert.ok(lines.some((line) => /^INFO \[KafkaServer id=0\] started/.test(line)))
})

test('a process that stops its cluster ends by itself, with nothing printed', async () => {
  const script = fileURLToPath(new URL('fixtures/lives-and-ends.ts', import.meta.url))
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [script], {
    timeout: 60_000,
  })
  assert.equal(stdout, 'a,b\n')
  assert.equal(stderr, '')
})
