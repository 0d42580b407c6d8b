// A broker of few words over the in-memory network: one partition log in memory for each partition,
// sequence numbers checked, one-member groups; and answers that tests put in its mouth.
import { requestCodec } from '../../../src/wire/compile.ts'
import { Reader } from '../../../src/wire/reader.ts'
import type { AnyApi, RequestOf, ResponseInputOf } from '../../../src/wire/schema.ts'
import { decodeRequestHeader, encodeResponse } from '../../../src/kafka/header.ts'
import { ApiVersions } from '../../../src/kafka/messages/api-versions.ts'
import type { Connection, Network } from '../../../src/runtime/network.ts'
import { AnswerFrames } from '../../../src/client/frames.ts'

/**
 * What a handler does: answers, says nothing for ever, breaks the connection, or answers and
 * breaks.
 */
export type Reaction<A extends AnyApi> = ResponseInputOf<A> | 'silence' | 'reset'

export type Handler<A extends AnyApi> = (
  request: RequestOf<A>,
  version: number,
) => Reaction<A> | Promise<Reaction<A>>

interface Entry {
  readonly api: AnyApi
  min: number
  max: number
  handle: (request: unknown, version: number) => unknown
  /** Run instead of `handle`, one request each. */
  readonly once: ((request: unknown, version: number) => unknown)[]
}

export interface Seen {
  readonly name: string
  readonly version: number
  readonly request: unknown
}

export class FakeBroker {
  readonly host: string
  readonly port: number
  readonly nodeId: number
  readonly seen: Seen[] = []
  readonly #network: Network
  readonly #entries = new Map<number, Entry>()
  readonly #connections = new Set<Connection>()
  #stop: (() => Promise<void>) | undefined

  constructor(network: Network, host: string, port: number, nodeId: number) {
    this.#network = network
    this.host = host
    this.port = port
    this.nodeId = nodeId
    this.on(ApiVersions, () => ({ apiKeys: this.listed() }), { max: 3 })
  }

  /** Answers an API from now on, in these versions. */
  on<A extends AnyApi>(
    api: A,
    handler: Handler<A>,
    versions: { readonly min?: number; readonly max?: number } = {},
  ): void {
    this.#entries.set(api.key, {
      api,
      min: versions.min ?? api.versions.min,
      max: versions.max ?? api.versions.max,
      handle: handler as Entry['handle'],
      once: [],
    })
  }

  /** Answers the next request of that API so, once; several calls queue up. */
  once<A extends AnyApi>(api: A, handler: Handler<A>): void {
    this.#entries.get(api.key)?.once.push(handler as Entry['handle'])
  }

  count(api: AnyApi): number {
    return this.seen.filter(({ name }) => name === api.name).length
  }

  requests<A extends AnyApi>(api: A): RequestOf<A>[] {
    const mine = this.seen.filter(({ name }) => name === api.name)
    return mine.map(({ request }) => request as RequestOf<A>)
  }

  listed(): { apiKey: number; minVersion: number; maxVersion: number }[] {
    return [...this.#entries.values()].map(({ api, min, max }) => {
      return { apiKey: api.key, minVersion: min, maxVersion: max }
    })
  }

  async start(): Promise<void> {
    const listener = await this.#network.listen(
      { host: this.host, port: this.port },
      (connection) => {
        this.#serve(connection)
      },
    )
    this.#stop = () => listener.close()
  }

  /** Ends as a killed process does. */
  async stop(): Promise<void> {
    await this.#stop?.()
    for (const connection of this.#connections) connection.destroy()
  }

  #serve(connection: Connection): void {
    this.#connections.add(connection)
    let previous = Promise.resolve()
    const frames = new AnswerFrames(1 << 26, (frame) => {
      previous = previous.then(() => this.#handle(connection, frame))
    })
    connection.start({
      onData: (chunk) => void frames.push(chunk),
      target: () => frames.target(),
      onClose: () => void this.#connections.delete(connection),
    })
  }

  async #handle(connection: Connection, frame: Buffer): Promise<void> {
    const reader = new Reader(frame, 4)
    const { apiKey, apiVersion, correlationId } = decodeRequestHeader(reader)
    const entry = this.#entries.get(apiKey)
    if (entry === undefined || apiVersion < entry.min || apiVersion > entry.max) {
      if (apiKey !== ApiVersions.key) connection.destroy()
      else {
        const refusal = { errorCode: 35, apiKeys: [] }
        connection.write(encodeResponse(ApiVersions, 0, correlationId, refusal))
      }
      return
    }
    const request = requestCodec(entry.api, apiVersion).decode(reader)
    this.seen.push({ name: entry.api.name, version: apiVersion, request })
    const handle = entry.once.shift() ?? entry.handle
    const reaction = (await handle(request, apiVersion)) as Reaction<AnyApi>
    // Answers come in order: nothing after this one is answered either.
    if (reaction === 'silence') return new Promise(() => undefined)
    if (reaction === 'reset') connection.destroy()
    else if (this.#connections.has(connection) && !isUnanswered(entry.api, request)) {
      connection.write(encodeResponse(entry.api, apiVersion, correlationId, reaction))
    }
  }
}

function isUnanswered(api: AnyApi, request: unknown): boolean {
  return api.name === 'Produce' && (request as { acks: number }).acks === 0
}
