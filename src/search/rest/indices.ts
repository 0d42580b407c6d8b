/** Indices: create, delete, look at, mappings, settings, aliases, open and close, refresh and flush. */
import { illegalArgument, indexNotFound, SearchError } from '../errors.ts'
import { flattenSettings, nestSettings } from '../indices/definition.ts'
import type { Index } from '../indices/index.ts'
import { untype } from '../indices/indices.ts'
import { splitNames } from '../indices/names.ts'
import { globMatches } from '../json/paths.ts'
import { asArray, isObject, type JsonObject } from '../json/value.ts'
import {
  acknowledged,
  bodyObject,
  flagOf,
  type Handler,
  ok,
  requiredBody,
  resolveOptions,
  type RestContext,
  type RestRequest,
  type RestRoute,
} from './context.ts'

const create: Handler = async (context, request) => {
  const body = bodyObject(request) ?? {}
  for (const key of Object.keys(body)) {
    if (!['settings', 'mappings', 'aliases'].includes(key)) {
      throw new SearchError(400, 'parse_exception', `unknown key [${key}] for create index`)
    }
  }
  const part = (name: string): JsonObject => {
    const value = body[name]
    return isObject(value) ? value : {}
  }
  const index = await context.indices.create(request.variables['index'] ?? '', {
    settings: part('settings'),
    mappings: part('mappings'),
    aliases: part('aliases'),
  })
  return ok({ acknowledged: true, shards_acknowledged: true, index: index.name })
}

function resolved(context: RestContext, request: RestRequest, openOnly = false): Index[] {
  return context.indices.resolve(request.variables['index'] ?? '_all', {
    ...resolveOptions(request),
    openOnly,
  })
}

const remove: Handler = async (context, request) => {
  const expression = request.variables['index'] ?? ''
  for (const name of splitNames(expression)) {
    const isAlias = context.indices.find(name) === undefined
    if (isAlias && !name.includes('*') && context.indices.withAlias(name).length > 0) {
      throw illegalArgument(
        `The provided expression [${name}] matches an alias, specify the corresponding concrete ` +
          'indices instead.',
      )
    }
  }
  for (const index of resolved(context, request)) await context.indices.remove(index)
  return acknowledged
}

const exists: Handler = (context, request) => {
  try {
    const found = resolved(context, request)
    return { status: found.length > 0 ? 200 : 404, text: '' }
  } catch (error) {
    if (!(error instanceof SearchError) || error.status !== 404) throw error
    return { status: 404, text: '' }
  }
}

const get: Handler = (context, request) => {
  const json: JsonObject = {}
  for (const index of resolved(context, request)) {
    json[index.name] = {
      aliases: { ...index.definition.aliases },
      mappings: mappingsJson(request, index),
      settings: settingsJson(index, false),
    }
  }
  return ok(json)
}

function mappingsJson(request: RestRequest, index: Index): JsonObject {
  const mapping = index.mapping.toJson()
  const typed = flagOf(request, 'include_type_name', index.compatibility.typedMappings)
  if (!typed) return mapping
  return index.mapping.isEmpty ? {} : { [index.definition.typeName]: mapping }
}

const getMapping: Handler = (context, request) => {
  const json: JsonObject = {}
  for (const index of resolved(context, request)) {
    json[index.name] = { mappings: mappingsJson(request, index) }
  }
  return ok(json)
}

const putMapping: Handler = async (context, request) => {
  const body = untype(requiredBody(request)).mapping
  const indices = resolved(context, request)
  if (indices.length === 0) throw indexNotFound(request.variables['index'] ?? '')
  for (const index of indices) await index.putMapping(body)
  return acknowledged
}

const getFieldMapping: Handler = (context, request) => {
  const globs = (request.variables['fields'] ?? '*').split(',')
  const json: JsonObject = {}
  for (const index of resolved(context, request)) {
    const fields: JsonObject = {}
    for (const field of index.mapping.fields.values()) {
      if (!globs.some((glob) => globMatches(glob, field.name))) continue
      const name = field.name.slice(field.name.lastIndexOf('.') + 1)
      fields[field.name] = {
        full_name: field.name,
        mapping: { [name]: { type: field.declaredType } },
      }
    }
    const typed = index.compatibility.typedMappings
    json[index.name] = { mappings: typed ? { [index.definition.typeName]: fields } : fields }
  }
  return ok(json)
}

