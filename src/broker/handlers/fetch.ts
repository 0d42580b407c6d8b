import { Errors } from '../../kafka/errors.ts'
import { Fetch } from '../../kafka/messages/fetch.ts'
import type { LogSlice } from '../../storage/results.ts'
import type { RequestOf } from '../../wire/schema.ts'
import { conversionProblem, conversionTarget, ConvertedRecords } from '../down-conversion.ts'
import { handler, Parked, type Reply, type RequestContext, type Waiting } from '../handler.ts'
import type { Partition } from '../replication/partition.ts'
import { RecordsOfSlice } from '../slice-records.ts'
import type { Waiter } from '../turn.ts'

type Request = RequestOf<typeof Fetch>
type Topic = Request['topics'][number]
type Wanted = Topic['partitions'][number]

/** One partition's read: what was found, without its bytes. */
interface Found {
  readonly wanted: Wanted
  readonly partition: Partition | undefined
  readonly errorCode: number
  readonly slice: LogSlice | undefined
}

interface Pass {
  readonly found: Found[]
  /** Bytes the answer would carry. */
  readonly bytes: number
  /** An error or an old segment: answer at once. */
  readonly atOnce: boolean
}

/** The records of one partition's answer, and what came of them on their way. */
type Source = RecordsOfSlice | ConvertedRecords | null

const readCommitted = 1

/**
 * Fetch (key 1). Answers when min_bytes are there, or max_wait has passed, or a partition has an error;
 * else waits and is woken in the turn of an append (kafka.md F8 to F14). Sessions are declined with
 * session id 0, as by a broker whose session cache is full: every request is a full one.
 */
export const fetch = handler(
  Fetch,
  [0, 17],
  (request, context) => {
    if (request.sessionEpoch > 0)
      return { errorCode: Errors.FETCH_SESSION_ID_NOT_FOUND, sessionId: 0, responses: [] }
    const first = read(request, context)
    if (first.found.length > 0 && request.maxWaitMs > 0 && !suffices(first, request))
      return new Parked((answer) => park(request, first, context, answer))
    const sources = sourcesOf(first, context)
    return afterConversion(sources, () => bodyOf(request, first, sources))
  },
  { inPlace: true },
)

function suffices(pass: Pass, request: Request): boolean {
  return pass.bytes >= request.minBytes || pass.atOnce
}

type Body = ReturnType<typeof bodyOf>

function park(
  request: Request,
  first: Pass,
  context: RequestContext,
  answer: (reply: Reply<Body>) => void,
): Waiting {
  let isDone = false
  const leave = (): void => {
    isDone = true
    timer.cancel()
    for (const { partition } of first.found) partition?.forget(waiter)
  }
  const finish = (pass: Pass): void => {
    if (isDone) return
    leave()
    const sources = sourcesOf(pass, context)
    const body = afterConversion(sources, () => bodyOf(request, pass, sources))
    if (body instanceof Promise) void body.then(answer)
    else answer(body)
  }
  const hurry = (): void => finish(read(request, context))
  const timer = context.parts.clock.schedule(request.maxWaitMs, hurry)
  const waiter: Waiter = {
    look() {
      if (isDone) return
      const pass = read(request, context)
      if (suffices(pass, request)) finish(pass)
    },
  }
  for (const { partition } of first.found) partition?.wait(waiter)
  return { hurry, abandon: leave }
}

/** Old clients wait until their records are read and converted; for others nothing is read here. */
function afterConversion<T>(sources: readonly Source[], make: () => T): T | Promise<T> {
  const converted = sources.filter((source) => source instanceof ConvertedRecords)
  return converted.length === 0 ? make() : convertAll(converted, make)
}

async function convertAll<T>(sources: readonly ConvertedRecords[], make: () => T): Promise<T> {
  await Promise.all(sources.map((source) => source.load()))
  return make()
}

/** Looks at every partition in the request's order, within its byte limits. Copies nothing. */
function read(request: Request, context: RequestContext): Pass {
  const { settings, answers } = context.parts
  const found: Found[] = []
  let left = Math.min(request.maxBytes, settings.fetchMaxBytes, answers.leftBytes)
  let bytes = 0
  let atOnce = false
  for (const topic of request.topics) {
    const name = nameOf(topic, context)
    for (const wanted of topic.partitions) {
      const hardLimit = context.apiVersion <= 2 || bytes > 0
      const result = readOne(name, wanted, request, context, { left, hardLimit })
      found.push(result)
      const length = result.slice?.length ?? 0
      left -= length
      bytes += length
      const segment = result.slice?.segmentBaseOffset ?? Number.POSITIVE_INFINITY
      const active = result.partition?.log.activeBaseOffset ?? 0
      if (result.errorCode !== Errors.NONE || segment < active) atOnce = true
    }
  }
  return { found, bytes, atOnce }
}

interface Budget {
  readonly left: number
  /** No batch above the limits, not even as the first of the answer. */
  readonly hardLimit: boolean
}

