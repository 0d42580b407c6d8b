import type { Clock } from './clock.ts'
import type { Disk } from './disk.ts'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'
import type { Network } from './network.ts'
import type { Random } from './random.ts'

/** The ports a service may be given. A constructor takes the ones it uses: `Pick<Ports, 'clock' | 'disk'>`. */
export interface Ports {
  readonly clock: Clock
  readonly disk: Disk
  readonly network: Network
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
}

/**
 * Something with a life: built with its collaborators first and its settings second, then started once,
 * then stopped once. `start` rejects with an error that names the cause, and leaves nothing running.
 * `stop` lets work in hand end within its limit, is harmless when called twice, and never rejects.
 */
export interface Service {
  start(): Promise<void>
  stop(): Promise<void>
}

/** A mistake of the user: a taken port, a bad setting, an unreadable file. Printed as one line; exit 1. */
export class UserError extends Error {
  override readonly name = 'UserError'
}

/** What a settings file's reader complains of, with the file's name before it. @throws UserError */
export function inFile<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    throw new UserError(`${path}: ${error.message}`, { cause: error })
  }
}
