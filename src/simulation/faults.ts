/** Carries out the faults of a plan, and heals what they did. */
import type { Cluster } from './cluster.ts'
import type { Fault, Plan } from './plan.ts'
import { paths } from '../broker/znodes.ts'
import { isZooKeeperError, type ZooKeeperClient } from '../zookeeper/client/client.ts'
import { coordinationHost } from './plan.ts'
import type { World } from './world.ts'

/** Clients are restarted by who runs them. */
export interface Clients {
  restart(host: string, downMs: number): void
}

interface FaultsParts {
  readonly cluster: Cluster
  readonly clients: Clients
  /** A session of somebody whom no fault concerns. */
  readonly zookeeper: () => Promise<ZooKeeperClient>
}

export class Faults {
  readonly #world: World
  readonly #cluster: Cluster
  readonly #clients: Clients
  readonly #zookeeper: FaultsParts['zookeeper']
  readonly #endings = new Set<() => void>()
  /** Hosts whose disk failed: their processes may have given it up until they are started again. */
  readonly #scarred = new Set<string>()

  constructor(world: World, { cluster, clients, zookeeper }: FaultsParts) {
    this.#world = world
    this.#cluster = cluster
    this.#clients = clients
    this.#zookeeper = zookeeper
  }

  schedule(plan: Plan): void {
    for (const fault of plan.faults)
      this.#world.clock.schedule(fault.atMs, () => {
        this.#world.note(`fault ${JSON.stringify(fault)}`)
        this.#carryOut(fault)
      })
  }

  /** Ends all that goes on; processes whose disk had failed are started again. */
  heal(): void {
    this.#world.note('heal')
    for (const end of this.#endings) end()
    for (const host of this.#world.hosts) host.disarm()
    for (const host of this.#scarred) this.#cluster.kill(host, 0)
  }

  #carryOut(fault: Fault): void {
    switch (fault.kind) {
      case 'kill':
        if (this.#cluster.owns(fault.host)) this.#cluster.kill(fault.host, fault.downMs)
        else this.#clients.restart(fault.host, fault.downMs)
        return
      case 'losePower':
        this.#cluster.losePower(fault.host, fault.downMs, fault.keepsSome)
        return
      case 'restart':
        this.#cluster.restart(fault.host, fault.downMs)
        return
      case 'dieAtDiskChange': {
        const { host, operations, power, downMs } = fault
        const onDeath = (): void => {
          if (power) this.#cluster.losePower(host, downMs, true)
          else this.#cluster.kill(host, downMs)
        }
        this.#world.host(host).dieAt({ operations, onDeath })
        return
      }
      case 'cut':
        this.#cut(fault)
        return
      case 'wipeDisk':
        this.#cluster.wipe(fault.host, fault.downMs)
        return
      case 'expireSession':
        this.#cut({
          ...{ from: fault.host, to: coordinationHost, bothWays: true },
          forMs: this.#cluster.sessionOverMs,
        })
        return
      case 'moveController':
        this.#removeController().catch((error: unknown) => this.#world.onUnheard(error))
        return
      case 'reset':
        this.#world.network.reset(fault.host, fault.other)
        return
      case 'jumpClock':
        this.#world.host(fault.host).clockErrors.wallShiftMs += fault.byMs
        return
      case 'freeze': {
        const host = this.#world.host(fault.host)
        host.freeze()
        this.#endAfter(fault.forMs, () => host.thaw())
        return
      }
      case 'slowDisk':
      case 'fullDisk':
      case 'failDisk':
        this.#troubleDisk(fault)
    }
  }

  #cut({
    from,
    to,
    bothWays,
    forMs,
  }: Omit<Extract<Fault, { kind: 'cut' }>, 'atMs' | 'kind'>): void {
    const ends = [this.#world.links.cut(from, to)]
    if (bothWays) ends.push(this.#world.links.cut(to, from))
    this.#endAfter(forMs, () => {
      for (const end of ends) end()
    })
  }

  async #removeController(): Promise<void> {
    try {
      const zookeeper = await this.#zookeeper()
      await zookeeper.delete(paths.controller)
    } catch (error) {
      if (!isZooKeeperError(error)) throw error
    }
  }

  #troubleDisk(fault: Extract<Fault, { kind: 'slowDisk' | 'fullDisk' | 'failDisk' }>): void {
    const host = this.#world.host(fault.host)
    if (fault.kind === 'slowDisk') {
      host.slowDisk(fault.latencyMs)
      this.#endAfter(fault.forMs, () => host.slowDisk(0))
      return
    }
    this.#scarred.add(fault.host)
    const times = fault.kind === 'failDisk' ? { times: fault.times } : {}
    const code = fault.kind === 'failDisk' ? 'EIO' : 'ENOSPC'
    const operation = fault.kind === 'failDisk' ? fault.operation : 'write'
    const end = host.disk.inject({ operations: [operation], code, ...times })
    if (fault.kind === 'fullDisk') this.#endAfter(fault.forMs, end)
    else this.#endings.add(end)
  }

  #endAfter(ms: number, end: () => void): void {
    const endOnce = (): void => {
      if (this.#endings.delete(endOnce)) end()
    }
    this.#endings.add(endOnce)
    this.#world.clock.schedule(ms, endOnce)
  }
}
