// interop/run endurance kill [--kills 50] [--seed N] [--keep DIRECTORY]
// Kills a broker with its coordination again and again under idempotent producers, with a flush for each
// message and without; after each restart the logs are compared with what was acknowledged, and at the
// end the original dumps them and serves them to its own consumer. Prints a tally; exit 1 if any differ.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { freePorts, until } from '../../test/platform/chain.ts'
import { KafkaClient } from '../../src/client/client.ts'
import { SeededRandom } from '../../src/memory/random.ts'
import { realPorts } from '../../src/node/ports.ts'
import { ZooKeeperSession } from '../../src/zookeeper/client/session.ts'
import { Driver, javaClient } from '../matrix/clients.ts'
import { runTool, startKafka, startZooKeeper } from '../support/kafka.ts'
import { MillraceBroker } from '../support/millrace.ts'
import type { Journal } from './journal.ts'
import { partitions, startJava, startOurs, type Stream } from './streams.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    /** Where the directories are, and stay. */
    keep: { type: 'string' },
  },
})
const kills = Number(values.kills)
const random = new SeededRandom(Number(values.seed))
const ports = realPorts({ logLevel: 'ERROR', logStream: process.stderr })
const javaVersion = '3.9.1'
const topics = ['by-ours', 'by-java']

interface Tally {
  readonly flush: boolean
  readonly kills: number
  readonly acknowledged: number
  readonly records: number
  readonly segments: number
}

async function createTopics(bootstrap: string): Promise<void> {
  const client = new KafkaClient(ports, { bootstrapServers: [bootstrap], clientId: 'endurance' })
  const configs = { 'segment.bytes': '65536' }
  const wanted = topics.map((name) => ({ name, partitions, replicationFactor: 1, configs }))
  for (const { error } of await client.clusterAdmin().createTopics(wanted))
    assert.equal(error, undefined)
  await client.close()
}

/** Reads on to the end of each log and compares. */
async function compare(bootstrap: string, journals: readonly Journal[]): Promise<void> {
  const before = journals.map((journal) => journal.outstanding())
  const client = new KafkaClient(ports, { bootstrapServers: [bootstrap], clientId: 'endurance' })
  const consumer = client.consumer()
  const assigned = journals.map(({ topic, partition }) => ({ topic, partition }))
  const ends = await consumer.endOffsets(assigned)
  consumer.assign(assigned)
  for (const { topic, partition, checked } of journals) consumer.seek(topic, partition, checked)
  const of = new Map(journals.map((journal) => [`${journal.topic} ${journal.partition}`, journal]))
  const isBehind = (): boolean =>
    ends.some(({ topic, partition, offset }) => {
      return (of.get(`${topic} ${partition}`)?.checked ?? 0) < offset
    })
  while (isBehind())
    for (const { topic, partition, offset, value } of await consumer.poll(1000))
      of.get(`${topic} ${partition}`)?.check(offset, Number(value?.toString()))
  await client.close()
  for (const [n, journal] of journals.entries()) journal.endReached(before[n] ?? new Set())
}

/** The kill comes at a moment that only the seed knows. */
async function killAgainAndAgain(
  broker: MillraceBroker,
  properties: readonly string[],
  streams: readonly Stream[],
): Promise<void> {
  const journals = streams.flatMap((stream) => stream.journals)
  for (let kill = 1; kill <= kills; kill += 1) {
    const start = journals.map(({ acknowledged }) => acknowledged)
    await until('every partition takes records', 60_000, () => {
      const isTaking = journals.every(({ acknowledged }, n) => acknowledged > (start[n] ?? 0))
      return isTaking ? true : undefined
    })
    await pause(random.below(700))
    await broker.stop('SIGKILL')
    await broker.start(properties)
    await compare(broker.address, journals)
    if (kill % 10 === 0) {
      const sum = journals.reduce((total, { acknowledged }) => total + acknowledged, 0)
      console.log(`${kill} kills, ${sum} records acknowledged`)
    }
  }
}

