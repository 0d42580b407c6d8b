import { Errors } from '../../kafka/errors.ts'
import type { EpochEnd } from '../../storage/leader-epochs.ts'
import type { LogSlice } from '../../storage/results.ts'
import { conversionProblem } from '../down-conversion.ts'
import type { RequestContext } from '../handler.ts'
import type { Partition } from '../replication/partition.ts'
import { preferredReplica } from '../replication/preferred-replica.ts'
import type { Asked, FetchRequest } from './session.ts'

/** One partition's read: what was found, without its bytes. */
export interface Found {
  readonly asked: Asked
  readonly partition: Partition | undefined
  readonly errorCode: number
  readonly slice: LogSlice | undefined
  /** Where the reader's log and ours part; undefined: they do not. */
  readonly diverging: EpochEnd | undefined
  /** There are records for it, but the answer had no room for them. */
  readonly isLeftOut: boolean
  /** The broker that the reader should rather read from; -1: this one. */
  readonly preferred: number
}

export interface Pass {
  readonly found: Found[]
  /** Bytes the answer would carry. */
  readonly bytes: number
  /** There is something to answer at once: a log's error, logs that part, an old segment. */
  readonly isUrgent: boolean
  /** Not one of them is there. */
  readonly isAllMissing: boolean
}

const readCommitted = 1
const firstVersionOfRacks = 11

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
  return { found, bytes, isUrgent, isAllMissing: readable === 0 }
}

function isMissing(errorCode: number): boolean {
  return errorCode === Errors.UNKNOWN_TOPIC_OR_PARTITION || errorCode === Errors.UNKNOWN_TOPIC_ID
}

function isUrgentResult({ errorCode, slice, partition, diverging, preferred }: Found): boolean {
  if (isMissing(errorCode)) return false
  if (errorCode !== Errors.NONE || diverging !== undefined || preferred >= 0) return true
  const segment = slice?.segmentBaseOffset ?? Number.POSITIVE_INFINITY
  return segment < (partition?.log.segments.active.baseOffset ?? 0)
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
  const nothing = {
    ...{ asked, slice: undefined, diverging: undefined, isLeftOut: false, preferred: -1 },
  }
  const failed = (errorCode: number): Found => ({ ...nothing, partition: undefined, errorCode })
  const problem = problemOf(asked, partition, request, context)
  if (problem !== Errors.NONE || partition === undefined) return failed(problem)
  const fetchOffset = Number(wanted.fetchOffset)
  if (wanted.lastFetchedEpoch >= 0) {
    const { log } = partition
    const end = log.leaderEpochs.endOffsetFor(wanted.lastFetchedEpoch, log.logEndOffset)
    if (end.endOffset < 0) return failed(Errors.OFFSET_OUT_OF_RANGE)
    if (end.epoch < wanted.lastFetchedEpoch || end.endOffset < fetchOffset)
      return { ...nothing, partition, errorCode: Errors.NONE, diverging: end }
  }
  const preferred = preferredOf(partition, fetchOffset, request, context)
  if (preferred >= 0) return { ...nothing, partition, errorCode: Errors.NONE, preferred }
  const upTo = boundOf(partition, request)
  const follower = followerOf(request)
  if (follower >= 0 && fetchOffset < upTo && partition.isHeldBack(follower))
    return { ...nothing, partition, errorCode: Errors.NONE, isLeftOut: true }
  const { error, slice } = partition.log.read(fetchOffset, {
    maxBytes: Math.max(0, Math.min(wanted.partitionMaxBytes, budget.left)),
    upTo,
    minOneBatch: !budget.hardLimit,
  })
  if (error !== Errors.NONE) return failed(known(error, context))
  // From version 3 on, a batch is given whole or, having no room, not at all (KIP-74).
  const isCut = slice?.firstBatchIncomplete === true && context.apiVersion >= 3
  const given = isCut ? undefined : slice
  const isLeftOut = given === undefined && fetchOffset < upTo
  return { ...nothing, partition, errorCode: Errors.NONE, slice: given, isLeftOut }
}

/** The broker that follows; negative: a consumer. */
function followerOf({ replicaId, replicaState }: FetchRequest): number {
  return replicaId >= 0 ? replicaId : replicaState.replicaId
}

/** -1: the reader is right here. */
function preferredOf(
  partition: Partition,
  fetchOffset: number,
  request: FetchRequest,
  { parts, listener }: RequestContext,
): number {
  const { rackId } = request
  if (rackId === '' || !parts.settings.readsByRack || !partition.isLeader) return -1
  if (followerOf(request) >= 0) return -1
  const chosen = preferredReplica({
    ...{ rackId, fetchOffset, leader: parts.brokerId, followers: partition.followers },
    rackOf: (id) => parts.metadata.endpoint(id, listener) && parts.metadata.brokers.get(id)?.rack,
  })
  return chosen === parts.brokerId ? -1 : chosen
}

/** What a follower asks for, it has all before of (kafka.md D). To be called once for each request. */
export function acknowledge(
  wanted: readonly Asked[],
  request: FetchRequest,
  { parts }: RequestContext,
): void {
  const follower = followerOf(request)
  if (follower < 0) return
  for (const { topic, wanted: position } of wanted) {
    const partition =
      topic === undefined ? undefined : parts.replicas.get(topic, position.partition)
    if (partition?.leaderProblem(position.currentLeaderEpoch) === Errors.NONE)
      partition.followerFetched(follower, {
        fetchOffset: Number(position.fetchOffset),
        lastFetchedEpoch: position.lastFetchedEpoch,
        logStartOffset: Number(position.logStartOffset),
      })
  }
}

function boundOf(partition: Partition, request: FetchRequest): number {
  const { log } = partition
  if (followerOf(request) >= 0) return log.logEndOffset
  return request.isolationLevel === readCommitted ? log.lastStableOffset : log.highWatermark
}

function problemOf(
  { topic, topicId, wanted }: Asked,
  partition: Partition | undefined,
  request: FetchRequest,
  context: RequestContext,
): number {
  const { metadata, configs } = context.parts
  if (topic === undefined) return Errors.UNKNOWN_TOPIC_ID
  const follower = followerOf(request)
  // Newer consumers know that they may read from a follower (KIP-392).
  const mayBeFollower = follower < 0 && context.apiVersion >= firstVersionOfRacks
  const problem = mayBeFollower
    ? partition?.replicaProblem(wanted.currentLeaderEpoch)
    : partition?.leaderProblem(wanted.currentLeaderEpoch)
  if (problem === undefined || problem === Errors.NOT_LEADER_OR_FOLLOWER)
    return metadata.hasPartition(topic, wanted.partition)
      ? Errors.NOT_LEADER_OR_FOLLOWER
      : Errors.UNKNOWN_TOPIC_OR_PARTITION
  const ownId = context.apiVersion >= 13 ? partition?.log.topicId : undefined
  if (ownId !== undefined && ownId !== topicId) return Errors.INCONSISTENT_TOPIC_ID
  if (problem !== Errors.NONE) return known(problem, context)
  if (follower >= 0) return partition?.followerProblem(follower, wanted.currentLeaderEpoch) ?? 0
  return conversionProblem(configs.of(topic), context.apiVersion)
}

/** Clients before 1.0 do not know KAFKA_STORAGE_ERROR (kafka.md F13). */
function known(error: number, context: RequestContext): number {
  const isOld = context.apiVersion <= 5
  return isOld && error === Errors.KAFKA_STORAGE_ERROR ? Errors.NOT_LEADER_OR_FOLLOWER : error
}
