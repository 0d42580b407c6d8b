/**
 * Who talks to whom inside the cluster, and which ways are cut. A cut is what it is on a network: bytes
 * wait on the way, nobody is told, and what was sent arrives when the way is whole again.
 */
import type { Life } from '../memory/life.ts'
import type { Clock } from '../runtime/clock.ts'
import {
  NetworkError,
  type ConnectAddress,
  type Connection,
  type Network,
} from '../runtime/network.ts'
import { Wire } from './wire.ts'

/** A broker by its id, or the coordination server. */
export type Party = number | 'coordination'

/** A way that bytes take. */
export interface Way {
  readonly from: Party
  readonly to: Party
}

export interface Caller {
  readonly party: Party
  readonly life: Life
}

const connectTimeoutMsDefault = 30_000

export class Links {
  readonly #clock: Clock
  readonly #cuts = new Set<Way>()
  /** Listening ports. */
  readonly #parties = new Map<number, Party>()
  /** Calls by the port they come from. */
  readonly #callers = new Map<number, Party>()
  readonly #wires = new Set<Wire>()
  /** Who waits for a way to be whole. */
  readonly #waiting = new Set<() => void>()

  /** @param clock for the time limits of connecting */
  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A party listens at this port. */
  listens(port: number, party: Party): void {
    this.#parties.set(port, party)
  }

  /** Which broker a connection comes from, by the port at its end; undefined: from outside. */
  callerAt(port: number): Party | undefined {
    return this.#callers.get(port)
  }

  isCut(from: Party, to: Party): boolean {
    for (const cut of this.#cuts) if (cut.from === from && cut.to === to) return true
    return false
  }

  /** Neither hears the other. */
  areParted(one: Party, other: Party): boolean {
    return this.isCut(one, other) || this.isCut(other, one)
  }

  /** Returns how to end just these. */
  cut(ways: readonly Way[]): () => void {
    const cuts = ways.map((way) => ({ ...way }))
    for (const cut of cuts) this.#cuts.add(cut)
    this.#changed()
    return () => {
      for (const cut of cuts) this.#cuts.delete(cut)
      this.#changed()
    }
  }

  healAll(): void {
    this.#cuts.clear()
    this.#changed()
  }

  /** Connects as a broker; whoever is out of reach is as silent as a host that is. @throws NetworkError */
  async connect(network: Network, address: ConnectAddress, caller: Caller): Promise<Connection> {
    const { party: from, life } = caller
    const to = this.#parties.get(address.port)
    if (to !== undefined) await this.#passable({ from, to }, address)
    const connection = await network.connect(address)
    this.#callers.set(connection.localPort, from)
    const wire: Wire = new Wire(connection, life, this.#clock, {
      isOutCut: () => to !== undefined && this.isCut(from, to),
      isInCut: () => to !== undefined && this.isCut(to, from),
      onGone: () => void this.#wires.delete(wire),
    })
    this.#wires.add(wire)
    // Whoever asked for it may have died meanwhile.
    wire.update()
    return wire
  }

  /** An accepted connection: cuts act at the caller's end. */
  accept(connection: Connection, life: Life): Connection {
    const wire: Wire = new Wire(connection, life, this.#clock, {
      isOutCut: () => false,
      isInCut: () => false,
      onGone: () => {
        // Until here its server may ask whose connection it is, though the caller has gone.
        this.#callers.delete(connection.remotePort)
        this.#wires.delete(wire)
      },
    })
    this.#wires.add(wire)
    return wire
  }

  /** A process was paused, goes on, or has died: its connections stand still, go on, or end. */
  lifeChanged(life: Life): void {
    for (const wire of [...this.#wires]) if (wire.life === life) wire.update()
  }

  /** Nothing is left open, cut or not. */
  closeAll(): void {
    this.healAll()
    for (const wire of [...this.#wires]) wire.drop()
  }

  #changed(): void {
    for (const wire of [...this.#wires]) wire.update()
    for (const look of [...this.#waiting]) look()
  }

  #passable({ from, to }: Way, { host, port, timeoutMs }: ConnectAddress): Promise<void> {
    if (!this.areParted(from, to)) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const limitMs = timeoutMs ?? connectTimeoutMsDefault
      const look = (): void => {
        if (this.areParted(from, to)) return
        end()
        resolve()
      }
      const timer = this.#clock.schedule(limitMs, () => {
        end()
        reject(new NetworkError('ETIMEDOUT', `ETIMEDOUT: connect to ${host}:${port}`))
      })
      const end = (): void => {
        timer.cancel()
        this.#waiting.delete(look)
      }
      this.#waiting.add(look)
    })
  }
}
