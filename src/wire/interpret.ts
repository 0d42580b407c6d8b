// The slow, obvious codec: walks the declaration for every value. The compiled one must agree
// with it.
import type { Codec, Form } from './codec.ts'
import * as support from './codec.ts'
import type { Reader } from './reader.ts'
import type { Field, Fields, InputOf, Schema, TypeOf, UnknownTaggedField } from './schema.ts'
import { defaultOf, inRange } from './schema.ts'
import type { Writer } from './writer.ts'

interface Where {
  readonly version: number
  readonly form: Form
  readonly path: string
  readonly insideTag?: boolean
}

type Struct = Record<string, unknown>

function isStruct(value: unknown): value is Struct {
  return typeof value === 'object' && value !== null
}

function isInteger(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || Number.isSafeInteger(value)
}

function isDefault(field: Field, value: unknown): boolean {
  if (value === undefined) return true
  if (field.default === null || value === null) return value === field.default
  if (field.kind === 'array') return Array.isArray(value) && value.length === 0
  if (field.kind === 'bytes') return value instanceof Uint8Array && value.length === 0
  if (field.kind === 'int64' || field.kind === 'bigint64') {
    // The same int64 may be a number here and a bigint there.
    return isInteger(value) && isInteger(field.default) && BigInt(value) === BigInt(field.default)
  }
  if (field.kind !== 'struct') return value === field.default
  if (!isStruct(value)) return false
  const unknown = value['_unknownTaggedFields']
  if (Array.isArray(unknown) && unknown.length > 0) return false
  return Object.entries(field.fields ?? {}).every(([name, inner]) => isDefault(inner, value[name]))
}

function at(where: Where, name: string): Where {
  return { ...where, path: `${where.path}.${name}`, insideTag: false }
}

// Encoding

function writeStruct(fields: Fields, value: unknown, writer: Writer, where: Where): void {
  const { version, form, path } = where
  if (!isStruct(value)) support.refuseShape(path, 'an object', writer.position)
  const unknown = (value['_unknownTaggedFields'] ?? []) as readonly UnknownTaggedField[]
  for (const [name, field] of Object.entries(fields)) {
    if (inRange(field.versions, version)) continue
    if (field.ignorable || isDefault(field, value[name])) continue
    support.refuseAbsent(`${path}.${name}`, version, writer.position)
  }
  for (const [name, field] of Object.entries(fields)) {
    if (!inRange(field.versions, version) || support.isTagged(field, version)) continue
    const given = value[name]
    writeValue(field, given === undefined ? defaultOf(field) : given, writer, at(where, name))
  }
  if (form === 'compact') {
    writeTags(fields, value, unknown, writer, where)
  } else if (unknown.length > 0) {
    support.refuseAbsent(`${path}._unknownTaggedFields`, version, writer.position)
  }
}

function writeTags(
  fields: Fields,
  value: Struct,
  unknown: readonly UnknownTaggedField[],
  writer: Writer,
  where: Where,
): void {
  const tagged = support.taggedFields(fields, where.version)
  const present = tagged.filter(([name, field]) => !isDefault(field, value[name]))
  const tags = tagged.map(([, field]) => field.tag ?? 0)
  const ordered = support.orderedUnknown(unknown, tags, writer.position)
  writer.unsignedVarint(present.length + ordered.length)
  let next = 0
  for (const [name, field] of present) {
    const tag = field.tag ?? 0
    next = support.writeUnknownBelow(ordered, next, tag, writer)
    writer.unsignedVarint(tag)
    const start = writer.beginSized()
    writeValue(field, value[name], writer, { ...at(where, name), insideTag: true })
    writer.endSized(start)
  }
  support.writeUnknownBelow(ordered, next, Number.POSITIVE_INFINITY, writer)
}

