/** Act two: all is healed, and everything that was asked for has to come to an end. */
import type { Producer } from '../../client/producer/types.ts'
import { KafkaError } from '../../client/errors.ts'
import { encodeTopic, paths as brokerPaths } from '../../broker/znodes.ts'
import { delay } from '../../runtime/clock.ts'
import { isZooKeeperError } from '../../zookeeper/client/client.ts'
import { placeKey } from '../observation.ts'
import { paths } from './coordination-clients.ts'
import type { Observer } from './observer.ts'
import type { Processes } from './processes.ts'
import { readAll } from './recreator.ts'
import { numberOf, type Scene } from './scene.ts'

/** Longer than any session, delivery time-out and back-off of the swarm together. */
const boundMs = 120_000
const signal = 'act two'
const topicOfTool = 'made-by-a-tool'

export class Finale {
  readonly #scene: Scene
  readonly #observer: Observer
  readonly #processes: Processes
  /** What is still awaited, in words. */
  readonly #awaited = new Set<string>()
  /** The first record of act two in each partition. */
  readonly #first = new Map<string, number>()
  #mayGoOn = false

  constructor(scene: Scene, observer: Observer, processes: Processes) {
    this.#scene = scene
    this.#observer = observer
    this.#processes = processes
  }

  /** Returns when everything has ended, or a violation is found. */
  async run(): Promise<void> {
    const { world, cluster } = this.#scene
    this.#scene.isEnding = true
    for (const place of this.#observer.places) this.#scene.observeReplicas(place, -1)
    if (!(await this.#within('the cluster is not up', () => cluster.isReady))) return
    this.#observer.restoredAtMs = world.nowMs
    if (!(await this.#within('admins are not done', () => this.#areDone('admin')))) return
    for (const [topic, { partitions }] of world.truth.topics)
      this.#scene.grown.set(topic, partitions.size)
    this.#begin('the topics are not served', () => this.#produce())
    this.#begin('a topic made by an old tool is not taken up', () => this.#useTool())
    this.#begin('the signal cannot be written', () => this.#signal())
    for (const { name, topics } of this.#scene.plan.groups)
      this.#begin(`commits of ${name} cannot be read`, () =>
        this.#observer.askCommits(name, topics),
      )
    if (!(await this.#within('', () => this.#awaited.size === 0))) return
    if (!(await this.#within('producers are not done', () => this.#areDone('producer')))) return
    // What groups must reach is behind all that producers sent.
    this.#first.clear()
    this.#mayGoOn = true
    this.#begin('the topics are served no more', () => this.#produce())
    const ends: readonly (readonly [string, () => boolean])[] = [
      ['the topics take no more', () => this.#awaited.size === 0],
      ['topics are not deleted', () => this.#areDone('recreated')],
      ['groups have not read everything', () => this.#groupsHaveRead()],
      ['watches have not told of the signal', () => this.#haveSeenSignal()],
      ['ephemerals of ended sessions are left', () => this.#ephemeralsAreSettled()],
    ]
    for (const [what, isSo] of ends) if (!(await this.#within(what, isSo))) return
    if (!(await this.#within('in-sync sets are not whole', () => this.#areWhole()))) return
    this.#begin('the logs cannot be read', () => this.#readLogs())
    this.#begin('the counter cannot be read', () => this.#readCounter())
    await this.#within('', () => this.#awaited.size === 0)
  }

  #areDone(prefix: string): boolean {
    return this.#processes.areDone(prefix)
  }

  async #within(what: string, isSo: () => boolean): Promise<boolean> {
    const { world } = this.#scene
    if (await world.run(boundMs, isSo)) return true
    const awaited = [...(what === '' ? [] : [what]), ...this.#awaited].join('; ')
    if (world.violations.length === 0)
      world.observe({ kind: 'stuck', what: `${awaited}, ${boundMs} ms after the healing` })
    return false
  }

  /** Runs something on the observer's host, again and again until it succeeds. */
  #begin(what: string, action: () => Promise<void>): void {
    this.#awaited.add(what)
    const { world } = this.#scene
    const attempt = async (): Promise<void> => {
      for (;;) {
        try {
          await action()
          this.#awaited.delete(what)
          return
        } catch (error) {
          if (!(error instanceof KafkaError) && !isZooKeeperError(error)) throw error
          world.note(`${what}: ${error.message}`)
        }
        await delay(this.#observer.ports.clock, 500)
      }
    }
    attempt().catch((error: unknown) => world.onUnheard(error))
  }

  #producer(): Producer {
    return this.#observer.client.producer({ allowAutoTopicCreation: false })
  }

  /** Every partition has a leader, and all replicas that it is to have are in sync. */
  #areWhole(): boolean {
    const { truth } = this.#scene.world
    for (const [topic, { partitions, adding, removing }] of truth.topics) {
      if (adding !== undefined || removing !== undefined) return false
      for (const [partition, replicas] of partitions) {
        const state = truth.state(topic, partition)
        if (state === undefined || state.leader < 0) return false
        if (!replicas.every((id) => state.isr.includes(id))) return false
      }
    }
    return true
  }

  /** A record to every partition; the last time, another now and then until all groups have heard. */
  async #produce(): Promise<void> {
    const producer = this.#producer()
    const sendAll = async (): Promise<void> => {
      await Promise.all(
        this.#observer.places.map(async (place) => {
          const record = {
            ...place,
            producer: 'finale',
            acks: -1,
            idempotent: true,
            isPromised: true,
          } as const
          const { number, offset } = await this.#scene.send(producer, record, { valueBytes: 20 })
          if (offset === undefined) return
          const key = placeKey(place)
          if (!this.#first.has(key)) this.#first.set(key, number)
        }),
      )
    }
    await sendAll()
    // A group whose committed offset a power loss left behind the log's end begins there.
    while (this.#mayGoOn && !this.#groupsHaveRead()) {
      await delay(this.#observer.ports.clock, 15_000)
      await sendAll()
    }
    if (this.#first.size < this.#observer.places.length)
      throw new KafkaError(
        { code: -1, errorName: 'DELIVERY_TIMEOUT', retriable: true },
        'not every partition takes records',
      )
  }

  #groupsHaveRead(): boolean {
    return this.#scene.plan.groups.every(({ name, topics }) =>
      this.#observer.places
        .filter(({ topic }) => topics.includes(topic))
        .every((place) => {
          const first = this.#first.get(placeKey(place))
          const last = this.#scene.delivered.get(`${name} ${placeKey(place)}`) ?? -1
          return first !== undefined && last >= first
        }),
    )
  }

  /** As kafka-topics --zookeeper did: a node, and nothing else; the controller's watch must tell. */
  async #useTool(): Promise<void> {
    const zookeeper = await this.#observer.zookeeper()
    const path = brokerPaths.topic(topicOfTool)
    if ((await zookeeper.exists(path)) === null) {
      const data = encodeTopic({ partitions: new Map([[0, [0]]]), topicId: undefined })
      await zookeeper.create(path, data)
    }
    const [described] = await this.#observer.client.admin().describeTopics([topicOfTool])
    if (described?.error !== undefined) throw described.error
    if (described?.partitions[0]?.leader !== 0)
      throw new KafkaError(
        { code: -1, errorName: 'LEADER_NOT_AVAILABLE', retriable: true },
        `${topicOfTool} has no leader`,
      )
  }

  async #signal(): Promise<void> {
    const zookeeper = await this.#observer.zookeeper()
    await zookeeper.setData(paths.signal, Buffer.from(signal))
  }

  #haveSeenSignal(): boolean {
    const { signals, plan } = this.#scene
    return plan.coordinationClients.every(({ name }) => signals.get(name) === signal)
  }

  /** Until no node is in doubt any more; the observer looks at each of them. */
  #ephemeralsAreSettled(): boolean {
    const { ephemerals, plan } = this.#scene
    const { restoredAtMs } = this.#observer
    for (const node of ephemerals.all) {
      const graceMs = 3 * plan.coordination.tickMs + node.sessionTimeoutMs
      if (ephemerals.ownerOf(node, graceMs + 1500, restoredAtMs) === 'doubtful') return false
    }
    return true
  }

  async #readLogs(): Promise<void> {
    const { world, plan } = this.#scene
    const { client, places, ports } = this.#observer
    const consumer = client.consumer({ autoOffsetReset: 'earliest' })
    const records = await readAll(consumer, places, ports)
    await consumer.close()
    const byPlace = new Map<string, { offset: number; number: number }[]>()
    for (const record of records) {
      const { offset, topic, partition } = record
      const number = numberOf(record)
      const reader = 'the last reader'
      world.observe({ kind: 'delivered', group: '', reader, topic, partition, offset, number })
      const here = byPlace.get(placeKey(record)) ?? []
      byPlace.set(placeKey(record), here)
      here.push({ offset, number })
    }
    await this.#readReplicas()
    for (const place of places)
      world.observe({ kind: 'wholeLog', ...place, records: byPlace.get(placeKey(place)) ?? [] })
    const before = Math.min(...this.#first.values())
    for (const { name, topics } of plan.groups)
      world.observe({ kind: 'groupDone', group: name, topics, before })
  }

  /** @throws KafkaError */
  async #readReplicas(): Promise<void> {
    const { client, places } = this.#observer
    const consumer = client.consumer({})
    const ends = await consumer.endOffsets(places)
    await consumer.close()
    for (const { topic, partition, offset } of ends)
      this.#scene.observeReplicas({ topic, partition }, offset)
  }

  async #readCounter(): Promise<void> {
    const zookeeper = await this.#observer.zookeeper()
    const { data } = await zookeeper.getData(paths.counter)
    const value = Number(data.toString())
    this.#scene.world.observe({ kind: 'counterRead', value, ...this.#scene.counter })
  }
}
