/** Leaders are elected: after a loss, on request, and to where they are preferred (kafka.md C). */
import { Errors } from '../../kafka/errors.ts'
import { decodeConfig, decodePartitionList, paths, type TopicPartition } from '../znodes.ts'
import { imbalanced } from './balance.ts'
import { isBeingReassigned, type KnownPartition } from './cluster.ts'
import { readIfThere } from './cluster-state.ts'
import type { Desk } from './desk.ts'
import {
  electAfterLoss,
  electAfterUnseenRestart,
  electForNew,
  electForOffline,
  electPreferred,
  type Election,
} from './election.ts'
import { OrderBatch } from './order-batch.ts'

export type ElectionType = 'preferred' | 'unclean'

export interface ElectionOutcome extends TopicPartition {
  readonly error: number
  readonly message: string | null
  /** The leader that was elected; undefined: none was. */
  readonly leader: number | undefined
}

const uncleanSetting = 'unclean.leader.election.enable'

export class Elections {
  readonly #desk: Desk
  readonly #isBeingDeleted: (topic: string) => boolean

  constructor(desk: Desk, isBeingDeleted: (topic: string) => boolean) {
    this.#desk = desk
    this.#isBeingDeleted = isBeingDeleted
  }

  /** Whether anybody is to lead it: not if its topic is being deleted. */
  isConcern({ topic }: KnownPartition): boolean {
    return !this.#isBeingDeleted(topic)
  }

  readonly #preferredDue = (): void =>
    this.#desk.enqueue('preferred replica election', () => this.look())

  /** Replicas of these partitions went offline: leaders that are lost are replaced, sets shrink. */
  async afterLoss(partitions: Iterable<KnownPartition>): Promise<void> {
    const { cluster, states } = this.#desk
    const concerned = [...partitions].filter((one) => this.isConcern(one))
    const electing = (unclean: ReadonlySet<string>) => (partition: KnownPartition) =>
      electAfterLoss(
        cluster.electionFacts(partition),
        partition.state?.leader ?? -1,
        unclean.has(partition.topic),
      )
    const heirless = new Set(concerned.filter((one) => !this.#hasCleanHeir(one)))
    const unclean = await this.#uncleanTopics(heirless)
    const changed = new Set(await states.change(concerned, electing(unclean)))
    // A set that grew a moment ago is not known to hold the lost replica: look at what it is now.
    const rest = concerned.filter((one) => !changed.has(one) && one.state !== undefined)
    const refreshed = await states.refresh(rest)
    for (const one of await states.change(refreshed, electing(unclean))) changed.add(one)
    const batch = new OrderBatch(cluster)
    for (const partition of concerned)
      if (changed.has(partition)) batch.lead(partition, partition.assignment.replicas)
      // It has a replica less that is online.
      else batch.tell(partition)
    batch.tellBrokers(cluster.brokers.keys())
    this.#desk.send(batch)
    // Those whose sets turned out to be smaller than was known.
    await this.lead(concerned.filter((one) => !heirless.has(one) && !cluster.isLed(one)))
  }

  /**
   * As a term begins: in-sync replicas whose brokers registered after the state was written have been
   * away, and no controller has seen it. They count as lost, whatever became of their disks, as long as
   * another is there. Kafka's brokers cannot come back before their sessions end, so that its controllers
   * rarely have to ask.
   */
  async afterUnseenRestarts(): Promise<void> {
    const { cluster, states } = this.#desk
    const away = new Map<KnownPartition, ReadonlySet<number>>()
    for (const partition of cluster.partitions()) {
      const { isr = [], mzxid } = partition.state ?? {}
      if (mzxid === undefined || !this.isConcern(partition)) continue
      const restarted = isr.filter((id) => (cluster.brokers.get(id)?.epoch ?? 0n) > mzxid)
      if (restarted.length > 0) away.set(partition, new Set(restarted))
    }
    await states.change(away.keys(), (partition) => {
      const facts = cluster.electionFacts(partition)
      const isOnline = (id: number): boolean =>
        facts.isOnline(id) && away.get(partition)?.has(id) !== true
      return electAfterUnseenRestart({ ...facts, isOnline }, partition.state?.leader ?? -1, facts)
    })
  }

  #hasCleanHeir(partition: KnownPartition): boolean {
    const facts = this.#desk.cluster.electionFacts(partition)
    return electForOffline(facts, false) !== undefined
  }

  /** Which of the partitions' topics may be led by a replica that is not in sync. */
  async #uncleanTopics(partitions: Iterable<KnownPartition>): Promise<Set<string>> {
    const { zookeeper, settings } = this.#desk
    const names = [...new Set([...partitions].map(({ topic }) => topic))]
    const allowed = await Promise.all(
      names.map(async (name) => {
        const node = await readIfThere(zookeeper, paths.config('topics', name))
        const own = node && decodeConfig(node.data)[uncleanSetting]
        return own === undefined
          ? settings.isUncleanElectionAllowed()
          : own.toLowerCase() === 'true'
      }),
    )
    return new Set(names.filter((_, at) => allowed[at]))
  }

