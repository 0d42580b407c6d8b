/**
 * Settings declared once: from the declaration come parsing, bounds, the TypeScript type, errors as
 * Kafka words them, what DescribeConfigs tells, and docs/settings.md. Names are the original's.
 */
import { UserError } from './service.ts'

/** A declared setting whose values, once parsed, have type T. */
export interface Setting<T> {
  readonly type: SettingType
  /** The default as it would stand in a file; null: none, but the setting may be absent. */
  readonly defaultText: string | null
  readonly required: boolean
  readonly importance: Importance
  readonly mode: DynamicMode
  readonly support: Support
  readonly synonyms: readonly Synonym[]
  /** The bounds in words, for the documentation. */
  readonly valid: string
  readonly about: string
  /** @throws RangeError whose message is the part behind "for configuration NAME: ". */
  readonly parse: (text: string) => T
}

/** Kafka's types of settings, by its own names. */
export type SettingType =
  | 'boolean'
  | 'int'
  | 'long'
  | 'double'
  | 'string'
  | 'list'
  | 'password'
  | 'class'
export type Importance = 'high' | 'medium' | 'low'
/** Whether it can change while the server runs, for one broker or for all. */
export type DynamicMode = 'read-only' | 'per-broker' | 'cluster-wide'
/** full: acted on. ignored: read, not acted on yet, with a warning. refused: a start error when set. */
export type Support = 'full' | 'ignored' | 'refused'

/** Another setting that stands in where this one is absent; its number times `factor` is ours. */
export interface Synonym {
  readonly name: string
  readonly factor?: number
}

/** A secret. Prints as [hidden] wherever text is made of it. */
export class Password {
  readonly #value: string
  constructor(value: string) {
    this.#value = value
  }
  reveal(): string {
    return this.#value
  }
  toString(): string {
    return '[hidden]'
  }
  toJSON(): string {
    return '[hidden]'
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[hidden]'
  }
}

interface CommonOptions {
  readonly required?: true
  readonly importance?: Importance
  readonly mode?: DynamicMode
  readonly support?: Support
  readonly synonyms?: readonly Synonym[]
  readonly about?: string
}

interface NumberOptions<D> extends CommonOptions {
  readonly default?: D
  readonly min?: number
  readonly max?: number
}

interface StringOptions<V extends string, D> extends CommonOptions {
  readonly default?: D
  readonly oneOf?: readonly V[]
  readonly nonEmpty?: true
}

/** T, or null where the default is null and the setting may so be absent. */
type OrNull<T, D> = null extends D ? T | null : T

/** true or false, in any case. */
export function boolean<D extends boolean | null = boolean>(
  options: CommonOptions & { readonly default?: D },
): Setting<OrNull<boolean, D>> {
  return setting('boolean', options, 'true, false', (text) => {
    const lower = text.toLowerCase()
    if (lower === 'true') return true
    if (lower === 'false') return false
    throw new RangeError('Expected value to be either true or false')
  })
}

/** 32 bits. */
export function int<D extends number | null = number>(
  options: NumberOptions<D>,
): Setting<OrNull<number, D>> {
  return numberSetting('int', options, (text) => wholeNumber(text, 'INT', 31n))
}

/** 64 bits; beyond 2^53 the nearest number, which is good enough for a limit. */
export function long<D extends number | null = number>(
  options: NumberOptions<D>,
): Setting<OrNull<number, D>> {
  return numberSetting('long', options, (text) => wholeNumber(text, 'LONG', 63n))
}

export function double<D extends number | null = number>(
  options: NumberOptions<D>,
): Setting<OrNull<number, D>> {
  return numberSetting('double', options, (text) => {
    const value = Number(text)
    if (text === '' || Number.isNaN(value)) throw new RangeError('Not a number of type DOUBLE')
    return value
  })
}

export function string<const V extends string = string, D extends string | null = string>(
  options: StringOptions<V, D>,
): Setting<OrNull<V, D>> {
  const { oneOf, nonEmpty } = options
  return setting('string', options, validText(options), (text) => {
    if (nonEmpty && text === '') throw new RangeError('String must be non-empty')
    return memberOf(text, oneOf)
  })
}

