// Frames: int32 size, header, body. Which header version goes with which message version.
import { requestCodec, responseCodec } from '../wire/compile.ts'
import { WireError } from '../wire/errors.ts'
import { Reader } from '../wire/reader.ts'
import type { AnyApi, RequestInputOf, ResponseInputOf, ResponseOf } from '../wire/schema.ts'
import { inRange, int16, int32, record, string } from '../wire/schema.ts'
import { Writer } from '../wire/writer.ts'
import { apiByKey } from './messages/index.ts'

const CONTROLLED_SHUTDOWN = 7
const API_VERSIONS = 18

export const RequestHeader = record({
  name: 'RequestHeader',
  versions: '0-2',
  flexible: '2+',
  fields: {
    requestApiKey: int16(),
    requestApiVersion: int16(),
    correlationId: int32(),
    clientId: string({ versions: '1+', nullable: '1+', ignorable: true, classic: true }),
  },
})

export const ResponseHeader = record({
  name: 'ResponseHeader',
  versions: '0-1',
  flexible: '1+',
  fields: { correlationId: int32() },
})

/** What a broker needs of a header. No tagged field is known; strangers' are passed over. */
export interface RequestHeaderValue {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
}

/** 0, 1 or 2. A key that `known` lacks is taken for version 1, which every parser can read. */
export function requestHeaderVersion(
  apiKey: number,
  apiVersion: number,
  known: ReadonlyMap<number, AnyApi> = apiByKey,
): 0 | 1 | 2 {
  // The oldest brokers sent this one request without a client id.
  if (apiKey === CONTROLLED_SHUTDOWN && apiVersion === 0) return 0
  const api = known.get(apiKey)
  return api !== undefined && inRange(api.flexible, apiVersion) ? 2 : 1
}

/** 0 or 1. A client that asks for ApiVersions does not know yet what the broker can write. */
export function responseHeaderVersion(
  apiKey: number,
  apiVersion: number,
  known: ReadonlyMap<number, AnyApi> = apiByKey,
): 0 | 1 {
  if (apiKey === API_VERSIONS) return 0
  const api = known.get(apiKey)
  return api !== undefined && inRange(api.flexible, apiVersion) ? 1 : 0
}

function skipTaggedFields(reader: Reader): void {
  for (let count = reader.unsignedVarint(); count > 0; count--) {
    reader.unsignedVarint()
    reader.skip(reader.unsignedVarint())
  }
}

/** Reads the header and leaves the reader at the body. Throws WireError. */
export function decodeRequestHeader(
  reader: Reader,
  known: ReadonlyMap<number, AnyApi> = apiByKey,
): RequestHeaderValue {
  const apiKey = reader.int16()
  const apiVersion = reader.int16()
  const correlationId = reader.int32()
  const version = requestHeaderVersion(apiKey, apiVersion, known)
  const clientId = version === 0 ? null : reader.shortString()
  if (version === 2) skipTaggedFields(reader)
  return { apiKey, apiVersion, correlationId, clientId }
}

export interface RequestIdentity {
  readonly correlationId: number
  readonly clientId: string | null
}

/** A whole frame: size, header, body. Throws WireError if the version cannot carry `body`. */
export function encodeRequest<A extends AnyApi>(
  api: A,
  version: number,
  identity: RequestIdentity,
  body: RequestInputOf<A>,
): Buffer {
  const writer = new Writer()
  const start = writer.reserve(4)
  writer.int16(api.key)
  writer.int16(version)
  writer.int32(identity.correlationId)
  const oldest = api.key === CONTROLLED_SHUTDOWN && version === 0
  if (!oldest) writer.shortString(identity.clientId)
  if (inRange(api.flexible, version)) writer.uint8(0)
  requestCodec(api, version).encode(body, writer)
  writer.patchInt32(start, writer.position - start - 4)
  return writer.bytes()
}

/** Appends a whole response frame to `writer`, so that the answers of a turn share one buffer. */
export function writeResponse<A extends AnyApi>(
  writer: Writer,
  api: A,
  version: number,
  correlationId: number,
  body: ResponseInputOf<A>,
): void {
  const start = writer.reserve(4)
  writer.int32(correlationId)
  if (api.key !== API_VERSIONS && inRange(api.flexible, version)) writer.uint8(0)
  responseCodec(api, version).encode(body, writer)
  writer.patchInt32(start, writer.position - start - 4)
}

/** A whole frame: size, header, body. Throws WireError if the version cannot carry `body`. */
export function encodeResponse<A extends AnyApi>(
  api: A,
  version: number,
  correlationId: number,
  body: ResponseInputOf<A>,
): Buffer {
  const writer = new Writer()
  writeResponse(writer, api, version, correlationId, body)
  return writer.bytes()
}

/**
 * Reads a whole response frame, size included, as `encodeResponse` makes it.
 * Byte strings and records in the body are views of `frame`. Throws WireError.
 */
export function decodeResponse<A extends AnyApi>(
  api: A,
  version: number,
  frame: Buffer,
): { correlationId: number; body: ResponseOf<A> } {
  const reader = new Reader(frame)
  const size = reader.int32()
  if (size !== reader.remaining) {
    throw new WireError(`a frame of ${reader.remaining} bytes states ${size}`, 0)
  }
  const correlationId = reader.int32()
  if (api.key !== API_VERSIONS && inRange(api.flexible, version)) skipTaggedFields(reader)
  const body = responseCodec(api, version).decode(reader)
  if (reader.remaining > 0) {
    throw new WireError(`${reader.remaining} bytes left over`, reader.position)
  }
  return { correlationId, body }
}
