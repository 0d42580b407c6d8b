/** The clients as processes on hosts of their own, started again when a fault has ended them. */
import type { Clients } from '../faults.ts'
import type { Life } from '../../memory/life.ts'
import { isEcho } from '../../memory/life.ts'
import type { Ports } from '../../runtime/service.ts'
import type { World } from '../world.ts'

/** What a process does: resolves when it has nothing left to do. */
export type ClientMain = (ports: Ports, life: Life) => Promise<void>

interface Process {
  readonly main: ClientMain
  isDone: boolean
}

export class Processes implements Clients {
  readonly #world: World
  readonly #processes = new Map<string, Process>()

  constructor(world: World) {
    this.#world = world
  }

  add(host: string, main: ClientMain, clockRate = 1): void {
    this.#world.addHost(host, { clockRate })
    this.#processes.set(host, { main, isDone: false })
  }

  start(): void {
    for (const host of this.#processes.keys()) this.#boot(host)
  }

  /** Whether all processes whose host's name begins so have nothing left to do. */
  areDone(prefix: string): boolean {
    return this.unfinished(prefix).length === 0
  }

  unfinished(prefix: string): string[] {
    return [...this.#processes]
      .filter(([host, { isDone }]) => host.startsWith(prefix) && !isDone)
      .map(([host]) => host)
  }

  restart(host: string, downMs: number): void {
    if (this.#processes.get(host)?.isDone !== false || !this.#world.host(host).isUp) return
    this.#world.observe({ kind: 'processKilled', host })
    this.#world.host(host).kill()
    this.#world.clock.schedule(downMs, () => this.#boot(host))
  }

  #boot(host: string): void {
    const process = this.#processes.get(host)
    if (process === undefined) return
    const { life, ports } = this.#world.host(host).boot()
    life.see(process.main(ports, life)).then(
      () => {
        process.isDone = true
        this.#world.note(`${host} has ended`)
      },
      (error: unknown) => {
        if (!isEcho(error)) this.#world.onUnheard(error)
      },
    )
  }
}
