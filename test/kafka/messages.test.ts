import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  RequestHeader,
  requestHeaderVersion,
  ResponseHeader,
  responseHeaderVersion,
  writeResponse,
} from '../../src/kafka/header.ts'
import { ApiVersions } from '../../src/kafka/messages/api-versions.ts'
import { everyApi, everyApiByKey } from '../../src/kafka/messages/every.ts'
import { Fetch } from '../../src/kafka/messages/fetch.ts'
import { apiByKey, apis } from '../../src/kafka/messages/index.ts'
import { Metadata } from '../../src/kafka/messages/metadata.ts'
import { Produce } from '../../src/kafka/messages/produce.ts'
import type { JsonObject } from '../../src/kafka/json/values.ts'
import { structFromJson, structToJson } from '../../src/kafka/json/values.ts'
import { compile, requestCodec, responseCodec } from '../../src/wire/compile.ts'
import { WireError } from '../../src/wire/errors.ts'
import { interpret } from '../../src/wire/interpret.ts'
import { Reader } from '../../src/wire/reader.ts'
import { Writer } from '../../src/wire/writer.ts'
import { vectors } from '../wire/support/vectors.ts'

interface FrameVector {
  readonly key: number
  readonly version: number
  readonly kind: 'request' | 'response'
  readonly headerVersion: number
  readonly header: {
    correlationId: number
    clientId: string | null
    [name: string]: number | string | null
  }
  readonly body: JsonObject
  readonly hex: string
}

test('whole frames of every message version are read and written as Kafka does', () => {
  const frames = vectors<FrameVector>('wire/frames.ndjson.gz')
  assert.equal(frames.length, 702)
  for (const { key, version, kind, headerVersion, header, body, hex } of frames) {
    const api = everyApiByKey.get(key)
    assert.ok(api !== undefined)
    const bytes = Buffer.from(hex, 'hex')
    const where = `${api.name} ${kind} v${version}`
    const { correlationId, clientId } = header
    if (kind === 'request') {
      assert.equal(requestHeaderVersion(key, version, everyApiByKey), headerVersion, where)
      const reader = new Reader(bytes, 4)
      const found = decodeRequestHeader(reader, everyApiByKey)
      const expected = {
        apiKey: key,
        apiVersion: version,
        correlationId,
        clientId: clientId ?? null,
      }
      assert.deepEqual(found, expected, where)
      const decoded = requestCodec(api, version).decode(reader)
      assert.deepEqual(structToJson(api.request.fields, version, decoded), body, where)
      const value = structFromJson('body', api.request.fields, body)
      const identity = { correlationId, clientId: clientId ?? null }
      assert.equal(encodeRequest(api, version, identity, value).toString('hex'), hex, where)
    } else {
      assert.equal(responseHeaderVersion(key, version, everyApiByKey), headerVersion, where)
      const found = decodeResponse(api, version, bytes)
      assert.equal(found.correlationId, correlationId, where)
      assert.deepEqual(structToJson(api.response.fields, version, found.body), body, where)
      const value = structFromJson('body', api.response.fields, body)
      assert.equal(encodeResponse(api, version, correlationId, value).toString('hex'), hex, where)
    }
  }
})

interface HeaderVector {
  readonly header: string
  readonly version: number
  readonly body: JsonObject
  readonly hex: string
}

test('headers are read and written byte by byte, unknown tagged fields included', () => {
  for (const { header, version, body, hex } of vectors<HeaderVector>('wire/headers.ndjson.gz')) {
    const schema = header === 'RequestHeader' ? RequestHeader : ResponseHeader
    for (const codecOf of [compile, interpret]) {
      const codec = codecOf<typeof schema>(schema, version)
      const decoded = codec.decode(new Reader(Buffer.from(hex, 'hex')))
      assert.deepEqual(structToJson(schema.fields, version, decoded), body)
      const writer = new Writer()
      codec.encode(structFromJson(header, schema.fields, body), writer)
      assert.equal(writer.bytes().toString('hex'), hex)
    }
  }
})

