// Pure. Options of plugins: declared once with type and default, checked and converted here.

import { isReference } from '../events/references.ts'
import { ExactNumber } from '../events/values.ts'
import type { ConfigHash, ConfigValue, PluginConfig } from './configuration.ts'
import { ConfigurationError } from './grammar/parse.ts'

/** A value that must not be printed. */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  reveal(): string {
    return this.#text
  }

  toString(): string {
    return '<password>'
  }

  toJSON(): string {
    return '<password>'
  }
}

interface TypesByName {
  string: string
  number: number
  boolean: boolean
  array: ConfigValue[]
  hash: ConfigHash
  password: Secret
  codec: PluginConfig
  uri: string
  field_reference: string
}

export interface OptionDeclaration {
  /** A name of a type, or the texts that are allowed. */
  readonly type: keyof TypesByName | readonly string[]
  readonly default?: string | number | boolean | readonly string[] | Readonly<Record<string, never>>
  readonly required?: true
  /** One value or several; always an array for the plugin. */
  readonly list?: true
  /** Accepted and not acted on yet; using it gives a warning. */
  readonly idle?: true
  /** Its neglect would weaken security or durability: using it is refused until it is built. */
  readonly refused?: true
}

export type OptionDeclarations = Readonly<Record<string, OptionDeclaration>>

type TypeOf<D extends OptionDeclaration> = D['type'] extends readonly (infer Text)[]
  ? Text
  : D['type'] extends keyof TypesByName
    ? TypesByName[D['type']]
    : never

type ValueOf<D extends OptionDeclaration> = D extends { list: true } ? TypeOf<D>[] : TypeOf<D>

type MayBeMissing<D extends OptionDeclaration> = D extends
  | { readonly required: true }
  | { readonly default: string | number | boolean | readonly string[] | object }
  ? never
  : undefined

export type OptionsOf<D extends OptionDeclarations> = {
  readonly [K in keyof D]: ValueOf<D[K]> | MayBeMissing<D[K]>
}

export type PluginType = 'input' | 'filter' | 'output' | 'codec'

export interface CheckedOptions {
  readonly values: Readonly<Record<string, unknown>>
  readonly warnings: readonly string[]
}

/** A configuration whose plugins cannot be built; details are the lines to log in front of it. */
export class PluginOptionsError extends ConfigurationError {
  readonly details: readonly string[]

  constructor(details: readonly string[]) {
    super(
      'Unable to configure plugins: (ConfigurationError) Something is wrong with your configuration.',
    )
    this.details = details
  }
}

/** @throws PluginOptionsError */
export function checkOptions(
  type: PluginType,
  plugin: PluginConfig,
  declarations: OptionDeclarations,
): CheckedOptions {
  const { name } = plugin
  const errors: string[] = []
  const warnings: string[] = []
  for (const key of plugin.attributes.keys()) {
    if (!Object.hasOwn(declarations, key)) errors.push(`Unknown setting '${key}' for ${name}`)
  }
  if (errors.length > 0) throw new PluginOptionsError(errors)
  const values: Record<string, unknown> = {}
  for (const [key, declaration] of Object.entries(declarations)) {
    const given = plugin.attributes.get(key)
    if (given === undefined) {
      if (declaration.required) errors.push(missingText(type, name, key))
      values[key] = defaultOf(declaration)
      continue
    }
    if (declaration.refused) {
      errors.push(`The setting '${key}' of the ${name} ${type} plugin is not supported yet`)
      continue
    }
    if (declaration.idle) {
      warnings.push(`The setting '${key}' of the ${name} ${type} plugin is not acted on yet`)
    }
    const result = convert(given, declaration)
    if ('value' in result) values[key] = result.value
    else errors.push(invalidText(type, name, { key, given, declaration, note: result.note }))
  }
  if (errors.length > 0) throw new PluginOptionsError(errors)
  return { values, warnings }
}

function defaultOf(declaration: OptionDeclaration): unknown {
  const { type } = declaration
  const value = declaration.default
  if (value === undefined) return undefined
  if (type === 'hash') return new Map()
  if (type === 'codec') {
    const name = typeof value === 'string' ? value : ''
    return { kind: 'plugin', name, attributes: new Map(), line: 0, column: 0 }
  }
  return Array.isArray(value) ? [...value] : value
}

type Converted = { readonly value: unknown } | { readonly note: string }

