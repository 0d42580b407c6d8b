// Pure. Reads typed settings out of the tree: variables put in, defaults filled in, and every
// mistake named with file, line and key.

import { UserError } from '../../runtime/service.ts'
import { type ConfigNode, type MapNode, type ScalarNode, findNode, placeText } from './tree.ts'
import { parseBytes, parseDurationMs } from './units.ts'

/** What belongs to a whole configuration. */
export interface ConfigContext {
  readonly root: MapNode
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly warnings: string[]
  /** Nodes somebody has asked for; the others are unknown keys. */
  readonly used: Set<ConfigNode>
}

export type PlainValue =
  | string
  | number
  | boolean
  | null
  | PlainValue[]
  | { [key: string]: PlainValue }

interface Limits {
  readonly min?: number
  readonly max?: number
}

const VARIABLE = /\$\$\{|\$\{([^}:]+)(?::([^}]*))?\}/g
const NESTED_MAX = 16

export class Section {
  readonly context: ConfigContext
  readonly node: MapNode | undefined
  /** The dotted path of this section, for messages. */
  readonly path: string

  constructor(context: ConfigContext, node: MapNode | undefined, path = '') {
    this.context = context
    this.node = node
    this.path = path
  }

  has(key: string): boolean {
    return findNode(this.node, key) !== undefined
  }

  /** The error of a setting: `filebeat.yml:3: output.kafka.hosts: …`. */
  fail(key: string, problem: string): UserError {
    const node = findNode(this.node, key) ?? this.node
    const where = node === undefined ? '' : `${placeText(node.at)}: `
    return new UserError(`${where}${this.#name(key)}: ${problem}`)
  }

  warn(key: string, problem: string): void {
    this.context.warnings.push(this.fail(key, problem).message)
  }

  text(key: string): string | undefined {
    const scalar = this.#scalar(key)
    return scalar === undefined ? undefined : this.#expand(scalar, key)
  }

  boolean(key: string, fallback: boolean): boolean {
    const text = this.text(key)
    if (text === undefined) return fallback
    if (/^(true|on|yes|t|1)$/i.test(text)) return true
    if (/^(false|off|no|f|0)$/i.test(text)) return false
    throw this.fail(key, `'${text}' is neither true nor false`)
  }

  integer(key: string, fallback: number, limits: Limits = {}): number {
    const text = this.text(key)
    if (text === undefined) return fallback
    if (!/^-?\d+$/.test(text)) throw this.fail(key, `'${text}' is not a whole number`)
    return this.#within(key, Number(text), limits)
  }

  /** In milliseconds. */
  duration(key: string, fallbackMs: number): number {
    const text = this.text(key)
    if (text === undefined) return fallbackMs
    const value = parseDurationMs(text)
    if (value === undefined) throw this.fail(key, `'${text}' is not a duration such as 10s or 5m`)
    return value
  }

  bytes(key: string, fallback: number, limits: Limits = {}): number {
    const text = this.text(key)
    if (text === undefined) return fallback
    const value = parseBytes(text)
    if (value === undefined) throw this.fail(key, `'${text}' is not a size such as 10MiB`)
    return this.#within(key, value, limits)
  }

  oneOf<const Choice extends string>(
    key: string,
    choices: readonly Choice[],
    fallback: NoInfer<Choice>,
  ): Choice {
    const text = this.text(key)
    if (text === undefined) return fallback
    const found = choices.find((choice) => choice === text)
    if (found === undefined) throw this.fail(key, `'${text}' is none of ${choices.join(', ')}`)
    return found
  }

