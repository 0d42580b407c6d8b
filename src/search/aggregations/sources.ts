// Pure. Which columns an aggregation reads, in each index of the search.
import type { Index } from '../indices/index.ts'
import { RequestParseError, ShardError } from '../errors.ts'
import type { Json } from '../json/value.ts'
import { formatAddress } from '../mapping/address.ts'
import { type Field, type FieldType, isNumeric } from '../mapping/field.ts'
import type { Scalar } from '../mapping/values.ts'
import type { Condition, ShardPlan, ValueSource } from '../storage/plan.ts'
import { findDateFormat } from '../dates/format.ts'
import { parseDateMath } from '../dates/math.ts'
import type { AggregationNode } from './tree.ts'

export interface AggregationContext {
  readonly indices: readonly Index[]
  readonly shards: readonly ShardPlan[]
  readonly now: number
  /** By index: the condition for a filter. */
  readonly resolve: (query: Json, path: readonly (string | number)[]) => Condition[]
  readonly major: number
}

export interface NamedSource extends ValueSource {
  readonly name: string
  /** The first index's field: how keys are shown. */
  readonly field: Field | undefined
}

/** The field of the aggregation, refused where an index cannot aggregate on it. @throws ShardError */
export function sourceOf(
  context: AggregationContext,
  node: AggregationNode,
  accepts: 'any' | 'numeric' | 'date',
): NamedSource {
  const name = node.body['field']
  if (typeof name !== 'string') {
    throw new RequestParseError(
      `Required one of fields [field, script], but none were specified. `,
      { path: node.path, type: 'illegal_argument_exception', form: 'prefix' },
    )
  }
  const fields = context.indices.map((index) => {
    const field = index.mapping.fields.get(name)
    if (field !== undefined) check(field, accepts)
    return field
  })
  const field = fields.find((one) => one !== undefined)
  const missing = node.body['missing']
  return {
    name,
    fields,
    field,
    missing: missing === undefined ? undefined : missingScalar(context, field, missing, accepts),
  }
}

function check(field: Field, accepts: 'any' | 'numeric' | 'date'): void {
  if (field.type === 'text') {
    throw new ShardError(
      400,
      'illegal_argument_exception',
      `Fielddata is disabled on text fields by default. Set fielddata=true on [${field.name}] in ` +
        'order to load fielddata in memory by uninverting the inverted index. Note that this can ' +
        'however use significant memory. Alternatively use a keyword field instead.',
    )
  }
  if (accepts === 'any') return
  const numeric = isNumeric(field.type) || field.type === 'boolean' || field.type === 'date'
  if (numeric) return
  throw new ShardError(
    400,
    'illegal_argument_exception',
    `Expected numeric type on field [${field.name}], but got [${field.declaredType}]`,
  )
}

function missingScalar(
  context: AggregationContext,
  field: Field | undefined,
  value: Json,
  accepts: string,
): Scalar {
  if (typeof value === 'object') throw new ShardError(400, 'parsing_exception', 'bad [missing]')
  if (field?.type === 'date' || (field === undefined && accepts === 'date')) {
    const format = field?.dateFormat ?? findDateFormat('strict_date_optional_time||epoch_millis')
    if (format !== undefined) return parseDateMath(String(value), { now: context.now, format })
  }
  if (field !== undefined && isNumeric(field.type)) return Number(value)
  return value
}

/** A bucket's key as the answer shows it, and its text form where the original adds one. */
export function showKey(
  type: FieldType | undefined,
  field: Field | undefined,
  key: Scalar,
): { readonly key: Json; readonly text: string | undefined } {
  switch (type) {
    case 'boolean':
      return { key: key === true ? 1 : 0, text: String(key) }
    case 'date':
      return { key: Number(key), text: field?.dateFormat.format(Number(key)) }
    case 'ip':
      return { key: formatAddress(String(key)), text: undefined }
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
      return { key: typeof key === 'bigint' ? Number(key) : key, text: undefined }
  }
}
