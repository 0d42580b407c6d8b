/** The coordination server of a cluster, on a machine of its own. */
import { Life } from '../memory/life.ts'
import type { DiskSnapshot } from '../memory/disk.ts'
import { CoordinationServer } from '../zookeeper/server/server.ts'
import { coordinationSettings, type CoordinationSettings } from '../zookeeper/server/settings.ts'
import { Doors } from './door.ts'
import { loopback, placeFor, snapshotOf, type NodeParts, type Place } from './node-parts.ts'

/** Apache ZooKeeper's step is 64 MB, for nothing in a test. */
const preallocateBytes = 64 * 1024

export class CoordinationNode {
  readonly #parts: NodeParts
  readonly #place: Place
  readonly #doors: Doors
  readonly #settings: CoordinationSettings
  readonly #life = new Life(1)
  #server: CoordinationServer | undefined
  #port = 0

  constructor(parts: NodeParts) {
    this.#parts = parts
    this.#place = placeFor(parts, 'zookeeper', parts.clock)
    this.#settings = coordinationSettings({
      dataDirectory: this.#place.path,
      host: loopback,
      port: 0,
      preallocateBytes,
      connectionsPerAddressMax: 0,
      fourLetterWords: 'all',
    })
    const { links, ports } = parts
    this.#doors = new Doors(ports.network, (connection) => links.accept(connection, this.#life))
    // Nobody waits here: clients of ZooKeeper try again by themselves.
    this.#doors.open()
  }

  /** A session may last so much longer than its time. */
  get tickMs(): number {
    return this.#settings.tickMs
  }

  get address(): string {
    return `${loopback}:${this.#port}`
  }

  async start(): Promise<void> {
    const { ports, clock, links } = this.#parts
    const { disk } = this.#place
    const server = new CoordinationServer(
      { ...ports, disk, clock, network: this.#doors.network },
      this.#settings,
    )
    await server.start()
    this.#server = server
    this.#port = server.port
    links.listens(server.port, 'coordination')
  }

  /** Time has moved, and these clients have not slept: all but those that `isSilent` picks by their port. */
  hear(isSilent: (port: number) => boolean): void {
    this.#server?.hear(isSilent)
  }

  /** The port stays taken until `close`. */
  async stop(): Promise<void> {
    await this.#server?.stop()
    this.#server = undefined
  }

  close(): Promise<void> {
    return this.#doors.close()
  }

  snapshot(): DiskSnapshot | undefined {
    return snapshotOf(this.#place)
  }

  restore(snapshot: DiskSnapshot | undefined): void {
    if (snapshot !== undefined) this.#place.memory?.restore(snapshot)
  }
}
