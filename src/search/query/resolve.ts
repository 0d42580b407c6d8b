// Pure. The query DSL: from JSON to conditions on one index's fields.
import { RequestParseError } from '../errors.ts'
import { asArray, isObject, type Json, type JsonObject, textOf } from '../json/value.ts'
import { type Condition, matchNone } from '../storage/plan.ts'
import {
  boostOf,
  failedToCreate,
  findField,
  floatShown,
  type Path,
  type QueryContext,
  singleField,
} from './context.ts'
import { resolveMatch, resolveMultiMatch, withBoost } from './full-text.ts'
import { checkClauses, checkSize, checkTerms } from './limits.ts'
import {
  fuzziness,
  fuzzyPattern,
  minimumOf,
  prefixPattern,
  regexPattern,
  wildcardPattern,
} from './patterns.ts'
import { existsCondition, resolveQueryString, resolveSimpleQueryString } from './query-string.ts'
import { globMatches } from '../json/paths.ts'
import type { TextPattern } from '../storage/plan.ts'
import { rangeCondition, termCondition, UnfitValueError } from './values.ts'

type Resolver = (context: QueryContext, body: Json, path: Path) => Condition

/** Deeper nesting is refused: it would only serve to exhaust the stack. */
const depthMax = 100

/** @throws SearchError, RequestParseError, ShardError */
export function resolveQuery(context: QueryContext, query: Json, path: Path): Condition {
  const condition = resolveClause(context, query, path)
  checkSize(condition)
  return condition
}

function resolveClause(context: QueryContext, query: Json, path: Path): Condition {
  if (!isObject(query)) {
    throw new RequestParseError('[_na] query malformed, must start with start_object', { path })
  }
  if (path.length > depthMax) {
    throw new RequestParseError(`the query is nested deeper than ${depthMax}`, { path: [] })
  }
  const names = Object.keys(query)
  const [name, second] = names
  if (name === undefined) {
    throw new RequestParseError('query malformed, empty clause found', {
      path,
      place: 'end',
      type: 'illegal_argument_exception',
      form: 'prefix',
    })
  }
  const resolver = Object.hasOwn(resolvers, name) ? resolvers[name] : undefined
  if (resolver === undefined) {
    throw new RequestParseError(`no [query] registered for [${name}]`, { path: [...path, name] })
  }
  if (second !== undefined) {
    throw new RequestParseError(
      `[${name}] malformed query, expected [END_OBJECT] but found [FIELD_NAME]`,
      { path: [...path, second], place: 'name' },
    )
  }
  return resolver(context, query[name] ?? null, [...path, name])
}

const resolvers: Readonly<Record<string, Resolver>> = {
  match_all: (_, body) => ({ kind: 'all', boost: boostOf(body) }),
  match_none: () => matchNone,
  match: (context, body, path) => resolveMatch('match', context, body, path),
  match_phrase: (context, body, path) => resolveMatch('match_phrase', context, body, path),
  match_phrase_prefix: (context, body, path) =>
    resolveMatch('match_phrase_prefix', context, body, path),
  match_bool_prefix: (context, body, path) =>
    resolveMatch('match_bool_prefix', context, body, path),
  multi_match: resolveMultiMatch,
  query_string: resolveQueryString,
  simple_query_string: resolveSimpleQueryString,
  term: resolveTerm,
  terms: resolveTerms,
  range: resolveRange,
  exists: resolveExists,
  prefix: (context, body, path) => resolvePattern('prefix', context, body, path),
  wildcard: (context, body, path) => resolvePattern('wildcard', context, body, path),
  regexp: (context, body, path) => resolvePattern('regexp', context, body, path),
  fuzzy: (context, body, path) => resolvePattern('fuzzy', context, body, path),
  ids: (_, body) => {
    const ids = isObject(body) ? asArray(body['values']).map(String) : []
    return ids.length === 0 ? matchNone : { kind: 'ids', ids, boost: boostOf(body) }
  },
  bool: resolveBool,
  constant_score: (context, body, path) => {
    const filter = isObject(body) ? body['filter'] : undefined
    if (filter === undefined) {
      throw new RequestParseError("[constant_score] requires a 'filter' element", {
        path,
        place: 'end',
      })
    }
    const inner = resolveClause(context, filter, [...path, 'filter'])
    return { kind: 'constant', inner, boost: boostOf(body) }
  },
  dis_max: (context, body, path) => {
    const queries = isObject(body) ? asArray(body['queries']) : []
    checkClauses(queries.length)
    const inner = queries.map((one, at) => resolveClause(context, one, [...path, 'queries', at]))
    const tieBreaker = isObject(body) ? Number(body['tie_breaker'] ?? 0) : 0
    return { kind: 'dismax', inner, tieBreaker, boost: boostOf(body) }
  },
  function_score: (context, body, path) => {
    const query = isObject(body) ? body['query'] : undefined
    if (
      isObject(body) &&
      (body['functions'] ?? body['script_score'] ?? body['field_value_factor'])
    ) {
      throw new RequestParseError('[function_score] functions are not supported', { path })
    }
    if (query === undefined) return { kind: 'all', boost: boostOf(body) }
    return withBoost(resolveClause(context, query, [...path, 'query']), boostOf(body))
  },
}

