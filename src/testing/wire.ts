/**
 * One end of a connection, as its process has it: silent while the process is paused, gone when it dies,
 * and with either direction held up while that is cut.
 */
import type { Life } from '../memory/life.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Connection, NetworkError, Receiver } from '../runtime/network.ts'

export interface WireWays {
  /** What is sent does not arrive. */
  readonly isOutCut: () => boolean
  /** What the other end sends does not arrive. */
  readonly isInCut: () => boolean
  readonly onGone: () => void
}

/** With more than this held up, `write` says that it is enough. */
const highWaterBytes = 1024 * 1024

interface HeldWrite {
  readonly chunk: Uint8Array
  readonly onSent: (() => void) | undefined
}

export class Wire implements Connection {
  readonly inner: Connection
  readonly life: Life
  readonly #clock: Clock
  readonly #ways: WireWays
  #receiver: Receiver | undefined
  /** Held up on its way out; 'end' is the last. */
  readonly #out: (HeldWrite | 'end')[] = []
  #outBytes = 0
  readonly #in: (() => void)[] = []
  #isPaused = false
  #isReading = true
  /** The owner has no part in it any more; the other end may not know yet. */
  #isForsaken = false
  #isGone = false

  constructor(inner: Connection, life: Life, clock: Clock, ways: WireWays) {
    this.inner = inner
    this.life = life
    this.#clock = clock
    this.#ways = ways
  }

  get remoteAddress(): string {
    return this.inner.remoteAddress
  }

  get remotePort(): number {
    return this.inner.remotePort
  }

  get localAddress(): string {
    return this.inner.localAddress
  }

  get localPort(): number {
    return this.inner.localPort
  }

  get pendingBytes(): number {
    return this.inner.pendingBytes + this.#outBytes
  }

  start(receiver: Receiver): void {
    this.#receiver = receiver
    this.inner.start({
      // No target: bytes that wait are copies.
      onData: (chunk) => {
        // A read that was under way when reading stopped brings what comes now.
        const isHeld = this.#isPaused || this.#ways.isInCut() || this.#in.length > 0
        const bytes = isHeld || this.life.frozen ? Buffer.from(chunk) : chunk
        if (isHeld && !this.#isForsaken) this.#in.push(() => receiver.onData(bytes))
        else this.#arrive(() => receiver.onData(bytes))
      },
      onEnd: () =>
        this.#arrive(() => {
          if (receiver.onEnd === undefined) this.end()
          else receiver.onEnd()
        }),
      onDrain: () => this.life.run(() => receiver.onDrain?.()),
      onClose: (error) => this.#closed(error),
    })
    this.update()
  }

  write(chunk: Uint8Array, onSent?: () => void): boolean {
    const sent = onSent && (() => this.life.run(onSent))
    if (this.#isForsaken || this.#isGone) {
      if (sent !== undefined) this.#clock.atEndOfTurn(sent)
      return true
    }
    if (this.#out.length === 0 && !this.#ways.isOutCut()) return this.inner.write(chunk, sent)
    this.#out.push({ chunk, onSent: sent })
    this.#outBytes += chunk.length
    return this.#outBytes < highWaterBytes
  }

  pause(): void {
    this.#isPaused = true
    this.update()
  }

  resume(): void {
    this.#isPaused = false
    if (this.#in.length === 0) this.update()
    else this.#clock.atEndOfTurn(() => this.update())
  }

  end(): void {
    if (this.#out.length === 0 && !this.#ways.isOutCut()) this.inner.end()
    else this.#out.push('end')
  }

  destroy(): void {
    if (this.#isForsaken || this.#isGone) return
    this.#forsake()
    const receiver = this.#receiver
    this.#clock.atEndOfTurn(() => this.life.run(() => receiver?.onClose()))
  }

  /** The process, or a way, has changed. */
  update(): void {
    if (!this.life.alive && !this.#isForsaken) this.#forsake()
    if (this.#isForsaken) {
      // The end of a connection has to pass as everything else has.
      if (!this.#ways.isOutCut()) this.inner.destroy()
      return
    }
    if (!this.#ways.isOutCut()) this.#sendHeld()
    while (this.#in.length > 0 && !this.#isPaused && !this.#ways.isInCut()) {
      const arrive = this.#in.shift()
      if (arrive !== undefined) this.life.run(arrive)
    }
    if (this.#isGone && this.#in.length === 0) this.#ways.onGone()
    if (this.#isGone || this.#receiver === undefined) return
    const isReading = !this.#isPaused && !this.life.frozen && !this.#ways.isInCut()
    if (isReading === this.#isReading) return
    this.#isReading = isReading
    if (isReading) this.inner.resume()
    else this.inner.pause()
  }

  /** Ends at once, whatever is cut. */
  drop(): void {
    this.#isForsaken = true
    this.inner.destroy()
  }

  #arrive(action: () => void): void {
    if (this.#isForsaken) return
    if (this.#ways.isInCut() || this.#in.length > 0) this.#in.push(action)
    else this.life.run(action)
  }

  #sendHeld(): void {
    for (const held of this.#out.splice(0)) {
      if (held === 'end') this.inner.end()
      else this.inner.write(held.chunk, held.onSent)
    }
    if (this.#outBytes === 0) return
    this.#outBytes = 0
    const receiver = this.#receiver
    this.#clock.atEndOfTurn(() => this.life.run(() => receiver?.onDrain?.()))
  }

  #forsake(): void {
    this.#isForsaken = true
    if (this.#receiver === undefined) this.start({ onData() {}, onClose() {} })
    for (const held of this.#out.splice(0))
      if (held !== 'end' && held.onSent !== undefined) this.#clock.atEndOfTurn(held.onSent)
    this.#outBytes = 0
    this.#in.length = 0
    if (this.#isGone) this.#ways.onGone()
    else if (this.#ways.isOutCut()) this.inner.pause()
    else this.inner.destroy()
  }

  #closed(error: NetworkError | undefined): void {
    this.#isGone = true
    this.#arrive(() => this.#receiver?.onClose(error))
    // What is held up has to be found when the way is whole.
    if (this.#isForsaken || this.#in.length === 0) this.#ways.onGone()
  }
}
