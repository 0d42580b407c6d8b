/** The statistics that scores stand on, and what they say cannot match at all. */
import type { Field } from '../../mapping/field.ts'
import type { Condition, EqualsCondition, PhraseCondition, TokenCondition } from '../plan.ts'
import { anyValueSql, conditionSql } from './conditions.ts'
import type { Engine } from './engine.ts'
import type { IndexFile } from './index-file.ts'
import { textSql } from './postings.ts'
import { fromSql, type Slice } from './slice.ts'
import { postingTest, SliceRows, tokenPosting } from './slice-rows.ts'
import { Parameters } from './sql.ts'

type ScoredLeaf = TokenCondition | PhraseCondition | EqualsCondition

/** What the statement needs to know of one leaf in one index. */
export interface LeafWeight {
  /** Inverse document frequency, summed over the tokens of a phrase. */
  readonly idf: number
  /** Average number of tokens; undefined where lengths do not count. */
  readonly averageLength: number | undefined
}

export type Weights = ReadonlyMap<Condition, LeafWeight>

export interface Weighed {
  readonly weights: Weights
  /** The condition without leaves that no row of the index meets: over all fields, most of them. */
  readonly condition: Condition
}

/**
 * Looks up the statistics of all leaves of one index's condition, with two statements however many
 * fields they are in.
 */
export async function weigh(
  engine: Engine,
  file: IndexFile,
  condition: Condition,
): Promise<Weighed> {
  const leaves: ScoredLeaf[] = []
  collect(condition, leaves)
  const singles = leaves.flatMap(singlesOf)
  const counts = await frequencies(engine, file, singles)
  const frequency = (single: Single): number => counts.get(keyOf(single)) ?? 0
  const met = leaves.filter((leaf) => wholeOf(leaf).every((single) => frequency(single) > 0))
  const fields = [...new Set(met.map((leaf) => leaf.field))]
  const facts = await fieldFacts(engine, file, fields)
  const weights = new Map<Condition, LeafWeight>()
  for (const leaf of met) {
    const { documents, tokens } = facts.get(leaf.field.number) ?? { documents: 0, tokens: 0 }
    let idf = 0
    for (const single of singlesOf(leaf)) {
      idf = Math.fround(idf + inverseFrequency(documents, frequency(single)))
    }
    const lengths = leaf.field.norms && documents > 0
    const averageLength = lengths ? Math.fround(tokens / documents) : undefined
    weights.set(leaf, { idf, averageLength })
  }
  const unmet = new Set<Condition>(leaves.filter((leaf) => !weights.has(leaf)))
  return { weights, condition: pruned(condition, unmet) }
}

function collect(condition: Condition, leaves: ScoredLeaf[]): void {
  switch (condition.kind) {
    case 'token':
      if (condition.tokens.length === 1) leaves.push(condition)
      return
    case 'phrase':
      leaves.push(condition)
      return
    case 'equals':
      if (condition.scoring === 'keyword' && condition.values.length === 1) leaves.push(condition)
      return
    case 'bool':
      for (const one of [...condition.must, ...condition.should]) collect(one, leaves)
      return
    case 'dismax':
      for (const one of condition.inner) collect(one, leaves)
      return
    case 'all':
    case 'constant':
    case 'ids':
    case 'none':
    case 'pattern':
    case 'present':
    case 'range':
    default:
  }
}

/** The same condition without the leaves named, which match nothing. */
function pruned(condition: Condition, unmet: ReadonlySet<Condition>): Condition {
  if (unmet.has(condition)) return { kind: 'none' }
  const kept = (list: readonly Condition[]): Condition[] =>
    list.map((one) => pruned(one, unmet)).filter((one) => one.kind !== 'none')
  if (condition.kind === 'dismax') {
    const inner = kept(condition.inner)
    return inner.length === 0 ? { kind: 'none' } : { ...condition, inner }
  }
  if (condition.kind !== 'bool') return condition
  const must = kept(condition.must)
  const should = kept(condition.should)
  const isMet =
    must.length === condition.must.length && condition.minimumShouldMatch <= should.length
  return isMet ? { ...condition, must, should } : { kind: 'none' }
}

/** What is counted: the rows that hold one token, or a keyword's value. */
type Single = { readonly field: Field; readonly token: string } | EqualsCondition

const keyOf = (single: Single): string =>
  'token' in single
    ? `t${single.field.number} ${single.token}`
    : `e${single.field.number} ${String(single.values[0])}`

/** The conditions whose frequencies make up a leaf's weight: one per token. */
function singlesOf(leaf: ScoredLeaf): Single[] {
  if (leaf.kind === 'equals') return [leaf]
  return leaf.tokens.map((token) => ({ field: leaf.field, token }))
}

/** Those without which the leaf is not met: all but the beginning that ends a phrase. */
function wholeOf(leaf: ScoredLeaf): Single[] {
  const singles = singlesOf(leaf)
  return leaf.kind === 'phrase' && leaf.prefix ? singles.slice(0, -1) : singles
}

function inverseFrequency(documents: number, frequency: number): number {
  return Math.fround(Math.log(1 + (documents - frequency + 0.5) / (frequency + 0.5)))
}

