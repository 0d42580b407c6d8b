/** The how-to for two brokers: the shipped server.properties and four settings each, and either is killed. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { freePorts, temporaryDirectory } from '../../test/platform/chain.ts'
import { awaitPartitions, ScriptBroker } from './cluster.ts'
import { shippedSettings } from './shipped.ts'
import type { Tools } from './tools.ts'
import { CoordinationOnly } from '../support/coordination.ts'

interface Cluster {
  readonly brokers: readonly [ScriptBroker, ScriptBroker]
  /** The addresses of zookeeper.connect. */
  readonly zookeeper: readonly string[]
}

/** Ours, as the how-to has it: two hosts are named, and nothing answers on the second one. */
export async function startOurCoordination(t: TestContext): Promise<readonly string[]> {
  const coordination = new CoordinationOnly(join(temporaryDirectory(t), 'coordination'))
  await coordination.start()
  t.after(() => coordination.stop('SIGKILL'))
  return [`127.0.0.1:${coordination.port}`, `127.0.0.2:${coordination.port}`]
}

async function startCluster(t: TestContext, zookeeper: readonly string[]): Promise<Cluster> {
  const directory = temporaryDirectory(t)
  const given = await freePorts(2)
  const [first, second] = given.map((port, id) => {
    const home = join(directory, `broker${id}`)
    const properties = [
      ...shippedSettings,
      `broker.id=${id}`,
      `listeners=PLAINTEXT://127.0.0.1:${port}`,
      `log.dirs=${home}/kafka-logs`,
      `zookeeper.connect=${zookeeper.join(',')}`,
    ]
    return new ScriptBroker({ id, port, directory: home, properties })
  })
  assert.ok(first !== undefined && second !== undefined)
  const brokers = [first, second] as const
  t.after(async () => {
    for (const broker of brokers) await broker.stop('SIGKILL')
  })
  await Promise.all(brokers.map((broker) => broker.start()))
  return { brokers, zookeeper }
}

/**
 * What the old producer needs to live through a failover: it gives up after 3 tries and 1.5 s. And
 * both clients forget a broker that is away: only newer metadata tells them that it is back.
 */
const patience = ['--request-required-acks', '-1', '--message-send-max-retries', '1000']
  .concat(['--retry-backoff-ms', '200', '--request-timeout-ms', '60000'])
  .concat(['--metadata-expiry-ms', '1000'])
const curiosity = ['--consumer-property', 'metadata.max.age.ms=1000']

function linesFrom(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `line ${from + at}`)
}

async function areInSync(cluster: Cluster, topic: string, count: number): Promise<void> {
  const is = ({ inSync, leader }: { inSync: readonly number[]; leader: number }) =>
    inSync.length === 2 && leader >= 0
  for (const { place } of cluster.brokers)
    await awaitPartitions(place.port, topic, { count, what: 'both are in sync', is })
}

async function create(cluster: Cluster, tools: Tools, topic: string, count: number): Promise<void> {
  const numbers = ['--replication-factor', '2', '--partitions', `${count}`, '--topic', topic]
  const tool = tools('topics', ['--create', '--zookeeper', ...cluster.zookeeper, ...numbers])
  assert.equal(await tool.finishes(), 0, tool.said)
  assert.ok(tool.lines.join('\n').includes(`Created topic`), tool.said)
  await areInSync(cluster, topic, count)
}

export interface HowTo {
  readonly tools: Tools
  readonly zookeeper: readonly string[]
  /** While one broker is away and the other one leads. */
  readonly meanwhile?: () => Promise<void>
}

/** Both brokers are killed and restarted in turn, under a producer and a consumer; nothing is lost. */
export async function killedInTurn(t: TestContext, howTo: HowTo): Promise<void> {
  const { tools } = howTo
  const cluster = await startCluster(t, howTo.zookeeper)
  const { brokers } = cluster
  const [first, second] = brokers
  await create(cluster, tools, 'mysqlone', 3)
  await create(cluster, tools, 'mysqltwo', 2)
  const from = ['--bootstrap-server', second.address, '--from-beginning']
  const reader = tools('console-consumer', [...from, ...curiosity, '--topic', 'mysqlone'])
  const to = ['--broker-list', first.address, ...patience]
  const writer = tools('console-producer', [...to, '--topic', 'mysqlone'])
  t.after(() => Promise.all([reader.stop('SIGKILL'), writer.stop('SIGKILL')]))
  const written: string[] = []
  const write = (count: number) => {
    const lines = linesFrom(written.length, count)
    written.push(...lines)
    writer.write(lines)
  }
  write(100)
  await reader.prints(written)
  for (const victim of [0, 1] as const) {
    const other = brokers[victim === 0 ? 1 : 0]
    write(100)
    await brokers[victim].stop('SIGKILL')
    write(100)
    const leads = { count: 3, what: `broker ${other.place.id} leads` }
    await awaitPartitions(other.place.port, 'mysqlone', {
      ...leads,
      is: ({ leader }) => leader === other.place.id,
    })
    write(100)
    await reader.prints(written)
    await howTo.meanwhile?.()
    await brokers[victim].start()
    write(100)
    await areInSync(cluster, 'mysqlone', 3)
    await areInSync(cluster, 'mysqltwo', 2)
    await reader.prints(written)
  }
  assert.equal(await writer.finishes(), 0, writer.said)
  await reader.prints(written)
  await reader.stop()
  for (const { address } of brokers) {
    const args = ['--bootstrap-server', address, '--from-beginning', '--topic', 'mysqlone']
    const again = tools('console-consumer', args)
    t.after(() => again.stop('SIGKILL'))
    await again.prints(written)
    await again.stop()
    assert.deepEqual([...new Set(again.lines)].toSorted(), written.toSorted())
  }
}
