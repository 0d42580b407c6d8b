// Pure. The body and parameters of a search, read and checked as far as that goes without an index.
import { type AggregationNode, parseAggregations } from '../aggregations/tree.ts'
import { illegalArgument, RequestParseError, validationFailed } from '../errors.ts'
import { asArray, isObject, type Json, type JsonObject, textOf } from '../json/value.ts'
import { uriQuery } from '../query/query-string.ts'

export interface SearchRequest {
  readonly query: Json | undefined
  readonly postFilter: Json | undefined
  readonly from: number
  readonly size: number
  readonly sort: readonly SortSpec[]
  readonly source: SourceSpec
  readonly aggregations: readonly AggregationNode[]
  readonly docvalueFields: readonly FieldSpec[]
  /** `fields` of 7.10 and later. */
  readonly fields: readonly FieldSpec[]
  readonly searchAfter: readonly Json[] | undefined
  readonly minScore: number | undefined
  readonly trackScores: boolean
  /** Undefined: up to the version's usual limit. */
  readonly trackTotal: boolean | number | undefined
  readonly terminateAfter: number
  readonly version: boolean
  readonly seqNo: boolean
  readonly highlight: JsonObject | undefined
  readonly typedKeys: boolean
  readonly totalAsInt: boolean
}

export interface SortSpec {
  readonly field: string
  readonly descending: boolean
  readonly missing: Json | undefined
  readonly mode: string | undefined
  readonly unmappedType: string | undefined
  readonly format: string | undefined
}

export interface FieldSpec {
  readonly field: string
  readonly format: string | undefined
}

export interface SourceSpec {
  readonly include: boolean
  readonly includes: readonly string[]
  readonly excludes: readonly string[]
}

const bodyKeys = new Set([
  'query',
  'post_filter',
  'from',
  'size',
  'sort',
  '_source',
  'aggs',
  'aggregations',
  'docvalue_fields',
  'fields',
  'stored_fields',
  'script_fields',
  'runtime_mappings',
  'search_after',
  'min_score',
  'track_scores',
  'track_total_hits',
  'terminate_after',
  'timeout',
  'version',
  'seq_no_primary_term',
  'highlight',
  'explain',
  'profile',
  'indices_boost',
  'rescore',
  'suggest',
  'collapse',
  'slice',
  'stats',
  'ext',
  'pit',
])

export type SearchParameters = ReadonlyMap<string, string>

/** @throws RequestParseError, SearchError */
export function parseSearch(body: JsonObject, parameters: SearchParameters): SearchRequest {
  for (const key of Object.keys(body)) {
    if (bodyKeys.has(key)) continue
    const value = body[key] ?? null
    throw new RequestParseError(`Unknown key for a ${tokenName(value)} in [${key}].`, {
      path: [key],
    })
  }
  refuseUnbuilt(body)
  const aggs = body['aggs'] ?? body['aggregations']
  const aggsName = body['aggs'] === undefined ? 'aggregations' : 'aggs'
  const size = numberOf(parameters, 'size') ?? numberIn(body, 'size') ?? 10
  const from = numberOf(parameters, 'from') ?? numberIn(body, 'from') ?? 0
  if (from < 0) throw illegalArgument('[from] parameter cannot be negative')
  const searchAfter = body['search_after']
  return {
    query: uriQuery(parameters) ?? body['query'],
    postFilter: body['post_filter'],
    from,
    size: size < 0 ? 10 : size,
    sort: parseSorts(parameters, body),
    source: parseSource(parameters, body['_source']),
    aggregations: aggs === undefined ? [] : parseAggregations(aggs, [aggsName]),
    docvalueFields: fieldSpecs(body['docvalue_fields'], parameters.get('docvalue_fields')),
    fields: fieldSpecs(body['fields'], undefined),
    searchAfter: searchAfter === undefined ? undefined : asArray(searchAfter),
    minScore: numberIn(body, 'min_score'),
    trackScores: flag(body['track_scores']) || parameters.get('track_scores') === 'true',
    trackTotal: parseTrackTotal(parameters.get('track_total_hits') ?? body['track_total_hits']),
    terminateAfter:
      numberOf(parameters, 'terminate_after') ?? numberIn(body, 'terminate_after') ?? 0,
    version: flag(body['version']) || parameters.get('version') === 'true',
    seqNo: flag(body['seq_no_primary_term']) || parameters.get('seq_no_primary_term') === 'true',
    highlight: isObject(body['highlight']) ? body['highlight'] : undefined,
    typedKeys: isSet(parameters.get('typed_keys')),
    totalAsInt: isSet(parameters.get('rest_total_hits_as_int')),
  }
}

/** A boolean parameter: present without a value counts as true. */
export function isSet(value: string | undefined): boolean {
  return value === '' || value === 'true'
}

