import { writeResponse } from '../kafka/header.ts'
import type { ByteBudget } from '../runtime/byte-budget.ts'
import type { FramePool } from '../runtime/frame-pool.ts'
import type { Clock, Timer } from '../runtime/clock.ts'
import { Framing, type FrameHandler, type FrameProblem } from '../runtime/framing.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Connection } from '../runtime/network.ts'
import { WireError } from '../wire/errors.ts'
import type { Writer } from '../wire/writer.ts'
import type { Dispatcher, Exchange, Peer } from './dispatch.ts'
import { closeConnection, Deferred, noAnswer, type AnyBody, type AnyReply } from './handler.ts'
import type { Answering, Turn } from './turn.ts'
import type { WriterPool } from './writer-pool.ts'

/** What all connections of a broker share. */
export interface ConnectionParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly turn: Turn
  readonly dispatcher: Dispatcher
  readonly budget: ByteBudget
  readonly pool: FramePool
  readonly writers: WriterPool
}

export interface ConnectionSettings {
  readonly requestMaxBytes: number
  readonly slowFrameMs: number
  readonly idleMaxMs: number
}

/** A request in the order of its arrival; ready when its reply may be sent. */
interface Slot {
  readonly exchange: Exchange
  isReady: boolean
  reply: AnyReply | Deferred<AnyBody>
}

/**
 * One client's connection: answers leave in the order of the requests (kafka.md F1). While a request
 * waits (a parked fetch), or the client does not read its answers, the next one is not looked at.
 */
export class ClientConnection implements FrameHandler, Answering {
  readonly #connection: Connection
  readonly #parts: ConnectionParts
  readonly #settings: ConnectionSettings
  readonly #peer: Peer
  readonly #framing: Framing
  readonly #onGone: () => void
  readonly #slots: Slot[] = []
  #isWaiting = false
  #isSlowReader = false
  #isClosed = false
  #requests = 0
  #requestsAtCheck = 0
  #idleTimer: Timer

  constructor(
    connection: Connection,
    listener: string,
    parts: ConnectionParts,
    settings: ConnectionSettings,
    onGone: () => void,
  ) {
    this.#connection = connection
    this.#parts = parts
    this.#settings = settings
    this.#onGone = onGone
    this.#peer = { clientAddress: connection.remoteAddress, listener }
    this.#idleTimer = parts.clock.schedule(settings.idleMaxMs, this.#checkIdle)
    const { clock, budget, pool } = parts
    const { requestMaxBytes: limitBytes, slowFrameMs } = settings
    this.#framing = new Framing(
      connection,
      { clock, budget, pool },
      { limitBytes, slowFrameMs },
      this,
    )
  }

  onFrame(buffer: Buffer, start: number, end: number, isOwned: boolean): void {
    this.#requests += 1
    const exchange = this.#parts.dispatcher.dispatch(buffer, start, end, isOwned, this.#peer)
    if (exchange === undefined) {
      this.close()
      return
    }
    const { outcome } = exchange
    if (!(outcome instanceof Promise)) {
      this.#slots.push({ exchange, isReady: true, reply: outcome })
      this.#parts.turn.owes(this)
      return
    }
    const slot: Slot = { exchange, isReady: false, reply: noAnswer }
    this.#slots.push(slot)
    this.#isWaiting = true
    this.#framing.hold()
    // The dispatcher turned every failure into a reply.
    void outcome.then((reply) => {
      slot.reply = reply
      slot.isReady = true
      this.#isWaiting = false
      if (this.#isClosed) return
      this.#parts.turn.owes(this)
      this.#releaseIfFree()
    })
  }

  onBroken(problem: FrameProblem): void {
    this.#parts.logger.warn(
      `Closing ${this.#peer.clientAddress}: ${problem.kind} request of ${problem.sizeBytes} bytes`,
    )
  }

  onDrain(): void {
    this.#isSlowReader = false
    this.#releaseIfFree()
  }

  onClose(): void {
    this.#isClosed = true
    this.#idleTimer.cancel()
    this.#slots.length = 0
    this.#onGone()
  }

  close(): void {
    this.#framing.destroy()
  }

  sendAnswers(): void {
    if (this.#isClosed || this.#slots[0]?.isReady !== true) return
    const writer = this.#parts.writers.take()
    let isLast = false
    let sent = 0
    for (const slot of this.#slots) {
      if (!slot.isReady || isLast) break
      sent += 1
      const reply = slot.reply instanceof Deferred ? slot.reply.take() : slot.reply
      if (reply === closeConnection) isLast = true
      else if (reply !== noAnswer) isLast = !this.#write(writer, slot.exchange, reply)
    }
    this.#slots.splice(0, sent)
    if (writer.position > 0) {
      const isTaken = this.#connection.write(writer.bytes(), () => this.#parts.writers.give(writer))
      if (!isTaken) {
        this.#isSlowReader = true
        this.#framing.hold()
      }
    } else this.#parts.writers.give(writer)
    if (isLast) this.#connection.end()
  }

  /** False: the answer cannot be written, which is a bug of ours; the connection cannot go on. */
  #write(writer: Writer, exchange: Exchange, reply: AnyBody): boolean {
    const { api, version, correlationId } = exchange
    const start = writer.position
    try {
      writeResponse(writer, api, version, correlationId, reply)
      return true
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.#parts.logger.error(`Cannot answer ${api.name} in version ${version}`, error)
      writer.position = start
      return false
    }
  }

  #releaseIfFree(): void {
    if (!this.#isWaiting && !this.#isSlowReader) this.#framing.release()
  }

  /** One look per idle period, however many requests came. */
  readonly #checkIdle = (): void => {
    const isIdle = this.#requests === this.#requestsAtCheck && !this.#isWaiting
    if (isIdle) {
      this.#connection.end()
      return
    }
    this.#requestsAtCheck = this.#requests
    this.#idleTimer = this.#parts.clock.schedule(this.#settings.idleMaxMs, this.#checkIdle)
  }
}
