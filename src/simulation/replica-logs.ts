/** The logs of a partition as they lie on the disks of its brokers, read past the brokers. */
import { crc32 } from 'node:zlib'
import * as batch from '../kafka/records/batch.ts'
import type { Disk } from '../runtime/disk.ts'
import type { Place, StoredBatch } from './observation.ts'

/** Whole batches only: what a crash has torn is not of the log. */
export function storedBatches(disk: Disk, { topic, partition }: Place): StoredBatch[] | undefined {
  const directory = `/kafka/${topic}-${partition}`
  if (disk.stat(directory) === undefined) return undefined
  const names = disk
    .list(directory)
    .map(({ name }) => name)
    .filter((name) => name.endsWith('.log'))
    .sort()
  return names.flatMap((name) => batchesIn(disk, `${directory}/${name}`))
}

function batchesIn(disk: Disk, path: string): StoredBatch[] {
  const file = disk.open(path, 'read')
  const bytes = Buffer.alloc(file.size())
  file.readNow(bytes, 0, bytes.length, 0)
  file.close()
  const found: StoredBatch[] = []
  for (let at = 0; at < bytes.length; ) {
    const leftBytes = bytes.length - at
    const size = leftBytes < batch.HEADER_BYTES ? 0 : batch.batchSize(bytes, at)
    if (size < batch.HEADER_BYTES || size > leftBytes || !batch.verifyCrc(bytes, at)) break
    found.push({
      baseOffset: batch.baseOffset(bytes, at),
      lastOffset: batch.lastOffset(bytes, at),
      leaderEpoch: batch.partitionLeaderEpoch(bytes, at),
      crc: crc32(bytes.subarray(at, at + size)),
    })
    at += size
  }
  return found
}
