/**
 * The world of one run: virtual time, the network and the hosts on it, the trace of all that happens,
 * and the invariants that look at it. The same seed gives the same trace, in any process.
 */
import { VirtualClock } from '../memory/clock.ts'
import { MemoryNetwork } from '../memory/network.ts'
import { SeededRandom } from '../memory/random.ts'
import { Host, type HostSettings } from './host/host.ts'
import type { LogLine } from './host/host-logger.ts'
import { isEcho } from '../memory/life.ts'
import { Links } from './host/links.ts'
import { allInvariants } from './invariants/table.ts'
import type { Observation } from './observation.ts'
import type { NetworkPlan } from './plan.ts'
import { Promises } from './promises.ts'
import { Trace } from './trace.ts'
import { Truth } from './truth.ts'

export interface Violation {
  /** As in SPEC.md section 2. */
  readonly number: string
  readonly name: string
  readonly what: string
  readonly atMs: number
}

export interface WorldSettings extends NetworkPlan {
  readonly trace?: (line: string) => void
}

/** Of a process, with its machine or without. */
const ends: ReadonlySet<Observation['kind']> = new Set(['processKilled', 'powerLost', 'diskLost'])

/** How often the run looks whether it is over. */
const sliceMs = 50

export class World {
  readonly seed: number
  readonly clock = new VirtualClock()
  readonly random: SeededRandom
  readonly trace: Trace
  readonly network: MemoryNetwork
  readonly links: Links
  readonly violations: Violation[] = []
  readonly truth = new Truth((seen) => this.observe(seen))
  readonly #promises = new Promises()
  readonly #hosts = new Map<string, Host>()
  readonly #invariants = allInvariants()
  /** A process died in the present turn: what still runs of it are echoes. */
  #diedAtMs = -1
  #questions = 0

  constructor(seed: number, { splitChunks, latencyMs, jitterMs, trace }: WorldSettings) {
    this.seed = seed
    this.random = new SeededRandom(seed)
    this.trace = new Trace(trace)
    const { clock, random } = this
    const late = (delayMs: number): number =>
      jitterMs === 0 ? delayMs : delayMs + random.below(jitterMs + 1)
    const lateClock = {
      now: () => clock.now(),
      monotonicMs: () => clock.monotonicMs(),
      schedule: (delayMs: number, action: () => void) => clock.schedule(late(delayMs), action),
      atEndOfTurn: (action: () => void) => clock.atEndOfTurn(action),
    }
    this.network = new MemoryNetwork(
      { clock: lateClock, random },
      { latencyMs, splitChunks, windowBytes: 16 * 1024 },
    )
    this.links = new Links(this.network)
  }

  get nowMs(): number {
    return this.clock.monotonicMs()
  }

  /** All hosts must be there before the first of them fails. */
  addHost(name: string, settings: HostSettings = {}): Host {
    const { clock, network, links, random } = this
    const surroundings = {
      ...{ clock, network, links, random },
      note: (line: string) => this.note(line),
      onLog: (from: Host, line: LogLine) => this.#onLog(from, line),
      hostNames: () => this.#hosts.keys(),
    }
    const host = new Host(surroundings, name, settings)
    this.#hosts.set(name, host)
    return host
  }

  host(name: string): Host {
    const host = this.#hosts.get(name)
    if (host === undefined) throw new RangeError(`there is no host ${name}`)
    return host
  }

  get hosts(): IterableIterator<Host> {
    return this.#hosts.values()
  }

  note(line: string): void {
    this.trace.note(this.nowMs, line)
  }

  /** A number for a question, so that its answer can be held against what was known when it was asked. */
  newQuestion(): number {
    this.#questions += 1
    return this.#questions
  }

  /** Shows the invariants, and the trace, what somebody saw. */
  observe(seen: Observation): void {
    if (ends.has(seen.kind)) this.#diedAtMs = this.nowMs
    if (seen.kind !== 'log') this.note(textOf(seen))
    for (const invariant of this.#invariants) {
      const what = invariant.observe(seen)
      if (what === undefined) continue
      const { number, name } = invariant
      this.violations.push({ number, name, what, atMs: this.nowMs })
      this.note(`VIOLATION ${number} ${what}`)
    }
    for (const loss of this.#promises.observe(seen)) this.observe({ kind: 'lossAllowed', ...loss })
  }

  /**
   * Lets time pass until the condition holds or so many milliseconds are over, or a violation is found;
   * returns whether the condition held.
   */
  async run(limitMs: number, isEnough: () => boolean = () => false): Promise<boolean> {
    const endMs = this.nowMs + limitMs
    while (this.violations.length === 0) {
      if (isEnough()) return true
      const leftMs = endMs - this.nowMs
      if (leftMs <= 0) return false
      await this.#advance(Math.min(sliceMs, leftMs))
    }
    return false
  }

  /** What went wrong in code that the world runs. */
  onUnheard(error: unknown): void {
    if (isEcho(error) || this.#diedAtMs === this.nowMs) return
    this.observe({ kind: 'unheard', error })
  }

  async #advance(ms: number): Promise<void> {
    const onUnheard = (error: unknown): void => this.onUnheard(error)
    // While the world runs, every rejection is one of its own: a test runner must not take it for its.
    const others = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    process.on('unhandledRejection', onUnheard)
    try {
      await this.clock.advance(ms)
    } catch (error) {
      this.onUnheard(error)
    } finally {
      process.off('unhandledRejection', onUnheard)
      for (const other of others) process.on('unhandledRejection', other)
    }
  }

  #onLog(from: Host, { level, name, message, error }: LogLine): void {
    const cause = error instanceof Error ? ` (${String(error)})` : ''
    this.note(`${from.name} ${level} ${message}${cause}`)
    if (isEcho(error)) return
    this.observe({ kind: 'log', host: from.name, level, name, message, error })
  }
}

function textOf(seen: Observation): string {
  if (seen.kind === 'unheard') return `unheard ${String(seen.error)}`
  return JSON.stringify(seen, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  )
}
