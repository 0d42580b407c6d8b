/**
 * Ports that outlive the server behind them: a broker that is stopped and started again (restart,
 * restore) is found at the same address, and who connects meanwhile waits.
 */
import type { Connection, ListenAddress, Listener, Network } from '../runtime/network.ts'

/** What may be done to a connection before the server gets it; what comes back can wait to be started. */
export type Admit = (connection: Connection) => Connection

interface Door {
  readonly address: ListenAddress
  readonly listener: Listener
  onConnection: ((connection: Connection) => void) | undefined
  readonly waiting: Connection[]
}

/** What becomes of who connects: the server gets it, it waits, or it is turned away. */
type State = 'open' | 'shut' | 'refusing'

/** Where one server listens: real ports that stay bound until `close`. */
export class Doors {
  readonly #network: Network
  readonly #admit: Admit
  readonly #doors: Door[] = []
  #state: State = 'shut'

  constructor(network: Network, admit: Admit) {
    this.#network = network
    this.#admit = admit
  }

  /** For a server that never connects to anybody. */
  get network(): Network {
    return {
      listen: (address, onConnection) => this.listen(address, onConnection),
      connect: (address) => this.#network.connect(address),
    }
  }

  async listen(
    address: ListenAddress,
    onConnection: (connection: Connection) => void,
  ): Promise<Listener> {
    const door = this.#idleDoor(address) ?? (await this.#makeDoor(address))
    door.onConnection = onConnection
    const close = (): Promise<void> => {
      door.onConnection = undefined
      return Promise.resolve()
    }
    return { port: door.listener.port, close }
  }

  /** The server is ready: lets in who waits, and whoever comes. */
  open(): void {
    this.#state = 'open'
    for (const door of this.#doors)
      for (const connection of door.waiting.splice(0)) this.#letIn(door, connection)
  }

  /** The server is gone, or about to, and another one follows: who comes now waits for that. */
  shut(): void {
    this.#state = 'shut'
    for (const door of this.#doors) door.onConnection = undefined
  }

  /** No other one follows: who comes, or waits, is turned away. */
  refuse(): void {
    this.shut()
    this.#state = 'refusing'
    for (const { waiting } of this.#doors)
      for (const connection of waiting.splice(0)) connection.destroy()
  }

  /** Frees the ports. */
  async close(): Promise<void> {
    this.#state = 'refusing'
    const doors = this.#doors.splice(0)
    for (const { waiting } of doors) for (const connection of waiting) connection.destroy()
    await Promise.all(doors.map(({ listener }) => listener.close()))
  }

  #idleDoor({ host, port }: ListenAddress): Door | undefined {
    return this.#doors.find(
      ({ address, onConnection }) =>
        onConnection === undefined && address.host === host && address.port === port,
    )
  }

  async #makeDoor(address: ListenAddress): Promise<Door> {
    const waiting: Door['waiting'] = []
    const listener = await this.#network.listen(address, (connection) => {
      const admitted = this.#admit(connection)
      if (this.#state === 'shut') waiting.push(admitted)
      else this.#letIn(door, admitted)
    })
    const door: Door = { address, listener, onConnection: undefined, waiting }
    this.#doors.push(door)
    return door
  }

  #letIn(door: Door, connection: Connection): void {
    if (door.onConnection === undefined) connection.destroy()
    else door.onConnection(connection)
  }
}