/** What changes the answer must not be passed over in silence. */
function refuseUnbuilt(body: JsonObject): void {
  for (const key of ['collapse', 'rescore', 'suggest', 'slice', 'pit', 'runtime_mappings']) {
    const value = body[key]
    const empty = value === undefined || value === null || Object.keys(value).length === 0
    if (!empty) throw validationFailed(`[${key}] is not supported`)
  }
  const scripts = body['script_fields']
  if (isObject(scripts) && Object.keys(scripts).length > 0) {
    throw validationFailed('[script_fields] is not supported')
  }
}

function tokenName(value: Json): string {
  if (Array.isArray(value)) return 'START_ARRAY'
  if (value === null) return 'VALUE_NULL'
  switch (typeof value) {
    case 'object':
      return 'START_OBJECT'
    case 'string':
      return 'VALUE_STRING'
    case 'number':
      return 'VALUE_NUMBER'
    case 'bigint':
    case 'boolean':
    case 'function':
    case 'symbol':
    case 'undefined':
    default:
      return 'VALUE_BOOLEAN'
  }
}

export function numberOf(parameters: SearchParameters, name: string): number | undefined {
  const text = parameters.get(name)
  if (text === undefined) return undefined
  if (/^[+-]?\d{1,9}$/.test(text)) return Number(text)
  throw illegalArgument(`Failed to parse int parameter [${name}] with value [${text}]`, {
    causedBy: { type: 'number_format_exception', reason: `For input string: "${text}"` },
  })
}

function numberIn(body: JsonObject, name: string): number | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  const number = Number(value)
  if (Number.isFinite(number)) return number
  throw new RequestParseError(`[${name}] must be a number`, { path: [name] })
}

function flag(value: Json | undefined): boolean {
  return value === true || value === 'true'
}

function parseTrackTotal(value: Json | undefined): boolean | number | undefined {
  if (value === undefined || value === null) return undefined
  if (value === true || value === 'true' || value === '') return true
  if (value === false || value === 'false') return false
  const number = Number(value)
  return Number.isFinite(number) ? number : undefined
}

function parseSorts(parameters: SearchParameters, body: JsonObject): SortSpec[] {
  const text = parameters.get('sort')
  if (text !== undefined) {
    return text.split(',').map((part) => {
      const colon = part.lastIndexOf(':')
      const order = colon < 0 ? undefined : part.slice(colon + 1)
      return sortSpec(colon < 0 ? part : part.slice(0, colon), order ?? null)
    })
  }
  return asArray(body['sort']).flatMap((one) => {
    if (isObject(one)) return Object.entries(one).map(([field, order]) => sortSpec(field, order))
    return [sortSpec(textOf(one), null)]
  })
}

function sortSpec(field: string, value: Json): SortSpec {
  const options = isObject(value) ? value : {}
  const order = isObject(value) ? options['order'] : value
  const usual = field === '_score' ? 'desc' : 'asc'
  const text = (name: string): string | undefined =>
    options[name] === undefined ? undefined : textOf(options[name])
  return {
    field,
    descending: textOf(order ?? usual).toLowerCase() === 'desc',
    missing: options['missing'],
    mode: text('mode'),
    unmappedType: text('unmapped_type') ?? (flag(options['ignore_unmapped']) ? 'long' : undefined),
    format: text('format'),
  }
}

export function parseSource(parameters: SearchParameters, value: Json | undefined): SourceSpec {
  const listed = (name: string): string[] | undefined =>
    parameters
      .get(name)
      ?.split(',')
      .filter((part) => part !== '')
  const includes = listed('_source_include') ?? listed('_source_includes')
  const excludes = listed('_source_exclude') ?? listed('_source_excludes')
  if (includes !== undefined || excludes !== undefined) {
    return { include: true, includes: includes ?? [], excludes: excludes ?? [] }
  }
  const own = parameters.get('_source')
  if (own !== undefined) return parseSource(new Map(), sourceText(own))
  if (value === false) return { include: false, includes: [], excludes: [] }
  if (value === undefined || value === true || value === null) return wholeSource
  if (isObject(value)) {
    const of = (...names: string[]): string[] =>
      names.flatMap((name) => asArray(value[name]).map(String))
    const kept = of('includes', 'include')
    return { include: true, includes: kept, excludes: of('excludes', 'exclude') }
  }
  return { include: true, includes: asArray(value).map(String), excludes: [] }
}

function sourceText(text: string): Json {
  if (text === 'true' || text === '') return true
  return text === 'false' ? false : text.split(',')
}

export const wholeSource: SourceSpec = { include: true, includes: [], excludes: [] }

function fieldSpecs(value: Json | undefined, text: string | undefined): FieldSpec[] {
  if (text !== undefined) return text.split(',').map((field) => ({ field, format: undefined }))
  return asArray(value).map((one) => {
    if (!isObject(one)) return { field: textOf(one), format: undefined }
    const format = one['format']
    return {
      field: textOf(one['field']),
      format: format === undefined ? undefined : textOf(format),
    }
  })
}
