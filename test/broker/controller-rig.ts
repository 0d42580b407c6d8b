/** Controllers with brokers that only note what they are told: real znodes, no logs. */
import { Coordination } from '../../src/broker/coordination.ts'
import type { LiveBroker } from '../../src/broker/controller/cluster.ts'
import type { ControllerSettings } from '../../src/broker/controller/desk.ts'
import { LinkClosed, type ClosableLink } from '../../src/broker/controller/links.ts'
import { Controller } from '../../src/broker/controller/controller.ts'
import type {
  LeaderAndIsrRequest,
  StopReplicaRequest,
  UpdateMetadataRequest,
} from '../../src/broker/controller/order-batch.ts'
import { encodeBroker, persistentPaths } from '../../src/broker/znodes.ts'
import { Errors } from '../../src/kafka/errors.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { ZooKeeperSession } from '../../src/zookeeper/client/session.ts'
import { World } from './world.ts'

export type Order =
  | { readonly to: number; readonly kind: 'lead'; readonly request: LeaderAndIsrRequest }
  | { readonly to: number; readonly kind: 'stop'; readonly request: StopReplicaRequest }
  | { readonly to: number; readonly kind: 'tell'; readonly request: UpdateMetadataRequest }

export const node = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

export class Rig {
  readonly world = new World()
  readonly orders: Order[] = []
  /** Brokers that take orders and do not answer. */
  readonly silent = new Set<number>()
  /** Replicas, as `topic-partition@broker`, whose log directory has failed. */
  readonly failed = new Set<string>()
  readonly #sessions = new Map<number, ZooKeeperSession>()
  #tool: ZooKeeperSession | undefined

  async start(): Promise<this> {
    await this.world.startCoordination()
    this.#tool = await this.world.zookeeper()
    for (const path of persistentPaths) await this.world.clock.until(this.tool.makePath(path))
    return this
  }

  get tool(): ZooKeeperSession {
    if (this.#tool === undefined) throw new Error('the rig was not started')
    return this.#tool
  }

  /** Registers brokers, each with a session of its own. */
  async join(...ids: number[]): Promise<void> {
    for (const id of ids) {
      const session = await this.world.zookeeperAt(`host${id}`)
      this.#sessions.set(id, session)
      const endpoint = { listener: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: `h${id}` }
      const broker = { id, endpoints: [{ ...endpoint, port: 9092 }], rack: null }
      const options = { ephemeral: true, stat: false }
      await this.world.clock.until(
        session.create(`/brokers/ids/${id}`, encodeBroker(broker, 0), options),
      )
    }
    await this.settle()
  }

  async leave(...ids: number[]): Promise<void> {
    for (const id of ids) {
      const session = this.#sessions.get(id)
      this.#sessions.delete(id)
      if (session !== undefined) await this.world.clock.until(session.close())
    }
    await this.settle()
  }

  async settle(): Promise<void> {
    await this.world.clock.advance(200)
  }

  /** A controller in broker `id`, with its own session, and its start. */
  async controller(id: number, settings: Partial<ControllerSettings> = {}): Promise<Controller> {
    const { ports } = this.world
    const own = { ...ports, network: this.world.network.host(`controller${id}`) }
    const open = () =>
      new ZooKeeperSession(
        { ...own, logger: silentLogger },
        { connect: 'zookeeper:2181', sessionTimeoutMs: 6000, connectTimeoutMs: 5000 },
      )
    const coordination = new Coordination(own, open)
    await this.world.clock.until(coordination.start())
    const controller = new Controller(
      {
        ...{ ports, coordination },
        openLink: (broker) => this.#link(broker),
        endpointOf: (broker) => broker.endpoints[0],
        storedTopicId: () => undefined,
        usesTopicIds: true,
      },
      {
        ...{ brokerId: id, topicDeletionAllowed: true, isUncleanElectionAllowed: () => false },
        ...settings,
      },
    )
    coordination.onLost(() => controller.layDown())
    coordination.onRegained(() => void controller.start())
    coordination.onRenewed(async () => controller.start())
    await this.world.clock.until(controller.start())
    return controller
  }

  #link({ id }: LiveBroker): ClosableLink {
    let isClosed = false
    const rejects: ((error: Error) => void)[] = []
    const answer = <R>(order: Order, response: R): Promise<R> => {
      if (isClosed) return Promise.reject(new LinkClosed())
      this.orders.push(order)
      if (!this.silent.has(id)) return Promise.resolve(response)
      return new Promise((_, reject) => rejects.push(reject))
    }
    const rowsOf = (request: LeaderAndIsrRequest) =>
      request.topicStates.flatMap(({ topicName, partitionStates }) =>
        partitionStates.map(({ partitionIndex }) => {
          const hasFailed = this.failed.has(`${topicName}-${partitionIndex}@${id}`)
          const errorCode = hasFailed ? Errors.KAFKA_STORAGE_ERROR : Errors.NONE
          return { topicName, partitionIndex, errorCode }
        }),
      )
    return {
      leaderAndIsr: (request) =>
        answer(
          { to: id, kind: 'lead', request },
          { errorCode: 0, partitionErrors: rowsOf(request), topics: [] },
        ),
      stopReplica: (request) =>
        answer({ to: id, kind: 'stop', request }, { errorCode: 0, partitionErrors: [] }),
      updateMetadata: (request) => answer({ to: id, kind: 'tell', request }, { errorCode: 0 }),
      close: () => {
        isClosed = true
        for (const reject of rejects) reject(new LinkClosed())
      },
    }
  }

