import { leaderEpochFile } from './file-names.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import type { LogContext } from './log-context.ts'
import { writeTopicId } from './partition-metadata.ts'
import { PartitionLog } from './partition-log.ts'
import { Producers } from './producers.ts'
import { newSegment } from './segment.ts'
import type { LogSettings } from './settings.ts'
import { Snapshots } from './snapshots.ts'

export interface NewLog {
  readonly topic: string
  readonly partition: number
  /** Where its files go; its parent is there. */
  readonly directory: string
  readonly topicId: string | undefined
  readonly settings: LogSettings
}

/** Makes an empty log and its files; the caller makes the directory's name durable. @throws DiskError */
export function createLog(context: LogContext, log: NewLog): PartitionLog {
  const { disk, clock, random } = context
  const { topic, partition, directory, topicId, settings } = log
  disk.makeDirectory(directory)
  if (topicId !== undefined) writeTopicId(disk, directory, topicId)
  const segment = newSegment({ ...context, directory }, 0, settings, { clock, random })
  const loaded = {
    segments: [segment],
    epochs: new LeaderEpochs(disk, `${directory}/${leaderEpochFile}`, []),
    producers: new Producers(),
    snapshots: new Snapshots(context, directory, []),
    logStartOffset: 0,
    logEndOffset: 0,
    recoveryPoint: 0,
    changed: true,
  }
  return new PartitionLog(context, { topic, partition, directory, topicId }, loaded, settings)
}
