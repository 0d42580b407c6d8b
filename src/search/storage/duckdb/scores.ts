/**
 * BM25 as Lucene 7 computes it, in 32-bit floats: k1 = 1.2, b = 0.75, lengths rounded as Lucene's one
 * byte norms are. Statistics are those of one index, as of one shard.
 */
import type { Field } from '../../mapping/field.ts'
import type { Condition, EqualsCondition, PhraseCondition, TokenCondition } from '../plan.ts'
import { anyValueSql, conditionSql, fromSql, phraseCountSql, type Slice } from './conditions.ts'
import type { Engine } from './engine.ts'
import type { IndexFile } from './index-file.ts'
import { textSql } from './postings.ts'
import { lengthTable } from './segment.ts'
import { Parameters, tokensSql } from './sql.ts'

type ScoredLeaf = TokenCondition | PhraseCondition | EqualsCondition

/** What the statement needs to know of one leaf in one index. */
export interface LeafWeight {
  /** Inverse document frequency, summed over the tokens of a phrase. */
  readonly idf: number
  /** Average number of tokens; undefined where lengths do not count. */
  readonly averageLength: number | undefined
}

export type Weights = ReadonlyMap<Condition, LeafWeight>

const k1 = Math.fround(1.2)
const b = Math.fround(0.75)

