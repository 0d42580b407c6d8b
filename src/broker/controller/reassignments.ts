/** Partitions move to other brokers: by API, or by the node that tools of 0.8 to 2.x write (KIP-455). */
import { Errors } from '../../kafka/errors.ts'
import {
  decodeReassignments,
  encodeReassignments,
  paths,
  type TopicPartition,
  type WantedReplicas,
} from '../znodes.ts'
import {
  isBeingReassigned,
  originOf,
  settled,
  targetOf,
  type KnownPartition,
  type ReplicaAssignment,
} from './cluster.ts'
import { readIfThere } from './cluster-state.ts'
import type { Desk } from './desk.ts'
import { OrderBatch } from './order-batch.ts'
import {
  electAmong,
  electAtCompletion,
  isComplete,
  keptBy,
  planReassignment,
  revertRefusal,
  type Refusal,
} from './reassignment-plan.ts'

/** null cancels what is under way. */
export interface WantedReassignment extends TopicPartition {
  readonly replicas: readonly number[] | null
}

export interface OngoingReassignment extends TopicPartition, ReplicaAssignment {}

export interface ReassignmentHelpers {
  /** Writes a topic's node as it is known. */
  readonly rewrite: (topic: string) => Promise<void>
  readonly isBeingDeleted: (topic: string) => boolean
  /** A deletion may have waited for this. */
  readonly finished: () => Promise<void>
}

const fine: Refusal = { error: Errors.NONE, message: '' }

export class Reassignments {
  readonly #desk: Desk
  readonly #helpers: ReassignmentHelpers
  readonly #ongoing = new Set<KnownPartition>()
  /** What the node of old tools still lists. */
  #listed: readonly WantedReplicas[] = []

  constructor(desk: Desk, helpers: ReassignmentHelpers) {
    this.#desk = desk
    this.#helpers = helpers
  }

