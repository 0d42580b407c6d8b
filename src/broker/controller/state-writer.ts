/** Writes partitions' states, each only as the successor of the very state it was decided from. */
import {
  isZooKeeperError,
  MultiError,
  type Operation,
  type ZooKeeperClient,
} from '../../zookeeper/client/client.ts'
import { decodePartitionState, encodePartitionState, paths } from '../znodes.ts'
import type { Cluster, KnownPartition, StoredState } from './cluster.ts'
import { readIfThere } from './cluster-state.ts'
import type { Election } from './election.ts'
import type { Office } from './office.ts'
import type { IgnoreNode } from './unreadable.ts'

/** What is to become of a partition, by what is known of it now; undefined: it stays as it is. */
export type Decision = (partition: KnownPartition) => Election | undefined

/** Written in one multi, so that a failover costs few fsyncs; far below the packet limit. */
const statesTogetherMax = 100
/** A state that others change faster than this is looked at by nobody's mistake of ours. */
const attemptsMax = 20

interface Change {
  readonly partition: KnownPartition
  readonly state: StoredState
}

export interface StateWriterParts {
  readonly zookeeper: ZooKeeperClient
  readonly office: Office
  readonly cluster: Cluster
  readonly ignore: IgnoreNode
}

export class StateWriter {
  readonly #parts: StateWriterParts

  constructor(parts: StateWriterParts) {
    this.#parts = parts
  }

  /**
   * Decides and writes, in a new leader epoch each; where a leader changed its in-sync set meanwhile, the
   * state is read and decided again. Returns the partitions whose state is another one now.
   * @throws ZooKeeperError, MultiError of index 0 where the office is lost
   */
  async change(partitions: Iterable<KnownPartition>, decide: Decision): Promise<KnownPartition[]> {
    let left: Iterable<KnownPartition> = partitions
    const changed: KnownPartition[] = []
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const changes: Change[] = []
      for (const partition of left) {
        const change = this.#successor(partition, decide)
        if (change !== undefined) changes.push(change)
      }
      if (changes.length === 0) return changed
      // Once somebody interfered, each stands alone, so that it holds up no others.
      const together = attempt === 0 ? statesTogetherMax : 1
      const stale = new Set(await this.#writeAll(changes, together))
      for (const { partition, state } of changes) {
        if (stale.has(partition)) continue
        this.#parts.cluster.setState(partition, state)
        changed.push(partition)
      }
      if (stale.size === 0) return changed
      left = await this.refresh(stale)
    }
    throw new RangeError('partition states change faster than they can be written')
  }

