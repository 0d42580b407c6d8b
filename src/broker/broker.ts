import { ByteBudget } from '../runtime/byte-budget.ts'
import { FramePool } from '../runtime/frame-pool.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Ports, Service } from '../runtime/service.ts'
import { AnswerBudget } from './answer-budget.ts'
import type { BrokerSettings } from './config/broker.ts'
import { ConfigStore } from './config-store.ts'
import type { Controller } from './controller/controller.ts'
import { makeController } from './controller/make-controller.ts'
import { askForRelief } from './controlled-shutdown.ts'
import { Coordination, type OpenSession } from './coordination.ts'
import { Dispatcher } from './dispatch.ts'
import { FetchSessions } from './fetching/sessions.ts'
import { SessionWatches } from './fetching/watch.ts'
import { GroupCoordinator } from './groups/coordinator.ts'
import type { BrokerParts } from './handler.ts'
import { handlers } from './handlers/index.ts'
import { Listeners } from './listeners.ts'
import { LogDirectories } from './log-directories.ts'
import { LogDirectoryEvents } from './log-directory-events.ts'
import { LogMoves } from './log-moves.ts'
import { MetadataCache } from './metadata-cache.ts'
import { RequestMeters } from './metrics/requests.ts'
import { registerState } from './metrics/state.ts'
import { Traffic } from './metrics/traffic.ts'
import { OldOffsets } from './old-offsets.ts'
import { ProducerIds } from './producer-ids.ts'
import {
  brokerId,
  clusterId,
  makePersistentPaths,
  refuseStrangers,
  register,
} from './registration.ts'
import type { Replicas } from './replication/replicas.ts'
import { Replication } from './replication/replication.ts'
import { SliceReads } from './slice-records.ts'
import { Subordinate } from './subordinate.ts'
import { TopicAdmin } from './topic-admin.ts'
import { TopicConfigs } from './topic-configs.ts'
import { Turn } from './turn.ts'
import { WriterPool } from './writer-pool.ts'
import type { BrokerRegistration } from './znodes.ts'

const queuedBytesDefault = 256 * 1024 * 1024
const answerBytesMax = 256 * 1024 * 1024
const writerBytesMax = 16 * 1024 * 1024

export interface BrokerOptions {
  /** How to open a session with the servers of zookeeper.connect. */
  readonly openSession: OpenSession
  /** What clients are told where a listener names no host. */
  readonly hostName: string
}

/** A Kafka broker: assembly only. Parts are made here, started in order, stopped in reverse. */
export class Broker implements Service {
  /** Resolves, with the reason, when the broker cannot go on: it is to be stopped then. */
  readonly failed: Promise<string>
  readonly #fail: (reason: string) => void
  readonly #ports: Ports
  readonly #settings: BrokerSettings
  readonly #options: BrokerOptions
  readonly #listeners: Listeners
  readonly #coordination: Coordination
  readonly #directories: LogDirectories
  readonly #metadata: MetadataCache
  readonly #answers = new AnswerBudget(answerBytesMax)
  readonly #traffic = new Traffic()
  #isOpen = false
  #id = -1
  /** Of its registration. */
  #epoch = -1n
  #controller: Controller | undefined
  #groups: GroupCoordinator | undefined
  #moves: LogMoves | undefined
  #replication: Replication | undefined
  #registration: BrokerRegistration | undefined
  #stopping: Promise<void> | undefined

  constructor(ports: Ports, settings: BrokerSettings, options: BrokerOptions) {
    this.#ports = ports
    this.#settings = settings
    this.#metadata = new MetadataCache(settings.replication.level.usesTopicIds)
    this.#options = options
    this.#listeners = new Listeners(ports, settings)
    this.#coordination = new Coordination(ports, options.openSession)
    this.#directories = new LogDirectories(ports, settings)
    const { promise, resolve } = Promise.withResolvers<string>()
    this.failed = promise
    this.#fail = resolve
  }

  get id(): number {
    return this.#id
  }

  /** Where clients reach this broker; the ports are the bound ones. */
  get endpoints(): BrokerRegistration['endpoints'] {
    return this.#registration?.endpoints ?? []
  }

