// Pure. Conditions as SQL over one slice of a segment.
import type { Field } from '../../mapping/field.ts'
import type { Scalar } from '../../mapping/values.ts'
import type {
  BoolCondition,
  Condition,
  PatternCondition,
  PhraseCondition,
  TextPattern,
} from '../plan.ts'
import type { IndexFile } from './index-file.ts'
import { textSql } from './postings.ts'
import { eventTable, hasColumn, idTable, postingTable, type Segment } from './segment.ts'
import { and, listColumn, or, type Parameters, singleColumn, tokensSql } from './sql.ts'
import { idHash } from './append.ts'

/** True, false or null (which counts as false) for each row. */
export function conditionSql(condition: Condition, slice: Slice, parameters: Parameters): string {
  switch (condition.kind) {
    case 'all':
      return 'true'
    case 'none':
      return 'false'
    case 'equals':
      return equalsSql(condition.field, condition.values, slice, parameters)
    case 'range':
      return anyValueSql(slice, condition.field, (value) => {
        const { lower, upper, field } = condition
        const parts: string[] = []
        const bound = (one: Scalar): string => parameters.scalar(one, field.columnKind)
        if (lower !== undefined) {
          parts.push(`${value} ${lower.inclusive ? '>=' : '>'} ${bound(lower.value)}`)
        }
        if (upper !== undefined) {
          parts.push(`${value} ${upper.inclusive ? '<=' : '<'} ${bound(upper.value)}`)
        }
        return parts.length === 0 ? `${value} IS NOT NULL` : and(parts)
      })
    case 'present':
      return anyValueSql(slice, condition.field, (value) => `${value} IS NOT NULL`)
    case 'pattern':
      return patternSql(condition, slice, parameters)
    case 'token':
      return tokensAnySql(condition.field, condition.tokens, slice, parameters)
    case 'phrase':
      return phraseSql(condition, slice, parameters)
    case 'ids':
      return idsSql(condition.ids, slice, parameters)
    case 'bool':
      return boolSql(condition, slice, parameters)
    case 'constant':
      return conditionSql(condition.inner, slice, parameters)
    case 'dismax':
      return or(condition.inner.map((one) => conditionSql(one, slice, parameters)))
  }
}

function boolSql(condition: BoolCondition, slice: Slice, parameters: Parameters): string {
  const sql = (one: Condition): string => conditionSql(one, slice, parameters)
  const parts = [...condition.filter, ...condition.must].map(sql)
  const { should, minimumShouldMatch: least } = condition
  if (least === 1) parts.push(or(should.map(sql)))
  else if (least > should.length) parts.push('false')
  else if (least > 1) {
    const met = should.map((one) => `(CASE WHEN ${sql(one)} THEN 1 ELSE 0 END)`)
    parts.push(`(${met.join(' + ')}) >= ${least}`)
  }
  for (const one of condition.mustNot) parts.push(`(${sql(one)}) IS NOT TRUE`)
  return and(parts)
}

/** A test of single values, and of each of a list where the segment has lists. */
export function anyValueSql(slice: Slice, field: Field, test: (value: string) => string): string {
  const parts: string[] = []
  const limit = (value: string): string =>
    field.ignoreAbove === undefined ? '' : ` AND length(${value}) <= ${field.ignoreAbove}`
  if (hasColumn(slice.segment, field.column, false)) {
    const value = singleColumn(field.column)
    const tested = test(value)
    parts.push(limit(value) === '' ? tested : `(${tested}${limit(value)})`)
  }
  if (hasColumn(slice.segment, field.column, true)) {
    const list = listColumn(field.column)
    parts.push(`len(list_filter(${list}, lambda v: ${test('v')}${limit('v')})) > 0`)
  }
  return or(parts)
}

function equalsSql(
  field: Field,
  values: readonly Scalar[],
  slice: Slice,
  parameters: Parameters,
): string {
  const [first] = values
  if (first === undefined) return 'false'
  if (values.length === 1) {
    const bound = parameters.scalar(first, field.columnKind)
    return anyValueSql(slice, field, (value) => `${value} = ${bound}`)
  }
  const list = parameters.list(values, field.columnKind)
  return anyValueSql(slice, field, (value) => `list_contains(${list}, ${value})`)
}

/** Any of the tokens in the text: by postings, or by cutting up the texts that contain the letters. */
function tokensAnySql(
  field: Field,
  tokens: readonly string[],
  slice: Slice,
  parameters: Parameters,
): string {
  const text = textSql(slice.segment, field)
  if (text === undefined || tokens.length === 0) return 'false'
  if (slice.part === 'posted') {
    const hashes = tokens.map(
      (token) => `h = hash(${parameters.add(token, 'VARCHAR')}, ${field.number})`,
    )
    const table = slice.file.table(postingTable(slice.segment))
    return `seq IN (SELECT ${slice.segment.base} + doc FROM ${table} WHERE ${or(hashes)})`
  }
  const folded = field.analyzer.lowercase ? `lower(${text})` : text
  return or(
    tokens.map((token) => {
      const bound = parameters.add(token, 'VARCHAR')
      const list = tokensSql(field.analyzer, text)
      return `(contains(${folded}, ${bound}) AND list_contains(${list}, ${bound}))`
    }),
  )
}

