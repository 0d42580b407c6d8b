/**
 * The system under test: one coordination server and brokers, each on a host of its own, kept running
 * as a service supervisor would: a process that ended is started again.
 */
import { Broker } from '../broker/broker.ts'
import { brokerSettings } from '../broker/config/broker.ts'
import type { Ports, Service } from '../runtime/service.ts'
import { ZooKeeperSession } from '../zookeeper/client/session.ts'
import { CoordinationServer } from '../zookeeper/server/server.ts'
import { coordinationSettings } from '../zookeeper/server/settings.ts'
import type { Host } from './host/host.ts'
import { isEcho, type Life } from '../memory/life.ts'
import { brokerHost, coordinationHost, type Plan } from './plan.ts'
import type { World } from './world.ts'

export const brokerPort = 9092
export const coordinationPort = 2181

const restartDelayMs = 300
const stopLimitMs = 30_000

/** Something that can be started again and again. */
interface Unit {
  readonly host: Host
  readonly make: (ports: Ports, onFailure: () => void) => Service
  service: Service | undefined
  isReady: boolean
  /** When it may be started again, after a fault that keeps it down. */
  downUntilMs: number
  isRestarting: boolean
}

export class Cluster {
  readonly #world: World
  readonly #plan: Plan
  readonly #units = new Map<string, Unit>()
  readonly #keepsWritesInProcess: boolean

  /** @param keepsWritesInProcess a mutant: see HostSettings. */
  constructor(world: World, plan: Plan, keepsWritesInProcess: boolean) {
    this.#world = world
    this.#plan = plan
    this.#keepsWritesInProcess = keepsWritesInProcess
    this.#add(coordinationHost, (ports, onFailure) => this.#coordination(ports, onFailure))
    for (let id = 0; id < plan.brokerCount; id += 1)
      this.#add(brokerHost(id), (ports, onFailure) => this.#broker(ports, id, onFailure))
  }

