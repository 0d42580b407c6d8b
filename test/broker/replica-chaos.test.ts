/** Three brokers under kills and cuts: what was acknowledged stays, what was read stays as it was read. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BrokerConnection } from '../../src/client/connection.ts'
import { KafkaError } from '../../src/client/errors.ts'
import { Errors } from '../../src/kafka/errors.ts'
import { CreateTopics } from '../../src/kafka/messages/create-topics.ts'
import { Fetch } from '../../src/kafka/messages/fetch.ts'
import { Produce } from '../../src/kafka/messages/produce.ts'
import { SeededRandom } from '../../src/memory/random.ts'
import { ReplicaWorld } from './replica-world.ts'
import { batchOf, valuesIn } from './world.ts'

const brokers = [0, 1, 2]
const rounds = 40
const roundMs = 2500

/** Writes to and reads from whoever takes it, and notes what was promised. */
class Workload {
  readonly acknowledged: string[] = []
  /** The longest that anybody was shown. */
  seen: string[] = []
  readonly #world: ReplicaWorld
  readonly #connections = new Map<number, Promise<BrokerConnection>>()
  #number = 0
  isOver = false

  constructor(world: ReplicaWorld) {
    this.#world = world
  }

  async run(broker: number): Promise<void> {
    while (!this.isOver) {
      await this.#act(broker).catch((error: unknown) => {
        if (!(error instanceof KafkaError)) throw error
        this.#connections.delete(broker)
      })
      await new Promise<void>((resolve) => {
        this.#world.clock.schedule(20 + this.#world.random.below(80), resolve)
      })
    }
  }

  #connection(broker: number): Promise<BrokerConnection> {
    let connection = this.#connections.get(broker)
    if (connection === undefined) {
      connection = this.#world.connection(broker, 3000)
      this.#connections.set(broker, connection)
    }
    return connection
  }

  async #act(broker: number): Promise<void> {
    const connection = await this.#connection(broker)
    const value = `${(this.#number += 1)}`
    const answer = await connection.request(Produce, 9, {
      ...{ acks: -1, timeoutMs: 1000 },
      topicData: [{ name: 't', partitionData: [{ index: 0, records: batchOf([value]) }] }],
    })
    if (answer.responses[0]?.partitionResponses[0]?.errorCode === Errors.NONE)
      this.acknowledged.push(value)
    const partition = { partition: 0, fetchOffset: 0, partitionMaxBytes: 10_000_000 }
    const { responses } = await connection.request(Fetch, 10, {
      ...{ maxWaitMs: 0, minBytes: 0, sessionEpoch: -1 },
      topics: [{ topic: 't', partitions: [partition] }],
    })
    const read = responses[0]?.partitions[0]
    if (read?.errorCode === Errors.NONE) this.#check(valuesIn(read.records))
  }

  #check(values: string[]): void {
    const [shorter, longer] =
      values.length < this.seen.length ? [values, this.seen] : [this.seen, values]
    assert.deepEqual(longer.slice(0, shorter.length), shorter, 'what was read has changed')
    this.seen = longer
  }
}

async function chaos(seed: number): Promise<void> {
  const settings = { 'min.insync.replicas': '2', 'replica.lag.time.max.ms': '5000' }
  const world = new ReplicaWorld(settings, seed)
  world.sessionTimeoutMs = 4000
  await world.start(3, 'by a broker')
  const random = new SeededRandom(seed)
  const assignments = [{ partitionIndex: 0, brokerIds: brokers }]
  const topic = { name: 't', numPartitions: -1, replicationFactor: -1, assignments }
  const made = await (await world.client(0)).ask(CreateTopics, 5, {
    ...{ topics: [topic], timeoutMs: 10_000 },
  })
  assert.equal(made.topics[0]?.errorCode, Errors.NONE)
  const workload = new Workload(world)
  const running = brokers.map((broker) => workload.run(broker))
  const failures: unknown[] = []
  for (const one of running) one.catch((error: unknown) => failures.push(error))
  const dead = new Set<number>()
  for (let round = 0; round < rounds; round += 1) {
    await world.clock.advance(random.below(roundMs))
    const [one, other] = [random.below(3), random.below(3)]
    const fault = random.below(6)
    if (fault <= 1 && dead.size < 2 && !dead.has(one)) {
      world.kill(one)
      dead.add(one)
    } else if (fault === 2 && one !== other) world.part(one, other)
    else if (fault === 3) world.cutFromCoordination(one)
    else if (fault === 4) world.network.healAll()
    else if (dead.has(one)) {
      world.network.healAll()
      await world.startBroker(one)
      dead.delete(one)
    }
  }
  world.network.healAll()
  for (const id of dead) await world.startBroker(id)
  await world.clock.advance(60_000)
  workload.isOver = true
  await world.clock.advance(10_000)
  assert.deepEqual(failures, [])
  assert.ok(workload.acknowledged.length > 0)
  const there = new Set(workload.seen)
  const lost = workload.acknowledged.filter((value) => !there.has(value))
  assert.deepEqual(lost, [], 'acknowledged, and gone')
  assert.deepEqual(
    [...(await world.isr('t'))].toSorted((left, right) => left - right),
    brokers,
    'all are in sync again',
  )
  const logs = brokers.map((id) => world.logBytes(id, 't'))
  assert.deepEqual(logs[1], logs[0])
  assert.deepEqual(logs[2], logs[0])
}

for (const seed of [1, 2])
  test(`three brokers under kills and cuts keep what they promised (seed ${seed})`, () =>
    chaos(seed))
