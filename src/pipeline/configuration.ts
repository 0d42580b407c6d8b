// Pure. The syntax tree made ready: strings unescaped, variables replaced, attributes merged, and
// conditions as trees of the event library.

import type { Condition, Operand } from '../events/conditions.ts'
import { FieldReferenceError, reference } from '../events/references.ts'
import { ExactNumber, type Value, floatValue, integerValue } from '../events/values.ts'
import { PatternError, compileRubyPattern } from '../text/regexp.ts'
import { ConfigurationError, parseConfiguration } from './grammar/parse.ts'
import type {
  ConditionNode,
  ExpressionNode,
  HashNode,
  OperandNode,
  PluginNode,
  SectionType,
  StatementNode,
  ValueNode,
} from './grammar/tree.ts'

export type ConfigValue =
  | string
  | number
  | boolean
  | ExactNumber
  | ConfigValue[]
  | ConfigHash
  | PluginConfig

export type ConfigHash = Map<string, ConfigValue>

export interface PluginConfig {
  readonly kind: 'plugin'
  readonly name: string
  readonly attributes: ReadonlyMap<string, ConfigValue>
  readonly line: number
  readonly column: number
}

export type Statement =
  | PluginConfig
  | {
      readonly kind: 'branch'
      readonly condition: Condition
      readonly then: readonly Statement[]
      readonly otherwise: readonly Statement[]
    }

export type Configuration = Readonly<Record<SectionType, readonly Statement[]>>

export interface ConfigurationOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** `\n`, `\t`, `\"` … in strings mean what they mean in other languages. */
  readonly supportEscapes: boolean
}

/** @throws ConfigurationError */
export function readConfiguration(text: string, options: ConfigurationOptions): Configuration {
  const configuration: Record<SectionType, Statement[]> = { input: [], filter: [], output: [] }
  const reading = new Reading(text, options)
  for (const { type, body } of parseConfiguration(text)) {
    configuration[type].push(...reading.statements(body))
  }
  return configuration
}

/** What all the functions below need to know. */
class Reading {
  readonly #text: string
  readonly #options: ConfigurationOptions

  constructor(text: string, options: ConfigurationOptions) {
    this.#text = text
    this.#options = options
  }

  statements(body: readonly StatementNode[]): Statement[] {
    return body.map((node) =>
      node.kind === 'plugin' ? this.#plugin(node) : this.#branch(node.arms, 0, node.otherwise),
    )
  }

