import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Errors } from '../../src/kafka/errors.ts'
import { DeleteRecords } from '../../src/kafka/messages/delete-records.ts'
import { DescribeLogDirs } from '../../src/kafka/messages/describe-log-dirs.ts'
import { DescribeProducers } from '../../src/kafka/messages/describe-producers.ts'
import { Fetch } from '../../src/kafka/messages/fetch.ts'
import { OffsetForLeaderEpoch } from '../../src/kafka/messages/offset-for-leader-epoch.ts'
import { RecordBatchBuilder } from '../../src/kafka/records/builder.ts'
import { World, type TestClient } from './world.ts'

async function open(properties: Readonly<Record<string, string>> = {}) {
  const world = await new World().start(properties)
  const client = await world.connect()
  await client.createTopic('t', 2)
  return { world, client }
}

async function deleteBefore(client: TestClient, topic: string, partition: number, offset: number) {
  const partitions = [{ partitionIndex: partition, offset }]
  const request = { topics: [{ name: topic, partitions }], timeoutMs: 1000 }
  const { topics } = await client.ask(DeleteRecords, 2, request)
  const row = topics[0]?.partitions[0]
  return [row?.errorCode, row?.lowWatermark]
}

test('records are deleted up to an offset, -1 standing for the high watermark (F45)', async () => {
  const { client } = await open()
  for (const value of ['a', 'b', 'c']) await client.produce('t', [value])
  assert.deepEqual(await deleteBefore(client, 't', 0, 1), [Errors.NONE, 1])
  assert.equal((await client.fetch('t', 0)).errorCode, Errors.OFFSET_OUT_OF_RANGE)
  assert.equal((await client.fetch('t', 1)).logStartOffset, 1)
  // What is deleted already stays so.
  assert.deepEqual(await deleteBefore(client, 't', 0, 0), [Errors.NONE, 1])
  assert.deepEqual(await deleteBefore(client, 't', 0, -1), [Errors.NONE, 3])
  assert.deepEqual(await client.values('t', 3), [])
})

test('deletion above the high watermark, below zero, or of what is not there is refused (F45)', async () => {
  const { client } = await open()
  await client.produce('t', ['a'])
  await client.createTopic('__consumer_offsets')
  const failed = (error: number) => [error, -1]
  const outOfRange = failed(Errors.OFFSET_OUT_OF_RANGE)
  assert.deepEqual(await deleteBefore(client, 't', 0, 2), outOfRange)
  assert.deepEqual(await deleteBefore(client, 't', 0, -2), outOfRange)
  const unknown = failed(Errors.UNKNOWN_TOPIC_OR_PARTITION)
  assert.deepEqual(await deleteBefore(client, 't', 7, 0), unknown)
  const internal = failed(Errors.INVALID_TOPIC_EXCEPTION)
  assert.deepEqual(await deleteBefore(client, '__consumer_offsets', 0, 0), internal)
})

test('records that were deleted stay so through a restart', async () => {
  const { world, client } = await open()
  await client.produce('t', ['a', 'b'])
  await client.produce('t', ['c'])
  await deleteBefore(client, 't', 0, 2)
  await world.restartBroker()
  const again = await world.connect()
  assert.equal((await again.fetch('t', 1)).errorCode, Errors.OFFSET_OUT_OF_RANGE)
  assert.deepEqual(await again.values('t', 2), ['c'])
})

test('a deletion is told to the readers of a session, who see the log start move (F12)', async () => {
  const { client } = await open()
  await client.produce('t', ['a'])
  const partitions = [{ partition: 0, fetchOffset: 1, partitionMaxBytes: 1000 }]
  const body = { maxWaitMs: 0, minBytes: 1, sessionEpoch: 0, topics: [{ topic: 't', partitions }] }
  const { sessionId } = await client.ask(Fetch, 12, body)
  await deleteBefore(client, 't', 0, 1)
  const next = { maxWaitMs: 0, minBytes: 1, sessionId, sessionEpoch: 1, topics: [] }
  const { responses } = await client.ask(Fetch, 12, next)
  assert.equal(responses[0]?.partitions[0]?.logStartOffset, 1)
})

