/**
 * TCP as a port. Input arrives in a buffer that all connections share and that is valid only during the
 * call, so what is parsed at once costs no copy; a receiver that waits for the rest of a large message
 * offers a target of its own. Output of one loop turn leaves in one write.
 */
export interface Network {
  /** Resolves when the port is bound. @throws NetworkError (EADDRINUSE, EACCES …) */
  listen(address: ListenAddress, onConnection: (connection: Connection) => void): Promise<Listener>
  /** Resolves when connected. @throws NetworkError (ECONNREFUSED, ETIMEDOUT …) */
  connect(address: ConnectAddress): Promise<Connection>
}

export interface ListenAddress {
  /** Empty: all interfaces. */
  readonly host: string
  /** 0: any free port; the listener tells which. */
  readonly port: number
  readonly backlog?: number
}

export interface ConnectAddress {
  readonly host: string
  readonly port: number
  readonly timeoutMs?: number
}

export interface Listener {
  readonly port: number
  /** No new connections; the existing ones stay. Resolves when the port is free. */
  close(): Promise<void>
}

/** What a connection tells its owner. After onClose nothing follows. */
export interface Receiver {
  /**
   * Bytes came in: chunk is valid only until this returns, unless it is the receiver's own target.
   * The receiver takes all of it. It must not throw.
   */
  onData(chunk: Buffer): void
  /**
   * Where the next bytes should be read to, at most its whole length; undefined for the shared buffer.
   * Asked before each read. The chunk given to onData is then the filled head of this very buffer.
   */
  target?(): Buffer | undefined
  /** The peer ended its side; input is over. Default: end ours too. */
  onEnd?(): void
  /** All that was written has left this process, after `write` had returned false. */
  onDrain?(): void
  /** The connection is gone; error where it was not a plain end. */
  onClose(error?: NetworkError): void
}

export interface Connection {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  /** Bytes written and not yet taken by the operating system. */
  readonly pendingBytes: number
  /** Names the receiver and begins to read. Called once, before the turn of the connection's birth ends. */
  start(receiver: Receiver): void
  /**
   * Sends the chunk, which must not change until it has left. False when pendingBytes is above the
   * high-water mark: then hold back until onDrain. `onSent` (for pooled buffers) runs when it has left,
   * or when the connection closed without sending it.
   */
  write(chunk: Uint8Array, onSent?: () => void): boolean
  /** Stops and resumes reading: how a broker holds a connection's next request back. */
  pause(): void
  resume(): void
  /** Sends what is pending, then closes. */
  end(): void
  /** Closes at once. onClose follows in a later turn. */
  destroy(): void
}

/** A failing network call; `code` is the system's (EADDRINUSE, ECONNREFUSED, ECONNRESET, ETIMEDOUT …). */
export class NetworkError extends Error {
  override readonly name = 'NetworkError'
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
