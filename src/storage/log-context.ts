/** What the logs of one directory share. */
import type { Ports } from '../runtime/service.ts'
import type { GatherPool } from './gather.ts'
import type { LogFile, OpenFiles } from './log-file.ts'

export type StoragePorts = Pick<Ports, 'clock' | 'disk' | 'random' | 'logger'>

/** A log with bytes in its gather buffer. */
export interface Gathering {
  flushGathered(): void
}

export interface LogContext extends StoragePorts {
  readonly files: OpenFiles
  readonly gather: GatherPool
  /** The directory failed. */
  isOffline(): boolean
  /** The log has gathered bytes: they are written when the turn ends, or sooner. */
  gathered(log: Gathering): void
  /** Takes the whole directory offline. Harmless when it already is. */
  fail(error: unknown): void
  /** Removes files once `delayMs` have gone by, so that readers may finish. */
  removeLater(files: readonly LogFile[], delayMs: number): void
}

export interface LogIdentity {
  readonly topic: string
  readonly partition: number
  readonly directory: string
  readonly topicId: string | undefined
}
