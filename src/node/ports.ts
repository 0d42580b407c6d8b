/** All the real ports in one, for mains. */
import type { Writable } from 'node:stream'
import type { LogLevel } from '../runtime/logger.ts'
import type { Ports } from '../runtime/service.ts'
import { systemClock } from './clock.ts'
import { nodeDisk } from './disk.ts'
import { createLogger } from './logger.ts'
import { createMetrics } from './metrics.ts'
import { createNodeNetwork } from './network.ts'
import { systemRandom } from './random.ts'

export interface RealPortsOptions {
  /** Where log lines go: a stage's standard output or error. */
  readonly logStream: Writable
  readonly logLevel?: LogLevel
  /** The name in log lines until a service takes one of its own. */
  readonly logName?: string
}

export function realPorts(options: RealPortsOptions): Ports {
  return {
    clock: systemClock,
    disk: nodeDisk,
    network: createNodeNetwork(),
    random: systemRandom,
    logger: createLogger({
      stream: options.logStream,
      level: options.logLevel ?? 'INFO',
      name: options.logName ?? 'millrace',
    }),
    metrics: createMetrics({ clock: systemClock }),
  }
}
