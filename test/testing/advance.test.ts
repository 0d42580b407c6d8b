// Time set forward: what falls due, and whose session lasts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BrokerConnection } from '../../src/client/connection.ts'
import { Fetch } from '../../src/kafka/messages/fetch.ts'
import { Heartbeat } from '../../src/kafka/messages/heartbeat.ts'
import { JoinGroup } from '../../src/kafka/messages/join-group.ts'
import { SyncGroup } from '../../src/kafka/messages/sync-group.ts'
import { systemClock } from '../../src/node/clock.ts'
import { createNodeNetwork } from '../../src/node/network.ts'
import { startCluster, type TestCluster } from '../../src/testing/cluster.ts'

const day = 86_400_000
const network = createNodeNetwork()

async function connect(cluster: TestCluster): Promise<BrokerConnection> {
  const [host = '', port] = cluster.bootstrapServers.split(':')
  const settings = { host, port: Number(port), clientId: 'member', requestTimeoutMs: 20_000 }
  const connection = new BrokerConnection({ clock: systemClock, network }, settings)
  await connection.connect()
  return connection
}

/** A member of a group, as far as the protocol goes: silent unless told to `sync` or `beat`. */
async function joinOnly(cluster: TestCluster, groupId: string) {
  const connection = await connect(cluster)
  const protocols = [{ name: 'p', metadata: Buffer.alloc(0) }]
  const request = { groupId, sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 60_000 }
  const body = { ...request, protocolType: 'consumer', protocols, memberId: '' }
  const { memberId, generationId, errorCode } = await connection.request(JoinGroup, 3, body)
  assert.equal(errorCode, 0)
  const membership = { groupId, memberId, generationId }
  const assignments = [{ memberId, assignment: Buffer.alloc(0) }]
  const sync = async (): Promise<number> =>
    (await connection.request(SyncGroup, 3, { ...membership, assignments })).errorCode
  const beat = async (): Promise<number> =>
    (await connection.request(Heartbeat, 3, membership)).errorCode
  return { connection, sync, beat }
}

async function join(cluster: TestCluster, groupId: string) {
  const member = await joinOnly(cluster, groupId)
  assert.equal(await member.sync(), 0)
  return member
}

/** The group's members, as the broker counts them. */
async function memberCount(cluster: TestCluster, groupId: string): Promise<number> {
  const [group] = await cluster.client().admin().describeGroups([groupId])
  return group?.members.length ?? -1
}

/** The offsets topic is made when somebody first asks for a coordinator. */
async function clusterWithGroups(): Promise<TestCluster> {
  const cluster = await startCluster({ topics: [{ name: 't' }] })
  const offsets = [{ topic: 't', partition: 0, offset: 0 }]
  await cluster.client().admin().setGroupOffsets('first', offsets)
  return cluster
}

test("the cluster's time moves as far as it is told, and goes on", async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }] })
  const ahead = (): number => cluster.now() - systemClock.now()
  assert.ok(Math.abs(ahead()) < 1000)
  await cluster.advance(day)
  await cluster.advance(1.5)
  assert.ok(Math.abs(ahead() - day) < 1000)
  const [written] = await cluster.produce('t', ['a'])
  assert.ok(Math.abs((written?.timestamp ?? 0) - cluster.now()) < 10_000)
  await assert.rejects(cluster.advance(-1), TypeError)
  await assert.rejects(cluster.advance(Number.NaN), TypeError)
})

test('records older than their retention are gone', async () => {
  const configs = { 'retention.ms': '3600000' }
  await using cluster = await startCluster({ topics: [{ name: 't', configs }, { name: 'kept' }] })
  await cluster.produce('t', ['old'])
  await cluster.produce('kept', ['old'])
  await cluster.advance(1_800_000)
  assert.equal((await cluster.records('t')).length, 1)
  await cluster.advance(1_900_000)
  assert.deepEqual(await cluster.records('t'), [])
  assert.equal((await cluster.records('kept')).length, 1)
  await cluster.produce('t', ['new'])
  const [record] = await cluster.records('t')
  assert.deepEqual([record?.offset, record?.value], [1, 'new'])
})

test('a member whose client is there has not missed a heartbeat', async () => {
  await using cluster = await clusterWithGroups()
  const member = await join(cluster, 'g')
  await cluster.advance(day)
  await cluster.advance(day)
  assert.equal(await memberCount(cluster, 'g'), 1)
  assert.equal(await member.beat(), 0)
  member.connection.close()
})

test('a member that has joined and is about to sync has not missed one either', async () => {
  await using cluster = await clusterWithGroups()
  const member = await joinOnly(cluster, 'g')
  await cluster.advance(20_000)
  assert.equal(await member.sync(), 0)
  member.connection.close()
})

test('a member whose connection is gone ends when its session time is over', async () => {
  await using cluster = await clusterWithGroups()
  const member = await join(cluster, 'g')
  const connected = await join(cluster, 'other')
  member.connection.close()
  // The broker has seen the end of the connection when it has answered a later one.
  await (await join(cluster, 'third')).beat()
  await cluster.advance(9000)
  assert.equal(await memberCount(cluster, 'g'), 1)
  await cluster.advance(2000)
  assert.equal(await memberCount(cluster, 'g'), 0)
  assert.equal(await memberCount(cluster, 'other'), 1)
  connected.connection.close()
})

test('when sessions are to expire, members do, and the broker stays what it is', async () => {
  await using cluster = await clusterWithGroups()
  const member = await join(cluster, 'g')
  await cluster.advance(9000, { expireSessions: 'members' })
  assert.equal(await member.beat(), 0)
  await cluster.advance(day, { expireSessions: 'members' })
  assert.equal(await member.beat(), 25)
  await cluster.createTopics([{ name: 'after' }])
  await cluster.produce('after', ['a'])
  assert.equal((await cluster.records('after')).length, 1)
  member.connection.close()
})

test('a consumer goes on over a jump, without a rebalance', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }] })
  const consumer = cluster.client().consumer({ groupId: 'g', autoOffsetReset: 'earliest' })
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
  for (const value of ['a', 'b', 'c']) {
    await cluster.produce('t', [value])
    assert.equal(await next(), value)
    await consumer.commit()
    await cluster.advance(3_600_000)
  }
  assert.equal(assignments, 1)
  assert.equal(await memberCount(cluster, 'g'), 1)
})

test('a waiting fetch is answered when its time is over', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }] })
  const connection = await connect(cluster)
  const arrival = cluster.fault({ api: 'Fetch', delayMs: 1 })
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
  const limits = { maxWaitMs: 20_000, minBytes: 1, maxBytes: 1000 }
  const topics = [{ topic: 't', partitions }]
  const answer = connection.request(Fetch, 11, { ...limits, topics, sessionEpoch: -1 })
  await arrival.struck()
  await cluster.advance(10_000)
  assert.equal(connection.inFlight, 1)
  await cluster.advance(20_000)
  const [partition] = (await answer).responses[0]?.partitions ?? []
  assert.deepEqual([partition?.errorCode, partition?.highWatermark], [0, 0])
  connection.close()
})

test('jumps asked for at once happen one after another', async () => {
  await using cluster = await startCluster()
  const before = cluster.now()
  await Promise.all([cluster.advance(1000), cluster.advance(2000), cluster.advance(3000)])
  assert.ok(cluster.now() - before >= 6000)
})