  readonly #nodeDue = (): void => this.#desk.enqueue('partition reassignment', () => this.look())
  readonly #stateDue = ({ path }: { readonly path: string }): void => {
    const [, , , topic = '', , index] = path.split('/')
    this.#desk.enqueue('in-sync set of a reassigned partition', async () => {
      const partition = this.#desk.cluster.partition(topic, Number(index))
      if (partition !== undefined && this.#ongoing.has(partition)) await this.#progress([partition])
    })
  }

  /** Those that are under way, in no particular order. */
  get ongoing(): OngoingReassignment[] {
    return [...this.#ongoing].map(({ topic, index, assignment }) => ({
      ...{ topic, partition: index },
      ...assignment,
    }))
  }

  /** As a term begins: what an earlier one began goes on. */
  async begin(): Promise<void> {
    for (const partition of this.#desk.cluster.partitions())
      if (isBeingReassigned(partition.assignment)) this.#ongoing.add(partition)
    await this.resume()
    await this.look()
  }

  /** Brokers came: what waited for them goes on. */
  async resume(): Promise<void> {
    await this.#progress([...this.#ongoing])
  }

  /** Reads the node of old tools. */
  async look(): Promise<void> {
    const { zookeeper, ports } = this.#desk
    if ((await zookeeper.exists(paths.reassignments, this.#nodeDue)) === null) {
      this.#listed = []
      return
    }
    const node = await readIfThere(zookeeper, paths.reassignments)
    const listed = node && decodeReassignments(node.data)
    if (node === undefined) return
    if (listed === undefined)
      ports.logger.warn(`${paths.reassignments} is no list of reassignments; it is removed`)
    const before = this.#listed
    this.#listed = listed ?? []
    const isNews = (one: WantedReplicas) => !before.some((other) => isSame(one, other))
    const refusals = await this.alter(this.#listed.filter(isNews), 'node')
    for (const [{ topic, partition }, { error, message }] of refusals)
      if (error !== Errors.NONE)
        ports.logger.warn(`Reassignment of ${topic}-${partition} is refused: ${message}`)
    const isRefused = (one: WantedReplicas) =>
      [...refusals].some(([other, { error }]) => error !== Errors.NONE && isSame(one, other))
    await this.#list(this.#listed.filter((one) => !isRefused(one) && this.#isOngoing(one)))
  }

  #isOngoing({ topic, partition }: TopicPartition): boolean {
    const known = this.#desk.cluster.partition(topic, partition)
    return known !== undefined && this.#ongoing.has(known)
  }

  /** What the node is to list from now on; it goes with the last. */
  async #list(listed: readonly WantedReplicas[]): Promise<void> {
    const { office } = this.#desk
    const isLess = listed.length < this.#listed.length
    this.#listed = listed
    if (listed.length === 0) await office.remove([paths.reassignments])
    else if (isLess) {
      const data = encodeReassignments(listed)
      await office.write([{ type: 'setData', path: paths.reassignments, data }])
    }
  }

  /**
   * Begins, replaces or cancels reassignments; an outcome for each. Topics are written once each, however
   * many of their partitions move.
   */
  async alter<W extends WantedReassignment>(
    wanted: readonly W[],
    from: 'node' | 'request',
  ): Promise<Map<W, Refusal>> {
    const { cluster, states } = this.#desk
    const knownOf = ({ topic, partition }: W) => cluster.partition(topic, partition)
    await states.refresh(wanted.map(knownOf).filter((one) => one !== undefined))
    const outcomes = new Map<W, Refusal>()
    const plans = new Map<KnownPartition, ReplicaAssignment>()
    for (const one of wanted) {
      const plan = this.#plan(one)
      outcomes.set(one, 'error' in plan ? plan : fine)
      const partition = knownOf(one)
      if (partition !== undefined && !('error' in plan)) plans.set(partition, plan)
    }
    const begun = await this.#adopt(plans)
    for (const one of wanted) {
      const partition = knownOf(one)
      const isLate = partition !== undefined && plans.has(partition) && !begun.has(partition)
      if (isLate) outcomes.set(one, revertRefusal(one.topic, one.partition))
    }
    if (from === 'request' && this.#listed.length > 0) {
      const isOverruled = ({ topic, partition }: TopicPartition) => {
        const known = cluster.partition(topic, partition)
        return known !== undefined && begun.has(known)
      }
      await this.#list(this.#listed.filter((one) => !isOverruled(one)))
    }
    return outcomes
  }

  /**
   * Replicas that are dropped leave the in-sync sets before anybody is told to remove their data: a set
   * that names one without data would make it a leader. Returns the partitions that are on their way.
   */
  async #adopt(
    plans: ReadonlyMap<KnownPartition, ReplicaAssignment>,
  ): Promise<Set<KnownPartition>> {
    const { cluster, states } = this.#desk
    const keptOf = (one: KnownPartition) => keptBy(one.assignment, plans.get(one))
    await states.change(plans.keys(), (one) =>
      electAmong(cluster.electionFacts(one), keptOf(one), one.state?.leader ?? -1),
    )
    const begun = new Set<KnownPartition>()
    const removals: [KnownPartition, readonly number[]][] = []
    for (const [partition, plan] of plans) {
      const { topic, index, assignment: before, state } = partition
      const kept = keptOf(partition)
      // Its leader took all others out of the set a moment ago.
      if (state?.isr.some((id) => !kept.includes(id)) === true) continue
      cluster.setAssignment(topic, index, plan)
      removals.push([partition, before.replicas.filter((id) => !plan.replicas.includes(id))])
      begun.add(partition)
      this.#ongoing.add(partition)
    }
    const topics = new Set([...begun].map(({ topic }) => topic))
    await Promise.all([...topics].map((topic) => this.#helpers.rewrite(topic)))
    this.#remove(removals)
    await this.#progress([...begun])
    return begun
  }

  #plan({ topic, partition: index, replicas }: WantedReassignment): Refusal | ReplicaAssignment {
    const { cluster } = this.#desk
    const partition = cluster.partition(topic, index)
    if (partition === undefined)
      return {
        error: Errors.UNKNOWN_TOPIC_OR_PARTITION,
        message: 'The partition does not exist.',
      }
    if (this.#helpers.isBeingDeleted(topic))
      return { error: Errors.UNKNOWN_TOPIC_OR_PARTITION, message: 'The topic is being deleted.' }
    const { assignment, state } = partition
    const plan = planReassignment(assignment, replicas, [...cluster.brokers.keys()])
    if ('error' in plan || state === undefined) return plan
    const kept = keptBy(assignment, plan)
    return state.isr.some((id) => kept.includes(id)) ? plan : revertRefusal(topic, index)
  }

  /** Completes those whose targets have caught up; tells the brokers of the others to go on. */
  async #progress(partitions: readonly KnownPartition[]): Promise<void> {
    const { cluster, states, zookeeper } = this.#desk
    const present = partitions.filter((one) => cluster.partition(one.topic, one.index) === one)
    const known = new Set(present)
    for (const one of partitions) if (!known.has(one)) this.#ongoing.delete(one)
    // The watch comes first: what changes after the read is looked at again.
    const watched = present.map(({ topic, index }) =>
      zookeeper.exists(paths.partitionState(topic, index), this.#stateDue),
    )
    await Promise.all(watched)
    await states.refresh(present)
    const isDone = ({ assignment, state }: KnownPartition) =>
      isComplete(assignment, state?.isr ?? [])
    await this.#complete(present.filter(isDone))
    await this.#spread(present.filter((one) => !isDone(one) && !this.#told.has(one.assignment)))
  }

  /** Assignments that all brokers concerned have been told of. */
  readonly #told = new WeakSet<ReplicaAssignment>()

  /** A new leader epoch, so that all replicas hear of each other; new ones begin to follow. */
  async #spread(partitions: readonly KnownPartition[]): Promise<void> {
    const { cluster, states } = this.#desk
    const changed = await states.change(partitions, ({ state }) =>
      state === undefined ? undefined : { leader: state.leader, isr: state.isr },
    )
    const batch = new OrderBatch(cluster)
    for (const partition of changed) {
      const { assignment } = partition
      this.#told.add(assignment)
      batch.lead(partition, originOf(assignment))
      batch.lead(partition, assignment.adding, true)
    }
    this.#desk.send(batch)
  }

  async #complete(partitions: readonly KnownPartition[]): Promise<void> {
    if (partitions.length === 0) return
    const { cluster, states, ports } = this.#desk
    // Where none of those that stay can lead now, it goes on when one is back.
    const changed = await states.change(partitions, (partition) =>
      electAtCompletion(
        cluster.electionFacts(partition),
        partition.assignment,
        partition.state?.leader ?? -1,
      ),
    )
    const removals: [KnownPartition, readonly number[]][] = []
    const lead = new OrderBatch(cluster)
    for (const partition of changed) {
      const { topic, index, assignment } = partition
      removals.push([partition, assignment.removing])
      cluster.setAssignment(topic, index, settled(targetOf(assignment)))
      lead.lead(partition, partition.assignment.replicas)
    }
    this.#desk.send(lead)
    this.#remove(removals)
    const topics = new Set(changed.map(({ topic }) => topic))
    await Promise.all([...topics].map((topic) => this.#helpers.rewrite(topic)))
    for (const partition of changed) {
      this.#ongoing.delete(partition)
      const name = `${partition.topic}-${partition.index}`
      ports.logger.info(`Reassignment of partition ${name} has completed`)
    }
    if (this.#listed.length > 0)
      await this.#list(this.#listed.filter((one) => this.#isOngoing(one)))
    await this.#helpers.finished()
  }

  /** These brokers stop following, then remove their data. */
  #remove(replicas: readonly (readonly [KnownPartition, readonly number[]])[]): void {
    const { cluster } = this.#desk
    const stop = new OrderBatch(cluster)
    const remove = new OrderBatch(cluster)
    for (const [partition, brokers] of replicas)
      for (const id of brokers) {
        stop.stop(id, partition)
        remove.remove(id, partition, false)
      }
    this.#desk.send(stop)
    this.#desk.send(remove)
  }
}

function isSame(one: WantedReplicas, other: WantedReplicas): boolean {
  return (
    one.topic === other.topic &&
    one.partition === other.partition &&
    one.replicas.join() === other.replicas.join()
  )
}
