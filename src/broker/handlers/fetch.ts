import { Errors } from '../../kafka/errors.ts'
import { Fetch } from '../../kafka/messages/fetch.ts'
import type { RequestOf } from '../../wire/schema.ts'
import type { LogSlice } from '../../storage/results.ts'
import { handler, type RequestContext } from '../handler.ts'
import type { Partition, Waiter } from '../replication/partition.ts'
import { RecordsOfSlice } from '../slice-records.ts'

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
    const enough = first.bytes >= request.minBytes || first.atOnce || request.maxWaitMs <= 0
    if (enough || first.found.length === 0) return answer(request, first)
    return new Promise((resolve) => {
      const finish = (pass: Pass): void => {
        timer.cancel()
        for (const { partition } of first.found) partition?.forget(waiter)
        resolve(answer(request, pass))
      }
      const timer = context.parts.clock.schedule(request.maxWaitMs, () =>
        finish(read(request, context)),
      )
      const waiter: Waiter = {
        look() {
          const pass = read(request, context)
          if (pass.bytes >= request.minBytes || pass.atOnce) finish(pass)
        },
      }
      for (const { partition } of first.found) partition?.wait(waiter)
    })
  },
  { inPlace: true },
)

/** Looks at every partition in the request's order, within its byte limits. Copies nothing. */
function read(request: Request, context: RequestContext): Pass {
  const found: Found[] = []
  let left = Math.min(request.maxBytes, context.parts.settings.fetchMaxBytes)
  let bytes = 0
  let atOnce = false
  for (const topic of request.topics) {
    const name = nameOf(topic, context)
    for (const wanted of topic.partitions) {
      const result = readOne(name, wanted, request, context, {
        left,
        hardLimit: context.apiVersion <= 2 || bytes > 0,
      })
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
  const problem = problemOf(topic, partition, wanted, context)
  if (problem !== Errors.NONE || partition === undefined)
    return { wanted, partition: undefined, errorCode: problem, slice: undefined }
  const maxBytes = Math.max(0, Math.min(wanted.partitionMaxBytes, budget.left))
  const result = partition.log.read(Number(wanted.fetchOffset), {
    maxBytes,
    upTo: boundOf(partition, request),
    minOneBatch: !budget.hardLimit,
  })
  if (result.error !== Errors.NONE)
    return { wanted, partition: undefined, errorCode: result.error, slice: undefined }
  return { wanted, partition, errorCode: Errors.NONE, slice: result.slice }
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
  if (topic === undefined) return Errors.UNKNOWN_TOPIC_ID
  if (partition === undefined) {
    const known = context.parts.metadata.topic(topic)?.partitions[wanted.partition] !== undefined
    return known ? Errors.NOT_LEADER_OR_FOLLOWER : Errors.UNKNOWN_TOPIC_OR_PARTITION
  }
  const problem = partition.leaderProblem(wanted.currentLeaderEpoch)
  // Clients before 1.0 do not know KAFKA_STORAGE_ERROR (kafka.md F13).
  if (problem === Errors.KAFKA_STORAGE_ERROR && context.apiVersion <= 5)
    return Errors.NOT_LEADER_OR_FOLLOWER
  return problem
}

function nameOf(topic: Topic, context: RequestContext): string | undefined {
  return context.apiVersion >= 13 ? context.parts.metadata.nameOfId(topic.topicId) : topic.topic
}

/** The response. Hot records are read when the answer is encoded, cold ones before. */
function answer(request: Request, pass: Pass) {
  const records: (RecordsOfSlice | null)[] = []
  const cold: Promise<void>[] = []
  for (const { partition, slice } of pass.found) {
    if (partition === undefined || slice === undefined) {
      records.push(null)
      continue
    }
    const source = new RecordsOfSlice(partition.log, slice)
    const loading = source.prepare()
    if (loading !== undefined) cold.push(loading)
    records.push(source)
  }
  const body = bodyOf(request, pass, records)
  return cold.length === 0 ? body : Promise.all(cold).then(() => body)
}

const noRecords = Buffer.alloc(0)

function bodyOf(request: Request, pass: Pass, records: readonly (RecordsOfSlice | null)[]) {
  let at = 0
  const responses = request.topics.map((topic) => ({
    topic: topic.topic,
    topicId: topic.topicId,
    partitions: topic.partitions.map(() => {
      const found = pass.found[at]
      const source = records[at] ?? noRecords
      at += 1
      return partitionBody(found, request, source)
    }),
  }))
  return { errorCode: Errors.NONE, sessionId: 0, responses }
}

function partitionBody(
  found: Found | undefined,
  request: Request,
  records: RecordsOfSlice | Buffer,
) {
  const { partition, errorCode = Errors.UNKNOWN_SERVER_ERROR, wanted, slice } = found ?? {}
  const log = partition?.log
  const isCommittedRead = request.isolationLevel === readCommitted
  const aborted =
    isCommittedRead && log !== undefined && slice !== undefined
      ? log.abortedTransactions(Number(wanted?.fetchOffset ?? 0), log.lastStableOffset)
      : []
  return {
    partitionIndex: wanted?.partition ?? -1,
    errorCode,
    highWatermark: log?.highWatermark ?? -1,
    lastStableOffset: log?.lastStableOffset ?? -1,
    logStartOffset: log?.logStartOffset ?? -1,
    abortedTransactions: isCommittedRead ? aborted : null,
    records,
  }
}
