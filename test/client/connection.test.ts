// One connection to one broker, over an in-memory network.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BrokerConnection } from '../../src/client/connection.ts'
import { ApiVersions } from '../../src/kafka/messages/api-versions.ts'
import { Heartbeat } from '../../src/kafka/messages/heartbeat.ts'
import { Metadata } from '../../src/kafka/messages/metadata.ts'
import { VirtualClock } from '../../src/memory/clock.ts'
import { MemoryNetwork } from '../../src/memory/network.ts'
import { SeededRandom } from '../../src/memory/random.ts'
import { FakeBroker } from './support/fake-broker.ts'

interface Setup {
  readonly clock: VirtualClock
  readonly broker: FakeBroker
  readonly connection: BrokerConnection
}

async function setUp(splitChunks = false): Promise<Setup> {
  const clock = new VirtualClock()
  const network = new MemoryNetwork({ clock, random: new SeededRandom(7) }, { splitChunks })
  const broker = new FakeBroker(network, 'localhost', 9001, 1)
  broker.on(Heartbeat, (request) => ({ errorCode: request.generationId }), { max: 2 })
  await broker.start()
  const connection = new BrokerConnection(
    { clock, network },
    { host: 'localhost', port: 9001, clientId: 'test', requestTimeoutMs: 1000 },
  )
  return { clock, broker, connection }
}

const beat = (generationId: number): object => ({ groupId: 'g', generationId, memberId: 'm' })

test('versions are negotiated and requests pipelined, answers matched in order', async () => {
  const { clock, connection, broker } = await setUp(true)
  await clock.until(connection.connect())
  assert.equal(connection.version(Heartbeat), 2)
  assert.throws(() => connection.version(Metadata), { code: 35 })
  assert.equal(connection.versionIfAny(Metadata), undefined)
  const answers = [1, 2, 3].map((n) => connection.request(Heartbeat, 2, beat(n)))
  assert.equal(connection.inFlight, 3)
  const codes = (await clock.until(Promise.all(answers))).map(({ errorCode }) => errorCode)
  assert.deepEqual(codes, [1, 2, 3])
  assert.equal(broker.seen[0]?.version, 3)
})

test('a broker that does not know ApiVersions v3 is asked again in v0', async () => {
  const { clock, connection, broker } = await setUp()
  broker.on(ApiVersions, () => ({ apiKeys: broker.listed() }), { max: 0 })
  await clock.until(connection.connect())
  assert.equal(connection.version(Heartbeat), 2)
  assert.deepEqual(
    broker.seen.map(({ version }) => version),
    [0],
  )
})

test('a request not answered in time ends the connection and all that waits on it', async () => {
  const { clock, connection, broker } = await setUp()
  await clock.until(connection.connect())
  broker.once(Heartbeat, () => 'silence')
  let closed = 0
  connection.onClose(() => closed++)
  const startMs = clock.monotonicMs()
  const first = connection.request(Heartbeat, 2, beat(1))
  const second = connection.request(Heartbeat, 2, beat(2), { timeoutMs: 5000 })
  const both = [
    assert.rejects(first, { errorName: 'REQUEST_TIMEOUT', retriable: true }),
    assert.rejects(second, { errorName: 'REQUEST_TIMEOUT' }),
  ]
  await clock.until(Promise.all(both))
  assert.equal(clock.monotonicMs() - startMs, 1000)
  assert.equal(closed, 1)
  assert.ok(!connection.isOpen)
  const late = connection.request(Heartbeat, 2, beat(3))
  await clock.until(assert.rejects(late, { errorName: 'CONNECTION_LOST' }))
})

test('a connection that breaks fails what waits with a retriable error', async () => {
  const { clock, connection, broker } = await setUp()
  await clock.until(connection.connect())
  broker.once(Heartbeat, () => 'reset')
  const pending = connection.request(Heartbeat, 2, beat(1))
  await clock.until(assert.rejects(pending, { errorName: 'CONNECTION_LOST', retriable: true }))
})

test('nobody listening is a retriable error, and closing while connecting is clean', async () => {
  const { clock, connection, broker } = await setUp()
  await broker.stop()
  await clock.until(assert.rejects(connection.connect(), { errorName: 'CONNECTION_LOST' }))
  const other = await setUp()
  const connecting = other.connection.connect()
  other.connection.close()
  await other.clock.until(assert.rejects(connecting, { errorName: 'CLIENT_CLOSED' }))
})

test('closing rejects what waits with CLIENT_CLOSED', async () => {
  const { clock, connection, broker } = await setUp()
  await clock.until(connection.connect())
  broker.once(Heartbeat, () => 'silence')
  const pending = connection.request(Heartbeat, 2, beat(1))
  connection.close()
  await clock.until(assert.rejects(pending, { errorName: 'CLIENT_CLOSED', retriable: false }))
})
