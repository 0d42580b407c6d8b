/** Opens every log of a directory, some side by side, without holding the loop. */
import { delay } from '../runtime/clock.ts'
import { DiskError } from '../runtime/disk.ts'
import { UserError } from '../runtime/service.ts'
import {
  CheckpointError,
  highWatermarkFile,
  logStartFile,
  readCheckpoint,
  recoveryPointFile,
} from './checkpoints.ts'
import { parsePartitionDirectory } from './file-names.ts'
import type { LogContext, StoragePorts } from './log-context.ts'
import { PartitionLog } from './partition-log.ts'
import { readTopicId } from './partition-metadata.ts'
import { loadLog } from './recover.ts'
import type { LogDirectorySettings } from './settings.ts'

/** How long opening may hold the loop at a stretch. */
const sliceMs = 8
const tasksMax = 16

export interface OpenedLogs {
  readonly logs: PartitionLog[]
  /** Directories that were being deleted. */
  readonly deleted: string[]
  /** Replicas that were being moved here; their directories are among the deleted. */
  readonly futures: { readonly topic: string; readonly partition: number }[]
}

interface Checkpoints {
  /** Undefined where the file is missing or damaged. */
  readonly recovery: ReadonlyMap<string, number> | undefined
  readonly start: ReadonlyMap<string, number> | undefined
  readonly highWatermark: ReadonlyMap<string, number> | undefined
}

interface Place {
  readonly name: string
  readonly topic: string
  readonly partition: number
}

/** @throws UserError where a directory is no log's; DiskError */
export async function openLogs(
  ports: StoragePorts,
  context: LogContext,
  path: string,
  clean: boolean,
  settings: LogDirectorySettings,
): Promise<OpenedLogs> {
  const { places, deleted, futures } = findLogs(ports, path)
  const checkpoints = readCheckpoints(ports, path)
  const logs: PartitionLog[] = []
  const began = ports.clock.monotonicMs()
  if (!clean && places.length > 0) {
    ports.logger.info(`Recovering ${places.length} logs from ${path} since no clean shutdown file`)
  }
  let next = 0
  let sliceEnds = began + sliceMs
  const openSome = async () => {
    for (let place = places[next++]; place !== undefined; place = places[next++]) {
      if (context.isOffline()) return
      logs.push(await openLog(context, path, place, { clean, checkpoints, settings }))
      if (ports.clock.monotonicMs() > sliceEnds) {
        await delay(ports.clock, 0)
        sliceEnds = ports.clock.monotonicMs() + sliceMs
      }
    }
  }
  const tasks = Math.min(Math.max(settings.recoveryConcurrency, 1), tasksMax)
  await Promise.all(Array.from({ length: tasks }, openSome))
  const took = Math.round(ports.clock.monotonicMs() - began)
  ports.logger.info(`Loaded ${logs.length} logs in ${took}ms`)
  return { logs, deleted, futures }
}

async function openLog(
  context: LogContext,
  path: string,
  place: Place,
  how: { clean: boolean; checkpoints: Checkpoints; settings: LogDirectorySettings },
): Promise<PartitionLog> {
  const { name, topic, partition } = place
  const directory = `${path}/${name}`
  const settings = how.settings.settingsOf(topic)
  try {
    const topicId = readTopicId(context.disk, directory)
    const loaded = await loadLog(
      context,
      { ...context, directory },
      {
        clean: how.clean,
        // A readable file without this log is older than the log.
        recoveryPoint: how.checkpoints.recovery && (how.checkpoints.recovery.get(name) ?? 0),
        logStartOffset: how.checkpoints.start?.get(name) ?? 0,
        settings,
        jitterMs: 0,
      },
    )
    const log = new PartitionLog(
      context,
      { topic, partition, directory, topicId },
      loaded,
      settings,
    )
    log.advanceHighWatermark(how.checkpoints.highWatermark?.get(name) ?? 0)
    return log
  } catch (error) {
    if (error instanceof CheckpointError) throw new UserError(error.message, { cause: error })
    throw error
  }
}

function findLogs(ports: StoragePorts, path: string) {
  const places: Place[] = []
  const futures: { topic: string; partition: number }[] = []
  const deleted: string[] = []
  for (const entry of ports.disk.list(path)) {
    if (entry.kind !== 'directory') continue
    const found = parsePartitionDirectory(entry.name)
    if (found === undefined) {
      throw new UserError(
        `Found directory ${path}/${entry.name}, '${entry.name}' is not in the form of ` +
          'topic-partition or topic-partition.uniqueId-delete (if marked for deletion). ' +
          "Kafka's log directories (and children) should only contain Kafka topic data.",
      )
    }
    if (found.kind === 'future') futures.push({ topic: found.topic, partition: found.partition })
    // A move begins anew: what it had copied cannot be trusted after every crash.
    if (found.kind === 'deleted' || found.kind === 'future') deleted.push(`${path}/${entry.name}`)
    else if (found.kind === 'log') places.push({ ...found, name: entry.name })
    else ports.logger.warn(`Leaving ${path}/${entry.name} alone: it is a ${found.kind} replica`)
  }
  return { places, deleted, futures }
}

/** A damaged checkpoint costs time (all is recovered) but no data. */
function readCheckpoints(ports: StoragePorts, path: string): Checkpoints {
  const read = (file: string) => {
    try {
      return readCheckpoint(ports.disk, `${path}/${file}`)
    } catch (error) {
      if (error instanceof DiskError) throw error
      ports.logger.warn(`Error reading ${file} of ${path}, using 0 for all`, error)
      return undefined
    }
  }
  return {
    recovery: read(recoveryPointFile),
    start: read(logStartFile),
    highWatermark: read(highWatermarkFile),
  }
}
