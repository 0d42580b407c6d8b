// A group member's dealings with its coordinator: finds it, joins and syncs, keeps the heart
// beating, commits and fetches offsets. What the answers mean is decided in group.ts.
import { Errors } from '../../kafka/errors.ts'
import { Heartbeat } from '../../kafka/messages/heartbeat.ts'
import { JoinGroup } from '../../kafka/messages/join-group.ts'
import { LeaveGroup } from '../../kafka/messages/leave-group.ts'
import { SyncGroup } from '../../kafka/messages/sync-group.ts'
import { delay, type Timer } from '../../runtime/clock.ts'
import type { ResponseOf } from '../../wire/schema.ts'
import type { Cluster } from '../cluster.ts'
import type { BrokerConnection } from '../connection.ts'
import { brokerError, clientError, isRetriable, KafkaError } from '../errors.ts'
import type { BrokerNode, TopicPartition } from '../types.ts'
import type { LastAssignment } from './assignors/assignor.ts'
import { assignors } from './assignors/table.ts'
import * as group from './group.ts'
import { assignAll, type LeaderEvents, type MemberAssignment } from './leader.ts'
import { decodeAssignment, encodeSubscription } from './protocol.ts'
import type { CompleteConsumerSettings } from './settings.ts'

export interface CoordinatorEvents extends LeaderEvents {
  /** A join ended, the group rebalances, or partitions are lost: poll() should look. */
  readonly onChange: () => void
}

/** Brokers before 0.10.1 allow no longer session than this. */
const oldSessionTimeoutMsMax = 30_000
/** How much longer than the rebalance itself its answer may take. */
const joinAnswerSlackMs = 5000

export class GroupCoordinator {
  readonly groupId: string
  readonly #cluster: Cluster
  readonly #settings: CompleteConsumerSettings
  readonly #purpose: string
  readonly #events: CoordinatorEvents
  #membership: group.Membership = group.outsider
  #node: BrokerNode | undefined
  #joining = false
  #assigned: readonly TopicPartition[] | undefined
  #lost = false
  #error: KafkaError | undefined
  /** What sticky assignors are told; it outlives the membership. */
  #last: LastAssignment | undefined
  /** What a cooperative member holds on to while it joins, and since which generation. */
  #owned: readonly TopicPartition[] = []
  #ownedGeneration = group.outsider.generationId
  /** Goes up with every join and leave, so that one that was given up ends. */
  #round = 0
  #sessionTimeoutMs: number
  #heartbeatTimer: Timer | undefined
  #lastPollMs = 0
  #polling = false
  #closed = false
  /** No request any more, not even to leave. */
  #ended = false

  constructor(
    cluster: Cluster,
    groupId: string,
    settings: CompleteConsumerSettings,
    purpose: string,
    events: CoordinatorEvents,
  ) {
    this.#cluster = cluster
    this.groupId = groupId
    this.#settings = settings
    this.#purpose = purpose
    this.#events = events
    this.#sessionTimeoutMs = settings.sessionTimeoutMs
  }

  get membership(): group.Membership {
    return this.#membership
  }

  /** The next poll() must give up the partitions and join. */
  get needsJoin(): boolean {
    const { phase } = this.#membership
    return (
      !this.#joining &&
      this.#assigned === undefined &&
      (phase === 'unjoined' || phase === 'rebalancing')
    )
  }

  get isJoining(): boolean {
    return this.#joining
  }

  /** True once after partitions were lost without a chance to commit. */
  takeLost(): boolean {
    const lost = this.#lost
    this.#lost = false
    return lost
  }

  /** The assignment of a join that ended since the last call. */
  takeAssigned(): readonly TopicPartition[] | undefined {
    const assigned = this.#assigned
    this.#assigned = undefined
    return assigned
  }

  /** What ended the last join for good. */
  takeError(): KafkaError | undefined {
    const error = this.#error
    this.#error = undefined
    return error
  }

  /** poll() begins or ends: a member that does not poll for too long leaves. */
  setPolling(polling: boolean): void {
    this.#polling = polling
    this.#lastPollMs = this.#cluster.ports.clock.monotonicMs()
  }

