// Messages as JSON, in the form of the reference vectors: bytes as base64, integers beyond 2^53 as
// decimal strings, only the fields that the version has.
import { WireError } from '../../wire/errors.ts'
import type { Field, Fields, UnknownTaggedField } from '../../wire/schema.ts'
import { inRange } from '../../wire/schema.ts'

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [name: string]: Json
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const UNKNOWN = '_unknownTaggedFields'

function toJson(field: Field, version: number, value: unknown): Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'bigint') return bigintJson(value)
  if (Buffer.isBuffer(value)) return value.toString('base64')
  if (Array.isArray(value)) {
    const { element } = field
    return element === undefined ? [] : value.map((one) => toJson(element, version, one))
  }
  return structToJson(field.fields ?? {}, version, value as Record<string, unknown>)
}

export function bigintJson(value: bigint): number | string {
  const short = Number(value)
  return Number.isSafeInteger(short) ? short : value.toString()
}

/** A decoded struct as JSON. */
export function structToJson(
  fields: Fields,
  version: number,
  value: Readonly<Record<string, unknown>>,
): JsonObject {
  const json: Record<string, Json> = {}
  for (const [name, field] of Object.entries(fields)) {
    if (inRange(field.versions, version)) json[name] = toJson(field, version, value[name])
  }
  const unknown = value[UNKNOWN] as readonly UnknownTaggedField[] | undefined
  if (unknown !== undefined && unknown.length > 0) {
    json[UNKNOWN] = unknown.map(({ tag, data }) => ({ tag, data: data.toString('base64') }))
  }
  return json
}

function refuse(path: string, wanted: string): never {
  throw new WireError(`${path} is not ${wanted}`, 0)
}

function bytesFrom(path: string, json: Json): Buffer {
  if (typeof json !== 'string') return refuse(path, 'base64')
  const bytes = Buffer.from(json, 'base64')
  const same = bytes.toString('base64').replace(/=+$/, '') === json.replace(/=+$/, '')
  return same ? bytes : refuse(path, 'base64')
}

function fromJson(path: string, field: Field, json: Json): unknown {
  if (json === null) return null
  switch (field.kind) {
    case 'bytes':
    case 'records':
      return bytesFrom(path, json)
    case 'array': {
      const { element } = field
      if (!Array.isArray(json) || element === undefined) return refuse(path, 'an array')
      return json.map((one: Json) => fromJson(path, element, one))
    }
    case 'struct':
      return structFromJson(path, field.fields ?? {}, json)
    case 'int64':
    case 'bigint64':
      if (typeof json === 'string' && /^-?\d{1,20}$/.test(json)) return BigInt(json)
      return typeof json === 'number' ? json : refuse(path, 'an integer')
    case 'float64':
      if (json === 'NaN' || json === 'Infinity' || json === '-Infinity') return Number(json)
      return typeof json === 'number' ? json : refuse(path, 'a number')
    case 'bool':
    case 'uuid':
    case 'string':
    case 'int8':
    case 'int16':
    case 'int32':
    case 'uint16':
    case 'uint32':
      // The codec itself refuses what does not fit.
      return json
  }
}

function unknownFrom(path: string, json: Json): UnknownTaggedField[] {
  if (!Array.isArray(json)) return refuse(path, 'an array')
  return json.map((one: Json) => {
    const given = isJsonObject(one) ? one : refuse(path, 'a list of tags')
    const { tag, data } = given
    if (typeof tag !== 'number') return refuse(path, 'a list of tags')
    return { tag, data: bytesFrom(path, data ?? null) }
  })
}

/** The reverse of `structToJson`. Missing fields are left out, to be written as their defaults. */
export function structFromJson(path: string, fields: Fields, json: Json): Record<string, unknown> {
  if (!isJsonObject(json)) return refuse(path, 'an object')
  const value: Record<string, unknown> = {}
  for (const [name, given] of Object.entries(json)) {
    const at = `${path}.${name}`
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (field !== undefined) value[name] = fromJson(at, field, given)
    else if (name === UNKNOWN) value[name] = unknownFrom(at, given)
    else refuse(at, 'a known field')
  }
  return value
}
