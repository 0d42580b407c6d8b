import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { everyApi } from '../../src/kafka/messages/every.ts'
import { bytesMin, formOf } from '../../src/wire/codec.ts'
import { compile } from '../../src/wire/compile.ts'
import { WireError } from '../../src/wire/errors.ts'
import { interpret } from '../../src/wire/interpret.ts'
import { Reader } from '../../src/wire/reader.ts'
import type { Fields, Schema } from '../../src/wire/schema.ts'
import { inRange } from '../../src/wire/schema.ts'
import { Writer } from '../../src/wire/writer.ts'
import { valuesOf } from './support/arbitrary.ts'
import type { MessageVector } from './support/vectors.ts'
import { messageFiles, vectors } from './support/vectors.ts'

const schemas = everyApi.flatMap((api) => [api.request, api.response])

function versionsOf(schema: Schema): number[] {
  const { min, max } = schema.versions
  return Array.from({ length: max - min + 1 }, (_, index) => min + index)
}

test('compiled and interpreted codecs agree on generated values of every message version', () => {
  const one = new Writer()
  const other = new Writer()
  for (const schema of schemas) {
    for (const version of versionsOf(schema)) {
      const compiled = compile(schema, version)
      const interpreted = interpret(schema, version)
      const property = fc.property(valuesOf(schema, version), (value) => {
        one.reset()
        other.reset()
        compiled.encode(value, one)
        interpreted.encode(value, other)
        const bytes = one.bytes()
        assert.equal(bytes.toString('hex'), other.bytes().toString('hex'))
        const decoded = compiled.decode(new Reader(bytes))
        assert.deepEqual(decoded, interpreted.decode(new Reader(bytes)))
        other.reset()
        compiled.encode(decoded, other)
        assert.equal(other.bytes().toString('hex'), bytes.toString('hex'))
      })
      fc.assert(property, { numRuns: 12 })
    }
  }
})

/**
 * What a codec says of `bytes`: the value, or that it refuses them. Any other error fails the
 * test.
 */
function verdict(decode: (reader: Reader) => unknown, bytes: Buffer): unknown {
  try {
    return decode(new Reader(bytes))
  } catch (error) {
    assert.ok(error instanceof WireError, String(error))
    return 'refused'
  }
}

function fullVectors(): MessageVector[] {
  return messageFiles().flatMap((file) =>
    vectors<MessageVector>(file).filter((vector) => vector.case === 'full'),
  )
}

function schemaOf(vector: MessageVector): Schema {
  const api = everyApi.find((one) => one.key === vector.key)
  assert.ok(api !== undefined)
  return vector.kind === 'request' ? api.request : api.response
}

test('a message cut off anywhere is refused with WireError by both codecs', () => {
  for (const vector of fullVectors()) {
    const bytes = Buffer.from(vector.hex, 'hex')
    const schema = schemaOf(vector)
    const compiled = compile(schema, vector.version)
    const interpreted = interpret(schema, vector.version)
    for (let end = 0; end < bytes.length; end++) {
      const cut = bytes.subarray(0, end)
      assert.equal(
        verdict((reader) => compiled.decode(reader), cut),
        'refused',
      )
      // The slow one is asked less often.
      if (end % 7 !== 0) continue
      assert.equal(
        verdict((reader) => interpreted.decode(reader), cut),
        'refused',
      )
    }
  }
})

test('damaged and random bytes give the same value or WireError in both codecs', () => {
  const all = fullVectors()
  const damage = fc.record({
    index: fc.nat(all.length - 1),
    at: fc.nat(),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
    random: fc.boolean(),
  })
  const property = fc.property(damage, ({ index, at, bytes, random }) => {
    const vector = all[index]
    assert.ok(vector !== undefined)
    const damaged = random ? Buffer.from(bytes) : Buffer.from(vector.hex, 'hex')
    if (!random)
      damaged.set(bytes.subarray(0, damaged.length), at % Math.max(1, damaged.length - 8))
    const schema = schemaOf(vector)
    const compiled = compile(schema, vector.version)
    const interpreted = interpret(schema, vector.version)
    assert.deepEqual(
      verdict((reader) => compiled.decode(reader), damaged),
      verdict((reader) => interpreted.decode(reader), damaged),
    )
  })
  fc.assert(property, { numRuns: 4000 })
})

test('every array element takes bytes, so that what was received bounds a stated count', () => {
  function walk(schema: Schema, version: number, fields: Fields, path: string): void {
    for (const [name, field] of Object.entries(fields)) {
      if (!inRange(field.versions, version)) continue
      const form = formOf(schema.dialect, inRange(schema.flexible, version))
      if (field.element !== undefined) {
        assert.ok(bytesMin(field.element, version, form) > 0, `${path}.${name} v${version}`)
      }
      walk(schema, version, field.fields ?? field.element?.fields ?? {}, `${path}.${name}`)
    }
  }
  for (const schema of schemas) {
    for (const version of versionsOf(schema)) walk(schema, version, schema.fields, schema.name)
  }
})
