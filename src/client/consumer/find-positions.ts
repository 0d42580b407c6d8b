// Finds where reading begins: the group's committed offset, else what the reset policy says.
import type { Cluster } from '../cluster.ts'
import { clientError } from '../errors.ts'
import { earliestTime, latestTime, lookUpOffsets } from '../offsets.ts'
import type { TopicPartition } from '../types.ts'
import { type ConsumedPartition, jumpTo } from './partitions.ts'
import type { CompleteConsumerSettings } from './settings.ts'
import type { CommittedOffset } from './types.ts'

export interface PositionFinder {
  readonly cluster: Cluster
  readonly settings: CompleteConsumerSettings
  readonly purpose: string
  /** False once the partition was given up. */
  readonly isAssigned: (state: ConsumedPartition) => boolean
  readonly committed: (partitions: readonly TopicPartition[]) => Promise<CommittedOffset[]>
}

/**
 * Sets the positions of partitions that need one. Partitions that jumped meanwhile are left alone.
 * @throws KafkaError; NO_OFFSET where the policy is none. Positions that were found are set.
 */
export async function findPositions(
  states: readonly ConsumedPartition[],
  finder: PositionFinder,
): Promise<void> {
  await useCommitted(states, finder)
  const open = states.filter((state) => state.need !== 'nothing' && finder.isAssigned(state))
  const asked = open.map((state) => ({
    state,
    jumps: state.jumps,
    timestamp: timeOf(state, finder),
  }))
  if (asked.length === 0) return
  const queries = asked.map(({ state, timestamp }) => {
    return { topic: state.topic, partition: state.partition, timestamp }
  })
  const { purpose, settings, cluster } = finder
  const { isolationLevel } = settings
  const answers = await lookUpOffsets(cluster, queries, { purpose, isolationLevel })
  let failure: Error | undefined
  for (const [index, { state, jumps }] of asked.entries()) {
    const answer = answers[index]
    if (answer === undefined || state.jumps !== jumps) continue
    if (answer.error !== undefined) failure ??= answer.error
    else jumpTo(state, answer.offset, answer.leaderEpoch)
  }
  if (failure !== undefined) throw failure
}

async function useCommitted(
  states: readonly ConsumedPartition[],
  finder: PositionFinder,
): Promise<void> {
  const asked = states
    .filter(({ need }) => need === 'committed')
    .map((state) => ({ state, jumps: state.jumps }))
  if (asked.length === 0) return
  const partitions = asked.map(({ state: { topic, partition } }) => ({ topic, partition }))
  const found = await finder.committed(partitions)
  const byKey = new Map(found.map((offset) => [`${offset.partition} ${offset.topic}`, offset]))
  for (const { state, jumps } of asked) {
    if (state.jumps !== jumps) continue
    const offset = byKey.get(`${state.partition} ${state.topic}`)
    if (offset === undefined || offset.offset < 0) state.need = 'policy'
    else {
      jumpTo(state, offset.offset, offset.leaderEpoch)
      state.committed = offset.offset
    }
  }
}

function timeOf(state: ConsumedPartition, { settings }: PositionFinder): number {
  const policy = settings.autoOffsetReset
  const need = state.need === 'policy' || state.need === 'committed' ? policy : state.need
  if (need === 'earliest') return earliestTime
  if (need === 'latest') return latestTime
  const name = `${state.topic}-${state.partition}`
  throw clientError('NO_OFFSET', `${name} has no committed offset and no reset policy`)
}