function convert(given: ConfigValue, declaration: OptionDeclaration): Converted {
  if (!declaration.list) return convertOne(given, declaration.type)
  const items = Array.isArray(given) ? given : [given]
  const values: unknown[] = []
  for (const item of items) {
    const result = convertOne(item, declaration.type)
    if ('note' in result) return result
    values.push(result.value)
  }
  return { value: values }
}

function convertOne(given: ConfigValue, type: OptionDeclaration['type']): Converted {
  if (type === 'array') return { value: Array.isArray(given) ? given : [given] }
  if (type === 'hash') return toHash(given)
  const [first, second] = Array.isArray(given) ? given : [given]
  if (first === undefined || second !== undefined) {
    return {
      note: `Expected ${typeof type === 'string' ? type : 'one value'}, got ${shown(given)}`,
    }
  }
  if (typeof type !== 'string') {
    if (typeof first === 'string' && type.includes(first)) return { value: first }
    return { note: `Expected one of ${JSON.stringify(type)}, got [${shown(first)}]` }
  }
  if (type === 'codec') return toCodec(first)
  if (first instanceof Map || Array.isArray(first) || isPlugin(first)) {
    return { note: `Expected ${type}, got ${shown(first)}` }
  }
  return toScalar(first, type)
}

function toScalar(
  value: string | number | boolean | ExactNumber,
  type: Exclude<keyof TypesByName, 'array' | 'hash' | 'codec'>,
): Converted {
  const text = value instanceof ExactNumber ? value.text : String(value)
  switch (type) {
    case 'number': {
      const number = /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN
      return Number.isNaN(number)
        ? { note: `Expected number, got ${shown(value)} (type ${text})` }
        : { value: number }
    }
    case 'boolean':
      return text === 'true' || text === 'false'
        ? { value: text === 'true' }
        : { note: `Expected boolean 'true' or 'false', got ${shown(value)}` }
    case 'password':
      return { value: new Secret(text) }
    case 'field_reference':
      return isReference(text)
        ? { value: text }
        : { note: `Expected a valid field reference, got \`${shown(value)}\`` }
    case 'string':
    case 'uri':
      return { value: text }
  }
}

function toCodec(value: ConfigValue): Converted {
  if (isPlugin(value)) return { value }
  if (typeof value !== 'string') return { note: `Expected a codec, got ${shown(value)}` }
  return { value: { kind: 'plugin', name: value, attributes: new Map(), line: 0, column: 0 } }
}

/** A list of keys and values will do for a hash, as in old configurations. */
function toHash(given: ConfigValue): Converted {
  if (given instanceof Map) return { value: given }
  const items = Array.isArray(given) ? given : [given]
  if (items.length % 2 === 1) {
    return { note: `This field must contain an even number of items, got ${items.length}` }
  }
  const hash: ConfigHash = new Map()
  for (let at = 0; at < items.length; at += 2) {
    const item = items[at]
    const key = typeof item === 'string' ? item : shown(item ?? '')
    const value = items[at + 1] ?? ''
    const before = hash.get(key)
    hash.set(key, before === undefined ? value : [before, value].flat())
  }
  return { value: hash }
}

export function isPlugin(value: ConfigValue): value is PluginConfig {
  return (
    typeof value === 'object' &&
    !Array.isArray(value) &&
    !(value instanceof Map) &&
    !(value instanceof ExactNumber)
  )
}

/** As Ruby's inspect would print it, roughly. */
function shown(value: ConfigValue): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof ExactNumber) return value.text
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`
  if (value instanceof Map) {
    return `{${[...value].map(([key, item]) => `"${key}"=>${shown(item)}`).join(', ')}}`
  }
  return isPlugin(value) ? value.name : String(value)
}

function missingText(type: PluginType, plugin: string, key: string): string {
  return `Missing a required setting for the ${plugin} ${type} plugin:

  ${type} {
    ${plugin} {
      ${key} => # SETTING MISSING
      ...
    }
  }`
}

interface InvalidOption {
  readonly key: string
  readonly given: ConfigValue
  readonly declaration: OptionDeclaration
  readonly note: string
}

function invalidText(type: PluginType, plugin: string, option: InvalidOption): string {
  const { key, given, declaration, note } = option
  const value = declaration.type === 'password' ? '<password>' : shown(given)
  return `Invalid setting for ${plugin} ${type} plugin:

  ${type} {
    ${plugin} {
      # This setting must be a ${typeof declaration.type === 'string' ? declaration.type : JSON.stringify(declaration.type)}
      # ${declaration.type === 'password' ? 'Expected password (one value)' : note}
      ${key} => ${value}
      ...
    }
  }`
}
