// Pure. What resolving a query against one index needs, and the errors it raises.
import type { Index } from '../indices/index.ts'
import { type ErrorBody, RequestParseError, ShardError } from '../errors.ts'
import { globMatches } from '../json/paths.ts'
import type { Json, JsonObject } from '../json/value.ts'
import { isObject } from '../json/value.ts'
import type { Field } from '../mapping/field.ts'

export interface QueryContext {
  /** Undefined while a query is only checked: no field is known then. */
  readonly index: Index | undefined
  readonly now: number
  /** Whether the answer shows or sorts by scores; if not, clauses that cannot add hits are left out. */
  readonly scores: boolean
}

export type Path = readonly (string | number)[]

export function findField(context: QueryContext, name: string): Field | undefined {
  return context.index?.mapping.fields.get(name)
}

/** Fields that a name, perhaps with `*`, stands for. */
export function findFields(context: QueryContext, glob: string): Field[] {
  if (!glob.includes('*')) {
    const field = findField(context, glob)
    return field === undefined ? [] : [field]
  }
  const all = [...(context.index?.mapping.fields.values() ?? [])]
  return all.filter((field) => field.indexed && globMatches(glob, field.name))
}

export function shardError(type: string, reason: string, causedBy?: ErrorBody): ShardError {
  return new ShardError(400, type, reason, {
    namesIndex: true,
    ...(causedBy === undefined ? {} : { causedBy }),
  })
}

/** The original shows the query with all its defaults, indented. */
export function failedToCreate(query: JsonObject, causedBy: ErrorBody): ShardError {
  const shown = showQuery(query, '')
  return shardError('query_shard_exception', `failed to create query: ${shown}`, causedBy)
}

function showQuery(value: Json, indent: string): string {
  if (isObject(value)) {
    const inner = `${indent}  `
    const members = Object.entries(value).map(
      ([name, member]) => `${inner}${JSON.stringify(name)} : ${showQuery(member, inner)}`,
    )
    return members.length === 0 ? '{ }' : `{\n${members.join(',\n')}\n${indent}}`
  }
  return value instanceof Array ? JSON.stringify(value) : showScalar(value)
}

function showScalar(value: Json): string {
  if (typeof value === 'string' && value.startsWith(floatMark)) return value.slice(floatMark.length)
  return JSON.stringify(value)
}

const floatMark = '\u0000float:'

/** A number that is shown with a decimal point, as the original shows floats. */
export function floatShown(value: number): string {
  return `${floatMark}${Number.isInteger(value) ? `${value}.0` : value}`
}

export function numberFormat(text: string): ErrorBody {
  return { type: 'number_format_exception', reason: `For input string: "${text}"` }
}

/** The one field of `{ "field": … }` queries. @throws RequestParseError for several */
export function singleField(name: string, body: Json, path: Path): [string, Json] {
  if (!isObject(body)) {
    throw new RequestParseError(`[${name}] query malformed, no start_object after query name`, {
      path,
    })
  }
  const fields = Object.keys(body)
  const [first, second] = fields
  if (first === undefined) {
    throw new RequestParseError(`No field name in [${name}] query`, { path, place: 'end' })
  }
  if (second !== undefined) {
    throw new RequestParseError(
      `[${name}] query doesn't support multiple fields, found [${first}] and [${second}]`,
      { path: [...path, second] },
    )
  }
  return [first, body[first] ?? null]
}

export function boostOf(body: Json): number {
  const boost = isObject(body) ? Number(body['boost'] ?? 1) : 1
  return Number.isFinite(boost) ? boost : 1
}