function writeValue(field: Field, value: unknown, writer: Writer, where: Where): void {
  const { form, path, version } = where
  const { kind } = field
  if (value === null && !inRange(field.nullable, version)) {
    support.refuseNull(path, writer.position)
  }
  if (kind === 'string') {
    if (form === 'compact' && !field.classic) writer.compactString(value as string | null)
    else if (form === 'jute') writer.juteString(value as string | null)
    else writer.shortString(value as string | null)
  } else if (kind === 'bytes' || kind === 'records') {
    if (form === 'compact') writer.compactBytes(value as Uint8Array | null)
    else writer.longBytes(value as Uint8Array | null)
  } else if (kind === 'array') {
    writeArray(field, value, writer, where)
  } else if (kind === 'struct') {
    if (inRange(field.nullable, version)) {
      if (where.insideTag === true) writer.uint8(value === null ? 0 : 1)
      else writer.int8(value === null ? -1 : 1)
      if (value === null) return
    }
    writeStruct(field.fields ?? {}, value, writer, where)
  } else if (kind === 'uuid') {
    writer.uuid(value as string)
  } else if (kind === 'bool') {
    writer.bool(value as boolean)
  } else {
    writer[kind === 'bigint64' ? 'int64' : kind](value as number)
  }
}

function writeArray(field: Field, value: unknown, writer: Writer, where: Where): void {
  const compact = where.form === 'compact'
  if (value !== null && !Array.isArray(value)) {
    support.refuseShape(where.path, 'an array', writer.position)
  }
  const count = value === null ? -1 : value.length
  if (compact) writer.unsignedVarint(count + 1)
  else writer.int32(count)
  const element = field.element as Field
  for (const one of value ?? []) writeValue(element, one, writer, { ...where, insideTag: false })
}

// Decoding

function readStruct(fields: Fields, reader: Reader, where: Where): Struct {
  const { version, form, path } = where
  const value: Struct = {}
  for (const [name, field] of Object.entries(fields)) {
    const here = inRange(field.versions, version) && !support.isTagged(field, version)
    value[name] = here ? readValue(field, reader, at(where, name)) : defaultOf(field)
  }
  if (form !== 'compact') return value
  const tagged = new Map(
    support.taggedFields(fields, version).map((entry) => [entry[1].tag, entry] as const),
  )
  const unknown: UnknownTaggedField[] = []
  for (let count = reader.unsignedVarint(); count > 0; count--) {
    const tag = reader.unsignedVarint()
    const size = reader.unsignedVarint()
    const end = reader.position + size
    if (end > reader.end) support.refuseTagSize(path, reader.position)
    const known = tagged.get(tag)
    if (known === undefined) unknown.push({ tag, data: reader.bytes(size) })
    else value[known[0]] = readValue(known[1], reader, { ...at(where, known[0]), insideTag: true })
    if (reader.position !== end) support.refuseTagSize(path, reader.position)
  }
  if (unknown.length > 0) value['_unknownTaggedFields'] = unknown
  return value
}

function readValue(field: Field, reader: Reader, where: Where): unknown {
  const value = readNullable(field, reader, where)
  if (value === null && !inRange(field.nullable, where.version)) {
    support.refuseNull(where.path, reader.position)
  }
  return value
}

function readNullable(field: Field, reader: Reader, where: Where): unknown {
  const { form } = where
  const { kind } = field
  if (kind === 'string') {
    if (form === 'compact' && !field.classic) return reader.compactString()
    return form === 'jute' ? reader.juteString() : reader.shortString()
  }
  if (kind === 'bytes' || kind === 'records') {
    return form === 'compact' ? reader.compactBytes() : reader.longBytes()
  }
  if (kind === 'array') {
    const element = field.element as Field
    const least = support.bytesMin(element, where.version, form)
    const count = form === 'compact' ? reader.compactCount(least) : reader.longCount(least)
    if (count === -1) return null
    const values: unknown[] = []
    while (values.length < count) {
      values.push(readValue(element, reader, { ...where, insideTag: false }))
    }
    return values
  }
  if (kind !== 'struct') return reader[kind]()
  if (inRange(field.nullable, where.version)) {
    const absent = where.insideTag === true ? reader.unsignedVarint() === 0 : reader.int8() < 0
    if (absent) return null
  }
  return readStruct(field.fields ?? {}, reader, { ...where, insideTag: false })
}

/** The codec of one version of `schema`; throws WireError if there is no such version. */
export function interpret<S extends Schema>(
  schema: S,
  version: number,
): Codec<TypeOf<S>, InputOf<S>> {
  support.checkVersion(schema, version)
  const form = support.formOf(schema.dialect, inRange(schema.flexible, version))
  const where: Where = { version, form, path: schema.name }
  return {
    encode: (value, writer) => writeStruct(schema.fields, value, writer, where),
    decode: (reader) => readStruct(schema.fields, reader, where) as TypeOf<S>,
  }
}
