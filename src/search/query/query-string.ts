// Pure. query_string and simple_query_string: Lucene syntax over one or many fields.
import { parseLucene } from '../../query-language/lucene.ts'
import { QuerySyntaxError, type QueryTree } from '../../query-language/tree.ts'
import { parseSimple } from '../../query-language/simple.ts'
import { RequestParseError, SearchError, ShardError } from '../errors.ts'
import { isObject, type Json, type JsonObject, textOf } from '../json/value.ts'
import type { Field } from '../mapping/field.ts'
import { type Condition, matchNone } from '../storage/plan.ts'
import {
  boostOf,
  failedToCreate,
  findFields,
  type Path,
  type QueryContext,
  shardError,
} from './context.ts'
import {
  bestOf,
  boostedFields,
  matchPhrase,
  matchText,
  operatorOf,
  withBoost,
} from './full-text.ts'
import { checkClauses } from './limits.ts'
import { fuzzyPattern, minimumOf, regexPattern, wildcardPattern } from './patterns.ts'
import { rangeCondition, takesText, UnfitValueError } from './values.ts'

interface StringContext {
  readonly context: QueryContext
  readonly operator: 'and' | 'or'
  readonly defaults: readonly BoostedField[]
  /** The default fields are all there are: values that do not fit are passed over. */
  readonly many: boolean
  readonly lenient: boolean
  readonly timeZone: string | undefined
  readonly slop: number
  readonly minimum: Json | undefined
  readonly tieBreaker: number
  readonly body: JsonObject
}

interface BoostedField {
  readonly field: Field
  readonly boost: number
}

export function resolveQueryString(context: QueryContext, body: Json, path: Path): Condition {
  if (!isObject(body) || body['query'] === undefined) {
    throw new RequestParseError('[query_string] must be provided with a [query]', {
      path,
      place: 'end',
    })
  }
  const strings = stringContext(context, body, 'query_string')
  const text = textOf(body['query'])
  let tree: QueryTree
  try {
    tree = parseLucene(text, { defaultOperator: strings.operator })
  } catch (error) {
    if (!(error instanceof QuerySyntaxError)) throw error
    const caused = {
      type: 'parse_exception',
      reason: `Cannot parse '${text}': ${error.message}`,
      caused_by: {
        type: error.kind === 'lexical' ? 'token_mgr_error' : 'parse_exception',
        reason: error.message,
      },
    }
    throw shardError('query_shard_exception', `Failed to parse query [${text}]`, caused)
  }
  return withBoost(resolveTree(strings, tree), boostOf(body))
}

export function resolveSimpleQueryString(context: QueryContext, body: Json, path: Path): Condition {
  if (!isObject(body) || body['query'] === undefined) {
    throw new RequestParseError('[simple_query_string] query text missing', { path, place: 'end' })
  }
  const strings = stringContext(context, body, 'simple_query_string')
  const tree = parseSimple(textOf(body['query']), { defaultOperator: strings.operator })
  return withBoost(resolveTree({ ...strings, lenient: true }, tree), boostOf(body))
}

function stringContext(context: QueryContext, body: JsonObject, query: string): StringContext {
  const configured = context.index?.definition.settings['index.query.default_field'] ?? '*'
  const listed = body['fields'] ?? body['default_field'] ?? configured
  const names = (Array.isArray(listed) ? listed : [listed]).map(String)
  const many = names.some((name) => name.includes('*'))
  const timeZone = body['time_zone']
  return {
    context,
    operator: operatorOf(body['default_operator'], query),
    defaults: defaultFields(context, names),
    many,
    lenient: body['lenient'] === true || body['lenient'] === 'true',
    timeZone: timeZone === undefined ? undefined : textOf(timeZone),
    slop: Number(body['phrase_slop'] ?? 0),
    minimum: body['minimum_should_match'],
    tieBreaker: Number(body['tie_breaker'] ?? 0),
    body,
  }
}

/**
 * A keyword beside its text adds no hits: whatever equals the keyword has the text's words. So where
 * no scores are wanted it is left out, which saves a scan of the column.
 */
function defaultFields(context: QueryContext, names: readonly string[]): BoostedField[] {
  const fields = boostedFields(context, names)
  if (context.scores) return fields
  const texts = new Set<string>()
  for (const { field } of fields) if (field.type === 'text') texts.add(field.name)
  return fields.filter(({ field }) => field.type !== 'keyword' || !texts.has(field.parent ?? ''))
}

