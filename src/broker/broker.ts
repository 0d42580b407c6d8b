import { ByteBudget } from '../runtime/byte-budget.ts'
import { FramePool } from '../runtime/frame-pool.ts'
import type { Ports, Service } from '../runtime/service.ts'
import { LogDirectory } from '../storage/log-directory.ts'
import type { BrokerSettings } from './config/broker.ts'
import { Controller } from './controller/controller.ts'
import { Coordination, type OpenSession } from './coordination.ts'
import { Dispatcher } from './dispatch.ts'
import { GroupCoordinator } from './groups/coordinator.ts'
import type { BrokerParts } from './handler.ts'
import { handlers } from './handlers/index.ts'
import { Listeners } from './listeners.ts'
import { LocalOrders } from './local-orders.ts'
import { MetadataCache } from './metadata-cache.ts'
import { ProducerIds } from './producer-ids.ts'
import {
  brokerId,
  clusterId,
  makePersistentPaths,
  refuseOtherBrokers,
  register,
} from './registration.ts'
import { Replicas } from './replication/replicas.ts'
import { TopicAdmin } from './topic-admin.ts'
import { Turn } from './turn.ts'
import { WriterPool } from './writer-pool.ts'
import type { BrokerRegistration } from './znodes.ts'

const queuedBytesDefault = 256 * 1024 * 1024
const writerBytesMax = 16 * 1024 * 1024
const openFilesMax = 8192

export interface BrokerOptions {
  /** How to open a session with the servers of zookeeper.connect. */
  readonly openSession: OpenSession
  /** What clients are told where a listener names no host. */
  readonly hostName: string
}

/** A Kafka broker: assembly only. Parts are made here, started in order, stopped in reverse. */
export class Broker implements Service {
  readonly #ports: Ports
  readonly #settings: BrokerSettings
  readonly #options: BrokerOptions
  readonly #listeners: Listeners
  readonly #coordination: Coordination
  readonly #metadata = new MetadataCache()
  #id = -1
  #controller: Controller | undefined
  #directories: readonly LogDirectory[] = []
  #registration: BrokerRegistration | undefined
  #isStopping = false

  constructor(ports: Ports, settings: BrokerSettings, options: BrokerOptions) {
    this.#ports = ports
    this.#settings = settings
    this.#options = options
    this.#listeners = new Listeners(ports.network, settings)
    this.#coordination = new Coordination(ports, options.openSession)
  }

  get id(): number {
    return this.#id
  }

  /** Where clients reach this broker; the ports are the bound ones. */
  get endpoints(): BrokerRegistration['endpoints'] {
    return this.#registration?.endpoints ?? []
  }

