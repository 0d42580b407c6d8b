import type { Coordination } from './coordination.ts'
import { Errors } from '../kafka/errors.ts'
import type { Ports } from '../runtime/service.ts'
import { isZooKeeperError, type ZooKeeperClient } from '../zookeeper/client/client.ts'
import type { BrokerSettings } from './config/broker.ts'
import { topicConfig, topicConfigProblem, type TopicConfig } from './config/topic.ts'
import { placeReplicas } from './controller/placement.ts'
import { readIfThere } from './controller/cluster-state.ts'
import type { MetadataCache } from './metadata-cache.ts'
import { randomTopicId } from './topic-ids.ts'
import { collidesWith, topicNameProblem } from './topic-names.ts'
import {
  decodeConfig,
  decodeConfigChange,
  encodeConfig,
  encodeTopic,
  paths,
  type TopicAssignment,
} from './znodes.ts'

export interface TopicCreation {
  readonly name: string
  /** -1: the broker's default. */
  readonly partitionCount: number
  readonly replicationFactor: number
  /** Replica ids per partition; empty: the broker places them. */
  readonly assignment: ReadonlyMap<number, readonly number[]>
  readonly configs: Readonly<Record<string, string>>
  readonly validateOnly: boolean
}

/** What came of a request about a topic: an error code with a sentence, or the topic as made. */
export interface TopicOutcome {
  readonly error: number
  readonly message: string | null
  readonly topicId: string | undefined
  readonly partitionCount: number
  readonly replicationFactor: number
}

/**
 * Topics as znodes: creation and deletion are written there for the controller to act on, and each
 * topic's own settings are read from there and kept up to date.
 */
export class TopicAdmin {
  readonly #ports: Pick<Ports, 'clock' | 'random' | 'logger'>
  readonly #coordination: Coordination
  readonly #metadata: MetadataCache
  readonly #settings: BrokerSettings
  readonly #configs = new Map<string, TopicConfig>()
  readonly #defaults: TopicConfig
  readonly #listeners = new Set<(topic: string) => void>()

  constructor(
    ports: Pick<Ports, 'clock' | 'random' | 'logger'>,
    coordination: Coordination,
    metadata: MetadataCache,
    settings: BrokerSettings,
  ) {
    this.#ports = ports
    this.#coordination = coordination
    this.#metadata = metadata
    this.#settings = settings
    this.#defaults = topicConfig({}, settings)
  }

