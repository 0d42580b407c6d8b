import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Errors } from '../../src/kafka/errors.ts'
import { Fetch } from '../../src/kafka/messages/fetch.ts'
import { ListOffsets } from '../../src/kafka/messages/list-offsets.ts'
import { DeleteTopics } from '../../src/kafka/messages/delete-topics.ts'
import { batchOf, valuesIn, World, type TestClient } from './world.ts'

async function open(
  configs: Readonly<Record<string, string>> = {},
  properties: Readonly<Record<string, string>> = {},
): Promise<{ world: World; client: TestClient }> {
  const world = await new World().start(properties)
  const client = await world.connect()
  await client.createTopic('t', 2, configs)
  return { world, client }
}

const value = (bytes: number): string => 'x'.repeat(bytes)

/** Partitions of topic t in this order; what came of each. */
async function fetchBoth(
  client: TestClient,
  order: readonly number[],
  limits: { maxBytes: number; partitionMaxBytes: number; version?: number },
) {
  const { maxBytes, partitionMaxBytes, version = 4 } = limits
  const partitions = order.map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes }))
  const { responses } = await client.ask(Fetch, version, {
    ...{ maxWaitMs: 0, minBytes: 1, topics: [{ topic: 't', partitions }] },
    ...(version >= 3 ? { maxBytes } : {}),
  })
  return (responses[0]?.partitions ?? []).map((row) => row.records ?? Buffer.alloc(0))
}

test('every version fetches what was produced', async () => {
  const { world, client } = await open()
  const topicId = await client.createTopic('u')
  await client.produce('u', ['a', 'b'])
  for (let version = 0; version <= 17; version += 1) {
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
    const topic = version >= 13 ? { topicId, partitions } : { topic: 'u', partitions }
    const body = { maxWaitMs: 0, minBytes: 1, topics: [topic] }
    const { responses } = await client.ask(Fetch, version, body)
    const row = responses[0]?.partitions[0]
    assert.deepEqual(valuesIn(row?.records ?? null), ['a', 'b'], `version ${version}`)
    assert.equal(row?.highWatermark, 2)
  }
  assert.deepEqual(world.complaints(), [])
})

test('a fetch waits for min_bytes summed over its partitions (F8)', async () => {
  const { world, client } = await open()
  const writer = await world.connect()
  const size = batchOf(['a']).length
  const partitions = [0, 1].map((partition) => ({
    ...{ partition, fetchOffset: 0, partitionMaxBytes: 1000 },
  }))
  const body = { maxWaitMs: 60_000, minBytes: 2 * size, maxBytes: 10_000 }
  let isAnswered = false
  const waiting = client
    .begin(Fetch, 11, { ...body, topics: [{ topic: 't', partitions }] })
    .then((answer) => {
      isAnswered = true
      return answer
    })
  await writer.produceBytes('t', batchOf(['a']))
  await world.clock.advance(1000)
  assert.equal(isAnswered, false)
  await writer.produceBytes('t', batchOf(['b']), { partition: 1 })
  const { responses } = await world.clock.until(waiting)
  assert.deepEqual(
    responses[0]?.partitions.map((row) => valuesIn(row.records)),
    [['a'], ['b']],
  )
})

test('the first batch is whole even above the limits, the others have what is left (F8, F10)', async () => {
  const { client } = await open()
  await client.produceBytes('t', batchOf([value(500)]))
  await client.produceBytes('t', batchOf([value(500)]), { partition: 1 })
  const tight = { maxBytes: 100, partitionMaxBytes: 100 }
  const [first, second] = await fetchBoth(client, [1, 0], tight)
  assert.deepEqual([valuesIn(first ?? null).length, second?.length], [1, 0])
  // What is cut off comes after whole batches, and never alone.
  const [whole, cut] = await fetchBoth(client, [0, 1], { maxBytes: 700, partitionMaxBytes: 700 })
  assert.equal(valuesIn(whole ?? null).length, 1)
  assert.equal(cut?.length, 0)
})

test('up to version 2 the limit is hard: a batch that is too large comes cut off', async () => {
  const { client } = await open()
  await client.produceBytes('t', batchOf([value(500)]))
  const limits = { maxBytes: 100, partitionMaxBytes: 100, version: 2 }
  const [records] = await fetchBoth(client, [0], limits)
  assert.equal(records?.length, 100)
})

test('a fetch is answered from the batch that holds its offset', async () => {
  const { client } = await open()
  await client.produce('t', ['a', 'b', 'c'])
  await client.produce('t', ['d'])
  assert.deepEqual(valuesIn((await client.fetch('t', 1)).records), ['a', 'b', 'c', 'd'])
  assert.deepEqual(valuesIn((await client.fetch('t', 3)).records), ['d'])
})

test('errors come at once, with -1 for all offsets and no records', async () => {
  const { client } = await open()
  await client.produce('t', ['a'])
  const at = async (offset: number | bigint, options = {}) => {
    const row = await client.fetch('t', Number(offset), { maxWaitMs: 60_000, ...options })
    assert.deepEqual(
      [row.highWatermark, row.lastStableOffset, row.logStartOffset, row.records?.length],
      [-1, -1, -1, 0],
    )
    return row.errorCode
  }
  assert.equal(await at(2), Errors.OFFSET_OUT_OF_RANGE)
  assert.equal(await at(-1), Errors.OFFSET_OUT_OF_RANGE)
  assert.equal(await at(0, { partition: 9 }), Errors.UNKNOWN_TOPIC_OR_PARTITION)
  assert.equal(await at(0, { leaderEpoch: 5 }), Errors.UNKNOWN_LEADER_EPOCH)
})

