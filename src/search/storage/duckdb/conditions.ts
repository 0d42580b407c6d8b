// Pure. Conditions as SQL over the rows of one slice.
import type { Field } from '../../mapping/field.ts'
import type { Scalar } from '../../mapping/values.ts'
import type {
  BoolCondition,
  Condition,
  PatternCondition,
  PhraseCondition,
  TokenCondition,
} from '../plan.ts'
import { idHash } from './append.ts'
import { fitsSql, hasTokenSql, isAnything, piecesOf, startsSql } from './fits.ts'
import { textSql } from './postings.ts'
import { hasColumn, idTable } from './segment.ts'
import type { Slice } from './slice.ts'
import { type Posting, type SliceRows, tokenPosting } from './slice-rows.ts'
import { and, listColumn, or, type Parameters, singleColumn } from './sql.ts'

/** True, false or null (which counts as false) for each row. */
export function conditionSql(condition: Condition, rows: SliceRows): string {
  const { slice, parameters } = rows
  switch (condition.kind) {
    case 'all':
      return 'true'
    case 'none':
      return 'false'
    case 'equals':
      return rows.once(condition, () =>
        equalsSql(condition.field, condition.values, slice, parameters),
      )
    case 'range':
      return rows.once(condition, () =>
        anyValueSql(slice, condition.field, (value) => {
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
        }),
      )
    case 'present':
      return rows.once(condition, () =>
        anyValueSql(slice, condition.field, (value) => `${value} IS NOT NULL`),
      )
    case 'pattern':
      return rows.once(condition, () => patternSql(condition, rows))
    case 'token':
      return tokenSql(condition, rows)
    case 'phrase':
      return phraseSql(condition, rows)
    case 'ids':
      return rows.once(condition, () => idsSql(condition.ids, slice, parameters))
    case 'bool':
      return boolSql(condition, rows)
    case 'constant':
      return rows.once(condition, () => rows.unscored(() => conditionSql(condition.inner, rows)))
    case 'dismax':
      return anySql(condition.inner, rows)
  }
}

function boolSql(condition: BoolCondition, rows: SliceRows): string {
  const sql = (one: Condition): string => conditionSql(one, rows)
  const parts = [...condition.filter, ...condition.must].map(sql)
  const { should, minimumShouldMatch: least } = condition
  if (least === 1) parts.push(anySql(should, rows))
  else if (least > should.length) parts.push('false')
  else if (least > 1) {
    const met = should.map((one) => `(CASE WHEN ${sql(one)} THEN 1 ELSE 0 END)`)
    parts.push(`(${met.join(' + ')}) >= ${least}`)
  }
  for (const one of condition.mustNot) parts.push(`(${sql(one)}) IS NOT TRUE`)
  return and(parts)
}

