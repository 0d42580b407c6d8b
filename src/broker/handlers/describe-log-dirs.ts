import { Errors } from '../../kafka/errors.ts'
import { DescribeLogDirs } from '../../kafka/messages/describe-log-dirs.ts'
import { DiskError } from '../../runtime/disk.ts'
import type { LogDirectory } from '../../storage/log-directory.ts'
import type { PartitionLog } from '../../storage/partition-log.ts'
import type { RequestOf } from '../../wire/schema.ts'
import { handler, type RequestContext } from '../handler.ts'

type Wanted = RequestOf<typeof DescribeLogDirs>['topics']

/** DescribeLogDirs (key 35): what lies in which directory of log.dirs, and how much room is left there. */
export const describeLogDirs = handler(DescribeLogDirs, [0, 4], (request, context) => {
  const isWanted = chosenBy(request.topics)
  const results = context.parts.directories.all.map(({ path, opened }) => {
    const offline = { errorCode: Errors.KAFKA_STORAGE_ERROR, logDir: path, topics: [] }
    if (opened === undefined) return offline
    const space = spaceOf(opened, context)
    if (space === undefined) return offline
    const topics = topicsIn(opened, isWanted, context)
    const row = { errorCode: Errors.NONE, logDir: path, topics }
    return context.apiVersion >= 4 ? { ...row, ...space } : row
  })
  return { errorCode: Errors.NONE, results }
})

function chosenBy(topics: Wanted): (log: PartitionLog) => boolean {
  if (topics === null) return () => true
  const chosen = new Map(topics.map(({ topic, partitions }) => [topic, new Set(partitions)]))
  return ({ topic, partition }) => chosen.get(topic)?.has(partition) === true
}

/** Undefined: the disk does not say, and goes offline. */
function spaceOf(directory: LogDirectory, { parts }: RequestContext) {
  try {
    return parts.directories.spaceOf(directory)
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    directory.fail(error)
    return undefined
  }
}

function topicsIn(
  directory: LogDirectory,
  isWanted: (log: PartitionLog) => boolean,
  context: RequestContext,
) {
  const topics = new Map<string, ReturnType<typeof partitionRow>[]>()
  for (const log of [...directory.logs.values(), ...directory.futures.values()]) {
    if (!isWanted(log)) continue
    const rows = topics.get(log.topic) ?? []
    topics.set(log.topic, rows)
    rows.push(partitionRow(log, context))
  }
  return [...topics].map(([name, partitions]) => ({ name, partitions }))
}

/** How far behind: the replica in use behind its high watermark, one to come behind that in use. */
function partitionRow(log: PartitionLog, { parts }: RequestContext) {
  const current = parts.replicas.get(log.topic, log.partition)?.log
  const isFutureKey = current !== undefined && current !== log
  const target = isFutureKey ? current.logEndOffset : log.highWatermark
  return {
    partitionIndex: log.partition,
    partitionSize: log.segments.sizeBytes(),
    offsetLag: current === undefined ? -1 : Math.max(target - log.logEndOffset, 0),
    isFutureKey,
  }
}
