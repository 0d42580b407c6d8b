// Pure.
/**
 * Topics that are being deleted, replica by replica: a topic is gone when every replica's broker has
 * confirmed that its data is. A broker that is down holds its topics up until it is back.
 */
import type { Cluster, KnownPartition } from './cluster.ts'

/** asked: its broker was told; failed: it answered with an error, or went before it answered. */
type Standing = 'waiting' | 'asked' | 'done' | 'failed'

export interface Removal {
  readonly partition: KnownPartition
  readonly broker: number
}

interface Deletion {
  /** By the partition's index; each replica by its broker. */
  readonly replicas: Map<number, { partition: KnownPartition; brokers: Map<number, Standing> }>
  isAnnounced: boolean
  openCount: number
}

export interface DeletionSteps {
  /** Topics that no broker is to serve any more. */
  readonly announced: readonly string[]
  readonly removals: readonly Removal[]
  /** Topics whose data is gone everywhere. */
  readonly finished: readonly string[]
}

export class DeletionPlan {
  readonly #deletions = new Map<string, Deletion>()

  get topics(): Iterable<string> {
    return this.#deletions.keys()
  }

  has(topic: string): boolean {
    return this.#deletions.has(topic)
  }

  /** Harmless when it is being deleted already. */
  add(topic: string, partitions: Iterable<KnownPartition>): void {
    if (this.#deletions.has(topic)) return
    const replicas: Deletion['replicas'] = new Map()
    let openCount = 0
    for (const partition of partitions) {
      const brokers = new Map<number, Standing>()
      for (const id of partition.assignment.replicas) brokers.set(id, 'waiting')
      replicas.set(partition.index, { partition, brokers })
      openCount += brokers.size
    }
    this.#deletions.set(topic, { replicas, isAnnounced: false, openCount })
  }

  /** What is to be done now for these topics; what is given is taken for done. */
  steps(topics: Iterable<string>, cluster: Cluster): DeletionSteps {
    const announced: string[] = []
    const removals: Removal[] = []
    const finished: string[] = []
    for (const topic of topics) {
      const deletion = this.#deletions.get(topic)
      if (deletion === undefined) continue
      if (!deletion.isAnnounced) announced.push(topic)
      deletion.isAnnounced = true
      if (deletion.openCount === 0) finished.push(topic)
      for (const { partition, brokers } of deletion.replicas.values()) {
        for (const [broker, standing] of brokers) {
          if (standing !== 'waiting' || !cluster.isAlive(broker, partition)) continue
          brokers.set(broker, 'asked')
          removals.push({ partition, broker })
        }
      }
    }
    for (const topic of finished) this.#deletions.delete(topic)
    return { announced, removals, finished }
  }

  /** Nothing more will come of it by itself: it waits for brokers that are down, or have failed. */
  isHeldUp(topic: string): boolean {
    for (const { brokers } of this.#deletions.get(topic)?.replicas.values() ?? [])
      for (const standing of brokers.values()) if (standing === 'asked') return false
    return true
  }

  /** A broker's answer for one replica. */
  answered(topic: string, index: number, broker: number, isDone: boolean): void {
    const deletion = this.#deletions.get(topic)
    const brokers = deletion?.replicas.get(index)?.brokers
    const standing = brokers?.get(broker)
    if (deletion === undefined || standing === undefined || standing === 'done') return
    brokers?.set(broker, isDone ? 'done' : 'failed')
    if (isDone) deletion.openCount -= 1
  }

  /** A broker came or went: what it has not confirmed is to be asked of it again. */
  brokerChanged(broker: number): void {
    for (const { replicas } of this.#deletions.values())
      for (const { brokers } of replicas.values()) {
        const standing = brokers.get(broker)
        if (standing === 'asked' || standing === 'failed') brokers.set(broker, 'waiting')
      }
  }
}
