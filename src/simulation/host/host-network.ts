/** The network as one life of a host's process sees it; what arrives is noted. */
import { crc32 } from 'node:zlib'
import type {
  ConnectAddress,
  Connection,
  ListenAddress,
  Listener,
  Network,
  NetworkError,
  Receiver,
} from '../../runtime/network.ts'
import type { Life } from '../../memory/life.ts'

export class HostNetwork implements Network {
  readonly #network: Network
  readonly #life: Life
  readonly #note: (line: string) => void

  constructor(network: Network, life: Life, note: (line: string) => void) {
    this.#network = network
    this.#life = life
    this.#note = note
  }

  async listen(
    address: ListenAddress,
    onConnection: (connection: Connection) => void,
  ): Promise<Listener> {
    const listener = await this.#network.listen(address, (connection) => {
      if (this.#life.alive) this.#life.run(() => onConnection(this.#wrap(connection)))
      else discard(connection)
    })
    return listener
  }

  connect(address: ConnectAddress): Promise<Connection> {
    const connecting = this.#network.connect(address).then((connection) => {
      if (!this.#life.alive) discard(connection)
      return this.#wrap(connection)
    })
    return this.#life.see(connecting)
  }

  #wrap(connection: Connection): Connection {
    return new HostConnection(connection, this.#life, this.#note)
  }
}

function discard(connection: Connection): void {
  connection.start({ onData() {}, onClose() {} })
  connection.destroy()
}

class HostConnection implements Connection {
  readonly #connection: Connection
  readonly #life: Life
  readonly #note: (line: string) => void

  constructor(connection: Connection, life: Life, note: (line: string) => void) {
    this.#connection = connection
    this.#life = life
    this.#note = note
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress
  }

  get remotePort(): number {
    return this.#connection.remotePort
  }

  get localAddress(): string {
    return this.#connection.localAddress
  }

  get localPort(): number {
    return this.#connection.localPort
  }

  get pendingBytes(): number {
    return this.#connection.pendingBytes
  }

  start(receiver: Receiver): void {
    if (!this.#life.alive) return
    const ports = `${this.localPort}<${this.remotePort}`
    this.#connection.start({
      onData: (chunk) => {
        this.#note(`received ${ports} ${chunk.length} ${crc32(chunk)}`)
        this.#life.run(() => receiver.onData(chunk))
      },
      target: () => (this.#life.alive ? receiver.target?.() : undefined),
      onEnd: () => {
        this.#life.run(() => {
          if (receiver.onEnd === undefined) this.#connection.end()
          else receiver.onEnd()
        })
      },
      onDrain: () => this.#life.run(() => receiver.onDrain?.()),
      onClose: (error?: NetworkError) => {
        this.#note(`closed ${ports} ${error?.code ?? ''}`)
        this.#life.run(() => receiver.onClose(error))
      },
    })
  }

  write(chunk: Uint8Array, onSent?: () => void): boolean {
    if (!this.#life.alive) return false
    if (onSent === undefined) return this.#connection.write(chunk)
    return this.#connection.write(chunk, () => this.#life.run(onSent))
  }

  pause(): void {
    if (this.#life.alive) this.#connection.pause()
  }

  resume(): void {
    if (this.#life.alive) this.#connection.resume()
  }

  end(): void {
    if (this.#life.alive) this.#connection.end()
  }

  destroy(): void {
    if (this.#life.alive) this.#connection.destroy()
  }
}
