/** partition.metadata: which topic, by id, a directory belongs to (KIP-516). */
import { type Disk, readFileIfThere, replaceFile } from '../runtime/disk.ts'
import { CheckpointError } from './checkpoints.ts'
import { partitionMetadataFile } from './file-names.ts'

/** The topic id in base64url, undefined where there is no file. @throws CheckpointError, DiskError */
export function readTopicId(disk: Disk, directory: string): string | undefined {
  const path = `${directory}/${partitionMetadataFile}`
  const text = readFileIfThere(disk, path)?.toString('utf8')
  if (text === undefined || text === '') return undefined
  const match = /^version: 0\ntopic_id: ([A-Za-z0-9_-]{22})\n?$/.exec(text)
  if (match === null) throw new CheckpointError(`Malformed partition metadata file (${path})`)
  return match[1]
}

/** @throws DiskError */
export function writeTopicId(disk: Disk, directory: string, topicId: string): void {
  const text = `version: 0\ntopic_id: ${topicId}`
  replaceFile(disk, `${directory}/${partitionMetadataFile}`, text)
}