  /** A single value is a list of one; one from a variable or the command line may hold commas. */
  texts(key: string): string[] {
    const node = this.#use(key)
    if (node === undefined) return []
    if (node.kind === 'map') throw this.fail(key, 'a list is expected')
    if (node.kind === 'scalar') {
      if (node.value === null) return []
      const text = this.#expand(node, key)
      if (text === node.source && node.at.line > 0) return [text]
      return text
        .replace(/^\[(.*)\]$/s, '$1')
        .split(',')
        .map((part) => part.trim().replace(/^(["'])(.*)\1$/s, '$2'))
        .filter((part) => part !== '')
    }
    return node.items.map((item) => {
      if (item.kind !== 'scalar') throw this.fail(key, 'a list of plain values is expected')
      return this.#expand(item, key)
    })
  }

  section(key: string): Section {
    const node = findNode(this.node, key)
    if (node === undefined || (node.kind === 'scalar' && node.value === null)) {
      this.#use(key)
      return new Section(this.context, undefined, this.#name(key))
    }
    if (node.kind !== 'map') throw this.fail(key, 'settings are expected here')
    return new Section(this.context, node, this.#name(key))
  }

  /** A list of sections: inputs, processors, parsers. */
  sections(key: string): Section[] {
    const node = findNode(this.node, key)
    if (node === undefined || (node.kind === 'scalar' && node.value === null)) return []
    if (node.kind !== 'list') throw this.fail(key, 'a list is expected')
    return node.items.map((item, index) => {
      if (item.kind !== 'map') throw this.fail(key, `settings are expected in entry ${index}`)
      return new Section(this.context, item, this.#name(`${key}.${index}`))
    })
  }

  /** Everything below the key as plain data, such as `fields`. */
  data(key: string): { [key: string]: PlainValue } {
    const node = this.#use(key)
    if (node === undefined || (node.kind === 'scalar' && node.value === null)) return {}
    if (node.kind !== 'map') throw this.fail(key, 'settings are expected here')
    return this.#plainMap(node, key)
  }

  keys(): string[] {
    return [...(this.node?.entries.keys() ?? [])]
  }

  /** Marks keys as known although nothing is done with them. */
  accept(keys: readonly string[]): void {
    for (const key of keys) this.#use(key)
  }

  /** Throws for the first of the keys that is set: its neglect would do harm. */
  refuse(keys: readonly string[], why: string): void {
    for (const key of keys) if (this.has(key)) throw this.fail(key, why)
  }

  #name(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`
  }

  #use(key: string): ConfigNode | undefined {
    const node = findNode(this.node, key)
    if (node !== undefined) this.context.used.add(node)
    return node
  }

  #scalar(key: string): ScalarNode | undefined {
    const node = this.#use(key)
    if (node === undefined || (node.kind === 'scalar' && node.value === null)) return undefined
    if (node.kind !== 'scalar') throw this.fail(key, 'a single value is expected')
    return node
  }

  #within(key: string, value: number, { min, max }: Limits): number {
    if (min !== undefined && value < min) throw this.fail(key, `${value} is less than ${min}`)
    if (max !== undefined && value > max) throw this.fail(key, `${value} is more than ${max}`)
    return value
  }

  #plainMap(node: MapNode, key: string): { [key: string]: PlainValue } {
    const entries = [...node.entries].map(([name, child]) => [name, this.#plain(child, key)])
    return Object.fromEntries(entries) as { [key: string]: PlainValue }
  }

  #plain(node: ConfigNode, key: string): PlainValue {
    if (node.kind === 'map') return this.#plainMap(node, key)
    if (node.kind === 'list') return node.items.map((item) => this.#plain(item, key))
    return typeof node.value === 'string' ? this.#expand(node, key) : node.value
  }

  /**
   * Puts in `${NAME}`, `${NAME:default}`, `${NAME:?message}`: another setting, or the environment.
   */
  #expand(scalar: ScalarNode, key: string, depth = 0): string {
    if (!scalar.source.includes('${')) return scalar.source
    if (depth > NESTED_MAX) throw this.fail(key, 'variables refer to one another in a circle')
    return scalar.source.replace(VARIABLE, (whole, name?: string, fallback?: string) => {
      if (name === undefined) return '${'
      const other = findNode(this.context.root, name)
      if (other?.kind === 'scalar' && other !== scalar) return this.#expand(other, key, depth + 1)
      const value = this.context.environment[name]
      if (value !== undefined) return value
      if (fallback === undefined) throw this.fail(key, `missing field accessing ${whole}`)
      if (fallback.startsWith('?')) throw this.fail(key, fallback.slice(1))
      return fallback
    })
  }
}

/** Keys nobody asked for, each with its place. */
export function unknownKeys(context: ConfigContext): string[] {
  const unknown: string[] = []
  const walk = (node: ConfigNode, path: string): void => {
    if (context.used.has(node)) return
    if (node.kind === 'map') {
      for (const [name, child] of node.entries) walk(child, path === '' ? name : `${path}.${name}`)
    } else if (node.kind === 'list' && node.items.some((item) => item.kind === 'map')) {
      node.items.forEach((item, index) => walk(item, `${path}.${index}`))
    } else unknown.push(`${placeText(node.at)}: ${path}: not known, and ignored`)
  }
  walk(context.root, '')
  return unknown
}
