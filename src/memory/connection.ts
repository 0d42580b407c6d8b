/** One end of a connection of the in-memory network. */
import { assert } from '../runtime/assert.ts'
import type { Clock, Timer } from '../runtime/clock.ts'
import { NetworkError } from '../runtime/network.ts'
import type { Connection, Receiver } from '../runtime/network.ts'
import type { Random } from '../runtime/random.ts'

/** What all connections of a network share. */
export interface Wire {
  readonly clock: Clock
  readonly random: Random
  readonly latencyMs: number
  readonly splitChunks: boolean
  readonly highWaterBytes: number
  readonly windowBytes: number
  readonly shared: Buffer
  readonly isCut: (from: string, to: string) => boolean
  readonly forget: (connection: MemoryConnection) => void
}

export interface Place {
  readonly host: string
  readonly address: string
  readonly port: number
}

interface Unsent {
  readonly chunk: Uint8Array
  /** How much of it the system has taken. */
  taken: number
  readonly onSent: (() => void) | undefined
}

const lingerMs = 2000
/** What used-up shared memory is filled with: no length, no text, no plausible number. */
const poison = 0xdb

export class MemoryConnection implements Connection {
  readonly host: string
  readonly peerHost: string
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  readonly #wire: Wire
  #peer: MemoryConnection | undefined
  #receiver: Receiver | undefined

  /** Written by the owner and not yet taken by the system. */
  #unsent: Unsent[] = []
  #unsentBytes = 0
  #flushRequested = false
  #needsDrain = false

  /** On the way to us, or here and not yet read; the last may be followed by the end. */
  #incoming: Buffer[] = []
  #incomingBytes = 0
  #incomingEnds = false
  #endReported = false
  #deliveryScheduled = false
  #paused = false

  /** Our own side: asked to end; the end handed to the system; gone. */
  #ending = false
  #ended = false
  #closed = false
  #linger: Timer | undefined

  constructor(wire: Wire, near: Place, far: Place) {
    this.#wire = wire
    this.host = near.host
    this.peerHost = far.host
    this.localAddress = near.address
    this.localPort = near.port
    this.remoteAddress = far.address
    this.remotePort = far.port
  }

  get pendingBytes(): number {
    return this.#unsentBytes
  }

  join(peer: MemoryConnection): void {
    this.#peer = peer
    peer.#peer = this
  }

