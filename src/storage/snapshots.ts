/** The producer snapshots of one log: which there are, taking one, going back to one. */
import { type Disk, readFile } from '../runtime/disk.ts'
import type { Logger } from '../runtime/logger.ts'
import { segmentFile } from './file-names.ts'
import { decodeSnapshot, encodeSnapshot } from './producer-snapshot.ts'
import type { Producers } from './producers.ts'

export class Snapshots {
  private readonly disk: Disk
  private readonly logger: Logger
  /** Where they lie; it may be renamed. */
  directory: string
  /** Rising. */
  private offsets: number[]

  constructor(
    ports: { readonly disk: Disk; readonly logger: Logger },
    directory: string,
    offsets: readonly number[],
  ) {
    this.disk = ports.disk
    this.logger = ports.logger
    this.directory = directory
    this.offsets = [...offsets]
  }

  get all(): readonly number[] {
    return this.offsets
  }

  /** Writes one, unless it is there. Not synced: a torn one fails its checksum. @throws DiskError */
  take(offset: number, producers: Producers): void {
    if (this.offsets.includes(offset)) return
    const bytes = encodeSnapshot(producers.all())
    const file = this.disk.open(this.path(offset), 'replace')
    try {
      file.write(bytes, 0, bytes.length, 0)
    } finally {
      file.close()
    }
    this.offsets.push(offset)
    this.offsets.sort((one, other) => one - other)
  }

  /**
   * Fills empty producers from the newest usable snapshot at or below `offset`; returns its offset, -1
   * where there is none. Damaged ones are removed. @throws DiskError
   */
  restore(producers: Producers, offset: number): number {
    for (let index = this.offsets.length - 1; index >= 0; index--) {
      const at = this.offsets[index] ?? 0
      if (at > offset) continue
      const states = decodeSnapshot(readFile(this.disk, this.path(at)))
      if (states !== undefined) {
        producers.restore(states)
        return at
      }
      this.logger.warn(`Removing the damaged producer snapshot ${this.path(at)}`)
      this.keep((each) => each !== at)
    }
    return -1
  }

  /** Removes those that `stays` refuses. @throws DiskError */
  keep(stays: (offset: number) => boolean): void {
    this.offsets = this.offsets.filter((offset) => {
      if (stays(offset)) return true
      this.disk.remove(this.path(offset))
      return false
    })
  }

  /** Removes those beyond the end, and all that neither begin a segment nor are the newest. */
  dropStray(bases: ReadonlySet<number>, logEndOffset: number): void {
    const newest = this.offsets.findLast((offset) => offset <= logEndOffset)
    this.keep((offset) => offset <= logEndOffset && (bases.has(offset) || offset === newest))
  }

  private path(offset: number): string {
    return `${this.directory}/${segmentFile(offset, '.snapshot')}`
  }
}