function resolveTerm(context: QueryContext, body: Json, path: Path): Condition {
  const [name, inner] = singleField('term', body, path)
  const value = isObject(inner) ? (inner['value'] ?? inner['term'] ?? null) : inner
  if (Array.isArray(value)) {
    throw new RequestParseError('[term] query does not support array of values', {
      path: [...path, name],
    })
  }
  return oneTerm(context, name, value, boostOf(inner))
}

function oneTerm(context: QueryContext, name: string, value: Json, boost: number): Condition {
  const text = textOf(value)
  if (name === '_id') return { kind: 'ids', ids: [text], boost }
  if (name === '_index') {
    const matches = context.index !== undefined && globMatches(text, context.index.name)
    return matches ? { kind: 'all', boost } : matchNone
  }
  const field = findField(context, name)
  if (field === undefined) return matchNone
  try {
    return termCondition(field, value, context.now, boost)
  } catch (error) {
    if (!(error instanceof UnfitValueError)) throw error
    throw failedToCreate(
      { term: { [name]: { value, boost: floatShown(boost) } } },
      { type: error.type, reason: error.message },
    )
  }
}

function resolveTerms(context: QueryContext, body: Json, path: Path): Condition {
  const fields = isObject(body)
    ? Object.keys(body).filter((key) => key !== 'boost' && key !== '_name')
    : []
  const [name, second] = fields
  if (!isObject(body) || name === undefined || second !== undefined) {
    throw new RequestParseError(
      second === undefined
        ? '[terms] query requires a field name, followed by array of terms or a document lookup specification'
        : `[terms] query doesn't support multiple fields`,
      { path: second === undefined ? path : [...path, second] },
    )
  }
  const values = body[name]
  if (!Array.isArray(values)) {
    throw new RequestParseError(`[terms] query does not support [${name}]`, {
      path: [...path, name],
    })
  }
  checkTerms(values.length)
  const boost = boostOf(body)
  const inner = values.map((value) => oneTerm(context, name, value, 1))
  return { kind: 'constant', inner: mergeEqual(inner), boost }
}

/** Many values of one column are one look-up. */
function mergeEqual(inner: readonly Condition[]): Condition {
  const [first] = inner
  if (first === undefined) return matchNone
  if (first.kind === 'equals' && inner.every((one) => one.kind === 'equals')) {
    return { ...first, values: inner.flatMap((one) => one.values) }
  }
  if (first.kind === 'token' && inner.every((one) => one.kind === 'token')) {
    return { ...first, tokens: inner.flatMap((one) => one.tokens) }
  }
  if (first.kind === 'ids' && inner.every((one) => one.kind === 'ids')) {
    return { ...first, ids: inner.flatMap((one) => one.ids) }
  }
  const useful = inner.filter((one) => one.kind !== 'none')
  return { kind: 'dismax', inner: useful, tieBreaker: 0, boost: 1 }
}

const rangeKeys = new Set([
  'gte',
  'gt',
  'lte',
  'lt',
  'from',
  'to',
  'include_lower',
  'include_upper',
  'format',
  'time_zone',
  'boost',
  'relation',
  '_name',
])

