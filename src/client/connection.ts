// One connection to one broker: version negotiation, pipelined requests, answers in order,
// time-outs. It knows nothing of metadata or retries, so that brokers use it among themselves too.
import { Errors } from '../kafka/errors.ts'
import { decodeResponse, encodeRequest } from '../kafka/header.ts'
import { ApiVersions } from '../kafka/messages/api-versions.ts'
import type { Timer } from '../runtime/clock.ts'
import type { Connection } from '../runtime/network.ts'
import type { Ports } from '../runtime/service.ts'
import type { AnyApi, RequestInputOf, ResponseOf } from '../wire/schema.ts'
import { brokerError, clientError, KafkaError } from './errors.ts'
import { AnswerFrames } from './frames.ts'
import { commonVersion, type SpokenRange, unsupported, type VersionTable } from './versions.ts'

export interface BrokerConnectionSettings {
  readonly host: string
  readonly port: number
  readonly clientId: string | null
  readonly requestTimeoutMs: number
  readonly connectTimeoutMs?: number
  /** Larger answers end the connection. Default 256 MiB. */
  readonly answerBytesMax?: number
  /** Ask for the broker's versions first. Default true; else any version may be sent. */
  readonly negotiate?: boolean
}

interface InFlight {
  readonly correlationId: number
  readonly api: AnyApi
  readonly version: number
  readonly deadlineMs: number
  readonly resolve: (body: unknown) => void
  readonly reject: (error: KafkaError) => void
}

type Phase = 'idle' | 'connecting' | 'open' | 'closed'

/** Told to brokers in ApiVersions v3 and newer (KIP-511). */
const software = { clientSoftwareName: 'millrace', clientSoftwareVersion: '0.1.0' }

export class BrokerConnection {
  readonly address: string
  readonly #ports: Pick<Ports, 'clock' | 'network'>
  readonly #settings: BrokerConnectionSettings
  readonly #frames: AnswerFrames
  readonly #inFlight: InFlight[] = []
  readonly #closeListeners: ((error: KafkaError | undefined) => void)[] = []
  readonly #drainWaiters: (() => void)[] = []
  #phase: Phase = 'idle'
  #socket: Connection | undefined
  #versions: VersionTable = new Map()
  #correlationId = 0
  #timer: Timer | undefined
  #timerAtMs = Infinity

