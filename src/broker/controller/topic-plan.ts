// Pure.
/** What is to be written and told about a topic, given what its znodes say and which brokers live. */
import type { Operation } from '../../zookeeper/client/client.ts'
import type { ReplicaOrder } from '../replication/replicas.ts'
import { encodePartitionState, encodeTopic, paths, type TopicAssignment } from '../znodes.ts'
import type { KnownTopic, StoredState } from './cluster-state.ts'
import type { TopicOrder } from './orders.ts'
import { electForNew, electForOffline } from './placement.ts'

export interface PlanFacts {
  readonly topic: string
  readonly known: KnownTopic
  /** For a topic whose node has none, as old tools write it. */
  readonly topicId: string
  readonly controllerEpoch: number
  readonly live: ReadonlySet<number>
  readonly uncleanElectionAllowed: boolean
}

export interface TopicPlan {
  readonly topic: string
  /** In an order in which each can be done. */
  readonly operations: readonly Operation[]
  /** Nodes that must be there, empty; an unfinished controller may have left some of them. */
  readonly parents: readonly string[]
  /** The topic as it is when the operations are done. */
  readonly known: KnownTopic
  readonly order: TopicOrder
}

export function planTopic(facts: PlanFacts): TopicPlan {
  const { topic, known } = facts
  const isIdentified = known.assignment.topicId !== undefined
  const assignment = isIdentified
    ? known.assignment
    : { ...known.assignment, topicId: facts.topicId }
  const operations: Operation[] = []
  const parents: string[] = []
  if (!isIdentified) {
    const data = encodeTopic(assignment)
    operations.push({ type: 'setData', path: paths.topic(topic), data, version: known.version })
  }
  const states = new Map(known.states)
  const isNew = new Set<number>()
  for (const [index, replicas] of assignment.partitions) {
    const state = decide(facts, replicas, known.states.get(index))
    if (state === undefined) continue
    const path = paths.partitionState(topic, index)
    const data = encodePartitionState(state)
    states.set(index, state)
    if (state.version > 0) {
      operations.push({ type: 'setData', path, data, version: state.version - 1 })
      continue
    }
    isNew.add(index)
    if (known.states.size === 0 && parents.length === 0) parents.push(paths.partitions(topic))
    parents.push(paths.partition(topic, index))
    operations.push({ type: 'create', path, data })
  }
  const version = isIdentified ? known.version : known.version + 1
  return {
    ...{ topic, operations, parents },
    known: { assignment, version, states, isTold: known.isTold },
    order: orderOf(topic, assignment, states, isNew),
  }
}

/** What a partition's state is to become, its future version included; undefined where it stays. */
function decide(
  { controllerEpoch, live, uncleanElectionAllowed }: PlanFacts,
  replicas: readonly number[],
  state: StoredState | undefined,
): StoredState | undefined {
  if (state === undefined) {
    const election = electForNew(replicas, live)
    return election && { ...election, leaderEpoch: 0, controllerEpoch, version: 0 }
  }
  if (live.has(state.leader)) return undefined
  const election = electForOffline(replicas, state.isr, live, uncleanElectionAllowed)
  const { leaderEpoch, version } = state
  return (
    election && {
      ...election,
      ...{ leaderEpoch: leaderEpoch + 1, controllerEpoch, version: version + 1 },
    }
  )
}

function orderOf(
  topic: string,
  { partitions, topicId }: TopicAssignment,
  states: ReadonlyMap<number, StoredState>,
  isNew: ReadonlySet<number>,
): TopicOrder {
  const orders: ReplicaOrder[] = []
  for (const [partition, replicas] of partitions) {
    const state = states.get(partition)
    if (state === undefined) continue
    const { version: partitionEpoch, leader, leaderEpoch, isr, controllerEpoch } = state
    orders.push({
      ...{ topic, partition, topicId, replicas, isNew: isNew.has(partition) },
      ...{ partitionEpoch, leader, leaderEpoch, isr, controllerEpoch },
    })
  }
  return { topic, topicId, partitions: orders }
}

/**
 * A topic's node was written anew: by a tool that adds partitions, and perhaps does not know ids. What
 * was assigned stays (other changes are not made this way), and the id is kept.
 */
export function merged(before: KnownTopic | undefined, now: KnownTopic): KnownTopic {
  if (before === undefined) return now
  const partitions = new Map([...now.assignment.partitions, ...before.assignment.partitions])
  return { ...now, assignment: { partitions, topicId: now.assignment.topicId } }
}
