import { Errors } from '../../kafka/errors.ts'
import { Produce } from '../../kafka/messages/produce.ts'
import * as batch from '../../kafka/records/batch.ts'
import type { AppendResult } from '../../storage/results.ts'
import type { RequestOf } from '../../wire/schema.ts'
import {
  closeConnection,
  Deferred,
  handler,
  noAnswer,
  Parked,
  type RequestContext,
  type Waiting,
} from '../handler.ts'
import type { Partition } from '../replication/partition.ts'
import { isInternalTopic } from '../topic-names.ts'
import type { Waiter } from '../turn.ts'

type Request = RequestOf<typeof Produce>

/** What one partition is answered; the rest of the response's fields keep their defaults. */
interface PartitionBody {
  readonly index: number
  errorCode: number
  baseOffset: number
  logAppendTimeMs: number
  logStartOffset: number
  errorMessage: string | null
  recordErrors: readonly RecordError[]
}

/** Which record was at fault (KIP-467). */
interface RecordError {
  readonly batchIndex: number
  readonly batchIndexErrorMessage: string
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
    if (entries.some(mustFlush)) return afterFlush(request, entries, body, context)
    if (request.acks === 0)
      return new Deferred<Body>(() => (anyFailed(entries) ? closeConnection : noAnswer))
    // Where nobody else has a replica, the high watermark follows in this very turn.
    if (request.acks === 1 || entries.every(isAlone))
      return new Deferred<Body>(() => (settle(entries), body))
    return new Parked<Body>((answer) => replicated(request, entries, context, () => answer(body)))
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
  const { replicas, traffic } = context.parts
  const partition = replicas.get(topic, index)
  const buffer = records ?? noRecords
  const seen = partition === undefined ? traffic.unknown : traffic.of(partition.topic)
  seen.produceRequests += 1
  const refusal = refuse(topic, index, partition, request, context)
  if (refusal !== Errors.NONE || partition === undefined) {
    seen.failedProduceRequests += 1
    return { partition: undefined, body: failure(index, refusal), requiredOffset: -1 }
  }
  const transaction = transactionProblem(buffer)
  if (transaction !== Errors.NONE)
    return { partition: undefined, body: failure(index, transaction), requiredOffset: -1 }
  const result = partition.append(buffer, 0, buffer.length, {
    leaderEpoch: partition.leaderEpoch,
    nowMs: context.parts.clock.now(),
    origin: 'client',
    produceVersion: context.apiVersion,
  })
  if (result.error !== Errors.NONE) {
    seen.failedProduceRequests += 1
    seen.bytesRejected += buffer.length
    return { partition: undefined, body: refused(index, result), requiredOffset: -1 }
  }
  if (!result.duplicate) {
    seen.bytesIn += buffer.length
    seen.messagesIn += result.lastOffset - result.baseOffset + 1
  }
  const body: PartitionBody = {
    index,
    errorCode: Errors.NONE,
    // A lone batch that was cut off, which old versions of Produce take for nothing.
    baseOffset: result.lastOffset < result.baseOffset ? -1 : result.baseOffset,
    logAppendTimeMs: result.logAppendTimeMs,
    logStartOffset: result.logStartOffset,
    errorMessage: null,
    recordErrors: noRecordErrors,
  }
  return { partition, body, requiredOffset: result.lastOffset + 1 }
}

const noRecords = Buffer.alloc(0)
const noRecordErrors: readonly RecordError[] = []

/** Until transactions are built nobody would ever decide one: its records would hide all later ones. */
function transactionProblem(buffer: Buffer): number {
  if (buffer.length < batch.HEADER_BYTES || batch.magic(buffer, 0) !== 2) return Errors.NONE
  const isOpen = batch.isTransactional(buffer, 0) && batch.hasProducerId(buffer, 0)
  return isOpen ? Errors.INVALID_TXN_STATE : Errors.NONE
}

