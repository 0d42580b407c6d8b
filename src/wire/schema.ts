// The language in which messages are declared: fields with their versions, and the TypeScript
// types that follow from a declaration. One object stands for all versions of a message.
import { ZERO_UUID } from './reader.ts'

/** A version or a range of them: '3', '0-4', '3+', or 'none'. */
export type VersionText = `${number}` | `${number}-${number}` | `${number}+` | 'none'

export interface VersionRange {
  readonly min: number
  /** Infinity for an open range; below `min` for an empty one. */
  readonly max: number
}

export const EVERY_VERSION: VersionRange = { min: 0, max: Number.POSITIVE_INFINITY }
export const NO_VERSION: VersionRange = { min: 0, max: -1 }

export function versionRange(text: VersionText): VersionRange {
  if (text === 'none') return NO_VERSION
  const [min, max] = text.split(/[-+]/)
  if (text.endsWith('+')) return { min: Number(min), max: Number.POSITIVE_INFINITY }
  return { min: Number(min), max: Number(max ?? min) }
}

export function inRange(range: VersionRange, version: number): boolean {
  return version >= range.min && version <= range.max
}

export type NumberKind =
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'bigint64'
  | 'uint16'
  | 'uint32'
  | 'float64'

export type Kind =
  | NumberKind
  | 'bool'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'records'
  | 'array'
  | 'struct'

/** One declared field. `Value` is what decoding gives, `Input` what encoding takes. */
export interface Field<Value = unknown, Input = unknown> {
  readonly kind: Kind
  readonly versions: VersionRange
  readonly nullable: VersionRange
  /** Set when the field lives in the tagged section, in the versions `tagged`. */
  readonly tag: number | undefined
  readonly tagged: VersionRange
  readonly default: unknown
  readonly ignorable: boolean
  /** A string that keeps its int16 length in flexible versions. */
  readonly classic: boolean
  readonly about: string | undefined
  /** The element of an array. */
  readonly element: Field | undefined
  /** The fields of a struct. */
  readonly fields: Fields | undefined
  /** Never there at run time: carry the types. */
  readonly '~value'?: Value
  readonly '~input'?: Input
}

export type Fields = Readonly<Record<string, Field>>

/** A tagged field that the declaration does not know: kept, and written back in tag order. */
export interface UnknownTaggedField {
  readonly tag: number
  readonly data: Buffer
}

interface Common {
  /** The versions that have the field; all by default. */
  readonly versions?: VersionText
  readonly tag?: number
  /** The versions in which the field is tagged; `versions` by default. */
  readonly tagged?: VersionText
  /** A value other than the default is dropped in versions without the field, not refused. */
  readonly ignorable?: boolean
  readonly about?: string
}

export interface Plain<Default> extends Common {
  readonly default?: Default
}

export interface Nullable<Default> extends Common {
  readonly nullable?: undefined
  readonly default?: Default
}

export interface CanBeNull<Default> extends Common {
  /** The versions in which null may be written; `true` for all. */
  readonly nullable: VersionText | true
  readonly default?: Default | null
}

type MaybeNull<Default> = Nullable<Default> | CanBeNull<Default>
type Text = MaybeNull<string> & {
  /** Keeps the int16 length in flexible versions, as the client id of request headers does. */
  readonly classic?: true
}
type NullOf<Options> = Options extends { readonly nullable: VersionText | true } ? null : never

function field<Value, Input>(
  kind: Kind,
  zero: unknown,
  options: Plain<unknown> & {
    readonly nullable?: VersionText | true | undefined
    readonly classic?: true
  } = {},
  inner: { readonly element?: Field; readonly fields?: Fields } = {},
): Field<Value, Input> {
  const versions = options.versions === undefined ? EVERY_VERSION : versionRange(options.versions)
  const { nullable, tag } = options
  return {
    kind,
    versions,
    nullable:
      nullable === true
        ? EVERY_VERSION
        : nullable === undefined
          ? NO_VERSION
          : versionRange(nullable),
    tag,
    tagged:
      tag === undefined
        ? NO_VERSION
        : options.tagged === undefined
          ? versions
          : versionRange(options.tagged),
    default: options.default === undefined ? zero : options.default,
    ignorable: options.ignorable === true,
    classic: options.classic === true,
    about: options.about,
    element: inner.element,
    fields: inner.fields,
  }
}

export const int8 = (options?: Plain<number>): Field<number, number> => field('int8', 0, options)
export const int16 = (options?: Plain<number>): Field<number, number> => field('int16', 0, options)
export const int32 = (options?: Plain<number>): Field<number, number> => field('int32', 0, options)
export const uint16 = (options?: Plain<number>): Field<number, number> =>
  field('uint16', 0, options)
export const uint32 = (options?: Plain<number>): Field<number, number> =>
  field('uint32', 0, options)
export const float64 = (options?: Plain<number>): Field<number, number> =>
  field('float64', 0, options)
export const bool = (options?: Plain<boolean>): Field<boolean, boolean> =>
  field('bool', false, options)

/** 22 characters of base64url. */
export const uuid = (options?: Plain<string>): Field<string, string> =>
  field('uuid', ZERO_UUID, options)

/** Decodes to a number when that is exact, else to a bigint. */
export const int64 = (options?: Plain<number | bigint>): Field<number | bigint, number | bigint> =>
  field('int64', 0, options)

/** Always a bigint: for ids and hashes whose 64 bits are all used, such as ZooKeeper's. */
export const bigint64 = (options?: Plain<bigint>): Field<bigint, number | bigint> =>
  field('bigint64', 0n, options)

export function string<const O extends Text = Nullable<string>>(
  options?: O,
): Field<string | NullOf<O>, string | NullOf<O>> {
  return field('string', '', options)
}

