/**
 * Size-prefixed frames (int32, big-endian, size of what follows), as Kafka's and ZooKeeper's protocols
 * have them, for servers and clients. Whole frames are handed out in place, where the network put
 * them; the rest of a large split frame is read straight into a buffer of its exact size. Per whole
 * frame nothing is allocated and nothing copied.
 *
 * What a connection can make us hold: one half frame, counted against the budget before it is
 * allocated (small ones excepted, so that a follower's request passes while producers wait for it), and
 * what one read brought in while the owner held the next frame back, after a few small ones.
 */
import { assert } from './assert.ts'
import type { ByteBudget } from './byte-budget.ts'
import type { Clock, Timer } from './clock.ts'
import type { FramePool } from './frame-pool.ts'
import type { Connection, NetworkError, Receiver } from './network.ts'

export interface FramingPorts {
  readonly clock: Clock
  /** Shared by all connections of a listener. */
  readonly budget: ByteBudget
  /**
   * Given, large split frames are received in memory that is used again, and are therefore valid only
   * during the call as well. For servers that are done with a request when onFrame returns.
   */
  readonly pool?: FramePool
}

export interface FramingSettings {
  /** Largest frame (Kafka: socket.request.max.bytes; ZooKeeper: jute.maxbuffer). */
  readonly limitBytes: number
  /**
   * A frame that was begun and is not complete after this long breaks the connection, at the latest
   * after twice as long. Infinity: never.
   */
  readonly slowFrameMs: number
}

export interface FrameHandler {
  /**
   * One frame, without its size: buffer[start, end). The bytes are valid only during the call; where
   * `owned` is true, as long as they are referred to.
   */
  onFrame(buffer: Buffer, start: number, end: number, owned: boolean): void
  /**
   * The input makes no sense any more. What the handler writes here is still sent, then the connection
   * is closed. (ZooKeeper's four-letter words are sizes out of bounds and are answered here.)
   */
  onBroken?(problem: FrameProblem): void
  /** The peer ended its side. Default: end ours too. */
  onEnd?(): void
  onDrain?(): void
  /** After this nothing follows. */
  onClose(error?: NetworkError): void
}

/** oversize and negative: the size that was announced. slow: that of the unfinished frame. */
export interface FrameProblem {
  readonly kind: 'oversize' | 'negative' | 'slow'
  readonly sizeBytes: number
}

const sizeBytes = 4
/** Frames up to here are not counted against the budget: connections x 16 KB bound them. */
const uncountedBytes = 16 * 1024
/** So much, in so many pieces, is taken in behind a held frame before reading pauses. */
const keptBytesMax = 16 * 1024
const keptChunksMax = 16
/** A missing rest up to here is not worth a read of its own: it is copied out of the shared buffer. */
const directReadBytes = 32 * 1024

/** Splits one connection's input into frames. Starts the connection; its owner writes to it as ever. */
export class Framing implements Receiver {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #budget: ByteBudget
  readonly #pool: FramePool | undefined
  readonly #limitBytes: number
  readonly #slowFrameMs: number
  readonly #handler: FrameHandler

  /** The frame under way, when it did not come whole: first its size, then its bytes. */
  #sizeFilled = 0
  #size = 0
  #frame: Buffer | undefined
  #frameFilled = 0
  #countedBytes = 0
  /** What the budget still counts for the frame that is being worked on. */
  #heldBytes = 0

  /** Bytes that came in while they could not be handled, copied; #keptAt is the first not yet handled. */
  #kept: Buffer | undefined
  #keptAt = 0
  #keptChunks = 0
  #held = false
  #parsing = false
  #awaitsBudget = false
  #stopped = false
  #paused = false
  #ended = false

  /** Number of frames finished, and what it was when the slow-frame timer was set. */
  #finished = 0
  #watched = -1
  #timer: Timer | undefined

  constructor(
    connection: Connection,
    ports: FramingPorts,
    settings: FramingSettings,
    handler: FrameHandler,
  ) {
    this.#connection = connection
    this.#clock = ports.clock
    this.#budget = ports.budget
    this.#pool = ports.pool
    this.#limitBytes = settings.limitBytes
    this.#slowFrameMs = settings.slowFrameMs
    this.#handler = handler
    connection.start(this)
  }