test('the end of a leader epoch is told, of an unknown one not (F14)', async () => {
  const { client } = await open()
  await client.produce('t', ['a', 'b', 'c'])
  const ask = async (leaderEpoch: number, currentLeaderEpoch = -1, partition = 0) => {
    const partitions = [{ partition, currentLeaderEpoch, leaderEpoch }]
    const request = { topics: [{ topic: 't', partitions }] }
    const { topics } = await client.ask(OffsetForLeaderEpoch, 4, request)
    const row = topics[0]?.partitions[0]
    return [row?.errorCode, row?.leaderEpoch, row?.endOffset]
  }
  assert.deepEqual(await ask(0), [Errors.NONE, 0, 3])
  assert.deepEqual(await ask(1), [Errors.NONE, -1, -1])
  assert.deepEqual(await ask(0, 0), [Errors.NONE, 0, 3])
  assert.deepEqual(await ask(0, 1), [Errors.UNKNOWN_LEADER_EPOCH, -1, -1])
  assert.deepEqual(await ask(0, -1, 9), [Errors.UNKNOWN_TOPIC_OR_PARTITION, -1, -1])
})

test('every version of OffsetForLeaderEpoch is answered', async () => {
  const { client } = await open()
  for (let version = 0; version <= 4; version += 1) {
    const partitions = [{ partition: 0, leaderEpoch: 0 }]
    const request = { topics: [{ topic: 't', partitions }] }
    const { topics } = await client.ask(OffsetForLeaderEpoch, version, request)
    assert.equal(topics[0]?.partitions[0]?.endOffset, 0)
  }
})

test('log directories tell their logs, sizes and room; one that is offline tells that (56)', async () => {
  const { world, client } = await open({ 'log.dirs': '/one,/two' })
  world.disk.limitSpace(1_000_000)
  await client.produce('t', ['a'])
  const { results } = await client.ask(DescribeLogDirs, 4, { topics: null })
  assert.deepEqual(
    results.map(({ logDir, errorCode }) => [logDir, errorCode]),
    [
      ['/one', 0],
      ['/two', 0],
    ],
  )
  const rows = results.flatMap(({ topics }) => topics.flatMap(({ partitions }) => partitions))
  assert.deepEqual(new Set(rows.map((row) => row.partitionIndex)), new Set([0, 1]))
  assert.equal(rows.filter((row) => Number(row.partitionSize) > 0).length, 1)
  assert.ok(rows.every((row) => Number(row.offsetLag) === 0 && !row.isFutureKey))
  assert.equal(results[0]?.totalBytes, 1_000_000)
  assert.ok(Number(results[0]?.usableBytes) < 1_000_000)
  const none = await client.ask(DescribeLogDirs, 4, { topics: [] })
  assert.deepEqual(
    none.results.flatMap(({ topics }) => topics),
    [],
  )
  world.disk.inject({ operations: ['space'], path: '/two', code: 'EIO' })
  for (let version = 0; version <= 4; version += 1) {
    const { results: later } = await client.ask(DescribeLogDirs, version, { topics: null })
    assert.deepEqual(
      later.map(({ errorCode }) => errorCode),
      [0, Errors.KAFKA_STORAGE_ERROR],
    )
  }
})

test('producers of a partition are told with epoch and last sequence', async () => {
  const { client } = await open()
  const builder = new RecordBatchBuilder()
  for (const value of ['a', 'b']) builder.add(1000, null, Buffer.from(value), [])
  const batch = builder.build({ producerId: 7, producerEpoch: 3, baseSequence: 0 })
  assert.equal((await client.produceBytes('t', batch)).errorCode, 0)
  const request = { topics: [{ name: 't', partitionIndexes: [0, 1, 5] }] }
  const { topics } = await client.ask(DescribeProducers, 0, request)
  const [first, second, third] = topics[0]?.partitions ?? []
  assert.deepEqual(first?.activeProducers, [
    {
      ...{ producerId: 7, producerEpoch: 3, lastSequence: 1, lastTimestamp: 1000 },
      ...{ coordinatorEpoch: -1, currentTxnStartOffset: -1 },
    },
  ])
  assert.deepEqual(second?.activeProducers, [])
  assert.equal(third?.errorCode, Errors.UNKNOWN_TOPIC_OR_PARTITION)
  const invalid = { topics: [{ name: 'not/legal', partitionIndexes: [0] }] }
  const answer = await client.ask(DescribeProducers, 0, invalid)
  assert.equal(answer.topics[0]?.partitions[0]?.errorCode, Errors.INVALID_TOPIC_EXCEPTION)
})
