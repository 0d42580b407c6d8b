// Pure. What an index is, apart from its documents: name, settings, mapping, aliases; as it is stored.
import { isObject, type Json, type JsonObject, parseJson, textOf } from '../json/value.ts'
import type { StoredMapping } from '../mapping/mapping.ts'

export interface IndexDefinition {
  readonly name: string
  readonly createdMs: number
  readonly versionId: string
  /** The mapping type of old clients. */
  readonly typeName: string
  /** Flat: `index.number_of_shards` to its text. */
  readonly settings: Readonly<Record<string, string>>
  readonly aliases: Readonly<Record<string, JsonObject>>
  readonly mapping: StoredMapping
  readonly closed: boolean
}

export function storeDefinition(definition: IndexDefinition): string {
  return JSON.stringify(definition)
}

export function loadDefinition(text: string): IndexDefinition {
  const json = parseJson(text)
  if (!isObject(json)) throw new Error('an index definition is not an object')
  const mapping = objectOf(json['mapping'])
  return {
    name: textOf(json['name']),
    createdMs: Number(json['createdMs']),
    versionId: textOf(json['versionId']),
    typeName: textOf(json['typeName']),
    settings: textsOf(json['settings']),
    aliases: objectsOf(json['aliases']),
    mapping: {
      definition: objectOf(mapping['definition']),
      numbers: numbersOf(mapping['numbers']),
      nextNumber: Number(mapping['nextNumber']),
    },
    closed: json['closed'] === true,
  }
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {}
}

function textsOf(value: Json | undefined): Record<string, string> {
  const entries = Object.entries(objectOf(value))
  return Object.fromEntries(entries.map(([name, text]) => [name, textOf(text)]))
}

function numbersOf(value: Json | undefined): Record<string, number> {
  const entries = Object.entries(objectOf(value))
  return Object.fromEntries(entries.map(([name, number]) => [name, Number(number)]))
}

function objectsOf(value: Json | undefined): Record<string, JsonObject> {
  const entries = Object.entries(objectOf(value))
  return Object.fromEntries(entries.map(([name, object]) => [name, objectOf(object)]))
}

/** `{index:{number_of_shards:1}}`, `{number_of_shards:1}` and dotted forms to `index.number_of_shards`. */
export function flattenSettings(settings: JsonObject): Record<string, string> {
  const flat: Record<string, string> = {}
  const walk = (value: Json, path: string): void => {
    if (isObject(value)) {
      for (const [name, member] of Object.entries(value)) {
        walk(member, path === '' ? name : `${path}.${name}`)
      }
      return
    }
    if (value === null) return
    const name = path.startsWith('index.') ? path : `index.${path}`
    if (Array.isArray(value)) value.forEach((item, at) => walk(item, `${path}.${at}`))
    else flat[name] = String(value)
  }
  walk(settings, '')
  return flat
}

/** The flat form as nested objects, the values as texts. */
export function nestSettings(flat: Readonly<Record<string, string>>): JsonObject {
  const nested: JsonObject = {}
  for (const [name, value] of Object.entries(flat).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const parts = name.split('.')
    let at = nested
    for (const part of parts.slice(0, -1)) {
      const next = at[part]
      const made: JsonObject = isObject(next) ? next : {}
      at[part] = made
      at = made
    }
    at[parts.at(-1) ?? name] = value
  }
  return nested
}
