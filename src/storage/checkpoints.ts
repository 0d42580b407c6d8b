/**
 * The text files that hold one offset per partition: recovery-point-offset-checkpoint,
 * replication-offset-checkpoint, log-start-offset-checkpoint. A line "0", a line with the count, then
 * `topic partition offset` lines.
 */
import { type Disk, readFileIfThere, replaceFile } from '../runtime/disk.ts'

export const recoveryPointFile = 'recovery-point-offset-checkpoint'
export const highWatermarkFile = 'replication-offset-checkpoint'
export const logStartFile = 'log-start-offset-checkpoint'

/** By `topic-partition`. */
export type OffsetCheckpoint = ReadonlyMap<string, number>

export class CheckpointError extends Error {
  override readonly name = 'CheckpointError'
}

/** Undefined where there is no file, or an empty one. @throws CheckpointError, DiskError */
export function readCheckpoint(disk: Disk, path: string): Map<string, number> | undefined {
  const bytes = readFileIfThere(disk, path)
  if (bytes === undefined || bytes.length === 0) return undefined
  const offsets = new Map<string, number>()
  for (const line of checkpointLines(bytes.toString('utf8'), path)) {
    const [topic, partition, offset, ...rest] = line.split(' ')
    if (!isNumber(partition) || !isNumber(offset) || rest.length > 0) throw malformed(path, line)
    offsets.set(`${topic}-${partition}`, Number(offset))
  }
  return offsets
}

/** @throws DiskError */
export function writeCheckpoint(disk: Disk, path: string, offsets: OffsetCheckpoint): void {
  let text = `0\n${offsets.size}\n`
  for (const [name, offset] of offsets) {
    const dash = name.lastIndexOf('-')
    text += `${name.slice(0, dash)} ${name.slice(dash + 1)} ${offset}\n`
  }
  replaceFile(disk, path, text)
}

/** The entry lines of a checkpoint file of version 0. @throws CheckpointError */
export function checkpointLines(text: string, path: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  if (lines[0] !== '0') throw malformed(path, lines[0] ?? '')
  const count = Number(lines[1])
  if (!isNumber(lines[1]) || lines.length - 2 !== count) throw malformed(path, lines[1] ?? '')
  return lines.slice(2)
}

function malformed(path: string, line: string): CheckpointError {
  return new CheckpointError(`Malformed line in checkpoint file (${path}): '${line}'`)
}

function isNumber(text: string | undefined): text is string {
  return text !== undefined && /^-?\d{1,16}$/.test(text)
}
