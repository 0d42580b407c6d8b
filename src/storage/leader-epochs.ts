/**
 * Which leader epoch began at which offset: answers where two logs part. Its file,
 * leader-epoch-checkpoint ("0", count, `epoch startOffset` lines), cannot be rebuilt wholly once
 * compaction removed batches, so it is written at every change and made durable before the recovery
 * point passes: what is lost before that comes back from the batches.
 */
import { type Disk, readFileIfThere, replaceFile } from '../runtime/disk.ts'
import { CheckpointError, checkpointLines } from './checkpoints.ts'
import { entryBaseOffset, entryLeaderEpoch, entrySize } from './entry.ts'
import type { Entries } from './entry.ts'

export interface EpochStart {
  readonly epoch: number
  readonly startOffset: number
}

export interface EpochEnd {
  /** -1 where the question cannot be answered. */
  readonly epoch: number
  readonly endOffset: number
}

export class LeaderEpochs {
  private entries: EpochStart[]
  private readonly disk: Disk
  private path: string
  private durable = true

  constructor(disk: Disk, path: string, entries: readonly EpochStart[]) {
    this.disk = disk
    this.path = path
    this.entries = [...entries]
  }

  /** @throws CheckpointError, DiskError */
  static read(disk: Disk, path: string): LeaderEpochs {
    const bytes = readFileIfThere(disk, path)
    if (bytes === undefined || bytes.length === 0) return new LeaderEpochs(disk, path, [])
    const entries = checkpointLines(bytes.toString('utf8'), path).map((line) => {
      const match = /^(\d{1,10}) (\d{1,16})$/.exec(line)
      if (match === null) throw new CheckpointError(`Malformed line in ${path}: '${line}'`)
      return { epoch: Number(match[1]), startOffset: Number(match[2]) }
    })
    return new LeaderEpochs(disk, path, entries)
  }

  get all(): readonly EpochStart[] {
    return this.entries
  }

  /** -1 where none is known. */
  get latestEpoch(): number {
    return this.entries.at(-1)?.epoch ?? -1
  }

  /** Notes that `epoch` begins at `startOffset`; older knowledge that contradicts it goes. */
  assign(epoch: number, startOffset: number): void {
    const last = this.entries.at(-1)
    if (epoch < 0 || (last?.epoch === epoch && last.startOffset <= startOffset)) return
    this.entries = this.entries.filter(
      (entry) => entry.epoch < epoch && entry.startOffset < startOffset,
    )
    this.entries.push({ epoch, startOffset })
    this.write()
  }

  /**
   * The largest known epoch that is not above the asked one, and the offset after its last record; as
   * OffsetForLeaderEpoch (KIP-101, KIP-279) answers.
   */
  endOffsetFor(epoch: number, logEndOffset: number): EpochEnd {
    const unknown = { epoch: -1, endOffset: -1 }
    if (epoch < 0) return unknown
    if (epoch === this.latestEpoch) return { epoch, endOffset: logEndOffset }
    const next = this.entries.findIndex((entry) => entry.epoch > epoch)
    if (next < 0) return unknown
    const endOffset = this.entries[next]?.startOffset ?? -1
    // An epoch older than all we know: nothing of it is in this log, as its first entry begins there.
    return { epoch: this.entries[next - 1]?.epoch ?? epoch, endOffset }
  }

  /** Epoch of the record at `offset`; -1 where none is known. */
  epochOf(offset: number): number {
    return this.entries.findLast((entry) => entry.startOffset <= offset)?.epoch ?? -1
  }

  /** The log now ends at `offset`. */
  truncateFromEnd(offset: number): void {
    const kept = this.entries.filter((entry) => entry.startOffset < offset)
    if (kept.length === this.entries.length) return
    this.entries = kept
    this.write()
  }

  /** The log now begins at `offset`: the epoch that holds it begins there too. */
  truncateFromStart(offset: number): void {
    const after = this.entries.findIndex((entry) => entry.startOffset > offset)
    const covering = (after < 0 ? this.entries.length : after) - 1
    const first = this.entries[covering]
    if (first === undefined || (covering === 0 && first.startOffset === offset)) return
    if (covering === 0 && first.startOffset > offset) return
    this.entries = [
      { epoch: first.epoch, startOffset: offset },
      ...this.entries.slice(covering + 1),
    ]
    this.write()
  }

  clear(): void {
    if (this.entries.length === 0) return
    this.entries = []
    this.write()
  }

  /** Makes the file durable. @throws DiskError */
  sync(): void {
    if (this.durable) return
    replaceFile(this.disk, this.path, this.text())
    this.durable = true
  }

  /** The directory has a new name. */
  moved(path: string): void {
    this.path = path
  }

  private text(): string {
    const lines = this.entries.map((entry) => `${entry.epoch} ${entry.startOffset}\n`)
    return `0\n${lines.length}\n${lines.join('')}`
  }

  private write(): void {
    const bytes = Buffer.from(this.text())
    const temporary = `${this.path}.tmp`
    const file = this.disk.open(temporary, 'replace')
    try {
      file.write(bytes, 0, bytes.length, 0)
    } finally {
      file.close()
    }
    this.disk.rename(temporary, this.path)
    this.durable = false
  }
}

/** Notes the epochs that begin with these entries. */
export function noteEpochs(epochs: LeaderEpochs, { buffer, start, end }: Entries): void {
  for (let at = start; at < end; at += entrySize(buffer, at)) {
    const epoch = entryLeaderEpoch(buffer, at)
    if (epoch > epochs.latestEpoch) epochs.assign(epoch, entryBaseOffset(buffer, at))
  }
}
