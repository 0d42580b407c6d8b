/** Brokers that come and go under one seed, while records are written and partitions are moved. */
import assert from 'node:assert/strict'
import { Errors } from '../../src/kafka/errors.ts'
import { AlterPartitionReassignments } from '../../src/kafka/messages/alter-partition-reassignments.ts'
import { CreateTopics } from '../../src/kafka/messages/create-topics.ts'
import { ElectLeaders } from '../../src/kafka/messages/elect-leaders.ts'
import { Metadata } from '../../src/kafka/messages/metadata.ts'
import { SeededRandom } from '../../src/memory/random.ts'
import { decodeTopic, paths } from '../../src/broker/znodes.ts'
import { ReplicaWorld } from './replica-world.ts'
import { batchOf, valuesIn, type TestClient } from './world.ts'

const partitions = [0, 1, 2]
const waitsMs = [10, 100, 1000, 7000, 20_000]
/** Longer than sessions, lag times and the delay of notices together. */
const healingMs = 90_000

type Step = readonly [weight: number, act: () => Promise<void>]

export class Churn {
  readonly world: ReplicaWorld
  readonly #random: SeededRandom
  readonly #ids: readonly number[]
  readonly #up: Set<number>
  readonly #acknowledged = new Map<number, string[]>(partitions.map((one) => [one, []]))
  readonly #steps: readonly Step[]
  #count = 0

