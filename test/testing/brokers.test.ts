// Several brokers: stopping, killing, pausing and parting them, and what clients and the others make of it.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startCluster, type TestCluster } from '../../src/testing/cluster.ts'

/** Longer than the session of a broker with the coordination server lasts. */
const sessionMs = 30_000
/** Longer than a follower may stay behind (replica.lag.time.max.ms). */
const lagMs = 60_000

/** Three brokers and the topic t, led by broker 1. */
function three(): Promise<TestCluster> {
  return startCluster({ brokers: 3, topics: [{ name: 't', replicas: [[1, 2, 0]] }] })
}

async function values(cluster: TestCluster, topic = 't'): Promise<(string | null)[]> {
  return (await cluster.records(topic)).map(({ value }) => value)
}

/** Another one than the controller and those named. */
async function bystander(cluster: TestCluster, ...others: number[]): Promise<number> {
  const controller = await cluster.controllerId()
  return [0, 1, 2].find((id) => id !== controller && !others.includes(id)) ?? -1
}

test('all brokers are listed, one is the controller, and replicas are where they were asked for', async () => {
  await using cluster = await startCluster({
    brokers: 3,
    topics: [{ name: 'spread', partitions: 3, replicationFactor: 3 }],
  })
  const admin = cluster.client().admin()
  const { brokers, controllerId } = await admin.describeCluster()
  assert.deepEqual(
    new Map(brokers.map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`])),
    new Map(cluster.brokers.map(({ id, address }) => [id, address])),
  )
  assert.equal(controllerId, await cluster.controllerId())
  assert.equal(cluster.bootstrapServers, cluster.brokers.map(({ address }) => address).join())
  await cluster.createTopics([
    {
      name: 'placed',
      replicas: [
        [2, 0],
        [1, 2],
      ],
    },
  ])
  const [placed, spread] = await admin.describeTopics(['placed', 'spread'])
  assert.deepEqual(
    placed?.partitions.map(({ leader, replicas }) => [leader, replicas]),
    [
      [2, [2, 0]],
      [1, [1, 2]],
    ],
  )
  assert.deepEqual(new Set(spread?.partitions.map(({ leader }) => leader)), new Set([0, 1, 2]))
  assert.equal(await cluster.leaderOf('placed', 1), 1)
  assert.deepEqual(await cluster.inSyncReplicasOf('placed'), [0, 2])
  assert.equal(await cluster.leaderOf('missing'), -1)
  assert.deepEqual(await cluster.inSyncReplicasOf('missing'), [])
  assert.deepEqual(await cluster.liveBrokers(), [0, 1, 2])
})

test('a broker that is stopped hands its leaders over, and takes up its replicas when it is back', async () => {
  await using cluster = await three()
  const { address } = cluster.broker(1)
  await cluster.produce('t', ['a'])
  await cluster.broker(1).stop()
  assert.equal(cluster.broker(1).state, 'down')
  assert.deepEqual(await cluster.liveBrokers(), [0, 2])
  assert.equal(await cluster.leaderOf('t', 0, (leader) => leader !== 1), 2)
  assert.deepEqual(await cluster.inSyncReplicasOf('t'), [0, 2])
  await cluster.produce('t', ['b'])
  await cluster.broker(1).start()
  assert.equal(cluster.broker(1).address, address)
  await cluster.inSyncReplicasOf('t', 0, (ids) => ids.length === 3)
  assert.deepEqual(await values(cluster), ['a', 'b'])
})

test('whoever connects to a broker that is down is turned away', async () => {
  await using cluster = await three()
  await cluster.broker(0).stop()
  const [host, port] = cluster.broker(0).address.split(':')
  const socket = connect(Number(port), host)
  await new Promise((resolve) => {
    socket.on('close', resolve).on('error', () => {})
  })
})

test('a killed leader keeps its session until its time is over; then a follower leads, with all that was acknowledged', async () => {
  await using cluster = await three()
  await cluster.produce('t', ['a', 'b'])
  await cluster.broker(1).kill()
  assert.deepEqual(await cluster.liveBrokers(), [0, 1, 2])
  assert.equal(await cluster.leaderOf('t'), 1)
  await cluster.advance(sessionMs)
  assert.equal(await cluster.leaderOf('t', 0, (leader) => leader !== 1), 2)
  assert.deepEqual(await cluster.inSyncReplicasOf('t'), [0, 2])
  await cluster.produce('t', ['c'])
  assert.deepEqual(await values(cluster), ['a', 'b', 'c'])
  await cluster.broker(1).start()
  await cluster.inSyncReplicasOf('t', 0, (ids) => ids.length === 3)
  // What it has by now it can lead with.
  await cluster.broker(2).stop()
  await cluster.broker(0).stop()
  await cluster.leaderOf('t', 0, (leader) => leader === 1)
  assert.deepEqual(await values(cluster), ['a', 'b', 'c'])
})

test('when the controller is killed another broker takes the office', async () => {
  await using cluster = await three()
  const first = await cluster.controllerId()
  await cluster.broker(first).kill()
  await cluster.advance(sessionMs)
  const second = await cluster.controllerId((id) => id !== first && id !== -1)
  assert.equal(cluster.broker(second).state, 'running')
  await cluster.createTopics([{ name: 'after', replicationFactor: 2 }])
  await cluster.produce('after', ['a'])
  assert.deepEqual(await values(cluster, 'after'), ['a'])
})

test('a killed broker has what it wrote, also in real files', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-test-'))
  try {
    const topics = [{ name: 't', replicas: [[1]] }]
    await using cluster = await startCluster({ brokers: 2, storage: { directory }, topics })
    await cluster.produce('t', ['a'])
    await cluster.broker(1).kill()
    await cluster.broker(1).start()
    await cluster.leaderOf('t', 0, (leader) => leader === 1)
    await cluster.produce('t', ['b'])
    assert.deepEqual(await values(cluster), ['a', 'b'])
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a paused broker keeps its connections and answers nobody, until it goes on', async () => {
  await using cluster = await three()
  const paused = cluster.broker(1)
  const producer = cluster.client().producer()
  const send = (value: string) => producer.send({ topic: 't', value: Buffer.from(value) })
  await send('a')
  const asked = cluster.fault({ api: 'Produce', broker: 1, delayMs: 1 })
  await paused.pause()
  assert.equal(paused.state, 'paused')
  let isAnswered = false
  const sent = send('b').then((metadata) => {
    isAnswered = true
    return metadata
  })
  // Others go on meanwhile.
  await cluster.createTopics([{ name: 'other', replicas: [[0]] }])
  await cluster.produce('other', ['x'])
  assert.deepEqual([isAnswered, asked.hits], [false, 0])
  await paused.resume()
  assert.equal((await sent).offset, 1)
  assert.equal(asked.hits, 1)
})

test('a leader that is paused for longer than its session comes back as a follower', async () => {
  await using cluster = await three()
  await cluster.produce('t', ['a'])
  await cluster.broker(1).pause()
  await cluster.advance(sessionMs)
  await cluster.leaderOf('t', 0, (leader) => leader === 2)
  await cluster.produce('t', ['b'])
  await cluster.broker(1).resume()
  await cluster.inSyncReplicasOf('t', 0, (ids) => ids.length === 3)
  assert.equal(await cluster.leaderOf('t'), 2)
  assert.deepEqual(await cluster.liveBrokers(), [0, 1, 2])
  assert.deepEqual(await values(cluster), ['a', 'b'])
})

test('a leader cut off from the coordination server is replaced, and what only it has does not count', async () => {
  await using cluster = await three()
  await cluster.produce('t', ['a'])
  const cut = cluster.partition(1)
  const producer = cluster.client({ callTimeoutMs: 600_000 }).producer({ retries: 0 })
  const lost = producer.send({ topic: 't', value: Buffer.from('lost') })
  const outcome = lost.then(
    () => 'acknowledged',
    () => 'refused',
  )
  await cluster.advance(sessionMs)
  await cluster.leaderOf('t', 0, (leader) => leader === 2)
  await cluster.produce('t', ['b'])
  cut.heal()
  assert.equal(await outcome, 'refused')
  await cluster.inSyncReplicasOf('t', 0, (ids) => ids.length === 3)
  assert.deepEqual(await values(cluster), ['a', 'b'])
})

test('a follower that its leader does not hear leaves the in-sync set, and comes back', async () => {
  await using cluster = await three()
  await cluster.produce('t', ['a'])
  const follower = await bystander(cluster, 1)
  const cut = cluster.partition(follower, { from: [1], direction: 'outgoing' })
  const written = cluster.produce('t', ['b'])
  const others = [0, 1, 2].filter((id) => id !== follower)
  const shrunk = cluster.inSyncReplicasOf('t', 0, (ids) => ids.length === 2)
  await cluster.advance(lagMs)
  await cluster.advance(lagMs)
  assert.deepEqual(await shrunk, others)
  await written
  // Nobody is dead: it is only not heard.
  assert.deepEqual(await cluster.liveBrokers(), [0, 1, 2])
  cut.heal()
  await cluster.inSyncReplicasOf('t', 0, (ids) => ids.length === 3)
  assert.deepEqual(await values(cluster), ['a', 'b'])
})

test('heal ends all partitions', async () => {
  await using cluster = await three()
  cluster.partition(0, { from: [1], direction: 'incoming' })
  cluster.partition(2, { from: ['coordination'] })
  cluster.heal()
  await cluster.produce('t', ['a'])
  await cluster.advance(sessionMs)
  assert.deepEqual(await cluster.liveBrokers(), [0, 1, 2])
  assert.deepEqual(await cluster.inSyncReplicasOf('t'), [0, 1, 2])
})

test('however far time jumps, brokers that run stay what they are, and replication goes on', async () => {
  await using cluster = await three()
  const controller = await cluster.controllerId()
  for (const value of ['a', 'b', 'c']) {
    await cluster.produce('t', [value])
    await cluster.advance(3_600_000)
  }
  assert.deepEqual(await cluster.liveBrokers(), [0, 1, 2])
  assert.deepEqual(await cluster.inSyncReplicasOf('t'), [0, 1, 2])
  assert.equal(await cluster.leaderOf('t'), 1)
  assert.equal(await cluster.controllerId(), controller)
  assert.deepEqual(await values(cluster), ['a', 'b', 'c'])
})

test('when the sessions of brokers expire they get new ones, and clients see all of them', async () => {
  await using cluster = await three()
  const admin = cluster.client().admin()
  for (let round = 0; round < 3; round += 1) {
    await cluster.produce('t', ['a'])
    await cluster.advance(sessionMs, { expireSessions: true })
    assert.deepEqual(await cluster.liveBrokers(), [0, 1, 2])
    assert.equal((await admin.describeCluster()).brokers.length, 3)
  }
  await cluster.leaderOf('t', 0, (leader) => leader !== -1)
  assert.deepEqual(await values(cluster), ['a', 'a', 'a'])
})

test('the only broker gets a new session as well, and is still listed', async () => {
  await using cluster = await startCluster({ topics: [{ name: 't' }] })
  await cluster.advance(sessionMs, { expireSessions: 'brokers' })
  const { brokers, controllerId } = await cluster.client().admin().describeCluster()
  assert.deepEqual([brokers.map(({ nodeId }) => nodeId), controllerId], [[0], 0])
  await cluster.produce('t', ['a'])
  assert.deepEqual(await values(cluster), ['a'])
})

test('a fault may strike one broker only, and requests between brokers only where it says so', async () => {
  await using cluster = await three()
  const elsewhere = cluster.fault({ api: 'Produce', broker: 2, error: 'NOT_LEADER_OR_FOLLOWER' })
  const here = cluster.fault({
    api: 'Produce',
    broker: 1,
    error: 'NOT_LEADER_OR_FOLLOWER',
    times: 1,
    when: ({ broker }) => broker === 1,
  })
  const clients = cluster.fault({ api: 'Fetch', close: true })
  const brokers = cluster.fault({ api: 'Fetch', from: 'brokers', broker: 1, delayMs: 1, times: 2 })
  const producer = cluster.client().producer({ acks: -1 })
  await producer.send({ topic: 't', value: Buffer.from('a') })
  await brokers.struck(2)
  assert.deepEqual([elsewhere.hits, here.hits, clients.hits], [0, 1, 0])
  assert.throws(() => cluster.fault({ api: 'Produce', broker: 3, close: true }), /no broker 3/)
})

test('a snapshot brings back leaders, in-sync sets, and which brokers are up', async () => {
  await using cluster = await three()
  await cluster.produce('t', ['a'])
  const whole = await cluster.snapshot()
  await cluster.broker(1).stop()
  await cluster.produce('t', ['b'])
  const two = await cluster.snapshot()
  cluster.partition(0)
  await cluster.restore(whole)
  assert.deepEqual(await values(cluster), ['a'])
  assert.equal(await cluster.leaderOf('t'), 1)
  assert.deepEqual(await cluster.inSyncReplicasOf('t'), [0, 1, 2])
  await cluster.produce('t', ['c'])
  await cluster.restore(two)
  assert.equal(cluster.broker(1).state, 'down')
  assert.deepEqual(await values(cluster), ['a', 'b'])
  assert.deepEqual(await cluster.inSyncReplicasOf('t'), [0, 2])
  await cluster.broker(1).start()
  await cluster.inSyncReplicasOf('t', 0, (ids) => ids.length === 3)
})

test('a restart of the whole cluster leaves leaders where they were', async () => {
  await using cluster = await three()
  await cluster.produce('t', ['a'])
  const { bootstrapServers } = cluster
  await cluster.restart()
  assert.equal(cluster.bootstrapServers, bootstrapServers)
  assert.equal(await cluster.leaderOf('t'), 1)
  assert.deepEqual(await cluster.inSyncReplicasOf('t'), [0, 1, 2])
  await cluster.produce('t', ['b'])
  assert.deepEqual(await values(cluster), ['a', 'b'])
})

test('a cluster stops with a broker killed, one paused and one cut off', async () => {
  const cluster = await three()
  await cluster.broker(0).kill()
  await cluster.broker(1).pause()
  cluster.partition(2)
  const waiting = assert.rejects(
    cluster.leaderOf('t', 0, (leader) => leader === 0),
    /stopped/,
  )
  await cluster.stop()
  await waiting
})

test('what makes no sense is refused in a sentence', async () => {
  await using cluster = await startCluster({ brokers: 2 })
  assert.throws(() => cluster.broker(2), /there is no broker 2/)
  assert.throws(() => cluster.partition(0, { from: [7] }), /there is no broker 7/)
  await cluster.broker(1).kill()
  await assert.rejects(cluster.broker(1).pause(), /broker 1 is down/)
  await assert.rejects(cluster.createTopics([{ name: 't', replicationFactor: 3 }]), {
    errorName: 'INVALID_REPLICATION_FACTOR',
  })
})