/** Looks up the statistics of all leaves of one index's condition. */
export async function weigh(
  engine: Engine,
  file: IndexFile,
  condition: Condition,
  slices: readonly Slice[],
): Promise<Weights> {
  const weights = new Map<Condition, LeafWeight>()
  const leaves: ScoredLeaf[] = []
  collect(condition, leaves)
  const fields = new Map<Field, FieldFacts>()
  for (const leaf of leaves) {
    let facts = fields.get(leaf.field)
    if (facts === undefined) {
      facts = await fieldFacts(engine, file, leaf.field)
      fields.set(leaf.field, facts)
    }
    let idf = 0
    for (const single of singles(leaf)) {
      const frequency = await countRows(engine, slices, single)
      idf = Math.fround(idf + inverseFrequency(facts.documents, frequency))
    }
    const lengths = leaf.field.norms && facts.documents > 0
    const averageLength = lengths ? Math.fround(facts.tokens / facts.documents) : undefined
    weights.set(leaf, { idf, averageLength })
  }
  return weights
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

/** The conditions whose frequencies make up a leaf's weight: one per token. */
function singles(leaf: ScoredLeaf): Condition[] {
  if (leaf.kind !== 'phrase') return [leaf]
  const { field, tokens } = leaf
  return tokens.map((token) => ({ kind: 'token', field, tokens: [token], boost: 1 }))
}

function inverseFrequency(documents: number, frequency: number): number {
  return Math.fround(Math.log(1 + (documents - frequency + 0.5) / (frequency + 0.5)))
}

async function countRows(
  engine: Engine,
  slices: readonly Slice[],
  condition: Condition,
): Promise<number> {
  if (slices.length === 0) return 0
  const parameters = new Parameters()
  const parts = slices.map((slice) => {
    const where = [conditionSql(condition, slice, parameters), ...partSql(slice)].join(' AND ')
    return `SELECT count(*) AS n FROM ${fromSql(slice)} WHERE ${where}`
  })
  const sql = `SELECT sum(n) FROM (${parts.join(' UNION ALL ')})`
  return (await engine.read(sql, parameters.values)).number(0, 0)
}

function partSql(slice: Slice): string[] {
  if (slice.part === 'posted') return [`seq < ${slice.segment.postedBelow}`]
  return slice.part === 'tail' ? [`seq >= ${slice.segment.postedBelow}`] : []
}

interface FieldFacts {
  readonly documents: number
  readonly tokens: number
}

/** Documents that have the field, and their tokens: of posted rows from lengths, else by cutting texts. */
async function fieldFacts(engine: Engine, file: IndexFile, field: Field): Promise<FieldFacts> {
  const parts: string[] = []
  for (const segment of file.segments) {
    if (segment.rows === 0) continue
    const slice: Slice = { file, segment, shard: 0, part: 'whole' }
    if (field.type !== 'text') {
      const present = anyValueSql(slice, field, (value) => `${value} IS NOT NULL`)
      parts.push(`SELECT count(*) AS d, 0 AS t FROM ${fromSql(slice)} WHERE ${present}`)
      continue
    }
    const text = textSql(segment, field)
    if (text === undefined) continue
    parts.push(
      `SELECT count(*) AS d, sum(len) AS t FROM ${file.table(lengthTable(segment))} ` +
        `WHERE field = ${field.number}`,
      `SELECT count(*) FILTER (n > 0) AS d, sum(n) AS t FROM ` +
        `(SELECT len(${tokensSql(field.analyzer, text)}) AS n FROM ${fromSql(slice)} ` +
        `WHERE seq >= ${segment.postedBelow})`,
    )
  }
  if (parts.length === 0) return { documents: 0, tokens: 0 }
  const rows = await engine.read(`SELECT sum(d), sum(t) FROM (${parts.join(' UNION ALL ')})`)
  return { documents: rows.number(0, 0), tokens: rows.number(1, 0) }
}

/** The score of a row that meets the condition, as a FLOAT. */
export function scoreSql(
  condition: Condition,
  slice: Slice,
  weights: Weights,
  parameters: Parameters,
  factor = 1,
): string {
  const met = (boost: number): string => {
    const sql = conditionSql(condition, slice, parameters)
    const value = floatSql(Math.fround(boost * factor))
    return sql === 'true' ? value : `(CASE WHEN ${sql} THEN ${value} ELSE 0::FLOAT END)`
  }
  const inner = (one: Condition, boost: number): string =>
    scoreSql(one, slice, weights, parameters, Math.fround(factor * boost))
  switch (condition.kind) {
    case 'none':
      return '0::FLOAT'
    case 'token':
    case 'phrase':
      return textScoreSql(condition, slice, weights, parameters, factor)
    case 'equals': {
      const weight = weights.get(condition)
      return met(weight === undefined ? condition.boost : condition.boost * weight.idf)
    }
    case 'bool': {
      const parts = [...condition.must, ...condition.should].map((one) =>
        inner(one, condition.boost),
      )
      if (parts.length === 0) return '0::FLOAT'
      if (parts.length === 1) return parts[0] ?? '0::FLOAT'
      const sum = parts.map((part) => `${part}::DOUBLE`).join(' + ')
      const whole = `(${sum})::FLOAT`
      const sql = conditionSql(condition, slice, parameters)
      return `(CASE WHEN ${sql} THEN ${whole} ELSE 0::FLOAT END)`
    }
    case 'dismax': {
      const parts = condition.inner.map((one) => inner(one, condition.boost))
      if (parts.length === 0) return '0::FLOAT'
      if (parts.length === 1) return parts[0] ?? '0::FLOAT'
      if (condition.tieBreaker === 0) return `greatest(${parts.join(', ')})`
      // Each part stands in the text once: written out thrice, ten such queries in one another would
      // make a statement of gigabytes.
      const best = 'list_max(parts)'
      const all = 'list_reduce(parts, lambda x, y: x + y)'
      const tie = floatSql(condition.tieBreaker)
      const score = `${best} + ${tie} * (${all} - ${best})`
      return `list_transform([[${parts.join(', ')}]], lambda parts: ${score})[1]`
    }
    case 'all':
    case 'constant':
    case 'ids':
    case 'pattern':
    case 'present':
    case 'range':
    default:
      return met(condition.boost)
  }
}

function textScoreSql(
  condition: TokenCondition | PhraseCondition,
  slice: Slice,
  weights: Weights,
  parameters: Parameters,
  factor: number,
): string {
  const text = textSql(slice.segment, condition.field)
  if (text === undefined) return '0::FLOAT'
  const weight = weights.get(condition)
  const boost = Math.fround(condition.boost * factor)
  const met = conditionSql(condition, slice, parameters)
  if (weight === undefined) return `(CASE WHEN ${met} THEN ${floatSql(boost)} ELSE 0::FLOAT END)`
  const list = tokensSql(condition.field.analyzer, text)
  let frequency: string
  if (condition.kind === 'phrase') frequency = phraseCountSql(condition, text, parameters)
  else {
    const token = parameters.add(condition.tokens[0] ?? '', 'VARCHAR')
    frequency = `len(list_filter(${list}, lambda t: t = ${token}))`
  }
  const weightSql = floatSql(Math.fround(Math.fround(Math.fround(k1 + 1) * boost) * weight.idf))
  const norm = normSql(list, weight.averageLength)
  const tf = `(${frequency})::FLOAT`
  return `(CASE WHEN ${met} THEN ${weightSql} * ${tf} / (${tf} + ${norm}) ELSE 0::FLOAT END)`
}

function normSql(tokens: string, averageLength: number | undefined): string {
  if (averageLength === undefined) return floatSql(k1)
  const length = storedLengthSql(`len(${tokens})`)
  const rest = floatSql(Math.fround(1 - b))
  return `(${floatSql(k1)} * (${rest} + ${floatSql(b)} * ${length}::FLOAT / ${floatSql(averageLength)}))`
}

/** Lucene keeps lengths up to 39 exactly and four significant bits of what exceeds 24 beyond. */
function storedLengthSql(length: string): string {
  const shift = `(floor(log2(greatest(${length} - 24, 8)))::INTEGER - 3)`
  return (
    `(CASE WHEN ${length} < 40 THEN ${length} ` +
    `ELSE 24 + ((((${length}) - 24) >> ${shift}) << ${shift}) END)`
  )
}

/** A 32-bit float, exactly. */
export function floatSql(value: number): string {
  return `${Math.fround(value)}::DOUBLE::FLOAT`
}
