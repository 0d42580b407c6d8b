/**
 * One log directory and one dataDir, served by Millrace and by the original in turn: what one has
 * written the other serves with the same offsets, ids and commits, and writes on.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { freePorts, temporaryDirectory, until } from '../../test/platform/chain.ts'
import { KafkaClient } from '../../src/client/client.ts'
import { realPorts } from '../../src/node/ports.ts'
import { ZooKeeperSession } from '../../src/zookeeper/client/session.ts'
import { recordOf, Seen } from '../clients/lines.ts'
import { type Answer, Driver, javaClient } from '../matrix/clients.ts'
import { CoordinationOnly } from '../support/coordination.ts'
import { startKafka, startZooKeeper } from '../support/kafka.ts'
import { MillraceBroker } from '../support/millrace.ts'

const ports = realPorts({ logLevel: 'ERROR', logStream: process.stderr })
const partitions = 3
const perSegment = 90
const perMember = 60
const topic = 'kept'
const name = 'round-trip'

interface Running {
  stop(signal?: NodeJS.Signals): Promise<void>
}

type Start = () => Promise<Running>

interface Rig {
  readonly bootstrap: string
  readonly javaVersion: string
  readonly codecs: readonly string[]
  /** Who serves the directory, in turn. */
  readonly turns: readonly Start[]
  /** Topic ids, idempotent producers, records deleted on request. */
  readonly isModern: boolean
  /** Format 0 has no timestamps. */
  readonly hasTimestamps: boolean
}

interface Written {
  readonly label: string
  readonly first: number
}

/** What is compared from turn to turn. */
interface Facts {
  readonly topicIds: readonly (string | undefined)[]
  readonly begins: readonly number[]
  readonly ends: readonly number[]
  readonly committed: readonly number[]
}

async function withAdmin<T>(
  { bootstrap }: Rig,
  work: (admin: ReturnType<KafkaClient['clusterAdmin']>) => Promise<T>,
): Promise<T> {
  const client = new KafkaClient(ports, { bootstrapServers: [bootstrap], clientId: 'round-trip' })
  try {
    return await work(client.clusterAdmin())
  } finally {
    await client.close()
  }
}

const group = 'of-all-turns'
const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))

async function factsOf(rig: Rig): Promise<Facts> {
  return await withAdmin(rig, async (admin) => {
    // A broker listens before its controller has told it of its topics.
    const described = await until('the topic is known', 30_000, async () => {
      const answer = await admin.describeTopics([topic])
      const isServed = answer.every(({ error, partitions: some }) => {
        return error === undefined && some.every(({ leader }) => leader >= 0)
      })
      return isServed ? answer : undefined
    })
    const offsetsAt = async (at: 'earliest' | 'latest') =>
      (await admin.listOffsets(all.map((each) => ({ ...each, at })))).map(({ offset }) => offset)
    const committed = await admin.groupOffsets(group, all)
    return {
      topicIds: rig.isModern ? described.map(({ topicId }) => topicId) : [],
      begins: await offsetsAt('earliest'),
      ends: await offsetsAt('latest'),
      committed: committed.map(({ offset }) => Math.max(offset, 0)),
    }
  })
}

async function write(rig: Rig, driver: Driver, turn: number, written: Written[]): Promise<void> {
  const producers = rig.isModern ? [0, 1] : [0]
  for (const codec of rig.codecs)
    for (const idempotent of producers) {
      const label = `${codec}-${idempotent}-in-turn-${turn}`
      const first = written.length * perSegment
      const asked = { topic, partitions, codec, label, first, count: perSegment, name, idempotent }
      const answer = await driver.ask('produce', asked)
      assert.equal(answer.error, undefined, label)
      written.push({ label, first })
    }
}

function* writtenRecords(written: readonly Written[]) {
  for (const { label, first } of written)
    for (let index = first; index < first + perSegment; index += 1) {
      const offset = Math.floor(index / partitions)
      yield { offset, record: recordOf({ name, label, partitions }, index) }
    }
}

/** The hashes without headers, which only format 2 has. */
function bodies(rig: Rig, answer: Answer): unknown[] {
  return (answer.partitions ?? []).map(({ partition, count, first, next, body, times }) => {
    return { partition, count, first, next, body, times: rig.hasTimestamps ? times : '' }
  })
}

/** `begin` is the first offset of partition 0 that was not deleted. */
async function readBack(
  rig: Rig,
  driver: Driver,
  written: readonly Written[],
  begin: number,
): Promise<void> {
  const expected = new Seen(partitions)
  for (const { offset, record } of writtenRecords(written))
    if (record.partition > 0 || offset >= begin) expected.add(offset, record)
  const answer = await driver.ask('read', { topic, partitions, count: expected.count })
  assert.equal(answer.error, undefined)
  assert.deepEqual(bodies(rig, answer), bodies(rig, expected.answer()))
}

/** A member takes some records, where the one of the turn before stopped. */
async function resume(driver: Driver, positions: number[]): Promise<void> {
  const answer = await driver.ask('group', { topic, group, count: perMember })
  assert.equal(answer.error, undefined)
  let taken = 0
  for (const { partition, first, count } of answer.partitions ?? []) {
    assert.equal(first, positions[partition], `partition ${partition} is resumed`)
    positions[partition] = first + count
    taken += count
  }
  assert.equal(taken, perMember)
}