  get #zookeeper(): ZooKeeperClient {
    return this.#coordination.session
  }

  configOf(topic: string): TopicConfig {
    return this.#configs.get(topic) ?? this.#defaults
  }

  /** Runs after a topic's settings changed. */
  onConfigChange(listener: (topic: string) => void): void {
    this.#listeners.add(listener)
  }

  /** Reads the settings of all topics, and from then on every change of them. */
  async start(): Promise<void> {
    await this.#watchChanges(-1)
    const { children } = await this.#zookeeper.getChildren(paths.configs('topics'))
    await Promise.all(children.map((topic) => this.#readConfig(topic)))
  }

  async #readConfig(topic: string): Promise<void> {
    const node = await readIfThere(this.#zookeeper, paths.config('topics', topic))
    const overrides = node === undefined ? {} : decodeConfig(node.data)
    if (Object.keys(overrides).length === 0) this.#configs.delete(topic)
    else this.#configs.set(topic, topicConfig(overrides, this.#settings))
    for (const listener of this.#listeners) listener(topic)
  }

  /** Applies the notifications above `seen`; each names an entity whose node is read anew. */
  async #watchChanges(seen: number): Promise<void> {
    let last = seen
    const again = (): void => {
      this.#watchChanges(last).catch((error: unknown) => {
        if (!isZooKeeperError(error)) throw error
        this.#ports.logger.warn('Could not read the changes of settings', error)
      })
    }
    const { children } = await this.#zookeeper.getChildren(paths.configChanges, again)
    for (const child of children.sort()) {
      const number = Number(/(\d+)$/.exec(child)?.[1] ?? -1)
      if (number <= last) continue
      last = number
      if (seen === -1) continue
      const node = await readIfThere(this.#zookeeper, `${paths.configChanges}/${child}`)
      const entity = node && decodeConfigChange(node.data)
      if (entity?.startsWith('topics/') === true) await this.#readConfig(entity.slice(7))
    }
  }

  /**
   * Writes a new topic's znodes; the controller then gives its partitions leaders. Checks are in the
   * original's order and words.
   */
  async create(creation: TopicCreation): Promise<TopicOutcome> {
    const problem = this.#problemOf(creation)
    if (problem !== undefined) return problem
    const partitions = this.#place(creation)
    const outcome = (topicId: string | undefined): TopicOutcome => ({
      error: Errors.NONE,
      message: null,
      topicId,
      partitionCount: partitions.size,
      replicationFactor: partitions.get(0)?.length ?? 0,
    })
    if (creation.validateOnly) return outcome(undefined)
    const topicId = randomTopicId(this.#ports.random)
    try {
      await this.#write(creation.name, { partitions, topicId }, creation.configs)
    } catch (error) {
      if (isZooKeeperError(error, 'NODEEXISTS')) return exists(creation.name)
      throw error
    }
    return outcome(topicId)
  }

  async #write(
    topic: string,
    assignment: TopicAssignment,
    configs: Readonly<Record<string, string>>,
  ): Promise<void> {
    const configPath = paths.config('topics', topic)
    const config = encodeConfig(configs)
    // Left behind by a creation that died half-way, an old node would bring back old settings.
    const hasConfig = (await this.#zookeeper.exists(configPath)) !== null
    await this.#zookeeper.multi([
      hasConfig
        ? { type: 'setData', path: configPath, data: config }
        : { type: 'create', path: configPath, data: config },
      { type: 'create', path: paths.topic(topic), data: encodeTopic(assignment) },
    ])
    await this.#readConfig(topic)
  }

  #problemOf(creation: TopicCreation): TopicOutcome | undefined {
    const { name, assignment } = creation
    const nameProblem = topicNameProblem(name)
    if (nameProblem !== undefined)
      return failed(Errors.INVALID_TOPIC_EXCEPTION, `Topic name is invalid: ${nameProblem}`)
    if (this.#metadata.topic(name) !== undefined) return exists(name)
    const other = collidesWith(name, this.#metadata.topics.keys())
    if (other !== undefined)
      return failed(
        Errors.INVALID_TOPIC_EXCEPTION,
        `Topic '${name}' collides with existing topics: ${other}`,
      )
    if (
      assignment.size > 0 &&
      (creation.partitionCount !== -1 || creation.replicationFactor !== -1)
    )
      return failed(
        Errors.INVALID_REQUEST,
        'Both numPartitions or replicationFactor and replicasAssignments were set. Both cannot be used at the same time.',
      )
    return this.#countProblem(creation) ?? this.#configProblem(creation)
  }

  #countProblem(creation: TopicCreation): TopicOutcome | undefined {
    const live = this.#metadata.brokers
    for (const replicas of creation.assignment.values()) {
      if (replicas.length === 0 || replicas.some((id) => !live.has(id)))
        return failed(Errors.INVALID_REPLICA_ASSIGNMENT, 'Unknown broker(s) in the assignment.')
    }
    for (let index = 0; index < creation.assignment.size; index += 1)
      if (!creation.assignment.has(index))
        return failed(Errors.INVALID_REPLICA_ASSIGNMENT, 'Partitions must be a 0-based sequence.')
    if (creation.assignment.size > 0) return undefined
    const { partitionCount, replicationFactor } = this.#counts(creation)
    if (partitionCount <= 0)
      return failed(Errors.INVALID_PARTITIONS, 'Number of partitions must be larger than 0.')
    if (replicationFactor <= 0)
      return failed(Errors.INVALID_REPLICATION_FACTOR, 'Replication factor must be larger than 0.')
    if (replicationFactor > live.size)
      return failed(
        Errors.INVALID_REPLICATION_FACTOR,
        `Replication factor: ${replicationFactor} larger than available brokers: ${live.size}.`,
      )
    return undefined
  }

  #configProblem(creation: TopicCreation): TopicOutcome | undefined {
    const problem = topicConfigProblem(creation.name, creation.configs, this.#settings)
    return problem === undefined ? undefined : failed(Errors.INVALID_CONFIG, problem)
  }

  #counts({ partitionCount, replicationFactor }: TopicCreation) {
    return {
      partitionCount: partitionCount === -1 ? this.#settings.numPartitions : partitionCount,
      replicationFactor:
        replicationFactor === -1 ? this.#settings.defaultReplicationFactor : replicationFactor,
    }
  }

  #place(creation: TopicCreation): ReadonlyMap<number, readonly number[]> {
    if (creation.assignment.size > 0) return creation.assignment
    const { partitionCount, replicationFactor } = this.#counts(creation)
    const brokers = [...this.#metadata.brokers.keys()]
    const start = {
      broker: this.#ports.random.below(brokers.length),
      shift: this.#ports.random.below(brokers.length),
    }
    const placed = placeReplicas(brokers, partitionCount, replicationFactor, start)
    return new Map(placed.map((replicas, index) => [index, replicas]))
  }

  /** Asks the controller to delete the topic. */
  async requestDeletion(topic: string): Promise<number> {
    if (this.#metadata.topic(topic) === undefined) return Errors.UNKNOWN_TOPIC_OR_PARTITION
    try {
      await this.#zookeeper.create(paths.topicDeletion(topic), Buffer.alloc(0), { stat: false })
    } catch (error) {
      if (!isZooKeeperError(error, 'NODEEXISTS')) throw error
    }
    return Errors.NONE
  }

  /** Resolves true when `isSo`, false when the time is up first. Looked at after each change. */
  settled(isSo: () => boolean, timeoutMs: number): Promise<boolean> {
    if (isSo()) return Promise.resolve(true)
    return new Promise((resolve) => {
      const finish = (result: boolean): void => {
        timer.cancel()
        forget()
        resolve(result)
      }
      const timer = this.#ports.clock.schedule(timeoutMs, () => finish(isSo()))
      const forget = this.#metadata.onChange(() => {
        if (isSo()) finish(true)
      })
    })
  }
}

function failed(error: number, message: string): TopicOutcome {
  return { error, message, topicId: undefined, partitionCount: -1, replicationFactor: -1 }
}

function exists(topic: string): TopicOutcome {
  return failed(Errors.TOPIC_ALREADY_EXISTS, `Topic '${topic}' already exists.`)
}
