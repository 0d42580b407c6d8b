// What the compiled and the interpreted codec have in common: their shape and their refusals.
import { WireError } from './errors.ts'
import type { Reader } from './reader.ts'
import type { Dialect, Field, Schema, UnknownTaggedField } from './schema.ts'
import { inRange } from './schema.ts'
import type { Writer } from './writer.ts'

/** Both directions throw WireError. `encode` takes a missing property as its default. */
export interface Codec<Value, Input = Value> {
  encode(value: Input, writer: Writer): void
  decode(reader: Reader): Value
}

/** Lengths and counts: int32 (and int16 for strings), or Kafka's compact ones, or ZooKeeper's. */
export type Form = 'classic' | 'compact' | 'jute'

export function formOf(dialect: Dialect, flexible: boolean): Form {
  if (dialect === 'jute') return 'jute'
  return flexible ? 'compact' : 'classic'
}

export function checkVersion(schema: Schema, version: number): void {
  if (inRange(schema.versions, version) && Number.isInteger(version)) return
  throw new WireError(`${schema.name} has no version ${version}`, 0)
}

export function isTagged(field: Field, version: number): boolean {
  return field.tag !== undefined && inRange(field.tagged, version)
}

/** The fields in the tagged section of `version`, in tag order. */
export function taggedFields(
  fields: Readonly<Record<string, Field>>,
  version: number,
): readonly (readonly [string, Field])[] {
  return Object.entries(fields)
    .filter(([, field]) => inRange(field.versions, version) && isTagged(field, version))
    .sort(([, one], [, other]) => (one.tag ?? 0) - (other.tag ?? 0))
}

export function refuseNull(path: string, position: number): never {
  throw new WireError(`${path} must not be null`, position)
}

export function refuseAbsent(path: string, version: number, position: number): never {
  throw new WireError(`${path} cannot be written in version ${version}`, position)
}

export function refuseShape(path: string, wanted: string, position: number): never {
  throw new WireError(`${path} is not ${wanted}`, position)
}

export function refuseTagSize(path: string, position: number): never {
  throw new WireError(`a tagged field of ${path} does not have the size it states`, position)
}

/** The unknown fields in tag order, none with a tag twice or one that `known` has. */
export function orderedUnknown(
  fields: readonly UnknownTaggedField[],
  known: readonly number[],
  position: number,
): readonly UnknownTaggedField[] {
  const ordered = fields.toSorted((one, other) => one.tag - other.tag)
  for (const [index, { tag }] of ordered.entries()) {
    if (known.includes(tag) || ordered[index - 1]?.tag === tag) {
      throw new WireError(`tag ${tag} stands twice`, position)
    }
  }
  return ordered
}

/** Writes `fields[first…]` whose tags are below `tag`; returns the index of the next one. */
export function writeUnknownBelow(
  fields: readonly UnknownTaggedField[],
  first: number,
  tag: number,
  writer: Writer,
): number {
  let at = first
  for (let field = fields[at]; field !== undefined && field.tag < tag; field = fields[at]) {
    writer.unsignedVarint(field.tag)
    writer.unsignedVarint(field.data.length)
    writer.raw(field.data)
    at += 1
  }
  return at
}

const FIXED_BYTES: Readonly<Partial<Record<Field['kind'], number>>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  bigint64: 8,
  float64: 8,
  uuid: 16,
}

/** The fewest bytes that one value can take: what a stated count is checked with. */
export function bytesMin(field: Field, version: number, form: Form): number {
  const fixed = FIXED_BYTES[field.kind]
  if (fixed !== undefined) return fixed
  if (field.kind === 'struct') {
    if (inRange(field.nullable, version)) return 1
    let sum = form === 'compact' ? 1 : 0
    for (const inner of Object.values(field.fields ?? {})) {
      if (!inRange(inner.versions, version) || isTagged(inner, version)) continue
      sum += bytesMin(inner, version, form)
    }
    return sum
  }
  if (form === 'compact') return field.classic ? 2 : 1
  return form === 'classic' && field.kind === 'string' ? 2 : 4
}
