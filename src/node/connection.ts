/** One TCP connection: reading into shared or offered buffers, writing what a turn produced at once. */
import type net from 'node:net'
import { assert } from '../runtime/assert.ts'
import { NetworkError } from '../runtime/network.ts'
import type { Connection, Receiver } from '../runtime/network.ts'
import { systemClock } from './clock.ts'
import type { ReceiveOptions } from './shared-receive.ts'

/** What all connections of a network have in common. */
export interface ConnectionShared {
  readonly buffer: Buffer
  readonly highWaterBytes: number
}

/** Up to here a turn's pieces are copied together for one plain write; above, they go out gathered. */
const joinedBytesMax = 64 * 1024
/** From here on waiting for the end of the turn saves nothing. */
const immediateBytes = 64 * 1024
/** After `end`, how long the peer may take to end its side before the connection is cut. */
const lingerMs = 2000

/** Connections that have something to send at the end of the turn. */
let dirty: NodeConnection[] = []

function sendDirty(): void {
  const due = dirty
  dirty = []
  for (const connection of due) connection.sendGathered()
}

export class NodeConnection implements Connection {
  remoteAddress = ''
  remotePort = 0
  localAddress = ''
  localPort = 0
  readonly #shared: ConnectionShared
  #socket: net.Socket | undefined
  #receiver: Receiver | undefined
  /** Where the read under way goes: the shared buffer or the receiver's target. */
  #reading: Buffer
  #gathered: Uint8Array[] = []
  #gatheredBytes = 0
  #onSent: (() => void)[] = []
  #needsDrain = false
  #ending = false
  #closed = false
  #error: NetworkError | undefined

  constructor(shared: ConnectionShared) {
    this.#shared = shared
    this.#reading = shared.buffer
  }

  get pendingBytes(): number {
    return this.#gatheredBytes + (this.#socket?.writableLength ?? 0)
  }

  /** For a socket that reads into buffers of ours. */
  receiveOptions(): ReceiveOptions {
    return {
      buffer: () => {
        this.#reading = this.#receiver?.target?.() ?? this.#shared.buffer
        return this.#reading
      },
      onBytes: (count) => {
        if (!this.#ending) this.#receiver?.onData(this.#reading.subarray(0, count))
      },
    }
  }

  /** Takes over a paused socket that was made with `receiveOptions`. */
  attach(socket: net.Socket): void {
    this.#socket = socket
    this.remoteAddress = plainAddress(socket.remoteAddress)
    this.remotePort = socket.remotePort ?? 0
    this.localAddress = plainAddress(socket.localAddress)
    this.localPort = socket.localPort ?? 0
    socket.on('end', () => this.#peerEnded())
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? 'EIO'
      this.#error ??= new NetworkError(code, `${code}: ${error.message}`, { cause: error })
    })
    socket.on('close', () => this.#gone())
  }

  /** The same for an ordinary paused socket. */
  attachByEvents(socket: net.Socket): void {
    this.attach(socket)
    socket.on('data', (chunk: Buffer) => this.#distribute(chunk))
    // Listening for data starts the flow; reading starts with `start`.
    socket.pause()
  }

  start(receiver: Receiver): void {
    assert(this.#receiver === undefined, 'a connection is started once')
    this.#receiver = receiver
    if (this.#closed) this.#reportClose()
    else this.#socket?.resume()
  }

  write(chunk: Uint8Array, onSent?: () => void): boolean {
    if (this.#closed || this.#ending) {
      if (onSent !== undefined) queueMicrotask(onSent)
      return false
    }
    if (this.#gathered.length === 0) {
      if (dirty.length === 0) systemClock.atEndOfTurn(sendDirty)
      dirty.push(this)
    }
    this.#gathered.push(chunk)
    this.#gatheredBytes += chunk.length
    if (onSent !== undefined) this.#onSent.push(onSent)
    if (this.#gatheredBytes >= immediateBytes) this.sendGathered()
    const goesOn = this.pendingBytes < this.#shared.highWaterBytes
    if (!goesOn) this.#needsDrain = true
    return goesOn
  }

  pause(): void {
    this.#socket?.pause()
  }

  resume(): void {
    if (!this.#ending && !this.#closed) this.#socket?.resume()
  }

  end(): void {
    if (this.#ending || this.#closed) return
    this.sendGathered()
    this.#ending = true
    this.#socket?.end()
    // Unread input would turn the close into a reset, which may destroy what the peer has yet to read.
    this.#socket?.resume()
    const timer = setTimeout(() => this.destroy(), lingerMs)
    timer.unref()
    this.#socket?.once('close', () => clearTimeout(timer))
  }

  destroy(): void {
    this.#ending = true
    this.#socket?.destroy()
  }

  /** Hands what was written since the last call to the system. */
  sendGathered(): void {
    const chunks = this.#gathered
    const socket = this.#socket
    if (chunks.length === 0 || socket === undefined || this.#closed) return
    const byteCount = this.#gatheredBytes
    const callbacks = this.#onSent
    this.#gathered = []
    this.#gatheredBytes = 0
    if (callbacks.length > 0) this.#onSent = []
    const sent = (error?: Error | null): void => {
      if (error) {
        // The connection is as good as gone: what waits for room would only be answered in vain.
        this.#ending = true
        this.#onSent.push(...callbacks)
        return
      }
      for (const callback of callbacks) callback()
      this.#reportDrain()
    }
    const only = chunks.length === 1 ? chunks[0] : undefined
    if (only !== undefined) {
      socket.write(only, sent)
    } else if (byteCount <= joinedBytesMax) {
      socket.write(Buffer.concat(chunks, byteCount), sent)
    } else {
      socket.cork()
      for (const [index, chunk] of chunks.entries()) {
        if (index === chunks.length - 1) socket.write(chunk, sent)
        else socket.write(chunk)
      }
      socket.uncork()
    }
  }

  #distribute(chunk: Buffer): void {
    const receiver = this.#receiver
    let rest = chunk
    while (receiver !== undefined && rest.length > 0 && !this.#ending) {
      const target = receiver.target?.()
      if (target === undefined) {
        receiver.onData(rest)
        return
      }
      const count = rest.copy(target)
      rest = rest.subarray(count)
      receiver.onData(target.subarray(0, count))
    }
  }

  #peerEnded(): void {
    if (this.#ending) return
    if (this.#receiver?.onEnd === undefined) this.end()
    else this.#receiver.onEnd()
  }

  #reportDrain(): void {
    if (!this.#needsDrain || this.#closed || this.pendingBytes > 0) return
    this.#needsDrain = false
    this.#receiver?.onDrain?.()
  }

  #gone(): void {
    this.#closed = true
    const callbacks = this.#onSent
    this.#onSent = []
    this.#gathered = []
    this.#gatheredBytes = 0
    for (const callback of callbacks) callback()
    this.#reportClose()
  }

  #reportClose(): void {
    this.#receiver?.onClose(this.#error)
  }
}

function plainAddress(address: string | undefined): string {
  if (address === undefined) return ''
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
}
