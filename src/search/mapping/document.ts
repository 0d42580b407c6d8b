/**
 * Reads one document against a mapping: values for the storage's columns, and the fields it brings
 * that the mapping does not know yet.
 */
import { globMatches } from '../json/paths.ts'
import { isObject, type Json, type JsonObject, textOf } from '../json/value.ts'
import { findDateFormat } from '../dates/format.ts'
import { SearchError } from '../errors.ts'
import type { Field } from './field.ts'
import { mappingError } from './field.ts'
import type { FieldNode, Mapping, ObjectNode } from './mapping.ts'
import { type Scalar, toScalar, ValueError } from './values.ts'

/** Takes the values of the row at hand. */
export interface ValueSink {
  put(field: Field, value: Scalar): void
}

export interface DocumentRules {
  /**
   * refuse: a value that does not fit fails the document, as up to 7.16. ignore: the document is kept,
   * its field named in `_ignored`.
   */
  readonly misfits: 'refuse' | 'ignore'
  /** Where a value of the text stands, for messages that say so; `[line]:[column]`. */
  readonly placeOf: (path: readonly string[]) => string
}

interface Reading {
  readonly mapping: Mapping
  readonly sink: ValueSink
  readonly rules: DocumentRules
  readonly undo: (() => void)[]
  readonly ignored: Set<string>
  readonly path: string[]
}

/** Deeper objects are refused: the reader recurses. The original's limit is 20 by default. */
const depthMax = 100

/**
 * Puts the document's values into the sink. Returns the names of fields whose value was ignored.
 * When it throws, the mapping is as before. @throws SearchError mapper_parsing_exception
 */
export function readDocument(
  mapping: Mapping,
  source: JsonObject,
  sink: ValueSink,
  rules: DocumentRules,
): string[] {
  const undo: (() => void)[] = []
  const reading: Reading = { mapping, sink, rules, undo, ignored: new Set(), path: [] }
  try {
    readObject(reading, mapping.root, source)
  } catch (error) {
    for (const step of undo.reverse()) step()
    throw error
  }
  return [...reading.ignored]
}

function readObject(reading: Reading, node: ObjectNode, source: JsonObject): void {
  if (!node.enabled) return
  if (reading.path.length > depthMax) {
    throw mappingError(`Limit of mapping depth [${depthMax}] in index has been exceeded`)
  }
  for (const name in source) {
    const value = source[name]
    if (value === undefined) continue
    reading.path.push(name)
    const child = node.children.get(name)
    if (child === undefined) readUnknown(reading, node, name, value)
    else if (child.kind === 'field') readField(reading, child, value)
    else readChildObject(reading, child, value)
    reading.path.pop()
  }
}

function readChildObject(reading: Reading, node: ObjectNode, value: Json): void {
  if (value === null || !node.enabled) return
  if (Array.isArray(value)) {
    for (const item of value) readChildObject(reading, node, item)
  } else if (isObject(value)) {
    readObject(reading, node, value)
  } else if (reading.rules.misfits === 'ignore') {
    reading.ignored.add(node.name)
  } else {
    const name = node.name.slice(node.name.lastIndexOf('.') + 1)
    throw mappingError(
      `object mapping for [${node.name}] tried to parse field [${name}] as object, ` +
        'but found a concrete value',
    )
  }
}

function readField(reading: Reading, node: FieldNode, value: Json): void {
  if (value === null) {
    if (node.field.nullValue === undefined) return
    put(reading, node, node.field.nullValue)
  } else if (Array.isArray(value)) {
    for (const item of value) readField(reading, node, item)
  } else if (typeof value === 'object') {
    if (node.field.type !== 'unindexed') readMisfitObject(reading, node.field)
  } else {
    put(reading, node, value)
  }
}

function readMisfitObject(reading: Reading, field: Field): void {
  if (reading.rules.misfits === 'ignore' || field.ignoreMalformed) {
    reading.ignored.add(field.name)
    return
  }
  throw failedToParse(
    field,
    'illegal_state_exception',
    `Can't get text on a START_OBJECT at ${reading.rules.placeOf(reading.path)}`,
  )
}

function put(reading: Reading, node: FieldNode, value: string | number | boolean): void {
  putOne(reading, node.field, value)
  for (const field of node.subfields.values()) {
    if (field.column === field.number) putOne(reading, field, value)
  }
}

function putOne(reading: Reading, field: Field, value: string | number | boolean): void {
  try {
    const scalar = toScalar(field, value)
    if (scalar !== undefined) reading.sink.put(field, scalar)
  } catch (error) {
    if (!(error instanceof ValueError)) throw error
    if (reading.rules.misfits === 'ignore' || field.ignoreMalformed) {
      reading.ignored.add(field.name)
      return
    }
    const type = field.type === 'long' ? 'illegal_argument_exception' : error.type
    throw failedToParse(field, type, error.message)
  }
}

function failedToParse(field: Field, type: string, reason: string): SearchError {
  return new SearchError(400, 'mapper_parsing_exception', `failed to parse [${field.name}]`, {
    causedBy: { type, reason },
  })
}