  /**
   * Gives those of these partitions that have no leader one, new ones their first, as far as brokers
   * live, and tells everybody. Returns the partitions that have one now.
   */
  async lead(partitions: Iterable<KnownPartition>): Promise<KnownPartition[]> {
    const { cluster, states } = this.#desk
    const unled = [...partitions].filter((one) => this.isConcern(one) && !cluster.isLed(one))
    const fresh = new Map<KnownPartition, Election>()
    const offline: KnownPartition[] = []
    for (const partition of unled) {
      if (partition.state !== undefined) offline.push(partition)
      else {
        const election = electForNew(cluster.electionFacts(partition))
        if (election !== undefined) fresh.set(partition, election)
      }
    }
    const batch = new OrderBatch(cluster)
    const made = await states.create(fresh)
    for (const partition of made) batch.lead(partition, partition.assignment.replicas, true)
    const unclean = await this.#uncleanTopics(offline.filter((one) => !this.#hasCleanHeir(one)))
    const changed = await states.change(offline, (partition) =>
      electForOffline(cluster.electionFacts(partition), unclean.has(partition.topic)),
    )
    for (const partition of changed) batch.lead(partition, partition.assignment.replicas)
    this.#desk.send(batch)
    return [...made, ...changed]
  }

  /** Unclean election was allowed, of a topic or (undefined) everywhere. */
  async uncleanAllowed(topic: string | undefined): Promise<void> {
    const { cluster } = this.#desk
    const concerned = [...cluster.unled].filter((one) => topic === undefined || one.topic === topic)
    await this.lead(concerned)
  }

  /** The form of 0.8 to 2.x: a node that lists the partitions, and goes when they were seen to. */
  async look(): Promise<void> {
    const { zookeeper } = this.#desk
    const path = paths.preferredElection
    if ((await zookeeper.exists(path, this.#preferredDue)) === null) return
    const node = await readIfThere(zookeeper, path)
    const list = node && decodePartitionList(node.data)
    if (node !== undefined && list === undefined)
      this.#desk.ports.logger.warn(`${path} is no list of partitions; it is removed`)
    await this.elect(list ?? [], 'preferred')
    await this.#desk.office.remove([path])
  }

  /** ElectLeaders: an outcome for each partition, in order. */
  async elect(
    partitions: readonly TopicPartition[],
    type: ElectionType,
  ): Promise<ElectionOutcome[]> {
    const { cluster, states } = this.#desk
    const chosen: KnownPartition[] = []
    const refused = new Map<TopicPartition, ElectionOutcome>()
    for (const wanted of partitions) {
      const refusal = this.#refusal(wanted, type)
      const partition = cluster.partition(wanted.topic, wanted.partition)
      if (refusal !== undefined) refused.set(wanted, refusal)
      else if (partition !== undefined) chosen.push(partition)
    }
    // Leaders change in-sync sets on their own, and tell of it later.
    const current = await states.refresh(chosen)
    const changed = new Set(
      await states.change(current, (partition) => {
        const facts = cluster.electionFacts(partition)
        if (type === 'unclean') return electForOffline(facts, true)
        const election = electPreferred(facts)
        return election?.leader === partition.state?.leader ? undefined : election
      }),
    )
    const batch = new OrderBatch(cluster)
    for (const partition of changed) batch.lead(partition, partition.assignment.replicas)
    this.#desk.send(batch)
    return partitions.map((wanted) => refused.get(wanted) ?? this.#outcome(wanted, type, changed))
  }

  #refusal(wanted: TopicPartition, type: ElectionType): ElectionOutcome | undefined {
    const { cluster } = this.#desk
    const { topic, partition: index } = wanted
    const refuse = (error: number, message: string): ElectionOutcome => ({
      ...{ topic, partition: index, error, message, leader: undefined },
    })
    const partition = cluster.partition(topic, index)
    if (partition === undefined)
      return refuse(Errors.UNKNOWN_TOPIC_OR_PARTITION, 'The partition does not exist.')
    if (!this.isConcern(partition))
      return refuse(Errors.INVALID_TOPIC_EXCEPTION, 'The topic is being deleted')
    const leader = partition.state?.leader
    const isNeeded =
      type === 'preferred' ? leader !== partition.assignment.replicas[0] : !cluster.isLed(partition)
    if (isNeeded) return undefined
    return refuse(
      Errors.ELECTION_NOT_NEEDED,
      `Leader election not needed for partition ${topic}-${index}`,
    )
  }

  #outcome(
    { topic, partition }: TopicPartition,
    type: ElectionType,
    changed: ReadonlySet<KnownPartition>,
  ): ElectionOutcome {
    const known = this.#desk.cluster.partition(topic, partition)
    const common = { topic, partition }
    if (known !== undefined && changed.has(known))
      return { ...common, error: Errors.NONE, message: null, leader: known.state?.leader }
    const error =
      type === 'preferred'
        ? Errors.PREFERRED_LEADER_NOT_AVAILABLE
        : Errors.ELIGIBLE_LEADERS_NOT_AVAILABLE
    const message = `Failed to elect leader for partition ${topic}-${partition} under strategy ${
      type === 'preferred'
        ? 'PreferredReplicaPartitionLeaderElectionStrategy'
        : 'OfflinePartitionLeaderElectionStrategy(true)'
    }`
    return { ...common, error, message, leader: undefined }
  }

  /** Moves leaders back to where they are preferred, of brokers that have too few of theirs. */
  async rebalance(): Promise<void> {
    const { cluster, settings } = this.#desk
    if (settings.rebalance === undefined) return
    const isMovable = (partition: KnownPartition) =>
      this.isConcern(partition) && !isBeingReassigned(partition.assignment)
    const { imbalancePercentMax } = settings.rebalance
    const moved = imbalanced(cluster, imbalancePercentMax).filter(isMovable)
    if (moved.length === 0) return
    await this.elect(
      moved.map(({ topic, index }) => ({ topic, partition: index })),
      'preferred',
    )
  }
}
