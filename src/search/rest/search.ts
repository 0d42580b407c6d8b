/** `_search`, `_msearch`, `_count`, `_validate/query`. */
import { illegalArgument, RequestParseError, SearchError, ShardError } from '../errors.ts'
import type { Index } from '../indices/index.ts'
import { type Json, type JsonObject, textOf } from '../json/value.ts'
import { resolveQuery } from '../query/resolve.ts'
import { uriQuery } from '../query/query-string.ts'
import { runCount, runSearch } from '../request/search.ts'
import { isSet, parseSearch, type SearchParameters } from '../request/search-request.ts'
import {
  bodyObject,
  type Handler,
  indicesParameters,
  ok,
  parseObject,
  resolveOptions,
  type RestContext,
  type RestRequest,
  type RestRoute,
  searchParts,
} from './context.ts'
import { failureBody } from './failure.ts'

const search: Handler = async (context, request) => {
  const body = sourceBody(request)
  const parsed = parseSearch(body, request.parameters)
  const indices = context.indices.resolve(request.variables['index'] ?? '_all', {
    ...resolveOptions(request),
    openOnly: true,
  })
  return ok(await runSearch(searchParts(context), indices, parsed))
}

function sourceBody(request: RestRequest): JsonObject {
  const source = request.parameters.get('source')
  if (source !== undefined && request.body.length === 0) return parseObject(source)
  return bodyObject(request) ?? {}
}

const count: Handler = async (context, request) => {
  const body = sourceBody(request)
  for (const key of Object.keys(body)) {
    if (key !== 'query') {
      throw new RequestParseError(`request does not support [${key}]`, {
        path: [key],
        place: 'name',
      })
    }
  }
  const indices = context.indices.resolve(request.variables['index'] ?? '_all', {
    ...resolveOptions(request),
    openOnly: true,
  })
  const query = uriQuery(request.parameters) ?? body['query']
  return ok(await runCount(searchParts(context), indices, query))
}

const multiSearch: Handler = async (context, request) => {
  const text = request.body.toString('utf8')
  if (!text.endsWith('\n')) {
    throw illegalArgument('The msearch request must be terminated by a newline [\n]')
  }
  const lines = text.split('\n')
  lines.pop()
  const searches: PreparedSearch[] = []
  for (let at = 0; at + 1 < lines.length; at += 2) {
    searches.push(prepare(request, lines[at] ?? '', lines[at + 1] ?? ''))
  }
  if (searches.length > searchesMax) {
    throw illegalArgument(`more than ${searchesMax} searches in one request`)
  }
  const started = context.clock.monotonicMs()
  const responses: unknown[] = []
  for (const one of searches) responses.push(await runOne(context, one))
  const took = Math.round(context.clock.monotonicMs() - started)
  return ok({ ...(context.compatibility.major >= 7 ? { took } : {}), responses })
}

/** Searches in one `_msearch`. */
const searchesMax = 1000

interface PreparedSearch {
  readonly expression: string
  readonly ignoreUnavailable: boolean
  readonly body: JsonObject
  readonly text: string
  readonly parameters: SearchParameters
}

/** Mistakes that show without an index fail the whole request, as in the original. */
function prepare(request: RestRequest, headLine: string, bodyLine: string): PreparedSearch {
  const head = headLine.trim() === '' ? {} : parseObject(headLine)
  const body = bodyLine.trim() === '' ? {} : parseObject(bodyLine)
  const index = head['index'] ?? head['indices'] ?? request.variables['index'] ?? '_all'
  const parameters = new Map<string, string>()
  for (const name of ['typed_keys', 'rest_total_hits_as_int']) {
    if (isSet(request.parameters.get(name))) parameters.set(name, 'true')
  }
  try {
    parseSearch(body, parameters)
    if (body['query'] !== undefined) {
      resolveQuery({ index: undefined, now: 0, scores: false }, body['query'], ['query'])
    }
  } catch (error) {
    if (error instanceof RequestParseError) throw located(error, bodyLine)
    // What shows only against an index fails this search alone.
    if (!(error instanceof ShardError)) throw error
  }
  return {
    expression: Array.isArray(index) ? index.map(textOf).join(',') : textOf(index),
    ignoreUnavailable: head['ignore_unavailable'] === true,
    body,
    text: bodyLine,
    parameters,
  }
}

