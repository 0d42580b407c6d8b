import { Errors } from '../../kafka/errors.ts'
import { attributes, batchSize, HEADER_BYTES, magic } from '../../kafka/records/batch.ts'
import { Produce } from '../../kafka/messages/produce.ts'
import type { AppendResult } from '../../storage/results.ts'
import { closeConnection, Deferred, handler, noAnswer, type RequestContext } from '../handler.ts'
import type { Partition, Waiter } from '../replication/partition.ts'
import { isInternalTopic } from '../topic-names.ts'
import type { RequestOf } from '../../wire/schema.ts'

type Request = RequestOf<typeof Produce>

/** What one partition is answered; the rest of the response's fields keep their defaults. */
interface PartitionBody {
  readonly index: number
  errorCode: number
  baseOffset: number
  logAppendTimeMs: number
  logStartOffset: number
  errorMessage: string | null
}

interface Body {
  readonly responses: { name: string; partitionResponses: PartitionBody[] }[]
}

/** One partition's part of a request: where it went, and what is to be answered. */
interface Entry {
  readonly partition: Partition | undefined
  readonly body: PartitionBody
  /** What the high watermark must reach for acks=all. */
  readonly requiredOffset: number
}

/**
 * Produce (key 0). Appends in the turn of the request's arrival; acks 0 answers nothing and closes the
 * connection on an error, acks 1 answers when the bytes are written, acks -1 when the in-sync set has
 * them (kafka.md F3 to F7). Records stay in the receive buffer until the log takes them.
 */
export const produce = handler(
  Produce,
  [0, 11],
  (request, context) => {
    const entries: Entry[] = []
    const responses: Body['responses'] = []
    for (const topic of request.topicData) {
      const partitionResponses: PartitionBody[] = []
      for (const { index, records } of topic.partitionData) {
        const entry = appendOne(topic.name, index, records, request, context)
        entries.push(entry)
        partitionResponses.push(entry.body)
      }
      responses.push({ name: topic.name, partitionResponses })
    }
    const body: Body = { responses }
    const written = new Deferred<Body>(() => (settle(entries), body))
    if (request.acks === 0)
      return new Deferred<Body>(() => (anyFailed(entries) ? closeConnection : noAnswer))
    if (entries.some(mustFlush)) return afterFlush(request, entries, body, context)
    // Alone in the in-sync set, the high watermark follows in this very turn.
    if (request.acks === 1 || entries.every(isAlone)) return written
    return replicated(request, entries, body, context)
  },
  { inPlace: true },
)

function appendOne(
  topic: string,
  index: number,
  records: Buffer | null,
  request: Request,
  context: RequestContext,
): Entry {
  const partition = context.parts.replicas.get(topic, index)
  const refusal = refuse(topic, partition, request, context)
  if (refusal !== Errors.NONE || partition === undefined)
    return { partition: undefined, body: failure(index, refusal), requiredOffset: -1 }
  const buffer = records ?? noRecords
  const form = formProblem(buffer, context.apiVersion)
  if (form !== Errors.NONE)
    return { partition: undefined, body: failure(index, form), requiredOffset: -1 }
  const result = partition.append(buffer, 0, buffer.length, {
    leaderEpoch: partition.leaderEpoch,
    nowMs: context.parts.clock.now(),
    origin: 'client',
    produceVersion: context.apiVersion,
  })
  if (result.error !== Errors.NONE)
    return { partition: undefined, body: refused(index, result), requiredOffset: -1 }
  const body: PartitionBody = {
    index,
    errorCode: Errors.NONE,
    baseOffset: result.baseOffset,
    logAppendTimeMs: result.logAppendTimeMs,
    logStartOffset: result.logStartOffset,
    errorMessage: null,
  }
  return { partition, body, requiredOffset: result.lastOffset + 1 }
}

const noRecords = Buffer.alloc(0)
const zstd = 4

