import { delay, type Clock } from '../runtime/clock.ts'
import type { Connection, Listener, Network } from '../runtime/network.ts'
import { NetworkError } from '../runtime/network.ts'
import { UserError } from '../runtime/service.ts'
import type { BrokerSettings } from './config/broker.ts'
import { ClientConnection, type ConnectionParts } from './connection.ts'
import type { Endpoint } from './znodes.ts'

/** A frame that was begun and does not come on is given up after this long. */
const slowFrameMs = 60000
/** How long clients may take to read their last answers when the broker stops. */
const lingerMs = 1000

/**
 * The broker's open ports and all connections that came in by them. Bound early, so that a taken port
 * is found before anything is registered; connections that come before `open` are closed.
 */
export class Listeners {
  readonly #clock: Clock
  readonly #network: Network
  readonly #settings: BrokerSettings
  #parts: ConnectionParts | undefined
  readonly #bound: Listener[] = []
  readonly #connections = new Set<ClientConnection>()
  readonly #perAddress = new Map<string, number>()
  /** While closing: runs when the last connection is gone. */
  #onLastGone: () => void = () => {}

  constructor(
    ports: { readonly clock: Clock; readonly network: Network },
    settings: BrokerSettings,
  ) {
    this.#clock = ports.clock
    this.#network = ports.network
    this.#settings = settings
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** Binds every listener; returns the addresses that clients are to be told. @throws UserError */
  async bind(hostName: string): Promise<Endpoint[]> {
    const advertised: Endpoint[] = []
    for (const endpoint of this.#settings.listeners) {
      const { listener, host, port } = endpoint
      try {
        const bound = await this.#network.listen(
          { host, port, backlog: this.#settings.listenBacklog },
          (connection) => this.#accept(connection, listener),
        )
        this.#bound.push(bound)
        const told = this.#settings.advertisedListeners.find((one) => one.listener === listener)
        if (told === undefined) continue
        const isAnywhere = told.host === '' || told.host === '0.0.0.0' || told.host === '::'
        const reached = isAnywhere ? hostName : told.host
        advertised.push({ ...told, host: reached, port: told.port === 0 ? bound.port : told.port })
      } catch (error) {
        await this.close()
        if (!(error instanceof NetworkError)) throw error
        throw new UserError(
          `listeners: ${listener}://${host}:${port} cannot be bound: ${error.code}`,
        )
      }
    }
    return advertised
  }

  /** From here on connections are served. */
  open(parts: ConnectionParts): void {
    this.#parts = parts
  }

  #accept(connection: Connection, listener: string): void {
    const address = connection.remoteAddress
    const ofAddress = this.#perAddress.get(address) ?? 0
    const isFull =
      this.#connections.size >= this.#settings.connectionsMax ||
      ofAddress >= this.#settings.connectionsPerAddressMax
    if (this.#parts === undefined || isFull) {
      connection.start({ onData() {}, onClose() {} })
      connection.destroy()
      return
    }
    this.#perAddress.set(address, ofAddress + 1)
    const settings = {
      requestMaxBytes: this.#settings.requestMaxBytes,
      slowFrameMs,
      idleMaxMs: this.#settings.connectionIdleMaxMs,
    }
    const client = new ClientConnection(connection, listener, this.#parts, settings, () => {
      this.#gone(client, address)
    })
    this.#connections.add(client)
  }

  #gone(client: ClientConnection, address: string): void {
    this.#connections.delete(client)
    const left = (this.#perAddress.get(address) ?? 1) - 1
    if (left === 0) this.#perAddress.delete(address)
    else this.#perAddress.set(address, left)
    if (this.#connections.size === 0) this.#onLastGone()
  }

  /** No new connections, and an end to those there are, after what they are owed was sent. */
  async close(): Promise<void> {
    this.#parts = undefined
    const closing = this.#bound.splice(0).map((listener) => listener.close())
    if (this.#connections.size > 0) {
      const allGone = new Promise<void>((resolve) => {
        this.#onLastGone = resolve
      })
      for (const connection of [...this.#connections]) connection.end()
      await Promise.race([allGone, delay(this.#clock, lingerMs)])
      for (const connection of [...this.#connections]) connection.destroy()
    }
    await Promise.all(closing)
  }
}
