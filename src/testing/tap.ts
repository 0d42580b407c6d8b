/**
 * A client's connection with a tap on it: requests go to the broker one whole frame at a time, answers
 * come back the same way, and faults act between. What nothing is done to passes unchanged.
 */
import type { Clock, Timer } from '../runtime/clock.ts'
import type { Connection, NetworkError, Receiver } from '../runtime/network.ts'
import { refusalFrame } from './error-answers.ts'
import { apiOf, type FaultAction, type Faults, type Passing, type Strike } from './faults.ts'
import { FrameSplitter, isAnswered, requestBody, requestHeader } from './frames.ts'
import { Members } from './members.ts'
import type { TopicNames } from './topic-names.ts'

/** Requests of this client are the cluster's own and meet no faults. */
export const ownClientId = 'millrace-testing'

const fetchKey = 1
const metadataKey = 3

export interface TapParts {
  readonly clock: Clock
  readonly faults: Faults
  readonly topicNames: TopicNames
  /** The broker whose connections these are. */
  readonly broker: number
  /** The broker at the other end; undefined: a client. Known once it has sent something. */
  readonly caller: () => unknown
}

/** A request whose answer has not left yet. */
interface Owed {
  readonly correlationId: number
  /** What is known of the request where its answer will be looked at. */
  readonly passing: Passing | undefined
  readonly strike: Strike | undefined
  /** Whole, for a request that the broker never saw. */
  readonly refusal: Buffer | undefined
}

/** Work on one direction in its order; a delay holds back what comes after. */
class Lane {
  readonly #clock: Clock
  readonly #waiting: (() => Strike | undefined)[] = []
  #timer: Timer | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get isBusy(): boolean {
    return this.#timer !== undefined
  }

  push(step: () => void): void {
    this.pushStruck(undefined, step)
  }

  /** With a delay, `step` runs when it is over, and everything pushed later after it. */
  pushStruck(strike: Strike | undefined, step: () => void): void {
    const delayMs = strike?.delayMs ?? 0
    if (delayMs > 0) this.#waiting.push(() => strike)
    this.#waiting.push(() => {
      step()
      return undefined
    })
    this.#run()
  }

  clear(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#waiting.length = 0
  }

  #run(): void {
    while (this.#timer === undefined) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      const strike = next()
      if (strike === undefined) continue
      this.#timer = this.#clock.schedule(strike.delayMs, () => {
        this.#timer = undefined
        this.#run()
      })
    }
  }
}

export class TappedConnection implements Connection {
  readonly members = new Members()
  readonly #inner: Connection
  readonly #parts: TapParts
  readonly #onGone: (gone: TappedConnection) => void
  readonly #requests = new FrameSplitter()
  readonly #answers = new FrameSplitter()
  readonly #inLane: Lane
  readonly #outLane: Lane
  readonly #owed: Owed[] = []
  #receiver: Receiver | undefined
  #isClosed = false
  /** Requests are not heard any more. */
  #isDeaf = false
  /** Answers are not sent any more. */
  #isMute = false
  #hasRoom = true
  #from: Passing['from'] | undefined
  #isFollower = false
  readonly #fetchWaiters: (() => void)[] = []

  constructor(inner: Connection, parts: TapParts, onGone: (gone: TappedConnection) => void) {
    this.#inner = inner
    this.#parts = parts
    this.#onGone = onGone
    this.#inLane = new Lane(parts.clock)
    this.#outLane = new Lane(parts.clock)
    inner.start({
      onData: (chunk) => this.#onData(chunk),
      onEnd: () => this.#inLane.push(() => this.#onEnd()),
      onDrain: () => {
        this.#hasRoom = true
        this.#receiver?.onDrain?.()
      },
      onClose: (error) => this.#onClose(error),
    })
    // Nobody to hand requests to yet: a broker that is starting again takes over later.
    inner.pause()
  }

  get remoteAddress(): string {
    return this.#inner.remoteAddress
  }

  get remotePort(): number {
    return this.#inner.remotePort
  }

