// What is fetched from one broker: its session, one request at a time, and which partitions may be
// asked for. A partition with two chunks waiting for poll() stops the lane, rather than leave the
// request: the broker would let the request wait for the others while it could be read again.
import { Errors } from '../../kafka/errors.ts'
import { Fetch } from '../../kafka/messages/fetch.ts'
import type { ResponseOf } from '../../wire/schema.ts'
import type { BrokerConnection } from '../connection.ts'
import { brokerError } from '../errors.ts'
import type { BrokerNode } from '../types.ts'
import { FetchSession, type FetchTarget, type SessionRequest } from './fetch-session.ts'
import type { ConsumedPartition } from './partitions.ts'
import type { CompleteConsumerSettings } from './settings.ts'

export type PartitionData = ResponseOf<typeof Fetch>['responses'][number]['partitions'][number]

/** One partition of an answer, with what was asked for it. */
export interface Answered {
  readonly state: ConsumedPartition
  /** The partition's count of jumps when it was asked for. */
  readonly jumps: number
  readonly offset: number
  readonly data: PartitionData
}

export interface LaneContext {
  readonly settings: CompleteConsumerSettings
  readonly requestTimeoutMs: number
  readonly connect: (node: BrokerNode) => Promise<BrokerConnection>
  /** What to ask for it now; undefined: nothing. */
  readonly targetOf: (state: ConsumedPartition) => FetchTarget | undefined
}

const chunksOfPartitionMax = 2
/** Fetches by topic id; the session hint of version 18 is for followers. */
const firstVersionById = 13
const newestVersion = 17

export class FetchLane {
  readonly node: BrokerNode
  readonly #context: LaneContext
  readonly #session = new FetchSession<ConsumedPartition>()
  /** May be fetched now. In an order that turns: brokers fill answers in the order asked. */
  readonly #ready = new Set<ConsumedPartition>()
  readonly #full = new Set<ConsumedPartition>()
  /** May differ from what the session has. */
  readonly #dirty = new Set<ConsumedPartition>()
  readonly #withoutId = new Set<ConsumedPartition>()
  /** Topic ids that the broker said it did not know. */
  readonly #unknownIds = new Set<string>()
  /** The broker speaks of ids and knows none: it shares a cluster with others, at an older level. */
  #knowsNoIds = false
  readonly #askedAt = new Map<ConsumedPartition, { jumps: number; offset: number }>()
  #asking = false

  constructor(node: BrokerNode, context: LaneContext) {
    this.node = node
    this.#context = context
  }

  get isIdle(): boolean {
    return !this.#asking && this.#ready.size === 0 && this.#session.size === 0
  }

  get mayFetch(): boolean {
    return !this.#asking && this.#ready.size > 0 && this.#full.size === 0
  }

