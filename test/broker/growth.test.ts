import assert from 'node:assert/strict'
import { test } from 'node:test'
import { grow } from '../../src/broker/topic-growth.ts'
import { Errors } from '../../src/kafka/errors.ts'
import { CreatePartitions } from '../../src/kafka/messages/create-partitions.ts'
import { World, type TestClient } from './world.ts'

async function ask(
  client: TestClient,
  name: string,
  count: number,
  assignments: readonly (readonly number[])[] | null = null,
  validateOnly = false,
) {
  const lists = assignments?.map((brokerIds) => ({ brokerIds: [...brokerIds] })) ?? null
  const topics = [{ name, count, assignments: lists }]
  const request = { topics, timeoutMs: 5000, validateOnly }
  const { results } = await client.ask(CreatePartitions, 3, request)
  return [results[0]?.errorCode, results[0]?.errorMessage]
}

test('topics grow, and new partitions take records from the answer on (F45)', async () => {
  const world = await new World().start()
  const client = await world.connect()
  const topicId = await client.createTopic('t', 2)
  assert.deepEqual(await ask(client, 't', 3, null, true), [Errors.NONE, null])
  assert.deepEqual(await ask(client, 't', 3), [Errors.NONE, null])
  assert.deepEqual(await ask(client, 't', 4, [[0]]), [Errors.NONE, null])
  const { topics } = await client.metadata(['t'])
  assert.equal(topics[0]?.partitions.length, 4)
  const { errorCode } = await client.produceBytes('t', null, { partition: 3 })
  assert.notEqual(errorCode, Errors.UNKNOWN_TOPIC_OR_PARTITION)
  const node = JSON.parse(await world.readNode('/brokers/topics/t')) as Record<string, unknown>
  assert.deepEqual(Object.keys(node['partitions'] as object), ['0', '1', '2', '3'])
  assert.equal(node['topic_id'], topicId)
})

test('what a topic cannot become is refused in the words of the original', async () => {
  const world = await new World().start()
  const client = await world.connect()
  await client.createTopic('t', 2)
  const partitions = (message: string) => [Errors.INVALID_PARTITIONS, message]
  const fewer = 'Topic currently has 2 partitions, which is higher than the requested 1.'
  assert.deepEqual(await ask(client, 't', 1), partitions(fewer))
  assert.deepEqual(await ask(client, 't', 2), partitions('Topic already has 2 partitions.'))
  const unknown = [Errors.UNKNOWN_TOPIC_OR_PARTITION, "The topic 'a b' does not exist."]
  assert.deepEqual(await ask(client, 'a b', 3), unknown)
  const assignment = (message: string) => [Errors.INVALID_REPLICA_ASSIGNMENT, message]
  const cases: readonly (readonly [number, number[][], string])[] = [
    [3, [[0], [0]], 'Increasing the number of partitions by 1 but 2 assignments provided.'],
    [3, [[5]], 'Unknown broker(s) in replica assignment: 5.'],
    [3, [[0, 0]], 'Duplicate brokers not allowed in replica assignment: 0, 0 for partition id 2.'],
    [3, [[]], 'Cannot have replication factor of 0 for partition id 2.'],
  ]
  for (const [count, lists, message] of cases)
    assert.deepEqual(await ask(client, 't', count, lists), assignment(message))
  const same = { name: 't', count: 5, assignments: null }
  const request = { topics: [same, same], timeoutMs: 1000, validateOnly: false }
  const { results } = await client.ask(CreatePartitions, 0, request)
  assert.deepEqual(
    results.map(({ errorCode, errorMessage }) => [errorCode, errorMessage]),
    [[Errors.INVALID_REQUEST, 'Duplicate topic in request.']],
  )
})

test('added partitions go on from where the first leader is; their count of replicas is the same', () => {
  const current = {
    partitions: new Map([
      [0, [2, 3]],
      [1, [3, 1]],
    ]),
    topicId: 'id',
  }
  const wanted = { topic: 't', partitionCount: 4, assignments: undefined }
  const { assignment } = grow(wanted, current, [1, 2, 3])
  assert.deepEqual(
    [...(assignment?.partitions.values() ?? [])].map((ids) => ids.length),
    [2, 2, 2, 2],
  )
  assert.deepEqual(assignment?.partitions.get(2)?.[0], 1)
  assert.equal(assignment?.topicId, 'id')
  const uneven = grow({ ...wanted, partitionCount: 3, assignments: [[1]] }, current, [1, 2, 3])
  assert.equal(
    uneven.refusal?.message,
    'Inconsistent replication factor between partitions, partition 0 has 2 while partitions [2] have replication factors [1], respectively.',
  )
  const moving = { ...current, adding: new Map([[0, [1]]]) }
  assert.equal(grow(wanted, moving, [1, 2, 3]).refusal?.error, Errors.REASSIGNMENT_IN_PROGRESS)
})
