/** Templates of both kinds, and the small documents that shippers look for: policies, pipelines. */
import { SearchError, validationFailed } from '../errors.ts'
import { flattenSettings, nestSettings } from '../indices/definition.ts'
import { untype } from '../indices/indices.ts'
import type { StateKind } from '../indices/templates.ts'
import { globMatches } from '../json/paths.ts'
import { asArray, isObject, type JsonObject } from '../json/value.ts'
import {
  acknowledged,
  flagOf,
  type Handler,
  ok,
  requiredBody,
  type RestContext,
  type RestRoute,
} from './context.ts'

const putLegacy: Handler = (context, request) => {
  const body = requiredBody(request)
  const patterns = asArray(body['index_patterns'] ?? body['template'])
  if (patterns.length === 0) throw validationFailed('index patterns are missing')
  const name = request.variables['name'] ?? ''
  const settings = isObject(body['settings']) ? nestSettings(flattenSettings(body['settings'])) : {}
  const { template: _, ...rest } = body
  context.state.put('template', name, {
    order: body['order'] ?? 0,
    ...(rest['version'] === undefined ? {} : { version: rest['version'] }),
    index_patterns: patterns,
    settings,
    mappings: isObject(body['mappings']) ? body['mappings'] : {},
    aliases: isObject(body['aliases']) ? body['aliases'] : {},
  })
  return acknowledged
}

function matching(context: RestContext, kind: StateKind, globs: string): [string, JsonObject][] {
  const list = globs.split(',')
  return [...context.state.all(kind)].filter(([name]) =>
    list.some((glob) => globMatches(glob, name)),
  )
}

const getLegacy: Handler = (context, request) => {
  const name = request.variables['name']
  const found = matching(context, 'template', name ?? '*')
  const typed = flagOf(request, 'include_type_name', context.compatibility.typedMappings)
  const json: JsonObject = {}
  for (const [one, template] of found) {
    const mappings = isObject(template['mappings']) ? template['mappings'] : {}
    json[one] = { ...template, mappings: typed ? mappings : untype(mappings).mapping }
  }
  const missing = found.length === 0 && name !== undefined && !name.includes('*')
  return ok(json, missing ? 404 : 200)
}

const headLegacy: Handler = (context, request) => {
  const found = matching(context, 'template', request.variables['name'] ?? '*')
  return { status: found.length > 0 ? 200 : 404, text: '' }
}

const deleteLegacy: Handler = (context, request) => {
  const name = request.variables['name'] ?? ''
  if (context.state.remove('template', name) > 0 || name.includes('*')) return acknowledged
  throw new SearchError(404, 'index_template_missing_exception', `index_template [${name}] missing`)
}

interface Listed {
  readonly kind: StateKind
  readonly path: string
  /** The member of the answer that holds the list, and that of each entry. */
  readonly list: string
  readonly entry: string
  readonly missing: string
}

const listed: readonly Listed[] = [
  {
    kind: 'index_template',
    path: '/_index_template',
    list: 'index_templates',
    entry: 'index_template',
    missing: 'index template matching',
  },
  {
    kind: 'component_template',
    path: '/_component_template',
    list: 'component_templates',
    entry: 'component_template',
    missing: 'component template matching',
  },
]

function listedRoutes(one: Listed): RestRoute[] {
  const put: Handler = (context, request) => {
    const body = requiredBody(request)
    if (body['data_stream'] !== undefined) {
      throw validationFailed('[data_stream] is not supported: leave it out to write to an index')
    }
    context.state.put(one.kind, request.variables['name'] ?? '', body)
    return acknowledged
  }
  const get: Handler = (context, request) => {
    const name = request.variables['name']
    const found = matching(context, one.kind, name ?? '*')
    if (found.length === 0 && name !== undefined && !name.includes('*')) {
      throw missingError(one, name)
    }
    return ok({ [one.list]: found.map(([own, value]) => ({ name: own, [one.entry]: value })) })
  }
  const head: Handler = (context, request) => {
    const found = matching(context, one.kind, request.variables['name'] ?? '*')
    return { status: found.length > 0 ? 200 : 404, text: '' }
  }
  const remove: Handler = (context, request) => {
    const name = request.variables['name'] ?? ''
    if (context.state.remove(one.kind, name) > 0) return acknowledged
    throw missingError(one, name)
  }
  return [
    { methods: ['PUT', 'POST'], path: `${one.path}/{name}`, handler: put, since: 7 },
    { methods: ['GET'], path: one.path, handler: get, since: 7 },
    { methods: ['GET'], path: `${one.path}/{name}`, handler: get, since: 7 },
    { methods: ['HEAD'], path: `${one.path}/{name}`, handler: head, since: 7 },
    { methods: ['DELETE'], path: `${one.path}/{name}`, handler: remove, since: 7 },
  ]
}

function missingError(one: Listed, name: string): SearchError {
  return new SearchError(404, 'resource_not_found_exception', `${one.missing} [${name}] not found`)
}

export const templateRoutes: readonly RestRoute[] = [
  { methods: ['PUT', 'POST'], path: '/_template/{name}', handler: putLegacy },
  { methods: ['GET'], path: '/_template', handler: getLegacy },
  { methods: ['GET'], path: '/_template/{name}', handler: getLegacy },
  { methods: ['HEAD'], path: '/_template/{name}', handler: headLegacy },
  { methods: ['DELETE'], path: '/_template/{name}', handler: deleteLegacy },
  ...listed.flatMap(listedRoutes),
]
