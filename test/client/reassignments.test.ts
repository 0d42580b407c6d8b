// Elections and moves of replicas, asked of fake controllers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AlterPartitionReassignments } from '../../src/kafka/messages/alter-partition-reassignments.ts'
import { ElectLeaders } from '../../src/kafka/messages/elect-leaders.ts'
import { ListPartitionReassignments } from '../../src/kafka/messages/list-partition-reassignments.ts'
import { Metadata } from '../../src/kafka/messages/metadata.ts'
import { createWorld, type World } from './support/fake-log.ts'

const partitionsOf = (...indexes: number[]) =>
  indexes.map((partition) => ({ topic: 't', partition }))

/** From now on broker 2 is the controller. */
function moveController({ brokers }: World): void {
  const nodes = brokers.map(({ nodeId, host, port }) => ({ nodeId, host, port }))
  for (const broker of brokers)
    broker.on(Metadata, () => ({ controllerId: 2, brokers: nodes, topics: [] }), { max: 9 })
}

test('leaders are elected at the controller, which is looked for where it has moved', async () => {
  const world = await createWorld({ topics: { t: 2 }, brokers: 2 })
  const [one, two] = world.brokers
  assert.ok(one !== undefined && two !== undefined)
  one.on(ElectLeaders, () => ({ errorCode: 41, replicaElectionResults: [] }))
  two.on(ElectLeaders, (request) => ({
    replicaElectionResults: (request.topicPartitions ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.toReversed().map((partitionId) => {
        return { partitionId, errorCode: partitionId === 1 ? 84 : 0, errorMessage: null }
      }),
    })),
  }))
  await world.clock.until(world.client.connect())
  moveController(world)
  const admin = world.client.clusterAdmin()
  const elected = await world.clock.until(admin.electLeaders('unclean', partitionsOf(0, 1)))
  assert.deepEqual(
    elected.map(({ partition, error }) => [partition, error?.errorName]),
    [
      [0, undefined],
      [1, 'ELECTION_NOT_NEEDED'],
    ],
  )
  assert.deepEqual([one.count(ElectLeaders), two.requests(ElectLeaders)[0]?.electionType], [1, 1])
})

test('of all partitions, those that had an election are told; old brokers elect no unclean leader', async () => {
  const world = await createWorld({ topics: { t: 2 } })
  const [broker] = world.brokers
  const partitionResult = [{ partitionId: 1, errorCode: 0, errorMessage: null }]
  const replicaElectionResults = [{ topic: 't', partitionResult }]
  broker?.on(ElectLeaders, () => ({ replicaElectionResults }), { max: 0 })
  const admin = world.client.clusterAdmin()
  const elected = await world.clock.until(admin.electLeaders('preferred'))
  assert.deepEqual(elected, [{ topic: 't', partition: 1, error: undefined }])
  assert.equal(broker?.requests(ElectLeaders)[0]?.topicPartitions, null)
  const unclean = assert.rejects(admin.electLeaders('unclean'), { code: 35 })
  await world.clock.until(unclean)
})

test('replicas are moved, a move is called off, and each partition has its outcome', async () => {
  const world = await createWorld({ topics: { t: 3 } })
  const [broker] = world.brokers
  assert.ok(broker !== undefined)
  broker.on(AlterPartitionReassignments, (request) => ({
    errorMessage: null,
    responses: request.topics.map(({ name, partitions }) => ({
      name,
      // The last one is not answered for.
      partitions: partitions.slice(0, 2).map(({ partitionIndex, replicas }) => {
        return { partitionIndex, errorCode: replicas === null ? 85 : 0, errorMessage: null }
      }),
    })),
  }))
  const wanted = [[2, 1], null, [3]].map((replicas, partition) => {
    return { topic: 't', partition, replicas }
  })
  const admin = world.client.clusterAdmin()
  const outcomes = await world.clock.until(admin.alterPartitionReassignments(wanted))
  assert.deepEqual(
    outcomes.map(({ error }) => error?.errorName),
    [undefined, 'NO_REASSIGNMENT_IN_PROGRESS', 'UNKNOWN_SERVER_ERROR'],
  )
  const sent = broker.requests(AlterPartitionReassignments)[0]?.topics[0]?.partitions
  assert.deepEqual(
    sent?.map(({ replicas }) => replicas),
    [[2, 1], null, [3]],
  )
})

test('moves under way are told with the replicas that come and go', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const [broker] = world.brokers
  const ongoing = {
    partitionIndex: 0,
    replicas: [1, 2],
    addingReplicas: [2],
    removingReplicas: [1],
  }
  const topics = [{ name: 't', partitions: [ongoing] }]
  broker?.on(ListPartitionReassignments, () => ({ errorMessage: null, topics }))
  const admin = world.client.clusterAdmin()
  const expected = [{ topic: 't', partition: 0, replicas: [1, 2], adding: [2], removing: [1] }]
  assert.deepEqual(await world.clock.until(admin.listPartitionReassignments()), expected)
  await world.clock.until(admin.listPartitionReassignments(partitionsOf(0)))
  const asked = broker?.requests(ListPartitionReassignments).map(({ topics: named }) => named)
  assert.equal(asked?.[0], null)
  assert.deepEqual(asked?.[1]?.[0]?.partitionIndexes, [0])
  broker?.on(ListPartitionReassignments, () => ({
    errorCode: 31,
    errorMessage: 'not yours',
    topics: [],
  }))
  const refused = assert.rejects(admin.listPartitionReassignments(), { code: 31, message: /yours/ })
  await world.clock.until(refused)
})