/** Rows per single, deleted ones too, as in an index that has not merged them away. */
async function frequencies(
  engine: Engine,
  file: IndexFile,
  singles: readonly Single[],
): Promise<Map<string, number>> {
  const asked = [...new Map(singles.map((single) => [keyOf(single), single])).entries()]
  const tokens = asked.flatMap(([, single], at) => ('token' in single ? [{ ...single, at }] : []))
  const equals = asked.flatMap(([, single], at) => ('token' in single ? [] : [{ single, at }]))
  const parameters = new Parameters()
  const parts: string[] = []
  for (const segment of file.segments) {
    if (segment.rows === 0) continue
    const whole: Slice = { file, segment, shard: 0, part: 'whole' }
    if (tokens.length > 0 && segment.postedBelow > segment.base) {
      const postings = tokens.map((one) => tokenPosting(one.field, one.token, parameters))
      // A row that has a token several times stands in its list as often.
      const counts = postings.map(
        (one) => `sum(list_unique(docs)) FILTER (WHERE ${postingTest([one])})`,
      )
      const from = `${file.postings(segment)} WHERE ${postingTest(postings)}`
      const places = tokens.map(({ at }) => at)
      parts.push(pairsSql(places, counts, from))
    }
    if (tokens.length > 0 && segment.lastSeq >= segment.postedBelow) {
      const rows = new SliceRows({ ...whole, part: 'tail' }, parameters, false)
      const tests = tokens.map(({ field, token, at }) => {
        const condition: Condition = { kind: 'token', field, tokens: [token], boost: 1 }
        return { at, test: conditionSql(condition, rows) }
      })
      parts.push(countsSql(tests, `${rows.from(false)} WHERE seq >= ${segment.postedBelow}`))
    }
    if (equals.length > 0) {
      const rows = new SliceRows(whole, parameters, false)
      const tests = equals.map(({ single, at }) => ({ at, test: conditionSql(single, rows) }))
      parts.push(countsSql(tests, rows.from(false)))
    }
  }
  const found = new Map<string, number>()
  if (parts.length === 0) return found
  const sql = `SELECT k, sum(n) FROM (${parts.join(' UNION ALL ')}) GROUP BY k`
  const rows = await engine.read(sql, parameters.values)
  for (let row = 0; row < rows.length; row++) {
    const key = asked[rows.number(0, row)]?.[0]
    if (key !== undefined) found.set(key, rows.number(1, row))
  }
  return found
}

interface CountedTest {
  readonly at: number
  readonly test: string
}

/** Rows (k, n): how many rows meet each test, in one pass. */
function countsSql(tests: readonly CountedTest[], from: string): string {
  const counts = tests.map(({ test }) => `count(*) FILTER (WHERE ${test})`)
  const places = tests.map(({ at }) => at)
  return pairsSql(places, counts, from)
}

function pairsSql(places: readonly number[], counts: readonly string[], from: string): string {
  return `SELECT unnest([${places.join(', ')}]) AS k, unnest([${counts.join(', ')}]) AS n FROM ${from}`
}

interface FieldFacts {
  readonly documents: number
  readonly tokens: number
}

/** Documents that have the field, and their tokens: of posted rows from lengths, else by cutting texts. */
async function fieldFacts(
  engine: Engine,
  file: IndexFile,
  fields: readonly Field[],
): Promise<Map<number, FieldFacts>> {
  const found = new Map<number, FieldFacts>()
  const parts: string[] = []
  for (const segment of file.segments) {
    if (segment.rows === 0) continue
    const slice: Slice = { file, segment, shard: 0, part: 'whole' }
    for (const field of fields.filter(({ type }) => type !== 'text')) {
      const present = anyValueSql(slice, field, (value) => `${value} IS NOT NULL`)
      parts.push(
        `SELECT ${field.number} AS f, count(*) AS d, 0 AS t FROM ${fromSql(slice)} WHERE ${present}`,
      )
    }
    parts.push(...textFacts(slice, fields))
  }
  if (parts.length === 0) return found
  const sql = `SELECT f, sum(d), sum(t) FROM (${parts.join(' UNION ALL ')}) GROUP BY f`
  const rows = await engine.read(sql)
  for (let row = 0; row < rows.length; row++) {
    found.set(rows.number(0, row), { documents: rows.number(1, row), tokens: rows.number(2, row) })
  }
  return found
}

function textFacts(slice: Slice, fields: readonly Field[]): string[] {
  const { segment, file } = slice
  const texts = fields.filter(({ type }) => type === 'text')
  const numbers = texts.map(({ number }) => number).join(', ')
  if (texts.length === 0) return []
  const posted =
    `SELECT field AS f, count(*) AS d, sum(len) AS t FROM ${file.lengths(segment)} ` +
    `WHERE field IN (${numbers}) GROUP BY field`
  if (segment.lastSeq < segment.postedBelow) return [posted]
  const rows = new SliceRows({ ...slice, part: 'tail' }, new Parameters(), false)
  const lengths = texts.map((field) => {
    const text = textSql(segment, field)
    return text === undefined ? '0' : `len(${rows.tokens(field.analyzer, text)})`
  })
  const tail =
    `SELECT unnest([${numbers}]) AS f, unnest([${lengths.join(', ')}]) AS n ` +
    `FROM ${rows.from(false)} WHERE seq >= ${segment.postedBelow}`
  return [posted, `SELECT f, count(*) AS d, sum(n) AS t FROM (${tail}) WHERE n > 0 GROUP BY f`]
}