/** From version 3 on: one whole batch of format 2; zstd only from version 7 on. */
function formProblem(buffer: Buffer, apiVersion: number): number {
  if (apiVersion < 3) return Errors.NONE
  if (buffer.length < HEADER_BYTES || magic(buffer, 0) !== 2) return Errors.INVALID_RECORD
  if (batchSize(buffer, 0) !== buffer.length) return Errors.INVALID_RECORD
  if (apiVersion < 7 && (attributes(buffer, 0) & 7) === zstd)
    return Errors.UNSUPPORTED_COMPRESSION_TYPE
  return Errors.NONE
}

function refuse(
  topic: string,
  partition: Partition | undefined,
  request: Request,
  context: RequestContext,
): number {
  if (request.acks < -1 || request.acks > 1) return Errors.INVALID_REQUIRED_ACKS
  if (isInternalTopic(topic) && context.clientId !== '__admin_client')
    return Errors.INVALID_TOPIC_EXCEPTION
  if (partition === undefined) {
    const known = context.parts.metadata.topic(topic) !== undefined
    return known ? Errors.NOT_LEADER_OR_FOLLOWER : Errors.UNKNOWN_TOPIC_OR_PARTITION
  }
  const problem = partition.leaderProblem(-1)
  if (problem !== Errors.NONE) return problem
  const minimum = context.parts.topics.configOf(topic).minInSyncReplicas
  if (request.acks === -1 && partition.inSyncCount() < minimum) return Errors.NOT_ENOUGH_REPLICAS
  return Errors.NONE
}

function failure(index: number, errorCode: number): PartitionBody {
  return {
    index,
    errorCode,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    errorMessage: null,
  }
}

function refused(index: number, result: AppendResult): PartitionBody {
  const message = result.message === '' ? null : result.message
  return { ...failure(index, result.error), errorMessage: message }
}

/** The write of the turn may have failed: then nothing of it was acknowledged. */
function settle(entries: readonly Entry[]): void {
  for (const { partition, body } of entries)
    if (partition?.log.offline === true)
      Object.assign(body, failure(body.index, Errors.KAFKA_STORAGE_ERROR))
}

function anyFailed(entries: readonly Entry[]): boolean {
  settle(entries)
  return entries.some((entry) => entry.body.errorCode !== Errors.NONE)
}

function mustFlush({ partition }: Entry): boolean {
  return partition !== undefined && partition.log.settings.flushMessages <= 1
}

function isAlone({ partition }: Entry): boolean {
  return partition === undefined || partition.inSyncCount() === 1
}

/** fsync before the acknowledgement; a failing one takes its directory offline, which `settle` sees. */
async function afterFlush(
  request: Request,
  entries: readonly Entry[],
  body: Body,
  context: RequestContext,
): Promise<Body> {
  const flushed = entries.filter(mustFlush)
  await Promise.allSettled(flushed.map(async ({ partition }) => partition?.log.sync()))
  if (request.acks === -1) return replicated(request, entries, body, context)
  settle(entries)
  return body
}

/** Waits until the high watermark has passed every append, or the request's time is up. */
function replicated(
  request: Request,
  entries: readonly Entry[],
  body: Body,
  context: RequestContext,
): Promise<Body> {
  const waiting = entries.filter((entry) => entry.partition !== undefined)
  const fail = ({ body: row }: Entry, error: number): void => {
    Object.assign(row, failure(row.index, error))
  }
  return new Promise((resolve) => {
    const finish = (): void => {
      timer.cancel()
      for (const { partition } of waiting) partition?.forget(waiter)
      settle(entries)
      resolve(body)
    }
    const timer = context.parts.clock.schedule(request.timeoutMs, () => {
      for (const entry of waiting) if (!isReplicated(entry)) fail(entry, Errors.REQUEST_TIMED_OUT)
      finish()
    })
    const waiter: Waiter = {
      look() {
        for (const entry of waiting)
          if (entry.partition?.isLeader !== true) fail(entry, Errors.NOT_LEADER_OR_FOLLOWER)
        if (waiting.every(isReplicated)) finish()
      },
    }
    for (const { partition } of waiting) partition?.wait(waiter)
    waiter.look()
  })
}

function isReplicated({ partition, body, requiredOffset }: Entry): boolean {
  return body.errorCode !== Errors.NONE || (partition?.log.highWatermark ?? 0) >= requiredOffset
}