function readOne(
  topic: string | undefined,
  wanted: Wanted,
  request: Request,
  context: RequestContext,
  budget: Budget,
): Found {
  const partition =
    topic === undefined ? undefined : context.parts.replicas.get(topic, wanted.partition)
  const failed = (errorCode: number): Found => ({
    ...{ wanted, partition: undefined, errorCode, slice: undefined },
  })
  const problem = problemOf(topic, partition, wanted, context)
  if (problem !== Errors.NONE || partition === undefined) return failed(problem)
  const maxBytes = Math.max(0, Math.min(wanted.partitionMaxBytes, budget.left))
  const { error, slice } = partition.log.read(Number(wanted.fetchOffset), {
    maxBytes,
    upTo: boundOf(partition, request),
    minOneBatch: !budget.hardLimit,
  })
  if (error !== Errors.NONE) return failed(known(error, context))
  // From version 3 on, a batch is given whole or, having no room, not at all (KIP-74).
  const isCut = slice?.firstBatchIncomplete === true && context.apiVersion >= 3
  return { wanted, partition, errorCode: Errors.NONE, slice: isCut ? undefined : slice }
}

function boundOf(partition: Partition, request: Request): number {
  const { log } = partition
  if (request.replicaId >= 0 || request.replicaState.replicaId >= 0) return log.logEndOffset
  return request.isolationLevel === readCommitted ? log.lastStableOffset : log.highWatermark
}

function problemOf(
  topic: string | undefined,
  partition: Partition | undefined,
  wanted: Wanted,
  context: RequestContext,
): number {
  const { metadata, configs } = context.parts
  if (topic === undefined) return Errors.UNKNOWN_TOPIC_ID
  const problem = partition?.leaderProblem(wanted.currentLeaderEpoch)
  if (problem === undefined || problem === Errors.NOT_LEADER_OR_FOLLOWER)
    return metadata.hasPartition(topic, wanted.partition)
      ? Errors.NOT_LEADER_OR_FOLLOWER
      : Errors.UNKNOWN_TOPIC_OR_PARTITION
  if (problem !== Errors.NONE) return known(problem, context)
  return conversionProblem(configs.of(topic), context.apiVersion)
}

/** Clients before 1.0 do not know KAFKA_STORAGE_ERROR (kafka.md F13). */
function known(error: number, context: RequestContext): number {
  const isOld = context.apiVersion <= 5
  return isOld && error === Errors.KAFKA_STORAGE_ERROR ? Errors.NOT_LEADER_OR_FOLLOWER : error
}

function nameOf(topic: Topic, context: RequestContext): string | undefined {
  return context.apiVersion >= 13 ? context.parts.metadata.nameOfId(topic.topicId) : topic.topic
}

/** Where the records of an answer come from, and in what form. */
function sourcesOf(pass: Pass, context: RequestContext): Source[] {
  const { coldReads, configs } = context.parts
  const magic = conversionTarget(context.apiVersion)
  return pass.found.map(({ partition, slice, wanted }) => {
    if (partition === undefined || slice === undefined) return null
    if (magic === undefined) return new RecordsOfSlice(partition.log, slice, coldReads)
    return new ConvertedRecords(partition.log, slice, {
      magic,
      firstOffset: Number(wanted.fetchOffset),
      isAllowed: configs.of(partition.topic).downConversionAllowed,
    })
  })
}

const noRecords = Buffer.alloc(0)

function bodyOf(request: Request, pass: Pass, sources: readonly Source[]) {
  let at = 0
  const responses = request.topics.map((topic) => ({
    topic: topic.topic,
    topicId: topic.topicId,
    partitions: topic.partitions.map(() => {
      const found = pass.found[at]
      const source = sources[at] ?? null
      at += 1
      return partitionBody(found, request, source)
    }),
  }))
  return { errorCode: Errors.NONE, sessionId: 0, responses }
}

function partitionBody(found: Found | undefined, request: Request, source: Source) {
  const { partition, errorCode = Errors.UNKNOWN_SERVER_ERROR, wanted, slice } = found ?? {}
  const problem = source?.problem ?? Errors.NONE
  const log = problem === Errors.NONE ? partition?.log : undefined
  const isCommittedRead = request.isolationLevel === readCommitted
  const aborted =
    isCommittedRead && log !== undefined && slice !== undefined
      ? log.abortedTransactions(Number(wanted?.fetchOffset ?? 0), log.lastStableOffset)
      : []
  return {
    partitionIndex: wanted?.partition ?? -1,
    errorCode: problem === Errors.NONE ? errorCode : problem,
    highWatermark: log?.highWatermark ?? -1,
    lastStableOffset: log?.lastStableOffset ?? -1,
    logStartOffset: log?.logStartOffset ?? -1,
    abortedTransactions: isCommittedRead ? aborted : null,
    records: log === undefined ? noRecords : (source ?? noRecords),
  }
}
