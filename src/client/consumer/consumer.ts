// The consumer: what an application calls. Ties together group membership, positions and fetching,
// all of it driven by poll(), so that an application knows when its partitions may change.
import type { Cluster } from '../cluster.ts'
import { clientError } from '../errors.ts'
import { earliestTime, latestTime, lookUpAllOffsets } from '../offsets.ts'
import { Signal } from '../signal.ts'
import type { FoundOffset, TopicPartition } from '../types.ts'
import { AutoCommit, offsetOf } from './auto-commit.ts'
import { type CommitContext, commitOffsets, fetchCommitted } from './commits.ts'
import { GroupCoordinator } from './coordinator.ts'
import { Fetcher } from './fetcher.ts'
import { PositionFinder } from './find-positions.ts'
import { outsider } from './group.ts'
import { type ConsumedPartition, PartitionTable } from './partitions.ts'
import { needed, Rebalance } from './rebalance.ts'
import { type CompleteConsumerSettings, completeConsumerSettings } from './settings.ts'
import { missingTopicIntervalMs, TopicWatch } from './topic-watch.ts'
import type {
  CommittedOffset,
  ConsumedRecord,
  Consumer,
  ConsumerSettings,
  OffsetToCommit,
  PartitionListener,
  PartitionTime,
  TopicPattern,
} from './types.ts'

/** How long closing may wait for the coordinator; Java's default. */
const closeTimeoutMs = 30_000

export class KafkaConsumer implements Consumer {
  readonly #cluster: Cluster
  readonly #settings: CompleteConsumerSettings
  readonly #purpose: string
  readonly #onClosed: (consumer: KafkaConsumer) => void
  readonly #table = new PartitionTable()
  readonly #fetcher: Fetcher
  readonly #positions: PositionFinder
  readonly #coordinator: GroupCoordinator | undefined
  readonly #rebalance: Rebalance | undefined
  readonly #autoCommit: AutoCommit
  readonly #signal: Signal
  readonly #topics: TopicWatch
  #polling = false
  #woken = false
  #closing: Promise<void> | undefined

