/** One broker of ours and one real one in a cluster, either being its controller (issue 5, C5). */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { CreateTopics } from '../src/kafka/messages/create-topics.ts'
import { Metadata } from '../src/kafka/messages/metadata.ts'
import { freePorts, temporaryDirectory, until } from '../test/platform/chain.ts'
import { ask } from './replication/cluster.ts'
import { runTool, startKafka, toolClass, type JavaServer } from './support/kafka.ts'
import { MillraceBroker } from './support/millrace.ts'

/** A cluster of two: ours is broker 0, with the coordination; the real one is broker 1. */
class Pair {
  readonly #directory: string
  readonly #version: string
  readonly #level: readonly string[]
  readonly ours: MillraceBroker
  readonly realPort: number
  #real: JavaServer | undefined

  constructor(directory: string, version: string, given: readonly [number, number, number]) {
    this.#directory = directory
    this.#version = version
    const isOld = version.startsWith('0.10')
    this.#level = isOld
      ? ['inter.broker.protocol.version=0.10.1', 'log.message.format.version=0.10.1']
      : ['inter.broker.protocol.version=2.3']
    const [port, coordinationPort, realPort] = given
    this.ours = new MillraceBroker(join(directory, 'ours'), port, coordinationPort)
    this.realPort = realPort
  }

  startOurs(): Promise<void> {
    return this.ours.start(this.#level)
  }

  async startReal(): Promise<void> {
    const given = { broker: this.realPort, zookeeper: this.ours.coordinationPort }
    const properties = ['broker.id=1', ...this.#level]
    const directory = join(this.#directory, 'real')
    this.#real = await startKafka(this.#version, directory, given, `${directory}/logs`, properties)
  }

  async stopReal(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#real?.stop(signal)
  }

  /** Waits until ours has heard of the other one, which listens before it registers. */
  async areBothKnown(): Promise<void> {
    await until('both brokers are known', 60_000, async () => {
      const { brokers } = await ask(this.ours.port, Metadata, 1, { topics: [] })
      return brokers.length === 2 ? true : undefined
    })
  }

  /** Waits until a broker says so of every partition of the topic. */
  async says(port: number, leader: number, inSync: number): Promise<void> {
    let last = ''
    await until(`${leader} leads, ${inSync} are in sync`, 60_000, async () => {
      const { topics } = await ask(port, Metadata, 1, { topics: [{ name: 't' }] })
      const partitions = topics[0]?.partitions ?? []
      last = JSON.stringify(partitions)
      const isSo = partitions.every(
        (one) => one.leaderId === leader && one.isrNodes.length === inSync,
      )
      return isSo && partitions.length > 0 ? true : undefined
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${last}`)
    })
  }

  async produce(from: number, to: number): Promise<void> {
    const lines = Array.from({ length: to - from }, (_, at) => `line ${from + at}`)
    const flags = ['--request-required-acks', '-1']
    const brokers = `127.0.0.1:${this.ours.port},127.0.0.1:${this.realPort}`
    const args = ['--broker-list', brokers, '--topic', 't', ...flags]
    const version = this.#version.startsWith('0.10') ? this.#version : '3.9.1'
    const tool = toolClass(version, 'consoleProducer')
    const { code, stdout, stderr } = await runTool(version, tool, args, `${lines.join('\n')}\n`)
    assert.equal(code, 0, stdout + stderr)
  }

  /** Of partition 0. */
  assertSameLogs(): void {
    const file = 't-0/00000000000000000000.log'
    const ours = readFileSync(join(this.#directory, 'ours', 'kafka', file))
    const theirs = readFileSync(join(this.#directory, 'real', 'logs', file))
    assert.ok(ours.length > 0 && ours.equals(theirs), `${ours.length} and ${theirs.length} bytes`)
  }
}

async function pairOf(t: TestContext, version: string): Promise<Pair> {
  const [port = 0, coordination = 0, real = 0] = await freePorts(3)
  const pair = new Pair(temporaryDirectory(t), version, [port, coordination, real])
  t.after(async () => {
    await pair.stopReal('SIGKILL')
    await pair.ours.stop('SIGKILL')
  })
  await pair.startOurs()
  await pair.startReal()
  return pair
}

for (const version of ['3.9.1', '0.10.1.0'])
  test(`leaders move between ours and ${version} as either is killed or stopped; nothing is lost`, async (t) => {
    const pair = await pairOf(t, version)
    const { ours, realPort } = pair
    await pair.areBothKnown()
    const assignments = [{ partitionIndex: 0, brokerIds: [1, 0] }]
    const topic = { name: 't', numPartitions: -1, replicationFactor: -1, assignments }
    const { topics } = await ask(ours.port, CreateTopics, 0, { topics: [topic], timeoutMs: 30_000 })
    assert.equal(topics[0]?.errorCode, 0)
    await pair.says(ours.port, 1, 2)
    await pair.produce(0, 100)
    await pair.stopReal('SIGKILL')
    await pair.says(ours.port, 0, 1)
    await pair.produce(100, 200)
    await pair.startReal()
    await pair.says(ours.port, 0, 2)
    pair.assertSameLogs()
    // Asked by the real one, our controller moves nothing that is not there, and lets it go.
    await pair.stopReal()
    await pair.says(ours.port, 0, 1)
    await pair.startReal()
    await pair.says(ours.port, 0, 2)
    await ours.stop('SIGKILL')
    await pair.startOurs()
    await pair.says(realPort, 1, 2)
    await pair.produce(200, 300)
    pair.assertSameLogs()
    const file = readFileSync(join(ours.directory, 'kafka', 't-0', '00000000000000000000.log'))
    for (const line of ['line 0', 'line 150', 'line 299']) assert.ok(file.includes(line), line)
  })