  constructor(seed: number, brokerCount: number) {
    this.world = new ReplicaWorld({}, seed)
    this.#random = new SeededRandom(seed)
    this.#ids = Array.from({ length: brokerCount }, (_, id) => id)
    this.#up = new Set(this.#ids)
    this.#steps = [
      [40, () => this.#produce()],
      [10, () => this.#kill()],
      [5, () => this.#stop()],
      [12, () => this.#start()],
      [5, () => this.#reassign()],
      [3, () => this.#elect()],
      [3, async () => this.#cutCoordination()],
      [3, async () => this.world.part(this.#anyOf(this.#ids), this.#anyOf(this.#ids))],
      [4, async () => this.world.network.healAll()],
      [3, () => this.#deleteController()],
      [15, () => this.world.clock.advance(waitsMs[this.#random.below(waitsMs.length)] ?? 0)],
    ]
  }

  get acknowledgedCount(): number {
    return [...this.#acknowledged.values()].flat().length
  }

  async run(stepCount: number): Promise<void> {
    await this.world.start(this.#ids.length, 'by a broker')
    await this.#createTopic()
    const total = this.#steps.reduce((sum, [weight]) => sum + weight, 0)
    for (let count = 0; count < stepCount; count += 1) {
      let dice = this.#random.below(total)
      const chosen = this.#steps.find(([weight]) => (dice -= weight) < 0)
      await chosen?.[1]()
    }
    this.world.network.healAll()
    await this.world.clock.advance(healingMs)
    for (const id of this.#ids) if (!this.#up.has(id)) await this.world.startBroker(id)
    for (const id of this.#ids) this.#up.add(id)
    await this.world.clock.advance(healingMs)
  }

  #anyOf(ids: Iterable<number>): number {
    const list = [...ids]
    return list[this.#random.below(list.length)] ?? 0
  }

  async #createTopic(): Promise<void> {
    const assignments = partitions.map((partitionIndex) => ({
      partitionIndex,
      brokerIds: this.#ids.map((_, at) => (partitionIndex + at) % this.#ids.length),
    }))
    const topic = { name: 't', numPartitions: -1, replicationFactor: -1, assignments }
    const client = await this.world.client(0)
    const { topics } = await client.ask(CreateTopics, 5, { topics: [topic], timeoutMs: 10_000 })
    assert.equal(topics[0]?.errorCode, Errors.NONE)
    client.connection.close()
    await this.world.clock.advance(500)
  }

  /** What some broker that runs says. */
  async #metadata() {
    const client = await this.world.client(this.#anyOf(this.#up))
    const answer = await client.ask(Metadata, 9, { topics: [{ name: 't' }] })
    client.connection.close()
    return answer
  }

  async #leaderOf(partition: number): Promise<number | undefined> {
    const { topics } = await this.#metadata()
    const row = topics[0]?.partitions.find((one) => one.partitionIndex === partition)
    return row !== undefined && this.#up.has(row.leaderId) ? row.leaderId : undefined
  }

  async #produce(): Promise<void> {
    const partition = this.#anyOf(partitions)
    const leader = await this.#leaderOf(partition)
    if (leader === undefined) return
    const value = `value ${(this.#count += 1)}`
    const client = await this.world.client(leader)
    const { errorCode } = await client.produceBytes('t', batchOf([value]), { partition, acks: -1 })
    if (errorCode === Errors.NONE) this.#acknowledged.get(partition)?.push(value)
    client.connection.close()
  }

  async #kill(): Promise<void> {
    if (this.#up.size === 1) return
    const id = this.#anyOf(this.#up)
    this.#up.delete(id)
    this.world.kill(id)
  }

  async #stop(): Promise<void> {
    if (this.#up.size === 1) return
    const id = this.#anyOf(this.#up)
    this.#up.delete(id)
    await this.world.stopBroker(id)
  }

  async #start(): Promise<void> {
    const down = this.#ids.filter((id) => !this.#up.has(id))
    if (down.length === 0) return
    const id = this.#anyOf(down)
    try {
      await this.world.startBroker(id)
      this.#up.add(id)
    } catch {
      // Cut off from coordination it cannot start: it stays down.
      this.world.kill(id)
    }
  }

  #cutCoordination(): void {
    const host = `broker${this.#anyOf(this.#ids)}`
    this.world.network.cut(host, 'zookeeper')
    this.world.network.cut('zookeeper', host)
  }

  async #deleteController(): Promise<void> {
    const { zookeeper, clock } = this.world
    const isThere = (await clock.until(zookeeper.exists(paths.controller))) !== null
    if (isThere) await clock.until(zookeeper.delete(paths.controller))
  }

  /** Sent and not waited for: whoever was cut off may never answer. */
  async #onController(send: (client: TestClient) => Promise<unknown>): Promise<void> {
    const { controllerId } = await this.#metadata()
    if (!this.#up.has(controllerId)) return
    const client = await this.world.client(controllerId)
    // The connection ends with the step; what became of the request is seen in the end.
    send(client).catch(() => undefined)
    await this.world.clock.advance(300)
    client.connection.close()
  }

  #reassign(): Promise<void> {
    const from = this.#random.below(this.#ids.length)
    const shifted = this.#ids.map((_, at) => (from + at) % this.#ids.length)
    const isCancelled = this.#random.below(5) === 0
    const replicas = isCancelled ? null : shifted.slice(0, 1 + this.#random.below(shifted.length))
    const moved = [{ partitionIndex: this.#anyOf(partitions), replicas }]
    const topics = [{ name: 't', partitions: moved }]
    return this.#onController((client) => client.begin(AlterPartitionReassignments, 0, { topics }))
  }

  #elect(): Promise<void> {
    const request = { electionType: 0, topicPartitions: null, timeoutMs: 1000 }
    return this.#onController((client) => client.begin(ElectLeaders, 2, request))
  }

  /** Nothing acknowledged is lost or out of order, and all replicas are in sync, byte for byte. */
  async check(): Promise<void> {
    const { clock, zookeeper } = this.world
    const { data } = await clock.until(zookeeper.getData(paths.topic('t')))
    const assignment = decodeTopic(data)
    assert.equal(assignment?.adding, undefined)
    assert.equal(assignment?.removing, undefined)
    for (const partition of partitions) {
      const replicas = assignment?.partitions.get(partition) ?? []
      const isr = await this.world.isr('t', partition)
      assert.deepEqual(new Set(isr), new Set(replicas), `in-sync set of ${partition}`)
      const leader = await this.#leaderOf(partition)
      assert.ok(leader !== undefined, `leader of ${partition}`)
      const seen = await this.#values(leader, partition)
      const acknowledged = this.#acknowledged.get(partition) ?? []
      const known = new Set(acknowledged)
      assert.deepEqual(
        seen.filter((value) => known.has(value)),
        acknowledged,
        `partition ${partition}`,
      )
      if (partition !== 0) continue
      for (const id of replicas)
        assert.deepEqual(this.world.logBytes(id, 't'), this.world.logBytes(leader, 't'))
    }
  }

  async #values(leader: number, partition: number): Promise<string[]> {
    const client = await this.world.client(leader)
    const values: string[] = []
    for (;;) {
      const { records, errorCode } = await client.fetch('t', values.length, { partition })
      assert.equal(errorCode, Errors.NONE)
      const some = valuesIn(records)
      values.push(...some)
      if (some.length > 0) continue
      client.connection.close()
      return values
    }
  }
}
