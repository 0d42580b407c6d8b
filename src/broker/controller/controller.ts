import type { Ports } from '../../runtime/service.ts'
import { isZooKeeperError } from '../../zookeeper/client/client.ts'
import type { Coordination } from '../coordination.ts'
import type { Endpoint, TopicPartition } from '../znodes.ts'
import type { LiveBroker } from './cluster.ts'
import type { ControllerSettings } from './desk.ts'
import type { ElectionOutcome, ElectionType } from './elections.ts'
import type { ClosableLink } from './links.ts'
import { Office } from './office.ts'
import type { Refusal } from './reassignment-plan.ts'
import type { OngoingReassignment, WantedReassignment } from './reassignments.ts'
import { Term } from './term.ts'

export interface ControllerParts {
  readonly ports: Pick<Ports, 'clock' | 'random' | 'logger'>
  readonly coordination: Coordination
  /** A new link to a live broker, this one among them. */
  readonly openLink: (broker: LiveBroker) => ClosableLink
  /** Where brokers reach a broker. Undefined: it does not listen there. */
  readonly endpointOf: (broker: LiveBroker) => Endpoint | undefined
  /** A topic's id as this broker knows it, from its data or from what it was told. */
  readonly storedTopicId: (topic: string) => string | undefined
  /** Topics without an id get one. */
  readonly usesTopicIds: boolean
}

/** What a broker that asks to be relieved is told. */
export type Relief =
  | { readonly kind: 'relieved'; readonly remaining: readonly TopicPartition[] }
  | { readonly kind: 'unknown broker' }
  | { readonly kind: 'stale epoch' }

const retryDelayMs = 1000

/**
 * The one broker that decides who leads (kafka.md C). Events are handled one after another, each to its
 * end; one that fails means that what is known may be wrong, so the office is laid down, and taken
 * again with everything read anew.
 */
export class Controller {
  readonly #parts: ControllerParts
  readonly #settings: ControllerSettings
  readonly #office: Office
  /** Ids of topics this process has seen, for nodes that were written anew without theirs. */
  readonly #topicIds = new Map<string, string>()
  #tail: Promise<void> = Promise.resolve()
  #term: Term | undefined
  #isStopped = false
  #isRetrying = false

  constructor(parts: ControllerParts, settings: ControllerSettings) {
    this.#parts = parts
    this.#settings = settings
    const { coordination, ports } = parts
    this.#office = new Office({ ...ports, coordination }, settings.brokerId)
  }

  get isActive(): boolean {
    return this.#office.isHeld
  }

  /**
   * Resolves when somebody is the controller; if it is this broker, when it has described the cluster
   * and has done what it is to do itself.
   */
  async start(): Promise<void> {
    this.#electionDue()
    await this.#tail
    await this.#term?.obeyedHere()
    // What followed from the answers: topics that could be deleted at once are.
    await this.#tail
  }

  /** The session is, or may be, over: no decision is made any more until `start`. */
  layDown(): void {
    this.#office.layDown()
    this.#endTerm()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#tail
    this.layDown()
  }

  /** An outcome for each partition, of all where none are named. Undefined: this is not the controller. */
  electLeaders(
    partitions: readonly TopicPartition[] | null,
    type: ElectionType,
  ): Promise<ElectionOutcome[] | undefined> {
    return this.#ask('leader election', async ({ cluster, elections }) => {
      const all = () =>
        [...cluster.partitions()].map(({ topic, index }) => ({ topic, partition: index }))
      return elections.elect(partitions ?? all(), type)
    })
  }

  /** Undefined: this is not the controller. */
  alterReassignments<W extends WantedReassignment>(
    wanted: readonly W[],
  ): Promise<ReadonlyMap<W, Refusal> | undefined> {
    return this.#ask('partition reassignment', ({ reassignments }) =>
      reassignments.alter(wanted, 'request'),
    )
  }

  /** Undefined: this is not the controller. */
  listReassignments(): Promise<OngoingReassignment[] | undefined> {
    return this.#ask('list of reassignments', async ({ reassignments }) => reassignments.ongoing)
  }

  /**
   * A broker is about to stop (ControlledShutdown). `epoch` -1: it does not know its own. Undefined: this
   * is not the controller.
   */
  relieve(broker: number, epoch: bigint): Promise<Relief | undefined> {
    return this.#ask('controlled shutdown', async ({ cluster, membership }): Promise<Relief> => {
      const known = cluster.brokers.get(broker)
      if (known === undefined) return { kind: 'unknown broker' }
      if (epoch !== -1n && epoch < known.epoch) return { kind: 'stale epoch' }
      return { kind: 'relieved', remaining: await membership.relieve(broker) }
    })
  }

  /** Resolves when a deletion that was asked for is done, or waits for brokers that are down. */
  async deletionSettled(topic: string): Promise<void> {
    await this.#tail
    await this.#term?.deletions.whenSettled(topic)
  }

  /** Unclean election was allowed: of a topic, or (undefined) of all that do not say otherwise. */
  uncleanElectionAllowed(topic?: string): void {
    void this.#ask('unclean election', ({ elections }) => elections.uncleanAllowed(topic))
  }

  // A watcher, the same function every time, so that it is set once however often it is set.
  readonly #electionDue = (): void => this.#enqueue('election', () => this.#elect())

  /** Runs as an event; resolves to undefined where this is not the controller, or stops being it. */
  #ask<T>(what: string, action: (term: Term) => Promise<T>): Promise<T | undefined> {
    return new Promise((resolve) => {
      const event = async (): Promise<void> => {
        try {
          if (!this.#isStopped && this.#office.isHeld && this.#term !== undefined)
            resolve(await action(this.#term))
        } finally {
          resolve(undefined)
        }
      }
      this.#enqueue(what, event, () => resolve(undefined))
    })
  }

  #enqueue(what: string, action: () => Promise<void>, dropped?: () => void): void {
    this.#tail = this.#tail.then(async () => {
      if (this.#isStopped) {
        dropped?.()
        return
      }
      try {
        await action()
      } catch (error) {
        await this.#resign(what, error)
      }
    })
  }

  async #resign(what: string, error: unknown): Promise<void> {
    const { logger, clock } = this.#parts.ports
    if (this.#isStopped) return
    if (isZooKeeperError(error)) logger.warn(`Resigning: ${what} failed: ${error.message}`)
    else logger.error(`Resigning: ${what} failed`, error)
    this.#endTerm()
    await this.#office.giveUp()
    if (this.#isRetrying) return
    this.#isRetrying = true
    clock.schedule(retryDelayMs, () => {
      this.#isRetrying = false
      this.#electionDue()
    })
  }

  async #elect(): Promise<void> {
    const hasTaken = await this.#office.take(this.#electionDue)
    if (!this.#office.isHeld) this.#endTerm()
    if (!hasTaken) return
    this.#endTerm()
    const { ports, coordination, openLink, endpointOf } = this.#parts
    const { storedTopicId, usesTopicIds } = this.#parts
    const term = new Term({
      ...{ ports, openLink, endpointOf, office: this.#office, settings: this.#settings },
      zookeeper: coordination.session,
      topicIds: { seen: this.#topicIds, stored: storedTopicId, areUsed: usesTopicIds },
      enqueue: (what, action) => this.#enqueue(what, action),
    })
    this.#term = term
    await term.begin()
  }

  #endTerm(): void {
    this.#term?.end()
    this.#term = undefined
  }
}