  constructor(ports: Pick<Ports, 'clock' | 'network'>, settings: BrokerConnectionSettings) {
    this.#ports = ports
    this.#settings = settings
    this.address = `${settings.host}:${settings.port}`
    this.#frames = new AnswerFrames(settings.answerBytesMax ?? 0x10000000, (frame) =>
      this.#onFrame(frame),
    )
  }

  get isOpen(): boolean {
    return this.#phase === 'open'
  }

  /** Requests without an answer yet. */
  get inFlight(): number {
    return this.#inFlight.length
  }

  /** Bytes written that the operating system has not taken yet. */
  get pendingBytes(): number {
    return this.#socket?.pendingBytes ?? 0
  }

  /** Runs once when the connection is gone; at once if it is already. */
  onClose(listener: (error: KafkaError | undefined) => void): void {
    if (this.#phase === 'closed') listener(undefined)
    else this.#closeListeners.push(listener)
  }

  /** Connects and negotiates. Called once. @throws KafkaError */
  async connect(): Promise<void> {
    this.#phase = 'connecting'
    const { host, port } = this.#settings
    const timeoutMs = this.#settings.connectTimeoutMs ?? this.#settings.requestTimeoutMs
    try {
      const socket = await this.#ports.network.connect({ host, port, timeoutMs })
      if (this.#hasClosed()) {
        socket.destroy()
        throw clientError('CLIENT_CLOSED', `connection to ${this.address} closed`)
      }
      this.#socket = socket
      socket.start({
        onData: (chunk) => this.#onData(chunk),
        target: () => this.#frames.target(),
        onDrain: () => this.#onDrain(),
        onClose: (error) => this.#lose(`connection to ${this.address} lost`, error),
      })
      if (this.#settings.negotiate !== false) this.#versions = await this.#negotiate()
      if (this.#hasClosed()) throw clientError('CONNECTION_LOST', `connection to ${this.address}`)
      this.#phase = 'open'
    } catch (cause) {
      const error =
        cause instanceof KafkaError
          ? cause
          : clientError('CONNECTION_LOST', `cannot connect to ${this.address}`, { cause })
      this.#close(error)
      throw error
    }
  }

  /** The newest version of an API that both sides speak, within limits. @throws KafkaError 35 */
  version(api: AnyApi, limits?: Partial<SpokenRange>): number {
    const version = commonVersion(this.#versions, api, limits)
    if (version === undefined) throw unsupported(api, this.address)
    return version
  }

  /** The same, or undefined. */
  versionIfAny(api: AnyApi, limits?: Partial<SpokenRange>): number | undefined {
    return commonVersion(this.#versions, api, limits)
  }

  /**
   * Sends a request and resolves to its answer, error codes in it included. Bytes of the answer are
   * views of its frame. @throws KafkaError CONNECTION_LOST, REQUEST_TIMEOUT (which ends the
   * connection, since answers come in order), BAD_RESPONSE, CLIENT_CLOSED.
   */
  request<A extends AnyApi>(
    api: A,
    version: number,
    body: RequestInputOf<A>,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<ResponseOf<A>> {
    return new Promise<ResponseOf<A>>((resolve, reject) => {
      const correlationId = this.#write(api, version, body)
      if (correlationId instanceof KafkaError) {
        reject(correlationId)
        return
      }
      const timeoutMs = options.timeoutMs ?? this.#settings.requestTimeoutMs
      const deadlineMs = this.#ports.clock.monotonicMs() + timeoutMs
      // decodeResponse gives what `api` declares; the queue of different APIs cannot say so.
      const settle = (answer: unknown): void => resolve(answer as ResponseOf<A>)
      this.#inFlight.push({ correlationId, api, version, deadlineMs, resolve: settle, reject })
      this.#watch(deadlineMs)
    })
  }

  /** Sends a request that is never answered: Produce with acks 0. @throws KafkaError */
  sendUnanswered<A extends AnyApi>(api: A, version: number, body: RequestInputOf<A>): void {
    const outcome = this.#write(api, version, body)
    if (outcome instanceof KafkaError) throw outcome
  }

  /** Resolves when what was written has left this process, or the connection is gone. */
  drained(): Promise<void> {
    if (this.pendingBytes === 0 || this.#phase === 'closed') return Promise.resolve()
    return new Promise((resolve) => {
      this.#drainWaiters.push(resolve)
    })
  }

  /** Ends at once; what waits for an answer rejects with CLIENT_CLOSED. */
  close(): void {
    this.#close(undefined)
  }

  #write<A extends AnyApi>(api: A, version: number, body: RequestInputOf<A>): number | KafkaError {
    const socket = this.#socket
    if (socket === undefined || this.#phase === 'closed') {
      return clientError('CONNECTION_LOST', `no connection to ${this.address}`)
    }
    const correlationId = this.#correlationId
    this.#correlationId = (correlationId + 1) & 0x7fffffff
    const header = { correlationId, clientId: this.#settings.clientId }
    try {
      socket.write(encodeRequest(api, version, header, body))
    } catch (cause) {
      const message = `${api.name} v${version} cannot carry the request: ${String(cause)}`
      return clientError('INVALID_ARGUMENT', message, { cause })
    }
    return correlationId
  }

  #onData(chunk: Buffer): void {
    if (this.#phase === 'closed') return
    if (!this.#frames.push(chunk)) {
      const message = `answer of ${this.address} has an impossible size`
      this.#close(clientError('BAD_RESPONSE', message))
    }
  }

  #onDrain(): void {
    for (const waiter of this.#drainWaiters.splice(0)) waiter()
  }

  #onFrame(frame: Buffer): void {
    const waiting = this.#inFlight.shift()
    if (waiting === undefined || frame.readInt32BE(4) !== waiting.correlationId) {
      if (waiting !== undefined) this.#inFlight.unshift(waiting)
      this.#close(clientError('BAD_RESPONSE', `${this.address} answered what was not asked`))
      return
    }
    try {
      waiting.resolve(decodeAnswer(waiting.api, waiting.version, frame))
    } catch (cause) {
      const message = `${waiting.api.name} v${waiting.version} of ${this.address}: ${String(cause)}`
      const error = clientError('BAD_RESPONSE', message, { cause })
      waiting.reject(error)
      this.#close(error)
    }
  }

  /** One timer for the earliest deadline, not one for each request. */
  #watch(deadlineMs: number): void {
    if (deadlineMs >= this.#timerAtMs) return
    this.#timer?.cancel()
    this.#timerAtMs = deadlineMs
    const delayMs = Math.max(0, deadlineMs - this.#ports.clock.monotonicMs())
    this.#timer = this.#ports.clock.schedule(delayMs, () => this.#onTimer())
  }

  #onTimer(): void {
    this.#timerAtMs = Infinity
    const nowMs = this.#ports.clock.monotonicMs()
    let earliestMs = Infinity
    for (const { deadlineMs, api } of this.#inFlight) {
      if (deadlineMs <= nowMs) {
        this.#close(clientError('REQUEST_TIMEOUT', `${api.name} to ${this.address}`))
        return
      }
      earliestMs = Math.min(earliestMs, deadlineMs)
    }
    if (earliestMs < Infinity) this.#watch(earliestMs)
  }

  async #negotiate(): Promise<VersionTable> {
    let version = ApiVersions.versions.max >= 3 ? 3 : 0
    for (;;) {
      const answer = await this.request(ApiVersions, version, version >= 3 ? software : {})
      if (answer.errorCode === Errors.NONE) {
        return new Map(
          answer.apiKeys.map((key) => [key.apiKey, { min: key.minVersion, max: key.maxVersion }]),
        )
      }
      if (answer.errorCode !== Errors.UNSUPPORTED_VERSION || version === 0) {
        throw brokerError(answer.errorCode, `ApiVersions of ${this.address}`)
      }
      const listed = answer.apiKeys.find((key) => key.apiKey === ApiVersions.key)
      version = Math.min(listed?.maxVersion ?? 0, version - 1)
    }
  }

  #lose(message: string, cause?: Error): void {
    this.#close(clientError('CONNECTION_LOST', message, { cause }))
  }

  #hasClosed(): boolean {
    return this.#phase === 'closed'
  }

  #close(error: KafkaError | undefined): void {
    if (this.#phase === 'closed') return
    this.#phase = 'closed'
    this.#timer?.cancel()
    this.#socket?.destroy()
    const reason = error ?? clientError('CLIENT_CLOSED', `connection to ${this.address} closed`)
    for (const waiting of this.#inFlight.splice(0)) waiting.reject(reason)
    for (const listener of this.#closeListeners.splice(0)) listener(error)
    this.#onDrain()
  }
}

/**
 * A broker that does not know the asked version of ApiVersions answers in the form of version 0.
 */
function decodeAnswer(api: AnyApi, version: number, frame: Buffer): unknown {
  if (api.key !== ApiVersions.key || version === 0) return decodeResponse(api, version, frame).body
  const errorCode = frame.length >= 10 ? frame.readInt16BE(8) : 0
  const asked = errorCode === Errors.UNSUPPORTED_VERSION ? 0 : version
  return decodeResponse(api, asked, frame).body
}