  /**
   * No further frame until `release`: one request in flight. Usually called in onFrame; then an owned
   * frame stays counted against the budget until `release` or `dropFrame`.
   */
  hold(): void {
    this.#held = true
  }

  /** The bytes of the frame that is being worked on are not needed any more, though work goes on. */
  dropFrame(): void {
    const bytes = this.#heldBytes
    this.#heldBytes = 0
    if (bytes > 0) this.#budget.give(bytes)
  }

  /** Frames flow again; those that are already here are handed out during the call. */
  release(): void {
    if (!this.#held) return
    this.#held = false
    if (this.#parsing) return
    this.dropFrame()
    this.#continue()
  }

  /** Closes the connection at once; no further frame. */
  destroy(): void {
    this.#stop()
    this.#connection.destroy()
  }

  onData(chunk: Buffer): void {
    if (this.#stopped) return
    if (this.#held || this.#awaitsBudget || this.#kept !== undefined) {
      this.#keep(chunk, 0)
      return
    }
    const frame = this.#frame
    // Read into our own target: nothing to copy.
    if (
      frame?.buffer === chunk.buffer &&
      chunk.byteOffset === frame.byteOffset + this.#frameFilled
    ) {
      this.#frameFilled += chunk.length
      if (this.#frameFilled === this.#size) this.#handOutOwn(frame)
      return
    }
    const end = this.#parse(chunk, 0, false)
    if (end < chunk.length) this.#keep(chunk, end)
  }

  target(): Buffer | undefined {
    const frame = this.#frame
    if (frame === undefined || this.#size - this.#frameFilled < directReadBytes) return undefined
    // What was kept comes first.
    return this.#kept === undefined ? frame.subarray(this.#frameFilled) : undefined
  }

  onEnd(): void {
    if (this.#stopped) return
    // The peer still wants its answer.
    if (this.#held) this.#ended = true
    else this.#reportEnd()
  }

  #reportEnd(): void {
    if (this.#handler.onEnd === undefined) this.#connection.end()
    else this.#handler.onEnd()
  }

  onDrain(): void {
    this.#handler.onDrain?.()
  }

  onClose(error?: NetworkError): void {
    this.#stop()
    this.#handler.onClose(error)
  }

  /** Handles buffer[start, …) as far as it may; returns where it stopped. */
  #parse(buffer: Buffer, start: number, owned: boolean): number {
    let at = start
    const end = buffer.length
    this.#parsing = true
    while (at < end && !this.#held && !this.#awaitsBudget && !this.#stopped) {
      if (this.#frame !== undefined) {
        at = this.#fill(this.#frame, buffer, at)
      } else if (this.#sizeFilled > 0 || end - at < sizeBytes) {
        at = this.#takeSizeByte(buffer, at)
      } else {
        const size = buffer.readInt32BE(at)
        const frameStart = at + sizeBytes
        const frameEnd = frameStart + size
        if (size >= 0 && size <= this.#limitBytes && frameEnd <= end) {
          this.#finished += 1
          at = frameEnd
          this.#handler.onFrame(buffer, frameStart, frameEnd, owned)
        } else {
          at = frameStart
          this.#begin(size)
        }
      }
    }
    this.#parsing = false
    return this.#stopped ? end : at
  }

  /** A size that is itself split over two reads. */
  #takeSizeByte(buffer: Buffer, at: number): number {
    this.#size = this.#sizeFilled === 0 ? 0 : this.#size
    this.#size = (this.#size << 8) | (buffer[at] ?? 0)
    this.#sizeFilled += 1
    if (this.#sizeFilled === sizeBytes) {
      this.#sizeFilled = 0
      this.#begin(this.#size)
    } else {
      this.#watch()
    }
    return at + 1
  }

  /** A frame of which only the size, or less than all, is here. */
  #begin(size: number): void {
    if (size < 0 || size > this.#limitBytes) {
      this.#break({ kind: size < 0 ? 'negative' : 'oversize', sizeBytes: size })
      return
    }
    this.#size = size
    this.#frameFilled = 0
    if (size > uncountedBytes) {
      if (!this.#budget.tryTake(size)) {
        this.#awaitsBudget = true
        this.#budget.wait(this.#budgetLeft)
        return
      }
      this.#countedBytes = size
    }
    this.#frame = this.#pool?.take(size) ?? Buffer.allocUnsafe(size)
    this.#watch()
    if (size === 0) this.#handOutOwn(this.#frame)
  }

  readonly #budgetLeft = (): void => {
    this.#awaitsBudget = false
    // The time spent waiting was ours, not the peer's.
    this.#watched = -1
    this.#begin(this.#size)
    if (!this.#awaitsBudget && !this.#held && !this.#parsing) this.#continue()
  }

  #fill(frame: Buffer, buffer: Buffer, at: number): number {
    const copied = buffer.copy(frame, this.#frameFilled, at)
    this.#frameFilled += copied
    if (this.#frameFilled === this.#size) this.#handOutOwn(frame)
    return at + copied
  }

  #handOutOwn(frame: Buffer): void {
    this.#frame = undefined
    this.#finished += 1
    this.#heldBytes = this.#countedBytes
    this.#countedBytes = 0
    const nested = this.#parsing
    this.#parsing = true
    const pooled = this.#pool?.owns(frame) ?? false
    this.#handler.onFrame(frame, 0, frame.length, !pooled)
    this.#parsing = nested
    if (pooled) this.#pool?.giveBack(frame)
    if (pooled || !this.#held || this.#stopped) this.dropFrame()
  }

  #keep(chunk: Buffer, start: number): void {
    const rest = chunk.subarray(start)
    const before = this.#kept?.subarray(this.#keptAt)
    this.#kept = before === undefined ? Buffer.from(rest) : Buffer.concat([before, rest])
    this.#keptAt = 0
    this.#keptChunks += 1
    // While we read, we hear of the peer's end: whatever is held back for it need not wait any longer.
    const isLittle = this.#kept.length <= keptBytesMax && this.#keptChunks <= keptChunksMax
    if (this.#paused || (isLittle && !this.#awaitsBudget)) return
    this.#paused = true
    this.#connection.pause()
  }

  #continue(): void {
    const kept = this.#kept
    if (kept !== undefined) {
      const at = this.#parse(kept, this.#keptAt, true)
      // Stopped, or held again; what is left stays where it is.
      if (this.#stopped) return
      this.#keptAt = at
      if (at < kept.length) return
      this.#kept = undefined
      this.#keptChunks = 0
    }
    if (this.#held || this.#awaitsBudget) return
    if (this.#paused) {
      this.#paused = false
      this.#connection.resume()
    }
    if (this.#ended) this.#reportEnd()
  }

  #break(problem: FrameProblem): void {
    this.#stop()
    this.#handler.onBroken?.(problem)
    this.#connection.end()
  }

  #stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#timer?.cancel()
    // The network may still read into it what nobody wants any more: it must not serve another.
    if (this.#frame !== undefined) this.#pool?.abandon(this.#frame)
    this.#frame = undefined
    this.#kept = undefined
    if (this.#awaitsBudget) this.#budget.stopWaiting(this.#budgetLeft)
    const counted = this.#countedBytes + this.#heldBytes
    this.#countedBytes = 0
    this.#heldBytes = 0
    if (counted > 0) this.#budget.give(counted)
  }

  /** One timer per connection and period, not one per frame: what it costs does not grow with traffic. */
  #watch(): void {
    if (this.#timer !== undefined || this.#slowFrameMs === Infinity) return
    this.#watched = this.#finished
    this.#timer = this.#clock.schedule(this.#slowFrameMs, this.#judge)
  }

  readonly #judge = (): void => {
    assert(!this.#stopped, 'a stopped connection has no timer')
    this.#timer = undefined
    if (this.#frame === undefined && this.#sizeFilled === 0 && !this.#awaitsBudget) return
    // While we ourselves keep the connection waiting, its peer cannot go on.
    const ownDelay = this.#paused || this.#held
    if (!ownDelay && this.#watched === this.#finished) {
      this.#break({ kind: 'slow', sizeBytes: this.#sizeFilled > 0 ? 0 : this.#size })
      return
    }
    this.#watch()
    if (ownDelay) this.#watched = -1
  }
}
