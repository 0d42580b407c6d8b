// Writes straight-line JavaScript for one version of a schema, once, and keeps it.
// Declarations are ours, so no outside text reaches the generated code.
import { compileFunction } from 'node:vm'
import * as support from './codec.ts'
import type { Codec, Form } from './codec.ts'
import type {
  AnyApi,
  Field,
  Fields,
  InputOf,
  RequestInputOf,
  RequestOf,
  ResponseInputOf,
  ResponseOf,
  Schema,
  TypeOf,
} from './schema.ts'
import { inRange } from './schema.ts'

type Entry = readonly [name: string, field: Field]

const METHODS = {
  classic: { string: 'shortString', bytes: 'longBytes', count: 'longCount' },
  compact: { string: 'compactString', bytes: 'compactBytes', count: 'compactCount' },
  jute: { string: 'juteString', bytes: 'longBytes', count: 'longCount' },
} as const

function literal(value: unknown): string {
  return typeof value === 'bigint' ? `${value}n` : JSON.stringify(value)
}

/** Emits the functions of one version: an encoder, decoder and default per struct. */
class Generator {
  readonly version: number
  readonly form: Form
  readonly functions: string[] = []
  private readonly names = new Map<Fields, string>()
  private variables = 0

  constructor(version: number, form: Form) {
    this.version = version
    this.form = form
  }

  private variable(): string {
    this.variables += 1
    return `x${this.variables}`
  }

  /** Declares the three functions of a struct at first use; returns the suffix of their names. */
  struct(fields: Fields, path: string): string {
    const known = this.names.get(fields)
    if (known !== undefined) return known
    const name = String(this.names.size)
    this.names.set(fields, name)
    this.functions.push(
      this.encoder(name, fields, path),
      this.decoder(name, fields, path),
      `function default${name}() { return { ${this.defaults(fields, path)} } }`,
      `function isDefault${name}(v) { return ${this.allDefault(fields, path)} }`,
    )
    return name
  }

  private present(fields: Fields): { plain: Entry[]; tagged: readonly Entry[] } {
    const plain = Object.entries(fields).filter(
      ([, field]) =>
        inRange(field.versions, this.version) && !support.isTagged(field, this.version),
    )
    return { plain, tagged: support.taggedFields(fields, this.version) }
  }

  // Defaults

  private defaultOf(field: Field, path: string): string {
    if (field.default === null) return 'null'
    if (field.kind === 'array') return '[]'
    if (field.kind === 'bytes') return 's.noBytes'
    if (field.kind !== 'struct') return literal(field.default)
    return `default${this.struct(field.fields ?? {}, path)}()`
  }

  private defaults(fields: Fields, path: string): string {
    return Object.entries(fields)
      .map(([name, field]) => `${name}: ${this.defaultOf(field, `${path}.${name}`)}`)
      .join(', ')
  }

  private isDefault(field: Field, value: string, path: string): string {
    if (field.default === null) return `${value} === null`
    if (field.kind === 'array' || field.kind === 'bytes') {
      return `${value} !== null && ${value}.length === 0`
    }
    if (field.kind === 'struct') {
      return `${value} !== null && isDefault${this.struct(field.fields ?? {}, path)}(${value})`
    }
    // Loose, since 5 and 5n are the same int64.
    return `${value} ${field.kind.endsWith('64') ? '==' : '==='} ${literal(field.default)}`
  }

  private allDefault(fields: Fields, path: string): string {
    const tests = Object.entries(fields).map(([name, field]) => {
      const test = this.isDefault(field, `v.${name}`, `${path}.${name}`)
      return `(v.${name} === undefined || (${test}))`
    })
    return [...tests, '!(v._unknownTaggedFields?.length > 0)'].join(' && ')
  }

  // Encoding

  private encoder(name: string, fields: Fields, path: string): string {
    const { plain, tagged } = this.present(fields)
    const lines = [
      `function encode${name}(v, w) {`,
      `if (typeof v !== 'object' || v === null) s.refuseShape('${path}', 'an object', w.position)`,
    ]
    for (const [key, field] of Object.entries(fields)) {
      if (inRange(field.versions, this.version) || field.ignorable) continue
      const test = this.isDefault(field, `v.${key}`, `${path}.${key}`)
      lines.push(
        `if (v.${key} !== undefined && !(${test}))`,
        `s.refuseAbsent('${path}.${key}', ${this.version}, w.position)`,
      )
    }
    for (const [key, field] of plain) {
      const value = this.variable()
      lines.push(this.withDefault(value, key, field, path))
      lines.push(this.write(field, value, `${path}.${key}`))
    }
    if (this.form === 'compact') {
      lines.push(this.writeTags(tagged, path))
    } else {
      lines.push(`if (v._unknownTaggedFields?.length > 0)`)
      lines.push(`s.refuseAbsent('${path}._unknownTaggedFields', ${this.version}, w.position)`)
    }
    return [...lines, '}'].join('\n')
  }

