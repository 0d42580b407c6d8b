/**
 * One index's mapping: the tree of objects and fields, as JSON for the API and as fields for reading
 * documents and resolving queries. It only ever grows.
 */
import type { Analyzer } from '../analysis/analyzer.ts'
import { illegalArgument } from '../errors.ts'
import { isObject, type Json, type JsonObject, textOf } from '../json/value.ts'
import { type Field, makeField, mappingError } from './field.ts'

export type Dynamic = 'true' | 'false' | 'strict'

export interface ObjectNode {
  readonly kind: 'object'
  readonly name: string
  dynamic: Dynamic | undefined
  nested: boolean
  enabled: boolean
  readonly children: Map<string, MappingNode>
}

export interface FieldNode {
  readonly kind: 'field'
  definition: JsonObject
  readonly field: Field
  readonly subfields: Map<string, Field>
}

export type MappingNode = ObjectNode | FieldNode

export interface MappingSettings {
  readonly fieldsMax: number
  readonly analyzers: ReadonlyMap<string, Analyzer>
}

/** What is written to the index's file. */
export interface StoredMapping {
  readonly definition: JsonObject
  /** Field name to its number: numbers name columns, so they must come back the same. */
  readonly numbers: Readonly<Record<string, number>>
  readonly nextNumber: number
}

export class Mapping {
  readonly root: ObjectNode
  readonly fields = new Map<string, Field>()
  /** Everything beside `properties`: dynamic_templates, _meta, date_detection … */
  readonly #parameters: JsonObject = {}
  readonly #numbers = new Map<string, number>()
  readonly #settings: MappingSettings
  #nextNumber = 1
  /** Grows with every change, so that a holder knows when to write it down. */
  revision = 0

  constructor(settings: MappingSettings, stored?: StoredMapping) {
    this.#settings = settings
    this.root = newObject('')
    if (stored !== undefined) {
      for (const [name, number] of Object.entries(stored.numbers)) this.#numbers.set(name, number)
      this.#nextNumber = stored.nextNumber
      this.merge(stored.definition)
    }
  }

  get dateDetection(): boolean {
    return this.#parameters['date_detection'] !== false
  }

  get numericDetection(): boolean {
    return this.#parameters['numeric_detection'] === true
  }

  get dynamicTemplates(): readonly Json[] {
    const templates = this.#parameters['dynamic_templates']
    return Array.isArray(templates) ? templates : []
  }

  get isEmpty(): boolean {
    return this.root.children.size === 0 && Object.keys(this.#parameters).length === 0
  }

  /** Adds what a mapping's JSON declares. All or nothing. @throws SearchError */
  merge(definition: JsonObject): void {
    const { properties, ...parameters } = definition
    const undo: (() => void)[] = []
    try {
      if (isObject(properties)) this.#mergeProperties(this.root, properties, undo)
    } catch (error) {
      for (const step of undo.reverse()) step()
      throw error
    }
    if (parameters['dynamic'] !== undefined) this.root.dynamic = dynamicOf(parameters['dynamic'])
    Object.assign(this.#parameters, parameters)
    this.revision++
  }

  /** Adds one field (or object) under a parent; the step back is put on `undo`. */
  addNode(parent: ObjectNode, name: string, definition: JsonObject, undo: (() => void)[]): void {
    const path = parent.name === '' ? name : `${parent.name}.${name}`
    const node = this.#makeNode(path, definition, undo)
    parent.children.set(name, node)
    undo.push(() => parent.children.delete(name))
    this.revision++
  }

  toJson(): JsonObject {
    const json: JsonObject = { ...this.#parameters }
    if (this.root.children.size > 0) json['properties'] = propertiesJson(this.root)
    return json
  }

  store(): StoredMapping {
    return {
      definition: this.toJson(),
      numbers: Object.fromEntries(this.#numbers),
      nextNumber: this.#nextNumber,
    }
  }

  #mergeProperties(parent: ObjectNode, properties: JsonObject, undo: (() => void)[]): void {
    for (const [name, definition] of Object.entries(properties)) {
      if (!isObject(definition)) {
        throw mappingError(`Expected map for property [fields] on field [${name}] but got a value`)
      }
      this.#mergeProperty(parent, name, definition, undo)
    }
  }

  #mergeProperty(
    parent: ObjectNode,
    name: string,
    definition: JsonObject,
    undo: (() => void)[],
  ): void {
    const dot = name.indexOf('.')
    if (dot > 0) {
      const inner = { properties: { [name.slice(dot + 1)]: definition } }
      this.#mergeProperty(parent, name.slice(0, dot), inner, undo)
      return
    }
    const existing = parent.children.get(name)
    if (existing === undefined) {
      this.addNode(parent, name, definition, undo)
    } else if (existing.kind === 'object') {
      if (definition['type'] !== undefined && !isObjectType(definition['type'])) {
        throw illegalArgument(
          `Can't merge a non object mapping [${existing.name}] with an object mapping ` +
            `[${existing.name}]`,
        )
      }
      if (definition['dynamic'] !== undefined) existing.dynamic = dynamicOf(definition['dynamic'])
      const { properties } = definition
      if (isObject(properties)) this.#mergeProperties(existing, properties, undo)
    } else {
      this.#mergeField(existing, definition, undo)
    }
  }

  #mergeField(existing: FieldNode, definition: JsonObject, undo: (() => void)[]): void {
    const { field } = existing
    const type = textOf(definition['type'] ?? 'object')
    if (type !== field.declaredType) {
      throw illegalArgument(
        `mapper [${field.name}] of different type, current_type [${field.declaredType}], ` +
          `merged_type [${type === 'object' ? 'ObjectMapper' : type}]`,
      )
    }
    const before = existing.definition
    this.#addSubfields(existing, definition, undo)
    const fields = isObject(before['fields']) ? before['fields'] : {}
    const added = isObject(definition['fields']) ? definition['fields'] : {}
    const merged = { ...before, ...definition, fields: { ...fields, ...added } }
    existing.definition =
      Object.keys(merged.fields).length > 0 ? merged : { ...before, ...definition }
    undo.push(() => {
      existing.definition = before
    })
  }

  #makeNode(path: string, definition: JsonObject, undo: (() => void)[]): MappingNode {
    const type = definition['type']
    if (type === undefined ? definition['properties'] !== undefined : isObjectType(type)) {
      const node = newObject(path)
      node.nested = type === 'nested'
      node.enabled = definition['enabled'] !== false
      if (definition['dynamic'] !== undefined) node.dynamic = dynamicOf(definition['dynamic'])
      const { properties } = definition
      if (isObject(properties)) this.#mergeProperties(node, properties, undo)
      return node
    }
    if (type === undefined) {
      throw mappingError(`No type specified for field [${path.slice(path.lastIndexOf('.') + 1)}]`)
    }
    const field = makeField(definition, {
      name: path,
      number: this.#numberOf(path),
      analyzers: this.#settings.analyzers,
    })
    const node: FieldNode = { kind: 'field', definition, field, subfields: new Map() }
    this.#register(field, undo)
    this.#addSubfields(node, definition, undo)
    return node
  }

