import { Produce } from '../kafka/messages/produce.ts'
import { writeResponse } from '../kafka/header.ts'
import type { ByteBudget } from '../runtime/byte-budget.ts'
import type { FramePool } from '../runtime/frame-pool.ts'
import type { Clock, Timer } from '../runtime/clock.ts'
import { Framing, type FrameHandler, type FrameProblem } from '../runtime/framing.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Connection } from '../runtime/network.ts'
import { WireError } from '../wire/errors.ts'
import type { Writer } from '../wire/writer.ts'
import type { AnswerBudget } from './answer-budget.ts'
import type { Dispatcher, Exchange, Peer } from './dispatch.ts'
import {
  closeConnection,
  Deferred,
  noAnswer,
  Parked,
  type AnyBody,
  type AnyReply,
  type Waiting,
} from './handler.ts'
import type { SliceReads } from './slice-records.ts'
import type { Answering, Turn } from './turn.ts'
import type { WriterPool } from './writer-pool.ts'

/** What all connections of a broker share. */
export interface ConnectionParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly turn: Turn
  readonly dispatcher: Dispatcher
  readonly budget: ByteBudget
  readonly answers: AnswerBudget
  readonly sliceReads: SliceReads
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
  /** Undefined: not understood, which ends the connection. */
  readonly exchange: Exchange | undefined
  /** Of the monotonic clock, in milliseconds. */
  readonly arrivedAt: number
  isReady: boolean
  /** Among those that wait. */
  isCounted: boolean
  reply: AnyReply | Deferred<AnyBody>
  waiting: Waiting | undefined
}

/** So many produces of a connection may wait for the disk, or for followers, at a time. */
const producesWaitingMax = 8

/**
 * One client's connection: answers leave in the order of the requests (kafka.md F1), and the next request
 * is looked at only when the answer has been sent and the client reads. Produce alone may follow itself,
 * so that what a producer sends in one go is written, flushed and replicated in one go: its answers are
 * small.
 */
