/** Real TCP behind the Network port: node:net with a shared receive buffer and writes gathered per turn. */
import net from 'node:net'
import { NetworkError } from '../runtime/network.ts'
import type {
  ConnectAddress,
  Connection,
  ListenAddress,
  Listener,
  Network,
} from '../runtime/network.ts'
import { NodeConnection } from './connection.ts'
import type { ConnectionShared } from './connection.ts'
import { moveHandle, onreadOption, sharedReceiveWorks } from './shared-receive.ts'

export interface NodeNetworkOptions {
  /**
   * shared: all connections read into one buffer, which for accepted ones needs an undocumented
   * handle. data: documented events only. auto (default): shared where a test at first use succeeds.
   */
  readonly receive?: 'auto' | 'shared' | 'data'
  /** Size of the shared buffer. Below 256 KB costs system calls; 4 MB leaves the processor's cache. */
  readonly receiveBufferBytes?: number
  /** `write` returns false above so many pending bytes. */
  readonly highWaterBytes?: number
}

const receiveBufferBytesDefault = 256 * 1024
const highWaterBytesDefault = 1024 * 1024
/** Kafka's default of socket.listen.backlog.size. */
const backlogDefault = 50
const connectTimeoutMsDefault = 30_000
/** How long one address of a host with several is tried before the next (Node's own 250 ms is short). */
const addressTimeoutMs = 5_000
/** How long a connection stands idle before the system asks whether the peer is still there. */
const keepAliveDelayMs = 60_000

export function createNodeNetwork(options: NodeNetworkOptions = {}): Network {
  const shared: ConnectionShared = {
    buffer: Buffer.allocUnsafeSlow(options.receiveBufferBytes ?? receiveBufferBytesDefault),
    highWaterBytes: options.highWaterBytes ?? highWaterBytesDefault,
  }
  const receive = options.receive ?? 'auto'
  return {
    async listen(address, onConnection) {
      const moves = receive === 'auto' ? await sharedReceiveWorks() : receive === 'shared'
      return listen(address, (socket) => onConnection(accept(socket, shared, moves)))
    },
    connect: (address) => connect(address, shared, receive !== 'data'),
  }
}

function accept(accepted: net.Socket, shared: ConnectionShared, moves: boolean): Connection {
  const connection = new NodeConnection(shared)
  const moved = moves ? moveHandle(accepted, connection.receiveOptions()) : undefined
  if (moved === undefined) connection.attachByEvents(accepted)
  else connection.attach(moved)
  return connection
}

function listen(address: ListenAddress, onSocket: (socket: net.Socket) => void): Promise<Listener> {
  const { host, port } = address
  const server = net.createServer({
    pauseOnConnect: true,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveDelayMs,
  })
  return new Promise((resolve, reject) => {
    server.on('connection', onSocket)
    server.once('error', (error) => reject(networkError(error, `listen on ${host}:${port}`)))
    const backlog = address.backlog ?? backlogDefault
    server.listen(host === '' ? { port, backlog } : { host, port, backlog }, () => {
      const bound = server.address()
      if (bound === null || typeof bound === 'string') return
      // A failing accept (no more descriptors) is not the end of the listener: Node tries again.
      server.removeAllListeners('error').on('error', () => {})
      resolve({ port: bound.port, close: () => closeServer(server) })
    })
  })
}

/** The port is free as soon as the handle is closed; existing connections are not waited for. */
function closeServer(server: net.Server): Promise<void> {
  return new Promise((resolve) => {
    server.close()
    setImmediate(resolve)
  })
}

function connect(
  address: ConnectAddress,
  shared: ConnectionShared,
  readsShared: boolean,
): Promise<Connection> {
  const { host, port } = address
  return new Promise((resolve, reject) => {
    const connection = new NodeConnection(shared)
    const socket = net.connect({
      host,
      port,
      noDelay: true,
      allowHalfOpen: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveDelayMs,
      autoSelectFamilyAttemptTimeout: addressTimeoutMs,
      ...(readsShared ? { onread: onreadOption(connection.receiveOptions()) } : {}),
    })
    // Nothing is read before the owner has named its receiver.
    socket.pause()
    const fail = (error: unknown): void => {
      clearTimeout(timer)
      socket.destroy()
      reject(networkError(error, `connect to ${host}:${port}`))
    }
    const timeoutMs = address.timeoutMs ?? connectTimeoutMsDefault
    const timer = setTimeout(
      () => fail(new NetworkError('ETIMEDOUT', `no connection within ${timeoutMs} ms`)),
      timeoutMs,
    )
    socket.once('error', fail)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.removeListener('error', fail)
      if (readsShared) connection.attach(socket)
      else connection.attachByEvents(socket)
      resolve(connection)
    })
  })
}

/** With the system's code; where several addresses failed, that of the first. */
export function networkError(error: unknown, operation: string): NetworkError {
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'EIO'
  return new NetworkError(code, `${code}: ${operation}`, { cause: error })
}