function settingsJson(index: Index, flat: boolean): JsonObject {
  const { definition } = index
  const all: Record<string, string> = {
    ...definition.settings,
    'index.creation_date': String(definition.createdMs),
    'index.provided_name': index.name,
    'index.uuid': index.uuid,
    'index.version.created': definition.versionId,
  }
  if (!flat) return nestSettings(all)
  return Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)))
}

const getSettings: Handler = (context, request) => {
  const flat = flagOf(request, 'flat_settings')
  const json: JsonObject = {}
  for (const index of resolved(context, request)) {
    json[index.name] = { settings: settingsJson(index, flat) }
  }
  return ok(json)
}

const fixedSettings = ['index.number_of_shards', 'index.codec', 'index.sort']

const putSettings: Handler = async (context, request) => {
  const body = requiredBody(request)
  const settings = flattenSettings(isObject(body['settings']) ? body['settings'] : body)
  const indices = resolved(context, request)
  for (const index of indices) {
    const fixed = Object.keys(settings).filter((name) =>
      fixedSettings.some((one) => name === one || name.startsWith('index.analysis.')),
    )
    if (fixed.length > 0) {
      throw illegalArgument(
        `Can't update non dynamic settings [[${fixed.join(', ')}]] for open indices ` +
          `[[${index.name}/${index.uuid}]]`,
      )
    }
  }
  for (const index of indices) {
    await index.save({ settings: { ...index.definition.settings, ...settings } })
  }
  return acknowledged
}

const open: Handler = async (context, request) => {
  for (const index of resolved(context, request)) await index.save({ closed: false })
  return ok({ acknowledged: true, shards_acknowledged: true })
}

const close: Handler = async (context, request) => {
  const indices = resolved(context, request)
  for (const index of indices) await index.save({ closed: true })
  if (context.compatibility.major < 7) return acknowledged
  const closed = indices.map((index) => [index.name, { closed: true }] as const)
  return ok({ acknowledged: true, shards_acknowledged: true, indices: Object.fromEntries(closed) })
}

/** Documents are there to be found once they are acknowledged: nothing is left to do. */
const done: Handler = (context, request) => {
  const total = resolved(context, request).reduce(
    (sum, index) => sum + index.shardCount * (1 + index.replicaCount),
    0,
  )
  const successful = resolved(context, request).reduce((sum, index) => sum + index.shardCount, 0)
  return ok({ _shards: { total, successful, failed: 0 } })
}

const changeAliases: Handler = async (context, request) => {
  const actions = asArray(requiredBody(request)['actions'])
  for (const action of actions) {
    const [kind, body] = isObject(action) ? (Object.entries(action)[0] ?? []) : []
    if (kind === undefined || !isObject(body)) throw illegalArgument('[aliases] malformed action')
    await changeAlias(context, kind, body)
  }
  return acknowledged
}

async function changeAlias(context: RestContext, kind: string, body: JsonObject): Promise<void> {
  const names = [...asArray(body['index']), ...asArray(body['indices'])].map(String)
  const aliases = [...asArray(body['alias']), ...asArray(body['aliases'])].map(String)
  const indices = context.indices.resolve(names.join(','))
  if (kind === 'remove_index') {
    for (const index of indices) await context.indices.remove(index)
    return
  }
  const { index: _, indices: __, alias: ___, aliases: ____, ...options } = body
  for (const index of indices) {
    if (kind === 'add') {
      const added = aliases.map((alias) => [alias, options] as const)
      const all = { ...index.definition.aliases, ...Object.fromEntries(added) }
      await index.save({ aliases: all })
    } else if (kind === 'remove') {
      await removeAliases(index, aliases)
    } else throw illegalArgument(`[aliases] unknown action [${kind}]`)
  }
}

async function removeAliases(index: Index, globs: readonly string[]): Promise<number> {
  const entries = Object.entries(index.definition.aliases)
  const kept = entries.filter(([alias]) => !globs.some((glob) => globMatches(glob, alias)))
  if (kept.length < entries.length) await index.save({ aliases: Object.fromEntries(kept) })
  return entries.length - kept.length
}

