// Pure.
// Names of the files and directories of a log, as the original writes them.

export const partitionMetadataFile = 'partition.metadata'
export const leaderEpochFile = 'leader-epoch-checkpoint'
export const cleanMarkerFile = '.kafka_cleanshutdown'
export const metaPropertiesFile = 'meta.properties'
export const lockFile = '.lock'
export const deletedSuffix = '.deleted'

export type SegmentSuffix = '.log' | '.index' | '.timeindex' | '.txnindex' | '.snapshot'

export function segmentFile(offset: number, suffix: SegmentSuffix): string {
  return `${String(offset).padStart(20, '0')}${suffix}`
}

/** What a file in a partition's directory is; undefined where it is none of the log's own. */
export function parseSegmentFile(
  name: string,
): { offset: number; suffix: SegmentSuffix; temporary: string } | undefined {
  const match =
    /^(\d{20})(\.log|\.index|\.timeindex|\.txnindex|\.snapshot)(\.deleted|\.cleaned|\.swap)?$/.exec(
      name,
    )
  if (match === null) return undefined
  return {
    offset: Number(match[1]),
    suffix: match[2] as SegmentSuffix,
    temporary: match[3] ?? '',
  }
}

export type PartitionDirectory =
  | { readonly kind: 'log'; readonly topic: string; readonly partition: number }
  | { readonly kind: 'deleted' | 'future' | 'stray' }

/** Undefined where the name is not a partition's. */
export function parsePartitionDirectory(name: string): PartitionDirectory | undefined {
  const marked = /^.+\.[0-9a-f]{32}-(delete|future|stray)$/.exec(name)
  if (marked !== null) {
    if (marked[1] === 'delete') return { kind: 'deleted' }
    return { kind: marked[1] === 'future' ? 'future' : 'stray' }
  }
  const match = /^([a-zA-Z0-9._-]{1,249})-(\d{1,10})$/.exec(name)
  if (match === null) return undefined
  return { kind: 'log', topic: match[1] ?? '', partition: Number(match[2]) }
}

/** Directory of a partition that is being deleted; `id` is 32 hexadecimal digits. */
export function deletedDirectory(topic: string, partition: number, id: string): string {
  const suffix = `-${partition}.${id}-delete`
  return `${topic.slice(0, 255 - suffix.length)}${suffix}`
}