/** The original's dump of each segment; every batch valid, no line of complaint. */
async function dumpAll(logs: string): Promise<number> {
  let segments = 0
  for (const folder of readdirSync(logs).filter((name) => name.startsWith('by-'))) {
    const files = readdirSync(join(logs, folder)).filter((name) => name.endsWith('.log'))
    const paths = files.map((name) => join(logs, folder, name))
    const options = ['--deep-iteration', '--files', paths.join(',')]
    const className = 'kafka.tools.DumpLogSegments'
    const { code, stdout, stderr } = await runTool(javaVersion, className, options, '', 120_000)
    assert.equal(code, 0, stderr)
    const complaints = stdout
      .split('\n')
      .filter((line) => /isvalid: false|invalid bytes|Found|mismatch|Exception/i.test(line))
    assert.deepEqual(complaints, [], folder)
    segments += files.length
  }
  return segments
}

/** The original on the directories as they were left: its consumer reads every record of them. */
async function readByTheOriginal(
  broker: MillraceBroker,
  streams: readonly Stream[],
): Promise<void> {
  const { directory, port, coordinationPort: zookeeper } = broker
  const home = join(directory, 'originals')
  const dataDir = join(directory, 'zookeeper')
  const coordination = await startZooKeeper(javaVersion, home, zookeeper, dataDir)
  const connect = `127.0.0.1:${zookeeper}`
  const limits = { sessionTimeoutMs: 10_000, connectTimeoutMs: 30_000 }
  const session = new ZooKeeperSession(ports, { connect, ...limits })
  await session.start()
  await until('the killed broker is unregistered', 30_000, async () => {
    return (await session.exists('/brokers/ids/0')) === null ? true : undefined
  })
  await session.close()
  const logs = join(directory, 'kafka')
  const kafka = await startKafka(javaVersion, home, { broker: port, zookeeper }, logs)
  const driver = new Driver(javaClient(javaVersion), broker.address)
  for (const { journals } of streams) {
    const count = journals.reduce((sum, { checked }) => sum + checked, 0)
    const answer = await driver.ask('read', { topic: journals[0]?.topic ?? '', partitions, count })
    assert.equal(answer.error, undefined)
    assert.deepEqual(
      answer.partitions?.map((one) => [one.partition, one.first, one.count, one.next]),
      journals.map(({ partition, checked }) => [partition, 0, checked, checked]),
    )
  }
  await driver.stop()
  await kafka.stop()
  await coordination.stop()
  assert.doesNotMatch(kafka.output, /corrupt|Recovering unflushed segment failed/i)
}

async function round(directory: string, flush: boolean): Promise<Tally> {
  const [port = 0, coordinationPort = 0] = await freePorts(2)
  const broker = new MillraceBroker(directory, port, coordinationPort)
  // A loop that has failed leaves no process behind.
  process.on('exit', () => void broker.stop('SIGKILL'))
  const properties = flush ? ['log.flush.interval.messages=1'] : []
  await broker.start(properties)
  await createTopics(broker.address)
  const streams = [
    startOurs(broker.address, 'by-ours'),
    startJava(broker.address, 'by-java', javaVersion),
  ]
  const journals = streams.flatMap((stream) => stream.journals)
  await killAgainAndAgain(broker, properties, streams)
  for (const stream of streams) await stream.stop()
  await compare(broker.address, journals)
  await broker.stop('SIGKILL')
  const segments = await dumpAll(join(directory, 'kafka'))
  await readByTheOriginal(broker, streams)
  const sum = (of: (journal: Journal) => number): number =>
    journals.reduce((total, journal) => total + of(journal), 0)
  return {
    ...{ flush, kills, segments },
    acknowledged: sum((journal) => journal.acknowledged),
    records: sum((journal) => journal.checked),
  }
}

// Timers of the clock keep no process alive; this one does until all is done.
const alive = setInterval(() => undefined, 1000)
const home = values.keep ?? mkdtempSync(join(tmpdir(), 'millrace-endurance-'))
for (const flush of [true, false]) {
  const tally = await round(join(home, flush ? 'flush' : 'cache'), flush)
  console.log(JSON.stringify(tally))
}
clearInterval(alive)
if (values.keep === undefined) rmSync(home, { recursive: true, force: true })
