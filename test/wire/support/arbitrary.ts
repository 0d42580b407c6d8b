// Generates values of a declaration, with only what the version can carry.
import fc from 'fast-check'
import type { Field, Fields, Schema } from '../../../src/wire/schema.ts'
import { inRange } from '../../../src/wire/schema.ts'

const text = fc.oneof(fc.string({ maxLength: 60 }), fc.string({ unit: 'grapheme', maxLength: 20 }))
const int64 = fc.oneof(
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
)
const uuid = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('base64url'))
const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array))

function scalar(field: Field, version: number): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case 'int8':
      return fc.integer({ min: -128, max: 127 })
    case 'int16':
      return fc.integer({ min: -32768, max: 32767 })
    case 'int32':
      return fc.integer()
    case 'uint16':
      return fc.nat(65535)
    case 'uint32':
      return fc.nat(0xffffffff)
    case 'int64':
      return int64
    case 'bigint64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    case 'float64':
      return fc.double({ noNaN: true })
    case 'bool':
      return fc.boolean()
    case 'uuid':
      return uuid
    case 'string':
      return text
    case 'bytes':
    case 'records':
      return bytes
    case 'array':
      return fc.array(value(field.element as Field, version), { maxLength: 3 })
    case 'struct':
      return struct(field.fields ?? {}, version)
  }
}

function value(field: Field, version: number): fc.Arbitrary<unknown> {
  const plain = scalar(field, version)
  return inRange(field.nullable, version) ? fc.option(plain, { freq: 4 }) : plain
}

function struct(fields: Fields, version: number): fc.Arbitrary<Record<string, unknown>> {
  const present = Object.entries(fields).filter(
    ([, field]) => inRange(field.versions, version) || field.ignorable,
  )
  const required = present.filter(
    ([, field]) =>
      field.default === null &&
      inRange(field.versions, version) &&
      !inRange(field.nullable, version),
  )
  return fc.record(
    Object.fromEntries(present.map(([name, field]) => [name, value(field, version)])),
    // Fields that are left out are written as their defaults, where those can be written.
    { requiredKeys: required.map(([name]) => name) },
  )
}

const unknownTags = fc.uniqueArray(
  fc.record({ tag: fc.integer({ min: 1000, max: 2 ** 31 - 1 }), data: bytes }),
  { maxLength: 3, selector: (one) => one.tag },
)

/** Values that `schema` can write in `version`. */
export function valuesOf(schema: Schema, version: number): fc.Arbitrary<Record<string, unknown>> {
  const plain = struct(schema.fields, version)
  if (!inRange(schema.flexible, version)) return plain
  return fc
    .tuple(plain, unknownTags)
    .map(([fields, tags]) =>
      tags.length === 0 ? fields : { ...fields, _unknownTaggedFields: tags },
    )
}
