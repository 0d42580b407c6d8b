// Keys and values of internal topics, and the protocols of group members: an int16 version, then
// the record in that version.
import { compile } from '../../wire/compile.ts'
import { WireError } from '../../wire/errors.ts'
import { Reader } from '../../wire/reader.ts'
import type { InputOf, Schema, TypeOf } from '../../wire/schema.ts'
import { Writer } from '../../wire/writer.ts'

/** The version that stands in front: of a key, it also tells which kind of key it is. */
export function versionOf(bytes: Buffer): number {
  return new Reader(bytes).int16()
}

/** Throws WireError if the version cannot carry `value`. */
export function encodeVersioned<S extends Schema>(
  schema: S,
  version: number,
  value: InputOf<S>,
): Buffer {
  const writer = new Writer(64)
  writer.int16(version)
  compile(schema, version).encode(value, writer)
  return writer.bytes()
}

/**
 * Throws WireError for unknown versions and broken bytes. Versions newer than ours may be read as
 * our newest where the protocol promises that fields are only added at the end: then bytes may be
 * left.
 */
export function decodeVersioned<S extends Schema>(
  schema: S,
  bytes: Buffer,
  newer: 'refuse' | 'read as newest' = 'refuse',
): { version: number; value: TypeOf<S> } {
  const reader = new Reader(bytes)
  const version = reader.int16()
  const later = version > schema.versions.max && newer === 'read as newest'
  const value = compile(schema, later ? schema.versions.max : version).decode(reader)
  if (reader.remaining > 0 && !later) {
    throw new WireError(`${reader.remaining} bytes left over`, reader.position)
  }
  return { version, value }
}