  /**
   * Begins to join with these topics, holding on to these partitions where the group is
   * cooperative; onChange follows.
   */
  join(topics: readonly string[], owned: readonly TopicPartition[]): void {
    if (this.#joining || this.#closed) return
    this.#joining = true
    this.#owned = owned
    this.#heartbeatTimer?.cancel()
    this.#membership = group.beginJoin(this.#membership)
    void this.#joinLoop(topics)
  }

  /** The subscription changed. */
  rejoin(): void {
    this.#membership = group.wantRebalance(this.#membership)
  }

  /** A connection to the coordinator. @throws KafkaError */
  async connection(): Promise<BrokerConnection> {
    if (this.#ended) throw clientError('CLIENT_CLOSED', 'the consumer is closed')
    this.#node ??= await this.#cluster.findCoordinator(this.groupId)
    const node = this.#node
    try {
      return await this.#cluster.connections.to(node, this.#purpose)
    } catch (error) {
      this.forgetCoordinator()
      throw error
    }
  }

  forgetCoordinator(): void {
    this.#node = undefined
  }

  /** What a heartbeat's or commit's error code, sent with `sent`, means for the membership. */
  onAnswer(sent: group.Membership, errorCode: number): void {
    const owned = group.owns(this.#membership)
    const { next, effect } = group.onHeartbeat(this.#membership, sent, errorCode)
    const before = this.#membership.phase
    this.#membership = next
    if (effect.kind === 'findCoordinator') this.forgetCoordinator()
    if (effect.kind === 'lost' || (effect.kind === 'fail' && owned)) this.#lose()
    if (effect.kind === 'fail') this.#error = brokerError(effect.errorCode, `group ${this.groupId}`)
    if (next.phase !== before) this.#events.onChange()
  }

  /** Leaves, so that the others need not wait for the session to end. Never rejects. */
  async leave(): Promise<void> {
    const { memberId } = this.#membership
    this.#heartbeatTimer?.cancel()
    this.#round += 1
    // A broker answers in order: behind a join that waits for others, it would not hear us.
    if (this.#joining) this.#cluster.connections.closePurpose(this.#purpose)
    this.#joining = false
    this.#assigned = undefined
    this.#owned = []
    this.#ownedGeneration = group.outsider.generationId
    this.#membership = group.leave()
    // A static member comes back: its partitions wait for it until the session ends.
    if (memberId === '' || this.#settings.groupInstanceId !== null) return
    try {
      const connection = await this.connection()
      const version = connection.version(LeaveGroup)
      const member = { memberId, groupInstanceId: null }
      const body = {
        groupId: this.groupId,
        ...(version >= 3 ? { members: [member] } : { memberId }),
      }
      await connection.request(LeaveGroup, version, body)
    } catch (error) {
      const { logger } = this.#cluster.ports
      logger.warn(`group ${this.groupId} was not left in order: ${String(error)}`)
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.leave()
    this.end()
  }

  /** At once, whatever is under way. */
  end(): void {
    this.#closed = true
    this.#ended = true
    this.#round += 1
    this.#heartbeatTimer?.cancel()
    this.#cluster.connections.closePurpose(this.#purpose)
  }

  async #joinLoop(topics: readonly string[]): Promise<void> {
    const round = ++this.#round
    try {
      for (let failures = 0; !this.#closed && round === this.#round; ) {
        const effect = await this.#joinOnce(topics, round)
        if (effect.kind === 'nothing') break
        if (effect.kind === 'fail') {
          if (this.#mayShortenSession(effect.errorCode)) continue
          throw brokerError(effect.errorCode, `group ${this.groupId}`)
        }
        if (effect.kind === 'findCoordinator') this.forgetCoordinator()
        if (effect.kind === 'join') continue
        failures += 1
        await delay(this.#cluster.ports.clock, this.#cluster.retryDelayMs(failures))
      }
    } catch (error) {
      if (round === this.#round) this.#onJoinFailed(error)
    } finally {
      if (round === this.#round) {
        this.#joining = false
        this.#events.onChange()
      }
    }
  }

  #onJoinFailed(error: unknown): void {
    this.#membership = group.outsider
    this.#lose()
    this.#error =
      error instanceof KafkaError
        ? error
        : brokerError(Errors.UNKNOWN_SERVER_ERROR, `group ${this.groupId}`, String(error))
  }

  async #joinOnce(topics: readonly string[], round: number): Promise<group.Effect> {
    try {
      const connection = await this.connection()
      const joined = await this.#sendJoin(connection, topics)
      if (round !== this.#round) return { kind: 'nothing' }
      const step = group.onJoin(this.#membership, joined)
      this.#follow(step.next)
      if (step.effect.kind !== 'sync') return step.effect
      return await this.#sync(connection, joined, round)
    } catch (error) {
      if (round !== this.#round) return { kind: 'nothing' }
      if (!isRetriable(error)) throw error
      const retry = { what: 'join', error, failures: 1, waitMs: this.#cluster.retryDelayMs(1) }
      if (!this.#cluster.mayRetry(retry)) throw error
      this.forgetCoordinator()
      this.#membership = group.beginJoin(this.#membership)
      return { kind: 'retry' }
    }
  }

  /** A member that is a new one from here on owns nothing any more. */
  #follow(next: group.Membership): void {
    const forgotten = next.memberId === '' || next.generationId === group.outsider.generationId
    this.#membership = next
    if (forgotten && this.#owned.length > 0) this.#lose()
  }

  #lose(): void {
    this.#lost = true
    this.#owned = []
    this.#ownedGeneration = group.outsider.generationId
  }

  #sendJoin(
    connection: BrokerConnection,
    topics: readonly string[],
  ): Promise<ResponseOf<typeof JoinGroup>> {
    const { groupInstanceId, maxPollIntervalMs, rackId } = this.#settings
    const version = connection.version(JoinGroup, { min: groupInstanceId === null ? 0 : 5 })
    const subscription = {
      topics,
      ownedPartitions: this.#owned,
      generationId: this.#ownedGeneration,
      rackId: rackId === '' ? null : rackId,
    }
    const protocols = this.#settings.assignors.map((name) => {
      const userData = assignors[name].userData(this.#last)
      return { name, metadata: encodeSubscription({ ...subscription, userData }) }
    })
    const body = {
      groupId: this.groupId,
      sessionTimeoutMs: this.#sessionTimeoutMs,
      rebalanceTimeoutMs: maxPollIntervalMs,
      memberId: this.#membership.memberId,
      groupInstanceId,
      protocolType: 'consumer',
      protocols,
    }
    // Version 0 has no rebalance time: the coordinator waits a session for the others.
    const waitMs = version === 0 ? this.#sessionTimeoutMs : maxPollIntervalMs
    const timeoutMs = Math.max(this.#cluster.settings.requestTimeoutMs, waitMs + joinAnswerSlackMs)
    return connection.request(JoinGroup, version, body, { timeoutMs })
  }

  async #sync(
    connection: BrokerConnection,
    joined: ResponseOf<typeof JoinGroup>,
    round: number,
  ): Promise<group.Effect> {
    const { memberId, generationId, protocol, isLeader } = this.#membership
    const assignments = isLeader ? await this.#assignAll(joined) : []
    const version = connection.version(SyncGroup)
    const answer = await connection.request(SyncGroup, version, {
      groupId: this.groupId,
      generationId,
      memberId,
      groupInstanceId: this.#settings.groupInstanceId,
      protocolType: 'consumer',
      protocolName: protocol,
      assignments,
    })
    if (round !== this.#round) return { kind: 'nothing' }
    const { next, effect } = group.onSync(this.#membership, answer.errorCode)
    this.#follow(next)
    if (effect.kind === 'nothing') {
      const partitions = decodeAssignment(answer.assignment)
      this.#assigned = partitions
      this.#last = { partitions, generationId }
      this.#ownedGeneration = generationId
      this.#scheduleHeartbeat()
    }
    return effect
  }

  #assignAll(joined: ResponseOf<typeof JoinGroup>): Promise<MemberAssignment[]> {
    const { onGroupTopics, onCounted } = this.#events
    return assignAll(this.#cluster, joined, { onGroupTopics, onCounted })
  }

  /** Our default session is longer than old brokers allow. */
  #mayShortenSession(errorCode: number): boolean {
    const may =
      errorCode === Errors.INVALID_SESSION_TIMEOUT &&
      this.#settings.sessionTimeoutIsDefault &&
      this.#sessionTimeoutMs > oldSessionTimeoutMsMax
    if (may) this.#sessionTimeoutMs = oldSessionTimeoutMsMax
    return may
  }

  #scheduleHeartbeat(): void {
    this.#heartbeatTimer?.cancel()
    if (this.#closed || !group.owns(this.#membership)) return
    this.#heartbeatTimer = this.#cluster.ports.clock.schedule(
      this.#settings.heartbeatIntervalMs,
      () => void this.#beat(),
    )
  }

  async #beat(): Promise<void> {
    const sent = this.#membership
    if (!group.owns(sent)) return
    if (this.#isTooSlow()) {
      const { logger } = this.#cluster.ports
      const limit = this.#settings.maxPollIntervalMs
      logger.warn(`no poll within ${limit} ms (max.poll.interval.ms): leaving ${this.groupId}`)
      this.#lose()
      await this.leave()
      return
    }
    try {
      const connection = await this.connection()
      const version = connection.version(Heartbeat)
      const answer = await connection.request(Heartbeat, version, {
        groupId: this.groupId,
        generationId: sent.generationId,
        memberId: sent.memberId,
        groupInstanceId: this.#settings.groupInstanceId,
      })
      this.onAnswer(sent, answer.errorCode)
    } catch (error) {
      // The coordinator may have moved; if not, the session tells.
      this.forgetCoordinator()
      this.#cluster.ports.logger.debug(`heartbeat of ${this.groupId} failed: ${String(error)}`)
    }
    this.#scheduleHeartbeat()
  }

  #isTooSlow(): boolean {
    const idleMs = this.#cluster.ports.clock.monotonicMs() - this.#lastPollMs
    return !this.#polling && idleMs > this.#settings.maxPollIntervalMs
  }
}
