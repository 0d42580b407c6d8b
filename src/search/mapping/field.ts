// Pure. Fields of a mapping: their types, and where the storage keeps their values.
import { type Analyzer, findAnalyzer, standardAnalyzer } from '../analysis/analyzer.ts'
import { type DateFormat, defaultDatePattern, findDateFormat } from '../dates/format.ts'
import { SearchError } from '../errors.ts'
import { type Json, type JsonObject, textOf } from '../json/value.ts'

export type FieldType =
  | 'text'
  | 'keyword'
  | 'long'
  | 'integer'
  | 'short'
  | 'byte'
  | 'double'
  | 'float'
  | 'half_float'
  | 'scaled_float'
  | 'boolean'
  | 'date'
  | 'ip'
  /** Types that are kept in the source only, not searched yet: binary, geo_point, completion … */
  | 'unindexed'

/** What a column of the storage holds. Dates are epoch milliseconds, addresses 32 hexadecimal digits. */
export type ColumnKind = 'string' | 'whole' | 'double' | 'float' | 'boolean'

export interface Field {
  /** With dots: `host.name.keyword`. */
  readonly name: string
  readonly type: FieldType
  /** The name of the type as it was declared. */
  readonly declaredType: string
  /** Unique within the index, never used again: names the field in posting tables. */
  readonly number: number
  /** The column its values are in; text and keyword of one value share a column. */
  readonly column: number
  readonly columnKind: ColumnKind
  readonly ignoreAbove: number | undefined
  readonly analyzer: Analyzer
  readonly searchAnalyzer: Analyzer
  readonly dateFormat: DateFormat
  readonly scalingFactor: number
  readonly norms: boolean
  readonly indexed: boolean
  readonly ignoreMalformed: boolean
  readonly nullValue: string | number | boolean | undefined
  readonly coerce: boolean
  /** The top field's name when this is one of its `fields`. */
  readonly parent: string | undefined
}

const kinds: Readonly<Record<FieldType, ColumnKind>> = {
  text: 'string',
  keyword: 'string',
  long: 'whole',
  integer: 'whole',
  short: 'whole',
  byte: 'whole',
  double: 'double',
  float: 'float',
  half_float: 'float',
  scaled_float: 'double',
  boolean: 'boolean',
  date: 'whole',
  ip: 'string',
  unindexed: 'string',
}

const aliases: Readonly<Record<string, FieldType>> = {
  date_nanos: 'date',
  match_only_text: 'text',
  wildcard: 'keyword',
  constant_keyword: 'keyword',
  unsigned_long: 'double',
  binary: 'unindexed',
  completion: 'unindexed',
  geo_point: 'unindexed',
  geo_shape: 'unindexed',
  flattened: 'unindexed',
  alias: 'unindexed',
  join: 'unindexed',
  percolator: 'unindexed',
  rank_feature: 'unindexed',
  token_count: 'long',
  search_as_you_type: 'text',
  integer_range: 'unindexed',
  long_range: 'unindexed',
  float_range: 'unindexed',
  double_range: 'unindexed',
  date_range: 'unindexed',
  ip_range: 'unindexed',
  murmur3: 'unindexed',
  version: 'keyword',
  histogram: 'unindexed',
}

export function findFieldType(declared: string): FieldType | undefined {
  if (Object.hasOwn(kinds, declared)) return declared as FieldType
  return Object.hasOwn(aliases, declared) ? aliases[declared] : undefined
}

export interface FieldPlace {
  readonly name: string
  readonly number: number
  readonly parent?: Field
  readonly analyzers: ReadonlyMap<string, Analyzer>
}

/** A field from its definition in a mapping. @throws SearchError mapper_parsing_exception */
export function makeField(definition: JsonObject, place: FieldPlace): Field {
  const { name, number, parent, analyzers } = place
  const declaredType = textOf(definition['type'] ?? 'object')
  const type = findFieldType(declaredType)
  if (type === undefined) {
    throw mappingError(
      `No handler for type [${declaredType}] declared on field [${lastPart(name)}]`,
    )
  }
  const sharesColumn =
    parent !== undefined && isString(parent.type) && isString(type) && parent.type !== 'ip'
  const analyzer = analyzerOf(definition['analyzer'], name, analyzers) ?? standardAnalyzer
  const nullValue = definition['null_value']
  return {
    name,
    type,
    declaredType,
    number,
    column: sharesColumn ? parent.column : number,
    columnKind: kinds[type],
    ignoreAbove: numberOf(definition['ignore_above']),
    analyzer,
    searchAnalyzer: analyzerOf(definition['search_analyzer'], name, analyzers) ?? analyzer,
    dateFormat: dateFormatOf(definition, name),
    scalingFactor: numberOf(definition['scaling_factor']) ?? 1,
    norms: type === 'text' && definition['norms'] !== false,
    indexed: definition['index'] !== false && type !== 'unindexed',
    ignoreMalformed: definition['ignore_malformed'] === true,
    nullValue: nullValue === null || typeof nullValue === 'object' ? undefined : nullValue,
    coerce: definition['coerce'] !== false,
    parent: parent?.name,
  }
}

function isString(type: FieldType): boolean {
  return type === 'text' || type === 'keyword'
}

function analyzerOf(
  name: Json | undefined,
  field: string,
  analyzers: ReadonlyMap<string, Analyzer>,
): Analyzer | undefined {
  if (name === undefined) return analyzers.get('default')
  const found = analyzers.get(textOf(name)) ?? findAnalyzer(textOf(name))
  if (found !== undefined) return found
  throw mappingError(`analyzer [${textOf(name)}] not found for field [${lastPart(field)}]`)
}

function dateFormatOf(definition: JsonObject, name: string): DateFormat {
  const pattern = typeof definition['format'] === 'string' ? definition['format'] : undefined
  const format = findDateFormat(pattern ?? defaultDatePattern)
  if (format !== undefined) return format
  throw mappingError(`Invalid format: [${pattern}] for field [${lastPart(name)}]`)
}

export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))) {
    return Number(value)
  }
  return undefined
}

export function mappingError(reason: string): SearchError {
  return new SearchError(400, 'mapper_parsing_exception', reason)
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

export function isNumeric(type: FieldType): boolean {
  switch (type) {
    case 'long':
    case 'integer':
    case 'short':
    case 'byte':
    case 'double':
    case 'float':
    case 'half_float':
    case 'scaled_float':
      return true
    case 'boolean':
    case 'date':
    case 'ip':
    case 'keyword':
    case 'text':
    case 'unindexed':
    default:
      return false
  }
}

export function isWhole(type: FieldType): boolean {
  return type === 'long' || type === 'integer' || type === 'short' || type === 'byte'
}
