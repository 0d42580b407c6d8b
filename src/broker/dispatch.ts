import { Errors } from '../kafka/errors.ts'
import { decodeRequestHeader } from '../kafka/header.ts'
import type { Logger } from '../runtime/logger.ts'
import { requestCodec } from '../wire/compile.ts'
import { WireError } from '../wire/errors.ts'
import { Reader } from '../wire/reader.ts'
import type { AnyApi } from '../wire/schema.ts'
import {
  closeConnection,
  type AnyOutcome,
  type AnyReply,
  type BrokerParts,
  type Handler,
  type RequestContext,
} from './handler.ts'
import { listed } from './handlers/api-versions.ts'
import type { ApiMeter, RequestMeters } from './metrics/requests.ts'

/** Who asks: what of a connection a handler may know. */
export interface Peer {
  readonly clientAddress: string
  readonly listener: string
}

/** One request that was understood, and what its handler made of it. */
export interface Exchange {
  readonly api: AnyApi
  /** The version to answer in. */
  readonly version: number
  readonly correlationId: number
  readonly outcome: AnyOutcome
  readonly meter: ApiMeter
}

const apiVersionsKey = 18

/** Finds the handler of a request and runs it. What makes no sense closes the connection, as in Kafka. */
export class Dispatcher {
  readonly #handlers: ReadonlyMap<number, Handler>
  readonly #list: readonly Handler[]
  readonly #parts: BrokerParts
  readonly #logger: Logger
  readonly #meters: RequestMeters

  constructor(handlers: readonly Handler[], parts: BrokerParts, meters: RequestMeters) {
    this.#meters = meters
    this.#list = handlers
    this.#handlers = new Map(handlers.map((one) => [one.api.key, one]))
    this.#parts = parts
    this.#logger = parts.logger.named('kafka.server.KafkaApis', `KafkaApi-${parts.brokerId}`)
  }

  /** The frame is buffer[start, end). Undefined: close the connection. Never throws. */
  dispatch(
    buffer: Buffer,
    start: number,
    end: number,
    isOwned: boolean,
    peer: Peer,
  ): Exchange | undefined {
    try {
      const reader = new Reader(buffer, start, end)
      const header = decodeRequestHeader(reader)
      const handler = this.#handlers.get(header.apiKey)
      const [min, max] = handler?.versions ?? [0, -1]
      if (handler === undefined || header.apiVersion < min || header.apiVersion > max) {
        if (handler !== undefined && header.apiKey === apiVersionsKey)
          return this.#unknownApiVersions(handler.api, header.correlationId)
        this.#logger.debug(
          `Closing ${peer.clientAddress}: key ${header.apiKey} version ${header.apiVersion} is not served`,
        )
        return undefined
      }
      // A handler that keeps bytes beyond its call would find the shared buffer overwritten.
      const body =
        isOwned || handler.inPlace
          ? reader
          : new Reader(Buffer.from(buffer.subarray(reader.position, end)))
      const { api } = handler
      const request = requestCodec(api, header.apiVersion).decode(body)
      const context: RequestContext = {
        ...peer,
        parts: this.#parts,
        apiVersion: header.apiVersion,
        clientId: header.clientId,
      }
      const meter = this.#meters.of(api, request)
      meter.asked(header.apiVersion)
      const exchange = {
        meter,
        api,
        version: header.apiVersion,
        correlationId: header.correlationId,
      }
      const outcome = this.#run(handler, request, context)
      return { ...exchange, outcome }
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.#logger.debug(`Closing ${peer.clientAddress}: ${error.message}`)
      return undefined
    }
  }

  #run(handler: Handler, request: unknown, context: RequestContext): AnyOutcome {
    try {
      const outcome = handler.handle(request as never, context)
      if (!(outcome instanceof Promise)) return outcome
      return outcome.catch((error: unknown) => this.#unexpected(handler.api, error))
    } catch (error) {
      return this.#unexpected(handler.api, error)
    }
  }

  /** A bug, or coordination that is away: the client may try again. */
  #unexpected(api: AnyApi, error: unknown): AnyReply {
    this.#logger.error(`Unexpected error handling ${api.name}`, error)
    const hasCode = 'errorCode' in api.response.fields
    return hasCode ? { errorCode: Errors.UNKNOWN_SERVER_ERROR } : closeConnection
  }

  /** A version we do not know is answered in version 0, with the range that we do (KIP-511). */
  #unknownApiVersions(api: AnyApi, correlationId: number): Exchange {
    const apiKeys = listed(this.#list.filter((one) => one.api.key === apiVersionsKey))
    const outcome = { errorCode: Errors.UNSUPPORTED_VERSION, apiKeys }
    const meter = this.#meters.of(api, undefined)
    return { api, version: 0, correlationId, outcome, meter }
  }
}