  #branch(
    arms: readonly { readonly condition: ConditionNode; readonly body: StatementNode[] }[],
    at: number,
    otherwise: readonly StatementNode[],
  ): Statement {
    const arm = arms[at]
    if (arm === undefined) throw new ConfigurationError('an empty branch')
    return {
      kind: 'branch',
      condition: this.#condition(arm.condition),
      then: this.statements(arm.body),
      otherwise:
        at + 1 < arms.length ? [this.#branch(arms, at + 1, otherwise)] : this.statements(otherwise),
    }
  }

  #plugin(node: PluginNode): PluginConfig {
    const attributes = new Map<string, ConfigValue>()
    for (const { name, value } of node.attributes) {
      const read = this.#value(value)
      const existing = attributes.get(name)
      attributes.set(name, existing === undefined ? read : mergeAttributes(existing, read))
    }
    const { line, column } = node.at
    return { kind: 'plugin', name: node.name, attributes, line, column }
  }

  #value(node: ValueNode): ConfigValue {
    switch (node.kind) {
      case 'plugin':
        return this.#plugin(node)
      case 'bareword':
        return this.#substituted(node.text)
      case 'string':
        return this.#substituted(this.#string(node.raw))
      case 'number':
        return numberOf(node.text)
      case 'array':
        return node.items.map((item) => this.#value(item))
      case 'hash':
        return this.#hash(node)
    }
  }

  #hash(node: HashNode): ConfigHash {
    const hash: ConfigHash = new Map()
    const seen = new Set<string>()
    const twice = new Set<string>()
    for (const { key, value } of node.entries) {
      const shown = key.kind === 'string' ? `"${key.raw}"` : key.text
      if (seen.has(shown)) twice.add(shown)
      seen.add(shown)
      hash.set(key.kind === 'string' ? this.#string(key.raw) : key.text, this.#value(value))
    }
    if (twice.size > 0) {
      const { line, column, offset } = node.at
      throw new ConfigurationError(
        `Duplicate keys found in your configuration: [${[...twice].join(', ')}]\n` +
          `At line: ${line}, column ${column} (byte ${offset + 1})\n` +
          `after ${this.#text.slice(0, offset + 1)}`,
      )
    }
    return new Map(inHashOrder([...hash]))
  }

  #string(raw: string): string {
    return this.#options.supportEscapes ? unescape(raw) : raw
  }

  /** A value that came from a variable may be a list: `[a, "b"]`. */
  #substituted(text: string): string | string[] {
    const replaced = this.#substitute(text)
    if (replaced === text) return text
    const bare = withoutQuotes(replaced)
    if (!bare.startsWith('[') || !bare.endsWith(']')) return bare
    return bare
      .slice(1, -1)
      .split(',')
      .map((item) => withoutQuotes(item.trim()))
  }

  #substitute(text: string): string {
    if (!text.includes('${')) return text
    return text.replaceAll(
      /\$\{([a-zA-Z_.][a-zA-Z0-9_.]*)(?::([^}]*))?\}/g,
      (placeholder, name: string, fallback?: string) => {
        const value = this.#options.environment[name] ?? fallback
        if (value !== undefined) return value
        throw new ConfigurationError(
          `Cannot evaluate \`${placeholder}\`. Replacement variable \`${name}\` is not defined in a ` +
            'Logstash secret store or as an Environment entry and there is no default value given.',
        )
      },
    )
  }

  /** `and` binds tighter than `or`; the original gives xor and nand no rank, so chains with them fail. */
  #condition(node: ConditionNode): Condition {
    const { first, rest } = node
    if (rest.length === 0) return this.#expression(first)
    const [only] = rest
    if (rest.length === 1 && only !== undefined) {
      const pair = [this.#expression(first), this.#expression(only.expression)] as const
      return { kind: only.operator, left: pair[0], right: pair[1] }
    }
    const alternatives: Condition[] = []
    let current = this.#expression(first)
    for (const { operator, expression } of rest) {
      const next = this.#expression(expression)
      if (operator === 'and') current = { kind: 'and', left: current, right: next }
      else if (operator === 'or') {
        alternatives.push(current)
        current = next
      } else throw new ConfigurationError(`Unexpected operator ${operator}`)
    }
    return [...alternatives, current].reduce((left, right) => ({ kind: 'or', left, right }))
  }

  #expression(node: ExpressionNode): Condition {
    switch (node.kind) {
      case 'condition':
        return this.#condition(node)
      case 'not':
        return { kind: 'not', condition: this.#expression(node.condition) }
      case 'rvalue':
        return { kind: 'truthy', operand: this.#operand(node.operand) }
      case 'compare': {
        const { operator } = node
        const pair = [this.#operand(node.left), this.#operand(node.right)] as const
        return { kind: 'compare', operator, left: pair[0], right: pair[1] }
      }
      case 'in':
        return this.#in(node)
      case 'match': {
        const operand = this.#operand(node.operand)
        const raw =
          node.pattern.kind === 'string' ? this.#string(node.pattern.raw) : node.pattern.raw
        const match: Condition = { kind: 'match', operand, regexp: regexpOf(raw) }
        return node.negated ? { kind: 'not', condition: match } : match
      }
    }
  }

  /** A list of one text, `["a"]`, reads as a field named `"a"`, quotes included, as in the original. */
  #in(node: Extract<ExpressionNode, { kind: 'in' }>): Condition {
    const item = this.#operand(node.item)
    const condition: Condition = { kind: 'in', item, list: this.#operand(node.list) }
    return node.negated ? { kind: 'not', condition } : condition
  }

  #operand(node: OperandNode): Operand {
    switch (node.kind) {
      case 'selector':
        return { kind: 'field', field: fieldOf(node.text) }
      case 'string':
        return { kind: 'value', value: this.#substitute(this.#string(node.raw)) }
      case 'number':
        return { kind: 'value', value: numberOf(node.text) ?? 0 }
      case 'array':
        return { kind: 'value', value: node.items.map((item) => plainValue(this.#value(item))) }
      case 'regexp':
        return { kind: 'value', value: node.raw }
      case 'call':
        throw new ConfigurationError(
          `the method call ${node.name}(…) in a condition is not supported`,
        )
    }
  }
}

function fieldOf(text: string): ReturnType<typeof reference> {
  try {
    return reference(text)
  } catch (error) {
    if (error instanceof FieldReferenceError) throw new ConfigurationError(error.message)
    throw error
  }
}

function regexpOf(raw: string): RegExp {
  try {
    return compileRubyPattern(raw).regexp
  } catch (error) {
    if (error instanceof PatternError) throw new ConfigurationError(error.message)
    throw error
  }
}

function numberOf(text: string): number | ExactNumber {
  return text.includes('.') ? (floatValue(Number(text)) ?? 0) : integerValue(BigInt(text))
}

/** A configured value as event data. */
export function plainValue(value: ConfigValue): Value {
  if (Array.isArray(value)) return value.map(plainValue)
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, item]) => [key, plainValue(item)]))
  }
  if (typeof value === 'object' && !(value instanceof ExactNumber)) return value.name
  return value
}

function mergeAttributes(existing: ConfigValue, added: ConfigValue): ConfigValue {
  if (existing instanceof Map && added instanceof Map) {
    const merged: ConfigHash = new Map(existing)
    for (const [key, value] of added) {
      const before = merged.get(key)
      merged.set(key, before === undefined ? value : [before, value].flat())
    }
    return merged
  }
  if (Array.isArray(existing)) return [...existing, ...(Array.isArray(added) ? added : [added])]
  return existing === added ? existing : [existing, added]
}

function unescape(raw: string): string {
  const meanings: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', 0: '\0' }
  return raw.replaceAll(/\\([\s\S])/g, (whole, char: string) => {
    if (char === '"' || char === "'" || char === '\\') return char
    return meanings[char] ?? whole
  })
}

function withoutQuotes(text: string): string {
  const once = unquoted(text, "'")
  return unquoted(once, '"')
}

function unquoted(text: string, quote: string): string {
  const quoted = text.length >= 2 && text.startsWith(quote) && text.endsWith(quote)
  return quoted ? text.slice(1, -1) : text
}

/**
 * The original keeps hashes in Java's HashMap, whose order shows: two fields in grok's `match` are
 * tried in it. Recorded behaviour.
 */
function inHashOrder<Entry extends readonly [string, unknown]>(entries: readonly Entry[]): Entry[] {
  let capacity = 16
  while (entries.length > capacity * 0.75) capacity *= 2
  const bucket = (key: string): number => {
    let hash = 0
    for (let at = 0; at < key.length; at += 1) hash = (hash * 31 + key.charCodeAt(at)) | 0
    return (hash ^ (hash >>> 16)) & (capacity - 1)
  }
  return entries.toSorted(([one], [other]) => bucket(one) - bucket(other))
}
