/** A network of hosts under a virtual clock, with one coordination server on it. */
import { VirtualClock } from '../../src/memory/clock.ts'
import { MemoryDisk } from '../../src/memory/disk.ts'
import { MemoryLogger } from '../../src/memory/logger.ts'
import { MemoryNetwork } from '../../src/memory/network.ts'
import { SeededRandom } from '../../src/memory/random.ts'
import { noMetrics } from '../../src/runtime/metrics.ts'
import { ZooKeeperSession } from '../../src/zookeeper/client/session.ts'
import { CoordinationServer } from '../../src/zookeeper/server/server.ts'
import {
  type CoordinationSettings,
  coordinationSettings,
} from '../../src/zookeeper/server/settings.ts'

export const SERVER = 'coordination'
export const PORT = 2181
export const TICK_MS = 1000

export class World {
  readonly clock = new VirtualClock()
  readonly disk = new MemoryDisk({ clock: this.clock })
  readonly logger = new MemoryLogger()
  readonly random: SeededRandom
  readonly network: MemoryNetwork
  private server: CoordinationServer | undefined

  constructor(seed = 1) {
    this.random = new SeededRandom(seed)
    this.network = new MemoryNetwork(
      { clock: this.clock, random: this.random },
      { latencyMs: 1, splitChunks: true },
    )
  }

  async startServer(settings: Partial<CoordinationSettings> = {}): Promise<CoordinationServer> {
    const server = new CoordinationServer(
      {
        clock: this.clock,
        disk: this.disk,
        network: this.network.host(SERVER),
        random: this.random,
        logger: this.logger,
        metrics: noMetrics,
      },
      coordinationSettings({
        dataDirectory: '/data/zookeeper',
        port: PORT,
        tickMs: TICK_MS,
        sessionTimeoutMsMin: 2 * TICK_MS,
        sessionTimeoutMsMax: 20 * TICK_MS,
        preallocateBytes: 4096,
        ...settings,
      }),
    )
    await this.wait(server.start())
    this.server = server
    return server
  }

  async stopServer(): Promise<void> {
    await this.wait(this.server?.stop() ?? Promise.resolve())
    this.server = undefined
  }

  /** Power loss: what was not synced is gone, or kept in part. */
  crashServer({ keepsSome = false } = {}): void {
    this.network.killHost(SERVER)
    this.network.reset(SERVER)
    this.disk.crash(keepsSome ? this.random : undefined)
    this.server = undefined
  }

  newClient(host: string, { chroot = '', timeoutMs = 6000 } = {}): ZooKeeperSession {
    return new ZooKeeperSession(
      {
        clock: this.clock,
        network: this.network.host(host),
        random: this.random,
        logger: this.logger,
      },
      {
        connect: `${SERVER}:${PORT}${chroot}`,
        sessionTimeoutMs: timeoutMs,
        connectTimeoutMs: 30_000,
      },
    )
  }

  async client(host: string, options?: { chroot?: string; timeoutMs?: number }) {
    const session = this.newClient(host, options)
    await this.wait(session.start())
    return session
  }

  /** Lets the world go on until the promise has settled. */
  wait<T>(promise: Promise<T>): Promise<T> {
    return this.clock.until(promise)
  }
}
