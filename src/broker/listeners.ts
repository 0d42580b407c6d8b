import type { Listener, Network } from '../runtime/network.ts'
import { NetworkError } from '../runtime/network.ts'
import { UserError } from '../runtime/service.ts'
import type { BrokerSettings } from './config/broker.ts'
import { ClientConnection, type ConnectionParts } from './connection.ts'
import type { Endpoint } from './znodes.ts'

/** A frame that was begun and does not come on is given up after this long. */
const slowFrameMs = 60000

/**
 * The broker's open ports and all connections that came in by them. Bound early, so that a taken port
 * is found before anything is registered; connections that come before `open` are closed.
 */
export class Listeners {
  readonly #network: Network
  readonly #settings: BrokerSettings
  #parts: ConnectionParts | undefined
  readonly #bound: Listener[] = []
  readonly #connections = new Set<ClientConnection>()
  readonly #perAddress = new Map<string, number>()

  constructor(network: Network, settings: BrokerSettings) {
    this.#network = network
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

  #accept(connection: Parameters<Parameters<Network['listen']>[1]>[0], listener: string): void {
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
      this.#connections.delete(client)
      const left = (this.#perAddress.get(address) ?? 1) - 1
      if (left === 0) this.#perAddress.delete(address)
      else this.#perAddress.set(address, left)
    })
    this.#connections.add(client)
  }

  /** No new connections, and an end to those there are. */
  async close(): Promise<void> {
    this.#parts = undefined
    const closing = this.#bound.splice(0).map((listener) => listener.close())
    for (const connection of [...this.#connections]) connection.close()
    await Promise.all(closing)
  }
}