test('a request of an unknown key is read with a header of version 1', () => {
  const bytes = Buffer.from('03e7' + '0005' + '0000002a' + '0003616263' + 'ffff', 'hex')
  const reader = new Reader(bytes)
  assert.deepEqual(decodeRequestHeader(reader), {
    apiKey: 999,
    apiVersion: 5,
    correlationId: 42,
    clientId: 'abc',
  })
  assert.equal(reader.remaining, 2)
})

test('the answer to ApiVersions has the oldest header in every version', () => {
  assert.equal(responseHeaderVersion(ApiVersions.key, 4), 0)
  assert.equal(requestHeaderVersion(ApiVersions.key, 4), 2)
})

test('keys are unique, and the index holds what a broker in ZooKeeper mode knows', () => {
  assert.equal(everyApiByKey.size, everyApi.length)
  assert.equal(apiByKey.size, apis.length)
  assert.equal(apiByKey.get(0), Produce)
  assert.equal(everyApi.length, 93)
  assert.ok(!apiByKey.has(52))
})

test('what is left out is written as its default, and read back whole', () => {
  const frame = encodeResponse(Fetch, 11, 7, { responses: [{ topic: 't', partitions: [{}] }] })
  const { body, correlationId } = decodeResponse(Fetch, 11, frame)
  assert.equal(correlationId, 7)
  assert.equal(body.responses[0]?.partitions[0]?.lastStableOffset, -1)
  assert.equal(body.responses[0]?.partitions[0]?.records, null)
  // Not in version 11, so read as its default.
  assert.deepEqual(body.responses[0]?.partitions[0]?.divergingEpoch, { epoch: -1, endOffset: -1 })
  assert.deepEqual(body.nodeEndpoints, [])
})

test('a value that a version has no field for is refused, unless it may be ignored', () => {
  const identity = { correlationId: 1, clientId: null }
  assert.throws(() => encodeRequest(Produce, 2, identity, { transactionalId: 'x' }), WireError)
  assert.doesNotThrow(() => encodeRequest(Produce, 2, identity, { transactionalId: null }))
  assert.doesNotThrow(() => encodeRequest(Fetch, 2, identity, { maxBytes: 5 }))
  assert.throws(() => requestCodec(Produce, 99), WireError)
})

test('null is refused where the version has no null', () => {
  const identity = { correlationId: 1, clientId: null }
  assert.throws(() => encodeRequest(Metadata, 0, identity, { topics: null }), WireError)
  assert.doesNotThrow(() => encodeRequest(Metadata, 1, identity, { topics: null }))
  const bytes = Buffer.from('ffffffff', 'hex')
  assert.throws(() => requestCodec(Metadata, 0).decode(new Reader(bytes)), WireError)
  assert.equal(requestCodec(Metadata, 1).decode(new Reader(bytes)).topics, null)
})

test('records are views of what was received, and may be filled in while writing', () => {
  const source = {
    byteLength: 300,
    fill(target: Buffer, at: number): void {
      target.fill(7, at, at + 300)
    },
  }
  for (const version of [4, 12]) {
    const topic = version === 4 ? 'a topic' : ''
    const writer = new Writer(16)
    const responses = [{ topic, partitions: [{ records: source }] }]
    writeResponse(writer, Fetch, version, 3, { responses })
    const frame = writer.bytes()
    const records = decodeResponse(Fetch, version, frame).body.responses[0]?.partitions[0]?.records
    assert.deepEqual(records, Buffer.alloc(300, 7))
    assert.equal(records?.buffer, frame.buffer)
  }
})

test('a hostile count is refused before anything is allocated for it', () => {
  const bytes = Buffer.from('ffffffff0000000000000000' + '7fffffff', 'hex')
  assert.throws(() => requestCodec(Fetch, 0).decode(new Reader(bytes)), /2147483647 elements in 0/)
  const response = Buffer.from('00000001' + '0001' + '74' + '7ffffff0', 'hex')
  assert.throws(() => responseCodec(Fetch, 0).decode(new Reader(response)), WireError)
})
