import assert from 'node:assert/strict'
import { test } from 'node:test'
import { structFromJson, structToJson } from '../../src/kafka/json/values.ts'
import { everyApi } from '../../src/kafka/messages/every.ts'
import { compile } from '../../src/wire/compile.ts'
import { interpret } from '../../src/wire/interpret.ts'
import { Reader } from '../../src/wire/reader.ts'
import { Writer } from '../../src/wire/writer.ts'
import type { MessageVector } from './support/vectors.ts'
import { messageFiles, vectors } from './support/vectors.ts'

// Method: bodies and bytes were made by Kafka's own classes; both codecs must give the same ones.

for (const [name, codecOf] of [
  ['compiled', compile],
  ['interpreted', interpret],
] as const) {
  test(`the ${name} codec decodes and encodes every message of Kafka byte by byte`, () => {
    const writer = new Writer()
    let count = 0
    for (const file of messageFiles()) {
      for (const vector of vectors<MessageVector>(file)) {
        const { api: title, key, kind, version, hex, body } = vector
        const api = everyApi.find((one) => one.key === key)
        assert.ok(api !== undefined, title)
        const schema = kind === 'request' ? api.request : api.response
        const codec = codecOf(schema, version)
        const where = `${title} ${kind} v${version} ${vector.case}`

        const reader = new Reader(Buffer.from(hex, 'hex'))
        const decoded = codec.decode(reader)
        assert.equal(reader.remaining, 0, where)
        assert.deepEqual(structToJson(schema.fields, version, decoded), body, where)

        writer.reset()
        codec.encode(structFromJson(title, schema.fields, body), writer)
        assert.equal(writer.bytes().toString('hex'), hex, where)
        writer.reset()
        codec.encode(decoded, writer)
        assert.equal(writer.bytes().toString('hex'), hex, where)
        count += 1
      }
    }
    assert.equal(count, 6686)
  })
}
