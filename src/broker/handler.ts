import type { AnyApi, RequestOf, ResponseInputOf } from '../wire/schema.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Random } from '../runtime/random.ts'
import type { AnswerBudget } from './answer-budget.ts'
import type { ConfigStore } from './config-store.ts'
import type { BrokerSettings } from './config/broker.ts'
import type { Controller } from './controller/controller.ts'
import type { FetchSessions } from './fetching/sessions.ts'
import type { SessionWatches } from './fetching/watch.ts'
import type { GroupCoordinator } from './groups/coordinator.ts'
import type { LogDirectories } from './log-directories.ts'
import type { LogMoves } from './log-moves.ts'
import type { MetadataCache } from './metadata-cache.ts'
import type { ProducerIds } from './producer-ids.ts'
import type { OldOffsets } from './old-offsets.ts'
import type { Traffic } from './metrics/traffic.ts'
import type { Replicas } from './replication/replicas.ts'
import type { SliceReads } from './slice-records.ts'
import type { Subordinate } from './subordinate.ts'
import type { TopicAdmin } from './topic-admin.ts'
import type { TopicConfigs } from './topic-configs.ts'

/** What handlers work with: the broker's parts, by what they do. */
export interface BrokerParts {
  readonly brokerId: number
  readonly clusterId: string
  readonly settings: BrokerSettings
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metadata: MetadataCache
  readonly replicas: Replicas
  readonly directories: LogDirectories
  readonly moves: LogMoves
  readonly topics: TopicAdmin
  readonly configs: TopicConfigs
  readonly configStore: ConfigStore
  readonly groups: GroupCoordinator
  /** Decides who leads, while this broker is the controller. */
  readonly controller: Controller
  /** Obeys controllers. */
  readonly subordinate: Subordinate
  readonly producerIds: ProducerIds
  readonly answers: AnswerBudget
  readonly sliceReads: SliceReads
  readonly fetchSessions: FetchSessions
  readonly sessionWatches: SessionWatches
  /** Offsets of clients from before 0.8.2. */
  readonly oldOffsets: OldOffsets
  /** What topics have seen, for those who measure. */
  readonly traffic: Traffic
}

/** One request's surroundings. */
export interface RequestContext {
  readonly parts: BrokerParts
  readonly apiVersion: number
  readonly clientId: string | null
  readonly clientAddress: string
  /** The name of the listener that the client came in by. */
  readonly listener: string
}

/**
 * A handler's result. A plain body is sent at the end of the turn, after the turn's appends were
 * written; a Deferred is asked for its body at that moment; a promise or Parked holds the connection's
 * next request back until it is answered. `noAnswer` sends nothing, `closeConnection` ends the
 * connection.
 */
export type Outcome<Body> = Reply<Body> | Deferred<Body> | Parked<Body> | Promise<Reply<Body>>
export type Reply<Body> = Body | typeof noAnswer | typeof closeConnection
/** An outcome and a reply of whatever API. */
export type AnyOutcome = Outcome<AnyBody>
export type AnyReply = Reply<AnyBody>
export type AnyBody = Readonly<Record<string, unknown>>

export const noAnswer = Symbol('no answer')
export const closeConnection = Symbol('close connection')

/** A body that is known only when the turn's appends were written. */
export class Deferred<Body> {
  readonly take: () => Reply<Body>
  constructor(take: () => Reply<Body>) {
    this.take = take
  }
}

/** A request that waits for something to happen, as its connection holds it. */
export interface Waiting {
  /** Nobody is there for the answer any more: lets go of everything. */
  abandon(): void
  /** The client sends nothing more, or the broker stops: answers now, with what there is. */
  hurry(): void
}

/** An outcome that waits. It answers once, perhaps before `begin` returns. */
export class Parked<Body> {
  readonly begin: (answer: (reply: Reply<Body>) => void) => Waiting
  constructor(begin: (answer: (reply: Reply<Body>) => void) => Waiting) {
    this.begin = begin
  }
}

export interface Handler {
  readonly api: AnyApi
  /** The versions that are built, both inclusive. */
  readonly versions: readonly [number, number]
  /**
   * The request's bytes are those of the shared receive buffer, gone when the call returns. For the
   * hot path; every other handler gets a copy.
   */
  readonly inPlace: boolean
  readonly handle: (request: never, context: RequestContext) => AnyOutcome
}

/** Declares the handler of one API. `handle` never throws for what a client can cause. */
export function handler<A extends AnyApi>(
  api: A,
  versions: readonly [number, number],
  handle: (request: RequestOf<A>, context: RequestContext) => Outcome<ResponseInputOf<A>>,
  options: { readonly inPlace: boolean } = { inPlace: false },
): Handler {
  return { api, versions, inPlace: options.inPlace, handle }
}