/** Values separated by commas; the default is given as such a text. */
export function list<const V extends string = string, D extends string | null = string>(
  options: StringOptions<V, D>,
): Setting<OrNull<readonly V[], D>> {
  const { oneOf, nonEmpty } = options
  return setting('list', options, validText(options), (text) => {
    if (text === '') {
      if (nonEmpty) throw new RangeError('List must be non-empty')
      return []
    }
    return text.split(/\s*,\s*/).map((value) => memberOf(value, oneOf))
  })
}

export function password<D extends string | null = string>(
  options: CommonOptions & { readonly default?: D },
): Setting<OrNull<Password, D>> {
  return setting('password', options, '', (text) => new Password(text))
}

/** The name of a Java class: what stands for it is the reader's business. */
export function className<D extends string | null = string>(
  options: CommonOptions & { readonly default?: D },
): Setting<OrNull<string, D>> {
  return setting('class', options, '', (text) => text)
}

type Declarations = Readonly<Record<string, Setting<unknown>>>

/** The parsed values, under the settings' original names. */
export type SettingsOf<D> =
  D extends SettingSet<infer S>
    ? { readonly [Name in keyof S]: S[Name] extends Setting<infer T> ? T : never }
    : never

/** What `SettingSet.parse` makes of a file's lines. */
export interface ParsedSettings<Values> {
  readonly values: Values
  /** The names that were given and are known. */
  readonly given: ReadonlySet<string>
  /** Sentences for the log: unknown names, settings not acted on yet. */
  readonly warnings: readonly string[]
}

/** All the settings of one kind of thing: a broker's, a topic's, a server's. */
export interface SettingSet<S extends Declarations> {
  readonly settings: S
  /** @throws UserError that names the setting, the value and what is allowed. */
  parse(
    input: Readonly<Record<string, string>>,
  ): ParsedSettings<{ readonly [Name in keyof S]: S[Name] extends Setting<infer T> ? T : never }>
}

export interface SettingSetOptions {
  /** Names that begin so are somebody else's and not unknown: `listener.name.`. */
  readonly foreignPrefixes?: readonly string[]
}

export function defineSettings<const S extends Declarations>(
  settings: S,
  options: SettingSetOptions = {},
): SettingSet<S> {
  const foreign = options.foreignPrefixes ?? []
  return {
    settings,
    parse(input) {
      const warnings: string[] = []
      const given = new Set<string>()
      for (const name of Object.keys(input)) {
        if (Object.hasOwn(settings, name)) given.add(name)
        else if (!foreign.some((prefix) => name.startsWith(prefix))) {
          warnings.push(`The configuration '${name}' was supplied but is not a known setting.`)
        }
      }
      const values: Record<string, unknown> = {}
      for (const [name, declared] of Object.entries(settings)) {
        values[name] = resolve(settings, input, name)
        if (given.has(name)) checkSupport(name, declared, (input[name] ?? '').trim(), warnings)
      }
      return { values: complete(settings, values), given, warnings }
    },
  }
}

/** Reads one setting's text. @throws UserError in Kafka's words. */
export function parseSetting<T>(name: string, declared: Setting<T>, text: string): T {
  try {
    return declared.parse(text.trim())
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const shown = declared.type === 'password' ? '[hidden]' : text
    throw new UserError(`Invalid value ${shown} for configuration ${name}: ${error.message}`)
  }
}

/** The declarations as a Markdown table, in the order of declaration. */
export function describeSettings(set: SettingSet<Declarations>): string {
  const rows = Object.entries(set.settings).map(([name, declared]) => {
    const { required, defaultText, support, about } = declared
    const shown = required ? '(required)' : defaultText === null ? '' : `\`${defaultText}\``
    const note =
      support === 'full' ? '' : support === 'ignored' ? 'Not acted on yet. ' : 'Refused. '
    const cells = [
      `\`${name}\``,
      declared.type,
      defaultText === '' ? '(empty)' : shown,
      declared.valid,
      declared.mode,
      note + about,
    ]
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
  })
  return `| name | type | default | valid | changes | about |\n|---|---|---|---|---|---|\n${rows.join('')}`
}