test('unknown topic ids are said to be unknown (F11, version 13)', async () => {
  const { client } = await open()
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
  const topics = [{ topicId: 'BBBBBBBBBBBBBBBBBBBBBA', partitions }]
  const { responses } = await client.ask(Fetch, 13, { maxWaitMs: 1000, minBytes: 1, topics })
  assert.equal(responses[0]?.partitions[0]?.errorCode, Errors.UNKNOWN_TOPIC_ID)
})

test('a fetch session is declined, and one that is not there is said to be not there (F11)', async () => {
  const { client } = await open()
  const body = { maxWaitMs: 0, minBytes: 1, topics: [] }
  const full = await client.ask(Fetch, 11, { ...body, sessionId: 0, sessionEpoch: 0 })
  assert.deepEqual([full.errorCode, full.sessionId], [Errors.NONE, 0])
  const incremental = await client.ask(Fetch, 11, { ...body, sessionId: 9, sessionEpoch: 1 })
  assert.equal(incremental.errorCode, Errors.FETCH_SESSION_ID_NOT_FOUND)
})

test('an empty fetch does not wait', async () => {
  const { world, client } = await open()
  const startMs = world.clock.monotonicMs()
  await client.ask(Fetch, 11, { maxWaitMs: 60_000, minBytes: 1, topics: [] })
  assert.ok(world.clock.monotonicMs() - startMs < 1000)
})

test('a waiting fetch is answered when its topic is deleted', async () => {
  const { world, client } = await open()
  const waiting = client.beginFetch('t', 0, { maxWaitMs: 600_000 })
  const admin = await world.connect()
  await admin.ask(DeleteTopics, 5, { topicNames: ['t'], timeoutMs: 5000 })
  const { responses } = await world.clock.until(waiting)
  const code = responses[0]?.partitions[0]?.errorCode
  assert.ok(code === Errors.NOT_LEADER_OR_FOLLOWER || code === Errors.UNKNOWN_TOPIC_OR_PARTITION)
})

test('a fetch of an older segment is answered without waiting for min_bytes (F8)', async () => {
  const { world, client } = await open({ 'segment.bytes': '1000' })
  for (let count = 0; count < 5; count += 1) await client.produce('t', [value(500)])
  const startMs = world.clock.monotonicMs()
  const row = await client.fetch('t', 0, { maxWaitMs: 60_000, minBytes: 100_000 })
  assert.equal(valuesIn(row.records).length, 1)
  assert.ok(world.clock.monotonicMs() - startMs < 1000)
})

test('records of older segments are read off the loop, and come as they are', async () => {
  const { client } = await open({ 'segment.bytes': '1000' })
  const values = Array.from({ length: 20 }, (_, at) => `${at}-${value(300)}`)
  for (const one of values) await client.produce('t', [one])
  const seen: string[] = []
  while (seen.length < values.length) seen.push(...(await client.values('t', seen.length)))
  assert.deepEqual(seen, values)
})

test('the first version answers offsets as lists of segment starts (ListOffsets 0, F20)', async () => {
  const { client } = await open({ 'segment.bytes': '1000' })
  for (let count = 0; count < 4; count += 1) await client.produce('t', [value(800)])
  const ask = async (timestamp: number, maxNumOffsets: number) => {
    const partitions = [{ partitionIndex: 0, timestamp, maxNumOffsets }]
    const { topics } = await client.ask(ListOffsets, 0, { topics: [{ name: 't', partitions }] })
    return topics[0]?.partitions[0]?.oldStyleOffsets
  }
  assert.deepEqual(await ask(-1, 1), [4])
  assert.deepEqual(await ask(-1, 10), [4, 3, 2, 1, 0])
  assert.deepEqual(await ask(-2, 1), [0])
})

test('offsets are found by time and by the special times (F20)', async () => {
  const { client } = await open()
  for (const [text, timestamp] of [
    ['a', 1000],
    ['b', 3000],
    ['c', 2000],
  ] as const)
    await client.produceBytes('t', batchOf([text], timestamp))
  const ask = async (timestamp: number, version = 8) => {
    const partitions = [{ partitionIndex: 0, timestamp }]
    const { topics } = await client.ask(ListOffsets, version, {
      topics: [{ name: 't', partitions }],
    })
    const row = topics[0]?.partitions[0]
    return row?.errorCode === 0 ? [row.offset, row.timestamp] : `error ${row?.errorCode}`
  }
  assert.deepEqual(await ask(-1), [3, -1])
  assert.deepEqual(await ask(-2), [0, -1])
  assert.deepEqual(await ask(-3), [1, 3000])
  assert.deepEqual(await ask(-4), [0, -1])
  assert.deepEqual(await ask(1500), [1, 3000])
  assert.deepEqual(await ask(0), [0, 1000])
  assert.deepEqual(await ask(9999), [-1, -1])
  assert.equal(await ask(-3, 6), `error ${Errors.UNSUPPORTED_VERSION}`)
  assert.equal(await ask(-7), `error ${Errors.UNSUPPORTED_VERSION}`)
})

test('offsets of what is not there are not told', async () => {
  const { client } = await open()
  const row = (partitionIndex: number, currentLeaderEpoch = -1) => ({
    ...{ partitionIndex, currentLeaderEpoch, timestamp: -1 },
  })
  const { topics } = await client.ask(ListOffsets, 5, {
    topics: [
      { name: 't', partitions: [row(0), row(9), row(1, 7)] },
      { name: 'unknown', partitions: [row(0)] },
    ],
  })
  assert.deepEqual(
    topics.map(({ partitions }) => partitions.map((one) => one.errorCode)),
    [
      [Errors.NONE, Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.UNKNOWN_LEADER_EPOCH],
      [Errors.UNKNOWN_TOPIC_OR_PARTITION],
    ],
  )
})