export class ClientConnection implements FrameHandler, Answering {
  readonly #connection: Connection
  readonly #parts: ConnectionParts
  readonly #settings: ConnectionSettings
  readonly #peer: Peer
  readonly #framing: Framing
  readonly #onGone: () => void
  #slots: Slot[] = []
  /** How many of them are not ready. */
  #waiting = 0
  #isSlowReader = false
  /** An answer is encoded, and some of its records are still being read. */
  #isLoading = false
  #isEnding = false
  #isClosed = false
  #hasPeerEnded = false
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
    this.#framing = new RequestFraming(
      connection,
      { clock, budget, pool },
      { limitBytes, slowFrameMs },
      this,
    )
  }

  onFrame(buffer: Buffer, start: number, end: number, isOwned: boolean): void {
    this.#requests += 1
    const arrivedAt = this.#parts.clock.monotonicMs()
    const exchange = this.#parts.dispatcher.dispatch(buffer, start, end, isOwned, this.#peer)
    const slot: Slot = {
      ...{ exchange, arrivedAt, isReady: false, isCounted: false },
      ...{ reply: noAnswer, waiting: undefined },
    }
    this.#slots.push(slot)
    const outcome = exchange === undefined ? closeConnection : exchange.outcome
    if (outcome instanceof Promise) {
      // The dispatcher turned every failure into a reply.
      void outcome.then((reply) => this.#answer(slot, reply))
    } else if (outcome instanceof Parked) {
      slot.waiting = outcome.begin((reply) => this.#answer(slot, reply))
      if (this.#hasPeerEnded && !slot.isReady) slot.waiting.hurry()
    } else this.#answer(slot, outcome)
    if (!slot.isReady) {
      slot.isCounted = true
      this.#waiting += 1
    }
    if (!this.#mayBeFollowed()) this.#framing.hold()
  }

  /** Only the last request can be one that holds the next one back. */
  #mayBeFollowed(): boolean {
    const last = this.#slots.at(-1)
    if (last === undefined) return true
    return last.exchange?.api.key === Produce.key && this.#waiting < producesWaitingMax
  }

  #answer(slot: Slot, reply: AnyReply | Deferred<AnyBody>): void {
    if (slot.isCounted) this.#waiting -= 1
    slot.reply = reply
    slot.isReady = true
    if (!this.#isClosed) this.#parts.turn.owes(this)
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

  /** The client sends nothing more: what waits is answered, so that nothing waits for nobody. */
  onPeerEnd(): void {
    this.#hasPeerEnded = true
    for (const { isReady, waiting } of [...this.#slots]) if (!isReady) waiting?.hurry()
  }

  onClose(): void {
    this.#isClosed = true
    this.#idleTimer.cancel()
    const slots = this.#slots
    this.#slots = []
    for (const { waiting } of slots) waiting?.abandon()
    this.#onGone()
  }

  /** Answers what can be answered now, then ends. */
  end(): void {
    this.#isEnding = true
    this.#framing.hold()
    this.onPeerEnd()
    if (!this.#isClosed) this.#parts.turn.owes(this)
  }

  /** At once. */
  destroy(): void {
    this.#framing.destroy()
  }

  sendAnswers(): void {
    if (this.#isClosed || this.#isLoading) return
    if (this.#slots[0]?.isReady === true) this.#sendReady()
    if (!this.#isLoading) this.#goOn()
  }

  #goOn(): void {
    if (this.#isEnding) this.#connection.end()
    else this.#releaseIfFree()
  }

  #sendReady(): void {
    const { writers, answers, sliceReads } = this.#parts
    const writer = writers.take()
    let loading: Promise<unknown> | undefined
    let sent = 0
    for (const slot of this.#slots) {
      if (!slot.isReady || loading !== undefined) break
      sent += 1
      const isFollowed = this.#encode(writer, slot)
      loading = sliceReads.fill(writer.buffer)
      if (isFollowed) continue
      this.#isEnding = true
      break
    }
    this.#slots.splice(0, sent)
    if (writer.position === 0) {
      writers.give(writer)
      return
    }
    answers.take(writer.position)
    if (loading === undefined) this.#write(writer)
    else void this.#writeAfter(loading, writer)
  }

  /** Reads that fail leave zeroes, and their log offline. */
  async #writeAfter(loading: Promise<unknown>, writer: Writer): Promise<void> {
    this.#isLoading = true
    await loading
    this.#isLoading = false
    this.#write(writer)
    // More may have become ready meanwhile.
    if (!this.#isClosed) this.#parts.turn.owes(this)
  }

  #write(writer: Writer): void {
    const { writers, answers } = this.#parts
    const done = (): void => {
      answers.give(writer.position)
      writers.give(writer)
    }
    if (this.#isClosed) {
      done()
      return
    }
    if (this.#connection.write(writer.bytes(), done)) return
    this.#isSlowReader = true
    this.#framing.hold()
  }

  /** False: nothing may follow on this connection. */
  #encode(writer: Writer, { exchange, arrivedAt, reply: given }: Slot): boolean {
    const reply = given instanceof Deferred ? given.take() : given
    if (reply === noAnswer) return true
    if (reply === closeConnection || exchange === undefined) return false
    const { api, version, correlationId } = exchange
    const start = writer.position
    try {
      writeResponse(writer, api, version, correlationId, reply)
      exchange.meter.answered(reply, this.#parts.clock.monotonicMs() - arrivedAt)
      return true
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      // A bug of ours. Without this answer the others would be taken for it.
      this.#parts.logger.error(`Cannot answer ${api.name} in version ${version}`, error)
      this.#parts.sliceReads.forget()
      writer.position = start
      return false
    }
  }

  #releaseIfFree(): void {
    const isFree = this.#mayBeFollowed() && !this.#isSlowReader && !this.#isEnding
    if (isFree) this.#framing.release()
  }

  /**
   * One look per idle period, however many requests came. As in Kafka, a request that waits longer does
   * not keep its connection: its client may be gone without our knowing, since we do not read from it.
   */
  readonly #checkIdle = (): void => {
    if (this.#requests === this.#requestsAtCheck) {
      this.end()
      return
    }
    this.#requestsAtCheck = this.#requests
    this.#idleTimer = this.#parts.clock.schedule(this.#settings.idleMaxMs, this.#checkIdle)
  }
}

/** Tells the end of a client's input even while a request of it waits. */
class RequestFraming extends Framing {
  readonly #owner: ClientConnection

  constructor(
    connection: Connection,
    ports: ConstructorParameters<typeof Framing>[1],
    settings: ConstructorParameters<typeof Framing>[2],
    owner: ClientConnection,
  ) {
    super(connection, ports, settings, owner)
    this.#owner = owner
  }

  override onEnd(): void {
    this.#owner.onPeerEnd()
    super.onEnd()
  }
}