  constructor(
    cluster: Cluster,
    settings: ConsumerSettings,
    purpose: string,
    onClosed: (consumer: KafkaConsumer) => void,
  ) {
    this.#cluster = cluster
    this.#settings = completeConsumerSettings(settings)
    this.#purpose = purpose
    this.#onClosed = onClosed
    const { clock, logger } = cluster.ports
    this.#signal = new Signal(clock)
    const onChange = (): void => this.#signal.raise()
    const onStale = (): void => this.#topics.refreshSoon()
    this.#topics = new TopicWatch(cluster, this.#settings.allowAutoTopicCreation, onChange)
    const table = this.#table
    this.#fetcher = new Fetcher(cluster, this.#settings, purpose, table, { onChange, onStale })
    this.#positions = new PositionFinder({
      cluster,
      settings: this.#settings,
      purpose,
      table,
      committed: (partitions) =>
        fetchCommitted(this.#commitContext(), partitions, { requireStable: true }),
      onChange,
      onStale,
    })
    const commit = (offsets: readonly OffsetToCommit[]): Promise<void> => this.commit(offsets)
    this.#autoCommit = new AutoCommit(this.#settings, { clock, logger, table, commit })
    const { groupId } = this.#settings
    if (groupId === undefined) return
    this.#coordinator = new GroupCoordinator(cluster, groupId, this.#settings, `group-${purpose}`, {
      onChange,
      onGroupTopics: (topics) => this.#topics.set(topics),
      onCounted: () => this.#topics.rememberCounts(),
    })
    this.#rebalance = new Rebalance({
      coordinator: this.#coordinator,
      settings: this.#settings,
      table,
      topics: this.#topics,
      commitBefore: () => this.#autoCommit.now(),
      isClosing: () => this.#closing !== undefined,
    })
  }

  subscribe(topics: readonly string[] | TopicPattern): void {
    this.#checkOpen()
    const rebalance = needed(this.#rebalance)
    if (!rebalance.isSubscribed && this.#table.size > 0) {
      throw clientError('INVALID_ARGUMENT', 'assign() was called before: unsubscribe() first')
    }
    rebalance.subscribe(topics)
    this.#signal.raise()
  }

  subscription(): readonly string[] {
    return this.#rebalance?.subscription ?? []
  }

  async unsubscribe(): Promise<void> {
    this.#checkOpen()
    if (this.#polling) throw clientError('INVALID_ARGUMENT', 'poll() is running')
    if (this.#rebalance?.isSubscribed === true) await this.#rebalance.unsubscribe()
    this.#table.clear()
    this.#topics.set([])
    this.#fetcher.pump()
  }

  assign(partitions: readonly TopicPartition[]): void {
    this.#checkOpen()
    if (this.#rebalance?.isSubscribed === true) {
      throw clientError('INVALID_ARGUMENT', 'subscribe() was called before: unsubscribe() first')
    }
    this.#topics.set(partitions.map(({ topic }) => topic))
    const need = this.#coordinator === undefined ? 'policy' : 'committed'
    this.#table.assign(partitions, need, this.#settings.partitionFetchBytesMax)
    this.#signal.raise()
  }

  assignment(): readonly TopicPartition[] {
    return this.#table.list()
  }

  onAssigned(listener: PartitionListener): void {
    this.#rebalance?.onAssigned(listener)
  }

  onRevoked(listener: PartitionListener): void {
    this.#rebalance?.onRevoked(listener)
  }

  async poll(timeoutMs: number): Promise<readonly ConsumedRecord[]> {
    this.#checkOpen()
    if (this.#polling) throw clientError('INVALID_ARGUMENT', 'poll() is running already')
    const { clock } = this.#cluster.ports
    const deadlineMs = clock.monotonicMs() + timeoutMs
    this.#polling = true
    this.#coordinator?.setPolling(true)
    try {
      this.#table.confirm()
      if (this.#coordinator !== undefined) this.#autoCommit.whenDue()
      for (;;) {
        await this.#rebalance?.settle()
        const error = this.#positions.takeError()
        if (error !== undefined) throw error
        this.#positions.start()
        const records = this.#fetcher.take(this.#settings.maxPollRecords)
        this.#fetcher.pump()
        const leftMs = deadlineMs - clock.monotonicMs()
        if (records.length > 0 || leftMs <= 0 || this.#woken) return records
        this.#topics.lookForMissing()
        await this.#signal.wait(Math.min(leftMs, missingTopicIntervalMs))
        if (this.#closing !== undefined) return []
      }
    } finally {
      this.#polling = false
      this.#woken = false
      this.#coordinator?.setPolling(false)
    }
  }

  wakeup(): void {
    this.#woken = this.#polling
    this.#signal.raise()
  }

  position(partition: TopicPartition): number | undefined {
    return this.#table.get(partition)?.position
  }

  seek(topic: string, partition: number, offset: number): void {
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw clientError('INVALID_ARGUMENT', `no offset to seek to: ${offset}`)
    }
    this.#table.jumpTo(this.#assigned({ topic, partition }), offset)
    this.#signal.raise()
  }

  seekToBeginning(partitions: readonly TopicPartition[] = this.#table.list()): void {
    for (const partition of partitions) {
      this.#table.jumpToUnknown(this.#assigned(partition), 'earliest')
    }
    this.#signal.raise()
  }

  seekToEnd(partitions: readonly TopicPartition[] = this.#table.list()): void {
    for (const partition of partitions) {
      this.#table.jumpToUnknown(this.#assigned(partition), 'latest')
    }
    this.#signal.raise()
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#table.setPaused(this.#assigned(partition), true)
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) {
      const state = this.#assigned(partition)
      this.#table.setPaused(state, false)
      this.#fetcher.resume(state)
    }
    this.#signal.raise()
  }

  paused(): readonly TopicPartition[] {
    return [...this.#table.values()]
      .filter((state) => state.paused)
      .map(({ topic, partition }) => ({ topic, partition }))
  }

  async commit(offsets?: readonly OffsetToCommit[]): Promise<void> {
    const context = this.#commitContext()
    const positions = [...this.#table.values()].map((state) => offsetOf(state, state.position))
    const wanted = offsets ?? positions.filter((offset) => offset !== undefined)
    await commitOffsets(context, wanted)
    for (const { topic, partition, offset } of wanted) {
      const state = this.#table.get({ topic, partition })
      if (state !== undefined) this.#table.noteCommitted(state, offset)
    }
  }

  committed(partitions: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    return fetchCommitted(this.#commitContext(), partitions)
  }

  beginningOffsets(partitions: readonly TopicPartition[]): Promise<FoundOffset[]> {
    return this.#lookUp(partitions.map((partition) => ({ ...partition, timestamp: earliestTime })))
  }

  endOffsets(partitions: readonly TopicPartition[]): Promise<FoundOffset[]> {
    return this.#lookUp(partitions.map((partition) => ({ ...partition, timestamp: latestTime })))
  }

  offsetsForTimes(times: readonly PartitionTime[]): Promise<FoundOffset[]> {
    return this.#lookUp(times)
  }

  lag(partition: TopicPartition): number | undefined {
    const state = this.#table.get(partition)
    if (state?.position === undefined || state.endOffset === undefined) return undefined
    return Math.max(0, state.endOffset - state.position)
  }

  close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.timeoutMs ?? closeTimeoutMs)
    return this.#closing
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#signal.raise()
    const late = new Signal(this.#cluster.ports.clock)
    const left = this.#giveBack().finally(() => late.raise())
    await Promise.race([left, late.wait(timeoutMs)])
    this.#fetcher.close()
    this.#coordinator?.end()
    this.#topics.close()
    this.#cluster.connections.closePurpose(this.#purpose)
    this.#table.clear()
    this.#onClosed(this)
  }

  /** Commits, tells the listeners, leaves the group. Never rejects. */
  async #giveBack(): Promise<void> {
    try {
      // What polls returned up to now is taken for processed, as Java's consumer takes it.
      this.#table.confirm()
      if (this.#coordinator !== undefined) await this.#autoCommit.now()
      if (this.#rebalance?.isSubscribed === true) await this.#rebalance.giveUpAll()
    } catch (error) {
      this.#cluster.ports.logger.warn('closing a consumer: a listener failed', error)
    }
    await this.#coordinator?.close()
  }

  #assigned(partition: TopicPartition): ConsumedPartition {
    const state = this.#table.get(partition)
    if (state !== undefined) return state
    const name = `${partition.topic}-${partition.partition}`
    throw clientError('INVALID_ARGUMENT', `${name} is not assigned to this consumer`)
  }

  #commitContext(): CommitContext {
    const coordinator = this.#coordinator
    if (coordinator === undefined) {
      throw clientError('INVALID_ARGUMENT', 'committed offsets need a groupId')
    }
    return {
      cluster: this.#cluster,
      groupId: coordinator.groupId,
      groupInstanceId: this.#settings.groupInstanceId,
      membership: () =>
        this.#rebalance?.isSubscribed === true ? coordinator.membership : outsider,
      connection: () => coordinator.connection(),
      forgetCoordinator: () => coordinator.forgetCoordinator(),
      onAnswer: (sent, errorCode) => coordinator.onAnswer(sent, errorCode),
    }
  }

  #lookUp(queries: readonly PartitionTime[]): Promise<FoundOffset[]> {
    const { isolationLevel } = this.#settings
    return lookUpAllOffsets(this.#cluster, queries, { purpose: this.#purpose, isolationLevel })
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw clientError('CLIENT_CLOSED', 'the consumer is closed')
  }
}