  get bootstrapServers(): string[] {
    return Array.from(
      { length: this.#plan.brokerCount },
      (_, id) => `${brokerHost(id)}:${brokerPort}`,
    )
  }

  get connectString(): string {
    return `${coordinationHost}:${coordinationPort}`
  }

  /** A broker that coordination has not heard of for so long has lost its session. */
  get sessionOverMs(): number {
    const { broker, coordination } = this.#plan
    const { tickMs } = coordination
    const asked = Number(broker['zookeeper.session.timeout.ms'])
    return Math.min(20 * tickMs, Math.max(2 * tickMs, asked)) + 3 * tickMs
  }

  get isReady(): boolean {
    return [...this.#units.values()].every((unit) => unit.isReady)
  }

  owns(host: string): boolean {
    return this.#units.has(host)
  }

  start(): void {
    for (const unit of this.#units.values()) this.#boot(unit)
  }

  kill(name: string, downMs: number): void {
    const unit = this.#unit(name)
    if (!unit.host.isUp) return
    this.#world.observe({ kind: 'processKilled', host: name })
    unit.host.kill()
    this.#down(unit, downMs)
  }

  losePower(name: string, downMs: number, keepsSome: boolean): void {
    const unit = this.#unit(name)
    this.#world.observe({ kind: 'powerLost', host: name })
    unit.host.losePower(keepsSome)
    this.#down(unit, downMs)
  }

  wipe(name: string, downMs: number): void {
    const unit = this.#unit(name)
    this.#world.observe({ kind: 'diskLost', host: name })
    unit.host.wipe()
    this.#down(unit, downMs)
  }

  /** A clean end and a new start; a process that does not end in time is killed. */
  restart(name: string, downMs: number): void {
    const unit = this.#unit(name)
    const { service } = unit
    const { life } = unit.host
    if (service === undefined || life === undefined || !unit.isReady) return
    unit.isReady = false
    const end = (): void => {
      if (unit.host.life === life) this.kill(name, downMs)
    }
    const timer = this.#world.clock.schedule(stopLimitMs, end)
    unit.host.note('stop')
    void life.see(service.stop()).then(() => {
      timer.cancel()
      unit.host.note('stopped')
      end()
    })
  }

  #unit(name: string): Unit {
    const unit = this.#units.get(name)
    if (unit === undefined) throw new RangeError(`${name} is not part of the cluster`)
    return unit
  }

  #add(name: string, make: Unit['make']): void {
    const { clockRates, diskLatencyMs } = this.#plan
    const host = this.#world.addHost(name, {
      clockRate: clockRates[name] ?? 1,
      diskLatencyMs,
      keepsWritesInProcess: this.#keepsWritesInProcess && name !== coordinationHost,
    })
    this.#units.set(name, {
      host,
      make,
      service: undefined,
      isReady: false,
      downUntilMs: 0,
      isRestarting: false,
    })
  }

  #down(unit: Unit, downMs: number): void {
    unit.isReady = false
    unit.service = undefined
    unit.downUntilMs = Math.max(unit.downUntilMs, this.#world.nowMs + downMs)
    if (unit.isRestarting) return
    unit.isRestarting = true
    this.#rise(unit)
  }

  #rise(unit: Unit): void {
    const waitMs = Math.max(0, unit.downUntilMs - this.#world.nowMs)
    this.#world.clock.schedule(waitMs, () => {
      if (this.#world.nowMs < unit.downUntilMs) this.#rise(unit)
      else {
        unit.isRestarting = false
        this.#boot(unit)
      }
    })
  }

  #boot(unit: Unit): void {
    const { life, ports } = unit.host.boot()
    const end = (): void => this.#onEnd(unit, life)
    const service = unit.make(ports, end)
    unit.service = service
    life.see(service.start()).then(
      () => {
        unit.isReady = true
        unit.host.note('ready')
      },
      (error: unknown) => {
        if (!isEcho(error)) unit.host.note(`failed to start: ${String(error)}`)
        end()
      },
    )
  }

  /** The process ended by itself. */
  #onEnd(unit: Unit, life: Life): void {
    if (unit.host.life !== life) return
    this.#world.observe({ kind: 'processKilled', host: unit.host.name })
    unit.host.kill()
    this.#down(unit, restartDelayMs)
  }

  #coordination(ports: Ports, onFailure: () => void): Service {
    const { tickMs, snapCount, preallocateBytes } = this.#plan.coordination
    const settings = coordinationSettings({
      dataDirectory: '/zookeeper',
      port: coordinationPort,
      connectionsPerAddressMax: 0,
      tickMs,
      sessionTimeoutMsMin: 2 * tickMs,
      sessionTimeoutMsMax: 20 * tickMs,
      snapCount,
      preallocateBytes,
    })
    const server = new CoordinationServer(ports, settings)
    void server.failed.then(onFailure)
    return {
      start: async () => {
        await server.start()
        const tree = server.shown()?.tree
        if (tree !== undefined) this.#world.truth.attach(tree)
      },
      stop: () => server.stop(),
    }
  }

  #broker(ports: Ports, id: number, onFailure: () => void): Service {
    const { settings } = brokerSettings({
      'broker.id': String(id),
      listeners: `PLAINTEXT://${brokerHost(id)}:${brokerPort}`,
      'log.dirs': '/kafka',
      'zookeeper.connect': this.connectString,
      ...this.#plan.broker,
    })
    const openSession = () =>
      new ZooKeeperSession(ports, {
        connect: settings.zookeeperConnect,
        sessionTimeoutMs: settings.zookeeperSessionTimeoutMs,
        connectTimeoutMs: settings.zookeeperConnectionTimeoutMs,
      })
    const broker = new Broker(ports, settings, { openSession, hostName: brokerHost(id) })
    void broker.failed.then(onFailure)
    return broker
  }
}
