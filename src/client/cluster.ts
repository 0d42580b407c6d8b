// The cluster as the client sees it: metadata kept fresh, connections by broker id, coordinators.
import { Errors } from '../kafka/errors.ts'
import { FindCoordinator } from '../kafka/messages/find-coordinator.ts'
import { Metadata } from '../kafka/messages/metadata.ts'
import { delay, type Timer } from '../runtime/clock.ts'
import { backoffMs } from './backoff.ts'
import type { BrokerConnection } from './connection.ts'
import { type Address, Connections } from './connections.ts'
import { brokerError, clientError, isRetriable, KafkaError } from './errors.ts'
import { type ClusterMetadata, emptyMetadata, keepTopics, mergeMetadata } from './metadata.ts'
import type { ClientPorts, CompleteSettings, Retry } from './settings.ts'
import type { BrokerNode } from './types.ts'

/** What a producer or consumer wants to know about. */
export interface Interest {
  topics: ReadonlySet<string>
  readonly allowAutoTopicCreation: boolean
  /** Every topic there is: for subscriptions by pattern. */
  readonly allTopics?: () => boolean
  /** Runs after each answer. */
  readonly onMetadata: () => void
}

export interface RetryOptions {
  readonly timeoutMs?: number
  /** Which errors to try again after; default those marked retriable. */
  readonly retry?: (error: unknown) => boolean
  /** For onRetry of the client's settings. */
  readonly what?: string
}

export class Cluster {
  readonly ports: ClientPorts
  readonly settings: CompleteSettings
  readonly connections: Connections
  readonly #interests = new Set<Interest>()
  #metadata: ClusterMetadata = emptyMetadata
  #refresh: Promise<void> | undefined
  #refreshAgain = false
  #ageTimer: Timer | undefined
  #outage = false
  #closed = false

  constructor(ports: ClientPorts, settings: CompleteSettings) {
    this.ports = ports
    this.settings = settings
    this.connections = new Connections(ports, settings)
  }

  get metadata(): ClusterMetadata {
    return this.#metadata
  }

  get isClosed(): boolean {
    return this.#closed
  }

  addInterest(interest: Interest): void {
    this.#interests.add(interest)
  }

  removeInterest(interest: Interest): void {
    this.#interests.delete(interest)
  }

