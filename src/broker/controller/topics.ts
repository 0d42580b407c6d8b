/** Topics come and grow, whoever wrote their nodes (kafka.md C). */
import { isZooKeeperError, MultiError } from '../../zookeeper/client/client.ts'
import { randomTopicId } from '../topic-ids.ts'
import { topicNameProblem } from '../topic-names.ts'
import { encodeTopic, paths, type TopicAssignment } from '../znodes.ts'
import {
  isBeingReassigned,
  type KnownPartition,
  type KnownTopic,
  type ReplicaAssignment,
} from './cluster.ts'
import { readStates, readTopic, type TopicNode } from './cluster-state.ts'
import type { Desk } from './desk.ts'
import type { Elections } from './elections.ts'
import { OrderBatch } from './order-batch.ts'

const topicsAtOnceMax = 200

/** The ids of topics, beyond one term of office: for nodes that were written anew without theirs. */
export interface TopicIds {
  /** What this process has seen. */
  readonly seen: Map<string, string>
  /** What this broker's data, or the description of the cluster it was given, says. */
  readonly stored: (topic: string) => string | undefined
  /** Topics without an id get one. */
  readonly areUsed: boolean
}

export class Topics {
  readonly #desk: Desk
  readonly #ids: TopicIds
  readonly #deletions: { isDue(topic: string): boolean }
  readonly #elections: Elections

  constructor(
    desk: Desk,
    ids: TopicIds,
    others: { deletions: { isDue(topic: string): boolean }; elections: Elections },
  ) {
    this.#desk = desk
    this.#ids = ids
    this.#deletions = others.deletions
    this.#elections = others.elections
  }