function resolveTree(strings: StringContext, tree: QueryTree): Condition {
  switch (tree.kind) {
    case 'everything':
      return { kind: 'all', boost: 1 }
    case 'nothing':
      return matchNone
    case 'boost':
      return withBoost(resolveTree(strings, tree.query), tree.boost)
    case 'exists':
      return existsCondition(strings.context, tree.field)
    case 'boolean':
      return resolveBoolean(strings, tree)
    case 'text':
      return eachField(strings, tree.field, tree.text, (field) =>
        matchText(strings.context, field, tree.text, {
          operator: strings.operator,
          boost: 1,
          lenient: strings.lenient,
        }),
      )
    case 'phrase': {
      const slop = tree.slop ?? strings.slop
      return eachField(strings, tree.field, tree.text, (field) =>
        matchPhrase(strings.context, field, tree.text, { slop, boost: 1 }),
      )
    }
    case 'pattern':
      return eachField(strings, tree.field, undefined, (field) =>
        patternCondition(field, tree.pattern),
      )
    case 'fuzzy': {
      const { distance } = tree
      return eachField(strings, tree.field, undefined, (field) => {
        if (!isString(field)) return matchNone
        const text =
          field.analyzer.lowercase && field.type === 'text' ? lower(tree.text) : tree.text
        return {
          kind: 'pattern',
          field,
          pattern: fuzzyPattern(text, { distance, prefix: 0 }),
          boost: 1,
        }
      })
    }
    case 'regex':
      return eachField(strings, tree.field, undefined, (field) => {
        if (!isString(field)) return matchNone
        return { kind: 'pattern', field, pattern: regexPattern(tree.pattern), boost: 1 }
      })
    case 'range':
      return eachField(strings, tree.field, undefined, (field) => treeRange(strings, field, tree))
  }
}

function resolveBoolean(
  strings: StringContext,
  tree: Extract<QueryTree, { kind: 'boolean' }>,
): Condition {
  checkClauses(tree.clauses.length)
  const of = (occur: string): Condition[] =>
    tree.clauses
      .filter((clause) => clause.occur === occur)
      .map((clause) => resolveTree(strings, clause.query))
  const must = of('must')
  const should = of('should')
  const mustNot = of('mustNot')
  const least = must.length > 0 || should.length === 0 ? 0 : 1
  const minimumShouldMatch = minimumOf(strings.minimum, should.length) ?? least
  return { kind: 'bool', must, filter: [], should, mustNot, minimumShouldMatch, boost: 1 }
}

function isString(field: Field): boolean {
  return field.type === 'text' || field.type === 'keyword'
}

const lower = (text: string): string => text.toLowerCase()

function patternCondition(field: Field, raw: string): Condition {
  if (!isString(field)) return matchNone
  const glob = field.type === 'text' && field.analyzer.lowercase ? lower(raw) : raw
  return { kind: 'pattern', field, pattern: wildcardPattern(glob), boost: 1 }
}

function treeRange(
  strings: StringContext,
  field: Field,
  tree: Extract<QueryTree, { kind: 'range' }>,
): Condition {
  const { lower: from, upper: to } = tree
  return rangeCondition(
    field,
    {
      ...(from === undefined ? {} : { [tree.includeLower ? 'gte' : 'gt']: from }),
      ...(to === undefined ? {} : { [tree.includeUpper ? 'lte' : 'lt']: to }),
    },
    { now: strings.context.now, boost: 1, timeZone: strings.timeZone },
  )
}

/** The best over the fields named, or over the default fields. */
function eachField(
  strings: StringContext,
  name: string | undefined,
  text: string | undefined,
  make: (field: Field) => Condition,
): Condition {
  const { context } = strings
  const named = name !== undefined
  const many = named ? name.includes('*') : strings.many
  const fields = named
    ? findFields(context, name).map((field) => ({ field, boost: 1 }))
    : strings.defaults
  const inner: Condition[] = []
  for (const { field, boost } of fields) {
    if (many && text !== undefined && !takesText(field, text, context.now)) continue
    try {
      inner.push(withBoost(make(field), boost))
    } catch (error) {
      const unfit = error instanceof UnfitValueError
      const badDate = error instanceof ShardError && error.type === 'parse_exception'
      if (!unfit && !badDate) throw error
      if (many || strings.lenient) continue
      if (!unfit) throw error
      throw failedToCreate(
        { query_string: strings.body },
        { type: error.type, reason: error.message },
      )
    }
  }
  return bestOf(inner, strings.tieBreaker, 1)
}

/** The field, or any field of the object, has a value. */
export function existsCondition(context: QueryContext, name: string): Condition {
  const direct = findFields(context, name)
  const inside = direct.length > 0 ? direct : findFields(context, `${name}.*`)
  const parents = inside.filter((field) => field.parent === undefined || direct.length > 0)
  const inner = parents.map((field): Condition => ({ kind: 'present', field, boost: 1 }))
  const [only] = inner
  if (only === undefined) return matchNone
  return inner.length === 1
    ? only
    : { kind: 'constant', inner: { kind: 'dismax', inner, tieBreaker: 0, boost: 1 }, boost: 1 }
}

/** `q=` of a URL. @throws SearchError */
export function uriQuery(parameters: ReadonlyMap<string, string>): JsonObject | undefined {
  const query = parameters.get('q')
  if (query === undefined) return undefined
  const body: JsonObject = { query }
  const operator = parameters.get('default_operator')
  if (operator !== undefined) body['default_operator'] = operator
  const field = parameters.get('df')
  if (field !== undefined) body['default_field'] = field
  if (parameters.get('lenient') === 'true') body['lenient'] = true
  if (typeof query !== 'string') throw new SearchError(400, 'parse_exception', 'bad q')
  return { query_string: body }
}
