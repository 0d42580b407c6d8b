import { Errors } from '../../kafka/errors.ts'
import { Fetch } from '../../kafka/messages/fetch.ts'
import { conversionTarget, ConvertedRecords } from '../down-conversion.ts'
import { acknowledge, readAll, type Found, type Pass } from '../fetching/read.ts'
import type {
  Asked,
  FetchRequest,
  FetchSession,
  PartitionFacts,
  SessionPartition,
} from '../fetching/session.ts'
import type { FetchScope } from '../fetching/sessions.ts'
import { handler, Parked, type Reply, type RequestContext, type Waiting } from '../handler.ts'
import { RecordsOfSlice } from '../slice-records.ts'
import type { Waiter } from '../turn.ts'

/** A request, and the partitions it is about: those it names, or those of its session. */
interface Fetching {
  readonly request: FetchRequest
  readonly context: RequestContext
  readonly scope: Exclude<FetchScope, { kind: 'refused' }>
  readonly named: readonly Asked[]
}

/** One look at the partitions that may have something for the request. */
interface Look extends Pass {
  /** Those of the session, one for each that was found; empty where the request has none. */
  readonly members: readonly SessionPartition[]
  /** Nothing was left out, since nothing could have happened there. */
  readonly isFull: boolean
}

/** The records of one partition's answer, and what came of them on their way. */
type Source = RecordsOfSlice | ConvertedRecords | null

const readCommitted = 1
const firstVersionOfSessions = 7
const firstVersionOfTopicIds = 13

/**
 * Fetch (key 1). Answers when min_bytes are there, or max_wait has passed, or a partition has an error;
 * else waits and is woken in the turn of an append (kafka.md F8 to F14).
 */
export const fetch = handler(
  Fetch,
  [0, 17],
  (request, context) => {
    const { fetchSessions, clock } = context.parts
    const named = namedBy(request, context)
    const usesTopicIds = context.apiVersion >= firstVersionOfTopicIds
    const nowMs = clock.monotonicMs()
    const scope = fetchSessions.open(request, named, { usesTopicIds, nowMs })
    if (scope.kind === 'refused') return { errorCode: scope.errorCode, sessionId: 0, responses: [] }
    const fetching = { request, context, scope, named }
    const first = look(fetching, true)
    const isAboutNothing = scope.kind !== 'incremental' && named.length === 0
    if (!isAboutNothing && request.maxWaitMs > 0 && !suffices(first, request))
      return new Parked((answer) => park(fetching, first, answer))
    const sources = sourcesOf(first, context)
    return afterConversion(sources, () => bodyOf(fetching, first, sources))
  },
  { inPlace: true },
)

/** Reads what there is. The first look of a request takes note of what it acknowledges. */
function look({ request, context, scope, named }: Fetching, isFirst: boolean): Look {
  if (scope.kind !== 'incremental') {
    if (isFirst) acknowledge(named, request, context)
    return { ...readAll(named, request, context), members: [], isFull: true }
  }
  const { clock, metadata, replicas, sessionWatches } = context.parts
  const watch = sessionWatches.of(scope.session)
  const nameOf = (topicId: string): string | undefined => metadata.nameOfId(topicId)
  const surroundings = { nowMs: clock.monotonicMs(), replicas, nameOf }
  if (isFirst) watch.named(named, surroundings)
  const { partitions: members, isFull } = watch.due(surroundings)
  if (isFirst) acknowledge(isFull ? members : named, request, context)
  return { ...readAll(members, request, context), members, isFull }
}

/** The request goes on waiting: where there is nothing to tell, nobody looks again until it moves. */
function leaveToWatch({ scope, context }: Fetching, { members, found }: Look): void {
  if (scope.kind !== 'incremental') return
  const watch = context.parts.sessionWatches.of(scope.session)
  for (const [index, member] of members.entries()) {
    const one = found[index]
    if (one === undefined || one.isLeftOut) continue
    if (!scope.session.isNews(member, factsOf(one))) watch.settled(member)
  }
}

function suffices(found: Look, request: FetchRequest): boolean {
  if (found.isUrgent || (found.isFull && found.isAllMissing)) return true
  return found.bytes >= request.minBytes
}

function namedBy(request: FetchRequest, { apiVersion, parts }: RequestContext): Asked[] {
  const asked: Asked[] = []
  for (const { topic: given, topicId, partitions } of request.topics) {
    const topic = apiVersion >= firstVersionOfTopicIds ? parts.metadata.nameOfId(topicId) : given
    for (const wanted of partitions) asked.push({ topic, topicId, wanted })
  }
  return asked
}

type Body = ReturnType<typeof bodyOf>