  private withDefault(value: string, key: string, field: Field, path: string): string {
    const zero = this.defaultOf(field, `${path}.${key}`)
    return `let ${value} = v.${key}; if (${value} === undefined) ${value} = ${zero}`
  }

  private write(field: Field, value: string, path: string, insideTag = false): string {
    const canBeNull = inRange(field.nullable, this.version)
    const methods = METHODS[this.form]
    const check = canBeNull ? '' : `if (${value} === null) s.refuseNull('${path}', w.position)\n`
    switch (field.kind) {
      case 'string':
        return `${check}w.${field.classic ? 'shortString' : methods.string}(${value})`
      case 'bytes':
      case 'records':
        return `${check}w.${methods.bytes}(${value})`
      case 'array':
        return this.writeArray(field, value, path)
      case 'struct': {
        const call = `encode${this.struct(field.fields ?? {}, path)}(${value}, w)`
        if (!canBeNull) return check + call
        const [none, some] = insideTag ? ['uint8(0)', 'uint8(1)'] : ['int8(-1)', 'int8(1)']
        return `if (${value} === null) w.${none}; else { w.${some}; ${call} }`
      }
      case 'bigint64':
        return `w.int64(${value})`
      case 'bool':
      case 'uuid':
      case 'int8':
      case 'int16':
      case 'int32':
      case 'int64':
      case 'uint16':
      case 'uint32':
      case 'float64':
        return `w.${field.kind}(${value})`
    }
  }

  private writeArray(field: Field, value: string, path: string): string {
    const element = this.variable()
    const index = this.variable()
    const compact = this.form === 'compact'
    const ifNull = inRange(field.nullable, this.version)
      ? `w.${compact ? 'uint8(0)' : 'int32(-1)'}`
      : `s.refuseNull('${path}', w.position)`
    return `if (${value} === null) ${ifNull}; else {
if (!Array.isArray(${value})) s.refuseShape('${path}', 'an array', w.position)
w.${compact ? 'unsignedVarint' : 'int32'}(${value}.length${compact ? ' + 1' : ''})
for (let ${index} = 0; ${index} < ${value}.length; ${index}++) {
const ${element} = ${value}[${index}]
${this.write(field.element as Field, element, path)}
} }`
  }

  private writeTags(tagged: readonly Entry[], path: string): string {
    const lines = ['const u = v._unknownTaggedFields']
    if (tagged.length === 0) {
      lines.push('if (u === undefined || u.length === 0) w.uint8(0); else {')
      lines.push('w.unsignedVarint(u.length)')
      lines.push('s.writeUnknownBelow(s.orderedUnknown(u, [], w.position), 0, Infinity, w) }')
      return lines.join('\n')
    }
    const values = tagged.map(([key, field]) => {
      const value = this.variable()
      const test = this.isDefault(field, value, `${path}.${key}`)
      lines.push(`const ${value} = v.${key}`)
      lines.push(`const has${value} = ${value} !== undefined && !(${test})`)
      return value
    })
    lines.push(`const known = ${values.map((value) => `(has${value} ? 1 : 0)`).join(' + ')}`)
    lines.push(`if (u === undefined || u.length === 0) { w.unsignedVarint(known)`)
    for (const [at, [key, field]] of tagged.entries()) {
      const body = this.write(field, values[at] as string, `${path}.${key}`, true)
      lines.push(
        `if (has${values[at]}) { w.unsignedVarint(${field.tag}); const at = w.beginSized()`,
      )
      lines.push(body, 'w.endSized(at) }')
    }
    const known = JSON.stringify(tagged.map(([, field]) => field.tag))
    lines.push(`} else { const rest = s.orderedUnknown(u, ${known}, w.position); let next = 0`)
    lines.push('w.unsignedVarint(known + rest.length)')
    for (const [at, [key, field]] of tagged.entries()) {
      const body = this.write(field, values[at] as string, `${path}.${key}`, true)
      lines.push(`next = s.writeUnknownBelow(rest, next, ${field.tag}, w)`)
      lines.push(
        `if (has${values[at]}) { w.unsignedVarint(${field.tag}); const at = w.beginSized()`,
      )
      lines.push(body, 'w.endSized(at) }')
    }
    lines.push('s.writeUnknownBelow(rest, next, Infinity, w) }')
    return lines.join('\n')
  }

  // Decoding