const NO_BYTES = Buffer.alloc(0)

/** Decodes to a view of the received bytes. */
export function bytes<const O extends MaybeNull<never> = Nullable<never>>(
  options?: O,
): Field<Buffer | NullOf<O>, Uint8Array | NullOf<O>> {
  return field('bytes', NO_BYTES, options)
}

/** Records that are not in memory yet: `fill` puts `byteLength` bytes into the message itself. */
export interface RecordsSource {
  readonly byteLength: number
  fill(target: Buffer, at: number): void
}

/** Record batches, undecoded: a view of the received bytes, or null. */
export function records(
  options?: Common & { readonly nullable?: VersionText },
): Field<Buffer | null, Uint8Array | RecordsSource | null> {
  return field('records', null, { nullable: '0+', ...options, default: null })
}

export type StructValue<F extends Fields> = { -readonly [K in keyof F]: ValueOf<F[K]> } & {
  _unknownTaggedFields?: UnknownTaggedField[]
}
export type StructInput<F extends Fields> = {
  readonly [K in keyof F]?: InputOfField<F[K]> | undefined
} & { readonly _unknownTaggedFields?: readonly UnknownTaggedField[] | undefined }

type ValueOf<F> = F extends Field<infer Value, unknown> ? Value : never
type InputOfField<F> = F extends Field<unknown, infer Input> ? Input : never

type ElementValue<E> =
  E extends Field<infer Value, unknown> ? Value : E extends Fields ? StructValue<E> : never
type ElementInput<E> =
  E extends Field<unknown, infer Input> ? Input : E extends Fields ? StructInput<E> : never

/** Its default is a struct of defaults, unless null is given. */
export function struct<const F extends Fields, const O extends MaybeNull<never> = Nullable<never>>(
  fields: F,
  options?: O,
): Field<StructValue<F> | NullOf<O>, StructInput<F> | NullOf<O>> {
  return field('struct', {}, options, { fields })
}

function isField(element: Field | Fields): element is Field {
  return typeof element.kind === 'string'
}

/** `element` is a field, or the fields of a struct. Its default is empty, unless null is given. */
export function array<
  const E extends Field | Fields,
  const O extends MaybeNull<readonly never[]> = Nullable<readonly never[]>,
>(
  element: E,
  options?: O,
): Field<ElementValue<E>[] | NullOf<O>, readonly ElementInput<E>[] | NullOf<O>> {
  return field('array', [], options, { element: isField(element) ? element : struct(element) })
}

/** How lengths, counts and nulls are written. */
export type Dialect = 'kafka' | 'jute'

/** A message, record or header in all its versions. */
export interface Schema<F extends Fields = Fields> {
  readonly name: string
  readonly dialect: Dialect
  readonly versions: VersionRange
  readonly flexible: VersionRange
  readonly fields: F
}

/** A request and its response. */
export interface Api<Request extends Fields = Fields, Response extends Fields = Fields> {
  readonly key: number
  readonly name: string
  readonly versions: VersionRange
  readonly flexible: VersionRange
  readonly request: Schema<Request>
  readonly response: Schema<Response>
}

export type AnyApi = Api

/** What decoding gives. */
export type TypeOf<S extends { readonly fields: Fields }> = StructValue<S['fields']>
/** What encoding takes: a missing property means the default. */
export type InputOf<S extends { readonly fields: Fields }> = StructInput<S['fields']>
export type RequestOf<A extends { readonly request: Schema }> = TypeOf<A['request']>
export type ResponseOf<A extends { readonly response: Schema }> = TypeOf<A['response']>
export type RequestInputOf<A extends { readonly request: Schema }> = InputOf<A['request']>
export type ResponseInputOf<A extends { readonly response: Schema }> = InputOf<A['response']>

interface RecordDeclaration<F extends Fields> {
  readonly name: string
  readonly versions: VersionText
  readonly flexible?: VersionText
  readonly fields: F
}

/** A header, or a record of an internal topic. */
export function record<const F extends Fields>(declaration: RecordDeclaration<F>): Schema<F> {
  const { name, versions, flexible = 'none', fields } = declaration
  return {
    name,
    dialect: 'kafka',
    versions: versionRange(versions),
    flexible: versionRange(flexible),
    fields,
  }
}

/** A record of ZooKeeper: one version, fields in order. */
export function jute<const F extends Fields>(name: string, fields: F): Schema<F> {
  return { name, dialect: 'jute', versions: versionRange('0'), flexible: NO_VERSION, fields }
}

interface ApiDeclaration<Request extends Fields, Response extends Fields> {
  readonly key: number
  readonly name: string
  readonly versions: VersionText
  readonly flexible: VersionText
  readonly request: Request
  readonly response: Response
}

export function api<const Request extends Fields, const Response extends Fields>(
  declaration: ApiDeclaration<Request, Response>,
): Api<Request, Response> {
  const { key, name, versions, flexible, request, response } = declaration
  const common = { versions, flexible }
  return {
    key,
    name,
    versions: versionRange(versions),
    flexible: versionRange(flexible),
    request: record({ ...common, name: `${name}Request`, fields: request }),
    response: record({ ...common, name: `${name}Response`, fields: response }),
  }
}

/** A fresh default for `field`. */
export function defaultOf(field: Field): unknown {
  if (field.default === null) return null
  if (field.kind === 'array') return []
  return field.kind === 'struct' ? defaultsOfFields(field.fields ?? {}) : field.default
}

function defaultsOfFields(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, inner]) => [name, defaultOf(inner)]))
}

/** An object of `schema` in which every field has its default. */
export function defaults<S extends Schema>(schema: S): TypeOf<S> {
  return defaultsOfFields(schema.fields) as TypeOf<S>
}