  /** Writes a topic as an old tool does. */
  async createTopic(name: string, partitions: Readonly<Record<number, number[]>>): Promise<void> {
    await this.write(`/brokers/topics/${name}`, { version: 1, partitions })
  }

  /** Makes or replaces a node. */
  async write(path: string, value: unknown): Promise<void> {
    const { clock } = this.world
    const isThere = (await clock.until(this.tool.exists(path))) !== null
    if (isThere) await clock.until(this.tool.setData(path, node(value)))
    else await clock.until(this.tool.create(path, node(value), { stat: false }))
    await this.settle()
  }

  async read(path: string): Promise<Record<string, unknown> | undefined> {
    const { clock } = this.world
    if ((await clock.until(this.tool.exists(path))) === null) return undefined
    const { data } = await clock.until(this.tool.getData(path))
    if (data.length === 0) return {}
    const value: unknown = JSON.parse(data.toString())
    return typeof value === 'object' && value !== null ? { ...value } : {}
  }

  /** Leader, leader epoch, in-sync set, as the state node has them. */
  async state(topic: string, partition = 0): Promise<unknown[] | undefined> {
    const state = await this.read(`/brokers/topics/${topic}/partitions/${partition}/state`)
    return state && [state['leader'], state['leader_epoch'], state['isr']]
  }

  /** A leader changes its in-sync set, as it does without asking the controller. */
  async setIsr(topic: string, isr: number[], partition = 0): Promise<void> {
    const path = `/brokers/topics/${topic}/partitions/${partition}/state`
    await this.write(path, { ...(await this.read(path)), isr })
  }

  /** What was ordered since the last call, in short: `lead 1 t-0 2/3 [2,1]`, leader and epoch. */
  told(): string[] {
    return this.orders.splice(0).flatMap(summary)
  }

  /** Of these kinds only. */
  toldOf(...kinds: readonly Order['kind'][]): string[] {
    return this.told().filter((line) => kinds.some((kind) => line.startsWith(kind)))
  }
}

function summary(order: Order): string[] {
  const { to, kind } = order
  switch (order.kind) {
    case 'stop':
      return order.request.topicStates.flatMap(({ topicName, partitionStates }) =>
        partitionStates.map(
          ({ partitionIndex, deletePartition }) =>
            `${kind} ${to} ${topicName}-${partitionIndex}${deletePartition ? ' delete' : ''}`,
        ),
      )
    case 'tell': {
      const live = order.request.liveBrokers.map(({ id }) => id).join()
      const rows = order.request.topicStates.flatMap(({ topicName, partitionStates }) =>
        partitionStates.map(
          ({ partitionIndex, leader, leaderEpoch, isr }) =>
            `${topicName}-${partitionIndex} ${leader}/${leaderEpoch} [${isr.join()}]`,
        ),
      )
      return [`${kind} ${to} {${live}} ${rows.join(' ')}`.trim()]
    }
    case 'lead':
      return order.request.topicStates.flatMap(({ topicName, partitionStates }) =>
        partitionStates.map(
          ({ partitionIndex, leader, leaderEpoch, isr, isNew }) =>
            `${kind} ${to} ${topicName}-${partitionIndex} ${leader}/${leaderEpoch} [${isr.join()}]${isNew ? ' new' : ''}`,
        ),
      )
  }
}