function resolveRange(context: QueryContext, body: Json, path: Path): Condition {
  const [name, inner] = singleField('range', body, path)
  if (!isObject(inner)) {
    throw new RequestParseError(`[range] query does not support [${name}]`, {
      path: [...path, name],
    })
  }
  for (const key of Object.keys(inner)) {
    if (!rangeKeys.has(key)) {
      throw new RequestParseError(`[range] query does not support [${key}]`, {
        path: [...path, name, key],
      })
    }
  }
  const field = findField(context, name)
  if (field === undefined) return matchNone
  const bounds: JsonObject = {}
  for (const key of ['gte', 'gt', 'lte', 'lt']) {
    if (inner[key] !== undefined) bounds[key] = inner[key]
  }
  if (inner['from'] !== undefined)
    bounds[inner['include_lower'] === false ? 'gt' : 'gte'] = inner['from']
  if (inner['to'] !== undefined)
    bounds[inner['include_upper'] === false ? 'lt' : 'lte'] = inner['to']
  const format = inner['format']
  const timeZone = inner['time_zone']
  try {
    return rangeCondition(field, bounds, {
      now: context.now,
      boost: boostOf(inner),
      format: format === undefined ? undefined : textOf(format),
      timeZone: timeZone === undefined ? undefined : textOf(timeZone),
    })
  } catch (error) {
    if (!(error instanceof UnfitValueError)) throw error
    const shown = {
      from: bounds['gte'] ?? bounds['gt'] ?? null,
      to: bounds['lte'] ?? bounds['lt'] ?? null,
      include_lower: bounds['gt'] === undefined,
      include_upper: bounds['lt'] === undefined,
      boost: floatShown(boostOf(inner)),
    }
    throw failedToCreate({ range: { [name]: shown } }, { type: error.type, reason: error.message })
  }
}

function resolveExists(context: QueryContext, body: Json, path: Path): Condition {
  const field = isObject(body) ? body['field'] : undefined
  if (typeof field !== 'string') {
    throw new RequestParseError('[exists] must be provided with a [field]', { path, place: 'end' })
  }
  return withBoost(existsCondition(context, field), boostOf(body))
}

function resolvePattern(
  kind: 'prefix' | 'wildcard' | 'regexp' | 'fuzzy',
  context: QueryContext,
  body: Json,
  path: Path,
): Condition {
  const [name, inner] = singleField(kind, body, path)
  const options: JsonObject = isObject(inner) ? inner : { value: inner }
  const text = textOf(options['value'] ?? options[kind] ?? options['wildcard'])
  const field = findField(context, name)
  if (field === undefined || !['text', 'keyword'].includes(field.type)) return matchNone
  return {
    kind: 'pattern',
    field,
    pattern: patternOf(kind, text, options),
    boost: boostOf(options),
  }
}

function patternOf(kind: string, text: string, options: JsonObject): TextPattern {
  switch (kind) {
    case 'prefix':
      return prefixPattern(text)
    case 'wildcard':
      return wildcardPattern(text)
    case 'regexp':
      return regexPattern(text)
    default: {
      const distance = fuzziness(options['fuzziness'])
      return fuzzyPattern(text, { distance, prefix: Number(options['prefix_length'] ?? 0) })
    }
  }
}

function resolveBool(context: QueryContext, body: Json, path: Path): Condition {
  if (!isObject(body)) {
    throw new RequestParseError('[bool] query malformed, no start_object after query name', {
      path,
    })
  }
  for (const key of Object.keys(body)) {
    if (!boolKeys.has(key)) {
      throw new RequestParseError(`[bool] query does not support [${key}]`, {
        path: [...path, key],
      })
    }
  }
  const clauses = (...keys: string[]): Condition[] =>
    keys.flatMap((key) => {
      const value = body[key]
      if (Array.isArray(value)) {
        checkClauses(value.length)
        return value.map((one, at) => resolveClause(context, one, [...path, key, at]))
      }
      return isObject(value) ? [resolveClause(context, value, [...path, key])] : []
    })
  const must = clauses('must')
  const filter = clauses('filter')
  const should = clauses('should')
  const mustNot = clauses('must_not', 'mustNot')
  checkClauses(must.length + filter.length + should.length + mustNot.length)
  const least = should.length > 0 && must.length === 0 && filter.length === 0 ? 1 : 0
  const minimumShouldMatch = minimumOf(body['minimum_should_match'], should.length) ?? least
  const boost = boostOf(body)
  if (must.length + filter.length + should.length + mustNot.length === 0) {
    return { kind: 'all', boost }
  }
  // Nothing but exclusions (and options): every row counts as found, with the score of match_all.
  const scored = must.length + should.length + filter.length === 0
  const all: Condition[] = scored ? [{ kind: 'all', boost: 1 }] : must
  return { kind: 'bool', must: all, filter, should, mustNot, minimumShouldMatch, boost }
}

const boolKeys = new Set([
  'must',
  'filter',
  'should',
  'must_not',
  'mustNot',
  'minimum_should_match',
  'boost',
  'adjust_pure_negative',
  '_name',
  'disable_coord',
])
