// Method: every vector of the released libraries is decoded to the values it states and encoded again
// to the same bytes.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { Reader } from '../../src/wire/reader.ts'
import type { Schema } from '../../src/wire/schema.ts'
import { Writer } from '../../src/wire/writer.ts'
import {
  putMultiRequest,
  putMultiResponse,
  takeMultiRequest,
  takeMultiResponse,
} from '../../src/zookeeper/protocol/multi.ts'
import * as packets from '../../src/zookeeper/protocol/packets.ts'
import * as records from '../../src/zookeeper/protocol/records.ts'
import { digestId } from '../../src/zookeeper/server/access.ts'

const golden = new URL('../golden/zookeeper/', import.meta.url)

type Json = Record<string, unknown>

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function lines(name: string): Json[] {
  const text = gunzipSync(readFileSync(new URL(name, golden))).toString('utf8')
  return text
    .trimEnd()
    .split('\n')
    .map((line) => asJson(JSON.parse(line)))
}

function asJson(value: unknown): Json {
  assert.ok(isJson(value))
  return value
}

function bufferOf(hex: unknown): Buffer {
  return Buffer.from(String(hex), 'hex')
}

const schemas = new Map<string, Schema>()
for (const value of Object.values(records)) {
  if (typeof value === 'object') schemas.set(value.name, value)
}

function schemaOf(name: unknown): Schema {
  const schema = schemas.get(String(name))
  assert.ok(schema, `no record ${String(name)}`)
  return schema
}

/** Decoded values in the vectors' form. */
function shown(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('base64')
  if (typeof value === 'bigint') {
    const short = Number(value)
    return Number.isSafeInteger(short) ? short : String(value)
  }
  if (Array.isArray(value)) return value.map(shown)
  if (!isJson(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shown(inner)]))
}

function written(fill: (writer: Writer) => void): string {
  const writer = new Writer()
  fill(writer)
  return writer.bytes().toString('hex')
}

test('every jute record decodes to its values and encodes to its bytes', () => {
  const vectors = lines('records.ndjson.gz')
  assert.equal(vectors.length, 578)
  for (const { record, case: name, body, hex } of vectors) {
    const schema = schemaOf(record)
    const reader = new Reader(bufferOf(hex))
    const value = records.take(reader, schema)
    assert.equal(reader.remaining, 0)
    assert.deepEqual(shown(value), body, `${String(record)} ${String(name)}`)
    assert.equal(
      written((writer) => records.put(writer, schema, value)),
      hex,
    )
  }
})

test('multi requests and responses decode to their elements and encode to their bytes', () => {
  const vectors = lines('multi.ndjson.gz')
  assert.equal(vectors.length, 32)
  for (const { record, body, hex } of vectors) {
    const reader = new Reader(bufferOf(hex))
    if (record === 'MultiTransaction') {
      const ops = takeMultiRequest(reader)
      assert.deepEqual({ ops: shown(ops) }, body)
      assert.equal(
        written((writer) => putMultiRequest(writer, ops)),
        hex,
      )
    } else {
      const results = takeMultiResponse(reader)
      assert.deepEqual({ results: shown(results) }, body)
      assert.equal(
        written((writer) => putMultiResponse(writer, results)),
        hex,
      )
    }
    assert.equal(reader.remaining, 0)
  }
})

test('whole packets of every operation decode and encode both ways', () => {
  const vectors = lines('packets.ndjson.gz')
  assert.equal(vectors.length, 222)
  for (const vector of vectors) {
    const reader = new Reader(bufferOf(vector['hex']))
    assert.equal(reader.int32(), reader.remaining)
    assert.equal(encodedAgain(vector, reader), vector['hex'], JSON.stringify(vector).slice(0, 200))
    assert.equal(reader.remaining, 0)
  }
})

/** Decodes what follows the size, compares it with the vector, and encodes it. */
function encodedAgain(vector: Json, reader: Reader): string {
  const { packet, header, body, bodyRecord, readOnly } = vector
  if (packet === 'connectRequest' || packet === 'connectResponse') {
    const schema = packet === 'connectRequest' ? records.ConnectRequest : records.ConnectResponse
    const value = records.take(reader, schema)
    const flag = reader.remaining > 0 ? reader.bool() : undefined
    assert.deepEqual(shown(value), body)
    assert.equal(flag, readOnly ?? undefined)
    const build =
      packet === 'connectRequest' ? packets.connectRequestPacket : packets.connectResponsePacket
    return build(value, flag).toString('hex')
  }
  const isRequest = packet === 'request'
  const head = records.take(reader, isRequest ? records.RequestHeader : records.ReplyHeader)
  assert.deepEqual(shown(head), header)
  const schema = packet === 'notification' ? records.WatcherEvent : schemas.get(String(bodyRecord))
  const value = schema && records.take(reader, schema)
  assert.deepEqual(shown(value ?? null), body)
  const fill = schema && value ? packets.recordBody(schema, value) : undefined
  if ('type' in head) return packets.requestPacket(head.xid, head.type, fill).toString('hex')
  return packets.replyPacket(head, fill).toString('hex')
}

test('credentials become the digest ids that ZooKeeper makes of them', () => {
  const text = readFileSync(new URL('digest-acl.json', golden), 'utf8')
  const vectors: unknown = JSON.parse(text)
  assert.ok(Array.isArray(vectors) && vectors.length > 5)
  for (const vector of vectors.map(asJson)) {
    assert.equal(digestId(Buffer.from(String(vector['credentials']))), vector['digestId'])
  }
})
