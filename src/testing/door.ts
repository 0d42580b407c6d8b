/**
 * Ports that outlive the server behind them: a broker that is stopped and started again (restart,
 * restore) is found at the same address, and who connects meanwhile waits.
 */
import type {
  ConnectAddress,
  Connection,
  ListenAddress,
  Listener,
  Network,
} from '../runtime/network.ts'

/** What may be done to a connection before the server gets it; what comes back can wait to be started. */
export type Admit = (connection: Connection) => Connection

interface Door {
  readonly address: ListenAddress
  readonly listener: Listener
  onConnection: ((connection: Connection) => void) | undefined
  readonly waiting: Connection[]
}

/** One server's network: real, but its listening ports stay bound until `close`. */
export class DoorNetwork implements Network {
  readonly #network: Network
  readonly #admit: Admit
  readonly #doors: Door[] = []
  #isOpen = false

  constructor(network: Network, admit: Admit) {
    this.#network = network
    this.#admit = admit
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

  connect(address: ConnectAddress): Promise<Connection> {
    return this.#network.connect(address)
  }

  /** The server is ready: lets in who waits, and whoever comes. */
  open(): void {
    this.#isOpen = true
    for (const door of this.#doors)
      for (const connection of door.waiting.splice(0)) this.#letIn(door, connection)
  }

  /** The server is about to stop: who comes now waits. */
  shut(): void {
    this.#isOpen = false
  }

  /** Frees the ports. */
  async close(): Promise<void> {
    this.#isOpen = false
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
      if (this.#isOpen) this.#letIn(door, admitted)
      else waiting.push(admitted)
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