/** The place counts within the search's own line. */
function located(error: RequestParseError, text: string): SearchError {
  const { type, reason, root_cause: _, caused_by: __, ...extra } = failureBody(error, text)
  return new SearchError(error.status, String(type), String(reason), {
    extra,
    ...(error.causedBy === undefined ? {} : { causedBy: error.causedBy }),
  })
}

async function runOne(context: RestContext, one: PreparedSearch): Promise<unknown> {
  const modern = context.compatibility.major >= 6 ? { status: 200 } : {}
  try {
    const indices = context.indices.resolve(one.expression, {
      ignoreUnavailable: one.ignoreUnavailable,
      openOnly: true,
    })
    const parsed = parseSearch(one.body, one.parameters)
    return { ...(await runSearch(searchParts(context), indices, parsed)), ...modern }
  } catch (error) {
    if (!(error instanceof SearchError)) throw error
    return { error: failureBody(error, one.text), status: error.status }
  }
}

const validate: Handler = (context, request) => {
  const body = bodyObject(request) ?? {}
  const query: Json | undefined = uriQuery(request.parameters) ?? body['query']
  const indices = context.indices.resolve(request.variables['index'] ?? '_all', {
    ...resolveOptions(request),
  })
  const valid = indices.every((index) => isValid(context, index, query))
  return ok({ _shards: { total: 1, successful: 1, failed: 0 }, valid })
}

function isValid(context: RestContext, index: Index, query: Json | undefined): boolean {
  if (query === undefined) return true
  try {
    resolveQuery({ index, now: context.clock.now(), scores: false }, query, ['query'])
    return true
  } catch (error) {
    if (error instanceof SearchError) return false
    throw error
  }
}

const searchParameters = [
  ...indicesParameters,
  'q',
  'df',
  'analyzer',
  'analyze_wildcard',
  'default_operator',
  'lenient',
  'explain',
  'stored_fields',
  'docvalue_fields',
  'from',
  'size',
  'sort',
  '_source',
  '_source_include',
  '_source_includes',
  '_source_exclude',
  '_source_excludes',
  'source',
  'source_content_type',
  'terminate_after',
  'stats',
  'timeout',
  'track_scores',
  'track_total_hits',
  'rest_total_hits_as_int',
  'version',
  'seq_no_primary_term',
  'batched_reduce_size',
  'max_concurrent_shard_requests',
  'pre_filter_shard_size',
  'allow_partial_search_results',
  'ccs_minimize_roundtrips',
  'request_cache',
  'preference',
  'routing',
  'search_type',
  'typed_keys',
  'scroll',
  'ignore_throttled',
]

const both = ['POST', 'GET'] as const

/** Scrolling is not built: refused rather than answered with one page. */
const refuseScroll: Handler = (context, request) => {
  if (request.parameters.has('scroll')) {
    throw illegalArgument('[scroll] is not supported: page with [search_after]')
  }
  return search(context, request)
}

export const searchRoutes: readonly RestRoute[] = [
  { methods: both, path: '/_search', handler: refuseScroll, parameters: searchParameters },
  { methods: both, path: '/{index}/_search', handler: refuseScroll, parameters: searchParameters },
  { methods: both, path: '/{index}/{type}/_search', handler: refuseScroll, until: 7 },
  { methods: both, path: '/_msearch', handler: multiSearch },
  { methods: both, path: '/{index}/_msearch', handler: multiSearch },
  { methods: both, path: '/_count', handler: count },
  { methods: both, path: '/{index}/_count', handler: count },
  { methods: both, path: '/{index}/_validate/query', handler: validate },
]
