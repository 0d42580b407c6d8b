// One file an input knows: its identity, how far it was read and acknowledged, and, while it is
// being read, the open file. Known by inode and device, so that a new name changes nothing.

import type { DiskFile, FileStatus } from '../../runtime/disk.ts'
import type { EventSource } from '../event.ts'
import { AcknowledgedPosition } from './acknowledged.ts'
import { type LineCursor, cursorAt } from './lines.ts'
import type { MultilineJoiner } from './multiline.ts'

export interface OpenFile {
  readonly file: DiskFile
  readonly source: EventSource
  readonly joiner: MultilineJoiner | undefined
  /** When it was last seen to grow, on the monotonic clock. */
  lastGrowthMs: number
  nextPollMs: number
  pollDelayMs: number
  /** In the queue of files to read, or being read. */
  isQueued: boolean
  /** Close it as soon as it is read to its end. */
  closeAtEnd: boolean
}

export class TrackedFile {
  /** In the registry. */
  readonly key: string
  readonly inode: number
  readonly device: number
  /** The name it goes by now. */
  path: string
  cursor: LineCursor
  readonly acknowledged: AcknowledgedPosition
  open: OpenFile | undefined
  /** Its size when it was closed, or first seen. */
  knownSize: number
  modifiedMs: number
  /** Wall-clock time of the last read, for the registry. */
  readMs: number
  /** How many scans in a row have not found it. */
  missedScans = 0
  /** Says once that it cannot be opened. */
  isUnreadable = false
  /** Its state was removed; late acknowledgements must not bring it back. */
  isForgotten = false

  constructor(
    key: string,
    found: { readonly path: string; readonly status: FileStatus },
    at: { readonly position: number; readonly nowMs: number },
  ) {
    this.key = key
    this.inode = found.status.inode
    this.device = found.status.device
    this.path = found.path
    this.knownSize = found.status.size
    this.modifiedMs = found.status.modifiedMs
    this.cursor = cursorAt(at.position)
    this.acknowledged = new AcknowledgedPosition(at.position)
    this.readMs = at.nowMs
  }

  /** What comes next is read from the beginning; what was read before still counts until then. */
  restart(): void {
    this.cursor = cursorAt(0)
    this.open?.joiner?.reset()
    this.acknowledged.add(0, 0)
  }

  /** Closes it. Half a message that waits for more lines will be read again. */
  close(): void {
    const { open } = this
    if (open === undefined) return
    const pendingStart = open.joiner?.pendingStart
    if (pendingStart !== undefined) this.cursor = cursorAt(pendingStart)
    this.open = undefined
    open.file.close()
  }

  is(status: FileStatus): boolean {
    return status.inode === this.inode && status.device === this.device
  }
}
