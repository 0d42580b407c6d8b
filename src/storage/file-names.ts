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
  | { readonly kind: 'future'; readonly topic: string; readonly partition: number }
  | { readonly kind: 'deleted' | 'stray' }

/** Undefined where the name is not a partition's. */
export function parsePartitionDirectory(name: string): PartitionDirectory | undefined {
  const marked = /^(.+)\.[0-9a-f]{32}-(delete|future|stray)$/.exec(name)
  const [plain = name, mark = 'log'] = marked?.slice(1) ?? []
  if (mark === 'delete') return { kind: 'deleted' }
  if (mark === 'stray') return { kind: 'stray' }
  const match = /^([a-zA-Z0-9._-]{1,249})-(\d{1,10})$/.exec(plain)
  if (match === null) return undefined
  const kind = mark === 'future' ? 'future' : 'log'
  return { kind, topic: match[1] ?? '', partition: Number(match[2]) }
}

/** Directory of a partition that is being deleted; `id` is 32 hexadecimal digits. */
export function deletedDirectory(topic: string, partition: number, id: string): string {
  const suffix = `-${partition}.${id}-delete`
  return `${topic.slice(0, 255 - suffix.length)}${suffix}`
}

/** Directory of a replica that is being moved here from another directory. */
export function futureDirectory(topic: string, partition: number, id: string): string {
  return `${topic}-${partition}.${id}-future`
}

/** Names of files end at 255 characters; this one is not cut off, since it tells what lies there. */
export function futureDirectoryNameFits(topic: string, partition: number): boolean {
  return futureDirectory(topic, partition, '0'.repeat(32)).length <= 255
}