  // Watchers, each the same function every time, so that it is set once however often it is set.
  readonly #due = (): void => this.#desk.enqueue('topic change', () => this.look())
  readonly #topicDue = ({ path }: { readonly path: string }): void => {
    const topic = path.slice(paths.topics.length + 1)
    this.#desk.enqueue('partition change', () => this.#rewritten(topic))
  }

  /** New topics are those that are not known yet: they are read, and brought up. */
  async look(): Promise<void> {
    const names = await this.#names()
    const fresh = names.filter((name) => !this.#deletions.isDue(name))
    await this.#bringUp(await this.learn(fresh))
  }

  /** Reads all topics, without bringing any up: as a term begins. */
  async readAll(): Promise<void> {
    await this.learn(await this.#names())
  }

  async #names(): Promise<string[]> {
    const { zookeeper, cluster } = this.#desk
    const { children } = await zookeeper.getChildren(paths.topics, this.#due)
    if (cluster.topics.size > 0) {
      const present = new Set(children)
      // Somebody removed its nodes by hand; its data stays where it is.
      for (const name of cluster.topics.keys()) if (!present.has(name)) cluster.removeTopic(name)
    }
    return children.filter((name) => !cluster.topics.has(name))
  }

  /** Reads topics that are not known yet; returns their partitions. */
  async learn(names: readonly string[]): Promise<KnownPartition[]> {
    const learnt: KnownPartition[] = []
    for (let at = 0; at < names.length; at += topicsAtOnceMax) {
      const some = names.slice(at, at + topicsAtOnceMax)
      const nodes = await Promise.all(some.map((name) => this.#read(name)))
      for (const partitions of nodes) learnt.push(...partitions)
      await this.#writeIds(some)
    }
    return learnt
  }

  async #read(name: string): Promise<KnownPartition[]> {
    const { zookeeper, cluster, ignore } = this.#desk
    const problem = topicNameProblem(name)
    if (problem !== undefined) {
      // No client could use it, and brokers would not start again on its data.
      ignore(paths.topic(name), problem)
      return []
    }
    const node = await readTopic(zookeeper, name, ignore, this.#topicDue)
    if (node === undefined) return []
    const { partitions } = node.assignment
    const states = await readStates(zookeeper, name, partitions.keys(), ignore)
    cluster.setTopic(name, this.#idOf(name, node.assignment, states.size === 0), node.version)
    const known: KnownPartition[] = []
    for (const index of partitions.keys()) {
      const partition = cluster.setAssignment(name, index, assignmentOf(node.assignment, index))
      const state = states.get(index)
      if (state !== undefined) cluster.setState(partition, state)
      known.push(partition)
    }
    this.#noteId(name, node)
    return known
  }

  /**
   * A node without an id lost it, or was written by an old tool (kafka.md C, KAFKA-14190). Only a topic
   * that nobody has led yet gets a new one: another one than that of its data would be refused.
   */
  #idOf(name: string, { topicId }: TopicAssignment, isNew: boolean): string | undefined {
    const { seen, stored, areUsed } = this.#ids
    const known = topicId ?? seen.get(name) ?? stored(name)
    const id = known ?? (areUsed && isNew ? randomTopicId(this.#desk.ports.random) : undefined)
    if (id !== undefined) seen.set(name, id)
    return id
  }

  /** Topics whose nodes are to be written again, since they lack the id. */
  readonly #withoutId = new Set<string>()

  #noteId(name: string, { assignment }: TopicNode): void {
    const isLacking = assignment.topicId !== this.#desk.cluster.topics.get(name)?.topicId
    if (isLacking) this.#withoutId.add(name)
    else this.#withoutId.delete(name)
  }

  async #writeIds(names: readonly string[]): Promise<void> {
    const lacking = names.filter((name) => this.#withoutId.has(name))
    await Promise.all(lacking.map((name) => this.rewrite(name)))
  }

  /**
   * Writes a topic's node as it is known. What others wrote into it meanwhile, new partitions, is kept.
   */
  async rewrite(name: string): Promise<void> {
    const { zookeeper, cluster, office, ignore } = this.#desk
    for (;;) {
      const topic = cluster.topics.get(name)
      if (topic === undefined) return
      const data = encodeTopic(contentOf(topic))
      const { version } = topic
      try {
        await office.write([{ type: 'setData', path: paths.topic(name), data, version }])
        cluster.setTopic(name, topic.topicId, version + 1)
        this.#withoutId.delete(name)
        return
      } catch (error) {
        const isOthers = error instanceof MultiError && error.index > 0
        if (isOthers && isZooKeeperError(error, 'NONODE')) return
        if (!isOthers || !isZooKeeperError(error, 'BADVERSION')) throw error
      }
      const node = await readTopic(zookeeper, name, ignore)
      if (node === undefined) return
      this.#adopt(topic, node)
    }
  }

  /** Takes over what is new in a topic's node: the partitions that were not known. */
  #adopt(topic: KnownTopic, { assignment, version }: TopicNode): KnownPartition[] {
    const { cluster } = this.#desk
    cluster.setTopic(topic.name, topic.topicId ?? assignment.topicId, version)
    const fresh: KnownPartition[] = []
    for (const index of assignment.partitions.keys())
      if (!topic.partitions.has(index))
        fresh.push(cluster.setAssignment(topic.name, index, assignmentOf(assignment, index)))
    return fresh
  }

  /**
   * A topic's node was written anew: by this controller, or by a tool that adds partitions, and perhaps
   * knows neither ids nor reassignments. What was assigned stays, and what was dropped is put back.
   */
  async #rewritten(name: string): Promise<void> {
    const { zookeeper, cluster, ignore } = this.#desk
    const node = await readTopic(zookeeper, name, ignore, this.#topicDue)
    const topic = cluster.topics.get(name)
    if (topic === undefined || node === undefined) return
    const { topicId } = node.assignment
    if (topicId !== undefined && topic.topicId !== undefined && topicId !== topic.topicId) {
      this.#desk.ports.logger.warn(`Topic ${name} was replaced by another one of that name`)
      cluster.removeTopic(name)
      this.#ids.seen.delete(name)
      await this.#bringUp(await this.#read(name))
      return
    }
    this.#adopt(topic, node)
    if (topicId !== topic.topicId || hasLostReassignment(topic, node.assignment))
      await this.rewrite(name)
    if (this.#deletions.isDue(name)) return
    const stateless = [...topic.partitions.values()].filter(({ state }) => state === undefined)
    await this.#bringUp(stateless)
  }

  /** Gives new partitions their first leaders; those that have one take it up anew. */
  async #bringUp(partitions: readonly KnownPartition[]): Promise<void> {
    const { cluster } = this.#desk
    const elected = new Set(await this.#elections.lead(partitions))
    const batch = new OrderBatch(cluster)
    for (const partition of partitions)
      if (!elected.has(partition)) batch.lead(partition, partition.assignment.replicas)
    this.#desk.send(batch)
  }
}

/** What a topic's node is to say. */
function contentOf({ topicId, partitions }: KnownTopic): TopicAssignment {
  const sorted = [...partitions.values()].sort((one, other) => one.index - other.index)
  const lists = (pick: (assignment: ReplicaAssignment) => readonly number[], keepsEmpty = false) =>
    new Map(
      sorted
        .map(({ index, assignment }) => [index, pick(assignment)] as const)
        .filter(([, ids]) => keepsEmpty || ids.length > 0),
    )
  return {
    partitions: lists(({ replicas }) => replicas, true),
    topicId,
    adding: lists(({ adding }) => adding),
    removing: lists(({ removing }) => removing),
  }
}

function assignmentOf(assignment: TopicAssignment, index: number): ReplicaAssignment {
  return {
    replicas: assignment.partitions.get(index) ?? [],
    adding: assignment.adding?.get(index) ?? [],
    removing: assignment.removing?.get(index) ?? [],
  }
}

function hasLostReassignment({ partitions }: KnownTopic, node: TopicAssignment): boolean {
  for (const { index, assignment } of partitions.values()) {
    if (!isBeingReassigned(assignment)) continue
    const written = assignmentOf(node, index)
    if (assignment.adding.some((id) => !written.adding.includes(id))) return true
    if (assignment.removing.some((id) => !written.removing.includes(id))) return true
  }
  return false
}