  /** @throws UserError with one line; nothing is left running then. */
  async start(): Promise<void> {
    try {
      await this.#start()
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  async #start(): Promise<void> {
    const { logger } = this.#ports
    const endpoints = await this.#listeners.bind(this.#options.hostName)
    await this.#coordination.start()
    const zookeeper = this.#coordination.session
    await makePersistentPaths(zookeeper)
    const cluster = await clusterId(zookeeper, this.#ports)
    this.#id = await brokerId(zookeeper, this.#ports, this.#settings)
    const log = logger.named('kafka.server.KafkaServer', `KafkaServer id=${this.#id}`)
    logger.named('kafka.server.KafkaServer').info(`Cluster ID = ${cluster}`)
    const topics = new TopicAdmin(this.#ports, this.#coordination, this.#metadata, this.#settings)
    await topics.start()
    this.#directories = await this.#openDirectories(cluster, topics)
    const turn = new Turn(this.#ports.clock)
    const replicas = new Replicas(this.#id, turn, this.#directories)
    topics.onConfigChange((topic) => replicas.configure(topic, topics.configOf(topic).log))
    const parts = this.#parts(cluster, topics, replicas)
    this.#controller = this.#makeController(parts)
    this.#registration = { id: this.#id, endpoints, rack: this.#settings.rack }
    await refuseOtherBrokers(zookeeper, this.#id)
    await register(zookeeper, this.#registration, this.#ports.clock.now())
    await this.#controller.start()
    this.#followSession(this.#controller, topics)
    this.#open(turn, parts)
    log.info('started')
  }

  async #openDirectories(cluster: string, topics: TopicAdmin): Promise<LogDirectory[]> {
    const settings = this.#settings
    const opened: LogDirectory[] = []
    for (const path of settings.logDirectories)
      opened.push(
        await LogDirectory.open(this.#ports, path, {
          brokerId: this.#id,
          clusterId: cluster,
          settingsOf: (topic) => topics.configOf(topic).log,
          producerIdExpirationMs: settings.producerIdExpirationMs,
          recoveryConcurrency: settings.recoveryConcurrency,
          openFilesMax,
          retentionCheckIntervalMs: settings.retentionCheckIntervalMs,
          initialTaskDelayMs: settings.initialTaskDelayMs,
          checkpointIntervalMs: settings.checkpointIntervalMs,
          highWatermarkCheckpointIntervalMs: settings.highWatermarkCheckpointIntervalMs,
        }),
      )
    return opened
  }

  #parts(cluster: string, topics: TopicAdmin, replicas: Replicas): BrokerParts {
    const { clock, random, logger } = this.#ports
    const metadata = this.#metadata
    const groups = new GroupCoordinator(
      {
        clock,
        random,
        metadata,
        topics,
        logger: logger.named(
          'kafka.coordinator.group.GroupCoordinator',
          `GroupCoordinator ${this.#id}`,
        ),
      },
      this.#settings.groups,
    )
    const idLogger = logger.named('kafka.coordinator.transaction.ZkProducerIdManager')
    return {
      brokerId: this.#id,
      clusterId: cluster,
      settings: this.#settings,
      ...{ clock, random, logger, metadata, replicas, topics, groups },
      producerIds: new ProducerIds(this.#coordination, this.#id, idLogger),
    }
  }

  #makeController({ replicas, groups, metadata }: BrokerParts): Controller {
    const name = 'kafka.controller.KafkaController'
    const logger = this.#ports.logger.named(name, `Controller id=${this.#id}`)
    const stateLogger = this.#ports.logger.named('state.change.logger')
    const orders = new LocalOrders(replicas, metadata, groups, stateLogger)
    return new Controller({ ...this.#ports, logger }, this.#coordination, orders, {
      brokerId: this.#id,
      uncleanElectionAllowed: this.#settings.uncleanElectionEnable,
      topicDeletionAllowed: this.#settings.deleteTopicEnable,
    })
  }

  #followSession(controller: Controller, topics: TopicAdmin): void {
    this.#coordination.onLost(() => controller.layDown())
    this.#coordination.onRenewed(async () => {
      if (this.#isStopping || this.#registration === undefined) return
      const { session } = this.#coordination
      await register(session, this.#registration, this.#ports.clock.now())
      await topics.start()
      await controller.start()
    })
  }

  #open(turn: Turn, parts: BrokerParts): void {
    const { clock, logger } = this.#ports
    const { queuedRequestBytesMax } = this.#settings
    const queued = queuedRequestBytesMax > 0 ? queuedRequestBytesMax : queuedBytesDefault
    this.#listeners.open({
      clock,
      logger: logger.named('kafka.network.SocketServer'),
      turn,
      dispatcher: new Dispatcher(handlers, parts),
      budget: new ByteBudget(queued),
      pool: new FramePool(),
      writers: new WriterPool(writerBytesMax),
    })
  }

  /** A clean end: no more requests, logs durable and marked clean, the session closed. */
  async stop(): Promise<void> {
    if (this.#isStopping) return
    this.#isStopping = true
    const log = this.#ports.logger.named('kafka.server.KafkaServer', `KafkaServer id=${this.#id}`)
    log.info('shutting down')
    await this.#listeners.close()
    await this.#controller?.stop()
    for (const directory of this.#directories) await directory.close(true)
    await this.#coordination.stop()
    log.info('shut down completed')
  }
}