function patternSql(condition: PatternCondition, slice: Slice, parameters: Parameters): string {
  const { field, pattern } = condition
  if (field.type !== 'text') {
    return anyValueSql(slice, field, (value) => fitsSql(pattern, value, parameters))
  }
  const text = textSql(slice.segment, field)
  if (text === undefined) return 'false'
  const folded = field.analyzer.lowercase ? `lower(${text})` : text
  const literals = pattern.kind === 'regex' ? pattern.literals : []
  const pieces = literals.map(
    (literal) => `contains(${folded}, ${parameters.add(literal, 'VARCHAR')})`,
  )
  const tokens = tokensSql(field.analyzer, text)
  const fits = fitsSql(pattern, 'v', parameters)
  return and([...pieces, `len(list_filter(${tokens}, lambda v: ${fits})) > 0`])
}

function fitsSql(pattern: TextPattern, value: string, parameters: Parameters): string {
  if (pattern.kind === 'regex') {
    return `regexp_full_match(${value}, ${parameters.add(pattern.re2, 'VARCHAR')}, 's')`
  }
  const text = parameters.add(pattern.text, 'VARCHAR')
  const near = `damerau_levenshtein(${value}, ${text}) <= ${pattern.distance}`
  const length = pattern.text.length
  const lengths = `length(${value}) BETWEEN ${length - pattern.distance} AND ${length + pattern.distance}`
  if (pattern.prefix === 0) return `(${lengths} AND ${near})`
  const start = parameters.add(pattern.text.slice(0, pattern.prefix), 'VARCHAR')
  return `(${lengths} AND starts_with(${value}, ${start}) AND ${near})`
}

function phraseSql(condition: PhraseCondition, slice: Slice, parameters: Parameters): string {
  const { field, tokens } = condition
  const text = textSql(slice.segment, field)
  if (text === undefined || tokens.length === 0) return 'false'
  const whole = condition.prefix ? tokens.slice(0, -1) : tokens
  const candidates = [...new Set(whole)].map((token) =>
    tokensAnySql(field, [token], slice, parameters),
  )
  // The engine tests before it looks up postings: the cheap tests keep it from cutting up every text.
  const folded = field.analyzer.lowercase ? `lower(${text})` : text
  for (const token of new Set(tokens)) {
    candidates.push(`contains(${folded}, ${parameters.add(token, 'VARCHAR')})`)
  }
  if (condition.slop > 0) {
    return and([...candidates, `${phraseCountSql(condition, text, parameters)} > 0`])
  }
  // Tokens hold no blanks, so that joined by blanks an exact phrase is a part of the whole.
  const joined = `' ' || array_to_string(${tokensSql(field.analyzer, text)}, ' ') || ' '`
  const wanted = ` ${tokens.join(' ')}${condition.prefix ? '' : ' '}`
  return and([...candidates, `contains(${joined}, ${parameters.add(wanted, 'VARCHAR')})`])
}

/** How often the phrase stands in the text. */
export function phraseCountSql(
  condition: PhraseCondition,
  text: string,
  parameters: Parameters,
): string {
  const { tokens, slop, field, prefix } = condition
  const list = tokensSql(field.analyzer, text)
  const at = (token: string, index: number): string => {
    const bound = parameters.add(token, 'VARCHAR')
    const starts = prefix && index === tokens.length - 1
    return starts ? `starts_with(t, ${bound})` : `t = ${bound}`
  }
  // For each token the places it stands at, minus its place in the phrase: equal for an exact phrase.
  const places = tokens.map(
    (token, index) => `[i - ${index} for t, i in ${list} if ${at(token, index)}]`,
  )
  const [first, ...rest] = places
  if (slop === 0) {
    return `len(${rest.reduce((all, one) => `list_intersect(${all}, ${one})`, first ?? '[]')})`
  }
  const all = places.reduce((sum, one) => `list_concat(${sum}, ${one})`)
  const near = places.map(
    (one) => `len(list_filter(${one}, lambda d: d >= p AND d <= p + ${slop})) > 0`,
  )
  return `len(list_filter(list_distinct(${all}), lambda p: ${and(near)}))`
}

function idsSql(ids: readonly string[], slice: Slice, parameters: Parameters): string {
  const { file, segment } = slice
  const hashes = parameters.list(ids.map(idHash), 'whole')
  const texts = parameters.list(ids, 'string')
  const table = file.table(idTable(segment))
  const supplied =
    `(list_contains(${texts}, id) AND seq IN (SELECT seq FROM ${table} ` +
    `WHERE h IN (SELECT unnest(${hashes}))))`
  const seqs = ids.flatMap((id) => file.autoIds.decode(id) ?? [])
  if (seqs.length === 0) return supplied
  return `(${supplied} OR (id IS NULL AND list_contains(${parameters.list(seqs, 'whole')}, seq)))`
}