  #addSubfields(node: FieldNode, definition: JsonObject, undo: (() => void)[]): void {
    const fields = definition['fields']
    if (!isObject(fields)) return
    for (const [name, sub] of Object.entries(fields)) {
      if (!isObject(sub) || node.subfields.has(name)) continue
      const path = `${node.field.name}.${name}`
      const field = makeField(sub, {
        name: path,
        number: this.#numberOf(path),
        parent: node.field,
        analyzers: this.#settings.analyzers,
      })
      node.subfields.set(name, field)
      undo.push(() => node.subfields.delete(name))
      this.#register(field, undo)
    }
  }

  #register(field: Field, undo: (() => void)[]): void {
    if (this.fields.size >= this.#settings.fieldsMax) {
      throw illegalArgument(
        `Limit of total fields [${this.#settings.fieldsMax}] in index has been exceeded`,
      )
    }
    this.fields.set(field.name, field)
    undo.push(() => this.fields.delete(field.name))
  }

  #numberOf(path: string): number {
    let number = this.#numbers.get(path)
    if (number === undefined) {
      number = this.#nextNumber++
      this.#numbers.set(path, number)
    }
    return number
  }
}

function newObject(name: string): ObjectNode {
  return {
    kind: 'object',
    name,
    dynamic: undefined,
    nested: false,
    enabled: true,
    children: new Map(),
  }
}

function isObjectType(type: Json | undefined): boolean {
  return type === 'object' || type === 'nested'
}

function dynamicOf(value: Json): Dynamic {
  const text = textOf(value)
  if (text === 'true' || text === 'false' || text === 'strict') return text
  throw mappingError(`Could not convert [dynamic] to boolean: [${text}]`)
}

function propertiesJson(node: ObjectNode): JsonObject {
  const json: JsonObject = {}
  for (const [name, child] of [...node.children].sort(([a], [b]) => (a < b ? -1 : 1))) {
    json[name] = child.kind === 'field' ? child.definition : objectJson(child)
  }
  return json
}

function objectJson(node: ObjectNode): JsonObject {
  const json: JsonObject = {}
  if (node.nested) json['type'] = 'nested'
  else if (node.children.size === 0) json['type'] = 'object'
  if (node.dynamic !== undefined) json['dynamic'] = node.dynamic
  if (!node.enabled) json['enabled'] = false
  if (node.children.size > 0) json['properties'] = propertiesJson(node)
  return json
}