  get localAddress(): string {
    return this.#inner.localAddress
  }

  get localPort(): number {
    return this.#inner.localPort
  }

  get pendingBytes(): number {
    return this.#inner.pendingBytes
  }

  start(receiver: Receiver): void {
    this.#receiver = receiver
    if (this.#isClosed) receiver.onClose()
    else this.#inner.resume()
  }

  write(chunk: Uint8Array, onSent?: () => void): boolean {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const frames = this.#answers.push(bytes)
    const isPlain = !this.#isMute && !this.#outLane.isBusy && this.#owed.every(isUntouched)
    if (isPlain && isWhole(frames, bytes)) {
      for (const frame of frames) this.#look(frame)
      this.#hasRoom = this.#inner.write(chunk, onSent)
      return this.#hasRoom
    }
    // The writer may use its buffer again as soon as it is told that the bytes have left.
    for (const frame of frames) this.#answer(Buffer.from(frame))
    if (onSent !== undefined) this.#parts.clock.atEndOfTurn(onSent)
    return this.#hasRoom
  }

  pause(): void {
    this.#inner.pause()
  }

  resume(): void {
    this.#inner.resume()
  }

  end(): void {
    this.#outLane.push(() => this.#inner.end())
  }

  destroy(): void {
    this.#clear()
    this.#inner.destroy()
  }

  // From the client

  #onData(chunk: Buffer): void {
    for (const frame of this.#requests.push(chunk)) {
      if (this.#isDeaf) return
      if (this.#requests.isBroken) {
        const rest = Buffer.from(frame)
        this.#inLane.push(() => this.#receiver?.onData(rest))
      } else this.#request(frame)
    }
  }

  #request(frame: Buffer): void {
    const header = requestHeader(frame)
    const api = header && apiOf(header)
    if (header === undefined || api === undefined) {
      this.#deliver(frame, undefined)
      return
    }
    this.#from ??= this.#parts.caller() === undefined ? 'clients' : 'brokers'
    const from = this.#from
    if (from === 'brokers' && api.key === fetchKey) this.#followerFetched()
    const passing = { api, header, frame, broker: this.#parts.broker, from }
    const isOwn = header.clientId === ownClientId
    const strike = isOwn ? undefined : this.#parts.faults.pick(passing, 'request')
    if (!isOwn && this.members.cares(header)) this.members.hearRequest(frame, header)
    if (strike === undefined) {
      this.#deliver(frame, passing)
      return
    }
    const kept = { ...passing, frame: Buffer.from(frame) }
    strike.struck()
    this.#inLane.pushStruck(strike, () => this.#strikeRequest(kept, strike.action))
  }

  /** In its turn; a frame that must wait is copied out of the buffer that all connections share. */
  #deliver(frame: Buffer, passing: Passing | undefined): void {
    const isOwn = passing?.header.clientId === ownClientId
    if (!this.#inLane.isBusy) {
      this.#hand(frame, passing, isOwn)
      return
    }
    const copy = Buffer.from(frame)
    const kept = passing && { ...passing, frame: copy }
    this.#inLane.push(() => this.#hand(copy, kept, isOwn))
  }

  #hand(frame: Buffer, passing: Passing | undefined, isOwn: boolean): void {
    if (this.#isDeaf) return
    if (passing !== undefined && isAnswered(frame, passing.header)) {
      const { api, header } = passing
      const strike = isOwn ? undefined : this.#parts.faults.pick(passing, 'answer')
      const isRead = strike !== undefined || api.key === metadataKey || this.members.cares(header)
      const kept = isRead ? { ...passing, frame: Buffer.from(frame) } : undefined
      const { correlationId } = header
      this.#owed.push({ correlationId, passing: kept, strike, refusal: undefined })
    }
    this.#receiver?.onData(frame)
  }

