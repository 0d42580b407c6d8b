// Answers questions about bytes, one JSON object in and one out: what `millrace wire` speaks.
// Nothing that is asked can throw: a failure is an answer `{ "error": … }`.
import { WireError } from '../../wire/errors.ts'
import { Reader } from '../../wire/reader.ts'
import { compile, requestCodec, responseCodec } from '../../wire/compile.ts'
import type { AnyApi, Schema } from '../../wire/schema.ts'
import { Writer } from '../../wire/writer.ts'
import {
  decodeRequestHeader,
  RequestHeader,
  requestHeaderVersion,
  ResponseHeader,
  responseHeaderVersion,
} from '../header.ts'
import { everyApiByKey } from '../messages/every.ts'
import { batchesJson } from './batches.ts'
import type { Json, JsonObject } from './values.ts'
import { isJsonObject, structFromJson, structToJson } from './values.ts'

type Kind = 'request' | 'response'

function refuse(message: string): never {
  throw new WireError(message, 0)
}

function hexOf(question: JsonObject): Buffer {
  const { hex } = question
  if (typeof hex !== 'string' || !/^([0-9a-f]{2})*$/i.test(hex))
    return refuse('hex is not hexadecimal')
  return Buffer.from(hex, 'hex')
}

function kindOf(question: JsonObject): Kind {
  const { kind } = question
  return kind === 'request' || kind === 'response'
    ? kind
    : refuse('kind is not request or response')
}

function apiOf(key: Json | undefined): AnyApi {
  const api = typeof key === 'number' ? everyApiByKey.get(key) : undefined
  return api ?? refuse(`no API has key ${JSON.stringify(key)}`)
}

function versionOf(question: JsonObject): number {
  const { version } = question
  return typeof version === 'number' ? version : refuse('version is not a number')
}

function refuseRest(reader: Reader): void {
  if (reader.remaining > 0) refuse(`${reader.remaining} bytes left over`)
}

function decodeBody(api: AnyApi, version: number, kind: Kind, reader: Reader): JsonObject {
  const schema = kind === 'request' ? api.request : api.response
  const codec = kind === 'request' ? requestCodec(api, version) : responseCodec(api, version)
  const body = structToJson(schema.fields, version, codec.decode(reader))
  refuseRest(reader)
  return body
}

function decode(question: JsonObject): JsonObject {
  const reader = new Reader(hexOf(question))
  const api = apiOf(question['key'])
  return { body: decodeBody(api, versionOf(question), kindOf(question), reader) }
}

function encode(question: JsonObject): JsonObject {
  const api = apiOf(question['key'])
  const schema = kindOf(question) === 'request' ? api.request : api.response
  const body = structFromJson(schema.name, schema.fields, question['body'] ?? null)
  const writer = new Writer()
  compile(schema, versionOf(question)).encode(body, writer)
  return { hex: writer.bytes().toString('hex') }
}

function decodeHeader(schema: Schema, version: number, reader: Reader): JsonObject {
  return structToJson(schema.fields, version, compile(schema, version).decode(reader))
}

function frame(question: JsonObject): JsonObject {
  const bytes = hexOf(question)
  const reader = new Reader(bytes)
  const size = reader.int32()
  if (size !== reader.remaining) refuse(`${reader.remaining} bytes in a frame of ${size}`)
  const kind = kindOf(question)
  if (kind === 'response') {
    const api = apiOf(question['key'])
    const version = versionOf(question)
    const headerVersion = responseHeaderVersion(api.key, version, everyApiByKey)
    const header = decodeHeader(ResponseHeader, headerVersion, reader)
    return { headerVersion, header, body: decodeBody(api, version, kind, reader) }
  }
  const { apiKey: key, apiVersion: version } = decodeRequestHeader(
    new Reader(bytes, 4),
    everyApiByKey,
  )
  const api = apiOf(key)
  const headerVersion = requestHeaderVersion(key, version, everyApiByKey)
  const header = decodeHeader(RequestHeader, headerVersion, reader)
  const body = decodeBody(api, version, kind, reader)
  return { api: api.name, key, version, headerVersion, header, body }
}

function records(question: JsonObject): JsonObject {
  const { bytes } = question
  if (typeof bytes !== 'string') return refuse('bytes is not base64')
  return { batches: batchesJson(Buffer.from(bytes, 'base64')) }
}

const operations: Readonly<Record<string, (question: JsonObject) => JsonObject>> = {
  decode,
  encode,
  frame,
  records,
}

/** The answer to one question, see the operations above. */
export function inspect(question: unknown): JsonObject {
  try {
    if (!isJsonObject(question)) return { error: 'not a JSON object' }
    const { op } = question
    const operation =
      typeof op === 'string' && Object.hasOwn(operations, op) ? operations[op] : undefined
    return (
      operation?.(question) ?? { error: `op is not one of ${Object.keys(operations).join(', ')}` }
    )
  } catch (error) {
    if (error instanceof WireError) return { error: error.message }
    throw error
  }
}