  /** Something about a partition changed that this lane fetches. */
  touch(state: ConsumedPartition): void {
    this.#dirty.add(state)
    const target = this.#context.targetOf(state)
    if (target === undefined) this.#ready.delete(state)
    else this.#ready.add(state)
    mark(this.#withoutId, state, target !== undefined && target.topicId === undefined)
    const full = target !== undefined && state.buffered >= chunksOfPartitionMax
    mark(this.#full, state, full)
  }

  /** It is fetched elsewhere, or not at all. */
  remove(state: ConsumedPartition): void {
    this.#ready.delete(state)
    this.#full.delete(state)
    this.#withoutId.delete(state)
    this.#dirty.add(state)
  }

  /**
   * One request and its answer. @throws KafkaError; the session begins anew then, and `onFailed` of
   * the caller must see to the partitions.
   */
  async fetch(onAnswered: (answered: Answered) => void): Promise<void> {
    this.#asking = true
    try {
      const connection = await this.#context.connect(this.node)
      const request = this.#next(connection)
      const answer = await this.#ask(connection, request)
      this.#onSession(answer)
      for (const { topic, topicId, partitions } of answer.responses) {
        for (const data of partitions) {
          const state = request.asked.get(request.byId ? topicId : topic, data.partitionIndex)
          const asked = state === undefined ? undefined : this.#askedAt.get(state)
          if (state !== undefined && asked !== undefined) onAnswered({ state, ...asked, data })
          if (request.byId && data.errorCode === Errors.UNKNOWN_TOPIC_ID) this.#onUnknownId(topicId)
        }
      }
    } catch (error) {
      this.#session.onFailure()
      throw error
    } finally {
      this.#asking = false
    }
  }

  /** Once may be a topic that the broker is yet to hear of; the same id again is no such thing. */
  #onUnknownId(topicId: string): void {
    if (this.#unknownIds.has(topicId)) this.#knowsNoIds = true
    this.#unknownIds.add(topicId)
  }

  /** Those that would be asked for next. */
  ready(): Iterable<ConsumedPartition> {
    return this.#ready
  }

  #next(connection: BrokerConnection): SessionRequest<ConsumedPartition> {
    const newest = connection.version(Fetch, { max: newestVersion })
    const oldest = connection.versionIfAny(Fetch, { max: firstVersionById - 1 })
    const isEachKnown = this.#withoutId.size === 0 && !this.#knowsNoIds
    const canGoById = newest >= firstVersionById && isEachKnown
    this.#session.useIds(canGoById || oldest === undefined)
    if (this.#session.isFull) this.#rotate()
    const target = (state: ConsumedPartition): FetchTarget | undefined => {
      return this.#ready.has(state) ? this.#context.targetOf(state) : undefined
    }
    const isFull = this.#session.isFull
    const request = this.#session.next(this.#dirty, this.#ready, target)
    if (isFull) this.#askedAt.clear()
    for (const state of isFull ? this.#ready : this.#dirty) {
      if (!this.#ready.has(state)) this.#askedAt.delete(state)
      else this.#askedAt.set(state, { jumps: state.jumps, offset: state.fetchOffset })
    }
    this.#dirty.clear()
    return request
  }

  /** Where every request names all partitions, another one comes first each time. */
  #rotate(): void {
    const [first] = this.#ready
    if (first === undefined) return
    this.#ready.delete(first)
    this.#ready.add(first)
  }

  async #ask(
    connection: BrokerConnection,
    request: SessionRequest<ConsumedPartition>,
  ): Promise<ResponseOf<typeof Fetch>> {
    const { settings, requestTimeoutMs } = this.#context
    const max = request.byId ? newestVersion : firstVersionById - 1
    const version = connection.version(Fetch, { max })
    const { sessionId, sessionEpoch } = request
    const answer = await connection.request(
      Fetch,
      version,
      {
        maxWaitMs: settings.fetchMaxWaitMs,
        minBytes: settings.fetchMinBytes,
        maxBytes: settings.fetchBytesMax,
        isolationLevel: settings.isolationLevel === 'read_committed' ? 1 : 0,
        sessionId,
        sessionEpoch,
        topics: askedTopics(request),
        forgottenTopicsData: version >= 7 ? forgottenTopics(request) : [],
        rackId: settings.rackId,
      },
      { timeoutMs: requestTimeoutMs + settings.fetchMaxWaitMs },
    )
    // Before sessions every request is the first.
    return version >= 7 ? answer : { ...answer, sessionId: 0 }
  }

  /** @throws KafkaError also where the session is gone or out of step: the next begins another. */
  #onSession({ errorCode, sessionId }: ResponseOf<typeof Fetch>): void {
    if (errorCode === Errors.NONE) {
      this.#session.onAnswer(sessionId)
      return
    }
    const unknownId = errorCode === Errors.FETCH_SESSION_ID_NOT_FOUND
    this.#session.onFailure({ unknownId })
    throw brokerError(errorCode, 'Fetch')
  }
}

function askedTopics({ wanted, byId }: SessionRequest<ConsumedPartition>): {
  topic: string
  topicId?: string
  partitions: {
    partition: number
    currentLeaderEpoch: number
    fetchOffset: number
    partitionMaxBytes: number
  }[]
}[] {
  return byTopic(wanted).map((targets) => ({
    ...namesOf(targets[0], byId),
    partitions: targets.map(({ partition, leaderEpoch, fetchOffset, bytesMax }) => ({
      partition,
      currentLeaderEpoch: leaderEpoch,
      fetchOffset,
      partitionMaxBytes: bytesMax,
    })),
  }))
}

function forgottenTopics({ forgotten, byId }: SessionRequest<ConsumedPartition>): {
  topic: string
  topicId?: string
  partitions: number[]
}[] {
  return byTopic(forgotten).map((targets) => ({
    ...namesOf(targets[0], byId),
    partitions: targets.map(({ partition }) => partition),
  }))
}

function namesOf(
  target: FetchTarget | undefined,
  byId: boolean,
): { topic: string; topicId?: string } {
  const { topic = '', topicId } = target ?? {}
  return byId && topicId !== undefined ? { topic, topicId } : { topic }
}

/** A topic's id is part of what it is. */
function byTopic(targets: readonly FetchTarget[]): FetchTarget[][] {
  const topics = new Map<string, FetchTarget[]>()
  for (const target of targets) {
    const key = `${target.topicId ?? ''} ${target.topic}`
    const known = topics.get(key)
    if (known === undefined) topics.set(key, [target])
    else known.push(target)
  }
  return [...topics.values()]
}

function mark(set: Set<ConsumedPartition>, state: ConsumedPartition, isIn: boolean): void {
  if (isIn) set.add(state)
  else set.delete(state)
}
