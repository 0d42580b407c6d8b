// A group member's part in poll(): joins, gives partitions up and takes others over, and tells the
// application, which stands still while that happens. Eager groups give all up before they join;
// cooperative ones only what goes to another member, and join once more after that.
import { clientError } from '../errors.ts'
import type { TopicPartition } from '../types.ts'
import { isCooperative } from './assignors/table.ts'
import type { GroupCoordinator } from './coordinator.ts'
import type { PartitionTable } from './partitions.ts'
import type { CompleteConsumerSettings } from './settings.ts'
import type { TopicWatch } from './topic-watch.ts'
import type { PartitionListener, TopicPattern } from './types.ts'

export interface RebalanceContext {
  readonly coordinator: GroupCoordinator
  readonly settings: CompleteConsumerSettings
  readonly table: PartitionTable
  readonly topics: TopicWatch
  /** Commits what may be committed automatically, if that is wanted. Never rejects. */
  readonly commitBefore: () => Promise<void>
  readonly isClosing: () => boolean
}

export class Rebalance {
  readonly #context: RebalanceContext
  readonly #cooperative: boolean
  readonly #assignedListeners: PartitionListener[] = []
  readonly #revokedListeners: PartitionListener[] = []
  #topics: readonly string[] | undefined
  #pattern: TopicPattern | undefined
  /** What the join under way, or the last one, asked for. */
  #joinedWith: readonly string[] | undefined

  constructor(context: RebalanceContext) {
    this.#context = context
    this.#cooperative = isCooperative(context.settings.assignors)
  }

  get isSubscribed(): boolean {
    return this.#topics !== undefined || this.#pattern !== undefined
  }

  get subscription(): readonly string[] {
    return this.#topics ?? []
  }

  onAssigned(listener: PartitionListener): void {
    this.#assignedListeners.push(listener)
  }

  onRevoked(listener: PartitionListener): void {
    this.#revokedListeners.push(listener)
  }

  subscribe(wanted: readonly string[] | TopicPattern): void {
    const { coordinator, topics } = this.#context
    if ('test' in wanted) {
      this.#pattern = stateless(wanted)
      this.#topics = undefined
      topics.set([])
    } else {
      this.#pattern = undefined
      this.#topics = [...new Set(wanted)]
      topics.set(this.#topics)
    }
    topics.follow(this.#pattern)
    coordinator.rejoin()
  }

  async unsubscribe(): Promise<void> {
    const { coordinator, topics } = this.#context
    await this.giveUpAll()
    this.#pattern = undefined
    this.#topics = undefined
    this.#joinedWith = undefined
    topics.follow(undefined)
    topics.set([])
    await coordinator.leave()
  }

  /** As far as it goes without waiting for the coordinator. @throws KafkaError */
  async settle(): Promise<void> {
    if (!this.isSubscribed) return
    const { coordinator } = this.#context
    for (;;) {
      const error = coordinator.takeError()
      if (coordinator.takeLost()) await this.giveUpAll()
      if (error !== undefined) throw error
      this.#followPattern()
      if (this.#countsChanged()) coordinator.rejoin()
      if (coordinator.needsJoin && !(await this.#join())) return
      const assigned = coordinator.takeAssigned()
      if (assigned === undefined) return
      await this.#takeOver(assigned)
    }
  }

  async giveUpAll(): Promise<void> {
    await this.#giveUp(this.#context.table.list())
  }

  /** False where it must wait: the topics a pattern means are not known yet. */
  async #join(): Promise<boolean> {
    const { coordinator, table, topics, isClosing, commitBefore } = this.#context
    const wanted = this.#topics
    if (wanted === undefined) topics.refreshSoon()
    if (wanted === undefined || isClosing()) return false
    await commitBefore()
    const subscribed = new Set(wanted)
    const kept = (one: TopicPartition): boolean => this.#cooperative && subscribed.has(one.topic)
    await this.#giveUp(table.list().filter((one) => !kept(one)))
    this.#joinedWith = wanted
    coordinator.join(wanted, table.list())
    return true
  }

  async #takeOver(assigned: readonly TopicPartition[]): Promise<void> {
    const { coordinator, table, topics, commitBefore } = this.#context
    if (this.#joinedWith !== this.#topics) coordinator.rejoin()
    const unwanted = assigned.find(({ topic }) => !this.#wants(topic))
    // It was assigned by a subscription that has changed since; the next join will tell.
    if (unwanted !== undefined) {
      coordinator.rejoin()
      return
    }
    topics.add([...this.subscription, ...assigned.map(({ topic }) => topic)])
    const ours = new Set(assigned.map(nameOf))
    const revoked = table.list().filter((one) => !ours.has(nameOf(one)))
    if (revoked.length > 0) {
      await commitBefore()
      await this.#giveUp(revoked)
      coordinator.rejoin()
    }
    const added = assigned.filter((one) => table.get(one) === undefined)
    this.#setPartitions(assigned)
    for (const listener of this.#assignedListeners) await listener(added)
  }

  async #giveUp(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return
    const gone = new Set(partitions.map(nameOf))
    try {
      for (const listener of this.#revokedListeners) await listener(partitions)
    } finally {
      this.#setPartitions(this.#context.table.list().filter((one) => !gone.has(nameOf(one))))
    }
  }

  #setPartitions(partitions: readonly TopicPartition[]): void {
    const { table, settings } = this.#context
    table.assign(partitions, 'committed', settings.partitionFetchBytesMax)
  }

  #followPattern(): void {
    if (this.#pattern === undefined) return
    const { topics, coordinator, settings } = this.#context
    const matched = topics.matched(settings.excludeInternalTopics)
    if (matched === undefined || matched === this.#topics) return
    this.#topics = matched
    topics.set(matched)
    coordinator.rejoin()
  }

  #wants(topic: string): boolean {
    // A leader may know a topic that our metadata does not have yet.
    return this.#pattern?.test(topic) ?? this.subscription.includes(topic)
  }

  /** The leader of a group watches for new topics and partitions. */
  #countsChanged(): boolean {
    const { coordinator, topics } = this.#context
    const { phase, isLeader } = coordinator.membership
    return phase === 'stable' && isLeader && topics.countsChanged()
  }
}

/** A regular expression that remembers where it stopped would mean something else each time. */
function stateless(pattern: TopicPattern): TopicPattern {
  if (!(pattern instanceof RegExp) || !(pattern.global || pattern.sticky)) return pattern
  return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''))
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${partition} ${topic}`
}

/** @throws KafkaError where a group is needed and there is none */
export function needed(rebalance: Rebalance | undefined): Rebalance {
  if (rebalance !== undefined) return rebalance
  throw clientError('INVALID_ARGUMENT', 'subscribe() needs a groupId')
}
