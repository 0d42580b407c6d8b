import { Errors } from '../../kafka/errors.ts'
import { Fetch } from '../../kafka/messages/fetch.ts'
import { conversionTarget, ConvertedRecords } from '../down-conversion.ts'
import { readAll, type Found, type Pass } from '../fetching/read.ts'
import type { Asked, FetchRequest, FetchSession, PartitionFacts } from '../fetching/session.ts'
import type { FetchScope } from '../fetching/sessions.ts'
import { handler, Parked, type Reply, type RequestContext, type Waiting } from '../handler.ts'
import { RecordsOfSlice } from '../slice-records.ts'
import type { Waiter } from '../turn.ts'

/** A request, and the partitions it is about: its own, or those of its session. */
interface Fetching {
  readonly request: FetchRequest
  readonly context: RequestContext
  readonly scope: Exclude<FetchScope, { kind: 'refused' }>
  readonly asked: readonly Asked[]
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
    const { fetchSessions, clock, metadata } = context.parts
    const named = namedBy(request, context)
    const usesTopicIds = context.apiVersion >= firstVersionOfTopicIds
    const scope = fetchSessions.open(request, named, {
      usesTopicIds,
      nowMs: clock.monotonicMs(),
      nameOf: (topicId) => metadata.nameOfId(topicId),
    })
    if (scope.kind === 'refused') return { errorCode: scope.errorCode, sessionId: 0, responses: [] }
    const asked = scope.kind === 'incremental' ? scope.partitions : named
    const fetching = { request, context, scope, asked }
    const first = readAll(asked, request, context)
    if (asked.length > 0 && request.maxWaitMs > 0 && !suffices(first, request))
      return new Parked((answer) => park(fetching, first, answer))
    const sources = sourcesOf(first, context)
    return afterConversion(sources, () => bodyOf(fetching, first, sources))
  },
  { inPlace: true },
)

function suffices(pass: Pass, request: FetchRequest): boolean {
  return pass.bytes >= request.minBytes || pass.isUrgent
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

function park(fetching: Fetching, first: Pass, answer: (reply: Reply<Body>) => void): Waiting {
  const { request, context, asked } = fetching
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
    const body = afterConversion(sources, () => bodyOf(fetching, pass, sources))
    if (body instanceof Promise) void body.then(answer)
    else answer(body)
  }
  const hurry = (): void => finish(readAll(asked, request, context))
  const timer = context.parts.clock.schedule(request.maxWaitMs, hurry)
  const waiter: Waiter = {
    look() {
      if (isDone) return
      const pass = readAll(asked, request, context)
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

function bodyOf(fetching: Fetching, pass: Pass, sources: readonly Source[]) {
  const { scope, request } = fetching
  if (scope.kind === 'incremental' && scope.session.epoch !== scope.epoch)
    // Another request took the session up while this one waited.
    return bodyWith(Errors.INVALID_FETCH_SESSION_EPOCH, scope.session.id, [])
  const session = scope.kind === 'incremental' ? scope.session : beginSession(fetching)
  const responses: TopicBody[] = []
  for (const [index, found] of pass.found.entries()) {
    const { asked } = found
    const member = scope.kind === 'incremental' ? scope.partitions[index] : undefined
    if (member === undefined) session?.told(asked, factsOf(found))
    else if (session?.tell(member, factsOf(found)) === false) continue
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

function beginSession({ scope, asked, request, context }: Fetching): FetchSession | undefined {
  if (scope.kind !== 'first' || context.apiVersion < firstVersionOfSessions) return undefined
  const { fetchSessions, clock } = context.parts
  const isFollower = request.replicaId >= 0 || request.replicaState.replicaId >= 0
  const usesTopicIds = context.apiVersion >= firstVersionOfTopicIds
  return fetchSessions.begin(asked, { isFollower, usesTopicIds }, clock.monotonicMs())
}

function factsOf({ partition, errorCode, slice, diverging }: Found): PartitionFacts {
  return {
    recordsBytes: slice?.length ?? 0,
    highWatermark: partition?.log.highWatermark ?? -1,
    logStartOffset: partition?.log.logStartOffset ?? -1,
    errorCode,
    isRedirected: diverging !== undefined,
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
    records: log === undefined ? noRecords : (source ?? noRecords),
  }
}
