/** `_field_caps`: which fields there are over several indices, and what can be done with them. */
import { textOf } from '../json/value.ts'
import { validationFailed } from '../errors.ts'
import type { Index } from '../indices/index.ts'
import { globMatches } from '../json/paths.ts'
import { bodyObject, type Handler, ok, resolveOptions, type RestRoute } from './context.ts'

interface Capability {
  readonly type: string
  readonly searchable: boolean
  readonly aggregatable: boolean
  readonly indices: string[]
}

const handler: Handler = (context, request) => {
  const body = bodyObject(request) ?? {}
  const listed = request.parameters.get('fields') ?? body['fields']
  const globs = (
    Array.isArray(listed) ? listed.map(String) : textOf(listed ?? '').split(',')
  ).filter((glob) => glob !== '')
  if (globs.length === 0) throw validationFailed('no fields specified')
  const indices = context.indices.resolve(request.variables['index'] ?? '_all', {
    ...resolveOptions(request),
    openOnly: true,
  })
  const found = new Map<string, Map<string, Capability>>()
  for (const index of indices) collect(index, globs, found)
  const fields: Record<string, unknown> = {}
  for (const [name, types] of found) {
    const several = types.size > 1
    fields[name] = Object.fromEntries(
      [...types].map(([type, one]) => {
        const { indices: names, ...capability } = one
        const modern = context.compatibility.major >= 7 ? { metadata_field: isMetadata(name) } : {}
        return [type, { ...capability, ...modern, ...(several ? { indices: names } : {}) }]
      }),
    )
  }
  const names = indices.map((index) => index.name)
  return ok(context.compatibility.major >= 7 ? { indices: names, fields } : { fields })
}

function isMetadata(name: string): boolean {
  return name.startsWith('_') && Object.hasOwn(metadata, name)
}

/** Name to whether it can be searched and aggregated. */
const metadata: Readonly<Record<string, readonly [boolean, boolean]>> = {
  _all: [true, false],
  _field_names: [true, false],
  _id: [true, true],
  _ignored: [true, false],
  _index: [true, true],
  _parent: [false, true],
  _routing: [true, false],
  _seq_no: [true, true],
  _source: [false, false],
  _type: [true, true],
  _uid: [false, true],
  _version: [false, false],
}

function collect(
  index: Index,
  globs: readonly string[],
  found: Map<string, Map<string, Capability>>,
): void {
  const wanted = (name: string): boolean => globs.some((glob) => globMatches(glob, name))
  const add = (name: string, type: string, searchable: boolean, aggregatable: boolean): void => {
    if (!wanted(name)) return
    const types = found.get(name) ?? new Map<string, Capability>()
    found.set(name, types)
    const present = types.get(type)
    if (present !== undefined) present.indices.push(index.name)
    else types.set(type, { type, searchable, aggregatable, indices: [index.name] })
  }
  for (const [name, [searchable, aggregatable]] of Object.entries(metadata)) {
    add(name, name, searchable, aggregatable)
  }
  for (const field of index.mapping.fields.values()) {
    const aggregatable = field.type !== 'text' && field.type !== 'unindexed'
    add(field.name, field.declaredType, field.indexed, aggregatable)
  }
}

export const fieldCapsRoutes: readonly RestRoute[] = [
  { methods: ['GET', 'POST'], path: '/_field_caps', handler },
  { methods: ['GET', 'POST'], path: '/{index}/_field_caps', handler },
]
