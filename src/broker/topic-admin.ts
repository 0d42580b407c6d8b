import type { Coordination } from './coordination.ts'
import { Errors } from '../kafka/errors.ts'
import type { Ports } from '../runtime/service.ts'
import { isZooKeeperError, MultiError, type ZooKeeperClient } from '../zookeeper/client/client.ts'
import type { BrokerSettings } from './config/broker.ts'
import { topicConfigProblem } from './config/topic.ts'
import { readIfThere } from './controller/cluster-state.ts'
import { lacksRacks, placeReplicas } from './controller/placement.ts'
import type { MetadataCache } from './metadata-cache.ts'
import { grow, partitionsMax, type TopicGrowth } from './topic-growth.ts'
import { randomTopicId } from './topic-ids.ts'
import { collidesWith, topicNameProblem } from './topic-names.ts'
import { decodeTopic, encodeConfig, encodeTopic, paths, type TopicAssignment } from './znodes.ts'

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

export type GrowthOutcome = Pick<TopicOutcome, 'error' | 'message'>

/** What came of a request about a topic: an error code with a sentence, or the topic as made. */
export interface TopicOutcome {
  readonly error: number
  readonly message: string | null
  readonly topicId: string | undefined
  readonly partitionCount: number
  readonly replicationFactor: number
}