function refuse(
  topic: string,
  index: number,
  partition: Partition | undefined,
  request: Request,
  context: RequestContext,
): number {
  if (request.acks < -1 || request.acks > 1) return Errors.INVALID_REQUIRED_ACKS
  if (isInternalTopic(topic) && context.clientId !== '__admin_client')
    return Errors.INVALID_TOPIC_EXCEPTION
  const problem = partition?.leaderProblem(-1) ?? Errors.NOT_LEADER_OR_FOLLOWER
  if (
    problem === Errors.NOT_LEADER_OR_FOLLOWER &&
    !context.parts.metadata.hasPartition(topic, index)
  )
    return Errors.UNKNOWN_TOPIC_OR_PARTITION
  if (partition === undefined || problem !== Errors.NONE) return problem
  if (request.acks === -1 && partition.isUnderMinimum) return Errors.NOT_ENOUGH_REPLICAS
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
    recordErrors: noRecordErrors,
  }
}

function refused(index: number, result: AppendResult): PartitionBody {
  const message = result.message === '' ? null : result.message
  const recordErrors = result.records.map((record) => ({
    batchIndex: record.index,
    batchIndexErrorMessage: record.message,
  }))
  return { ...failure(index, result.error), errorMessage: message, recordErrors }
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
  return partition?.log.flushDue === true
}

function isAlone({ partition }: Entry): boolean {
  return partition === undefined || partition.isAlone
}

/** fsync before the acknowledgement; a failing one takes its directory offline, which `settle` sees. */
function afterFlush(
  request: Request,
  entries: readonly Entry[],
  body: Body,
  context: RequestContext,
): Parked<Body> {
  return new Parked((answer) => {
    let waiting: Waiting = { abandon() {}, hurry() {} }
    let isAbandoned = false
    const reply = (): void => {
      if (request.acks !== 0) answer(body)
      else answer(anyFailed(entries) ? closeConnection : noAnswer)
    }
    const flushed = async (): Promise<void> => {
      const due = entries.flatMap(({ partition }) => partition ?? [])
      await Promise.all(due.map((partition) => partition.flushIfDue()))
      if (isAbandoned) return
      settle(entries)
      if (request.acks === -1) waiting = replicated(request, entries, context, reply)
      else reply()
    }
    void flushed()
    const abandon = (): void => {
      isAbandoned = true
      waiting.abandon()
    }
    return { abandon, hurry: () => waiting.hurry() }
  })
}

/** Waits until the high watermark has passed every append, or the request's time is up. */
function replicated(
  request: Request,
  entries: readonly Entry[],
  context: RequestContext,
  done: () => void,
): Waiting {
  const waiting = entries.filter((entry) => entry.partition !== undefined)
  const fail = ({ body: row }: Entry, error: number): void => {
    Object.assign(row, failure(row.index, error))
  }
  let isDone = false
  const leave = (): void => {
    isDone = true
    timer.cancel()
    for (const { partition } of waiting) partition?.forget(waiter)
  }
  const finish = (): void => {
    leave()
    settle(entries)
    done()
  }
  const giveUp = (): void => {
    if (isDone) return
    for (const entry of waiting) if (!isReplicated(entry)) fail(entry, Errors.REQUEST_TIMED_OUT)
    finish()
  }
  const timer = context.parts.clock.schedule(request.timeoutMs, giveUp)
  const waiter: Waiter = {
    look() {
      if (isDone) return
      for (const entry of waiting)
        if (!isReplicated(entry) && entry.partition?.isLeader !== true)
          fail(entry, Errors.NOT_LEADER_OR_FOLLOWER)
      if (!waiting.every(isReplicated)) return
      for (const entry of waiting)
        if (entry.body.errorCode === Errors.NONE && entry.partition?.isUnderMinimum === true)
          fail(entry, Errors.NOT_ENOUGH_REPLICAS_AFTER_APPEND)
      finish()
    },
  }
  for (const { partition } of waiting) partition?.wait(waiter)
  waiter.look()
  return { abandon: leave, hurry: giveUp }
}

function isReplicated({ partition, body, requiredOffset }: Entry): boolean {
  if (body.errorCode !== Errors.NONE || partition === undefined) return true
  return partition.log.highWatermark >= requiredOffset
}
