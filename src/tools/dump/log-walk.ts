// Walks the batches of a log file one at a time, whatever their size, from any position.
import { BYTES_TO_MAGIC, LENGTH_MIN, LOG_OVERHEAD } from '../../kafka/records/batch.ts'
import type { DiskFile } from '../../runtime/disk.ts'

export interface FoundBatch {
  readonly position: number
  /** Valid as long as the caller wants. */
  readonly bytes: Buffer
}

/** Whole batches of known formats up to `end`; ends before the first that is not one. */
export async function* batchesOf(
  file: DiskFile,
  from: number,
  end: number,
): AsyncGenerator<FoundBatch> {
  const head = Buffer.alloc(BYTES_TO_MAGIC)
  let position = from
  while (position + BYTES_TO_MAGIC <= end) {
    if ((await file.read(head, 0, head.length, position)) < head.length) return
    const length = head.readInt32BE(8)
    const magic = head.readInt8(16)
    const size = LOG_OVERHEAD + length
    if (length < LENGTH_MIN || magic < 0 || magic > 2 || position + size > end) return
    // The size was compared with the file, so that a broken one takes no memory.
    const bytes = Buffer.allocUnsafe(size)
    if ((await file.read(bytes, 0, size, position)) < size) return
    yield { position, bytes }
    position += size
  }
}