function park(fetching: Fetching, first: Look, answer: (reply: Reply<Body>) => void): Waiting {
  const { request, context, scope } = fetching
  const watch =
    scope.kind === 'incremental' ? context.parts.sessionWatches.of(scope.session) : undefined
  let isDone = false
  const leave = (): void => {
    isDone = true
    timer.cancel()
    if (watch !== undefined) watch.unpark(waiter)
    else for (const { partition } of first.found) partition?.forget(waiter)
  }
  const finish = (found: Look): void => {
    if (isDone) return
    leave()
    const sources = sourcesOf(found, context)
    const body = afterConversion(sources, () => bodyOf(fetching, found, sources))
    if (body instanceof Promise) void body.then(answer)
    else answer(body)
  }
  const hurry = (): void => finish(look(fetching, false))
  const timer = context.parts.clock.schedule(request.maxWaitMs, hurry)
  const waiter: Waiter = {
    look() {
      if (isDone) return
      const found = look(fetching, false)
      if (suffices(found, request)) finish(found)
      else leaveToWatch(fetching, found)
    },
  }
  leaveToWatch(fetching, first)
  if (watch !== undefined) watch.park(waiter)
  else for (const { partition } of first.found) partition?.wait(waiter)
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

/** Where the records of an answer come from, and in what form. */
function sourcesOf(pass: Pass, context: RequestContext): Source[] {
  const { sliceReads, configs } = context.parts
  const magic = conversionTarget(context.apiVersion)
  return pass.found.map(({ partition, slice, asked }) => {
    if (partition === undefined || slice === undefined) return null
    if (magic === undefined) return new RecordsOfSlice(partition.log, slice, sliceReads)
    return new ConvertedRecords(partition.log, slice, {
      magic,
      firstOffset: Number(asked.wanted.fetchOffset),
      isAllowed: configs.of(partition.topic).downConversionAllowed,
    })
  })
}

const noRecords = Buffer.alloc(0)
const noDivergence = { epoch: -1, endOffset: -1 }

type PartitionBody = ReturnType<typeof partitionBody>

interface TopicBody {
  readonly topic: string
  readonly topicId: string
  readonly partitions: PartitionBody[]
}

function bodyOf(fetching: Fetching, pass: Look, sources: readonly Source[]) {
  const { scope, request, context } = fetching
  if (scope.kind === 'incremental' && scope.session.epoch !== scope.epoch)
    // Another request took the session up while this one waited.
    return bodyWith(Errors.INVALID_FETCH_SESSION_EPOCH, scope.session.id, [])
  countTraffic(fetching, pass)
  const session = scope.kind === 'incremental' ? scope.session : beginSession(fetching)
  const watch = session && context.parts.sessionWatches.of(session)
  const responses: TopicBody[] = []
  for (const [index, found] of pass.found.entries()) {
    const { asked } = found
    const member = pass.members[index]
    const facts = factsOf(found)
    if (member === undefined) session?.told(asked, facts)
    else {
      if (facts.recordsBytes > 0) watch?.served(member)
      else if (isSettled(found)) watch?.settled(member)
      if (session?.tell(member, facts) === false) continue
    }
    const { topic = '', topicId } = asked
    let last = responses.at(-1)
    if (last === undefined || last.topicId !== topicId || last.topic !== topic)
      responses.push((last = { topic, topicId, partitions: [] }))
    last.partitions.push(partitionBody(found, request, sources[index] ?? null))
  }
  return bodyWith(Errors.NONE, session?.id ?? 0, responses)
}

function bodyWith(errorCode: number, sessionId: number, responses: TopicBody[]) {
  return { errorCode, sessionId, responses }
}

function beginSession({ scope, named, request, context }: Fetching): FetchSession | undefined {
  if (scope.kind !== 'first' || context.apiVersion < firstVersionOfSessions) return undefined
  const { fetchSessions, clock } = context.parts
  const isFollower = isOfFollower(request)
  const usesTopicIds = context.apiVersion >= firstVersionOfTopicIds
  return fetchSessions.begin(named, { isFollower, usesTopicIds }, clock.monotonicMs())
}

function isOfFollower({ replicaId, replicaState }: FetchRequest): boolean {
  return replicaId >= 0 || replicaState.replicaId >= 0
}

function countTraffic({ request, context }: Fetching, { found }: Pass): void {
  const { traffic } = context.parts
  const isFollower = isOfFollower(request)
  for (const { partition, slice, errorCode } of found) {
    const seen = partition === undefined ? traffic.unknown : traffic.of(partition.topic)
    const bytes = slice?.length ?? 0
    if (isFollower) {
      seen.replicationBytesOut += bytes
      partition?.gaveFollower(bytes)
    } else {
      seen.fetchRequests += 1
      seen.bytesOut += bytes
      if (errorCode !== Errors.NONE) seen.failedFetchRequests += 1
    }
  }
}

/** Until it moves there is nothing in it for the client. */
function isSettled({ errorCode, diverging, preferred, isLeftOut }: Found): boolean {
  return errorCode === Errors.NONE && diverging === undefined && preferred < 0 && !isLeftOut
}

function factsOf({ partition, errorCode, slice, diverging, preferred }: Found): PartitionFacts {
  return {
    recordsBytes: slice?.length ?? 0,
    highWatermark: partition?.log.highWatermark ?? -1,
    logStartOffset: partition?.log.logStartOffset ?? -1,
    errorCode,
    isRedirected: diverging !== undefined || preferred >= 0,
  }
}

function partitionBody(found: Found, request: FetchRequest, source: Source) {
  const { partition, asked, slice } = found
  const problem = source?.problem ?? Errors.NONE
  const log = problem === Errors.NONE ? partition?.log : undefined
  const isCommittedRead = request.isolationLevel === readCommitted
  const aborted =
    isCommittedRead && log !== undefined && slice !== undefined
      ? log.abortedTransactions(Number(asked.wanted.fetchOffset), log.lastStableOffset)
      : []
  return {
    partitionIndex: asked.wanted.partition,
    errorCode: problem === Errors.NONE ? found.errorCode : problem,
    highWatermark: log?.highWatermark ?? -1,
    lastStableOffset: log?.lastStableOffset ?? -1,
    logStartOffset: log?.logStartOffset ?? -1,
    divergingEpoch: found.diverging ?? noDivergence,
    abortedTransactions: isCommittedRead ? aborted : null,
    preferredReadReplica: found.preferred,
    records: log === undefined ? noRecords : (source ?? noRecords),
  }
}
