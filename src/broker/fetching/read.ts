import { Errors } from '../../kafka/errors.ts'
import type { EpochEnd } from '../../storage/leader-epochs.ts'
import type { LogSlice } from '../../storage/results.ts'
import { conversionProblem } from '../down-conversion.ts'
import type { RequestContext } from '../handler.ts'
import type { Partition } from '../replication/partition.ts'
import type { Asked, FetchRequest } from './session.ts'

/** One partition's read: what was found, without its bytes. */
export interface Found {
  readonly asked: Asked
  readonly partition: Partition | undefined
  readonly errorCode: number
  readonly slice: LogSlice | undefined
  /** Where the reader's log and ours part; undefined: they do not. */
  readonly diverging: EpochEnd | undefined
}

export interface Pass {
  readonly found: Found[]
  /** Bytes the answer would carry. */
  readonly bytes: number
  /** There is something to answer at once: a log's error, logs that part, an old segment. */
  readonly isUrgent: boolean
}

const readCommitted = 1

/** Looks at every partition in the given order, within the request's byte limits. Copies nothing. */
export function readAll(
  wanted: readonly Asked[],
  request: FetchRequest,
  context: RequestContext,
): Pass {
  const { settings, answers } = context.parts
  const found: Found[] = []
  let left = Math.min(request.maxBytes, settings.fetchMaxBytes, answers.leftBytes)
  let bytes = 0
  let isUrgent = false
  let readable = 0
  for (const asked of wanted) {
    const hardLimit = context.apiVersion <= 2 || bytes > 0
    const result = readOne(asked, request, context, { left, hardLimit })
    found.push(result)
    const length = result.slice?.length ?? 0
    left -= length
    bytes += length
    // What is not there is not waited for, but does not hurry the others either.
    if (!isMissing(result.errorCode)) readable += 1
    isUrgent ||= isUrgentResult(result)
  }
  return { found, bytes, isUrgent: isUrgent || readable === 0 }
}

function isMissing(errorCode: number): boolean {
  return errorCode === Errors.UNKNOWN_TOPIC_OR_PARTITION || errorCode === Errors.UNKNOWN_TOPIC_ID
}

function isUrgentResult({ errorCode, slice, partition, diverging }: Found): boolean {
  if (isMissing(errorCode)) return false
  if (errorCode !== Errors.NONE || diverging !== undefined) return true
  const segment = slice?.segmentBaseOffset ?? Number.POSITIVE_INFINITY
  return segment < (partition?.log.activeBaseOffset ?? 0)
}

interface Budget {
  readonly left: number
  /** No batch above the limits, not even as the first of the answer. */
  readonly hardLimit: boolean
}

function readOne(
  asked: Asked,
  request: FetchRequest,
  context: RequestContext,
  budget: Budget,
): Found {
  const { topic, wanted } = asked
  const partition =
    topic === undefined ? undefined : context.parts.replicas.get(topic, wanted.partition)
  const failed = (errorCode: number): Found => ({
    ...{ asked, partition: undefined, errorCode, slice: undefined, diverging: undefined },
  })
  const problem = problemOf(asked, partition, context)
  if (problem !== Errors.NONE || partition === undefined) return failed(problem)
  const fetchOffset = Number(wanted.fetchOffset)
  if (wanted.lastFetchedEpoch >= 0) {
    const { log } = partition
    const end = log.leaderEpochs.endOffsetFor(wanted.lastFetchedEpoch, log.logEndOffset)
    if (end.endOffset < 0) return failed(Errors.OFFSET_OUT_OF_RANGE)
    if (end.epoch < wanted.lastFetchedEpoch || end.endOffset < fetchOffset)
      return { asked, partition, errorCode: Errors.NONE, slice: undefined, diverging: end }
  }
  const { error, slice } = partition.log.read(fetchOffset, {
    maxBytes: Math.max(0, Math.min(wanted.partitionMaxBytes, budget.left)),
    upTo: boundOf(partition, request),
    minOneBatch: !budget.hardLimit,
  })
  if (error !== Errors.NONE) return failed(known(error, context))
  // From version 3 on, a batch is given whole or, having no room, not at all (KIP-74).
  const isCut = slice?.firstBatchIncomplete === true && context.apiVersion >= 3
  const given = isCut ? undefined : slice
  return { asked, partition, errorCode: Errors.NONE, slice: given, diverging: undefined }
}

function boundOf(partition: Partition, request: FetchRequest): number {
  const { log } = partition
  if (request.replicaId >= 0 || request.replicaState.replicaId >= 0) return log.logEndOffset
  return request.isolationLevel === readCommitted ? log.lastStableOffset : log.highWatermark
}

function problemOf(
  { topic, topicId, wanted }: Asked,
  partition: Partition | undefined,
  context: RequestContext,
): number {
  const { metadata, configs } = context.parts
  if (topic === undefined) return Errors.UNKNOWN_TOPIC_ID
  const problem = partition?.leaderProblem(wanted.currentLeaderEpoch)
  if (problem === undefined || problem === Errors.NOT_LEADER_OR_FOLLOWER)
    return metadata.hasPartition(topic, wanted.partition)
      ? Errors.NOT_LEADER_OR_FOLLOWER
      : Errors.UNKNOWN_TOPIC_OR_PARTITION
  const ownId = context.apiVersion >= 13 ? partition?.log.topicId : undefined
  if (ownId !== undefined && ownId !== topicId) return Errors.INCONSISTENT_TOPIC_ID
  if (problem !== Errors.NONE) return known(problem, context)
  return conversionProblem(configs.of(topic), context.apiVersion)
}

/** Clients before 1.0 do not know KAFKA_STORAGE_ERROR (kafka.md F13). */
function known(error: number, context: RequestContext): number {
  const isOld = context.apiVersion <= 5
  return isOld && error === Errors.KAFKA_STORAGE_ERROR ? Errors.NOT_LEADER_OR_FOLLOWER : error
}