async function deleteSome(rig: Rig, offset: number): Promise<number> {
  if (!rig.isModern) return 0
  const [deleted] = await withAdmin(rig, (admin) => {
    return admin.deleteRecords([{ topic, partition: 0, offset }])
  })
  assert.equal(deleted?.error, undefined)
  return offset
}

async function inTurns(t: TestContext, rig: Rig, signal: NodeJS.Signals): Promise<void> {
  const written: Written[] = []
  const positions = Array.from({ length: partitions }, () => 0)
  let before: Facts | undefined
  let begin = 0
  for (const [turn, start] of rig.turns.entries()) {
    const server = await start()
    t.after(() => server.stop('SIGKILL'))
    if (turn === 0) {
      const configs = { 'retention.ms': '-1', 'segment.bytes': '16384' }
      await withAdmin(rig, async (admin) => {
        await admin.createTopics([{ name: topic, partitions, replicationFactor: 1, configs }])
      })
    } else assert.deepEqual(await factsOf(rig), before, `turn ${turn} finds what was left`)
    const driver = new Driver(javaClient(rig.javaVersion), rig.bootstrap)
    if (turn > 0) await readBack(rig, driver, written, begin)
    await write(rig, driver, turn, written)
    await resume(driver, positions)
    begin = await deleteSome(rig, Math.min(positions[0] ?? 0, (turn + 1) * 10))
    await readBack(rig, driver, written, begin)
    await driver.stop()
    before = await factsOf(rig)
    assert.deepEqual(before.committed, positions)
    await server.stop(signal)
  }
}

/** The original does not start while the session of a killed broker lives. */
async function registrationGone(zookeeperPort: number): Promise<void> {
  const connect = `127.0.0.1:${zookeeperPort}`
  const limits = { sessionTimeoutMs: 10_000, connectTimeoutMs: 30_000 }
  const session = new ZooKeeperSession(ports, { connect, ...limits })
  await session.start()
  await until('the killed broker is unregistered', 30_000, async () => {
    return (await session.exists('/brokers/ids/0')) === null ? true : undefined
  })
  await session.close()
}

async function stopInOrder(servers: readonly Running[], signal?: NodeJS.Signals): Promise<void> {
  for (const server of servers) await server.stop(signal)
}

for (const signal of ['SIGTERM', 'SIGKILL'] as const)
  for (const first of ['Millrace', 'Kafka'] as const)
    test(`log.dirs and dataDir go from ${first} to the other and back, by ${signal}`, async (t) => {
      const directory = temporaryDirectory(t)
      const [broker = 0, zookeeper = 0] = await freePorts(2)
      const ours = new MillraceBroker(directory, broker, zookeeper)
      const startOurs: Start = async () => {
        await ours.start()
        return ours
      }
      const startTheirs: Start = async () => {
        const home = join(directory, 'originals')
        const dataDir = join(directory, 'zookeeper')
        const coordination = await startZooKeeper('3.9.1', home, zookeeper, dataDir)
        await registrationGone(zookeeper)
        const logs = join(directory, 'kafka')
        const kafka = await startKafka('3.9.1', home, { broker, zookeeper }, logs)
        return { stop: (how) => stopInOrder([kafka, coordination], how) }
      }
      const pair = first === 'Millrace' ? [startOurs, startTheirs] : [startTheirs, startOurs]
      const rig = {
        bootstrap: `127.0.0.1:${broker}`,
        javaVersion: '3.9.1',
        codecs: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
        turns: [...pair, ...pair],
        ...{ isModern: true, hasTimestamps: true },
      }
      await inTurns(t, rig, signal)
    })

const formats = { 0: '0.9.0', 1: '0.10.1-IV2' } as const

for (const signal of ['SIGTERM', 'SIGKILL'] as const)
  for (const format of [0, 1] as const)
    test(`a log directory of format ${format} goes to Kafka 0.10.1.0 and back, by ${signal}`, async (t) => {
      const directory = temporaryDirectory(t)
      const coordination = new CoordinationOnly(join(directory, 'coordination'))
      await coordination.start()
      t.after(() => coordination.stop())
      const zookeeper = coordination.port
      const [broker = 0] = await freePorts(1)
      const ours = new MillraceBroker(directory, broker, zookeeper, false)
      const properties = [
        'inter.broker.protocol.version=0.10.1-IV2',
        `log.message.format.version=${formats[format]}`,
      ]
      const startOurs: Start = async () => {
        await registrationGone(zookeeper)
        await ours.start(properties)
        return ours
      }
      const startTheirs: Start = async () => {
        await registrationGone(zookeeper)
        const home = join(directory, 'originals')
        const logs = join(directory, 'kafka')
        return await startKafka('0.10.1.0', home, { broker, zookeeper }, logs, properties)
      }
      const rig = {
        bootstrap: `127.0.0.1:${broker}`,
        javaVersion: '0.10.1.0',
        codecs: ['none', 'gzip', 'snappy', 'lz4'],
        turns: [startOurs, startTheirs, startOurs, startTheirs],
        ...{ isModern: false, hasTimestamps: format > 0 },
      }
      await inTurns(t, rig, signal)
    })