function resolve(
  settings: Declarations,
  input: Readonly<Record<string, string>>,
  name: string,
): unknown {
  const declared = settings[name]
  if (declared === undefined) throw new TypeError(`synonym ${name} is not declared`)
  const text = input[name]
  if (text !== undefined) return parseSetting(name, declared, text)
  for (const synonym of declared.synonyms) {
    const other = settings[synonym.name]
    const otherText = input[synonym.name]
    if (other === undefined || otherText === undefined) continue
    return scale(parseSetting(synonym.name, other, otherText), synonym)
  }
  if (declared.required) {
    throw new UserError(`Missing required configuration "${name}" which has no default value.`)
  }
  if (declared.defaultText !== null) return declared.parse(declared.defaultText)
  for (const synonym of declared.synonyms) {
    const value = resolve(settings, input, synonym.name)
    if (value !== null) return scale(value, synonym)
  }
  return null
}

/** Negative numbers mean "no limit" in every unit. */
function scale(value: unknown, synonym: Synonym): unknown {
  if (synonym.factor === undefined || typeof value !== 'number') return value
  return value < 0 ? -1 : value * synonym.factor
}

function checkSupport(
  name: string,
  declared: Setting<unknown>,
  text: string,
  warnings: string[],
): void {
  if (declared.support === 'full' || text === (declared.defaultText ?? '')) return
  if (declared.support === 'refused') {
    const shown = declared.type === 'password' ? '[hidden]' : text
    throw new UserError(`${name}=${shown} is not supported yet; remove it to start without it.`)
  }
  warnings.push(`The configuration '${name}' is not acted on yet.`)
}

function complete<S extends Declarations>(
  settings: S,
  values: Readonly<Record<string, unknown>>,
): { readonly [Name in keyof S]: S[Name] extends Setting<infer T> ? T : never } {
  const isComplete = (
    candidate: Readonly<Record<string, unknown>>,
  ): candidate is { readonly [Name in keyof S]: S[Name] extends Setting<infer T> ? T : never } =>
    Object.keys(settings).every((name) => Object.hasOwn(candidate, name))
  if (!isComplete(values)) throw new TypeError('a setting was not resolved')
  return values
}

function setting<T, D>(
  type: SettingType,
  options: CommonOptions & { readonly default?: D },
  valid: string,
  parse: (text: string) => T,
): Setting<OrNull<T, D>> {
  const { default: value } = options
  const absent = value === undefined || value === null
  if (value === undefined && options.required === undefined) {
    throw new TypeError('a setting has a default (null for none) or is required')
  }
  return {
    type,
    defaultText: absent ? null : numberText(value),
    required: options.required ?? false,
    importance: options.importance ?? 'medium',
    mode: options.mode ?? 'read-only',
    support: options.support ?? 'full',
    synonyms: options.synonyms ?? [],
    valid,
    about: options.about ?? '',
    parse: parse as (text: string) => OrNull<T, D>,
  }
}

/** Java's largest long is no JavaScript number; it stands for "no limit" in many defaults. */
function numberText(value: unknown): string {
  return value === 2 ** 63 ? '9223372036854775807' : String(value)
}

function numberSetting<D extends number | null>(
  type: 'int' | 'long' | 'double',
  options: NumberOptions<D>,
  parse: (text: string) => number,
): Setting<OrNull<number, D>> {
  const { min, max } = options
  const valid = min === undefined && max === undefined ? '' : `[${min ?? '…'}, ${max ?? '…'}]`
  return setting(type, options, valid, (text) => {
    const value = parse(text)
    if (min !== undefined && value < min) throw new RangeError(`Value must be at least ${min}`)
    if (max !== undefined && value > max) throw new RangeError(`Value must be no more than ${max}`)
    return value
  })
}

function wholeNumber(text: string, typeName: string, bits: bigint): number {
  if (!/^[+-]?\d{1,19}$/.test(text)) throw new RangeError(`Not a number of type ${typeName}`)
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text)
  const limit = 1n << bits
  if (value >= limit || value < -limit) throw new RangeError(`Not a number of type ${typeName}`)
  return Number(value)
}

function validText(options: StringOptions<string, string | null>): string {
  if (options.oneOf !== undefined) return options.oneOf.join(', ')
  return options.nonEmpty ? 'non-empty' : ''
}

function memberOf<V extends string>(text: string, oneOf: readonly V[] | undefined): V {
  // Without a list every text is a V, since V is then string.
  const member = oneOf === undefined ? (text as V) : oneOf.find((value) => value === text)
  if (member !== undefined) return member
  throw new RangeError(`String must be one of: ${oneOf?.join(', ')}`)
}
