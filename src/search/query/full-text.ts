// Pure. match, match_phrase, multi_match and their like.
import { tokenTexts } from '../analysis/analyzer.ts'
import { illegalArgument, RequestParseError } from '../errors.ts'
import { isObject, type Json, type JsonObject, textOf } from '../json/value.ts'
import type { Field } from '../mapping/field.ts'
import { type Condition, matchNone } from '../storage/plan.ts'
import {
  boostOf,
  failedToCreate,
  findField,
  findFields,
  floatShown,
  type Path,
  type QueryContext,
  singleField,
} from './context.ts'
import { checkClauses } from './limits.ts'
import { fuzziness, fuzzyPattern, minimumOf } from './patterns.ts'
import { takesText, termCondition, UnfitValueError } from './values.ts'

export interface MatchOptions {
  readonly operator: 'and' | 'or'
  readonly minimum?: Json | undefined
  readonly boost: number
  readonly lenient: boolean
  /** Words at most this far from the text's; undefined: exactly these. */
  readonly fuzzy?: { readonly distance: number | undefined; readonly prefix: number } | undefined
  readonly zeroTerms?: 'none' | 'all'
  readonly prefixLast?: boolean
}

/** The text, analysed as the field's, is in the field. @throws UnfitValueError */
export function matchText(
  context: QueryContext,
  field: Field,
  value: Json,
  options: MatchOptions,
): Condition {
  const { boost } = options
  if (field.type !== 'text') return termCondition(field, value, context.now, boost)
  const tokens = tokenTexts(field.searchAnalyzer, textOf(value))
  checkClauses(tokens.length)
  const clauses = tokens.map((token, at): Condition => {
    if (options.prefixLast === true && at === tokens.length - 1) {
      return { kind: 'phrase', field, tokens: [token], slop: 0, prefix: true, boost: 1 }
    }
    if (options.fuzzy === undefined) return { kind: 'token', field, tokens: [token], boost: 1 }
    return { kind: 'pattern', field, pattern: fuzzyPattern(token, options.fuzzy), boost: 1 }
  })
  const [only] = clauses
  if (only === undefined) return options.zeroTerms === 'all' ? { kind: 'all', boost } : matchNone
  if (clauses.length === 1) return withBoost(only, boost)
  const empty = { filter: [], mustNot: [], boost }
  if (options.operator === 'and') {
    return { kind: 'bool', must: clauses, should: [], minimumShouldMatch: 0, ...empty }
  }
  const minimum = minimumOf(options.minimum, clauses.length) ?? 1
  return {
    kind: 'bool',
    must: [],
    should: clauses,
    minimumShouldMatch: Math.max(minimum, 1),
    ...empty,
  }
}

/** The same condition with its score multiplied. */
export function withBoost(condition: Condition, boost: number): Condition {
  if (boost === 1 || condition.kind === 'none') return condition
  return { ...condition, boost: condition.boost * boost }
}

export interface PhraseOptions {
  readonly slop: number
  readonly boost: number
  readonly prefix?: boolean
}

/** The words in this order. Fields that are no texts: the value. @throws UnfitValueError */
export function matchPhrase(
  context: QueryContext,
  field: Field,
  value: Json,
  options: PhraseOptions,
): Condition {
  const { slop, boost, prefix = false } = options
  if (field.type !== 'text') return termCondition(field, value, context.now, boost)
  const tokens = tokenTexts(field.searchAnalyzer, textOf(value))
  checkClauses(tokens.length)
  if (tokens.length === 0) return matchNone
  if (tokens.length === 1 && !prefix) return { kind: 'token', field, tokens, boost }
  return { kind: 'phrase', field, tokens, slop, prefix, boost }
}

/** The best of several conditions; a single one as it is. */
export function bestOf(inner: readonly Condition[], tieBreaker: number, boost: number): Condition {
  const useful = inner.filter((one) => one.kind !== 'none')
  const [only] = useful
  if (only === undefined) return matchNone
  if (useful.length === 1) return withBoost(only, boost)
  const best: Condition = { kind: 'dismax', inner: useful, tieBreaker, boost }
  // Where the parts score alike, it does not matter which of them are met.
  const score = constantScore(only)
  const isConstant = tieBreaker === 0 && useful.every((one) => constantScore(one) === score)
  if (score === undefined || !isConstant) return best
  return { kind: 'constant', inner: best, boost: score * boost }
}

/** What every row that meets the condition scores; undefined where rows differ. */
function constantScore(condition: Condition): number | undefined {
  switch (condition.kind) {
    case 'all':
    case 'constant':
    case 'pattern':
    case 'present':
    case 'range':
      return condition.boost
    case 'equals':
      return condition.scoring === 'constant' ? condition.boost : undefined
    case 'bool':
    case 'dismax':
    case 'ids':
    case 'none':
    case 'phrase':
    case 'token':
    default:
      return undefined
  }
}

export type MatchKind = 'match' | 'match_phrase' | 'match_phrase_prefix' | 'match_bool_prefix'

