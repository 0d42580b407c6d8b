import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Errors } from '../../src/kafka/errors.ts'
import { Fetch } from '../../src/kafka/messages/fetch.ts'
import { DeleteTopics } from '../../src/kafka/messages/delete-topics.ts'
import type { RequestInputOf } from '../../src/wire/schema.ts'
import { batchOf, valuesIn, World, type TestClient } from './world.ts'

type Body = RequestInputOf<typeof Fetch>

async function open(properties: Readonly<Record<string, string>> = {}) {
  const world = await new World().start(properties)
  const client = await world.connect()
  const topicId = await client.createTopic('t', 3)
  return { world, client, topicId }
}

const wanted = (partition: number, fetchOffset = 0) => ({
  ...{ partition, fetchOffset, partitionMaxBytes: 1_000_000 },
})

function bodyOf(sessionId: number, sessionEpoch: number, rest: Partial<Body> = {}): Body {
  return {
    ...{ maxWaitMs: 0, minBytes: 1, maxBytes: 1_000_000, isolationLevel: 0, topics: [] },
    ...{ sessionId, sessionEpoch, forgottenTopicsData: [], rackId: '', ...rest },
  }
}

async function ask(client: TestClient, body: Body, version = 12) {
  const { errorCode, sessionId, responses } = await client.ask(Fetch, version, body)
  const rows = responses.flatMap(({ partitions }) =>
    partitions.map((row) => [row.partitionIndex, row.errorCode, valuesIn(row.records)] as const),
  )
  return { errorCode, sessionId, rows }
}

test('an incremental fetch names what changed, and is answered what is new (F11, F12)', async () => {
  for (const version of [7, 11, 12]) {
    const { client } = await open()
    const topics = [{ topic: 't', partitions: [wanted(0), wanted(1)] }]
    const first = await ask(client, bodyOf(0, 0, { topics }), version)
    assert.deepEqual(first.rows, [
      [0, 0, []],
      [1, 0, []],
    ])
    const id = first.sessionId
    assert.ok(id > 0)
    assert.deepEqual((await ask(client, bodyOf(id, 1), version)).rows, [])
    await client.produceBytes('t', batchOf(['a']), { partition: 1 })
    const second = await ask(client, bodyOf(id, 2), version)
    assert.deepEqual(second, { errorCode: 0, sessionId: id, rows: [[1, 0, ['a']]] })
    // Not moved on, it is given the same once more; moved on, nothing.
    assert.deepEqual((await ask(client, bodyOf(id, 3), version)).rows, [[1, 0, ['a']]])
    const moved = [{ topic: 't', partitions: [wanted(1, 1)] }]
    assert.deepEqual((await ask(client, bodyOf(id, 4, { topics: moved }), version)).rows, [])
    const added = [{ topic: 't', partitions: [wanted(2)] }]
    const forgottenTopicsData = [{ topic: 't', partitions: [1] }]
    const changed = bodyOf(id, 5, { topics: added, forgottenTopicsData })
    assert.deepEqual((await ask(client, changed, version)).rows, [[2, 0, []]])
    await client.produce('t', ['b'])
    assert.deepEqual((await ask(client, bodyOf(id, 6), version)).rows, [[0, 0, ['b']]])
  }
})

test('errors of sessions stand at the top, without partitions (F11)', async () => {
  const { client } = await open()
  const topics = [{ topic: 't', partitions: [wanted(0)] }]
  const { sessionId } = await ask(client, bodyOf(0, 0, { topics }))
  const refused = (errorCode: number) => ({ errorCode, sessionId: 0, rows: [] })
  const unknown = await ask(client, bodyOf(sessionId ^ 1, 1))
  assert.deepEqual(unknown, refused(Errors.FETCH_SESSION_ID_NOT_FOUND))
  const late = await ask(client, bodyOf(sessionId, 5))
  assert.deepEqual(late, refused(Errors.INVALID_FETCH_SESSION_EPOCH))
  const mixed = await ask(client, bodyOf(sessionId, 1), 13)
  assert.deepEqual(mixed, refused(Errors.FETCH_SESSION_TOPIC_ID_ERROR))
  const closed = await ask(client, bodyOf(sessionId, -1))
  assert.deepEqual(closed, { errorCode: 0, sessionId: 0, rows: [] })
  const gone = await ask(client, bodyOf(sessionId, 1))
  assert.deepEqual(gone, refused(Errors.FETCH_SESSION_ID_NOT_FOUND))
})

