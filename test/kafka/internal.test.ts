import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Errors, errorOf } from '../../src/kafka/errors.ts'
import * as consumerGroup from '../../src/kafka/internal/consumer-group-records.ts'
import * as consumerProtocol from '../../src/kafka/internal/consumer-protocol.ts'
import * as principal from '../../src/kafka/internal/default-principal.ts'
import * as group from '../../src/kafka/internal/group-records.ts'
import * as shareGroup from '../../src/kafka/internal/share-group-records.ts'
import * as transaction from '../../src/kafka/internal/transaction-records.ts'
import { decodeVersioned, encodeVersioned, versionOf } from '../../src/kafka/internal/versioned.ts'
import type { JsonObject } from '../../src/kafka/json/values.ts'
import { structFromJson, structToJson } from '../../src/kafka/json/values.ts'
import { WireError } from '../../src/wire/errors.ts'
import { interpret } from '../../src/wire/interpret.ts'
import { Reader } from '../../src/wire/reader.ts'
import type { Schema } from '../../src/wire/schema.ts'
import { golden, vectors } from '../wire/support/vectors.ts'

const schemas: ReadonlyMap<string, Schema> = new Map(
  [consumerGroup, consumerProtocol, principal, group, shareGroup, transaction].flatMap((room) =>
    Object.entries<Schema>(room),
  ),
)

interface RecordVector {
  readonly record: string
  readonly version: number
  readonly body: JsonObject
  readonly hex: string
}

test('keys and values of internal topics are read and written byte by byte', () => {
  const all = vectors<RecordVector>('wire/internal-records.ndjson.gz')
  assert.equal(all.length, 585)
  for (const { record, version, body, hex } of all) {
    const schema = schemas.get(record)
    assert.ok(schema !== undefined, record)
    const bytes = Buffer.from(hex, 'hex')
    assert.equal(versionOf(bytes), version)
    const decoded = decodeVersioned(schema, bytes)
    assert.equal(decoded.version, version)
    assert.deepEqual(structToJson(schema.fields, version, decoded.value), body, record)
    assert.deepEqual(interpret(schema, version).decode(new Reader(bytes, 2)), decoded.value)
    const value = structFromJson(record, schema.fields, body)
    assert.equal(encodeVersioned(schema, version, value).toString('hex'), hex, record)
  }
})

test('a newer version of the consumer protocol is read as far as we know it', () => {
  const { ConsumerProtocolSubscription } = consumerProtocol
  const known = encodeVersioned(ConsumerProtocolSubscription, 3, { topics: ['a'], rackId: 'r' })
  const newer = Buffer.concat([known, Buffer.from([1, 2, 3])])
  newer.writeInt16BE(4, 0)
  assert.throws(() => decodeVersioned(ConsumerProtocolSubscription, newer), WireError)
  const { value } = decodeVersioned(ConsumerProtocolSubscription, newer, 'read as newest')
  assert.deepEqual(value.topics, ['a'])
})

interface ErrorFact {
  readonly code: number
  readonly name: string
  readonly retriable: boolean
  readonly refreshesMetadata: boolean
}

test('the table of errors is that of Kafka', () => {
  const facts = JSON.parse(golden('wire/errors.json').toString('utf8')) as ErrorFact[]
  const ours = facts.map(({ code }) => {
    const { name, retriable, refreshesMetadata } = errorOf(code)
    return { code, name, retriable, refreshesMetadata }
  })
  const theirs = facts.map(({ code, name, retriable, refreshesMetadata }) => ({
    code,
    name,
    retriable,
    refreshesMetadata,
  }))
  assert.deepEqual(ours, theirs)
  assert.deepEqual(Errors, Object.fromEntries(facts.map(({ code, name }) => [name, code])))
  assert.equal(errorOf(12345).code, Errors.UNKNOWN_SERVER_ERROR)
})