export function resolveMatch(
  kind: MatchKind,
  context: QueryContext,
  body: Json,
  path: Path,
): Condition {
  const [name, inner] = singleField(kind, body, path)
  const options: JsonObject = isObject(inner) ? inner : { query: inner }
  if (options['query'] === undefined || options['query'] === null) {
    throw new RequestParseError(`No text specified for text query`, { path, place: 'end' })
  }
  const known = matchKeys[kind]
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw new RequestParseError(`[${kind}] query does not support [${key}]`, {
        path: [...path, name, key],
      })
    }
  }
  const field = findField(context, name)
  if (field === undefined) return matchNone
  const value = options['query']
  const boost = boostOf(options)
  try {
    if (kind === 'match_phrase' || kind === 'match_phrase_prefix') {
      const slop = Number(options['slop'] ?? 0)
      const prefix = kind === 'match_phrase_prefix'
      return matchPhrase(context, field, value, { slop, boost, prefix })
    }
    return matchText(context, field, value, {
      ...matchOptions(options, kind),
      prefixLast: kind === 'match_bool_prefix',
    })
  } catch (error) {
    if (!(error instanceof UnfitValueError)) throw error
    if (options['lenient'] === true || options['lenient'] === 'true') return matchNone
    throw failedToCreate(
      { [kind]: { [name]: shownMatch(value, options) } },
      { type: error.type, reason: error.message },
    )
  }
}

const matchKeys: Readonly<Record<MatchKind, readonly string[]>> = {
  match: [
    'query',
    'operator',
    'minimum_should_match',
    'boost',
    'lenient',
    'fuzziness',
    'prefix_length',
    'max_expansions',
    'fuzzy_rewrite',
    'fuzzy_transpositions',
    'analyzer',
    'zero_terms_query',
    'cutoff_frequency',
    'auto_generate_synonyms_phrase_query',
    '_name',
    'type',
    'slop',
  ],
  match_bool_prefix: [
    'query',
    'operator',
    'minimum_should_match',
    'boost',
    'fuzziness',
    'prefix_length',
    'max_expansions',
    'analyzer',
    '_name',
  ],
  match_phrase: ['query', 'slop', 'boost', 'analyzer', 'zero_terms_query', '_name'],
  match_phrase_prefix: [
    'query',
    'slop',
    'boost',
    'analyzer',
    'max_expansions',
    'zero_terms_query',
    '_name',
  ],
}

function matchOptions(options: JsonObject, kind: string): MatchOptions {
  const distance = options['fuzziness']
  const prefix = Number(options['prefix_length'] ?? 0)
  return {
    operator: operatorOf(options['operator'], kind),
    minimum: options['minimum_should_match'],
    boost: boostOf(options),
    lenient: options['lenient'] === true,
    fuzzy: distance === undefined ? undefined : { distance: fuzziness(distance), prefix },
    zeroTerms: textOf(options['zero_terms_query']).toLowerCase() === 'all' ? 'all' : 'none',
  }
}

export function operatorOf(value: Json | undefined, query: string): 'and' | 'or' {
  const text = textOf(value ?? 'or').toLowerCase()
  if (text === 'and' || text === 'or') return text
  throw illegalArgument(`[${query}] operator must be and or or, but was [${text}]`)
}

function shownMatch(value: Json, options: JsonObject): JsonObject {
  return {
    query: value,
    operator: operatorOf(options['operator'], 'match').toUpperCase(),
    prefix_length: Number(options['prefix_length'] ?? 0),
    max_expansions: Number(options['max_expansions'] ?? 50),
    fuzzy_transpositions: true,
    lenient: false,
    zero_terms_query: 'NONE',
    auto_generate_synonyms_phrase_query: true,
    boost: floatShown(boostOf(options)),
  }
}

/** `field^2` and `field.*`: the fields with their boosts. */
export function boostedFields(
  context: QueryContext,
  names: readonly string[],
): { readonly field: Field; readonly boost: number }[] {
  return names.flatMap((name) => {
    const match = /^(.*)\^(\d+(?:\.\d+)?)$/.exec(name)
    const boost = match === null ? 1 : Number(match[2])
    return findFields(context, match?.[1] ?? name).map((field) => ({ field, boost }))
  })
}

export function resolveMultiMatch(context: QueryContext, body: Json, path: Path): Condition {
  if (!isObject(body)) throw new RequestParseError('[multi_match] query malformed', { path })
  const { query } = body
  if (query === undefined || query === null) {
    throw new RequestParseError('No text specified for multi_match query', { path, place: 'end' })
  }
  const type = textOf(body['type'] ?? 'best_fields')
  const listed = body['fields'] ?? ['*']
  const names = (Array.isArray(listed) ? listed : [listed]).map(String)
  const many = names.some((name) => name.includes('*'))
  const fields = boostedFields(context, names).filter(
    ({ field }) => !many || takesText(field, textOf(query), context.now),
  )
  const options = matchOptions(body, 'multi_match')
  const slop = Number(body['slop'] ?? 0)
  const inner = fields.map(({ field, boost }): Condition => {
    try {
      if (type === 'phrase' || type === 'phrase_prefix') {
        const prefix = type === 'phrase_prefix'
        return matchPhrase(context, field, query, { slop, boost, prefix })
      }
      return matchText(context, field, query, { ...options, boost })
    } catch (error) {
      if (!(error instanceof UnfitValueError)) throw error
      if (options.lenient) return matchNone
      throw failedToCreate({ multi_match: body }, { type: error.type, reason: error.message })
    }
  })
  if (type === 'most_fields') {
    const should = inner.filter((one) => one.kind !== 'none')
    const empty = { must: [], filter: [], mustNot: [] }
    return { kind: 'bool', should, minimumShouldMatch: 1, boost: options.boost, ...empty }
  }
  return bestOf(inner, Number(body['tie_breaker'] ?? 0), options.boost)
}