/** A name the mapping does not know: dotted names are objects; the rest is mapped by its first value. */
function readUnknown(reading: Reading, parent: ObjectNode, name: string, value: Json): void {
  if (name === '') throw emptyName()
  const dot = name.indexOf('.')
  if (dot >= 0) {
    const head = name.slice(0, dot)
    const rest = name.slice(dot + 1)
    if (head === '' || rest === '') {
      throw new SearchError(400, 'mapper_parsing_exception', 'failed to parse', {
        causedBy: {
          type: 'illegal_argument_exception',
          reason: `object field starting or ending with a [.] makes object resolution ambiguous: [${name}]`,
        },
      })
    }
    readObject(reading, parent, { [head]: { [rest]: value } })
    return
  }
  const first = firstValue(value)
  if (first === undefined) return
  const dynamic = dynamicOf(reading, parent)
  if (dynamic === 'false') return
  if (dynamic === 'strict') {
    throw new SearchError(
      400,
      'strict_dynamic_mapping_exception',
      `mapping set to strict, dynamic introduction of [${name}] within ` +
        `[${parent.name === '' ? '_doc' : parent.name}] is not allowed`,
    )
  }
  try {
    const definition = dynamicDefinition(reading.mapping, parent, name, first)
    reading.mapping.addNode(parent, name, definition, reading.undo)
  } catch (error) {
    const overfull = error instanceof SearchError && error.reason.startsWith('Limit of total')
    if (!overfull || reading.rules.misfits === 'refuse') throw error
    reading.ignored.add(parent.name === '' ? name : `${parent.name}.${name}`)
    return
  }
  const child = parent.children.get(name)
  if (child?.kind === 'field') readField(reading, child, value)
  else if (child !== undefined) readChildObject(reading, child, value)
}

function emptyName(): SearchError {
  return new SearchError(400, 'mapper_parsing_exception', 'failed to parse', {
    causedBy: {
      type: 'illegal_argument_exception',
      reason: 'field name cannot be an empty string',
    },
  })
}

function firstValue(value: Json): Exclude<Json, null | Json[]> | undefined {
  if (value === null) return undefined
  if (!Array.isArray(value)) return value
  for (const item of value) {
    const first = firstValue(item)
    if (first !== undefined) return first
  }
  return undefined
}

function dynamicOf(reading: Reading, node: ObjectNode): string {
  if (node.dynamic !== undefined) return node.dynamic
  const { root } = reading.mapping
  let dynamic = root.dynamic ?? 'true'
  let at: ObjectNode = root
  for (const part of node.name === '' ? [] : node.name.split('.')) {
    const child = at.children.get(part)
    if (child?.kind !== 'object') break
    dynamic = child.dynamic ?? dynamic
    at = child
  }
  return dynamic
}

type DetectedType = 'object' | 'string' | 'long' | 'double' | 'boolean' | 'date'

const slashDates = 'yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis'

function dynamicDefinition(
  mapping: Mapping,
  parent: ObjectNode,
  name: string,
  value: string | number | boolean | JsonObject,
): JsonObject {
  const [detected, definition] = detect(mapping, value)
  const path = parent.name === '' ? name : `${parent.name}.${name}`
  for (const entry of mapping.dynamicTemplates) {
    const template = isObject(entry) ? Object.values(entry)[0] : undefined
    if (!isObject(template) || !templateFits(template, name, path, detected)) continue
    const made = isObject(template['mapping']) ? template['mapping'] : {}
    const filled = fillTemplate(made, name, detected)
    const type = textOf(definition['type'])
    return isObject(filled)
      ? { type: detected === 'string' ? 'text' : type, ...filled }
      : definition
  }
  return definition
}

function templateFits(
  template: JsonObject,
  name: string,
  path: string,
  detected: DetectedType,
): boolean {
  const type = template['match_mapping_type']
  if (type !== undefined && type !== '*' && type !== detected) return false
  const fits = (key: string, text: string): boolean => {
    const globs = template[key]
    const list = Array.isArray(globs) ? globs : [globs]
    return list.some((glob) => typeof glob === 'string' && globMatches(glob, text))
  }
  if (template['match'] !== undefined && !fits('match', name)) return false
  if (template['unmatch'] !== undefined && fits('unmatch', name)) return false
  if (template['path_match'] !== undefined && !fits('path_match', path)) return false
  return template['path_unmatch'] === undefined || !fits('path_unmatch', path)
}

function fillTemplate(value: Json, name: string, detected: DetectedType): Json {
  if (typeof value === 'string') {
    const type = detected === 'string' ? 'text' : detected
    return value.replaceAll('{name}', name).replaceAll('{dynamic_type}', type)
  }
  if (Array.isArray(value)) return value.map((item) => fillTemplate(item, name, detected))
  if (!isObject(value)) return value
  const filled: JsonObject = {}
  for (const [key, member] of Object.entries(value)) {
    filled[key] = fillTemplate(member, name, detected)
  }
  return filled
}

function detect(
  mapping: Mapping,
  value: string | number | boolean | JsonObject,
): [DetectedType, JsonObject] {
  if (typeof value === 'object') return ['object', { type: 'object' }]
  if (typeof value === 'boolean') return ['boolean', { type: 'boolean' }]
  if (typeof value === 'string') return detectString(mapping, value)
  return Number.isInteger(value) ? ['long', { type: 'long' }] : ['double', { type: 'float' }]
}

function detectString(mapping: Mapping, value: string): [DetectedType, JsonObject] {
  if (mapping.dateDetection && /[-:/]/.test(value) && /^\d{4}/.test(value)) {
    if (findDateFormat('strict_date_optional_time')?.parse(value) !== undefined) {
      return ['date', { type: 'date' }]
    }
    if (findDateFormat(slashDates)?.parse(value) !== undefined) {
      return ['date', { type: 'date', format: slashDates }]
    }
  }
  if (mapping.numericDetection && value.trim() !== '' && Number.isFinite(Number(value))) {
    return /^[+-]?\d+$/.test(value) ? ['long', { type: 'long' }] : ['double', { type: 'float' }]
  }
  const keyword = { type: 'keyword', ignore_above: 256 }
  return ['string', { type: 'text', fields: { keyword } }]
}