  #successor(partition: KnownPartition, decide: Decision): Change | undefined {
    const { state } = partition
    if (state === undefined) return undefined
    const election = decide(partition)
    if (election === undefined) return undefined
    const { leaderEpoch, version } = state
    const controllerEpoch = this.#parts.office.epoch
    const next = { leaderEpoch: leaderEpoch + 1, controllerEpoch, version: version + 1 }
    return { partition, state: { ...election, ...next } }
  }

  /** Returns those that were not written, since their nodes are not as they were thought to be. */
  async #writeAll(changes: readonly Change[], together: number): Promise<KnownPartition[]> {
    const groups: Change[][] = []
    for (let at = 0; at < changes.length; at += together)
      groups.push(changes.slice(at, at + together))
    const stale = await Promise.all(groups.map((group) => this.#writeGroup(group)))
    return stale.flat()
  }

  async #writeGroup(group: readonly Change[]): Promise<KnownPartition[]> {
    try {
      await this.#parts.office.write(
        group.map(({ partition: { topic, index }, state }) => ({
          type: 'setData',
          path: paths.partitionState(topic, index),
          data: encodePartitionState(state),
          version: state.version - 1,
        })),
      )
      return []
    } catch (error) {
      const isOthers = error instanceof MultiError && error.index > 0
      const isStale = isZooKeeperError(error, 'BADVERSION') || isZooKeeperError(error, 'NONODE')
      if (!isOthers || !isStale) throw error
      return group.map(({ partition }) => partition)
    }
  }

  /**
   * Reads states as they are now, and returns the partitions whose states could be read. Of a topic whose
   * nodes are gone nothing is known any more; what makes no sense is left as it was known.
   */
  async refresh(partitions: Iterable<KnownPartition>): Promise<KnownPartition[]> {
    const { zookeeper, cluster, ignore } = this.#parts
    const missing = new Set<string>()
    const readable: KnownPartition[] = []
    const read = async (partition: KnownPartition): Promise<void> => {
      const { topic, index } = partition
      const path = paths.partitionState(topic, index)
      const node = await readIfThere(zookeeper, path)
      const state = node && decodePartitionState(node.data)
      if (node === undefined) missing.add(topic)
      else if (state === undefined) ignore(path)
      if (node === undefined || state === undefined) return
      cluster.setState(partition, { ...state, version: node.version })
      readable.push(partition)
    }
    await Promise.all([...partitions].map(read))
    for (const topic of missing)
      if ((await zookeeper.exists(paths.topic(topic))) === null) cluster.removeTopic(topic)
    return readable
  }

  /**
   * Makes the nodes of new partitions, in leader epoch 0. Returns those that have a state now; one that
   * an earlier controller left behind is taken as it is.
   */
  async create(elections: ReadonlyMap<KnownPartition, Election>): Promise<KnownPartition[]> {
    const changes: Change[] = [...elections].map(([partition, election]) => ({
      partition,
      state: { ...election, leaderEpoch: 0, controllerEpoch: this.#parts.office.epoch, version: 0 },
    }))
    const groups: Change[][] = []
    for (let at = 0; at < changes.length; at += statesTogetherMax)
      groups.push(changes.slice(at, at + statesTogetherMax))
    const made: KnownPartition[] = []
    // One after another: the second needs the topic's parent node that the first may make.
    for (const group of groups) made.push(...(await this.#createGroup(group)))
    return made
  }

  async #createGroup(group: readonly Change[]): Promise<KnownPartition[]> {
    const { cluster, office } = this.#parts
    const parents = this.#parentsOf(group)
    try {
      await office.write([...parents.map(emptyNode), ...group.map(stateNode)])
    } catch (error) {
      const isOthers = error instanceof MultiError && error.index > 0
      if (!isOthers) throw error
      // A controller of another kind died between two of its steps, or the topic is gone.
      return this.#createApart(group, parents)
    }
    for (const { partition, state } of group) cluster.setState(partition, state)
    return group.map(({ partition }) => partition)
  }

  #parentsOf(group: readonly Change[]): string[] {
    const parents: string[] = []
    for (const topic of new Set(group.map(({ partition }) => partition.topic)))
      if (!this.#hasAnyState(topic)) parents.push(paths.partitions(topic))
    for (const { partition } of group)
      parents.push(paths.partition(partition.topic, partition.index))
    return parents
  }

  #hasAnyState(topic: string): boolean {
    const partitions = this.#parts.cluster.topics.get(topic)?.partitions.values() ?? []
    for (const { state } of partitions) if (state !== undefined) return true
    return false
  }

  async #createApart(
    group: readonly Change[],
    parents: readonly string[],
  ): Promise<KnownPartition[]> {
    const { cluster, office } = this.#parts
    for (const path of parents) await this.#createIfMissing(emptyNode(path))
    const made: KnownPartition[] = []
    for (const change of group) {
      const { partition, state } = change
      try {
        await office.write([stateNode(change)])
        cluster.setState(partition, state)
      } catch (error) {
        if (isZooKeeperError(error, 'NODEEXISTS')) await this.refresh([partition])
        else if (!isZooKeeperError(error, 'NONODE')) throw error
      }
      if (cluster.partition(partition.topic, partition.index)?.state !== undefined)
        made.push(partition)
    }
    return made
  }

  async #createIfMissing(operation: Operation): Promise<void> {
    try {
      await this.#parts.office.write([operation])
    } catch (error) {
      if (!isZooKeeperError(error, 'NODEEXISTS') && !isZooKeeperError(error, 'NONODE')) throw error
    }
  }
}

const emptyNode = (path: string): Operation => ({ type: 'create', path, data: Buffer.alloc(0) })

const stateNode = ({ partition: { topic, index }, state }: Change): Operation => ({
  type: 'create',
  path: paths.partitionState(topic, index),
  data: encodePartitionState(state),
})