  start(receiver: Receiver): void {
    assert(this.#receiver === undefined, 'a connection is started once')
    this.#receiver = receiver
    if (this.#closed) this.#wire.clock.schedule(0, () => receiver.onClose())
    else this.wake()
  }

  write(chunk: Uint8Array, onSent?: () => void): boolean {
    if (this.#closed || this.#ending) {
      if (onSent !== undefined) queueMicrotask(onSent)
      return false
    }
    this.#unsent.push({ chunk, taken: 0, onSent })
    this.#unsentBytes += chunk.length
    if (!this.#flushRequested) {
      this.#flushRequested = true
      this.#wire.clock.atEndOfTurn(() => this.#flush())
    }
    const goesOn = this.#unsentBytes < this.#wire.highWaterBytes
    if (!goesOn) this.#needsDrain = true
    return goesOn
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.wake()
  }

  end(): void {
    if (this.#ending || this.#closed) return
    this.#ending = true
    this.#paused = false
    this.#flush()
    this.wake()
    this.#linger = this.#wire.clock.schedule(lingerMs, () => this.destroy())
  }

  destroy(): void {
    if (this.#closed) return
    const peer = this.#peer
    if (this.#incomingBytes > 0) peer?.fail('ECONNRESET')
    else peer?.takeEnd()
    this.#close()
  }

  /** Breaks both ends. */
  fail(code: string): void {
    const peer = this.#peer
    this.#close(code)
    if (peer !== undefined) peer.#close(code)
  }

  /** This end's process is gone: the peer sees a reset, the owner nothing. */
  vanish(): void {
    this.#receiver = undefined
    this.#peer?.fail('ECONNRESET')
    this.#close()
  }

  /** Lets what waits go on, after something that held it back has ended. */
  wake(): void {
    this.#scheduleDelivery()
  }

  /** The peer's system has sent its end. */
  takeEnd(): void {
    this.#incomingEnds = true
    this.#scheduleDelivery()
  }

  #room(): number {
    return this.#wire.windowBytes - this.#incomingBytes
  }

  #take(bytes: Buffer): void {
    if (this.#closed) {
      // What reaches a closed end is answered by a reset.
      this.#wire.clock.schedule(this.#wire.latencyMs, () => this.#peer?.fail('ECONNRESET'))
      return
    }
    this.#incoming.push(bytes)
    this.#incomingBytes += bytes.length
    this.#scheduleDelivery()
  }

  /** Moves what was written to the peer's window, as far as there is room. */
  #flush(): void {
    this.#flushRequested = false
    const peer = this.#peer
    if (this.#closed || peer === undefined) return
    while (this.#unsent[0] !== undefined) {
      const first = this.#unsent[0]
      const end = Math.min(
        first.chunk.length,
        first.taken + (peer.#closed ? Infinity : peer.#room()),
      )
      if (end === first.taken && end < first.chunk.length) break
      peer.#take(Buffer.from(first.chunk.subarray(first.taken, end)))
      this.#unsentBytes -= end - first.taken
      first.taken = end
      if (end < first.chunk.length) break
      this.#unsent.shift()
      if (first.onSent !== undefined) this.#wire.clock.schedule(0, first.onSent)
    }
    if (this.#unsent.length > 0) return
    if (this.#needsDrain) {
      this.#needsDrain = false
      this.#wire.clock.schedule(0, () => this.#receiver?.onDrain?.())
    }
    if (this.#ending && !this.#ended) {
      this.#ended = true
      peer.takeEnd()
      this.#closeWhenBothEnded()
    }
  }

  #scheduleDelivery(): void {
    const waits = this.#incomingBytes > 0 || (this.#incomingEnds && !this.#endReported)
    if (!waits || this.#deliveryScheduled || this.#closed) return
    this.#deliveryScheduled = true
    this.#wire.clock.schedule(this.#wire.latencyMs, () => {
      this.#deliveryScheduled = false
      this.#deliver()
    })
  }

  #deliver(): void {
    const cut = this.#wire.isCut(this.peerHost, this.host)
    if (this.#closed || this.#paused || this.#receiver === undefined || cut) return
    if (this.#incomingBytes > 0) {
      this.#deliverChunk(this.#receiver)
      if (this.#peer !== undefined) this.#peer.#flush()
    } else if (this.#incomingEnds && !this.#endReported) {
      this.#endReported = true
      if (!this.#ending) this.#reportEnd(this.#receiver)
      this.#closeWhenBothEnded()
    }
    this.#scheduleDelivery()
  }

  #deliverChunk(receiver: Receiver): void {
    const target = receiver.target?.()
    const buffer = target ?? this.#wire.shared
    const most = Math.min(buffer.length, this.#incomingBytes)
    const count = this.#wire.splitChunks ? splitAt(this.#wire.random, most) : most
    let filled = 0
    while (filled < count) {
      const first = this.#incoming[0]
      assert(first !== undefined, 'as many bytes as counted')
      const copied = first.copy(buffer, filled, 0, count - filled)
      filled += copied
      if (copied === first.length) this.#incoming.shift()
      else this.#incoming[0] = first.subarray(copied)
    }
    this.#incomingBytes -= count
    if (!this.#ending) receiver.onData(buffer.subarray(0, count))
    if (target === undefined) buffer.fill(poison, 0, count)
  }

  #reportEnd(receiver: Receiver): void {
    if (receiver.onEnd === undefined) this.end()
    else receiver.onEnd()
  }

  #closeWhenBothEnded(): void {
    if (this.#ended && this.#endReported) this.#close()
  }

  #close(code?: string): void {
    if (this.#closed) return
    this.#closed = true
    this.#wire.forget(this)
    this.#linger?.cancel()
    const unsent = this.#unsent
    this.#unsent = []
    this.#unsentBytes = 0
    this.#incoming = []
    this.#incomingBytes = 0
    this.#wire.clock.schedule(0, () => {
      for (const { onSent } of unsent) onSent?.()
      const message = `${code}: ${this.localAddress} from ${this.remoteAddress}`
      this.#receiver?.onClose(code === undefined ? undefined : new NetworkError(code, message))
    })
  }
}

/** Often anywhere, often after a few bytes: that is where headers break. */
function splitAt(random: Random, most: number): number {
  return 1 + random.below(random.below(3) === 0 ? Math.min(most, 8) : most)
}