const putAlias: Handler = async (context, request) => {
  const alias = request.variables['alias'] ?? ''
  const options = bodyObject(request) ?? {}
  for (const index of resolved(context, request)) {
    await index.save({ aliases: { ...index.definition.aliases, [alias]: options } })
  }
  return acknowledged
}

const deleteAlias: Handler = async (context, request) => {
  const globs = splitNames(request.variables['alias'] ?? '')
  let removed = 0
  for (const index of resolved(context, request)) removed += await removeAliases(index, globs)
  if (removed > 0) return acknowledged
  throw new SearchError(404, 'aliases_not_found_exception', `aliases [${globs.join(', ')}] missing`)
}

const getAliases: Handler = (context, request) => {
  const wanted = request.variables['alias']
  const globs = wanted === undefined ? undefined : splitNames(wanted)
  const json: JsonObject = {}
  for (const index of resolved(context, request)) {
    const entries = Object.entries(index.definition.aliases).filter(
      ([alias]) =>
        globs === undefined || globs.some((glob) => glob === '_all' || globMatches(glob, alias)),
    )
    if (globs !== undefined && entries.length === 0) continue
    json[index.name] = { aliases: Object.fromEntries(entries) }
  }
  if (globs === undefined || Object.keys(json).length > 0 || wanted?.includes('*') === true) {
    return ok(json)
  }
  return ok({ error: `alias [${wanted}] missing`, status: 404 }, 404)
}

const get_ = ['GET'] as const
const puts = ['PUT', 'POST'] as const

export const indexRoutes: readonly RestRoute[] = [
  { methods: ['PUT'], path: '/{index}', handler: create },
  { methods: ['DELETE'], path: '/{index}', handler: remove },
  { methods: ['HEAD'], path: '/{index}', handler: exists },
  { methods: get_, path: '/{index}', handler: get },
  { methods: get_, path: '/_mapping', handler: getMapping },
  { methods: get_, path: '/_mapping/{type}', handler: getMapping },
  { methods: get_, path: '/{index}/_mapping', handler: getMapping },
  { methods: get_, path: '/{index}/_mappings', handler: getMapping },
  { methods: get_, path: '/{index}/_mapping/{type}', handler: getMapping, until: 7 },
  { methods: get_, path: '/{index}/_mapping/field/{fields}', handler: getFieldMapping },
  { methods: puts, path: '/{index}/_mapping', handler: putMapping },
  { methods: puts, path: '/{index}/_mapping/{type}', handler: putMapping, until: 7 },
  { methods: puts, path: '/{index}/{type}/_mapping', handler: putMapping, until: 7 },
  { methods: get_, path: '/_settings', handler: getSettings },
  { methods: get_, path: '/{index}/_settings', handler: getSettings },
  { methods: ['PUT'], path: '/_settings', handler: putSettings },
  { methods: ['PUT'], path: '/{index}/_settings', handler: putSettings },
  { methods: ['POST'], path: '/{index}/_open', handler: open },
  { methods: ['POST'], path: '/{index}/_close', handler: close },
  ...['_refresh', '_flush', '_forcemerge', '_cache/clear'].flatMap((name): RestRoute[] => [
    { methods: ['POST', 'GET'], path: `/${name}`, handler: done },
    { methods: ['POST', 'GET'], path: `/{index}/${name}`, handler: done },
  ]),
  { methods: ['POST'], path: '/_aliases', handler: changeAliases },
  { methods: get_, path: '/_alias', handler: getAliases },
  { methods: get_, path: '/_alias/{alias}', handler: getAliases },
  { methods: get_, path: '/{index}/_alias', handler: getAliases },
  { methods: get_, path: '/{index}/_alias/{alias}', handler: getAliases },
  { methods: puts, path: '/{index}/_alias/{alias}', handler: putAlias },
  { methods: puts, path: '/{index}/_aliases/{alias}', handler: putAlias },
  { methods: ['DELETE'], path: '/{index}/_alias/{alias}', handler: deleteAlias },
]