/** Topics as znodes: creation and deletion are written there for the controller to act on. */
export class TopicAdmin {
  readonly #ports: Pick<Ports, 'clock' | 'random' | 'logger'>
  readonly #coordination: Coordination
  readonly #metadata: MetadataCache
  readonly #settings: BrokerSettings
  /** Names of the topics that are being written. */
  readonly #inCreation = new Set<string>()

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
  }

  get #zookeeper(): ZooKeeperClient {
    return this.#coordination.session
  }

  /** A request for it is under way: another one would come to the same. */
  isInCreation(topic: string): boolean {
    return this.#inCreation.has(topic)
  }

  /**
   * Writes a new topic's znodes; the controller then gives its partitions leaders. Checks are in the
   * original's order and words. Never rejects.
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
    const { name, configs } = creation
    const { usesTopicIds } = this.#settings.replication.level
    const topicId = usesTopicIds ? randomTopicId(this.#ports.random) : undefined
    this.#inCreation.add(name)
    try {
      await this.#write(name, { partitions, topicId }, configs)
      return outcome(topicId)
    } catch (error) {
      if (isZooKeeperError(error, 'NODEEXISTS')) return exists(name)
      return this.#coordinationFailed(`create topic ${name}`, error)
    } finally {
      this.#inCreation.delete(name)
    }
  }

  #coordinationFailed(what: string, error: unknown): TopicOutcome {
    this.#ports.logger.warn(`Could not ${what}`, error)
    // It may have been done all the same, and may be tried again: so says this error.
    if (isZooKeeperError(error, 'CONNECTIONLOSS') || isZooKeeperError(error, 'SESSIONEXPIRED'))
      return failed(Errors.REQUEST_TIMED_OUT, 'Coordination is away.')
    return failed(Errors.UNKNOWN_SERVER_ERROR, error instanceof Error ? error.message : null)
  }

  async #write(
    topic: string,
    assignment: TopicAssignment,
    configs: Readonly<Record<string, string>>,
  ): Promise<void> {
    const path = paths.config('topics', topic)
    const data = encodeConfig(configs)
    const made = {
      type: 'create',
      path: paths.topic(topic),
      data: encodeTopic(assignment),
    } as const
    for (let attempt = 0; ; attempt += 1) {
      // Left behind by a creation that died half-way, an old node would bring back old settings.
      const hasConfig = (await this.#zookeeper.exists(path)) !== null
      const type = hasConfig ? 'setData' : 'create'
      try {
        await this.#zookeeper.multi([{ type, path, data }, made])
        return
      } catch (error) {
        // It came or went since it was looked for: somebody makes or deletes the topic as well.
        const isConfig = error instanceof MultiError && error.index === 0
        if (!isConfig || attempt === attemptsMax) throw error
      }
    }
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
    if (creation.assignment.size > 0) return assignmentProblem(creation.assignment, live)
    const { partitionCount, replicationFactor } = this.#counts(creation)
    if (partitionCount <= 0)
      return failed(Errors.INVALID_PARTITIONS, 'Number of partitions must be larger than 0.')
    if (partitionCount > partitionsMax)
      return failed(
        Errors.INVALID_PARTITIONS,
        `Number of partitions must not be larger than ${partitionsMax}.`,
      )
    if (replicationFactor <= 0)
      return failed(Errors.INVALID_REPLICATION_FACTOR, 'Replication factor must be larger than 0.')
    if (replicationFactor > live.size)
      return failed(
        Errors.INVALID_REPLICATION_FACTOR,
        `Replication factor: ${replicationFactor} larger than available brokers: ${live.size}.`,
      )
    if (lacksRacks([...live.keys()], this.#rackOf))
      return failed(
        Errors.UNKNOWN_SERVER_ERROR,
        'Not all brokers have rack information for replica rack aware assignment.',
      )
    return undefined
  }

  readonly #rackOf = (id: number): string | null => this.#metadata.brokers.get(id)?.rack ?? null

  /** Whether there are brokers enough for a topic that is made without anybody saying how. */
  get canCreateByDefault(): boolean {
    return this.#settings.defaultReplicationFactor <= this.#metadata.brokers.size
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
      rackOf: this.#rackOf,
    }
    const placed = placeReplicas(brokers, partitionCount, replicationFactor, start)
    return new Map(placed.map((replicas, index) => [index, replicas]))
  }

  /** Writes a topic's added partitions; the controller then gives them leaders. Never rejects. */
  async grow(growth: TopicGrowth, validateOnly: boolean): Promise<GrowthOutcome | undefined> {
    const path = paths.topic(growth.topic)
    try {
      for (let attempt = 1; ; attempt += 1) {
        // A name that is no topic's may not even be a path.
        const isKnown = this.#metadata.topic(growth.topic) !== undefined
        const node = isKnown ? await readIfThere(this.#zookeeper, path) : undefined
        const current = node === undefined ? undefined : decodeTopic(node.data)
        const live = [...this.#metadata.brokers.keys()]
        const { assignment, refusal } = grow(growth, current, live, this.#rackOf)
        if (refusal !== undefined || validateOnly) return refusal
        try {
          await this.#zookeeper.setData(path, encodeTopic(assignment), node?.version ?? -1)
          return undefined
        } catch (error) {
          // Somebody else changed it: decided anew.
          if (!isZooKeeperError(error, 'BADVERSION') || attempt === attemptsMax) throw error
        }
      }
    } catch (error) {
      return this.#coordinationFailed(`add partitions to topic ${growth.topic}`, error)
    }
  }

  /** Asks the controller to delete the topic. Never rejects. */
  async requestDeletion(topic: string): Promise<number> {
    if (this.#metadata.topic(topic) === undefined) return Errors.UNKNOWN_TOPIC_OR_PARTITION
    try {
      await this.#zookeeper.create(paths.topicDeletion(topic), Buffer.alloc(0), { stat: false })
      return Errors.NONE
    } catch (error) {
      if (isZooKeeperError(error, 'NODEEXISTS')) return Errors.NONE
      return this.#coordinationFailed(`request the deletion of topic ${topic}`, error).error
    }
  }

  /** Resolves true when `isSo`, false when the time is up first. Looked at when the topic changes. */
  settled(topic: string, isSo: () => boolean, timeoutMs: number): Promise<boolean> {
    if (isSo()) return Promise.resolve(true)
    return new Promise((resolve) => {
      const finish = (result: boolean): void => {
        timer.cancel()
        forget()
        resolve(result)
      }
      const timer = this.#ports.clock.schedule(timeoutMs, () => finish(isSo()))
      const forget = this.#metadata.onTopicChange(topic, () => {
        if (isSo()) finish(true)
      })
    })
  }
}

const attemptsMax = 3

function assignmentProblem(
  assignment: TopicCreation['assignment'],
  live: { has(id: number): boolean },
): TopicOutcome | undefined {
  const refuse = (message: string) => failed(Errors.INVALID_REPLICA_ASSIGNMENT, message)
  const factor = assignment.get(0)?.length
  for (let index = 0; index < assignment.size; index += 1)
    if (!assignment.has(index)) return refuse('Partitions must be a 0-based sequence.')
  for (const [index, replicas] of assignment) {
    if (replicas.length === 0 || replicas.some((id) => !live.has(id)))
      return refuse('Unknown broker(s) in the assignment.')
    if (new Set(replicas).size < replicas.length)
      return refuse(`Duplicate brokers in the assignment of partition ${index}.`)
    if (replicas.length !== factor)
      return refuse('All partitions must have the same number of replicas.')
  }
  return undefined
}

function failed(error: number, message: string | null): TopicOutcome {
  return { error, message, topicId: undefined, partitionCount: -1, replicationFactor: -1 }
}

function exists(topic: string): TopicOutcome {
  return failed(Errors.TOPIC_ALREADY_EXISTS, `Topic '${topic}' already exists.`)
}