  /** The cluster as the controller last described it to this broker. */
  get metadata(): MetadataCache {
    return this.#metadata
  }

  /** What clients have asked for and not read yet. */
  get pendingAnswerBytes(): number {
    return this.#answers.usedBytes
  }

  get connectionCount(): number {
    return this.#listeners.connectionCount
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
    const { logger, clock } = this.#ports
    const settings = this.#settings
    const coordination = this.#coordination
    const endpoints = await this.#listeners.bind(this.#options.hostName)
    await coordination.start()
    await makePersistentPaths(coordination.session)
    const cluster = await clusterId(coordination.session, this.#ports)
    this.#id = await brokerId(coordination.session, this.#ports, settings)
    const log = logger.named('kafka.server.KafkaServer', `KafkaServer id=${this.#id}`)
    logger.named('kafka.server.KafkaServer').info(`Cluster ID = ${cluster}`)
    this.#registration = { id: this.#id, endpoints, rack: settings.rack }
    await refuseStrangers(coordination.session, this.#registration)
    const store = new ConfigStore(coordination)
    const configParts = { clock, logger, coordination, store, brokerId: this.#id }
    const configs = new TopicConfigs(configParts, settings)
    await configs.start()
    const settingsOf = (topic: string) => configs.of(topic).log
    await this.#directories.open({ brokerId: this.#id, clusterId: cluster, settingsOf })
    const turn = new Turn(clock)
    const replicas = this.#makeReplicas(turn, configs)
    configs.onChange((changed) => {
      const topics = changed === undefined ? replicas.topicNames() : [changed]
      for (const topic of topics) replicas.configure(topic, settingsOf(topic))
      const isUnclean =
        changed === undefined
          ? settings.uncleanElectionEnable
          : configs.of(changed).uncleanElectionAllowed
      if (isUnclean) this.#controller?.uncleanElectionAllowed(changed)
    })
    const parts = this.#makeParts(cluster, configs, replicas)
    this.#epoch = await register(coordination.session, this.#registration, clock.now())
    this.#followSession(parts.controller, configs)
    await parts.controller.start()
    this.#measure(parts)
    this.#open(turn, parts)
    const events = { coordination, directories: this.#directories, logger: log }
    new LogDirectoryEvents(events, this.#id).start()
    this.#moves?.resume()
    this.#directories.onAllOffline(() =>
      this.#fail(`all log dirs in ${settings.logDirectories.join(', ')} have failed`),
    )
    log.info('started')
  }

  #makeReplicas(turn: Turn, configs: TopicConfigs): Replicas {
    const { opened: directories, isIncomplete } = this.#directories
    const settings = this.#settings
    this.#replication = new Replication(this.#ports, settings.replication, {
      brokerId: this.#id,
      turn,
      coordination: this.#coordination,
      directories,
      isIncomplete,
      isAlive: (id) => this.#metadata.brokers.has(id),
      addressOf: (id) => this.#metadata.endpoint(id, settings.interBrokerListener),
      minInSyncOf: (topic) => configs.of(topic).minInSyncReplicas,
      tookFromLeader: (topic, bytes) => {
        this.#traffic.of(topic).replicationBytesIn += bytes
      },
      throttledOf: (topic) => configs.of(topic).throttled,
      rateOf: (setting) => settings.textOf(setting),
    })
    return this.#replication.replicas
  }

  #makeParts(cluster: string, configs: TopicConfigs, replicas: Replicas): BrokerParts {
    const { clock, random, logger } = this.#ports
    const metadata = this.#metadata
    const topics = new TopicAdmin(this.#ports, this.#coordination, metadata, this.#settings)
    const name = 'kafka.coordinator.group.GroupCoordinator'
    const groupLogger = logger.named(name, `GroupCoordinator ${this.#id}`)
    const groups = new GroupCoordinator(
      { clock, random, metadata, topics, logger: groupLogger },
      this.#settings.groups,
    )
    this.#groups = groups
    const idLogger = logger.named('kafka.coordinator.transaction.ZkProducerIdManager')
    const subordinate = new Subordinate({
      ...{ clock, replicas, metadata, configs, groups, brokerId: this.#id },
      coordination: this.#coordination,
      logger: logger.named('state.change.logger'),
      brokerEpoch: () => this.#epoch,
    })
    const controller = makeController(this.#ports, {
      ...{ brokerId: this.#id, settings: this.#settings, subordinate, metadata, replicas },
      coordination: this.#coordination,
    })
    this.#controller = controller
    return {
      brokerId: this.#id,
      clusterId: cluster,
      settings: this.#settings,
      ...{
        clock,
        random,
        logger,
        metadata,
        replicas,
        topics,
        configs,
        groups,
        subordinate,
        controller,
      },
      producerIds: new ProducerIds(this.#coordination, this.#id, idLogger),
      answers: this.#answers,
      directories: this.#directories,
      moves: (this.#moves = new LogMoves({
        ...{ clock, replicas, directories: this.#directories },
        logger: logger.named('kafka.server.ReplicaAlterLogDirsManager'),
      })),
      configStore: new ConfigStore(this.#coordination),
      sliceReads: new SliceReads(clock),
      sessionWatches: new SessionWatches(),
      fetchSessions: new FetchSessions({
        slots: this.#settings.fetchSessionSlots,
        randomId: () => random.below(2147483647) + 1,
      }),
      oldOffsets: new OldOffsets(this.#coordination),
      traffic: this.#traffic,
    }
  }

  #followSession(controller: Controller, configs: TopicConfigs): void {
    this.#coordination.onLost(() => controller.layDown())
    this.#coordination.onRegained(() => void controller.start())
    this.#coordination.onRenewed(async () => {
      if (this.#stopping !== undefined || this.#registration === undefined) return
      const { session } = this.#coordination
      await makePersistentPaths(session)
      this.#epoch = await register(session, this.#registration, this.#ports.clock.now())
      await configs.start()
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
      dispatcher: new Dispatcher(handlers, parts, new RequestMeters(this.#ports.metrics)),
      budget: new ByteBudget(queued),
      answers: parts.answers,
      sliceReads: parts.sliceReads,
      pool: new FramePool(),
      writers: new WriterPool(writerBytesMax),
    })
    this.#isOpen = true
  }

  #measure(parts: BrokerParts): void {
    const { metrics } = this.#ports
    this.#traffic.register(metrics, (topic) => parts.replicas.has(topic))
    registerState(metrics, parts, {
      isController: () => this.#controller?.isActive === true,
      connectionCount: () => this.connectionCount,
      brokerState: () => (this.#stopping !== undefined ? 6 : this.#isOpen ? 3 : 1),
      sessionState: () => this.#coordination.session.state,
      directories: () =>
        this.#directories.opened.map(({ path, offlineBecause }) => ({
          path,
          isOffline: offlineBecause !== undefined,
        })),
    })
  }

  /** Why requests are not served as they should be, in one line; undefined: they are. */
  get unreadyBecause(): string | undefined {
    if (this.#stopping !== undefined) return 'the broker stops'
    if (!this.#isOpen) return 'the broker has not started yet'
    const { state } = this.#coordination.session
    return state === 'connected' ? undefined : `the session with ZooKeeper is ${state}`
  }

  /** A clean end: no more requests, logs durable and marked clean, the session closed. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  /** Leaders move to other brokers while this one still answers. */
  async #handOver(logger: Logger): Promise<void> {
    const controller = this.#controller
    if (controller === undefined || this.#epoch === -1n) return
    const coordination = this.#coordination
    const settings = this.#settings
    const parts = { brokerId: this.#id, brokerEpoch: this.#epoch, coordination, controller }
    await askForRelief({ ...this.#ports, logger }, { ...parts, settings })
  }

  async #stop(): Promise<void> {
    const log = this.#ports.logger.named('kafka.server.KafkaServer', `KafkaServer id=${this.#id}`)
    log.info('shutting down')
    await this.#handOver(log)
    await this.#listeners.close()
    this.#groups?.stop()
    this.#moves?.stop()
    await this.#controller?.stop()
    this.#replication?.stop()
    await this.#directories.close()
    await this.#coordination.stop()
    log.info('shut down completed')
  }
}
