// Pure. The `hits` of an answer.
import type { Compatibility } from '../compatibility.ts'
import { findDateFormat, formatIso } from '../dates/format.ts'
import type { Index } from '../indices/index.ts'
import { filterSource } from '../json/paths.ts'
import { isObject, type Json, parseJson, RawJson } from '../json/value.ts'
import { formatAddress } from '../mapping/address.ts'
import type { Field } from '../mapping/field.ts'
import type { Scalar } from '../mapping/values.ts'
import type { HitsPlan, StoredHit } from '../storage/plan.ts'
import { formatDecimal } from './decimal.ts'
import { highlightHit } from './highlight.ts'
import type { SearchParts } from './parts.ts'
import type { FieldSpec, SearchRequest, SourceSpec } from './search-request.ts'
import { showSortValue } from './sorting.ts'

export interface HitsContext {
  readonly parts: SearchParts
  readonly indices: readonly Index[]
  readonly request: SearchRequest
  readonly plan: HitsPlan
}

export interface FoundHits {
  readonly hits: readonly StoredHit[]
  readonly total: number | undefined
  readonly maxScore: number | null
}

export function renderHits(context: HitsContext, found: FoundHits): Record<string, unknown> {
  const { hits, total, maxScore } = found
  const shown = totalOf(context, total)
  return {
    ...(shown === undefined ? {} : { total: shown }),
    max_score: maxScore === null ? null : shortFloat(maxScore),
    hits: hits.map((hit) => renderHit(context, hit)),
  }
}

/** Later versions stop counting at 10,000 unless they are asked not to. */
function totalOf(context: HitsContext, total: number | undefined): unknown {
  const { request, parts } = context
  if (parts.compatibility.plainTotal || request.totalAsInt) return total ?? -1
  if (total === undefined) return undefined
  const most = totalMost(parts.compatibility, request)
  return total > most ? { value: most, relation: 'gte' } : { value: total, relation: 'eq' }
}

/** How far hits are counted exactly. */
export function totalMost(compatibility: Compatibility, request: SearchRequest): number {
  const { trackTotal, totalAsInt } = request
  if (compatibility.plainTotal || totalAsInt || trackTotal === true) return Number.POSITIVE_INFINITY
  return typeof trackTotal === 'number' ? trackTotal : 10_000
}

function renderHit(context: HitsContext, hit: StoredHit): Record<string, unknown> {
  const { request, plan, indices, parts } = context
  const index = indices[hit.shard]
  const json: Record<string, unknown> = { _index: index?.name }
  if (parts.compatibility.types) {
    json['_type'] = parts.compatibility.major >= 7 ? '_doc' : index?.definition.typeName
  }
  json['_id'] = hit.id
  if (request.version) json['_version'] = hit.version
  if (request.seqNo) Object.assign(json, { _seq_no: hit.seq, _primary_term: 1 })
  json['_score'] = scoreShown(context, hit)
  if (hit.ignored.length > 0 && parts.compatibility.major >= 7) json['_ignored'] = hit.ignored
  if (request.source.include) json['_source'] = renderSource(hit.source ?? '{}', request.source)
  const fields = renderFields(context, hit)
  if (Object.keys(fields).length > 0) json['fields'] = fields
  if (request.highlight !== undefined && index !== undefined) {
    const condition = plan.shards[hit.shard]?.condition
    const highlight = highlightHit(index, request.highlight, condition, hit.source ?? '{}')
    if (Object.keys(highlight).length > 0) json['highlight'] = highlight
  }
  if (request.sort.length > 0) {
    json['sort'] = plan.sort.map((key, at) => {
      const value = hit.sort[at] ?? null
      if (key.kind === 'score') return shortFloat(Number(value))
      return showSortValue(key, request.sort[at], key.kind === 'id' ? hit.id : value)
    })
  }
  return json
}

function scoreShown(context: HitsContext, hit: StoredHit): number | null {
  const { request } = context
  const asked =
    request.sort.length === 0 ||
    request.trackScores ||
    request.sort.some((spec) => spec.field === '_score')
  return asked && hit.score !== undefined ? shortFloat(hit.score) : null
}

/** The shortest number that is the same 32-bit float: how the original prints scores. */
export function shortFloat(value: number): number {
  const float = Math.fround(value)
  for (let digits = 6; digits < 10; digits++) {
    const short = Number(float.toPrecision(digits))
    if (Math.fround(short) === float) return short
  }
  return float
}

/** The source as it was sent, or what is left of it. */
export function renderSource(source: string, spec: SourceSpec): unknown {
  if (spec.includes.length === 0 && spec.excludes.length === 0) return new RawJson(source)
  const parsed = parseJson(source)
  return isObject(parsed) ? filterSource(parsed, spec.includes, spec.excludes) : parsed
}

function renderFields(context: HitsContext, hit: StoredHit): Record<string, Json[]> {
  const { request, plan } = context
  const specs: FieldSpec[] = [...request.docvalueFields, ...request.fields]
  const json: Record<string, Json[]> = {}
  specs.forEach((spec, at) => {
    const field = plan.fields[at]?.[hit.shard]
    const values = hit.fields[at] ?? []
    if (field === undefined || values.length === 0) return
    json[spec.field] = values.map((value) => showValue(field, value, spec.format))
  })
  return json
}

export function showValue(field: Field, value: Scalar, format: string | undefined): Json {
  const own = format === undefined || format === 'use_field_mapping' ? undefined : format
  switch (field.type) {
    case 'date': {
      if (own === undefined) return formatIso(Number(value))
      return findDateFormat(own)?.format(Number(value)) ?? formatIso(Number(value))
    }
    case 'ip':
      return formatAddress(String(value))
    case 'boolean':
    case 'byte':
    case 'double':
    case 'float':
    case 'half_float':
    case 'integer':
    case 'keyword':
    case 'long':
    case 'scaled_float':
    case 'short':
    case 'text':
    case 'unindexed':
    default: {
      if (own !== undefined && typeof value === 'number') return formatDecimal(value, own)
      if (field.columnKind === 'float') return shortFloat(Number(value))
      return typeof value === 'bigint' ? Number(value) : value
    }
  }
}