test('a session of topic ids outlives its topic, whose partitions then are unknown', async () => {
  const { world, client, topicId } = await open()
  const topics = [{ topicId, partitions: [wanted(0)] }]
  const { sessionId, rows } = await ask(client, bodyOf(0, 0, { topics }), 13)
  assert.deepEqual(rows, [[0, 0, []]])
  await client.ask(DeleteTopics, 6, { topics: [{ name: 't' }], timeoutMs: 5000 })
  const second = await ask(client, bodyOf(sessionId, 1), 13)
  assert.deepEqual(second.rows, [[0, Errors.UNKNOWN_TOPIC_OR_PARTITION, []]])
  await client.createTopic('t')
  const third = await ask(client, bodyOf(sessionId, 2), 13)
  assert.deepEqual(third.rows, [[0, Errors.INCONSISTENT_TOPIC_ID, []]])
  const unknown = [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitions: [wanted(0)] }]
  const fourth = await ask(client, bodyOf(0, 0, { topics: unknown }), 13)
  assert.deepEqual(fourth.rows, [[0, Errors.UNKNOWN_TOPIC_ID, []]])
  assert.deepEqual(world.complaints(), [])
})

test('a partition that is not there does not hurry the fetch of the others (F8)', async () => {
  const { world, client } = await open()
  const waiting = { maxWaitMs: 10_000, minBytes: 1 }
  const both = [{ topic: 't', partitions: [wanted(0), wanted(9)] }]
  const started = world.clock.now()
  const { rows } = await ask(client, bodyOf(0, 0, { topics: both, ...waiting }))
  assert.deepEqual(rows, [
    [0, 0, []],
    [9, Errors.UNKNOWN_TOPIC_OR_PARTITION, []],
  ])
  assert.equal(world.clock.now() - started >= 10_000, true)
  const alone = [{ topic: 't', partitions: [wanted(9)] }]
  const before = world.clock.now()
  await ask(client, bodyOf(0, 0, { topics: alone, ...waiting }))
  assert.equal(world.clock.now() - before < 10_000, true)
})

test('a full cache of sessions answers session 0 to all others (F11)', async () => {
  const { client } = await open({ 'max.incremental.fetch.session.cache.slots': '1' })
  const topics = [{ topic: 't', partitions: [wanted(0)] }]
  const first = await ask(client, bodyOf(0, 0, { topics }))
  const second = await ask(client, bodyOf(0, 0, { topics }))
  assert.deepEqual([first.sessionId > 0, second.sessionId], [true, 0])
})

test('a waiting incremental fetch is woken by the partitions of its session', async () => {
  const { world, client } = await open()
  const topics = [{ topic: 't', partitions: [wanted(0), wanted(1)] }]
  const { sessionId } = await ask(client, bodyOf(0, 0, { topics }))
  const waiting = client.begin(Fetch, 12, bodyOf(sessionId, 1, { maxWaitMs: 60_000 }))
  const writer = await world.connect()
  await writer.produce('t', ['a'])
  const { responses } = await world.clock.until(waiting)
  assert.deepEqual(valuesIn(responses[0]?.partitions[0]?.records ?? null), ['a'])
})

test('a reader whose last epoch is not ours is told where the logs part (KIP-320)', async () => {
  const { client } = await open()
  await client.produce('t', ['a', 'b'])
  const at = async (fetchOffset: number, lastFetchedEpoch: number) => {
    const partitions = [{ ...wanted(0, fetchOffset), lastFetchedEpoch }]
    const body = bodyOf(0, -1, { topics: [{ topic: 't', partitions }] })
    const { responses } = await client.ask(Fetch, 12, body)
    const row = responses[0]?.partitions[0]
    return [row?.errorCode, row?.divergingEpoch, valuesIn(row?.records ?? null)]
  }
  const none = { epoch: -1, endOffset: -1 }
  assert.deepEqual(await at(1, 0), [0, none, ['a', 'b']])
  assert.deepEqual(await at(5, 0), [0, { epoch: 0, endOffset: 2 }, []])
  assert.deepEqual(await at(0, 7), [Errors.OFFSET_OUT_OF_RANGE, none, []])
})
