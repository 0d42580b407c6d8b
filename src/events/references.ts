// Pure. Field references: `[a][b][0]`, or a bare name for a field at the top.

import type { EventFields, Value, ValueMap } from './values.ts'

/** A reference that is not well formed, such as `[x`. */
export class FieldReferenceError extends Error {
  override readonly name = 'FieldReferenceError'
}

/** A parsed reference. Build with `reference`, which caches. */
export interface Reference {
  readonly text: string
  readonly inMetadata: boolean
  /** Empty for the event's metadata as a whole. */
  readonly path: readonly Step[]
}

interface Step {
  readonly key: string
  /** Position in an array (negative from its end); undefined where the key is no whole number. */
  readonly index: number | undefined
  /** A name such as `constructor` or `__proto__`, which every object seems to have. */
  readonly inherited: boolean
}

const cache = new Map<string, Reference>()
const CACHE_ENTRIES_MAX = 10_000

/** @throws FieldReferenceError */
export function reference(text: string): Reference {
  const known = cache.get(text)
  if (known !== undefined) return known
  const keys = parseKeys(text)
  const inMetadata = keys[0] === '@metadata'
  const parsed = { text, inMetadata, path: (inMetadata ? keys.slice(1) : keys).map(step) }
  if (cache.size < CACHE_ENTRIES_MAX) cache.set(text, parsed)
  return parsed
}

export function isReference(text: string): boolean {
  try {
    reference(text)
    return true
  } catch (error) {
    if (error instanceof FieldReferenceError) return false
    throw error
  }
}

function step(key: string): Step {
  return {
    key,
    index: /^-?\d{1,9}$/.test(key) ? Number(key) : undefined,
    inherited: key in Object.prototype,
  }
}

/** Strict, as the original since 7.0: brackets must follow one another, and close. */
function parseKeys(text: string): string[] {
  if (!text.includes('[') && !text.includes(']')) return [text]
  const keys: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]
    if (char === '[') {
      if (start !== at) throw invalid(text)
      depth += 1
      start = at + 1
    } else if (char === ']') {
      if (depth === 0 || (start === at && text[at - 1] !== ']')) throw invalid(text)
      if (start < at) keys.push(text.slice(start, at))
      depth -= 1
      start = at + 1
    } else if (at > 0 && text[at - 1] === ']') throw invalid(text)
  }
  if (depth > 0) throw invalid(text)
  return keys
}

function invalid(text: string): FieldReferenceError {
  return new FieldReferenceError(`Invalid FieldReference: \`${text}\``)
}

/** Undefined where there is no such field. */
export function getField(event: EventFields, field: Reference): Value | undefined {
  const { path } = field
  let value: Value | undefined = field.inMetadata ? event.metadata : event.data
  for (let at = 0; at < path.length && value !== undefined; at += 1) {
    value = child(value, path[at] as Step)
  }
  return value
}

function child(value: Value, step: Step): Value | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (Array.isArray(value)) return step.index === undefined ? undefined : value.at(step.index)
  if (step.inherited && !Object.hasOwn(value, step.key)) return undefined
  return (value as ValueMap)[step.key]
}

export function hasField(event: EventFields, field: Reference): boolean {
  return getField(event, field) !== undefined
}

/** Creates the objects on the way; what stands in the way (a string) is replaced by an object. */
export function setField(event: EventFields, field: Reference, value: Value): void {
  const { path } = field
  const root = field.inMetadata ? event.metadata : event.data
  const last = path.length - 1
  if (last === 0 && !(path[0] as Step).inherited) {
    root[(path[0] as Step).key] = value
    return
  }
  if (last < 0) return
  let container: ValueMap | Value[] = root
  for (let at = 0; at < last; at += 1) container = containerAt(container, path[at] as Step)
  put(container, path[last] as Step, value)
}

function containerAt(parent: ValueMap | Value[], step: Step): ValueMap | Value[] {
  const found = child(parent, step)
  if (Array.isArray(found) || (typeof found === 'object' && found !== null && plain(found))) {
    return found
  }
  const created: ValueMap = {}
  put(parent, step, created)
  return created
}

function plain(value: object): value is ValueMap {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype
}

/** How far beyond its end an array may be written; a larger index would only cost memory. */
const ARRAY_GROWTH_MAX = 1000

function put(parent: ValueMap | Value[], step: Step, value: Value): void {
  if (Array.isArray(parent)) {
    const index = step.index ?? Number.NaN
    const position = index < 0 ? parent.length + index : index
    if (!(position >= 0 && position <= parent.length + ARRAY_GROWTH_MAX)) {
      throw new FieldReferenceError(`could not set index \`${step.key}\` of an array`)
    }
    while (parent.length < position) parent.push(null)
    parent[position] = value
  } else if (step.inherited) {
    Object.defineProperty(parent, step.key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    })
  } else parent[step.key] = value
}

/** Takes the field out of the event; undefined where it was not there. */
export function removeField(event: EventFields, field: Reference): Value | undefined {
  const { path } = field
  const last = path.length - 1
  if (last < 0) return undefined
  let parent: Value | undefined = field.inMetadata ? event.metadata : event.data
  for (let at = 0; at < last && parent !== undefined; at += 1) {
    parent = child(parent, path[at] as Step)
  }
  if (parent === undefined) return undefined
  const step = path[last] as Step
  const value = child(parent, step)
  if (value === undefined) return undefined
  if (Array.isArray(parent)) parent.splice(step.index ?? parent.length, 1)
  else delete (parent as ValueMap)[step.key]
  return value
}
