// Pure. Sort orders of a request as the storage's, and sort values as the answer shows them.
import { illegalArgument, ShardError } from '../errors.ts'
import type { Index } from '../indices/index.ts'
import { type Json, RawJson } from '../json/value.ts'
import { formatAddress } from '../mapping/address.ts'
import { type Field, type FieldType, findFieldType } from '../mapping/field.ts'
import type { Scalar } from '../mapping/values.ts'
import type { FieldSortKey, SortKey } from '../storage/plan.ts'
import { findDateFormat } from '../dates/format.ts'
import type { SearchRequest, SortSpec } from './search-request.ts'

export const scoreSort: SortKey = { kind: 'score', descending: true }

export function usesScores(request: SearchRequest): boolean {
  if (request.size === 0) return false
  if (request.sort.length === 0 || request.trackScores || request.minScore !== undefined)
    return true
  return request.sort.some((spec) => spec.field === '_score')
}

/** @throws ShardError for a field that cannot be sorted by */
export function planSorts(indices: readonly Index[], request: SearchRequest): SortKey[] {
  return request.sort.map((spec): SortKey => {
    const { descending } = spec
    switch (spec.field) {
      case '_score':
        return { kind: 'score', descending }
      case '_doc':
      case '_shard_doc':
      case '_seq_no':
        return { kind: 'doc', descending }
      case '_id':
      case '_uid':
        return { kind: 'id', descending }
      default:
        return fieldSort(indices, spec)
    }
  })
}

function fieldSort(indices: readonly Index[], spec: SortSpec): FieldSortKey {
  const fields = indices.map((index) => sortField(index, spec))
  const field = fields.find((one) => one !== undefined)
  const { descending, missing } = spec
  const mode = spec.mode as FieldSortKey['mode'] | undefined
  return {
    kind: 'field',
    descending,
    fields,
    missing: missingOf(missing, field),
    mode: mode ?? (descending ? 'max' : 'min'),
  }
}

function missingOf(missing: Json | undefined, field: Field | undefined): FieldSortKey['missing'] {
  if (missing === undefined || missing === null || missing === '_last') return 'last'
  if (missing === '_first') return 'first'
  if (typeof missing === 'object') throw illegalArgument('[missing] must be a value')
  if (field?.type === 'date') {
    const date = field.dateFormat.parse(String(missing))
    return date === undefined ? 'last' : { value: date }
  }
  const isNumber = field !== undefined && field.columnKind !== 'string'
  return { value: isNumber ? Number(missing) : missing }
}

function sortField(index: Index, spec: SortSpec): Field | undefined {
  const field = index.mapping.fields.get(spec.field)
  if (field === undefined) {
    if (spec.unmappedType !== undefined) return undefined
    throw new ShardError(
      400,
      'query_shard_exception',
      `No mapping found for [${spec.field}] in order to sort on`,
      { namesIndex: true },
    )
  }
  if (field.type !== 'text') return field
  throw new ShardError(
    400,
    'illegal_argument_exception',
    `Fielddata is disabled on text fields by default. Set fielddata=true on [${field.name}] in order ` +
      'to load fielddata in memory by uninverting the inverted index. Note that this can however ' +
      'use significant memory. Alternatively use a keyword field instead.',
  )
}

/** `search_after` values in the columns' terms. @throws ShardError */
export function planAfter(
  request: SearchRequest,
  keys: readonly SortKey[],
): (Scalar | null)[] | undefined {
  const { searchAfter } = request
  if (searchAfter === undefined) return undefined
  if (searchAfter.length !== keys.length) {
    throw new ShardError(
      400,
      'illegal_argument_exception',
      `search_after has ${searchAfter.length} value(s) but sort has ${keys.length}.`,
    )
  }
  return keys.map((key, at) => {
    const value = searchAfter[at] ?? null
    if (value === null || typeof value === 'object') return null
    if (key.kind !== 'field') return value
    const field = key.fields.find((one) => one !== undefined)
    if (field?.type === 'date' && typeof value === 'string') {
      return field.dateFormat.parse(value) ?? null
    }
    if (field !== undefined && field.columnKind === 'whole') {
      const number = Number(value)
      return Math.abs(number) >= 9.2e18 ? null : number
    }
    return value
  })
}

/** Longs that stand for a missing value; the original sorts them in its own way. */
const longMax = new RawJson('9223372036854775807')
const longMin = new RawJson('-9223372036854775808')

/** A sort value as the answer shows it. */
export function showSortValue(
  key: SortKey,
  spec: SortSpec | undefined,
  value: Scalar | null,
): unknown {
  if (key.kind !== 'field') return typeof value === 'bigint' ? Number(value) : value
  const field = key.fields.find((one) => one !== undefined)
  const type = field?.type ?? unmappedType(spec)
  if (value === null) return missingShown(key, type)
  switch (type) {
    case 'boolean':
      return value === true ? 1 : 0
    case 'ip':
      return formatAddress(String(value))
    case 'date': {
      const format = spec?.format === undefined ? undefined : findDateFormat(spec.format)
      return format === undefined ? Number(value) : format.format(Number(value))
    }
    case undefined:
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
    default:
      return typeof value === 'bigint' ? new RawJson(String(value)) : value
  }
}

function unmappedType(spec: SortSpec | undefined): FieldType | undefined {
  return spec?.unmappedType === undefined ? undefined : findFieldType(spec.unmappedType)
}

function missingShown(key: FieldSortKey, type: FieldType | undefined): unknown {
  const greatest = (key.missing === 'last') !== key.descending
  switch (type) {
    case 'long':
    case 'integer':
    case 'short':
    case 'byte':
    case 'date':
    case 'boolean':
      return greatest ? longMax : longMin
    case 'double':
    case 'float':
    case 'half_float':
    case 'scaled_float':
      return greatest ? 'Infinity' : '-Infinity'
    case undefined:
    case 'ip':
    case 'keyword':
    case 'text':
    case 'unindexed':
    default:
      return null
  }
}
