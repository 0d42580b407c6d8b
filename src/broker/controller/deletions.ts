/** Deletes topics that somebody asked to delete (kafka.md C). */
import { isBeingReassigned } from './cluster.ts'
import { treeOf } from './cluster-state.ts'
import { DeletionPlan } from './deletion-plan.ts'
import type { Desk } from './desk.ts'
import { OrderBatch, type StopReplicaRequest } from './order-batch.ts'
import { paths } from '../znodes.ts'

interface PartitionError {
  readonly topicName: string
  readonly partitionIndex: number
  readonly errorCode: number
}

export class Deletions {
  readonly #desk: Desk
  readonly #plan = new DeletionPlan()
  /** Asked for, perhaps of topics that are not known yet. */
  #requested = new Set<string>()
  readonly #waiters = new Map<string, (() => void)[]>()
  /** Reads topics that are not known, without bringing them up. */
  readonly #learn: (topics: readonly string[]) => Promise<unknown>
  readonly #topicIds: Map<string, string>

  constructor(
    desk: Desk,
    learn: (topics: readonly string[]) => Promise<unknown>,
    topicIds: Map<string, string>,
  ) {
    this.#desk = desk
    this.#learn = learn
    this.#topicIds = topicIds
  }

  /** Whether the topic is on its way out: nobody is to bring it up any more. */
  isDue(topic: string): boolean {
    return this.#plan.has(topic) || this.#requested.has(topic)
  }

  /**
   * Resolves when a deletion that was begun is done, or waits for brokers that are down. Only then may the
   * topic be made again.
   */
  whenSettled(topic: string): Promise<void> {
    if (this.#plan.isHeldUp(topic)) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiters.set(topic, [...(this.#waiters.get(topic) ?? []), resolve])
    })
  }

  #settle(): void {
    for (const [topic, waiters] of this.#waiters) {
      if (!this.#plan.isHeldUp(topic)) continue
      this.#waiters.delete(topic)
      for (const resolve of waiters) resolve()
    }
  }

  /** The term is over: nobody need wait for it any more. */
  end(): void {
    for (const waiters of this.#waiters.values()) for (const resolve of waiters) resolve()
    this.#waiters.clear()
  }

  readonly #due = (): void => this.#desk.enqueue('topic deletion', () => this.look())

  /** Reads the requests, and begins with those that nothing stands in the way of. */
  async look(): Promise<void> {
    await this.read()
    await this.go()
  }

  /** Reads the requests only: which topics are not to be brought up. */
  async read(): Promise<void> {
    const { zookeeper, office, settings, ports } = this.#desk
    const { children } = await zookeeper.getChildren(paths.topicDeletions, this.#due)
    if (settings.topicDeletionAllowed) {
      this.#requested = new Set(children)
      return
    }
    for (const topic of children) {
      ports.logger.info(`Removing ${paths.topicDeletion(topic)} since delete topic is disabled`)
      await office.remove([paths.topicDeletion(topic)])
    }
  }

  /** Goes on with every deletion, as far as brokers live and no reassignment is under way. */
  async go(): Promise<void> {
    const { cluster } = this.#desk
    const isUnknown = (name: string) => !this.#plan.has(name) && !cluster.topics.has(name)
    await this.#learn([...this.#requested].filter(isUnknown))
    for (const name of this.#requested) {
      const topic = cluster.topics.get(name)
      const partitions = [...(topic?.partitions.values() ?? [])]
      // A reassignment goes first; when it is done, this is looked at again.
      if (partitions.some(({ assignment }) => isBeingReassigned(assignment))) continue
      this.#plan.add(name, partitions)
    }
    await this.#step([...this.#requested])
  }

  async #step(topics: Iterable<string>): Promise<void> {
    const { cluster } = this.#desk
    const { announced, removals, finished } = this.#plan.steps(topics, cluster)
    if (announced.length > 0) {
      for (const name of announced) cluster.setGoing(name)
      const batch = new OrderBatch(cluster)
      for (const name of announced)
        for (const partition of cluster.topics.get(name)?.partitions.values() ?? [])
          batch.tell(partition)
      this.#desk.send(batch)
    }
    if (removals.length > 0) {
      const stop = new OrderBatch(cluster)
      const remove = new OrderBatch(cluster)
      for (const { broker, partition } of removals) {
        stop.stop(broker, partition)
        remove.remove(broker, partition, true)
      }
      this.#desk.send(stop)
      this.#desk.send(remove)
    }
    for (const topic of finished) await this.#finish(topic)
    this.#settle()
  }

  /** The topic's nodes, then its settings, then the request: what is left is done again. */
  async #finish(topic: string): Promise<void> {
    const { zookeeper, office, cluster, ports } = this.#desk
    const tree = await treeOf(zookeeper, paths.topic(topic))
    await office.write(tree.map((path) => ({ type: 'delete', path })))
    for (const path of [paths.config('topics', topic), paths.topicDeletion(topic)])
      await office.remove([path])
    cluster.removeTopic(topic)
    // One that is made again is another topic.
    this.#topicIds.delete(topic)
    this.#requested.delete(topic)
    ports.logger.info(`Deletion of topic ${topic} successfully completed`)
  }

  /** A broker came back, or went: what it has not confirmed waits for it. */
  brokerChanged(broker: number): void {
    this.#plan.brokerChanged(broker)
  }

  /** What a broker answered to an order to stop replicas, deletions among them. */
  async answered(
    broker: number,
    { topicStates }: StopReplicaRequest,
    response: { readonly errorCode: number; readonly partitionErrors: readonly PartitionError[] },
  ): Promise<void> {
    const failed = new Set<string>()
    for (const { topicName, partitionIndex, errorCode } of response.partitionErrors)
      if (errorCode !== 0) failed.add(`${topicName}-${partitionIndex}`)
    const concerned = new Set<string>()
    for (const { topicName, partitionStates } of topicStates) {
      if (!this.#plan.has(topicName)) continue
      for (const { partitionIndex, deletePartition } of partitionStates) {
        if (!deletePartition) continue
        const isDone = response.errorCode === 0 && !failed.has(`${topicName}-${partitionIndex}`)
        this.#plan.answered(topicName, partitionIndex, broker, isDone)
        concerned.add(topicName)
      }
    }
    await this.#step(concerned)
  }
}
