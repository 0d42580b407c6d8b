// Pure. Which filter a click on a value means, given the type of its field.
import type { SearchField } from '../api/types.ts'
import type { FieldValue } from './flatten.ts'
import type { Filter } from './query.ts'

/** Undefined for null, which no filter can find. */
export function filterOn(
  name: string,
  value: FieldValue,
  context: { readonly fields: readonly SearchField[]; readonly negate: boolean },
): Filter | undefined {
  if (value === null) return undefined
  const field = context.fields.find((candidate) => candidate.name === name)
  const negate = context.negate ? { negate: true } : {}
  const plain = typeof value === 'bigint' ? String(value) : value
  if (field?.type !== 'text') return { field: name, value: plain, ...negate }
  // A keyword view usually ignores long values, so those are looked for as a phrase.
  if (field.keyword !== undefined && String(plain).length <= 256) {
    return { field: field.keyword, value: plain, ...negate }
  }
  return { field: name, value: plain, phrase: true, ...negate }
}

/** The name under which a field's values can be counted; undefined for text without a keyword view. */
export function countable(field: SearchField): string | undefined {
  if (field.type === 'text') return field.keyword
  return ['geo_point', 'geo_shape', 'conflict', 'binary', 'match_only_text'].includes(field.type)
    ? undefined
    : field.name
}
