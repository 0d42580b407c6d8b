/**
 * TCP in memory, driven by a virtual clock: hosts with names, chunks split by a seed, bounded buffers,
 * one-way cuts, resets, refusals. As on a real network, bytes are never lost or reordered within a
 * connection; they only come late, or not any more. A chunk handed out in the shared buffer is
 * overwritten afterwards, so that a receiver that keeps it is found out.
 */
import type { Clock } from '../runtime/clock.ts'
import { NetworkError } from '../runtime/network.ts'
import type {
  ConnectAddress,
  Connection,
  ListenAddress,
  Listener,
  Network,
} from '../runtime/network.ts'
import type { Random } from '../runtime/random.ts'
import { MemoryConnection } from './connection.ts'
import type { Wire } from './connection.ts'

export interface MemoryNetworkSettings {
  /** One way. Default 0: in the next turn. */
  readonly latencyMs?: number
  /** Whether chunks are split at random places, down to single bytes. Default false. */
  readonly splitChunks?: boolean
  /** `write` returns false above so many pending bytes. Default 1 MB. */
  readonly highWaterBytes?: number
  /** What the operating systems hold for one direction of a connection. Default 64 KB. */
  readonly windowBytes?: number
  /** Size of the buffer that all connections read into. Default 64 KB. */
  readonly receiveBufferBytes?: number
}

interface OpenPort {
  readonly host: string
  readonly onConnection: (connection: Connection) => void
}

const connectTimeoutMsDefault = 30_000
const firstFreePort = 40_000
const ownNames = new Set(['', 'localhost', '127.0.0.1', '::1', '0.0.0.0', '::'])

/** A whole network; itself the port of its host `localhost`. */
export class MemoryNetwork implements Network {
  readonly #clock: Clock
  readonly #wire: Wire
  readonly #latencyMs: number
  readonly #openPorts = new Map<string, OpenPort>()
  readonly #addresses = new Map<string, string>([['localhost', '127.0.0.1']])
  readonly #connections = new Set<MemoryConnection>()
  readonly #cuts = new Set<string>()
  #nextPort = firstFreePort

  constructor(ports: { clock: Clock; random: Random }, settings: MemoryNetworkSettings = {}) {
    this.#clock = ports.clock
    this.#latencyMs = settings.latencyMs ?? 0
    this.#wire = {
      clock: ports.clock,
      random: ports.random,
      latencyMs: this.#latencyMs,
      splitChunks: settings.splitChunks ?? false,
      highWaterBytes: settings.highWaterBytes ?? 1024 * 1024,
      windowBytes: settings.windowBytes ?? 64 * 1024,
      shared: Buffer.alloc(settings.receiveBufferBytes ?? 64 * 1024),
      isCut: (from, to) => this.#cuts.has(`${from}>${to}`),
      forget: (connection) => void this.#connections.delete(connection),
    }
  }

  listen(
    address: ListenAddress,
    onConnection: (connection: Connection) => void,
  ): Promise<Listener> {
    return this.#listen('localhost', address, onConnection)
  }

  connect(address: ConnectAddress): Promise<Connection> {
    return this.#connect('localhost', address)
  }

  /** The network as a host of that name sees it. */
  host(name: string): Network {
    this.#addressOf(name)
    return {
      listen: (address, onConnection) => this.#listen(name, address, onConnection),
      connect: (address) => this.#connect(name, address),
    }
  }

  /** Nothing passes from one host to the other until `heal`; what is sent waits. */
  cut(from: string, to: string): void {
    this.#cuts.add(`${from}>${to}`)
  }

  heal(from: string, to: string): void {
    this.#cuts.delete(`${from}>${to}`)
    for (const connection of this.#connections) connection.wake()
  }

  healAll(): void {
    this.#cuts.clear()
    for (const connection of this.#connections) connection.wake()
  }

  /** Breaks all connections between two hosts, or all of one host, with ECONNRESET on both sides. */
  reset(host: string, other?: string): void {
    for (const connection of this.#connections) {
      const ends = [connection.host, connection.peerHost]
      if (ends.includes(host) && (other === undefined || ends.includes(other))) {
        connection.fail('ECONNRESET')
      }
    }
  }

  /** The host's process dies: its ports close, its peers see resets, it itself sees nothing more. */
  killHost(host: string): void {
    for (const [key, port] of this.#openPorts) {
      if (port.host === host) this.#openPorts.delete(key)
    }
    for (const connection of this.#connections) {
      if (connection.host === host) connection.vanish()
    }
  }

  #addressOf(name: string): string {
    let address = this.#addresses.get(name)
    if (address === undefined) {
      address = `10.0.0.${this.#addresses.size}`
      this.#addresses.set(name, address)
    }
    return address
  }

  #resolve(ownName: string, name: string): string | undefined {
    if (ownNames.has(name)) return ownName
    if (this.#addresses.has(name)) return name
    for (const [known, address] of this.#addresses) if (address === name) return known
    return undefined
  }

  async #listen(
    ownName: string,
    address: ListenAddress,
    onConnection: (connection: Connection) => void,
  ): Promise<Listener> {
    const host = this.#resolve(ownName, address.host)
    if (host !== ownName) throw networkError('EADDRNOTAVAIL', 'listen on', address)
    const port = address.port === 0 ? this.#freePort() : address.port
    const key = `${host}:${port}`
    if (this.#openPorts.has(key)) throw networkError('EADDRINUSE', 'listen on', address)
    const entry = { host, onConnection }
    this.#openPorts.set(key, entry)
    return {
      port,
      close: async () => {
        if (this.#openPorts.get(key) === entry) this.#openPorts.delete(key)
      },
    }
  }

  #connect(ownName: string, address: ConnectAddress): Promise<Connection> {
    const peerName = this.#resolve(ownName, address.host)
    return new Promise((resolve, reject) => {
      const timer = this.#clock.schedule(address.timeoutMs ?? connectTimeoutMsDefault, () => {
        expired = true
        reject(networkError('ETIMEDOUT', 'connect to', address))
      })
      let expired = false
      const fail = (code: string): void => {
        timer.cancel()
        reject(networkError(code, 'connect to', address))
      }
      const attempt = (): void => {
        if (expired) return
        if (peerName === undefined) {
          fail('ENOTFOUND')
          return
        }
        if (this.#wire.isCut(ownName, peerName) || this.#wire.isCut(peerName, ownName)) return
        const open = this.#openPorts.get(`${peerName}:${address.port}`)
        if (open === undefined) {
          fail('ECONNREFUSED')
          return
        }
        const [near, far] = this.#pair(ownName, peerName, address.port)
        open.onConnection(far)
        this.#clock.schedule(this.#latencyMs, () => {
          timer.cancel()
          if (expired) near.destroy()
          else resolve(near)
        })
      }
      this.#clock.schedule(this.#latencyMs, attempt)
    })
  }

  #pair(nearHost: string, farHost: string, port: number): [MemoryConnection, MemoryConnection] {
    const near = { host: nearHost, address: this.#addressOf(nearHost), port: this.#freePort() }
    const far = { host: farHost, address: this.#addressOf(farHost), port }
    const connection = new MemoryConnection(this.#wire, near, far)
    const peer = new MemoryConnection(this.#wire, far, near)
    connection.join(peer)
    this.#connections.add(connection).add(peer)
    return [connection, peer]
  }

  #freePort(): number {
    this.#nextPort += 1
    return this.#nextPort
  }
}

function networkError(code: string, operation: string, address: ConnectAddress): NetworkError {
  return new NetworkError(code, `${code}: ${operation} ${address.host}:${address.port}`)
}