  /**
   * Asks for the metadata of all topics of interest. Calls during a request share the one that
   * follows it. @throws KafkaError when no broker answers.
   */
  refresh(): Promise<void> {
    if (this.#refresh !== undefined) {
      this.#refreshAgain = true
      return this.#refresh
    }
    const refresh = this.#refreshLoop().finally(() => {
      this.#refresh = undefined
    })
    this.#refresh = refresh
    return refresh
  }

  /** A connection to a broker of the metadata. @throws KafkaError */
  connectionTo(nodeId: number, purpose: string): Promise<BrokerConnection> {
    const node = this.#metadata.brokers.get(nodeId)
    if (node !== undefined) return this.connections.to(node, purpose)
    return Promise.reject(brokerError(Errors.LEADER_NOT_AVAILABLE, `broker ${nodeId}`))
  }

  /** A connection to whichever broker answers first, tried one after another. @throws KafkaError */
  async anyConnection(purpose: string): Promise<BrokerConnection> {
    const nodes = new Map<string, Address>()
    for (const node of [...this.#metadata.brokers.values(), ...this.settings.bootstrap]) {
      nodes.set(`${node.host}:${node.port}`, node)
    }
    for (const node of nodes.values()) {
      const open = this.connections.openTo(node, purpose)
      if (open !== undefined) return open
    }
    let lastError: unknown
    for (const address of this.#inOrderOfHope([...nodes.values()])) {
      try {
        return await this.connections.to(address, purpose)
      } catch (error) {
        if (!isRetriable(error)) throw error
        lastError = error
      }
    }
    const names = this.settings.bootstrap.map(({ host, port }) => `${host}:${port}`).join(', ')
    const text = `no broker of ${names} can be reached`
    throw clientError('NO_BROKER_REACHABLE', text, { cause: lastError })
  }

  /**
   * A connection to the controller; brokers before 0.10 name none, then to any. @throws KafkaError
   */
  async controllerConnection(purpose: string): Promise<BrokerConnection> {
    if (this.#metadata.controllerId < 0) await this.refresh()
    const { controllerId } = this.#metadata
    if (this.#metadata.brokers.has(controllerId)) return this.connectionTo(controllerId, purpose)
    throw brokerError(Errors.NOT_CONTROLLER, 'there is no controller')
  }

  /** Asks which broker coordinates a group. @throws KafkaError 15 and others, unretried. */
  async findCoordinator(groupId: string): Promise<BrokerNode> {
    const connection = await this.anyConnection('metadata')
    const version = connection.version(FindCoordinator, { max: 3 })
    const answer = await connection.request(FindCoordinator, version, { key: groupId })
    if (answer.errorCode !== Errors.NONE) {
      throw brokerError(answer.errorCode, `coordinator of group ${groupId}`, answer.errorMessage)
    }
    return { nodeId: answer.nodeId, host: answer.host, port: answer.port, rack: null }
  }

  /**
   * Runs `action` until it succeeds, it fails with what retrying does not mend, or time is up.
   * `retry` says which errors to try again after; metadata is refreshed before the next try.
   */
  async retrying<T>(action: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
    const { clock } = this.ports
    const deadlineMs = clock.monotonicMs() + (options.timeoutMs ?? this.settings.callTimeoutMs)
    const retry = options.retry ?? isRetriable
    for (let failures = 1; ; failures++) {
      try {
        return await action()
      } catch (error) {
        if (this.#closed || !retry(error)) throw error
        const waitMs = this.retryDelayMs(failures)
        if (clock.monotonicMs() + waitMs >= deadlineMs) throw error
        if (!this.mayRetry({ what: options.what ?? 'call', error, failures, waitMs })) throw error
        await delay(clock, waitMs)
        // Where no broker answers, the action will say so itself.
        await this.refresh().catch(() => undefined)
      }
    }
  }

  /** Asks the application, where it wants to be asked. */
  mayRetry(retry: Omit<Retry, 'error'> & { readonly error: unknown }): boolean {
    const { onRetry } = this.settings
    const { error } = retry
    if (onRetry === undefined || !(error instanceof KafkaError)) return true
    return onRetry({ ...retry, error }) !== 'giveUp'
  }

  retryDelayMs(failures: number): number {
    const chance = this.ports.random.below(0x10000) / 0x10000
    return backoffMs(this.settings.retryBackoff, failures, chance)
  }

  close(): void {
    this.#closed = true
    this.#ageTimer?.cancel()
    this.connections.close()
  }

  async #refreshLoop(): Promise<void> {
    do {
      this.#refreshAgain = false
      await this.#refreshOnce()
    } while (this.#refreshAgain && !this.#closed)
  }

  async #refreshOnce(): Promise<void> {
    const creating = new Set<string>()
    const others = new Set<string>()
    let all = false
    for (const { topics, allowAutoTopicCreation, allTopics } of this.#interests) {
      all ||= allTopics?.() === true
      for (const topic of topics) (allowAutoTopicCreation ? creating : others).add(topic)
    }
    for (const topic of creating) others.delete(topic)
    const connection = await this.#metadataConnection()
    if (all) await this.#ask(connection, 'all', false)
    if (creating.size > 0 || (others.size === 0 && !all)) {
      await this.#ask(connection, creating, true)
    }
    if (others.size > 0 && !all) await this.#ask(connection, others, false)
    if (!all) this.#metadata = keepTopics(this.#metadata, this.#interestingTopics())
    for (const interest of this.#interests) interest.onMetadata()
    this.#scheduleAge()
  }

  /** Of this moment: some may have come while answers were under way. */
  #interestingTopics(): ReadonlySet<string> {
    const names = new Set<string>()
    for (const { topics } of this.#interests) for (const topic of topics) names.add(topic)
    return names
  }

  /** Says once that no broker answers, and once that one does again. */
  async #metadataConnection(): Promise<BrokerConnection> {
    const { logger } = this.ports
    try {
      const connection = await this.anyConnection('metadata')
      if (this.#outage) logger.info(`broker ${connection.address} answers again`)
      this.#outage = false
      return connection
    } catch (error) {
      if (!this.#outage && !this.#closed) logger.warn(String(error))
      this.#outage = true
      throw error
    }
  }

  async #ask(
    connection: BrokerConnection,
    topics: ReadonlySet<string> | 'all',
    allowAutoTopicCreation: boolean,
  ): Promise<void> {
    const version = connection.version(Metadata, { max: 12 })
    const everything = version === 0 ? [] : null
    const answer = await connection.request(Metadata, version, {
      topics: topics === 'all' ? everything : [...topics].map((name) => ({ name })),
      // Versions below 4 cannot say no: the broker's own setting decides there.
      allowAutoTopicCreation: version >= 4 ? allowAutoTopicCreation : true,
    })
    if (answer.brokers.length === 0) return
    this.#metadata = mergeMetadata(this.#metadata, answer, { whole: topics === 'all' })
  }

  #scheduleAge(): void {
    this.#ageTimer?.cancel()
    if (this.#closed) return
    this.#ageTimer = this.ports.clock.schedule(this.settings.metadataMaxAgeMs, () => {
      this.refresh().catch((error: unknown) => {
        this.ports.logger.warn('metadata could not be refreshed', error)
        this.#scheduleAge()
      })
    })
  }

  /** Brokers that did not fail lately first; among equals in an order of chance. */
  #inOrderOfHope(addresses: readonly Address[]): Address[] {
    return addresses
      .map((address) => ({
        address,
        waitMs: this.connections.backoffLeftMs(address),
        draw: this.ports.random.below(0x10000),
      }))
      .sort((one, other) => one.waitMs - other.waitMs || one.draw - other.draw)
      .map(({ address }) => address)
  }
}
