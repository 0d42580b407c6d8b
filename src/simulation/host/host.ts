/**
 * A simulated machine: a disk and clocks that outlive its process, and a process that can be killed,
 * frozen and booted again.
 */
import { MemoryDisk } from '../../memory/disk.ts'
import type { MemoryNetwork } from '../../memory/network.ts'
import { SeededRandom } from '../../memory/random.ts'
import type { Clock } from '../../runtime/clock.ts'
import { noMetrics } from '../../runtime/metrics.ts'
import type { Random } from '../../runtime/random.ts'
import type { Ports } from '../../runtime/service.ts'
import { type ClockErrors, HostClock } from './host-clock.ts'
import { HostDisk } from './host-disk.ts'
import { HostLogger, type LogLine } from './host-logger.ts'
import { HostNetwork } from './host-network.ts'
import { Life } from '../../memory/life.ts'
import type { Links } from './links.ts'

/** What a host needs of its world. */
export interface HostSurroundings {
  readonly clock: Clock
  readonly network: MemoryNetwork
  readonly links: Links
  readonly random: Random
  readonly note: (line: string) => void
  readonly onLog: (host: Host, line: LogLine) => void
  /** The names of all hosts, this one too. */
  readonly hostNames: () => Iterable<string>
}

export interface HostSettings {
  /** Milliseconds that its clocks count in one of the world's. Default 1. */
  readonly clockRate?: number
  /** Most that a call off the loop takes. Default 0: the next turn. */
  readonly diskLatencyMs?: number
  /** A mutant: what a process has written and not synced dies with it. Default false. */
  readonly keepsWritesInProcess?: boolean
}

export interface DiskDeath {
  /** How many more changes of the disk happen before the one at which the process dies. */
  readonly operations: number
  readonly onDeath: () => void
}

export class Host {
  readonly name: string
  readonly clockErrors: ClockErrors & { wallShiftMs: number }
  readonly #world: HostSurroundings
  readonly #settings: HostSettings
  #disk: MemoryDisk
  #life: Life | undefined
  #lives = 0
  #slowDiskMs = 0
  #death: { left: number; readonly onDeath: () => void } | undefined
  #endSilence: (() => void)[] = []
  #endFreeze: (() => void)[] = []

  constructor(world: HostSurroundings, name: string, settings: HostSettings = {}) {
    this.name = name
    this.#world = world
    this.#settings = settings
    this.clockErrors = { wallShiftMs: 0, rate: settings.clockRate ?? 1 }
    this.#disk = this.#newDisk()
  }

  #newDisk(): MemoryDisk {
    const { clock } = this.#world
    return new MemoryDisk({
      clock: {
        now: () => clock.now() + this.clockErrors.wallShiftMs,
        monotonicMs: () => clock.monotonicMs(),
        schedule: (delayMs, action) =>
          clock.schedule(delayMs + this.#drawDiskLatency(), () => this.#life?.run(action)),
        atEndOfTurn: (action) => clock.atEndOfTurn(() => this.#life?.run(action)),
      },
    })
  }

  get disk(): MemoryDisk {
    return this.#disk
  }

  get life(): Life | undefined {
    return this.#life
  }

  get isUp(): boolean {
    return this.#life !== undefined
  }

  get isFrozen(): boolean {
    return this.#life?.frozen === true
  }

  /** Begins a life; the ports end with it. */
  boot(): { readonly ports: Ports; readonly life: Life } {
    if (this.#life !== undefined) this.kill()
    // A machine that lost its power was silent; now that it is back it resets what it does not know.
    this.#world.network.killHost(this.name)
    for (const end of this.#endSilence.splice(0)) end()
    this.#lives += 1
    const life = new Life(this.#lives)
    this.#life = life
    this.note(`boot ${life.number}`)
    return { life, ports: this.#portsOf(life) }
  }

  /** The process dies. What it wrote stays; its peers see resets. */
  kill(): void {
    if (this.#life === undefined) return
    this.note('kill')
    this.#endLife()
    if (this.#settings.keepsWritesInProcess === true) this.#disk.crash()
    else this.#disk.killProcess()
    this.#world.network.killHost(this.name)
  }

  /** The machine dies: what was not synced is lost, or kept in part; its peers see nothing. */
  losePower(keepsSome: boolean): void {
    this.note(`power loss ${keepsSome}`)
    this.#endLife()
    this.#disk.crash(keepsSome ? this.#world.random : undefined)
    this.#endSilence.push(...this.#isolate())
  }

  /** The machine dies and comes back with an empty disk; its peers see resets. */
  wipe(): void {
    this.note('wipe')
    this.#endLife()
    this.#disk = this.#newDisk()
    this.#world.network.killHost(this.name)
  }

  /** The process stands still; time does not. */
  freeze(): void {
    if (this.#life === undefined || this.#life.frozen) return
    this.note('freeze')
    this.#life.freeze()
    this.#endFreeze = this.#isolate()
  }

  thaw(): void {
    if (this.#life?.frozen !== true) return
    this.note('thaw')
    for (const end of this.#endFreeze.splice(0)) end()
    this.#life.thaw()
  }

  /** Arms the death of the process at a later change of its disk. */
  dieAt({ operations, onDeath }: DiskDeath): void {
    this.#death = { left: operations, onDeath }
  }

  disarm(): void {
    this.#death = undefined
  }

  /** Calls off the loop take up to so long from now on; 0 for as long as usual. */
  slowDisk(latencyMs: number): void {
    this.#slowDiskMs = latencyMs
  }

  note(line: string): void {
    this.#world.note(`${this.name} ${line}`)
  }

  #endLife(): void {
    this.#life?.end()
    this.#life = undefined
    this.#death = undefined
    for (const end of this.#endFreeze.splice(0)) end()
  }

  #isolate(): (() => void)[] {
    const ends: (() => void)[] = []
    for (const other of this.#world.hostNames()) {
      if (other === this.name) continue
      ends.push(this.#world.links.cut(this.name, other), this.#world.links.cut(other, this.name))
    }
    return ends
  }

  #portsOf(life: Life): Ports {
    const note = (line: string): void => this.note(line)
    return {
      clock: new HostClock(this.#world.clock, this.clockErrors, life),
      disk: new HostDisk(this.#disk, life, { onChange: (line) => this.#onDiskChange(line) }),
      network: new HostNetwork(this.#world.network.host(this.name), life, note),
      random: new SeededRandom(this.#world.random.below(2 ** 48)),
      logger: new HostLogger(life, (line) => this.#world.onLog(this, line)),
      metrics: noMetrics,
    }
  }

  #onDiskChange(line: string): void {
    this.note(line)
    const death = this.#death
    if (death === undefined) return
    death.left -= 1
    if (death.left >= 0) return
    this.#death = undefined
    death.onDeath()
  }

  #drawDiskLatency(): number {
    const mostMs = Math.max(this.#settings.diskLatencyMs ?? 0, this.#slowDiskMs)
    return mostMs === 0 ? 0 : this.#world.random.below(mostMs + 1)
  }
}