  private decoder(name: string, fields: Fields, path: string): string {
    const { plain, tagged } = this.present(fields)
    const lines = [`function decode${name}(r) {`]
    const variables = new Map<string, string>()
    for (const [key, field] of plain) {
      const value = this.variable()
      variables.set(key, value)
      lines.push(this.read(field, value, `${path}.${key}`))
    }
    for (const [key, field] of tagged) {
      const value = this.variable()
      variables.set(key, value)
      // Tagged structs are mostly absent; theirs is made after the tags are read, if at all.
      const zero = field.kind === 'struct' ? 'undefined' : this.defaultOf(field, `${path}.${key}`)
      lines.push(`let ${value} = ${zero}`)
    }
    if (this.form === 'compact') lines.push(this.readTags(tagged, variables, path))
    const properties = Object.entries(fields).map(([key, field]) => {
      const value = variables.get(key)
      const zero = this.defaultOf(field, `${path}.${key}`)
      if (value === undefined) return `${key}: ${zero}`
      const late = field.kind === 'struct' && support.isTagged(field, this.version)
      return `${key}: ${late ? `${value} === undefined ? ${zero} : ${value}` : value}`
    })
    lines.push(`const v = { ${properties.join(', ')} }`)
    if (this.form === 'compact') lines.push('if (u !== undefined) v._unknownTaggedFields = u')
    return [...lines, 'return v }'].join('\n')
  }

  private readTags(
    tagged: readonly Entry[],
    variables: ReadonlyMap<string, string>,
    path: string,
  ): string {
    const cases = tagged.map(([key, field]) => {
      const value = variables.get(key) as string
      const inner = this.variable()
      return `case ${field.tag}: { ${this.read(field, inner, `${path}.${key}`, true)}
${value} = ${inner}; break }`
    })
    return `let u
for (let n = r.unsignedVarint(); n > 0; n--) {
const tag = r.unsignedVarint(), size = r.unsignedVarint(), end = r.position + size
if (end > r.end) s.refuseTagSize('${path}', r.position)
switch (tag) {
${cases.join('\n')}
default: (u ??= []).push({ tag, data: r.bytes(size) })
}
if (r.position !== end) s.refuseTagSize('${path}', r.position)
}`
  }

  /** Statements that declare `value` and read it. */
  private read(field: Field, value: string, path: string, insideTag = false): string {
    const canBeNull = inRange(field.nullable, this.version)
    const methods = METHODS[this.form]
    const refuse = `s.refuseNull('${path}', r.position)`
    const check = canBeNull ? '' : `\nif (${value} === null) ${refuse}`
    switch (field.kind) {
      case 'string':
        return `const ${value} = r.${field.classic ? 'shortString' : methods.string}()${check}`
      case 'bytes':
      case 'records':
        return `const ${value} = r.${methods.bytes}()${check}`
      case 'array': {
        const [count, index, element] = [this.variable(), this.variable(), this.variable()]
        const inner = field.element as Field
        const least = support.bytesMin(inner, this.version, this.form)
        return `const ${count} = r.${methods.count}(${least})
let ${value} = null
if (${count} === -1) ${canBeNull ? '{}' : refuse}
else { ${value} = []
for (let ${index} = 0; ${index} < ${count}; ${index}++) {
${this.read(inner, element, path)}
${value}.push(${element}) } }`
      }
      case 'struct': {
        const call = `decode${this.struct(field.fields ?? {}, path)}(r)`
        if (!canBeNull) return `const ${value} = ${call}`
        const isNull = insideTag ? 'r.unsignedVarint() === 0' : 'r.int8() < 0'
        return `const ${value} = ${isNull} ? null : ${call}`
      }
      case 'bool':
      case 'uuid':
      case 'int8':
      case 'int16':
      case 'int32':
      case 'int64':
      case 'bigint64':
      case 'uint16':
      case 'uint32':
      case 'float64':
        return `const ${value} = r.${field.kind}()`
    }
  }
}

const helpers = { ...support, noBytes: Buffer.alloc(0) }

function generate(schema: Schema, version: number): Codec<unknown, unknown> {
  support.checkVersion(schema, version)
  const form = support.formOf(schema.dialect, inRange(schema.flexible, version))
  const generator = new Generator(version, form)
  const name = generator.struct(schema.fields, schema.name)
  const code = [
    '"use strict"',
    ...generator.functions,
    `return { encode: encode${name}, decode: decode${name} }`,
  ].join('\n')
  const make = compileFunction(code, ['s'], {
    filename: `${schema.name}.v${version}.generated.js`,
  }) as (s: typeof helpers) => Codec<unknown, unknown>
  return make(helpers)
}

const compiled = new WeakMap<Schema, Codec<unknown, unknown>[]>()

/** The codec of one version of `schema`; throws WireError if there is no such version. */
export function compile<S extends Schema>(
  schema: S,
  version: number,
): Codec<TypeOf<S>, InputOf<S>> {
  let codecs = compiled.get(schema)
  if (codecs === undefined) {
    codecs = []
    compiled.set(schema, codecs)
  }
  let codec = codecs[version]
  if (codec === undefined) {
    codec = generate(schema, version)
    codecs[version] = codec
  }
  return codec as Codec<TypeOf<S>, InputOf<S>>
}

export function requestCodec<A extends AnyApi>(
  api: A,
  version: number,
): Codec<RequestOf<A>, RequestInputOf<A>> {
  return compile<A['request']>(api.request, version)
}

export function responseCodec<A extends AnyApi>(
  api: A,
  version: number,
): Codec<ResponseOf<A>, ResponseInputOf<A>> {
  return compile<A['response']>(api.response, version)
}