/** One of the conditions. Where scores do not part them, postings are looked up together. */
function anySql(conditions: readonly Condition[], rows: SliceRows): string {
  const parts: string[] = []
  const together: Posting[] = []
  for (const one of conditions) {
    const postings = rows.isScored ? undefined : postingsOf(one, rows)
    if (postings === undefined) parts.push(conditionSql(one, rows))
    else together.push(...postings)
  }
  if (together.length > 0) parts.push(`${rows.frequency(together)} IS NOT NULL`)
  return or(parts)
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

/** What has to be looked up of a condition that postings alone decide; undefined for others. */
function postingsOf(condition: Condition, rows: SliceRows): Posting[] | undefined {
  const { slice, parameters } = rows
  if (slice.part !== 'posted') return undefined
  if (condition.kind !== 'token' && condition.kind !== 'pattern') return undefined
  const { field } = condition
  if (field.type !== 'text') return undefined
  if (textSql(slice.segment, field) === undefined) return []
  if (condition.kind === 'token') {
    return condition.tokens.map((token) => tokenPosting(field, token, parameters))
  }
  if (isAnything(condition.pattern)) return undefined
  return [{ field, test: fitsSql(condition.pattern, 'token', parameters) }]
}

/** Any of the tokens in the text: by postings, or by cutting up the texts that contain the letters. */
function tokenSql(condition: TokenCondition, rows: SliceRows): string {
  const { slice, parameters, isScored } = rows
  const { field, tokens } = condition
  const text = textSql(slice.segment, field)
  if (text === undefined || tokens.length === 0) return 'false'
  const postings = postingsOf(condition, rows)
  if (postings !== undefined) return `${rows.frequency(postings)} IS NOT NULL`
  const [only] = tokens
  if (isScored && tokens.length === 1 && only !== undefined) {
    return `${tokenCounts(condition, only, rows).frequency} > 0`
  }
  return rows.once(condition, () => {
    const tests = tokens.map((token) => {
      const test = containsSql(field, text, [token], parameters)
      const bound = parameters.shared(token)
      return ofTokens({ field, text, test }, rows, (list) => `list_contains(${list}, ${bound})`)
    })
    return or(tests)
  })
}

const foldedSql = (field: Field, text: string): string =>
  field.analyzer.lowercase ? `lower(${text})` : text

/** Whether the text holds all the pieces, before it is cut. */
function containsSql(
  field: Field,
  text: string,
  pieces: readonly string[],
  parameters: Parameters,
): string {
  const folded = foldedSql(field, text)
  return and(pieces.map((piece) => `contains(${folded}, ${parameters.shared(piece)})`))
}

/**
 * A value made of the tokens of texts that pass a test; null for the others. The test stands before
 * the cutting and before the value, since lists cost even where they are empty.
 */
function ofTokens(
  { field, text, test }: { readonly field: Field; readonly text: string; readonly test: string },
  rows: SliceRows,
  make: (list: string) => string,
): string {
  if (test === 'true') return make(rows.tokens(field.analyzer, text))
  const list = rows.tokens(field.analyzer, `CASE WHEN ${test} THEN ${text} END`)
  return `(CASE WHEN ${test} THEN ${make(list)} END)`
}

/** How often a leaf stands in a row's text (null or 0: not at all), and how long that is in tokens. */
export interface Counts {
  readonly frequency: string
  readonly length: string
}

/** @returns undefined where the segment has no such text */
export function countsOf(
  condition: TokenCondition | PhraseCondition,
  rows: SliceRows,
): Counts | undefined {
  const { field, tokens } = condition
  const text = textSql(rows.slice.segment, field)
  const [first] = tokens
  if (text === undefined || first === undefined) return undefined
  if (condition.kind === 'phrase') return phraseCounts(condition, text, rows)
  if (rows.slice.part !== 'posted') return tokenCounts(condition, first, rows)
  const posting = tokenPosting(field, first, rows.parameters)
  return { frequency: rows.frequency([posting]), length: rows.length(posting) }
}

function tokenCounts(condition: TokenCondition, token: string, rows: SliceRows): Counts {
  const { field } = condition
  const text = textSql(rows.slice.segment, field) ?? "''"
  const test = containsSql(field, text, [token], rows.parameters)
  const same = `t = ${rows.parameters.shared(token)}`
  return counted({ field, text, test }, condition, rows, (list) => {
    return `len(list_filter(${list}, lambda t: ${same}))`
  })
}

/** A count that is made once, and the length of the same text. */
function counted(
  cut: { readonly field: Field; readonly text: string; readonly test: string },
  condition: Condition,
  rows: SliceRows,
  count: (list: string) => string,
): Counts {
  const frequency = rows.once(condition, () => ofTokens(cut, rows, count))
  const list = rows.tokens(cut.field.analyzer, `CASE WHEN ${cut.test} THEN ${cut.text} END`)
  return { frequency, length: `len(${list})` }
}

function phraseCounts(condition: PhraseCondition, text: string, rows: SliceRows): Counts {
  const { field } = condition
  const test = and(candidateTests(condition, text, rows))
  return counted({ field, text, test }, condition, rows, (list) =>
    phraseCountSql(condition, list, rows),
  )
}

/** What a text must hold to be worth being cut: tokens by postings, else by letters. */
function candidateTests(condition: PhraseCondition, text: string, rows: SliceRows): string[] {
  const { field, tokens, prefix } = condition
  const isPosted = rows.slice.part === 'posted'
  return [...new Set(tokens)].map((token) => {
    const isWhole = !prefix || tokens.indexOf(token) < tokens.length - 1
    if (isPosted) {
      const posting = isWhole
        ? tokenPosting(field, token, rows.parameters)
        : { field, test: startsSql('token', token, rows.parameters) }
      return `${rows.frequency([posting])} IS NOT NULL`
    }
    return `contains(${foldedSql(field, text)}, ${rows.parameters.shared(token)})`
  })
}

function patternSql(condition: PatternCondition, rows: SliceRows): string {
  const { slice, parameters } = rows
  const { field, pattern } = condition
  if (field.type !== 'text') {
    return anyValueSql(slice, field, (value) => fitsSql(pattern, value, parameters))
  }
  const text = textSql(slice.segment, field)
  if (text === undefined) return 'false'
  if (isAnything(pattern)) return hasTokenSql(field, text)
  const postings = postingsOf(condition, rows)
  if (postings !== undefined) return `${rows.frequency(postings)} IS NOT NULL`
  const test = containsSql(field, text, piecesOf(pattern), parameters)
  const fits = fitsSql(pattern, 'v', parameters)
  return ofTokens({ field, text, test }, rows, (list) => {
    return `len(list_filter(${list}, lambda v: ${fits})) > 0`
  })
}

function phraseSql(condition: PhraseCondition, rows: SliceRows): string {
  const { field, tokens, slop, prefix } = condition
  const text = textSql(rows.slice.segment, field)
  if (text === undefined || tokens.length === 0) return 'false'
  if (rows.isScored) return `${phraseCounts(condition, text, rows).frequency} > 0`
  const test = and(candidateTests(condition, text, rows))
  return ofTokens({ field, text, test }, rows, (list) => {
    if (slop > 0) return `${phraseCountSql(condition, list, rows)} > 0`
    // Tokens hold no blanks, so that joined by blanks an exact phrase is a part of the whole.
    const wanted = rows.parameters.shared(` ${tokens.join(' ')}${prefix ? '' : ' '}`)
    return `contains(' ' || array_to_string(${list}, ' ') || ' ', ${wanted})`
  })
}

/** How often the phrase stands in the list of tokens. */
function phraseCountSql(condition: PhraseCondition, list: string, rows: SliceRows): string {
  const { tokens, slop, prefix } = condition
  const at = (token: string, index: number): string => {
    const bound = rows.parameters.shared(token)
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

/** Rows that meet the condition have one of its tokens, or of its phrases' or patterns' tokens. */
export function needsPosting(condition: Condition): boolean {
  switch (condition.kind) {
    case 'token':
      return condition.tokens.length > 0
    case 'phrase':
      return condition.tokens.length > 0
    case 'pattern':
      return condition.field.type === 'text' && !isAnything(condition.pattern)
    case 'bool': {
      const { must, filter, should, minimumShouldMatch } = condition
      if ([...must, ...filter].some(needsPosting)) return true
      return minimumShouldMatch > 0 && should.length > 0 && should.every(needsPosting)
    }
    case 'constant':
      return needsPosting(condition.inner)
    case 'dismax':
      return condition.inner.length > 0 && condition.inner.every(needsPosting)
    case 'all':
    case 'equals':
    case 'ids':
    case 'none':
    case 'present':
    case 'range':
    default:
      return false
  }
}
