// Pure.
/**
 * BM25 as Lucene 7 computes it, in 32-bit floats: k1 = 1.2, b = 0.75, lengths rounded as Lucene's one
 * byte norms are. Statistics are those of one index, as of one shard.
 */
import type { BoolCondition, Condition, PhraseCondition, TokenCondition } from '../plan.ts'
import { conditionSql, countsOf } from './conditions.ts'
import type { SliceRows } from './slice-rows.ts'
import type { Weights } from './weigh.ts'

const k1 = Math.fround(1.2)
const b = Math.fround(0.75)

/** The score of a row that meets the condition, as a FLOAT. */
export function scoreSql(
  condition: Condition,
  rows: SliceRows,
  weights: Weights,
  factor = 1,
): string {
  const met = (boost: number): string => {
    const sql = conditionSql(condition, rows)
    const value = floatSql(Math.fround(boost * factor))
    return sql === 'true' ? value : `(CASE WHEN ${sql} THEN ${value} ELSE 0::FLOAT END)`
  }
  const inner = (one: Condition, boost: number): string =>
    scoreSql(one, rows, weights, Math.fround(factor * boost))
  switch (condition.kind) {
    case 'none':
      return '0::FLOAT'
    case 'token':
    case 'phrase':
      return textScoreSql(condition, rows, weights, factor)
    case 'equals': {
      const weight = weights.get(condition)
      return met(weight === undefined ? condition.boost : condition.boost * weight.idf)
    }
    case 'bool': {
      const parts = [...condition.must, ...condition.should].map((one) =>
        inner(one, condition.boost),
      )
      const [only] = parts
      if (only === undefined) return '0::FLOAT'
      const sum = parts.map((part) => `${part}::DOUBLE`).join(' + ')
      const whole = parts.length === 1 ? only : `(${sum})::FLOAT`
      if (isItsOnlyPart(condition)) return whole
      return `(CASE WHEN ${conditionSql(condition, rows)} THEN ${whole} ELSE 0::FLOAT END)`
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

/** A bool whose score is not 0 exactly where its single part's is not. */
function isItsOnlyPart(condition: BoolCondition): boolean {
  const { must, should, filter, mustNot } = condition
  return must.length + should.length === 1 && filter.length + mustNot.length === 0
}

function textScoreSql(
  condition: TokenCondition | PhraseCondition,
  rows: SliceRows,
  weights: Weights,
  factor: number,
): string {
  const weight = weights.get(condition)
  const boost = Math.fround(condition.boost * factor)
  const met = conditionSql(condition, rows)
  if (weight === undefined) return `(CASE WHEN ${met} THEN ${floatSql(boost)} ELSE 0::FLOAT END)`
  const counts = countsOf(condition, rows)
  if (counts === undefined) return '0::FLOAT'
  const weightSql = floatSql(Math.fround(Math.fround(Math.fround(k1 + 1) * boost) * weight.idf))
  const { averageLength } = weight
  const norm = averageLength === undefined ? floatSql(k1) : normSql(counts.length, averageLength)
  const tf = `(${counts.frequency})::FLOAT`
  return `(CASE WHEN ${met} THEN ${weightSql} * ${tf} / (${tf} + ${norm}) ELSE 0::FLOAT END)`
}

function normSql(length: string, averageLength: number): string {
  const rest = floatSql(Math.fround(1 - b))
  const stored = `${storedLengthSql(length)}::FLOAT`
  return `(${floatSql(k1)} * (${rest} + ${floatSql(b)} * ${stored} / ${floatSql(averageLength)}))`
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