  #strikeRequest(passing: Passing, action: FaultAction): void {
    if (this.#isDeaf) return
    const { header, frame } = passing
    switch (action.type) {
      case 'pass':
        this.#hand(frame, passing, false)
        return
      case 'drop':
        this.#isDeaf = true
        return
      case 'close':
        this.destroy()
        return
      case 'error': {
        const refusal = refusalOf(passing, action.errorCode)
        // A refused Produce with acks 0 has no answer: the original closes the connection instead.
        if (refusal === undefined || !isAnswered(frame, header)) {
          this.destroy()
          return
        }
        const { correlationId } = header
        this.#owed.push({ correlationId, passing: undefined, strike: undefined, refusal })
        this.#sendRefusals()
      }
    }
  }

  #onEnd(): void {
    if (this.#receiver?.onEnd === undefined) this.end()
    else this.#receiver.onEnd()
  }

  /** Resolves at the next fetch of a follower that has one here; at once where nobody follows. */
  nextFollowerFetch(): Promise<void> {
    if (!this.#isFollower || this.#isClosed) return Promise.resolve()
    return new Promise((resolve) => {
      this.#fetchWaiters.push(resolve)
    })
  }

  #followerFetched(): void {
    this.#isFollower = true
    for (const resolve of this.#fetchWaiters.splice(0)) resolve()
  }

  #onClose(error: NetworkError | undefined): void {
    this.#isClosed = true
    for (const resolve of this.#fetchWaiters.splice(0)) resolve()
    this.#clear()
    this.#onGone(this)
    this.#receiver?.onClose(error)
  }

  // From the broker

  /** Takes the request that a frame answers off the list, and learns from the answer. */
  #look(frame: Buffer): Owed | undefined {
    const correlationId = frame.length >= 8 ? frame.readInt32BE(4) : -1
    const [head] = this.#owed
    if (head === undefined || head.correlationId !== correlationId) return undefined
    this.#owed.shift()
    const { passing } = head
    if (passing === undefined) return head
    const { api, header } = passing
    if (api.key === metadataKey) this.#parts.topicNames.learn(frame, header.apiVersion)
    if (header.clientId !== ownClientId) this.members.hearAnswer(frame, passing.frame, header)
    return head
  }

  #answer(frame: Buffer): void {
    const owed = this.#look(frame)
    const strike = owed?.strike
    if (!this.#isMute) strike?.struck()
    this.#outLane.pushStruck(strike, () => this.#sendAnswer(frame, owed))
    this.#sendRefusals()
  }

  #sendAnswer(frame: Buffer, owed: Owed | undefined): void {
    if (this.#isMute) return
    const action = owed?.strike?.action
    if (action?.type === 'drop') this.#isMute = true
    else if (action?.type === 'close') this.destroy()
    else if (action?.type === 'error' && owed?.passing !== undefined) {
      const refusal = refusalOf(owed.passing, action.errorCode)
      if (refusal === undefined) this.destroy()
      else this.#hasRoom = this.#inner.write(refusal)
    } else this.#hasRoom = this.#inner.write(frame)
  }

  /** Refusals leave when all that was asked before them has been answered. */
  #sendRefusals(): void {
    for (let head = this.#owed[0]; head?.refusal !== undefined; head = this.#owed[0]) {
      const { refusal } = head
      this.#owed.shift()
      this.#outLane.push(() => {
        if (!this.#isMute) this.#hasRoom = this.#inner.write(refusal)
      })
    }
  }

  #clear(): void {
    this.#inLane.clear()
    this.#outLane.clear()
    this.#owed.length = 0
  }
}

function isUntouched({ strike, refusal }: Owed): boolean {
  return strike === undefined && refusal === undefined
}

/** Whether the frames are just what came in this chunk. */
function isWhole(frames: readonly Buffer[], chunk: Buffer): boolean {
  const [first] = frames
  const length = frames.reduce((sum, frame) => sum + frame.length, 0)
  return first?.buffer === chunk.buffer && length === chunk.length
}

function refusalOf({ api, header, frame }: Passing, errorCode: number): Buffer | undefined {
  const body = requestBody(api, frame, header)
  if (body === undefined) return undefined
  const { apiVersion, correlationId } = header
  return refusalFrame(api, body, { apiVersion, correlationId, errorCode })
}
