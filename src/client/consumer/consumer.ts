// The consumer: what an application calls. Ties together group membership, positions and fetching,
// all of it driven by poll(), so that an application knows when its partitions may change.
import { clientError, isRetriable } from '../errors.ts'
import type { Cluster } from '../cluster.ts'
import { earliestTime, latestTime, lookUpAllOffsets } from '../offsets.ts'
import { Signal } from '../signal.ts'
import type { FoundOffset, TopicPartition } from '../types.ts'
import { type CommitContext, commitOffsets, fetchCommitted } from './commits.ts'
import { GroupCoordinator } from './coordinator.ts'
import { Fetcher } from './fetcher.ts'
import { outsider } from './group.ts'
import {
  type ConsumedPartition,
  confirm,
  jumpTo,
  jumpToUnknown,
  PartitionTable,
} from './partitions.ts'
import { findPositions } from './find-positions.ts'
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
} from './types.ts'

export class KafkaConsumer implements Consumer {
  readonly #cluster: Cluster
  readonly #settings: CompleteConsumerSettings
  readonly #purpose: string
  readonly #onClosed: (consumer: KafkaConsumer) => void
  readonly #table = new PartitionTable()
  readonly #fetcher: Fetcher
  readonly #coordinator: GroupCoordinator | undefined
  readonly #signal: Signal
  readonly #topics: TopicWatch
  readonly #assignedListeners: PartitionListener[] = []
  readonly #revokedListeners: PartitionListener[] = []
  #subscription: readonly string[] | undefined
  #finding = false
  #findError: unknown
  #polling = false
  #woken = false
  #lastCommitMs: number
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
    const { clock } = cluster.ports
    this.#signal = new Signal(clock)
    this.#lastCommitMs = clock.monotonicMs()
    const onChange = (): void => this.#signal.raise()
    this.#topics = new TopicWatch(cluster, this.#settings.allowAutoTopicCreation, onChange)
    this.#fetcher = new Fetcher(cluster, this.#settings, purpose, this.#table, {
      onChange,
      onStale: () => this.#topics.refreshSoon(),
    })
    const { groupId } = this.#settings
    this.#coordinator =
      groupId === undefined
        ? undefined
        : new GroupCoordinator(cluster, groupId, this.#settings, `group-${purpose}`, {
            onChange,
            onGroupTopics: (topics) => this.#topics.set(topics),
            onCounted: () => this.#topics.rememberCounts(),
          })
  }

  subscribe(topics: readonly string[]): void {
    this.#checkOpen()
    if (this.#coordinator === undefined) {
      throw clientError('INVALID_ARGUMENT', 'subscribe() needs a groupId')
    }
    if (this.#subscription === undefined && this.#table.size > 0) {
      throw clientError('INVALID_ARGUMENT', 'assign() was called before: use another consumer')
    }
    this.#subscription = [...new Set(topics)]
    this.#topics.set(topics)
    this.#coordinator.rejoin()
    this.#signal.raise()
  }

  assign(partitions: readonly TopicPartition[]): void {
    this.#checkOpen()
    if (this.#subscription !== undefined) {
      throw clientError('INVALID_ARGUMENT', 'subscribe() was called before: use another consumer')
    }
    this.#topics.set(partitions.map(({ topic }) => topic))
    this.#setPartitions(partitions)
    this.#signal.raise()
  }

  assignment(): readonly TopicPartition[] {
    return this.#table.list()
  }

  onAssigned(listener: PartitionListener): void {
    this.#assignedListeners.push(listener)
  }

  onRevoked(listener: PartitionListener): void {
    this.#revokedListeners.push(listener)
  }

  async poll(timeoutMs: number): Promise<readonly ConsumedRecord[]> {
    this.#checkOpen()
    if (this.#polling) throw clientError('INVALID_ARGUMENT', 'poll() is running already')
    const { clock } = this.#cluster.ports
    const deadlineMs = clock.monotonicMs() + timeoutMs
    this.#polling = true
    this.#coordinator?.setPolling(true)
    try {
      confirm(this.#table)
      this.#autoCommit()
      for (;;) {
        await this.#settleGroup()
        this.#throwFound()
        this.#findPositions()
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
    jumpTo(this.#assigned({ topic, partition }), offset)
    this.#afterJump()
  }

  seekToBeginning(partitions: readonly TopicPartition[] = this.#table.list()): void {
    for (const partition of partitions) jumpToUnknown(this.#assigned(partition), 'earliest')
    this.#afterJump()
  }

  seekToEnd(partitions: readonly TopicPartition[] = this.#table.list()): void {
    for (const partition of partitions) jumpToUnknown(this.#assigned(partition), 'latest')
    this.#afterJump()
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#assigned(partition).paused = true
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#assigned(partition).paused = false
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
    this.#rememberCommitted(wanted)
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

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#signal.raise()
    try {
      if (this.#settings.autoCommit) await this.#commitConfirmed()
      if (this.#subscription !== undefined) await this.#tell(this.#revokedListeners)
    } catch (error) {
      this.#cluster.ports.logger.warn('closing a consumer: its last commit failed', error)
    } finally {
      this.#fetcher.close()
      await this.#coordinator?.close()
      this.#topics.close()
      this.#cluster.connections.closePurpose(this.#purpose)
      this.#table.clear()
      this.#onClosed(this)
    }
  }

  /** Gives up, joins, takes over: as far as it goes without waiting for the coordinator. */
  async #settleGroup(): Promise<void> {
    const coordinator = this.#coordinator
    if (coordinator === undefined || this.#subscription === undefined) return
    const error = coordinator.takeError()
    if (coordinator.takeLost()) await this.#giveUp()
    if (error !== undefined) throw error
    if (this.#topicsChanged()) coordinator.rejoin()
    if (coordinator.needsJoin && this.#closing === undefined) {
      if (this.#settings.autoCommit) await this.#commitConfirmed().catch(this.#logCommit)
      await this.#giveUp()
      coordinator.join(this.#subscription)
    }
    const assigned = coordinator.takeAssigned()
    if (assigned === undefined) return
    this.#topics.add([...this.#subscription, ...assigned.map(({ topic }) => topic)])
    this.#setPartitions(assigned)
    await this.#tell(this.#assignedListeners)
  }

  async #giveUp(): Promise<void> {
    if (this.#table.size === 0) return
    try {
      await this.#tell(this.#revokedListeners)
    } finally {
      this.#setPartitions([])
    }
  }

  async #tell(listeners: readonly PartitionListener[]): Promise<void> {
    const partitions = this.#table.list()
    if (partitions.length === 0 && listeners === this.#revokedListeners) return
    for (const listener of listeners) await listener(partitions)
  }

  /** The leader of a group watches for new topics and partitions. */
  #topicsChanged(): boolean {
    const { phase, isLeader } = this.#coordinator?.membership ?? outsider
    return phase === 'stable' && isLeader && this.#topics.countsChanged()
  }

  #setPartitions(partitions: readonly TopicPartition[]): void {
    const need = this.#coordinator === undefined ? 'policy' : 'committed'
    this.#table.assign(partitions, need, this.#settings.partitionFetchBytesMax)
    this.#fetcher.sweep()
  }

  #assigned(partition: TopicPartition): ConsumedPartition {
    const state = this.#table.get(partition)
    if (state !== undefined) return state
    const name = `${partition.topic}-${partition.partition}`
    throw clientError('INVALID_ARGUMENT', `${name} is not assigned to this consumer`)
  }

  #afterJump(): void {
    this.#fetcher.sweep()
    this.#signal.raise()
  }

  /** Finds out where to begin, in the background; poll() goes on with the other partitions. */
  #findPositions(): void {
    const open = [...this.#table.values()].filter(({ need }) => need !== 'nothing')
    if (open.length === 0 || this.#finding || this.#cluster.isClosed) return
    this.#finding = true
    findPositions(open, {
      cluster: this.#cluster,
      settings: this.#settings,
      purpose: this.#purpose,
      isAssigned: (state) => this.#table.has(state),
      committed: (partitions) => fetchCommitted(this.#commitContext(), partitions),
    })
      .catch((error: unknown) => {
        if (!isRetriable(error)) this.#findError = error
        else this.#cluster.ports.logger.warn(`positions are not known yet: ${String(error)}`)
      })
      .finally(() => {
        this.#finding = false
        this.#signal.raise()
      })
  }

  #throwFound(): void {
    const error = this.#findError
    this.#findError = undefined
    if (error !== undefined) throw error
  }

  #autoCommit(): void {
    if (!this.#settings.autoCommit || this.#coordinator === undefined) return
    const nowMs = this.#cluster.ports.clock.monotonicMs()
    if (nowMs - this.#lastCommitMs < this.#settings.autoCommitIntervalMs) return
    this.#lastCommitMs = nowMs
    this.#commitConfirmed().catch(this.#logCommit)
  }

  readonly #logCommit = (error: unknown): void => {
    this.#cluster.ports.logger.warn(`offsets were not committed: ${String(error)}`)
  }

  /** Commits what earlier polls returned, and nothing of what the last one did. */
  async #commitConfirmed(): Promise<void> {
    const offsets: OffsetToCommit[] = []
    for (const state of this.#table.values()) {
      const offset = offsetOf(state, state.confirmed)
      if (offset !== undefined && state.confirmed !== state.committed) offsets.push(offset)
    }
    await commitOffsets(this.#commitContext(), offsets)
    this.#rememberCommitted(offsets)
  }

  #rememberCommitted(offsets: readonly OffsetToCommit[]): void {
    for (const offset of offsets) {
      const state = this.#table.get(offset)
      if (state !== undefined) state.committed = offset.offset
    }
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
      membership: () => (this.#subscription === undefined ? outsider : coordinator.membership),
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

function offsetOf(
  state: ConsumedPartition,
  offset: number | undefined,
): OffsetToCommit | undefined {
  if (offset === undefined) return undefined
  const { topic, partition, positionEpoch } = state
  return { topic, partition, offset, leaderEpoch: positionEpoch }
}
